/* emote_set.h - the emotes of a channel that Twitch knows nothing of: those of BetterTTV, FrankerFaceZ and 7TV, which
 * to Twitch are words.
 *
 * A set says of each name from when in its hour on it is an emote. Names are added in any order: the earliest moment
 * counts. Each is a whole chunk of a message's text, as those extensions find them. A set takes HB_EMOTES_MAX names, of
 * HB_EMOTES_BYTES_MAX bytes together.
 */
#ifndef HB_TEXT_EMOTE_SET_H
#define HB_TEXT_EMOTE_SET_H

#include "base/bytes.h"

typedef struct hb_emote_set hb_emote_set;

hb_emote_set *hb_emote_set_open(void);
void hb_emote_set_close(hb_emote_set *set);

/* Adds the names in a text, with spaces between them, from since_ms (of the hour) on. What cannot be a name (over
 * HB_EMOTE_NAME_MAX, not UTF-8, with white space or control characters) is left out. Returns how many names were left
 * out because the set is full. */
size_t hb_emote_set_add(hb_emote_set *set, hb_bytes names, uint32_t since_ms);

/* Whether a text (UTF-8, one or more names' worth) can be an emote's name, as hb_emote_set_add decides. */
bool hb_emote_name_is_good(hb_bytes name);

size_t hb_emote_set_count(const hb_emote_set *set);
size_t hb_emote_set_held(const hb_emote_set *set); /* bytes */

/* Steps through the set: *at is 0 at first. */
bool hb_emote_set_next(const hb_emote_set *set, size_t *at, hb_bytes *name, uint32_t *since_ms);

/* Whether this chunk, said at at_ms of the hour, is an emote. */
bool hb_emote_set_has(const hb_emote_set *set, hb_bytes chunk, uint32_t at_ms);

/* As hb_words_split, and chunks that are emotes of the set at at_ms (of its hour) are tokens of the kind emote.
 * Twitch's own emotes, and a command, go before them; links, mentions, emoji and words come after. set may be NULL. */
size_t hb_words_split_with(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_emote_set *set, uint32_t at_ms,
                           const hb_token **tokens, bool *bad_utf8);

#endif
