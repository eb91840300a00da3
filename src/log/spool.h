/* spool.h - facts of a Kafka log, copied once into a file log of their own, for those who need whole hours.
 *
 * The file log gives each fact its hour, whatever order the facts stand in, and everything that reads a file log reads
 * the copy: the batch layer, history.h, messages.h. It lies in a directory of its own and is removed with the spool; as
 * hours of the past are compressed, it takes about as much room as the topic does for the same facts. */
#ifndef HB_LOG_SPOOL_H
#define HB_LOG_SPOOL_H

#include "log/log.h"

#include <stdatomic.h>

typedef struct hb_spool hb_spool;

/* Where to begin in a partition, where that is known. */
typedef struct hb_spool_start {
    int32_t partition;
    uint64_t offset;
} hb_spool_start;

typedef struct hb_spool_query {
    hb_bytes channel; /* a login in any case: its partition alone is read, and only its facts kept; empty: all */
    int64_t from_ms;  /* event times: counted in */
    int64_t to_ms;    /* not counted in */
    const hb_spool_start *starts; /* of partitions to begin with at an offset instead of at from_ms */
    size_t start_count;
    bool (*want)(void *context, int64_t hour_s); /* NULL: any hour of the range */
    void *context;
    int64_t until_ms;                                  /* hb_monotonic_ms() to give up reading at; 0: never */
    bool (*going)(void *context, uint64_t facts, uint64_t bytes); /* NULL; asked now and then; false: give up */
    void *going_context;
} hb_spool_query;

/* Copies what the topic holds now. directory: where to make the copy; NULL: $TMPDIR, else /tmp. Memory stays bounded.
 * NULL: the errors of hb_log_open, HB_ERROR_SYSTEM (the copy cannot be written), HB_ERROR_BUSY (told to give up). */
hb_spool *hb_spool_open(const char *address, const hb_spool_query *query, const char *directory, hb_error *error);

/* Removes the copy. */
void hb_spool_close(hb_spool *spool);

const char *hb_spool_log(const hb_spool *spool); /* the address of the copy */

/* Where reading ended in each partition that was read: part is the partition. The spool's. */
const hb_log_position *hb_spool_ends(const hb_spool *spool, size_t *count);

/* The offset of the first fact of an hour in a partition. False: the copy has none. */
bool hb_spool_first(const hb_spool *spool, int64_t hour_s, int32_t partition, uint64_t *offset);

/* Hours before this one may be in the topic only in part, because it has forgotten its beginning; INT64_MIN: it has
 * not. */
int64_t hb_spool_whole_from(const hb_spool *spool);

/* False when time was up before all was read. */
bool hb_spool_complete(const hb_spool *spool);

uint64_t hb_spool_facts(const hb_spool *spool);

#endif
