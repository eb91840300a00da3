/* sheet_code.c - a sheet as bytes: sealed as code.h describes, letters "HBS".
 *
 * Times are zigzag differences to the hour. Values of one sort stand together (a column), since zstd finds more that
 * way:
 *
 *     channel, hour (in hours), room id, its time, first and last time
 *     messages, words, shared of minute 0 to 59
 *     new_chatters, subscriber_messages of minute 0 to 59; not in version 1, which counted none
 *     samples of minute 0 to 59; for minutes with samples: sum, time, game, title
 *     for each kind: number of words, then columns: bytes shared with the word before, further bytes, the bytes, count
 *     number of users with a numeric id, ids as differences to the one before (ascending)
 *     number of other users, ids as words are written
 *     columns over all these users: messages, words, minutes, time of the name, size of the name, the names' bytes
 *
 * Words are in the order of their bytes, users in the order of numeric ids, then of the others' bytes: equal sheets
 * give equal bytes. A map of minutes is the number of minutes and their places, or over 7 of them 8 and the 8 bytes.
 *
 * The decoder allocates at most the plain payload and the sheet (limits in sheet.h). sheet_scan.c reads the same. */
#include "base/clock.h"
#include "text/utf8.h"
#include "views/code.h"
#include "views/sheet.h"
#include "views/sort.h"

#include <stdio.h>
#include <stdlib.h>

enum { MINUTE_MS = 60 * 1000 };

#define MINUTES_ALL ((UINT64_C(1) << HB_SHEET_MINUTES) - 1)

const hb_code_format hb_sheet_format = {{'H', 'B', 'S'}, 2, 1, "sheet", 3, 640 << 20};

/* ---- Writing ---- */

static void put_head(hb_buffer *out, const hb_sheet *sheet)
{
    const int64_t hour_ms = sheet->hour_s * 1000;
    hb_code_put_text(out, sheet->channel);
    hb_code_put_signed(out, sheet->hour_s / HB_HOUR_S);
    hb_code_put_text(out, sheet->room_id);
    hb_code_put_signed(out, sheet->room_id.size == 0 ? 0 : sheet->room_ms - hour_ms);
    hb_code_put_signed(out, sheet->first_ms == 0 ? 0 : sheet->first_ms - hour_ms);
    hb_code_put_signed(out, sheet->first_ms == 0 ? -1 : sheet->last_ms - hour_ms);
}

static void put_minutes(hb_buffer *out, const hb_sheet *sheet)
{
    for (unsigned m = 0; m < HB_SHEET_MINUTES; m++) {
        hb_code_put(out, sheet->minutes[m].messages);
        hb_code_put(out, sheet->minutes[m].words);
        hb_code_put(out, sheet->minutes[m].shared);
    }
    for (unsigned m = 0; m < HB_SHEET_MINUTES; m++) {
        hb_code_put(out, sheet->minutes[m].new_chatters);
        hb_code_put(out, sheet->minutes[m].subscriber_messages);
    }
    for (unsigned m = 0; m < HB_SHEET_MINUTES; m++)
        hb_code_put(out, sheet->samples == NULL ? 0 : sheet->samples[m].samples);
    for (unsigned m = 0; sheet->samples != NULL && m < HB_SHEET_MINUTES; m++) {
        const hb_sheet_sample *const sample = &sheet->samples[m];
        if (sample->samples == 0)
            continue;
        hb_code_put(out, sample->viewers_sum);
        hb_code_put_signed(out, sample->time_ms - sheet->hour_s * 1000);
        hb_code_put_text(out, sample->game);
        hb_code_put_text(out, sample->title);
    }
}

/* What is sorted. order has the group (the kind of a word; of a user 0 for a numeric id, else 1) in its highest bits,
 * below it the id as a number, or the first bytes of the text. */
typedef struct sort_item {
    uint64_t order;
    hb_bytes text;
    uint32_t entry;
} sort_item;

enum { WORD_GROUP_BITS = 3, USER_GROUP_BITS = 1 };

static int compare_texts(const void *left, const void *right, void *context)
{
    const sort_item *const items = context;
    return hb_bytes_compare(items[((const hb_sort_pair *)left)->entry].text,
                            items[((const hb_sort_pair *)right)->entry].text);
}

static uint64_t order_of(uint64_t group, unsigned group_bits, hb_bytes text)
{
    uint64_t order = 0;
    for (size_t i = 0; i < sizeof order; i++)
        order = order << 8 | (i < text.size ? (unsigned char)text.data[i] : 0);
    return group << (64 - group_bits) | order >> group_bits;
}

