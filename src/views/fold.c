/* fold.c - lines of chat into sheets: the one place where facts are counted.
 *
 * What bounds counting is not parsing but cache misses in the tables. So a batch of lines is first only read
 * (records.c). Then the records are put in order by slot (a counting sort: the facts of a slot keep their order), and
 * one channel is counted after the other, while its tables are in the cache. Each key is hashed once. Nothing is
 * allocated for a message but room for what was never seen before. */
#include "views/fold.h"

#include "base/clock.h"
#include "text/utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PIECE_MAX = 64 << 20, /* bytes of lines that are put in order together: bounds the records */
    TOKENS_AT_ONCE = 32,
    IDS_MIN = 16
};

/* A record of the batch in hand, and the slot that counts it. */
typedef struct placed {
    const hb_record *record;
    uint32_t slot;
} placed;

struct hb_fold {
    hb_words *words;
    hb_fold_counts counts;
    int64_t only_hour_s;
    int64_t newest_ms; /* greatest event time that is no later than the fact's time of receipt */
    int64_t round;
    bool watched;
    bool full;
    hb_fold_watcher watcher;
    hb_fold_slot *slots;
    size_t slot_count;
    size_t slot_capacity;
    hb_map slot_map;
    hb_records records; /* of the lines in hand */
    placed *placed;
    size_t placed_count;
    size_t placed_capacity;
    const hb_record **order; /* slot by slot */
    size_t order_capacity;
    uint32_t *taken_slots; /* slots that the batch in hand touches */
    size_t taken_count;
    size_t taken_capacity;
    hb_buffer plain; /* room for a tag value without its escapes, and for the same as UTF-8 */
    hb_buffer clean;
    hb_buffer other_clean;
};

hb_fold *hb_fold_open(hb_error *error)
{
    hb_words *words = hb_words_open(error);
    if (words == NULL)
        return NULL;
    hb_fold *fold = hb_alloc(sizeof *fold);
    fold->words = words;
    fold->only_hour_s = HB_FOLD_ANY_HOUR;
    return fold;
}

static void free_slot(hb_fold *fold, hb_fold_slot *slot)
{
    if (fold->watched)
        fold->watcher.forgotten(fold->watcher.context, slot);
    hb_sheet_close(slot->sheet);
    free(slot->frozen);
    free(slot->ids.places);
    free(slot->older_ids.places);
    hb_emote_set_close(slot->emotes);
    free((void *)slot->channel.data);
}

void hb_fold_close(hb_fold *fold)
{
    if (fold == NULL)
        return;
    hb_fold_forget(fold, HB_FOLD_ANY_HOUR);
    hb_words_close(fold->words);
    hb_map_free(&fold->slot_map);
    hb_records_free(&fold->records);
    hb_buffer_free(&fold->plain);
    hb_buffer_free(&fold->clean);
    hb_buffer_free(&fold->other_clean);
    free(fold->slots);
    free(fold->placed);
    free(fold->order);
    free(fold->taken_slots);
    free(fold);
}

/* ---- Slots ---- */

static uint64_t slot_hash(uint64_t channel_hash, int64_t hour_s)
{
    return channel_hash + (uint64_t)hour_s * 0x9e3779b97f4a7c15; /* 2^64 by the golden ratio: spreads the hours */
}

void hb_fold_forget(hb_fold *fold, int64_t hour_s)
{
    size_t kept = 0;
    hb_map_clear(&fold->slot_map);
    for (size_t i = 0; i < fold->slot_count; i++) {
        hb_fold_slot *const slot = &fold->slots[i];
        if (hour_s == HB_FOLD_ANY_HOUR || slot->hour_s == hour_s) {
            free_slot(fold, slot);
            continue;
        }
        hb_map_insert(&fold->slot_map, slot_hash(hb_hash(slot->channel, 0), slot->hour_s), (uint32_t)kept);
        fold->slots[kept++] = *slot;
    }
    fold->slot_count = kept;
}

/* The number of a channel's and hour's slot, made if there is none; HB_MAP_END when it would be new and the fold is
 * full. channel is in lower case. */
