/* log_kafka.h - the Kafka log as workers of one consumer group read it: each owns some partitions of the topic.
 *
 * hb_log_open and what goes with it (log.h) write to a Kafka log and read from it as from a file log; this door is for
 * those who share the reading. A record is one line; line i of a piece has the offset at + i.
 *
 * Kafka hands partitions out and takes them back. What comes of it are events, and the reader answers each:
 *
 *     ASSIGNED   begin with hb_log_group_start, from the offset that the store says; until then nothing is read of it
 *     LINES      count them
 *     END        for now all of the partition has been read
 *     REVOKED    store what was counted of it, commit, then hb_log_group_release; another worker waits for that
 *     LOST       it belongs to another worker already: forget what was counted of it, store nothing
 */
#ifndef HB_LOG_LOG_KAFKA_H
#define HB_LOG_LOG_KAFKA_H

#include "base/memory.h"
#include "base/metrics.h"

enum {
    HB_KAFKA_PARTITIONS = 12,      /* of a topic that has to be made, unless told otherwise */
    HB_KAFKA_PARTITIONS_MAX = 3600 /* a part is numbered hour_s + partition */
};

typedef struct hb_log_group hb_log_group;

/* Joins a group on the topic at address. Does not wait for the broker: what is wrong shows when reading. NULL:
 * HB_ERROR_USAGE (the address, a setting). */
hb_log_group *hb_log_group_open(const char *address, const char *group, hb_metrics *metrics, hb_error *error);

/* Leaves the group, without REVOKED events: whoever closes has stored what it wants to keep. */
void hb_log_group_close(hb_log_group *group);

typedef enum hb_log_event {
    HB_LOG_NOTHING, /* the wait is over */
    HB_LOG_LINES,
    HB_LOG_END,
    HB_LOG_ASSIGNED,
    HB_LOG_REVOKED,
    HB_LOG_LOST
} hb_log_event;

typedef struct hb_log_news {
    hb_log_event event;
    int32_t partition;
    hb_bytes lines; /* LINES: each with its LF, up to about 1 MiB; the group's until the next call */
    uint64_t at;    /* LINES: offset of the first line */
    uint64_t next;  /* LINES, END: the offset to go on from */
    uint64_t end;   /* LINES, END: where the partition ends, as was last heard; at least next */
} hb_log_news;

/* Waits up to wait_ms for the next event. A broker that is away is no error: it is said, and nothing comes until it is
 * back. False: HB_ERROR_MISSING (no such topic), HB_ERROR_LIMIT (too many partitions), HB_ERROR_NETWORK (refused: a
 * wrong password): the caller says it once, and may call again. */
bool hb_log_group_read(hb_log_group *group, int wait_ms, hb_log_news *news, hb_error *error);

/* While paused there is no news of LINES and END, only of what the group does; and what was begun to be read is not
 * fetched any further. A read that is paused may return at once. */
void hb_log_group_pause(hb_log_group *group, bool paused);

/* Begins to read a partition that was ASSIGNED. Where the offset is gone from the topic, from the first one that is
 * there. */
bool hb_log_group_start(hb_log_group *group, int32_t partition, uint64_t offset, hb_error *error);

/* Gives a REVOKED partition back. */
void hb_log_group_release(hb_log_group *group, int32_t partition);

/* Tells Kafka, for its tools to show the lag; asynchronous. Where to go on from is the store's to say. Now and then is
 * enough: when a commit reaches the broker after a rebalance, librdkafka takes it that everything is LOST. */
void hb_log_group_commit(hb_log_group *group, int32_t partition, uint64_t offset);

/* For HB_LOG_FROM_START: use as offset to begin with what the topic still has. */
#define HB_LOG_GROUP_BEGINNING UINT64_C(0)

/* Which partition a channel's facts are in: murmur2 of its login in lower case, as Kafka's own clients do. */
int32_t hb_log_partition_of(hb_bytes channel, int32_t partitions);

#endif
