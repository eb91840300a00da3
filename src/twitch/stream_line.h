/* stream_line.h - a viewer sample as a fact: one line in the form of Twitch's own, so that one log holds everything.
 *
 *     @room-id=71092938;game-name=Just\sChatting;title=hi :hubbub STREAM #xqc 45123
 */
#ifndef HB_TWITCH_STREAM_LINE_H
#define HB_TWITCH_STREAM_LINE_H

#include "base/memory.h"

typedef struct hb_stream_sample {
    hb_bytes login;   /* lower case, without '#' */
    hb_bytes room_id; /* digits; may be empty */
    hb_bytes game;    /* plain text, any bytes; may be empty */
    hb_bytes title;
    uint64_t viewers;
} hb_stream_sample;

/* Bytes of a game's name and of a title that are kept; what is longer is cut at a character. Twitch allows a title 140
 * characters. */
enum { HB_STREAM_GAME_MAX = 256, HB_STREAM_TITLE_MAX = 1024 };

/* Appends the line, without a line end. received_ms 0: without rm-received-ts, which the log then adds. */
void hb_stream_line_write(const hb_stream_sample *sample, int64_t received_ms, hb_buffer *out);

#endif
