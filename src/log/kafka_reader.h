/* kafka_reader.h - reading a topic without a group: some partitions, from offsets of one's choice. Not a door. */
#ifndef HB_LOG_KAFKA_READER_H
#define HB_LOG_KAFKA_READER_H

#include "log/kafka_records.h"

typedef struct hb_kafka_reader hb_kafka_reader;

typedef struct hb_kafka_share {
    int32_t partition;
    uint64_t from; /* the offset to read from */
    uint64_t low;  /* the first offset that the topic still has */
    uint64_t high; /* the offset behind the last one */
} hb_kafka_share;

/* Opens the topic at an address; waits some seconds for a broker. NULL: HB_ERROR_USAGE, HB_ERROR_MISSING (no such
 * topic), HB_ERROR_LIMIT (too many partitions), HB_ERROR_NETWORK. */
hb_kafka_reader *hb_kafka_reader_open(const char *address, hb_error *error);
void hb_kafka_reader_close(hb_kafka_reader *reader);

int32_t hb_kafka_reader_partitions(const hb_kafka_reader *reader);

/* Asks the broker for low and high of partitions, and sets from to the first record whose timestamp is from_ms or later
 * (low where from_ms is 0 or less, high where there is none). False: HB_ERROR_NETWORK. */
bool hb_kafka_reader_find(hb_kafka_reader *reader, int64_t from_ms, hb_kafka_share *shares, size_t count,
                          hb_error *error);

/* Begins to read the shares, and nothing else. False: HB_ERROR_NETWORK. */
bool hb_kafka_reader_begin(hb_kafka_reader *reader, const hb_kafka_share *shares, size_t count, hb_error *error);

/* Waits up to wait_ms until there is something to read. */
void hb_kafka_reader_wait(hb_kafka_reader *reader, int wait_ms);

/* Waits up to wait_ms for the next piece. Its lines are empty when none came, or when the partition's end was reached,
 * at next; partition is -1 when nothing at all came. A broker that is away is said, and waited for. False:
 * HB_ERROR_NETWORK (it refuses). */
bool hb_kafka_reader_read(hb_kafka_reader *reader, int wait_ms, hb_kafka_piece *piece, hb_error *error);

#endif
