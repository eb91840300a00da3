/* kafka_sweep.h - reading what a topic holds now, once: from a time on, to the end that it has at the beginning. Not a
 * door.
 *
 * It has to be read to its end, because nothing bounds how late a fact may stand in it: an import brings facts of last
 * year after those of today. What a partition's first record of a time is, the broker knows (offsetsForTimes). */
#ifndef HB_LOG_KAFKA_SWEEP_H
#define HB_LOG_KAFKA_SWEEP_H

#include "log/kafka_records.h"
#include "log/log.h"

typedef struct hb_kafka_sweep hb_kafka_sweep;

typedef struct hb_kafka_sweep_query {
    hb_bytes channel;              /* a login in any case: its partition alone is read; empty: all */
    int64_t from_ms;               /* event times */
    const hb_log_position *starts; /* partitions to begin with at an offset instead; NULL: none */
    size_t start_count;
} hb_kafka_sweep_query;

/* The query need not stay. NULL: as hb_kafka_reader_open. */
hb_kafka_sweep *hb_kafka_sweep_open(const char *address, const hb_kafka_sweep_query *query, hb_error *error);
void hb_kafka_sweep_close(hb_kafka_sweep *sweep);

/* Leaves the broker: what was found out stays, nothing more is read. */
void hb_kafka_sweep_leave(hb_kafka_sweep *sweep);

/* Waits up to wait_ms for the next piece; without lines when none came. False: HB_ERROR_NETWORK. */
bool hb_kafka_sweep_read(hb_kafka_sweep *sweep, int wait_ms, hb_kafka_piece *piece, hb_error *error);

/* Whether all has been read. */
bool hb_kafka_sweep_over(const hb_kafka_sweep *sweep);

/* Where reading ends in each partition that is read: part is the partition. The sweep's. */
const hb_log_position *hb_kafka_sweep_ends(const hb_kafka_sweep *sweep, size_t *count);

/* Hours before this one may be in the topic only in part, because it has forgotten its beginning; INT64_MIN: it has
 * not, as far as was read. */
int64_t hb_kafka_sweep_whole_from(const hb_kafka_sweep *sweep);

#endif
