/* moment_finder.h - finds moments (views/moments.h) in what the store counts of a time, and what was said in them in
 * the log, and hands over how the store's moments have to change.
 *
 * It goes by nothing but the store's minutes and sheets, and the log's messages, whoever has counted them: one process,
 * a group of workers, or Spark. So every engine finds the same, and finding again changes nothing.
 *
 * The words of a moment are told against its channel's sheets of the same hour and of the one before. While the hour
 * goes on these are not whole; so its moments are found anew once it is over. */
#ifndef HB_CMD_MOMENT_FINDER_H
#define HB_CMD_MOMENT_FINDER_H

#include "base/clock.h"
#include "cmd/moment_lines.h"
#include "store/store.h"

#include <stdatomic.h>

enum { HB_MOMENT_REACH_S = 31 * HB_MINUTE_S }; /* up to so long after a minute, what is usual depends on it */

typedef struct hb_moment_finder hb_moment_finder;

/* Nothing is opened before it is needed. Addresses are copied. jobs: threads that read lines, 1 or more; a Kafka log is
 * read by one. */
hb_moment_finder *hb_moment_finder_open(const char *log, const char *store, unsigned jobs);
void hb_moment_finder_close(hb_moment_finder *finder); /* NULL is fine */

typedef struct hb_moment_range {
    int64_t from_s;
    int64_t to_s; /* not counted in */
    /* Outside of this part of the range, only minutes that the batch layer has counted are looked at: others are still
     * changing, and whoever counts them finds their moments. */
    int64_t own_from_s;
    int64_t own_to_s;
    bool goes_on;   /* up to the last minutes that are there only: these are still changing */
    bool anew;      /* finds the words of all moments, also of those that the store has already */
    hb_layer layer; /* of a moment that is to be removed where nothing is counted any more */
    bool (*wants)(void *context, hb_bytes channel); /* NULL: all channels */
    void *context;
    const hb_moment_mark *marks;
    size_t mark_count;
    const atomic_bool *stop; /* NULL: nobody stops it */
} hb_moment_range;

/* Applies changes, which hold moments of one layer only. */
typedef bool hb_moment_apply(void *context, const hb_changes *changes, hb_error *error);

/* Looks at a range: an hour or two at a time. apply is not called when nothing is to change. False: what the store and
 * the log fail with, or apply; HB_ERROR_BUSY: told to stop. */
bool hb_moment_finder_run(hb_moment_finder *finder, const hb_moment_range *range, hb_moment_apply *apply, void *context,
                          hb_error *error);

/* Looks at hours that the batch layer has counted, and at what depends on them. They are put in order. */
bool hb_moment_finder_settle(hb_moment_finder *finder, int64_t *hours_s, size_t count, hb_moment_apply *apply,
                             void *context, hb_error *error);

#endif
