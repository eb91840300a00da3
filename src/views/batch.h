/* batch.h - the batch layer: recomputes one hour from the log, exactly.
 *
 * The whole part of the log is read anew, whatever the speed layer made of it: facts that came late count, ids that
 * came twice count once. The log is read and counted by several threads, in memory that a stated bound keeps small.
 * What comes out is one hb_changes that replaces the hour; to store it is the owner's business.
 */
#ifndef HB_VIEWS_BATCH_H
#define HB_VIEWS_BATCH_H

#include "views/changes.h"

#include <stdatomic.h>

typedef struct hb_batch hb_batch;

enum { HB_BATCH_JOBS_MAX = 256 };

typedef struct hb_batch_meter { /* how far the work is; any thread may look, several batches may share one */
    _Atomic uint64_t lines;
    _Atomic uint64_t bytes; /* of lines */
} hb_batch_meter;

typedef struct hb_batch_options {
    const char *log;         /* its address */
    uint32_t top;            /* rows kept of each channel and kind, and of its users; HB_TOP_ALL */
    unsigned jobs;           /* threads, 1 to HB_BATCH_JOBS_MAX */
    size_t memory;           /* bytes that counting takes, about. An hour that needs more is read several times, and a
                                part of its channels counted each time. The rows and encoded sheets that come out (some
                                percent of the hour's lines) and the largest channel's counts are held besides. */
    const atomic_bool *stop; /* may be NULL; once it is true, work in hand is given up */
    hb_batch_meter *meter;   /* may be NULL */
    /* May be NULL. Is handed the hour's changes channel by channel, as soon as they are made, by the thread that called
     * hb_batch_hour: so they can be stored while others are made. They hold until the next hour; the first piece has
     * replace. Whether they are to count is known only when hb_batch_hour returns; of its result's changes only the
     * progress is then left. False: give up. */
    bool (*piece)(void *context, const hb_changes *changes, hb_error *error);
    void *context;
} hb_batch_options;

/* NULL and *error: as hb_log_open and hb_words_open. Texts and pointers of the options must outlive the batch. */
hb_batch *hb_batch_open(const hb_batch_options *options, hb_error *error);
void hb_batch_close(hb_batch *batch);

typedef struct hb_batch_result {
    hb_changes changes;    /* layer batch, replace; the batch's until its next call */
    hb_fold_counts counts; /* of this hour */
    bool damaged;          /* places in the log could not be read and were passed over; */
    hb_error damage;       /* one of them */
} hb_batch_result;

/* Recomputes an hour from its part of the log, up to the end that the log has now. late: what the layer's progress is
 * to say of facts that came too late for the speed layer. False: HB_ERROR_MISSING (the log has no such hour),
 * HB_ERROR_SYSTEM, HB_ERROR_BUSY (told to stop). */
bool hb_batch_hour(hb_batch *batch, int64_t hour_s, uint64_t late, hb_batch_result *result, hb_error *error);

#endif