static uint32_t slot_of(hb_fold *fold, hb_bytes channel, uint64_t channel_hash, int64_t hour_s)
{
    const uint64_t hash = slot_hash(channel_hash, hour_s);
    for (uint32_t at = hb_map_first(&fold->slot_map, hash); at != HB_MAP_END;
         at = hb_map_next(&fold->slot_map, hash, at)) {
        const uint32_t number = hb_map_entry(&fold->slot_map, at);
        if (fold->slots[number].hour_s == hour_s && hb_bytes_equal(fold->slots[number].channel, channel))
            return number;
    }
    if (fold->full)
        return HB_MAP_END;
    HB_RESERVE(fold->slots, fold->slot_capacity, fold->slot_count + 1);
    const uint32_t number = (uint32_t)fold->slot_count++;
    hb_map_insert(&fold->slot_map, hash, number);
    fold->slots[number] = (hb_fold_slot){
        .sheet = hb_sheet_open(channel, hour_s), .channel = {hb_copy_text(channel), channel.size}, .hour_s = hour_s};
    if (fold->watched)
        hb_sheet_watch(fold->slots[number].sheet);
    return number;
}

static void place_id(hb_fold_ids *ids, uint64_t hash)
{
    size_t at = hash & ids->mask;
    while (ids->places[at] != 0)
        at = (at + 1) & ids->mask;
    ids->places[at] = hash;
    ids->count++;
}

static bool has_id(const hb_fold_ids *ids, uint64_t hash)
{
    if (ids->places == NULL)
        return false;
    for (size_t at = hash & ids->mask; ids->places[at] != 0; at = (at + 1) & ids->mask)
        if (ids->places[at] == hash)
            return true;
    return false;
}

/* Makes room for so many more ids. */
static void reserve_ids(hb_fold_ids *ids, size_t more)
{
    size_t places = ids->places == NULL ? IDS_MIN : ids->mask + 1;
    while ((ids->count + more) * 10 > places * 7)
        places *= 2;
    if (ids->places != NULL && places == ids->mask + 1)
        return;
    const hb_fold_ids old = *ids;
    *ids = (hb_fold_ids){hb_alloc(places * sizeof *ids->places), places - 1, 0};
    for (size_t at = 0; old.places != NULL && at <= old.mask; at++)
        if (old.places[at] != 0)
            place_id(ids, old.places[at]);
    free(old.places);
}

/* ---- What a record holds ---- */

/* The texts of a record, one by one: each begins where the one before ends. */
static hb_bytes room_of(const hb_record *record)
{
    return (hb_bytes){record->texts + record->channel_size, record->room_size};
}

static hb_bytes user_of(const hb_record *record)
{
    const hb_bytes room = room_of(record);
    return (hb_bytes){room.data + room.size, record->user_size};
}

static hb_bytes name_of(const hb_record *record)
{
    const hb_bytes user = user_of(record);
    return (hb_bytes){user.data + user.size, record->name_size};
}

static hb_bytes text_of(const hb_record *record)
{
    const hb_bytes name = name_of(record);
    return (hb_bytes){name.data + name.size, record->text_size};
}

static hb_bytes emotes_of(const hb_record *record)
{
    const hb_bytes text = text_of(record);
    return (hb_bytes){text.data + text.size, record->emotes_size};
}

size_t hb_fold_add_emotes(hb_fold_slot *slot, hb_bytes names, uint32_t since_ms)
{
    if (slot->emotes == NULL)
        slot->emotes = hb_emote_set_open();
    return hb_emote_set_add(slot->emotes, names, since_ms);
}

void hb_fold_learn_emotes(hb_fold *fold, hb_bytes channel, uint64_t channel_hash, const hb_fact *fact)
{
    const int64_t hour_s = hb_time_floor(fact->time_ms / 1000, HB_HOUR_S);
    const uint32_t number = slot_of(fold, channel, channel_hash, hour_s);
    if (number != HB_MAP_END)
        hb_fold_add_emotes(&fold->slots[number], fact->text, (uint32_t)(fact->time_ms - hour_s * 1000));
}

/* ---- Putting records in order ---- */

/* Emotes are known before any message of the batch is counted: what is said in what order makes no difference then. */
static void take_emotes(hb_fold *fold, hb_fold_slot *slot, const hb_record *record)
{
    const uint32_t since_ms = (uint32_t)(record->time_ms - slot->hour_s * 1000);
    fold->counts.untaken += fold->full ? 1 : hb_fold_add_emotes(slot, text_of(record), since_ms);
}

