/* count_metrics.h - what a processor tells of its counting: see processor.h for the names. */
#ifndef HB_CMD_COUNT_METRICS_H
#define HB_CMD_COUNT_METRICS_H

#include "base/metrics.h"
#include "views/speed.h"

typedef struct hb_count_metrics hb_count_metrics;

hb_count_metrics *hb_count_metrics_open(hb_metrics *metrics);
void hb_count_metrics_close(hb_count_metrics *metrics);

/* Shows the counts. Says once that memory has run out, when they tell so. */
void hb_count_metrics_show(hb_count_metrics *metrics, const hb_speed_counts *counts, int64_t now_ms);

/* Adds the counts of another speed layer. */
void hb_speed_counts_add(hb_speed_counts *into, const hb_speed_counts *more);

#endif
