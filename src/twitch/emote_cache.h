/* emote_cache.h - lists of emotes in files, so that they are known before the first answer, and when there is none.
 *
 * DIR/SERVICE-ID (or SERVICE-global): a line "hubbub emotes 1 WHEN" (when they were answered, Unix seconds), then a
 * line of names with spaces between them. Whatever such a file holds, at worst it is passed over and written anew. */
#ifndef HB_TWITCH_EMOTE_CACHE_H
#define HB_TWITCH_EMOTE_CACHE_H

#include "twitch/emote_answer.h"

/* Reads a list into *names (cleared first; as hb_emote_answer_read gives them) and when it was answered. False: there
 * is none that can be read. room_id is digits, or empty. */
bool hb_emote_cache_read(const char *directory, hb_emote_service service, hb_bytes room_id, hb_buffer *names,
                         int64_t *when_s);

/* Writes a list, making the directory if it is missing. A reader sees the old one or the new one, whole. False:
 * HB_ERROR_SYSTEM. */
bool hb_emote_cache_write(const char *directory, hb_emote_service service, hb_bytes room_id, hb_bytes names,
                          int64_t when_s, hb_error *error);

#endif
