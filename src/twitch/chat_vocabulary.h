/* chat_vocabulary.h - what the chatters of the generated chat say, and how they and their channels are called.
 *
 * Lists are texts with a space between entries, the most frequent first; hb_vocabulary_split takes them apart. Emote
 * ids are those of Twitch's global emotes. */
#ifndef HB_TWITCH_CHAT_VOCABULARY_H
#define HB_TWITCH_CHAT_VOCABULARY_H

#include "base/memory.h"

typedef enum hb_language {
    HB_ENGLISH,
    HB_SPANISH,
    HB_PORTUGUESE,
    HB_GERMAN,
    HB_FRENCH,
    HB_RUSSIAN, /* from here on in scripts other than Latin */
    HB_KOREAN,
    HB_JAPANESE,
    HB_CHINESE,
    HB_THAI,
    HB_ARABIC,
    HB_LANGUAGES
} hb_language;

extern const char *const hb_vocabulary_words[HB_LANGUAGES];

extern const char *const hb_vocabulary_emotes;         /* "name id name id" */
extern const char *const hb_vocabulary_channel_emotes; /* endings of a channel's own emotes */
extern const char *const hb_vocabulary_other_emotes;   /* words that are emotes of others than Twitch */
extern const char *const hb_vocabulary_emoji;
extern const char *const hb_vocabulary_commands;
extern const char *const hb_vocabulary_waves; /* what a whole chat says at once */
extern const char *const hb_vocabulary_links;
extern const char *const hb_vocabulary_syllables; /* of rare words */
extern const char *const hb_vocabulary_first;     /* of logins; 64 */
extern const char *const hb_vocabulary_second;    /* of logins; 128 */
extern const char *const hb_vocabulary_endings;   /* of channels' logins; 8 */
extern const char *const hb_vocabulary_names;     /* parts of display names in other scripts, "ko ko ja ja …" */
extern const char *const hb_vocabulary_colors;
extern const char *const hb_vocabulary_games;         /* with '_' for a space */
extern const char *const *const hb_vocabulary_pastas; /* ended by a NULL */

/* Takes a list apart: *count entries, in an array from malloc; they point into the list. */
hb_bytes *hb_vocabulary_split(const char *list, size_t *count);

#endif