static void place_record(hb_fold *fold, const hb_record *record)
{
    const hb_bytes channel = {record->texts, record->channel_size};
    const int64_t hour_s = hb_time_floor(record->time_ms / 1000, HB_HOUR_S);
    const uint32_t number = slot_of(fold, channel, record->channel_hash, hour_s);
    if (number == HB_MAP_END) {
        fold->counts.misplaced++;
        if (fold->watched)
            fold->watcher.left_out(fold->watcher.context, hour_s);
        return;
    }
    const int64_t sure_ms = record->time_ms - record->ahead_ms;
    if (sure_ms > fold->newest_ms)
        fold->newest_ms = sure_ms;
    fold->placed[fold->placed_count++] = (placed){record, number};
    if (record->kind == HB_FACT_EMOTES)
        take_emotes(fold, &fold->slots[number], record);
    if (fold->slots[number].taken++ == 0) {
        HB_RESERVE(fold->taken_slots, fold->taken_capacity, fold->taken_count + 1);
        fold->taken_slots[fold->taken_count++] = number;
    }
}

/* Puts the records in order by slot; within a slot they keep their order. */
static void order_records(hb_fold *fold)
{
    uint32_t first = 0;
    HB_RESERVE(fold->order, fold->order_capacity, fold->placed_count); /* NOLINT(bugprone-sizeof-expression) */
    for (size_t i = 0; i < fold->taken_count; i++) {
        hb_fold_slot *const slot = &fold->slots[fold->taken_slots[i]];
        slot->first = first;
        first += slot->taken;
        slot->taken = 0;
    }
    for (size_t i = 0; i < fold->placed_count; i++) {
        hb_fold_slot *const slot = &fold->slots[fold->placed[i].slot];
        fold->order[slot->first + slot->taken++] = fold->placed[i].record;
    }
}

/* ---- Counting a slot ---- */

/* Whether eight bytes are ASCII without a backslash. */
static bool is_plain_eight(uint64_t eight)
{
    const uint64_t each = 0x0101010101010101;
    const uint64_t others = eight ^ each * '\\'; /* a backslash becomes 0, and nothing else does */
    return (((others - each) | eight) & each * 0x80) == 0;
}

/* Whether a text is ASCII without escapes, as nearly all tag values are. */
static bool is_plain(hb_bytes text)
{
    uint64_t eight = 0;
    if (text.size < sizeof eight)
        return is_plain_eight(hb_bytes_start(text));
    for (size_t at = 0; at + sizeof eight < text.size; at += sizeof eight) {
        memcpy(&eight, text.data + at, sizeof eight);
        if (!is_plain_eight(eight))
            return false;
    }
    memcpy(&eight, text.data + text.size - sizeof eight, sizeof eight);
    return is_plain_eight(eight);
}

/* A tag value or login without escapes and as valid UTF-8; nearly always the same slice. */
static hb_bytes clean_text(hb_fold *fold, hb_bytes raw, hb_buffer *room)
{
    if (is_plain(raw))
        return raw;
    fold->plain.size = 0;
    char *const plain = hb_buffer_room(&fold->plain, raw.size);
    const hb_bytes repaired = hb_utf8_repair((hb_bytes){plain, hb_tag_unescape(raw, plain)}, room);
    if (repaired.data != plain)
        return repaired;
    room->size = 0;
    hb_buffer_append(room, repaired);
    return hb_buffer_bytes(room);
}

static void count_words(hb_fold *fold, hb_sheet *sheet, const hb_token *tokens, size_t count)
{
    uint64_t hashes[TOKENS_AT_ONCE];
    for (size_t from = 0; from < count; from += TOKENS_AT_ONCE) {
        const size_t some = count - from < TOKENS_AT_ONCE ? count - from : TOKENS_AT_ONCE;
        for (size_t i = 0; i < some; i++) {
            hashes[i] = hb_sheet_word_hash(tokens[from + i].kind, tokens[from + i].text);
            hb_map_prefetch(&sheet->word_map, hashes[i]);
        }
        for (size_t i = 0; i < some; i++)
            if (!hb_sheet_add_word(sheet, tokens[from + i].kind, tokens[from + i].text, hashes[i], 1, fold->full))
                fold->counts.untaken++;
    }
}

