/* message_row.c - one JSON object a message. */
#include "serve/message_row.h"

#include "base/clock.h"
#include "serve/json.h"

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
