/* removals.h - which messages moderators removed: what CLEARMSG and CLEARCHAT facts said, by channel.
 *
 * A fact removes messages that were said at most HB_REMOVALS_REACH_MS before it: a CLEARMSG the one with its id, a
 * CLEARCHAT of a user that user's, another CLEARCHAT all of the channel. (Twitch says no bound; chat clients keep
 * less.) Within that reach, whoever asks has to add the removals of two hours after a message's hour. */
#ifndef HB_LOG_REMOVALS_H
#define HB_LOG_REMOVALS_H

#include "base/memory.h"

enum {
    HB_REMOVALS_REACH_MS = 2 * 3600 * 1000,
    HB_REMOVALS_REACH_HOURS = 2,
    HB_REMOVALS_MAX = 1 << 20 /* held at once; what comes beyond is not known of */
};

typedef struct hb_removals hb_removals;

hb_removals *hb_removals_open(void);
void hb_removals_close(hb_removals *removals);

/* Takes note of a fact; one that removes nothing is passed over. Nothing in it need stay. */
void hb_removals_add(hb_removals *removals, const hb_fact *fact);

/* The same for all facts in lines, which are looked through quickly. */
void hb_removals_scan(hb_removals *removals, hb_bytes lines);

/* Whether a message was removed. */
bool hb_removals_hit(const hb_removals *removals, const hb_fact *message);

/* Forgets removals outside of from_ms <= time < to_ms. */
void hb_removals_keep(hb_removals *removals, int64_t from_ms, int64_t to_ms);

#endif
