/* schedule.h - the batch layer by itself, beside a processor: a thread of the lowest priority that recomputes each hour
 * 5 minutes after its end, hours that were missed while hubbub was off, and hours that have changed since (late facts,
 * imports) once they rest.
 *
 * What comes out goes to the store through the processor. Whatever fails is said once and tried again.
 *
 * Metrics: hubbub_batch_hours_total, hubbub_batch_corrected_values_total, hubbub_batch_late_facts_total,
 * hubbub_batch_last_hour_timestamp_seconds (the beginning of the hour that was recomputed last). */
#ifndef HB_CMD_SCHEDULE_H
#define HB_CMD_SCHEDULE_H

#include "cmd/processor.h"

typedef struct hb_schedule hb_schedule;

/* Whether the log is one whose hours are recomputed so. A Kafka log's are not: several workers may count it, and none
 * of them has all of an hour; hubbub batch --schedule does it. */
bool hb_schedule_is_for(const char *log);

/* Starts the thread. The texts of options, and the processor, must outlive it. NULL: HB_ERROR_SYSTEM. */
hb_schedule *hb_schedule_open(const hb_processor_options *options, hb_processor *processor, hb_metrics *metrics,
                              hb_error *error);

/* Stops: an hour in hand is given up, and the next start recomputes it. To be called before hb_processor_close. NULL is
 * fine. */
void hb_schedule_close(hb_schedule *schedule);

#endif
