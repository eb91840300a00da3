/* moment_poll.h - finds moments (moment_finder.h) where somebody else counts: beside a job on Spark.
 *
 * What has been counted is told by the store's progress: hours whose progress has changed since the last look are
 * looked at. */
#ifndef HB_CMD_MOMENT_POLL_H
#define HB_CMD_MOMENT_POLL_H

#include "store/store.h"

typedef struct hb_moment_poll hb_moment_poll;

/* layer: whose progress. Nothing is opened before it is needed. Texts are copied. */
hb_moment_poll *hb_moment_poll_open(const char *log, const char *store, hb_layer layer);
void hb_moment_poll_close(hb_moment_poll *poll); /* NULL is fine */

/* Takes note of the progress that there is, without looking at any hour. A store that is not there yet has none. */
bool hb_moment_poll_begin(hb_moment_poll *poll, hb_error *error);

/* Looks at the hours whose progress has changed since. ended: nothing more is counted; then all that have changed since
 * the beginning are looked at once more, up to their last minute, and against sheets that are whole now. A store that
 * is not there yet has none. False: what the store and the log fail with; the next look tries the same again. */
bool hb_moment_poll_look(hb_moment_poll *poll, bool ended, hb_error *error);

#endif
