/* message_row.c - one JSON object a message, or one line. */
#include "serve/message_row.h"

#include "base/clock.h"
#include "serve/json.h"
#include "text/emote_ranges.h"
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

/* ---- Twitch's emotes ----
 *
 * Ids go into addresses of images, so only such go out as need no thought there; an emote of another id stays text. */

typedef struct emote_place {
    hb_bytes id;
    uint32_t begin;
    uint32_t end;
} emote_place;

static bool is_plain_id(hb_bytes id)
{
    for (size_t i = 0; i < id.size; i++) {
        const char c = id.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'))
            return false;
    }
    return id.size > 0 && id.size <= HB_MESSAGE_EMOTE_ID_MAX;
}

static size_t count_code_points(hb_bytes text)
{
    size_t count = hb_utf8_ascii(text);
    for (size_t at = count; at < text.size; count++) {
        bool bad = false;
        hb_utf8_next(text, &at, &bad);
    }
    return count;
}

/* As words are split: of overlapping emotes the one that begins first counts, of those the longest. */
static int compare_places(const void *a, const void *b)
{
    const emote_place *x = a;
    const emote_place *y = b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : (x->end < y->end) - (x->end > y->end);
}

static size_t find_emotes(const hb_fact *fact, emote_place places[HB_MESSAGE_EMOTES_MAX])
{
    size_t count = 0;
    if (fact->emotes.size == 0)
        return 0;
    const size_t code_points = count_code_points(fact->text);
    hb_emote_ranges ranges = {.rest = fact->emotes};
    while (count < HB_MESSAGE_EMOTES_MAX && hb_emote_ranges_next(&ranges))
        if (ranges.last < code_points && is_plain_id(ranges.id))
            places[count++] = (emote_place){ranges.id, ranges.first, ranges.last + 1};
    qsort(places, count, sizeof *places, compare_places);
    return count;
}

static void print_emotes(hb_buffer *out, const hb_fact *fact)
{
    emote_place places[HB_MESSAGE_EMOTES_MAX];
    const size_t count = find_emotes(fact, places);
    if (count == 0)
        return;
    uint32_t end = 0;
    hb_json_key(out, "emotes");
    hb_json_open(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (places[i].begin < end)
            continue;
        end = places[i].end;
        hb_json_open(out, '{');
        print_text(out, "id", places[i].id);
        hb_json_key(out, "begin");
        hb_json_unsigned(out, places[i].begin);
        hb_json_key(out, "end");
        hb_json_unsigned(out, end);
        hb_json_close(out, '}');
    }
    hb_json_close(out, ']');
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
    print_emotes(out, fact);
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
