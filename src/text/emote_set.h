/* emote_set.h - the emotes of a channel that Twitch knows nothing of: those of BetterTTV, FrankerFaceZ and 7TV, which
 * to Twitch are words.
 *
 * A set says of each name from when in its hour on it is an emote. Names are added in any order: the earliest moment
 * counts. Each is a whole chunk of a message's text, as those extensions find them. A set takes HB_EMOTES_MAX names, of
 * HB_EMOTES_BYTES_MAX bytes together.
 */
#ifndef HB_TEXT_EMOTE_SET_H
#define HB_TEXT_EMOTE_SET_H

#include "base/memory.h"

enum { HB_EMOTE_STARTS = 4096 };

typedef struct hb_emote {
    uint32_t start; /* of its name, in names */
    uint32_t size;
    uint32_t since_ms;
} hb_emote;

typedef struct hb_emote_set {              /* from the inside; for the next two only */
    uint64_t starts[HB_EMOTE_STARTS / 64]; /* a bit each: a name begins so */
    uint32_t *places;                      /* tag and number + 1; 0: free */
    uint32_t mask;
    hb_emote *emotes;
    size_t count;
    size_t capacity;
    hb_buffer names;
} hb_emote_set;

static inline uint32_t hb_emote_start(char first, char second)
{
    return (unsigned char)first | ((unsigned char)second & 15u) << 8;
}

/* Whether an emote may start with these two bytes, which are in lower case where they are ASCII letters; the second may
 * be white space. Far faster than to look for the chunk, and nearly always enough. */
static inline bool hb_emote_set_may_start(const hb_emote_set *set, const char *two)
{
    const uint32_t start = hb_emote_start(two[0], two[1]);
    return (set->starts[start / 64] >> start % 64 & 1) != 0;
}

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
