/* metrics.h - counters and gauges that rooms keep and that /metrics shows (Prometheus text format 0.0.4).
 *
 * A room asks for its metrics once, at its start, and then adds to them from any thread; asking twice for a name gives
 * the same metric. Names begin with "hubbub_"; counters end with "_total"; units are in the name (_seconds, _bytes). */
#ifndef HB_BASE_METRICS_H
#define HB_BASE_METRICS_H

#include "base/memory.h"

#include <stdatomic.h>

typedef struct hb_metrics hb_metrics;

typedef struct hb_metric {
    _Atomic int64_t value;
} hb_metric;

hb_metrics *hb_metrics_open(void);
void hb_metrics_close(hb_metrics *metrics);

/* name and help must outlive the metrics (string literals). The metric belongs to the metrics. */
hb_metric *hb_metrics_counter(hb_metrics *metrics, const char *name, const char *help);
hb_metric *hb_metrics_gauge(hb_metrics *metrics, const char *name, const char *help);

static inline void hb_metric_add(hb_metric *metric, uint64_t more)
{
    atomic_fetch_add_explicit(&metric->value, (int64_t)more, memory_order_relaxed);
}

static inline void hb_metric_set(hb_metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

static inline int64_t hb_metric_get(const hb_metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

/* Appends all of them in the order in which they were asked for. */
void hb_metrics_print(hb_metrics *metrics, hb_buffer *out);

#endif
