/* sheet.c - the counts of one channel in one hour: keeping, adding, merging, reading. sheet_code.c writes them down.
 *
 * Merging goes through the same functions that counting does, so both settle what is "latest" alike: by time, and by
 * bytes where times are equal. Sums, unions, the greatest of an order: all of them are associative and commutative,
 * and so is the sheet. Counts of words and users are 32 bits that stop at their greatest value, which is so too. */
#include "views/sheet.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>

enum { PIECE = 1024 };

hb_sheet *hb_sheet_open(hb_bytes channel, int64_t hour_s)
{
    hb_sheet *sheet = hb_alloc(sizeof *sheet);
    sheet->channel = hb_sheet_keep(sheet, channel);
    sheet->room_id = (hb_bytes){"", 0};
    sheet->hour_s = hour_s;
    return sheet;
}

void hb_sheet_close(hb_sheet *sheet)
{
    if (sheet == NULL)
        return;
    free(sheet->samples);
    free(sheet->words);
    free(sheet->users);
    free(sheet->touched_words.items);
    free(sheet->touched_users.items);
    hb_map_free(&sheet->word_map);
    hb_map_free(&sheet->user_map);
    hb_arena_free(&sheet->arena);
    free(sheet);
}

hb_bytes hb_sheet_keep(hb_sheet *sheet, hb_bytes text)
{
    if (text.size == 0)
        return (hb_bytes){"", 0};
    sheet->text_size += text.size;
    if (text.size > PIECE / 4)
        return hb_arena_copy(&sheet->arena, text);
    if (text.size > sheet->room_left) {
        sheet->room = hb_arena_alloc(&sheet->arena, PIECE);
        sheet->room_left = PIECE;
    }
    const hb_bytes kept = {sheet->room, text.size};
    memcpy(sheet->room, text.data, text.size);
    sheet->room += text.size;
    sheet->room_left -= text.size;
    return kept;
}

/* ---- Adding ---- */

