/* speed_rows.c - rows out of sheets. All arrays and the arena are kept from one transaction to the next, so that after
 * the first seconds a flush allocates nothing but the encoded sheets. */
#include "views/speed_rows.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

void hb_speed_rows_clear(hb_speed_rows *rows)
{
    for (size_t i = 0; i < rows->sheet_count; i++)
        hb_free((void *)rows->sheets[i].sheet.data);
    hb_arena_reset(&rows->texts);
    rows->minute_count = 0;
    rows->word_count = 0;
    rows->user_count = 0;
    rows->channel_count = 0;
    rows->sheet_count = 0;
    rows->progress_count = 0;
}

void hb_speed_rows_free(hb_speed_rows *rows)
{
    hb_speed_rows_clear(rows);
    hb_arena_free(&rows->texts);
    free(rows->minutes);
    free(rows->words);
    free(rows->users);
    free(rows->channels);
    free(rows->sheets);
    free(rows->progress);
    *rows = (hb_speed_rows){0};
}

size_t hb_speed_rows_held(const hb_speed_rows *rows)
{
    size_t held = rows->texts.held + rows->minute_capacity * sizeof *rows->minutes +
                  rows->word_capacity * sizeof *rows->words + rows->user_capacity * sizeof *rows->users +
                  rows->channel_capacity * sizeof *rows->channels + rows->sheet_capacity * sizeof *rows->sheets +
                  rows->progress_capacity * sizeof *rows->progress;
    for (size_t i = 0; i < rows->sheet_count; i++)
        held += rows->sheets[i].sheet.size;
    return held;
}

static void add_minute(hb_speed_rows *rows, const hb_sheet *sheet, unsigned minute)
{
    hb_minute count = hb_sheet_minute(sheet, minute);
    count.game = hb_arena_copy(&rows->texts, count.game);
    count.title = hb_arena_copy(&rows->texts, count.title);
    HB_RESERVE(rows->minutes, rows->minute_capacity, rows->minute_count + 1);
    rows->minutes[rows->minute_count++] =
        (hb_minute_row){rows->channel, rows->hour_s + (int64_t)minute * HB_MINUTE_S, count};
}

static void add_word(void *context, const hb_sheet_word *word, bool gone)
{
    hb_speed_rows *const rows = context;
    const hb_bytes text = hb_arena_copy(&rows->texts, hb_sheet_word_text(word));
    HB_RESERVE(rows->words, rows->word_capacity, rows->word_count + 1);
    rows->words[rows->word_count++] =
        (hb_word_row){rows->channel, rows->hour_s, {(hb_kind)word->kind, text, word->count}, gone};
}

static void add_user(void *context, const hb_sheet_user *user, bool gone)
{
    hb_speed_rows *const rows = context;
    const hb_user row = {.id = hb_arena_copy(&rows->texts, (hb_bytes){user->id, user->id_size}),
                         .name = hb_arena_copy(&rows->texts, (hb_bytes){user->name, user->name_size}),
                         .messages = user->messages,
                         .words = user->words,
                         .minutes = user->minutes};
    HB_RESERVE(rows->users, rows->user_capacity, rows->user_count + 1);
    rows->users[rows->user_count++] = (hb_user_row){rows->channel, rows->hour_s, row, gone};
}

static void begin_sheet(hb_speed_rows *rows, const hb_sheet *sheet)
{
    rows->channel = hb_arena_copy(&rows->texts, sheet->channel);
    rows->hour_s = sheet->hour_s;
    HB_RESERVE(rows->channels, rows->channel_capacity, rows->channel_count + 1);
    rows->channels[rows->channel_count++] =
        (hb_channel_row){.channel = rows->channel,
                         .room_id = hb_arena_copy(&rows->texts, sheet->room_id),
                         .first_seen_s = hb_time_floor(sheet->first_ms, 1000) / 1000,
                         .last_seen_s = hb_time_floor(sheet->last_ms, 1000) / 1000};
}

void hb_speed_rows_add_changed(hb_speed_rows *rows, hb_fold_slot *slot, hb_top *top, uint32_t first, hb_top_room *room)
{
    hb_sheet *const sheet = slot->sheet;
    begin_sheet(rows, sheet);
    for (uint64_t left = sheet->touched_minutes; left != 0; left &= left - 1)
        add_minute(rows, sheet, (unsigned)__builtin_ctzll(left));
    hb_top_update(top, sheet, first, room, &(hb_top_visitor){rows, add_word, add_user});
    hb_sheet_untouch(sheet);
}

static void add_whole_sheet(hb_speed_rows *rows, hb_sheet *sheet, hb_top *top, uint32_t first, hb_top_room *room)
{
    begin_sheet(rows, sheet);
    for (unsigned minute = 0; minute < HB_SHEET_MINUTES; minute++)
        if (sheet->minutes[minute].messages > 0 || sheet->minutes[minute].shared > 0 ||
            (sheet->samples != NULL && sheet->samples[minute].samples > 0))
            add_minute(rows, sheet, minute);
    hb_top_rebuild(top, sheet, first, room, &(hb_top_visitor){rows, add_word, add_user});
    hb_sheet_untouch(sheet);
}

void hb_speed_rows_add_whole(hb_speed_rows *rows, hb_fold_slot *slot, hb_top *top, uint32_t first, hb_top_room *room)
{
    if (slot->sheet != NULL) {
        add_whole_sheet(rows, slot->sheet, top, first, room);
        return;
    }
    hb_top passing = {0};
    hb_sheet *sheet = hb_fold_peek(slot);
    add_whole_sheet(rows, sheet, &passing, first, room);
    hb_top_free(&passing);
    hb_sheet_close(sheet);
}

void hb_speed_rows_add_sheet(hb_speed_rows *rows, const hb_fold_slot *slot, bool open)
{
    char *data = NULL;
    size_t size = slot->frozen_size;
    if (slot->sheet != NULL)
        hb_sheet_encode(slot->sheet, &data, &size);
    else
        data = hb_copy_text((hb_bytes){slot->frozen, slot->frozen_size});
    HB_RESERVE(rows->sheets, rows->sheet_capacity, rows->sheet_count + 1);
    rows->sheets[rows->sheet_count++] = (hb_sheet_row){.channel = hb_arena_copy(&rows->texts, slot->channel),
                                                       .hour_s = slot->hour_s,
                                                       .sheet = {data, size},
                                                       .open = open};
}

void hb_speed_rows_add_progress(hb_speed_rows *rows, const hb_progress *progress)
{
    HB_RESERVE(rows->progress, rows->progress_capacity, rows->progress_count + 1);
    rows->progress[rows->progress_count++] = *progress;
}

bool hb_speed_rows_give(const hb_speed_rows *rows, hb_changes *changes)
{
    *changes = (hb_changes){.layer = HB_LAYER_SPEED,
                            .minutes = rows->minutes,
                            .minute_count = rows->minute_count,
                            .words = rows->words,
                            .word_count = rows->word_count,
                            .users = rows->users,
                            .user_count = rows->user_count,
                            .channels = rows->channels,
                            .channel_count = rows->channel_count,
                            .sheets = rows->sheets,
                            .sheet_count = rows->sheet_count,
                            .progress = rows->progress,
                            .progress_count = rows->progress_count};
    return rows->minute_count + rows->word_count + rows->user_count + rows->channel_count + rows->sheet_count +
               rows->progress_count >
           0;
}
