/* flat_rows.c - hb_changes as records. A subject is written whenever channel or hour change from one row to the next;
 * rows come channel by channel, so that is seldom. Ranks are made of the sheet itself, so that they are right whatever
 * `top` the rows beside them go by. */
#include "views/flat_rows.h"

#include "base/clock.h"
#include "views/code.h"
#include "views/speed_rows.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct writer {
    hb_buffer *out;
    hb_bytes channel; /* of the last subject */
    int64_t hour_s;
} writer;

static void put_number(hb_buffer *out, uint64_t number, size_t bytes)
{
    hb_code_put_fixed(hb_buffer_room(out, bytes), number, bytes);
    out->size += bytes;
}

static void put_text(hb_buffer *out, hb_bytes text)
{
    put_number(out, text.size, 4); /* sheets and names have limits far below 2 GiB */
    hb_buffer_append(out, text);
}

static void begin_row(writer *to, hb_row sort, hb_bytes channel, int64_t hour_s)
{
    if (to->channel.data == NULL || to->hour_s != hour_s || !hb_bytes_equal(to->channel, channel)) {
        put_number(to->out, HB_ROW_SUBJECT, 1);
        put_text(to->out, channel);
        put_number(to->out, (uint64_t)hour_s, 8);
        to->channel = channel;
        to->hour_s = hour_s;
    }
    put_number(to->out, sort, 1);
}

static void put_progress(hb_buffer *out, const hb_progress *progress)
{
    put_number(out, HB_ROW_PROGRESS, 1);
    put_number(out, (uint64_t)progress->part, 8);
    put_number(out, progress->start, 8);
    put_number(out, progress->position, 8);
    put_number(out, progress->done, 1);
    put_number(out, progress->late, 8);
}

static void put_minute(writer *to, const hb_minute_row *row)
{
    const hb_minute *const count = &row->count;
    const uint64_t numbers[] = {(uint64_t)row->minute_s,
                                count->messages,
                                count->words,
                                count->chatters,
                                count->shared,
                                count->new_chatters,
                                count->subscriber_messages,
                                count->viewers_sum,
                                count->samples};
    begin_row(to, HB_ROW_MINUTE, row->channel, hb_time_floor(row->minute_s, HB_HOUR_S));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put_number(to->out, numbers[i], 8);
    put_text(to->out, count->game);
    put_text(to->out, count->title);
}

static void put_word(writer *to, const hb_word_row *row)
{
    begin_row(to, HB_ROW_WORD, row->channel, row->hour_s);
    put_number(to->out, row->gone, 1);
    put_number(to->out, row->word.kind, 1);
    put_number(to->out, row->word.count, 8);
    put_text(to->out, row->word.text);
}

static void put_user(writer *to, const hb_user_row *row)
{
    begin_row(to, HB_ROW_USER, row->channel, row->hour_s);
    put_number(to->out, row->gone, 1);
    put_number(to->out, row->user.messages, 8);
    put_number(to->out, row->user.words, 8);
    put_number(to->out, row->user.minutes, 8);
    put_text(to->out, row->user.id);
    put_text(to->out, row->user.name);
}

static void put_ranks(writer *to, hb_sheet *sheet, hb_top_room *room)
{
    hb_top top = {0};
    hb_top_rebuild(&top, sheet, HB_ROWS_RANKED, room, NULL);
    hb_top_sort(&top, sheet, room);
    for (unsigned kind = 0; kind < HB_KINDS; kind++)
        for (size_t i = 0; i < top.words[kind].count; i++) {
            const hb_sheet_word *const word = &sheet->words[top.words[kind].items[i]];
            put_number(to->out, HB_ROW_TOP_WORD, 1);
            put_number(to->out, kind, 1);
            put_number(to->out, i + 1, 4);
            put_number(to->out, word->count, 8);
            put_text(to->out, hb_sheet_word_text(word));
        }
    for (size_t i = 0; i < top.users.count; i++) {
        const hb_sheet_user *const user = &sheet->users[top.users.items[i]];
        put_number(to->out, HB_ROW_TOP_USER, 1);
        put_number(to->out, i + 1, 4);
        put_number(to->out, user->messages, 8);
        put_number(to->out, user->words, 8);
        put_text(to->out, (hb_bytes){user->id, user->id_size});
        put_text(to->out, (hb_bytes){user->name, user->name_size});
    }
    hb_top_free(&top);
}

static void put_sheet(writer *to, const hb_sheet_row *row, hb_top_room *room)
{
    hb_error error;
    begin_row(to, HB_ROW_SHEET, row->channel, row->hour_s);
    put_number(to->out, row->open, 1);
    put_number(to->out, HB_WORDS_VERSION, 4);
    put_text(to->out, row->sheet);
    hb_sheet *sheet = hb_sheet_decode(row->sheet, &error);
    if (sheet == NULL) {
        /* It was encoded a moment ago: as in fold.c, only broken memory can do this. */
        fprintf(stderr, "hubbub: a sheet kept in memory was altered there; stopping: %s\n", error.text);
        abort();
    }
    put_ranks(to, sheet, room);
    hb_sheet_close(sheet);
}

static void put_channel(writer *to, const hb_channel_row *row)
{
    begin_row(to, HB_ROW_CHANNEL, row->channel, hb_time_floor(row->last_seen_s, HB_HOUR_S));
    put_number(to->out, (uint64_t)row->first_seen_s, 8);
    put_number(to->out, (uint64_t)row->last_seen_s, 8);
    put_text(to->out, row->room_id);
}

void hb_flat_rows_write(const hb_changes *changes, hb_top_room *room, hb_buffer *out)
{
    writer to = {.out = out};
    for (size_t i = 0; i < changes->progress_count; i++)
        put_progress(out, &changes->progress[i]);
    if (changes->replace != HB_REPLACE_NOTHING) {
        put_number(out, HB_ROW_REPLACE, 1);
        put_number(out, changes->replace == HB_REPLACE_HOUR, 1);
        put_number(out, (uint64_t)changes->hour_s, 8);
    }
    for (size_t i = 0; i < changes->minute_count; i++)
        put_minute(&to, &changes->minutes[i]);
    for (size_t i = 0; i < changes->word_count; i++)
        put_word(&to, &changes->words[i]);
    for (size_t i = 0; i < changes->user_count; i++)
        put_user(&to, &changes->users[i]);
    for (size_t i = 0; i < changes->channel_count; i++)
        put_channel(&to, &changes->channels[i]);
    for (size_t i = 0; i < changes->sheet_count; i++)
        put_sheet(&to, &changes->sheets[i], room);
}

void hb_sheet_rows(hb_sheet *sheet, uint32_t top, char **data, size_t *size)
{
    hb_fold_slot slot = {.sheet = sheet, .channel = sheet->channel, .hour_s = sheet->hour_s};
    hb_speed_rows rows = {0};
    hb_changes changes;
    hb_top lists = {0};
    hb_buffer out = {0};
    hb_top_room *room = hb_top_room_open();
    hb_speed_rows_add_whole(&rows, &slot, &lists, top, room);
    hb_speed_rows_add_sheet(&rows, &slot, false);
    hb_speed_rows_give(&rows, &changes);
    hb_flat_rows_write(&changes, room, &out);
    hb_top_free(&lists);
    hb_top_room_close(room);
    hb_speed_rows_free(&rows);
    *data = out.data;
    *size = out.size;
}
