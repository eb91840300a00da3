/* replay.h - recorded chat as a source for the simulated Twitch: raw IRC lines out of a file, plain, zstd or gzip.
 *
 * The lines' own times set the pace; they are sent with the time at which they are sent, and without rm-received-ts.
 * Viewer samples, lines without a time and lines that are no facts are left out. */
#ifndef HB_CMD_REPLAY_H
#define HB_CMD_REPLAY_H

#include "twitch/chat_source.h"

typedef struct hb_replay hb_replay;

/* Reads the file once for its channels. speed: 2 is twice as fast as it was. With loop it begins again at the end, with
 * other ids, so that no message counts as one that was there already. NULL: HB_ERROR_MISSING, HB_ERROR_SYSTEM,
 * HB_ERROR_CORRUPT (damaged, or not one fact), HB_ERROR_USAGE (speed 0). */
hb_replay *hb_replay_open(const char *path, double speed, bool loop, hb_error *error);
void hb_replay_close(hb_replay *replay);

/* Holds until the replay is closed. Channels come in the order in which they come in the file. */
hb_chat_source hb_replay_source(hb_replay *replay);

#endif
