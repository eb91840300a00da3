/* kafka_records.h - records taken from a client by the batch, handed out as pieces of lines. Not a door. */
#ifndef HB_LOG_KAFKA_RECORDS_H
#define HB_LOG_KAFKA_RECORDS_H

#include "base/memory.h"
#include "base/metrics.h"

#include <librdkafka/rdkafka.h>

enum { HB_KAFKA_BATCH = 16 * 1024 }; /* records taken at once */

typedef struct hb_kafka_records { /* zero-initialise, then set client and queue (the client's own for consumers) */
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    hb_metric *skipped; /* may be NULL; counts records that are not one line */
    rd_kafka_message_t *batch[HB_KAFKA_BATCH];
    size_t count;
    size_t next;
    hb_buffer lines;
} hb_kafka_records;

/* Waits up to wait_ms for one record, then takes all that are there. Only to be called when the batch is used up. */
void hb_kafka_records_take(hb_kafka_records *records, int wait_ms);

/* Waits up to wait_ms while the batch is not used up: what comes meanwhile goes behind it. */
void hb_kafka_records_wait(hb_kafka_records *records, int wait_ms);

/* The first of the batch: a record, or a report where err is set; NULL when it is used up. */
const rd_kafka_message_t *hb_kafka_records_front(const hb_kafka_records *records);

/* Passes the first one over. */
void hb_kafka_records_pass(hb_kafka_records *records);

typedef struct hb_kafka_piece {
    int32_t partition;
    hb_bytes lines;  /* with LF; until the next call */
    uint64_t at;     /* offset of the first line; those of the others follow it one by one */
    uint64_t next;   /* offset behind the last one */
    int64_t time_ms; /* of the first one */
} hb_kafka_piece;

/* Takes records off the batch that stand behind one another in one partition, up to about 1 MiB. The first one must be
 * no report. What is no line (it holds LF, or nothing, or is too long) becomes an empty one. */
hb_kafka_piece hb_kafka_records_piece(hb_kafka_records *records);

/* Frees all but the client and the queue. */
void hb_kafka_records_free(hb_kafka_records *records);

#endif
