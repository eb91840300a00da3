/* stream_line.c - escapes what tag values cannot hold (IRCv3, "Message Tags"): then any title is a harmless part of one
 * line. A NUL has no escape, and says nothing: it is left out. */
#include "twitch/stream_line.h"

#include <inttypes.h>

static hb_bytes cut(hb_bytes text, size_t size)
{
    if (text.size <= size)
        return text;
    while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80) /* inside a character of UTF-8 */
        size--;
    return (hb_bytes){text.data, size};
}

static void append_value(hb_bytes text, hb_buffer *out)
{
    static const char plain[] = "; \\\r\n";
    static const char escaped[] = ":s\\rn";
    for (size_t i = 0; i < text.size; i++) {
        const char *const found = text.data[i] == '\0' ? NULL : strchr(plain, text.data[i]);
        if (found != NULL) {
            hb_buffer_append_char(out, '\\');
            hb_buffer_append_char(out, escaped[found - plain]);
        } else if (text.data[i] != '\0') {
            hb_buffer_append_char(out, text.data[i]);
        }
    }
}

void hb_stream_line_write(const hb_stream_sample *sample, int64_t received_ms, hb_buffer *out)
{
    hb_buffer_append_char(out, '@');
    if (received_ms != 0)
        hb_buffer_print(out, "rm-received-ts=%" PRId64 ";", received_ms);
    hb_buffer_print(out, "room-id=%.*s;game-name=", HB_PRINT(sample->room_id));
    append_value(cut(sample->game, HB_STREAM_GAME_MAX), out);
    hb_buffer_append(out, HB_BYTES(";title="));
    append_value(cut(sample->title, HB_STREAM_TITLE_MAX), out);
    hb_buffer_print(out, " :hubbub STREAM #%.*s %" PRIu64, HB_PRINT(sample->login), sample->viewers);
}
