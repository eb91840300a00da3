/* spool.h - facts of a Kafka log, copied once into a file log of their own, for those who need whole hours.
 *
 * The file log gives each fact its hour, whatever order the facts stand in, and everything that reads a file log reads
 * the copy: the batch layer, history.h, messages.h. It lies in a directory of its own and is removed with the spool; as
 * hours of the past are compressed, it takes about as much room as the topic does for the same facts. */
#ifndef HB_LOG_SPOOL_H
#define HB_LOG_SPOOL_H

#include "log/log.h"

typedef struct hb_spool hb_spool;

typedef struct hb_spool_query {
    hb_bytes channel; /* a login in any case: its partition alone is read, and its facts (with those of channels whose
                         names begin with it) are kept; empty: all */
    int64_t from_ms;  /* event times: counted in */
    int64_t to_ms;    /* not counted in */
    const hb_log_position *starts; /* where to begin in a partition (part) instead of at from_ms; NULL: nowhere */
    size_t start_count;
    bool (*want)(void *context, int64_t hour_s); /* of the range's hours; NULL: any */
    void *context;
} hb_spool_query;

/* Prepares to copy what the topic holds now. directory: where to make the copy; NULL: $TMPDIR, else /tmp. The query's
 * channel and starts need not stay. NULL: HB_ERROR_USAGE, HB_ERROR_MISSING (no such topic), HB_ERROR_LIMIT,
 * HB_ERROR_NETWORK (no broker answers), HB_ERROR_SYSTEM (no directory can be made). */
hb_spool *hb_spool_open(const char *address, const hb_spool_query *query, const char *directory, hb_error *error);

/* Copies for about wait_ms; *filled when all has been copied, or was before. Memory stays bounded. A broker that is
 * away is waited for. False: HB_ERROR_NETWORK (it refuses), HB_ERROR_SYSTEM (the copy cannot be written). */
bool hb_spool_fill(hb_spool *spool, int wait_ms, bool *filled, hb_error *error);

/* Ends copying, so that what was copied can be read: also done by the hb_spool_fill that is the last. */
bool hb_spool_finish(hb_spool *spool, hb_error *error);

/* Removes the copy. */
void hb_spool_close(hb_spool *spool);

const char *hb_spool_log(const hb_spool *spool); /* the address of the copy */

/* Where reading ends in each partition that is read: part is the partition. The spool's. */
const hb_log_position *hb_spool_ends(const hb_spool *spool, size_t *count);

/* The offset of the first fact of an hour in a partition. False: the copy has none. */
bool hb_spool_first(const hb_spool *spool, int64_t hour_s, int32_t partition, uint64_t *offset);

/* Hours before this one may be in the topic only in part, because it has forgotten its beginning; INT64_MIN: it has
 * not. */
int64_t hb_spool_whole_from(const hb_spool *spool);

uint64_t hb_spool_facts(const hb_spool *spool); /* copied so far */

#endif