static uint32_t add_up(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

static void note(hb_sheet_numbers *numbers, size_t number)
{
    HB_RESERVE(numbers->items, numbers->capacity, numbers->count + 1);
    numbers->items[numbers->count++] = (uint32_t)number;
}

static bool has_room(const hb_sheet *sheet, size_t entries, size_t text)
{
    return entries < HB_SHEET_ENTRIES_MAX && text <= HB_SHEET_NAME_MAX && sheet->text_size + text <= HB_SHEET_TEXT_MAX;
}

hb_sheet_word *hb_sheet_make_word(hb_sheet *sheet, hb_kind kind, hb_bytes text, uint64_t hash)
{
    HB_RESERVE(sheet->words, sheet->word_capacity, sheet->word_count + 1);
    hb_map_insert(&sheet->word_map, hash, (uint32_t)sheet->word_count);
    hb_sheet_word *const word = &sheet->words[sheet->word_count++];
    *word = (hb_sheet_word){.size = (uint32_t)text.size & HB_SHEET_WORD_SIZE, .kind = (unsigned)kind & 7};
    if (text.size > sizeof word->within) {
        word->text = hb_sheet_keep(sheet, text).data;
    } else {
        const uint64_t start = htole64(hb_bytes_start(text));
        memcpy(word->within, &start, sizeof start);
        sheet->text_size += text.size;
    }
    return word;
}

/* start: hb_bytes_start of the text. */
static bool is_word(const hb_sheet_word *word, hb_kind kind, hb_bytes text, uint64_t start)
{
    if (word->size != text.size || word->kind != (unsigned)kind)
        return false;
    return text.size > sizeof word->within ? memcmp(word->text, text.data, text.size) == 0
                                           : hb_bytes_start((hb_bytes){word->within, sizeof word->within}) == start;
}

bool hb_sheet_add_word(hb_sheet *sheet, hb_kind kind, hb_bytes text, uint64_t hash, uint32_t more, bool full)
{
    const uint64_t start = hb_bytes_start(text);
    hb_sheet_word *word = NULL;
    for (uint32_t at = hb_map_first(&sheet->word_map, hash); at != HB_MAP_END;
         at = hb_map_next(&sheet->word_map, hash, at)) {
        hb_sheet_word *const found = &sheet->words[hb_map_entry(&sheet->word_map, at)];
        if (is_word(found, kind, text, start)) {
            word = found;
            break;
        }
    }
    if (word == NULL) {
        if (full || !has_room(sheet, sheet->word_count, text.size))
            return false;
        word = hb_sheet_make_word(sheet, kind, text, hash);
    }
    word->count = add_up(word->count, more);
    if (sheet->watched && !word->touched) {
        word->touched = 1;
        note(&sheet->touched_words, (size_t)(word - sheet->words));
    }
    return true;
}

hb_sheet_user *hb_sheet_find_user(hb_sheet *sheet, hb_bytes id, uint64_t hash, bool full)
{
    for (uint32_t at = hb_map_first(&sheet->user_map, hash); at != HB_MAP_END;
         at = hb_map_next(&sheet->user_map, hash, at)) {
        hb_sheet_user *const found = &sheet->users[hb_map_entry(&sheet->user_map, at)];
        if (found->id_size == id.size && memcmp(found->id, id.data, id.size) == 0)
            return found;
    }
    if (full || !has_room(sheet, sheet->user_count, id.size))
        return NULL;
    HB_RESERVE(sheet->users, sheet->user_capacity, sheet->user_count + 1);
    hb_map_insert(&sheet->user_map, hash, (uint32_t)sheet->user_count);
    hb_sheet_user *const user = &sheet->users[sheet->user_count++];
    *user = (hb_sheet_user){.id = hb_sheet_keep(sheet, id).data, .id_size = (uint32_t)id.size, .name = ""};
    return user;
}

void hb_sheet_add_user(hb_sheet *sheet, hb_sheet_user *user, uint32_t messages, uint32_t words, uint64_t minutes)
{
    for (uint64_t fresh = minutes & ~user->minutes; fresh != 0; fresh &= fresh - 1)
        sheet->minutes[__builtin_ctzll(fresh)].chatters++;
    user->minutes |= minutes;
    user->messages = add_up(user->messages, messages);
    user->words = add_up(user->words, words);
    if (sheet->watched && !user->touched) {
        user->touched = 1;
        note(&sheet->touched_users, (size_t)(user - sheet->users));
    }
}

void hb_sheet_name_user(hb_sheet *sheet, hb_sheet_user *user, hb_bytes name, uint32_t name_ms)
{
    const hb_bytes old = {user->name, user->name_size};
    const bool later = name_ms > user->name_ms || old.size == 0;
    if (name.size == 0 || (!later && name_ms < user->name_ms))
        return;
    const int order = hb_bytes_compare(name, old);
    if (order != 0 && (later || order > 0)) {
        if (name.size > HB_SHEET_NAME_MAX || sheet->text_size + name.size > HB_SHEET_TEXT_MAX)
            return;
        user->name = hb_sheet_keep(sheet, name).data;
        user->name_size = (uint32_t)name.size;
    }
    user->name_ms = name_ms & HB_SHEET_NAME_MS;
}

void hb_sheet_add_samples(hb_sheet *sheet, unsigned minute, const hb_sheet_sample *more)
{
    if (sheet->samples == NULL)
        sheet->samples = hb_alloc(HB_SHEET_MINUTES * sizeof *sheet->samples);
    hb_sheet_sample *const sample = &sheet->samples[minute];
    int order = sample->samples == 0 ? 1 : (more->time_ms > sample->time_ms) - (more->time_ms < sample->time_ms);
    if (order == 0)
        order = hb_bytes_compare(more->game, sample->game);
    if (order == 0)
        order = hb_bytes_compare(more->title, sample->title);
    if (order > 0) {
        sample->time_ms = more->time_ms;
        if (sample->samples == 0 || !hb_bytes_equal(sample->game, more->game))
            sample->game = hb_sheet_keep(sheet, more->game);
        if (sample->samples == 0 || !hb_bytes_equal(sample->title, more->title))
            sample->title = hb_sheet_keep(sheet, more->title);
    }
    sample->viewers_sum += more->viewers_sum;
    sample->samples += more->samples;
    hb_sheet_touch_minute(sheet, minute);
}

void hb_sheet_see(hb_sheet *sheet, int64_t first_ms, int64_t last_ms)
{
    sheet->changed = true;
    if (sheet->first_ms == 0 || first_ms < sheet->first_ms)
        sheet->first_ms = first_ms;
    if (last_ms > sheet->last_ms)
        sheet->last_ms = last_ms;
}

void hb_sheet_set_room(hb_sheet *sheet, hb_bytes room_id, int64_t room_ms)
{
    if (room_id.size == 0 || room_id.size > HB_SHEET_NAME_MAX || (sheet->room_id.size > 0 && room_ms < sheet->room_ms))
        return;
    const int order = hb_bytes_compare(room_id, sheet->room_id);
    if (order != 0 && (room_ms > sheet->room_ms || sheet->room_id.size == 0 || order > 0))
        sheet->room_id = hb_sheet_keep(sheet, room_id);
    sheet->room_ms = room_ms;
}

/* ---- Watching ---- */

void hb_sheet_watch(hb_sheet *sheet)
{
    sheet->watched = true;
}

void hb_sheet_untouch(hb_sheet *sheet)
{
    for (size_t i = 0; i < sheet->touched_words.count; i++)
        sheet->words[sheet->touched_words.items[i]].touched = 0;
    for (size_t i = 0; i < sheet->touched_users.count; i++)
        sheet->users[sheet->touched_users.items[i]].touched = 0;
    sheet->touched_words.count = 0;
    sheet->touched_users.count = 0;
    sheet->touched_minutes = 0;
    sheet->changed = false;
}

size_t hb_sheet_held(const hb_sheet *sheet)
{
    return sizeof *sheet + (sheet->samples == NULL ? 0 : HB_SHEET_MINUTES * sizeof *sheet->samples) +
           sheet->word_capacity * sizeof *sheet->words + sheet->user_capacity * sizeof *sheet->users +
           (sheet->touched_words.capacity + sheet->touched_users.capacity) * sizeof(uint32_t) +
           hb_map_held(&sheet->word_map) + hb_map_held(&sheet->user_map) + sheet->arena.held;
}

/* ---- Merging ---- */

static bool fits(const hb_sheet *into, const hb_sheet *from)
{
    return into->word_count + from->word_count <= HB_SHEET_ENTRIES_MAX &&
           into->user_count + from->user_count <= HB_SHEET_ENTRIES_MAX &&
           into->text_size + from->text_size <= HB_SHEET_TEXT_MAX;
}

static void merge_minutes(hb_sheet *into, const hb_sheet *from)
{
    for (unsigned m = 0; m < HB_SHEET_MINUTES; m++) {
        const hb_sheet_counts *const minute = &from->minutes[m];
        into->minutes[m].messages += minute->messages;
        into->minutes[m].words += minute->words;
        into->minutes[m].shared += minute->shared;
        into->minutes[m].new_chatters += minute->new_chatters;
        into->minutes[m].subscriber_messages += minute->subscriber_messages;
        if (minute->messages > 0 || minute->shared > 0)
            hb_sheet_touch_minute(into, m);
        if (from->samples != NULL && from->samples[m].samples > 0)
            hb_sheet_add_samples(into, m, &from->samples[m]);
    }
}

bool hb_sheet_merge(hb_sheet *into, const hb_sheet *from, hb_error *error)
{
    if (into == from || into->hour_s != from->hour_s || !hb_bytes_equal(into->channel, from->channel))
        return hb_fail(error, HB_ERROR_USAGE,
                       "sheets of #%.*s at %lld and of #%.*s at %lld cannot be merged: only two sheets of one channel "
                       "and hour can",
                       HB_PRINT(into->channel), (long long)into->hour_s, HB_PRINT(from->channel),
                       (long long)from->hour_s);
    if (!fits(into, from))
        return hb_fail(error, HB_ERROR_LIMIT,
                       "sheets of #%.*s cannot be merged: together they would pass %d words or users, or %d bytes",
                       HB_PRINT(into->channel), HB_SHEET_ENTRIES_MAX, HB_SHEET_TEXT_MAX);
    merge_minutes(into, from);
    for (size_t i = 0; i < from->word_count; i++) {
        const hb_sheet_word *const word = &from->words[i];
        const hb_bytes text = hb_sheet_word_text(word);
        const hb_kind kind = (hb_kind)word->kind;
        hb_sheet_add_word(into, kind, text, hb_sheet_word_hash(kind, text), word->count, false);
    }
    for (size_t i = 0; i < from->user_count; i++) {
        const hb_sheet_user *const user = &from->users[i];
        const hb_bytes id = {user->id, user->id_size};
        hb_sheet_user *const sum = hb_sheet_find_user(into, id, hb_hash(id, 0), false);
        if (sum == NULL)
            continue; /* cannot be: fits() has seen to it */
        hb_sheet_add_user(into, sum, user->messages, user->words, user->minutes);
        hb_sheet_name_user(into, sum, (hb_bytes){user->name, user->name_size}, user->name_ms);
    }
    hb_sheet_set_room(into, from->room_id, from->room_ms);
    if (from->first_ms != 0)
        hb_sheet_see(into, from->first_ms, from->last_ms);
    return true;
}

/* ---- Reading ---- */

hb_bytes hb_sheet_channel(const hb_sheet *sheet)
{
    return sheet->channel;
}

int64_t hb_sheet_hour(const hb_sheet *sheet)
{
    return sheet->hour_s;
}

hb_bytes hb_sheet_room_id(const hb_sheet *sheet)
{
    return sheet->room_id;
}

int64_t hb_sheet_first_ms(const hb_sheet *sheet)
{
    return sheet->first_ms;
}

int64_t hb_sheet_last_ms(const hb_sheet *sheet)
{
    return sheet->last_ms;
}

hb_minute hb_sheet_minute(const hb_sheet *sheet, unsigned minute)
{
    hb_minute out = {.game = {"", 0}, .title = {"", 0}};
    if (minute >= HB_SHEET_MINUTES)
        return out;
    const hb_sheet_counts *const counts = &sheet->minutes[minute];
    out.messages = counts->messages;
    out.words = counts->words;
    out.shared = counts->shared;
    out.new_chatters = counts->new_chatters;
    out.subscriber_messages = counts->subscriber_messages;
    out.chatters = counts->chatters;
    if (sheet->samples != NULL && sheet->samples[minute].samples > 0) {
        out.viewers_sum = sheet->samples[minute].viewers_sum;
        out.samples = sheet->samples[minute].samples;
        out.game = sheet->samples[minute].game;
        out.title = sheet->samples[minute].title;
    }
    return out;
}

uint64_t hb_sheet_chatters(const hb_sheet *sheet, unsigned first, unsigned last)
{
    if (last >= HB_SHEET_MINUTES)
        last = HB_SHEET_MINUTES - 1;
    if (first > last)
        return 0;
    const uint64_t range = (UINT64_MAX >> (63 - (last - first))) << first;
    uint64_t chatters = 0;
    for (size_t i = 0; i < sheet->user_count; i++)
        chatters += (sheet->users[i].minutes & range) != 0;
    return chatters;
}

bool hb_sheet_next_word(const hb_sheet *sheet, size_t *cursor, hb_word *word)
{
    if (*cursor >= sheet->word_count)
        return false;
    const hb_sheet_word *const found = &sheet->words[(*cursor)++];
    *word = (hb_word){(hb_kind)found->kind, hb_sheet_word_text(found), found->count};
    return true;
}

bool hb_sheet_next_user(const hb_sheet *sheet, size_t *cursor, hb_user *user)
{
    if (*cursor >= sheet->user_count)
        return false;
    const hb_sheet_user *const found = &sheet->users[(*cursor)++];
    *user = (hb_user){.id = {found->id, found->id_size},
                      .name = {found->name, found->name_size},
                      .messages = found->messages,
                      .words = found->words,
                      .minutes = found->minutes};
    return true;
}