static void count_user(hb_fold *fold, hb_sheet *sheet, const hb_record *record, uint32_t words)
{
    const int64_t into_hour_ms = record->time_ms - sheet->hour_s * 1000;
    const hb_bytes raw = user_of(record);
    const hb_bytes id = clean_text(fold, raw, &fold->clean);
    if (id.size == 0)
        return; /* nobody said it */
    const uint64_t hash = id.data == raw.data ? record->user_hash : hb_hash(id, 0);
    hb_sheet_user *const user = hb_sheet_find_user(sheet, id, hash, fold->full);
    if (user == NULL) {
        fold->counts.untaken++;
        return;
    }
    hb_sheet_add_user(sheet, user, 1, words, UINT64_C(1) << (into_hour_ms / (HB_MINUTE_S * 1000)));
    hb_sheet_name_user(sheet, user, clean_text(fold, name_of(record), &fold->other_clean), (uint32_t)into_hour_ms);
}

static void count_message(hb_fold *fold, hb_sheet *sheet, const hb_emote_set *emotes, const hb_record *record)
{
    const uint32_t at_ms = (uint32_t)(record->time_ms - sheet->hour_s * 1000);
    const unsigned minute = (unsigned)((record->time_ms - sheet->hour_s * 1000) / (HB_MINUTE_S * 1000));
    hb_sheet_touch_minute(sheet, minute);
    if (record->shared) {
        sheet->minutes[minute].shared++;
        fold->counts.shared++;
        return;
    }
    const hb_token *tokens = NULL;
    bool bad_utf8 = false;
    const size_t count =
        hb_words_split_with(fold->words, text_of(record), emotes_of(record), emotes, at_ms, &tokens, &bad_utf8);
    sheet->minutes[minute].messages++;
    sheet->minutes[minute].words += count;
    sheet->minutes[minute].new_chatters += record->first;
    sheet->minutes[minute].subscriber_messages += record->subscriber;
    fold->counts.messages++;
    fold->counts.words += count;
    fold->counts.bad_utf8 += bad_utf8;
    count_words(fold, sheet, tokens, count);
    count_user(fold, sheet, record, (uint32_t)count);
}

static void count_sample(hb_fold *fold, hb_sheet *sheet, const hb_record *record)
{
    const hb_sheet_sample sample = {.viewers_sum = record->viewers,
                                    .samples = 1,
                                    .time_ms = record->time_ms,
                                    .game = clean_text(fold, emotes_of(record), &fold->clean),
                                    .title = clean_text(fold, text_of(record), &fold->other_clean)};
    const unsigned minute = (unsigned)((record->time_ms - sheet->hour_s * 1000) / (HB_MINUTE_S * 1000));
    hb_sheet_add_samples(sheet, minute, &sample);
}

static void count_record(hb_fold *fold, hb_sheet *sheet, hb_fold_slot *slot, const hb_record *record)
{
    if (record->kind != HB_FACT_STREAM && record->id_hash != 0) {
        if (has_id(&slot->ids, record->id_hash) || has_id(&slot->older_ids, record->id_hash)) {
            fold->counts.duplicates++;
            return;
        }
        place_id(&slot->ids, record->id_hash);
    }
    hb_sheet_see(sheet, record->time_ms, record->time_ms);
    if (record->room_size > 0)
        hb_sheet_set_room(sheet, clean_text(fold, room_of(record), &fold->clean), record->time_ms);
    if (record->kind == HB_FACT_MESSAGE)
        count_message(fold, sheet, slot->emotes, record);
    else if (record->kind == HB_FACT_STREAM)
        count_sample(fold, sheet, record);
}

/* Brings into the cache what counting a record will ask for, in three steps, each of which needs what the one before
 * has brought. `left` records follow from this one on. */
