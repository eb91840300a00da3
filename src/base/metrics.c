/* metrics.c - a list of named numbers. Asking takes a lock; adding is one relaxed atomic. */
#include "base/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct named_metric {
    hb_metric metric;
    const char *name;
    const char *help;
    const char *type;
    struct named_metric *next;
} named_metric;

struct hb_metrics {
    pthread_mutex_t lock;
    named_metric *first;
    named_metric **end;
};

hb_metrics *hb_metrics_open(void)
{
    hb_metrics *metrics = hb_alloc(sizeof *metrics);
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->end = &metrics->first;
    return metrics;
}

void hb_metrics_close(hb_metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (named_metric *metric = metrics->first, *next; metric != NULL; metric = next) {
        next = metric->next;
        free(metric);
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static hb_metric *find_or_make(hb_metrics *metrics, const char *name, const char *help, const char *type)
{
    pthread_mutex_lock(&metrics->lock);
    named_metric *metric = metrics->first;
    while (metric != NULL && strcmp(metric->name, name) != 0)
        metric = metric->next;
    if (metric == NULL) {
        metric = hb_alloc(sizeof *metric);
        metric->name = name;
        metric->help = help;
        metric->type = type;
        *metrics->end = metric;
        metrics->end = &metric->next;
    }
    pthread_mutex_unlock(&metrics->lock);
    return &metric->metric;
}

hb_metric *hb_metrics_counter(hb_metrics *metrics, const char *name, const char *help)
{
    return find_or_make(metrics, name, help, "counter");
}

hb_metric *hb_metrics_gauge(hb_metrics *metrics, const char *name, const char *help)
{
    return find_or_make(metrics, name, help, "gauge");
}

void hb_metrics_print(hb_metrics *metrics, hb_buffer *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (const named_metric *metric = metrics->first; metric != NULL; metric = metric->next)
        hb_buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", metric->name, metric->help, metric->name,
                        metric->type, metric->name, hb_metric_get(&metric->metric));
    pthread_mutex_unlock(&metrics->lock);
}
