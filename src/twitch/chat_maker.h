/* chat_maker.h - chat that looks like Twitch's, out of a seed: an endless stream of IRC lines. No I/O, no clock: the
 * same options give the same lines, but for the times that the caller stamps on them.
 *
 * Channels, chatters and words follow Zipf's law. There are several languages and scripts, emotes with the ranges of
 * the emotes tag, emoji, links, mentions, commands, /me, pasta, waves and raids, replies, subscriptions (USERNOTICE),
 * deletions (CLEARMSG, CLEARCHAT), changes of ROOMSTATE, and Shared Chat copies. Tags are those that Twitch sends, in
 * its order (Twitch, "IRC Tags").
 */
#ifndef HB_TWITCH_CHAT_MAKER_H
#define HB_TWITCH_CHAT_MAKER_H

#include "twitch/chat_source.h"

typedef struct hb_chat_maker hb_chat_maker;

enum { HB_CHAT_CHANNELS = 10000 };

typedef struct hb_chat_options {
    uint64_t seed;
    uint64_t run; /* 0, or what tells this chat from another of the same seed: same channels, other messages and ids */
    size_t channels; /* 1 to HB_CHAT_CHANNELS; the first is the biggest */
    double rate;     /* messages (PRIVMSG) a second over all channels, 0.001 to 10,000,000 */
    /* Lines as an archive holds them: those that Twitch sends without a time have an rm-received-ts. */
    bool archive;
    /* Minutes from one burst to the next; 0: none. In a burst, for most of a minute, many who else only watch say the
     * same in one channel; it is the turn of each. */
    uint32_t bursts;
    bool viewers; /* with hubbub's viewer samples: one a minute for each channel that is live; only with archive */
} hb_chat_options;

/* NULL: HB_ERROR_USAGE. */
hb_chat_maker *hb_chat_maker_open(const hb_chat_options *options, hb_error *error);
void hb_chat_maker_close(hb_chat_maker *maker);

/* The maker as a source; it holds until the maker is closed. It has no end. */
hb_chat_source hb_chat_maker_source(hb_chat_maker *maker);

#endif