static void prefetch(const hb_fold_slot *slot, const hb_sheet *sheet, const hb_record *const *records, uint32_t left)
{
    enum { LINE = 64, LINES = 3, TEXTS_AHEAD = 8, TABLES_AHEAD = 4, USER_AHEAD = 2 };
    if (left > TEXTS_AHEAD)
        for (size_t i = 0; i < LINES; i++)
            __builtin_prefetch((const char *)records[TEXTS_AHEAD] + i * LINE);
    if (left > TABLES_AHEAD) {
        __builtin_prefetch(&slot->ids.places[records[TABLES_AHEAD]->id_hash & slot->ids.mask]);
        hb_map_prefetch(&sheet->user_map, records[TABLES_AHEAD]->user_hash);
    }
    if (left > USER_AHEAD) {
        const uint32_t at = hb_map_first(&sheet->user_map, records[USER_AHEAD]->user_hash);
        if (at != HB_MAP_END)
            __builtin_prefetch(&sheet->users[hb_map_entry(&sheet->user_map, at)]);
    }
}

static void count_slot(hb_fold *fold, hb_fold_slot *slot)
{
    hb_sheet *const sheet = slot->sheet == NULL ? hb_fold_thaw(fold, slot) : slot->sheet;
    const hb_record **const records = fold->order + slot->first;
    slot->used = fold->round;
    reserve_ids(&slot->ids, slot->taken);
    for (uint32_t i = 0; i < slot->taken; i++) {
        prefetch(slot, sheet, records + i, slot->taken - i);
        count_record(fold, sheet, slot, records[i]);
    }
    slot->taken = 0;
}

static void count_records(hb_fold *fold, const hb_records *const *lists, size_t list_count)
{
    size_t count = 0;
    for (size_t i = 0; i < list_count; i++)
        count += lists[i]->count;
    HB_RESERVE(fold->placed, fold->placed_capacity, count);
    fold->placed_count = 0;
    fold->taken_count = 0;
    for (size_t i = 0; i < list_count; i++) {
        hb_records_cursor cursor = {0};
        for (const hb_record *record; (record = hb_records_next(lists[i], &cursor)) != NULL;)
            place_record(fold, record);
    }
    order_records(fold);
    for (size_t i = 0; i < fold->taken_count; i++)
        count_slot(fold, &fold->slots[fold->taken_slots[i]]);
}

void hb_fold_records(hb_fold *fold, const hb_records *const *lists, size_t list_count)
{
    fold->round++;
    count_records(fold, lists, list_count);
}

void hb_fold_lines(hb_fold *fold, hb_bytes lines)
{
    const hb_records *const list = &fold->records;
    const hb_records_reader reader = {.lists = &fold->records,
                                      .list_count = 1,
                                      .passes = 1,
                                      .only_hour_s = fold->only_hour_s,
                                      .wanted = fold->watcher.wanted,
                                      .context = fold->watcher.context,
                                      .counts = &fold->counts};
    fold->round++;
    while (lines.size > 0) {
        hb_bytes piece = lines;
        if (piece.size > PIECE_MAX) {
            /* Ends after the last LF that fits, or after the line that does not fit as a whole. */
            const char *end = memrchr(lines.data, '\n', PIECE_MAX);
            if (end == NULL)
                end = memchr(lines.data + PIECE_MAX, '\n', lines.size - PIECE_MAX);
            if (end != NULL)
                piece.size = (size_t)(end - lines.data) + 1;
        }
        hb_records_clear(&fold->records);
        hb_records_read(&reader, piece);
        count_records(fold, &list, 1);
        lines = hb_bytes_from(lines, piece.size);
    }
}

/* ---- What others ask ---- */

void hb_fold_hour(hb_fold *fold, int64_t hour_s)
{
    fold->only_hour_s = hour_s;
}

hb_fold_counts hb_fold_count(const hb_fold *fold)
{
    return fold->counts;
}

hb_sheet *hb_fold_next_sheet(hb_fold *fold, size_t *cursor)
{
    if (*cursor >= fold->slot_count)
        return NULL;
    hb_fold_slot *const slot = &fold->slots[(*cursor)++];
    return slot->sheet == NULL ? hb_fold_thaw(fold, slot) : slot->sheet;
}

void hb_fold_watch(hb_fold *fold, const hb_fold_watcher *watcher)
{
    fold->watched = true;
    fold->watcher = *watcher;
}