/* By order; where that is the same, by the whole text. (Numeric ids never tie: each is there once.) */
static void sort_items(sort_item **items, size_t count)
{
    hb_sort_pair *pairs = hb_resize(NULL, count * 2, sizeof *pairs);
    sort_item *sorted = hb_resize(NULL, count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        pairs[i] = (hb_sort_pair){(*items)[i].order, (uint32_t)i};
    hb_sort_pair *const order = hb_sort(pairs, pairs + count, count);
    hb_sort_ties(order, count, compare_texts, *items);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (*items)[order[i].entry];
    free(pairs);
    free(*items);
    *items = sorted;
}

/* Columns of texts in order: each is the bytes that it shares with the one before, and the rest. */
static void put_texts(hb_buffer *out, const sort_item *items, size_t count, hb_buffer *rests)
{
    hb_bytes before = {"", 0};
    rests->size = 0;
    size_t *shared = hb_resize(NULL, count, sizeof *shared);
    for (size_t i = 0; i < count; i++) {
        const hb_bytes text = items[i].text;
        size_t same = 0;
        while (same < before.size && same < text.size && before.data[same] == text.data[same])
            same++;
        shared[i] = same;
        hb_code_put(out, same);
        hb_buffer_append(rests, hb_bytes_from(text, same));
        before = text;
    }
    for (size_t i = 0; i < count; i++)
        hb_code_put(out, items[i].text.size - shared[i]);
    hb_buffer_append(out, hb_buffer_bytes(rests));
    free(shared);
}

static void put_words(hb_buffer *out, const hb_sheet *sheet, hb_buffer *room)
{
    sort_item *items = hb_resize(NULL, sheet->word_count, sizeof *items);
    for (size_t i = 0; i < sheet->word_count; i++) {
        const hb_bytes text = hb_sheet_word_text(&sheet->words[i]);
        items[i] = (sort_item){order_of(sheet->words[i].kind, WORD_GROUP_BITS, text), text, (uint32_t)i};
    }
    sort_items(&items, sheet->word_count);
    size_t from = 0;
    for (unsigned kind = 0; kind < HB_KINDS; kind++) {
        size_t to = from;
        while (to < sheet->word_count && items[to].order >> (64 - WORD_GROUP_BITS) == kind)
            to++;
        hb_code_put(out, to - from);
        put_texts(out, items + from, to - from, room);
        for (size_t i = from; i < to; i++)
            hb_code_put(out, sheet->words[items[i].entry].count);
        from = to;
    }
    free(items);
}

/* A number as people write it, below 10^18, so that it comes back the same. */
static bool is_numeric(hb_bytes id, uint64_t *number)
{
    return id.size > 0 && id.size <= 18 && (id.data[0] != '0' || id.size == 1) && hb_bytes_to_u64(id, number);
}

static void put_map(hb_buffer *out, uint64_t minutes)
{
    const int listed = __builtin_popcountll(minutes);
    if (listed > HB_SHEET_MINUTES_LISTED) {
        hb_buffer_append_char(out, HB_SHEET_MINUTES_LISTED + 1);
        hb_code_put_fixed(hb_buffer_room(out, 8), minutes, 8);
        out->size += 8;
        return;
    }
    hb_buffer_append_char(out, (char)listed);
    for (; minutes != 0; minutes &= minutes - 1)
        hb_buffer_append_char(out, (char)__builtin_ctzll(minutes));
}

static uint32_t last_minute_ms(uint64_t minutes)
{
    return minutes == 0 ? 0 : (uint32_t)(63 - __builtin_clzll(minutes)) * MINUTE_MS;
}

/* A name was nearly always seen in the user's last minute: then two bytes say when. */
static void put_name_ms(hb_buffer *out, const hb_sheet_user *user)
{
    const uint32_t minute_ms = last_minute_ms(user->minutes);
    const bool usual = user->name_ms >= minute_ms && user->name_ms - minute_ms < MINUTE_MS;
    hb_code_put(out, usual ? user->name_ms - minute_ms : user->name_ms + (uint32_t)MINUTE_MS);
}

static void put_user_columns(hb_buffer *out, const hb_sheet *sheet, const sort_item *items)
{
    const hb_sheet_user *const users = sheet->users;
    for (size_t i = 0; i < sheet->user_count; i++)
        hb_code_put(out, users[items[i].entry].messages);
    for (size_t i = 0; i < sheet->user_count; i++)
        hb_code_put(out, users[items[i].entry].words);
    for (size_t i = 0; i < sheet->user_count; i++)
        put_map(out, users[items[i].entry].minutes);
    for (size_t i = 0; i < sheet->user_count; i++)
        put_name_ms(out, &users[items[i].entry]);
    for (size_t i = 0; i < sheet->user_count; i++)
        hb_code_put(out, users[items[i].entry].name_size);
    for (size_t i = 0; i < sheet->user_count; i++)
        hb_buffer_append(out, (hb_bytes){users[items[i].entry].name, users[items[i].entry].name_size});
}

static void put_users(hb_buffer *out, const hb_sheet *sheet, hb_buffer *room)
{
    sort_item *items = hb_resize(NULL, sheet->user_count, sizeof *items);
    size_t numeric = 0;
    for (size_t i = 0; i < sheet->user_count; i++) {
        sort_item *const item = &items[i];
        *item = (sort_item){.text = {sheet->users[i].id, sheet->users[i].id_size}, .entry = (uint32_t)i};
        if (is_numeric(item->text, &item->order))
            numeric++;
        else
            item->order = order_of(1, USER_GROUP_BITS, item->text);
    }
    sort_items(&items, sheet->user_count);
    hb_code_put(out, numeric);
    for (size_t i = 0; i < numeric; i++)
        hb_code_put(out, items[i].order - (i == 0 ? 0 : items[i - 1].order));
    hb_code_put(out, sheet->user_count - numeric);
    put_texts(out, items + numeric, sheet->user_count - numeric, room);
    put_user_columns(out, sheet, items);
    free(items);
}

void hb_sheet_encode(const hb_sheet *sheet, char **data, size_t *size)
{
    hb_buffer raw = {0};
    hb_buffer room = {0};
    put_head(&raw, sheet);
    put_minutes(&raw, sheet);
    put_words(&raw, sheet, &room);
    put_users(&raw, sheet, &room);
    hb_code_seal(&hb_sheet_format, hb_buffer_bytes(&raw), data, size);
    hb_buffer_free(&room);
    hb_buffer_free(&raw);
}

/* ---- Reading ---- */

static int64_t take_time(hb_code_reader *in, int64_t hour_s)
{
    int64_t time_ms = 0;
    if (__builtin_add_overflow(hb_code_take_signed(in), hour_s * 1000, &time_ms))
        in->bad = true;
    return time_ms;
}

static hb_bytes take_text(hb_code_reader *in)
{
    const hb_bytes text = hb_code_take_bytes(in, hb_code_take_up_to(in, HB_SHEET_NAME_MAX));
    if (!hb_utf8_valid(text))
        in->bad = true;
    return in->bad ? (hb_bytes){"", 0} : text;
}

static hb_sheet *take_head(hb_code_reader *in)
{
    const int64_t year_10000 = INT64_C(253402300800);
    const hb_bytes channel = take_text(in);
    const int64_t hour = hb_code_take_signed(in);
    if (hour < -year_10000 || hour > year_10000)
        in->bad = true;
    if (in->bad)
        return NULL;
    hb_sheet *sheet = hb_sheet_open(channel, hour * HB_HOUR_S);
    const hb_bytes room_id = take_text(in);
    hb_sheet_set_room(sheet, room_id, take_time(in, sheet->hour_s));
    const int64_t first_ms = take_time(in, sheet->hour_s);
    const int64_t last_ms = take_time(in, sheet->hour_s);
    if (last_ms >= first_ms)
        hb_sheet_see(sheet, first_ms, last_ms);
    return sheet;
}

static void take_minutes(hb_code_reader *in, unsigned version, hb_sheet *sheet)
{
    uint64_t samples[HB_SHEET_MINUTES];
    for (unsigned m = 0; m < HB_SHEET_MINUTES; m++) {
        sheet->minutes[m].messages = hb_code_take(in);
        sheet->minutes[m].words = hb_code_take(in);
        sheet->minutes[m].shared = hb_code_take(in);
    }
    for (unsigned m = 0; version > 1 && m < HB_SHEET_MINUTES; m++) {
        sheet->minutes[m].new_chatters = hb_code_take(in);
        sheet->minutes[m].subscriber_messages = hb_code_take(in);
    }
    for (unsigned m = 0; m < HB_SHEET_MINUTES; m++)
        samples[m] = hb_code_take(in);
    for (unsigned m = 0; m < HB_SHEET_MINUTES && !in->bad; m++) {
        if (samples[m] == 0)
            continue;
        hb_sheet_sample sample = {.samples = samples[m], .viewers_sum = hb_code_take(in)};
        sample.time_ms = take_time(in, sheet->hour_s);
        sample.game = take_text(in);
        sample.title = take_text(in);
        if (!in->bad)
            hb_sheet_add_samples(sheet, m, &sample);
    }
}

/* Reads `count` texts as put_texts wrote them into room; the sheet's bound on texts holds for them. The caller frees
 * the array. NULL when it is wrong: not ascending, not UTF-8, empty, too much. */
static hb_bytes *take_texts(hb_code_reader *in, size_t taken, size_t count, hb_arena *room)
{
    hb_bytes *texts = hb_resize(NULL, count, sizeof *texts);
    size_t *shared = hb_resize(NULL, count, sizeof *shared);
    hb_buffer whole = {0};
    for (size_t i = 0; i < count; i++)
        shared[i] = hb_code_take_up_to(in, HB_SHEET_NAME_MAX);
    for (size_t i = 0; i < count; i++)
        texts[i].size = hb_code_take_up_to(in, HB_SHEET_NAME_MAX);
    for (size_t i = 0; i < count && !in->bad; i++) {
        const hb_bytes rest = hb_code_take_bytes(in, texts[i].size);
        const size_t size = shared[i] + rest.size;
        if (in->bad || shared[i] > whole.size || rest.size == 0 || size > HB_SHEET_NAME_MAX ||
            taken + size > HB_SHEET_TEXT_MAX ||
            /* Ascending: it goes on behind the text before, or differs from it by a greater byte. */
            (shared[i] < whole.size && (unsigned char)rest.data[0] <= (unsigned char)whole.data[shared[i]])) {
            in->bad = true;
            break;
        }
        whole.size = shared[i];
        hb_buffer_append(&whole, rest);
        if (!hb_utf8_valid(hb_buffer_bytes(&whole)))
            in->bad = true;
        texts[i] = hb_arena_copy(room, hb_buffer_bytes(&whole));
        taken += size;
    }
    hb_buffer_free(&whole);
    free(shared);
    if (!in->bad)
        return texts;
    free(texts);
    return NULL;
}

static void take_words(hb_code_reader *in, hb_sheet *sheet)
{
    for (unsigned kind = 0; kind < HB_KINDS && !in->bad; kind++) {
        const size_t count = hb_code_take_count(in, 4, HB_SHEET_ENTRIES_MAX); /* shared, further, a byte, the count */
        if (sheet->word_count + count > HB_SHEET_ENTRIES_MAX)
            in->bad = true;
        hb_arena room = {0};
        hb_bytes *texts = in->bad ? NULL : take_texts(in, sheet->text_size, count, &room);
        if (texts != NULL)
            HB_RESERVE(sheet->words, sheet->word_capacity, sheet->word_count + count);
        for (size_t i = 0; texts != NULL && i < count; i++) {
            const uint64_t hash = hb_sheet_word_hash((hb_kind)kind, texts[i]);
            hb_sheet_make_word(sheet, (hb_kind)kind, texts[i], hash)->count =
                (uint32_t)hb_code_take_up_to(in, UINT32_MAX);
        }
        free(texts);
        hb_arena_free(&room);
    }
}

static void add_id(hb_sheet *sheet, hb_bytes id)
{
    hb_map_insert(&sheet->user_map, hb_hash(id, 0), (uint32_t)sheet->user_count);
    sheet->users[sheet->user_count++] = (hb_sheet_user){.id = id.data, .id_size = (uint32_t)id.size, .name = ""};
}

static void take_numeric_ids(hb_code_reader *in, hb_sheet *sheet, size_t count)
{
    const uint64_t most = UINT64_C(999999999999999999); /* 18 digits, see is_numeric */
    uint64_t number = 0;
    HB_RESERVE(sheet->users, sheet->user_capacity, count);
    for (size_t i = 0; i < count && !in->bad; i++) {
        const uint64_t step = hb_code_take_up_to(in, most - number);
        number += step;
        if ((step == 0 && i > 0) || sheet->text_size + 18 > HB_SHEET_TEXT_MAX)
            in->bad = true;
        char text[24];
        const int size = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
        if (!in->bad)
            add_id(sheet, hb_sheet_keep(sheet, (hb_bytes){text, (size_t)size}));
    }
}

static void take_other_ids(hb_code_reader *in, hb_sheet *sheet, size_t count)
{
    uint64_t number = 0;
    hb_arena room = {0};
    hb_bytes *texts = take_texts(in, sheet->text_size, count, &room);
    if (texts != NULL)
        HB_RESERVE(sheet->users, sheet->user_capacity, sheet->user_count + count);
    for (size_t i = 0; texts != NULL && i < count && !in->bad; i++) {
        if (is_numeric(texts[i], &number)) /* it would stand twice */
            in->bad = true;
        else
            add_id(sheet, hb_sheet_keep(sheet, texts[i]));
    }
    free(texts);
    hb_arena_free(&room);
}

static uint64_t take_map(hb_code_reader *in)
{
    const unsigned listed = (unsigned)hb_code_take_up_to(in, HB_SHEET_MINUTES_LISTED + 1);
    uint64_t minutes = 0;
    if (listed > HB_SHEET_MINUTES_LISTED) {
        const hb_bytes bytes = hb_code_take_bytes(in, 8);
        minutes = in->bad ? 0 : hb_code_take_fixed(bytes.data, 8);
    } else {
        for (unsigned i = 0; i < listed; i++)
            minutes |= UINT64_C(1) << hb_code_take_up_to(in, HB_SHEET_MINUTES - 1);
    }
    if ((minutes & ~MINUTES_ALL) != 0 ||
        (listed <= HB_SHEET_MINUTES_LISTED ? (unsigned)__builtin_popcountll(minutes) != listed
                                           : __builtin_popcountll(minutes) <= HB_SHEET_MINUTES_LISTED))
        in->bad = true;
    return in->bad ? 0 : minutes;
}

static void take_user_columns(hb_code_reader *in, hb_sheet *sheet)
{
    hb_sheet_user *const users = sheet->users;
    for (size_t i = 0; i < sheet->user_count; i++)
        users[i].messages = (uint32_t)hb_code_take_up_to(in, UINT32_MAX);
    for (size_t i = 0; i < sheet->user_count; i++)
        users[i].words = (uint32_t)hb_code_take_up_to(in, UINT32_MAX);
    for (size_t i = 0; i < sheet->user_count && !in->bad; i++)
        hb_sheet_add_user(sheet, &users[i], 0, 0, take_map(in));
    for (size_t i = 0; i < sheet->user_count; i++) {
        const uint32_t ms = (uint32_t)hb_code_take_up_to(in, MINUTE_MS + HB_HOUR_S * 1000 - 1);
        users[i].name_ms = (ms < MINUTE_MS ? last_minute_ms(users[i].minutes) + ms : ms - MINUTE_MS) & HB_SHEET_NAME_MS;
    }
    for (size_t i = 0; i < sheet->user_count; i++)
        users[i].name_size = (uint32_t)hb_code_take_up_to(in, HB_SHEET_NAME_MAX);
    for (size_t i = 0; i < sheet->user_count && !in->bad; i++) {
        const hb_bytes name = hb_code_take_bytes(in, users[i].name_size);
        if (in->bad || !hb_utf8_valid(name) || sheet->text_size + name.size > HB_SHEET_TEXT_MAX)
            in->bad = true;
        else
            users[i].name = hb_sheet_keep(sheet, name).data;
    }
}

static void take_users(hb_code_reader *in, hb_sheet *sheet)
{
    const size_t numeric = hb_code_take_count(in, 6, HB_SHEET_ENTRIES_MAX); /* the id and five columns */
    take_numeric_ids(in, sheet, numeric);
    const size_t others = hb_code_take_count(in, 8, HB_SHEET_ENTRIES_MAX);
    if (numeric + others > HB_SHEET_ENTRIES_MAX)
        in->bad = true;
    if (!in->bad)
        take_other_ids(in, sheet, others);
    if (!in->bad)
        take_user_columns(in, sheet);
}

static hb_sheet *read_payload(hb_bytes raw, unsigned version)
{
    hb_code_reader in = {raw.data, raw.size, 0, false};
    hb_sheet *sheet = take_head(&in);
    if (sheet == NULL)
        return NULL;
    take_minutes(&in, version, sheet);
    if (!in.bad)
        take_words(&in, sheet);
    if (!in.bad)
        take_users(&in, sheet);
    if (!in.bad && in.at == in.size)
        return sheet;
    hb_sheet_close(sheet);
    return NULL;
}

hb_sheet *hb_sheet_decode(hb_bytes data, hb_error *error)
{
    char *raw = NULL;
    size_t size = 0;
    if (!hb_code_unseal(&hb_sheet_format, data, &raw, &size, error))
        return NULL;
    hb_sheet *sheet = read_payload((hb_bytes){raw, size}, hb_code_version(data));
    free(raw);
    if (sheet == NULL)
        hb_code_refuse(&hb_sheet_format, error, HB_CODE_SENSELESS);
    else
        hb_sheet_untouch(sheet);
    return sheet;
}
