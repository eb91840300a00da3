/* message_row.c - one JSON object a message, or one line. */
#include "serve/message_row.h"

#include "base/clock.h"
#include "serve/json.h"
#include "text/utf8.h"

#include <stdio.h>
#include <stdlib.h>

static void print_text(hb_buffer *out, const char *key, hb_bytes text)
{
    hb_json_key(out, key);
    hb_json_text(out, text);
}

/* Tag values are escaped still; the few that are long get memory of their own. */
static void print_tag(hb_buffer *out, const char *key, hb_bytes escaped)
{
    char room[256];
    char *plain = escaped.size <= sizeof room ? room : hb_alloc(escaped.size);
    print_text(out, key, (hb_bytes){plain, hb_tag_unescape(escaped, plain)});
    if (plain != room)
        free(plain);
}

/* "2026-11-24T13:05:00.123Z" */
static void print_time(hb_buffer *out, int64_t time_ms)
{
    char seconds[HB_TIME_TEXT];
    char text[HB_TIME_TEXT + 8];
    const int64_t second = hb_time_floor(time_ms, 1000) / 1000;
    hb_time_print(second, seconds);
    const int size =
        snprintf(text, sizeof text, "%.*s.%03dZ", (int)strlen(seconds) - 1, seconds, (int)(time_ms - second * 1000));
    print_text(out, "time", (hb_bytes){text, (size_t)size});
}

void hb_message_row_print(hb_buffer *out, const hb_fact *fact, bool deleted)
{
    hb_json_open(out, '{');
    print_time(out, fact->time_ms);
    print_tag(out, "id", fact->id);
    print_tag(out, "user_id", fact->user_id);
    print_text(out, "login", fact->login);
    if (fact->display_name.size > 0)
        print_tag(out, "user_name", fact->display_name);
    else
        print_text(out, "user_name", fact->login);
    print_text(out, "text", fact->text);
    hb_json_key(out, "action");
    hb_json_bool(out, fact->action);
    hb_json_key(out, "shared");
    hb_json_bool(out, fact->shared);
    hb_json_key(out, "deleted");
    hb_json_bool(out, deleted);
    hb_json_close(out, '}');
}

/* ---- Lines ---- */

static void print_visible(hb_buffer *out, hb_bytes text)
{
    hb_buffer repaired = {0};
    text = hb_utf8_repair(text, &repaired);
    for (size_t at = 0; at < text.size;) {
        const size_t start = at;
        bool bad = false;
        const uint32_t c = hb_utf8_next(text, &at, &bad);
        if (c < 0x20 || c == 0x7f)
            hb_buffer_print(out, "^%c", (int)(c ^ 0x40));
        else if (c < 0x80 || !((c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)))
            hb_buffer_append(out, (hb_bytes){text.data + start, at - start});
        else
            hb_buffer_print(out, "\\u%04x", (unsigned)c);
    }
    hb_buffer_free(&repaired);
}

static void print_name(hb_buffer *out, const hb_fact *fact)
{
    const hb_bytes escaped = fact->display_name.size > 0 ? fact->display_name : fact->login;
    char *plain = hb_alloc(escaped.size);
    print_visible(out, (hb_bytes){plain, hb_tag_unescape(escaped, plain)});
    free(plain);
}

void hb_message_line_print(hb_buffer *out, const hb_fact *fact, bool deleted)
{
    char time[HB_TIME_TEXT];
    hb_time_print(hb_time_floor(fact->time_ms, 1000) / 1000, time);
    hb_buffer_print(out, "%s #%.*s %s", time, HB_PRINT(fact->channel), fact->action ? "* " : "");
    print_name(out, fact);
    if (!fact->action)
        hb_buffer_append_char(out, ':');
    if (fact->shared)
        hb_buffer_append(out, HB_BYTES(" [shared]"));
    if (deleted)
        hb_buffer_append(out, HB_BYTES(" [deleted]"));
    if (!deleted || fact->text.size > 0) {
        hb_buffer_append_char(out, ' ');
        print_visible(out, fact->text);
    }
    hb_buffer_append_char(out, '\n');
}

hb_fact hb_message_as_seen(const hb_fact *fact, bool deleted, bool with_deleted)
{
    hb_fact seen = *fact;
    if (deleted && !with_deleted)
        seen.text = (hb_bytes){NULL, 0};
    return seen;
}