size_t hb_fold_slot_count(const hb_fold *fold)
{
    return fold->slot_count;
}

hb_fold_slot *hb_fold_slot_at(hb_fold *fold, size_t number)
{
    return &fold->slots[number];
}

void hb_fold_freeze(hb_fold_slot *slot)
{
    if (slot->sheet == NULL)
        return;
    hb_sheet_encode(slot->sheet, &slot->frozen, &slot->frozen_size);
    hb_sheet_close(slot->sheet);
    slot->sheet = NULL;
}

hb_sheet *hb_fold_peek(const hb_fold_slot *slot)
{
    hb_error error;
    hb_sheet *sheet = hb_sheet_decode((hb_bytes){slot->frozen, slot->frozen_size}, &error);
    if (sheet == NULL) {
        /* These bytes never left the process: only broken memory can do this, and then no count is to be trusted. */
        fprintf(stderr, "hubbub: a sheet kept in memory was altered there; stopping: %s\n", error.text);
        abort();
    }
    return sheet;
}

hb_sheet *hb_fold_thaw(hb_fold *fold, hb_fold_slot *slot)
{
    slot->sheet = hb_fold_peek(slot);
    free(slot->frozen);
    slot->frozen = NULL;
    if (fold->watched) {
        hb_sheet_watch(slot->sheet);
        fold->watcher.thawed(fold->watcher.context, slot);
    }
    return slot->sheet;
}

hb_fold_slot *hb_fold_add_frozen(hb_fold *fold, hb_bytes channel, int64_t hour_s, hb_bytes sheet)
{
    const uint32_t number = slot_of(fold, channel, hb_hash(channel, 0), hour_s);
    hb_fold_slot *const slot = &fold->slots[number];
    hb_sheet_close(slot->sheet);
    free(slot->frozen);
    slot->sheet = NULL;
    slot->frozen = hb_copy_text(sheet);
    slot->frozen_size = sheet.size;
    return slot;
}

void hb_fold_add_id(hb_fold_slot *slot, uint64_t hash)
{
    if (has_id(&slot->ids, hash))
        return;
    reserve_ids(&slot->ids, 1);
    place_id(&slot->ids, hash);
}

void hb_fold_set_full(hb_fold *fold, bool full)
{
    fold->full = full;
}

uint64_t hb_fold_age_ids(hb_fold *fold)
{
    uint64_t forgotten = 0;
    for (size_t i = 0; i < fold->slot_count; i++) {
        hb_fold_slot *const slot = &fold->slots[i];
        forgotten += slot->older_ids.count;
        free(slot->older_ids.places);
        slot->older_ids = slot->ids;
        slot->ids = (hb_fold_ids){0};
    }
    return forgotten;
}

int64_t hb_fold_time_ms(const hb_fold *fold, int64_t now_ms)
{
    return fold->newest_ms < now_ms ? fold->newest_ms : now_ms;
}

static size_t ids_held(const hb_fold_ids *ids)
{
    return ids->places == NULL ? 0 : (ids->mask + 1) * sizeof *ids->places;
}

size_t hb_fold_ids_held(const hb_fold *fold)
{
    size_t held = 0;
    for (size_t i = 0; i < fold->slot_count; i++)
        held += ids_held(&fold->slots[i].ids) + ids_held(&fold->slots[i].older_ids);
    return held;
}

size_t hb_fold_slot_held(const hb_fold_slot *slot)
{
    return sizeof *slot + slot->channel.size + ids_held(&slot->ids) + ids_held(&slot->older_ids) +
           (slot->emotes == NULL ? 0 : hb_emote_set_held(slot->emotes)) +
           (slot->sheet == NULL ? slot->frozen_size : hb_sheet_held(slot->sheet));
}

size_t hb_fold_held(const hb_fold *fold)
{
    return sizeof *fold + hb_map_held(&fold->slot_map) + fold->records.held +
           fold->placed_capacity * sizeof *fold->placed + fold->order_capacity * sizeof(void *) +
           fold->taken_capacity * sizeof(uint32_t) + fold->plain.capacity + fold->clean.capacity +
           fold->other_clean.capacity;
}

int64_t hb_fold_round(const hb_fold *fold)
{
    return fold->round;
}
