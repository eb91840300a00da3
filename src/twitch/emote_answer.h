/* emote_answer.h - what the APIs of BetterTTV, FrankerFaceZ and 7TV answer, read: names of emotes.
 *
 * Source of the forms: their public APIs as their own extensions use them. BetterTTV: GET /3/cached/emotes/global and
 * /3/cached/users/twitch/ID; FrankerFaceZ: GET /v1/set/global and /v1/room/id/ID; 7TV: GET /v3/emote-sets/global and
 * /v3/users/twitch/ID. ID is Twitch's of the channel. */
#ifndef HB_TWITCH_EMOTE_ANSWER_H
#define HB_TWITCH_EMOTE_ANSWER_H

#include "base/memory.h"

typedef enum hb_emote_service { HB_EMOTES_BTTV, HB_EMOTES_FFZ, HB_EMOTES_7TV, HB_EMOTE_SERVICES } hb_emote_service;

/* "bttv", "ffz", "7tv": a constant. */
const char *hb_emote_service_name(hb_emote_service service);

/* The path of a service's emotes of a channel, by Twitch's id, or (room_id empty) of those that all channels have. */
void hb_emote_path(hb_emote_service service, hb_bytes room_id, hb_buffer *out);

enum { HB_EMOTE_LIST_MAX = 5000 }; /* names of one answer that are taken; 7TV allows a channel 1,000 */

/* Reads an answer to that path: appends the names, each with a space behind it, in the order of the answer. Names that
 * no chunk of a message could be are left out. False, nothing appended: HB_ERROR_CORRUPT. */
bool hb_emote_answer_read(hb_emote_service service, bool global, hb_bytes body, hb_buffer *names, hb_error *error);

/* Appends a name with a space behind it; false where it can be none. */
bool hb_emote_list_add(hb_buffer *names, hb_bytes name);

#endif
