/* emote_board.h - which emotes each channel has from elsewhere than Twitch, and what the log has been told of them.
 *
 * The log is told by facts in the form of chat, hour by hour, since each hour of it is counted by itself:
 *
 *     @tmi-sent-ts=1764000000000;room-id=71092938 :hubbub EMOTES #xqc :KEKW catJAM ...
 *
 * Emotes count from the fact's event time to its hour's end. So before the first message of an hour stands a fact with
 * the time at which the hour began; when emotes are known later, or change, one stands before the next message, later
 * than all messages before it. No message that was counted already would count otherwise: the speed layer, which reads
 * each line once, and the batch layer, which knows all facts of an hour, come to the same.
 *
 * No clock, no lock, no I/O. */
#ifndef HB_TWITCH_EMOTE_BOARD_H
#define HB_TWITCH_EMOTE_BOARD_H

#include "base/memory.h"

typedef struct hb_emote_board hb_emote_board;

enum { HB_EMOTE_ROOM_ID_MAX = 20, HB_EMOTE_BOARD_CHANNELS = 50000 };

hb_emote_board *hb_emote_board_open(void);
void hb_emote_board_close(hb_emote_board *board);

/* Sees a fact of chat before it is recorded. Appends to *lines what is to be recorded before it, each with LF. A
 * channel is known from its first fact with a room id on; true when there is a new one. */
bool hb_emote_board_see(hb_emote_board *board, const hb_fact *fact, hb_buffer *lines);

/* What was appended for this fact was not recorded: it comes again before the channel's next message. */
void hb_emote_board_repeat(hb_emote_board *board, const hb_fact *fact);

/* Channels are numbered as they come. */
size_t hb_emote_board_count(const hb_emote_board *board);
hb_bytes hb_emote_board_room_id(const hb_emote_board *board, size_t number);
int64_t hb_emote_board_seen_ms(const hb_emote_board *board, size_t number); /* the latest fact's event time */

/* Makes these the channel's emotes: names with spaces between them, as hb_emote_list_add makes them. */
void hb_emote_board_set(hb_emote_board *board, size_t number, hb_bytes names);

#endif
