/* words_paths.h - inside the words: the ICU path beside the fast one, and the way to compare them. For words.c and its
 * tests only; everybody else uses hb_words_split (hubbub.h).
 */
#ifndef HB_TEXT_WORDS_PATHS_H
#define HB_TEXT_WORDS_PATHS_H

#include "base/memory.h"

/* Splits pieces of text (UTF-8, valid, without white space) into words and emoji by ICU's iterators. A piece is what is
 * left of a chunk when emotes, links, mentions and commands are taken out: no token goes from one piece into the next.
 */
typedef struct hb_words_icu hb_words_icu;

hb_words_icu *hb_words_icu_open(hb_error *error); /* NULL and HB_ERROR_SYSTEM when ICU's data is not there */
void hb_words_icu_close(hb_words_icu *icu);
void hb_words_icu_add(hb_words_icu *icu, hb_bytes piece);

/* Splits what was added since the last call and forgets it. tokens has room for one token a code point; the tokens'
 * texts are allocated in room. Returns how many tokens were written. */
size_t hb_words_icu_take(hb_words_icu *icu, hb_arena *room, hb_token *tokens);

/* For each code point below 0x800, what the fast path needs to know of it where UTF-8 has two bytes for it (others are
 * not asked for): HB_WORDS_ICU: only ICU can tell; HB_WORDS_APART: it is in no word, and makes no difference to its
 * neighbours; else a letter (ALetter in UAX #29), and these are the two bytes that NFKC_Casefold makes of it: one
 * letter, or two of ASCII. */
enum { HB_WORDS_PAIRS = 0x800, HB_WORDS_ICU = 0, HB_WORDS_APART = 1 };
void hb_words_icu_pairs(const hb_words_icu *icu, uint16_t pairs[HB_WORDS_PAIRS]);

/* Lower case, code point by code point: text itself where it is ASCII, which must be in lower case already; else a copy
 * in room. text is valid UTF-8. */
hb_bytes hb_words_lower(hb_bytes text, hb_arena *room);

/* The host in a chunk (valid UTF-8, its ASCII letters in lower case) that is a link: a slice of the chunk. Empty where
 * the chunk is no link. */
hb_bytes hb_words_link_host(hb_bytes chunk);

/* Whether all of text (valid UTF-8) is default-ignorable code points. */
bool hb_words_invisible(hb_bytes text);

/* Whether text (valid UTF-8) begins with a letter (general category L). */
bool hb_words_starts_with_letter(hb_bytes text);

/* As hb_words_split, but nothing takes the fast path: ASCII goes through ICU too. */
size_t hb_words_split_slowly(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_token **tokens, bool *bad_utf8);

#endif
