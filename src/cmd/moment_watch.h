/* moment_watch.h - finds moments (moment_finder.h) beside a processor: about once a minute, on a thread of the lowest
 * priority, in those minutes that were written since and that have ended.
 *
 * It is told of everything that is written, and so knows which minutes and channels to look at: of a Kafka log those
 * that this worker counts. When an hour is over, its moments are found anew, against its whole sheets. Whatever fails
 * is said once and tried again.
 *
 * Metric: hubbub_moment_milliseconds (how long the last look took). */
#ifndef HB_CMD_MOMENT_WATCH_H
#define HB_CMD_MOMENT_WATCH_H

#include "base/metrics.h"
#include "cmd/moment_finder.h"

typedef struct hb_moment_watch hb_moment_watch;

typedef struct hb_moment_watch_options {
    const char *log;
    const char *store;
    hb_moment_apply *apply; /* writes to the store; on the watch's thread, or that of hb_moment_watch_finish */
    void *context;
} hb_moment_watch_options;

/* Texts are copied. */
hb_moment_watch *hb_moment_watch_open(const hb_moment_watch_options *options, hb_metrics *metrics);
void hb_moment_watch_close(hb_moment_watch *watch); /* stops the thread; NULL is fine */

/* Starts the thread. False: HB_ERROR_SYSTEM. */
bool hb_moment_watch_start(hb_moment_watch *watch, hb_error *error);

/* Tells it to stop; what it applies may still be going on. */
void hb_moment_watch_stop(hb_moment_watch *watch);

/* Takes note of changes of the speed layer that were written. Any thread. */
void hb_moment_watch_note(hb_moment_watch *watch, const hb_changes *changes);

/* A partition of a Kafka log is another worker's from now on, and so are its channels. Any thread. */
void hb_moment_watch_forget(hb_moment_watch *watch, int32_t partition);

/* Finds all that is left, on this thread, as if no more chat were to come. Only without the thread. */
bool hb_moment_watch_finish(hb_moment_watch *watch, hb_error *error);

#endif
