/* simulator_emotes.h - the emotes that a simulated Twitch's channels have from elsewhere: some of the words that its
 * chatters say most (chat_vocabulary.h), a part of them everywhere and a part in some channels, in the forms of
 * BetterTTV's, FrankerFaceZ's and 7TV's APIs (emote_answer.h). */
#ifndef HB_TWITCH_SIMULATOR_EMOTES_H
#define HB_TWITCH_SIMULATOR_EMOTES_H

#include "twitch/chat_source.h"

#include <jansson.h>

/* What is answered to a GET of this path; NULL: 404. Emotes of channels follow from seed and season: another season,
 * and some have changed. The caller lets go of it. */
json_t *hb_simulator_emotes_answer(const hb_chat_source *chat, uint64_t seed, uint64_t season, const char *path);

/* Appends the names of a channel's emotes, of all services and those that all channels have, each with a space behind
 * it. */
void hb_simulator_emotes_names(const hb_chat_source *chat, uint64_t seed, uint64_t season, size_t number,
                               hb_buffer *names);

#endif
