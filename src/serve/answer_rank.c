/* answer_rank.c - the most frequent words and the most active users of a range of hours.
 *
 * Two sources tell of an hour: its sheet, which holds everything, and rows, which hold the top of each kind. Counts
 * only grow, so of two values for one hour the greater is the fresher, and whatever was read of an hour is put together
 * by taking the greatest:
 * - a closed hour: its sheet;
 * - an hour in progress: its sheet, up to a minute old, and its rows, which are current. What is only in the sheet may
 *   have grown since, so the answer is not exact unless the rows hold everything, or nothing was counted since;
 * - an hour without a sheet yet: its rows.
 * Rows hold everything when their counts add up to what the minutes' rows, written in the same transactions, count.
 * Short of that, a kind of which fewer rows are there than of another kind was not cut off at the top K either.
 *
 * A question about a single hour is answered from rows alone where they give the very same answer: where no row that
 * was cut off could stand among those asked for. */
#include "serve/answer_table.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"

#include <stdlib.h>

enum { ENTRIES_MAX = 2 << 20 }; /* different words or users in one answer: about 250 MB */

/* A word (first: count) or a user (first: messages, second: words), over all hours so far. */
typedef struct rank_entry {
    hb_bytes key;
    hb_bytes name; /* of a user */
    uint64_t first;
    uint64_t second;
    int64_t hour_s; /* the last hour that was added, and what it gave */
    uint64_t hour_first;
    uint64_t hour_second;
    hb_kind kind; /* of a word */
} rank_entry;

typedef struct hour_total {
    int64_t hour_s;
    uint64_t total; /* words or messages, as the minutes' rows count them */
    bool covered;   /* by a sheet */
} hour_total;

/* What the rows of one hour are. */
typedef struct hour_rows {
    uint64_t total;
    size_t counts[HB_KINDS]; /* rows; users count as kind 0 */
} hour_rows;

typedef struct ranking {
    hb_store *store;
    hb_answer *answer;
    bool users;
    hb_kind kind; /* HB_KINDS: all */
    rank_entry *entries;
    size_t count;
    size_t capacity;
    hb_map map;
    hb_arena texts;
    hour_total *hours;
    size_t hour_count;
    size_t hour_capacity;
    hour_rows rows; /* of the hour last read */
    int64_t rows_hour_s;
    hb_error *error;
    bool failed; /* within a visitor; *error says how */
} ranking;

/* ---- Adding up ---- */

static rank_entry *find_entry(ranking *rank, hb_kind kind, hb_bytes key)
{
    const uint64_t hash = hb_hash(key, (uint64_t)kind);
    for (uint32_t at = hb_map_first(&rank->map, hash); at != HB_MAP_END; at = hb_map_next(&rank->map, hash, at)) {
        rank_entry *entry = &rank->entries[hb_map_entry(&rank->map, at)];
        if (entry->kind == kind && hb_bytes_equal(entry->key, key))
            return entry;
    }
    if (rank->count == ENTRIES_MAX) {
        rank->failed = true;
        hb_fail(rank->error, HB_ERROR_LIMIT, "more than %d different %s in this range; ask for a shorter one",
                ENTRIES_MAX, rank->users ? "users" : "words");
        return NULL;
    }
    HB_RESERVE(rank->entries, rank->capacity, rank->count + 1);
    rank_entry *entry = &rank->entries[rank->count];
    *entry = (rank_entry){.key = hb_arena_copy(&rank->texts, key), .kind = kind, .hour_s = -1};
    hb_map_insert(&rank->map, hash, (uint32_t)rank->count++);
    return entry;
}

static void raise_to(uint64_t *sum, uint64_t *part, uint64_t value)
{
    if (value > *part) {
        *sum += value - *part;
        *part = value;
    }
}

/* Tells that in this hour the key has at least these counts. All that is said of one hour must come in a row. */
static bool add(ranking *rank, int64_t hour_s, hb_kind kind, hb_bytes key, uint64_t first, uint64_t second,
                hb_bytes name)
{
    rank_entry *entry = find_entry(rank, kind, key);
    if (entry == NULL)
        return false;
    if (entry->hour_s != hour_s) {
        entry->hour_s = hour_s;
        entry->hour_first = entry->hour_second = 0;
    }
    raise_to(&entry->first, &entry->hour_first, first);
    raise_to(&entry->second, &entry->hour_second, second);
    if (!hb_bytes_equal(entry->name, name))
        entry->name = hb_arena_copy(&rank->texts, name);
    return true;
}

/* ---- Sources ---- */

static hour_total *find_hour(ranking *rank, int64_t hour_s)
{
    for (size_t i = rank->hour_count; i > 0; i--) /* mostly one of the last */
        if (rank->hours[i - 1].hour_s == hour_s)
            return &rank->hours[i - 1];
    return NULL;
}

static bool take_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    ranking *rank = context;
    const int64_t hour_s = hb_time_floor(row->minute_s, HB_HOUR_S);
    (void)layer;
    if (rank->hour_count == 0 || rank->hours[rank->hour_count - 1].hour_s != hour_s) {
        HB_RESERVE(rank->hours, rank->hour_capacity, rank->hour_count + 1);
        rank->hours[rank->hour_count++] = (hour_total){.hour_s = hour_s};
    }
    rank->hours[rank->hour_count - 1].total += rank->users ? row->count.messages : row->count.words;
    return true;
}

static bool take_word_row(void *context, const hb_word_row *row, hb_layer layer)
{
    ranking *rank = context;
    (void)layer;
    rank->rows.total += row->word.count;
    rank->rows.counts[row->word.kind]++;
    if (rank->kind != HB_KINDS && rank->kind != row->word.kind)
        return true;
    return add(rank, row->hour_s, row->word.kind, row->word.text, row->word.count, 0, HB_BYTES(""));
}

static bool take_user_row(void *context, const hb_user_row *row, hb_layer layer)
{
    ranking *rank = context;
    (void)layer;
    rank->rows.total += row->user.messages;
    rank->rows.counts[0]++;
    return add(rank, row->hour_s, 0, row->user.id, row->user.messages, row->user.words, row->user.name);
}

/* Adds an hour's rows; rank->rows then describes them. */
static bool add_rows(ranking *rank, int64_t hour_s)
{
    rank->rows = (hour_rows){0};
    rank->rows_hour_s = hour_s;
    if (rank->users)
        return hb_store_users(rank->store, rank->answer->channel, hour_s, take_user_row, rank, rank->error) &&
               !rank->failed;
    return hb_store_words(rank->store, rank->answer->channel, hour_s, HB_KINDS, take_word_row, rank, rank->error) &&
           !rank->failed;
}

static bool is_asked(const ranking *rank, hb_kind kind)
{
    return rank->users ? kind == 0 : rank->kind == HB_KINDS || rank->kind == kind;
}

/* Whether the rows last added hold everything of a kind, in their hour. */
static bool is_complete(ranking *rank, hb_kind kind)
{
    const hour_total *hour = find_hour(rank, rank->rows_hour_s);
    if (hour != NULL && hour->total == rank->rows.total)
        return true;
    size_t most = 0;
    for (int other = 0; other < HB_KINDS; other++)
        if (rank->rows.counts[other] > most)
            most = rank->rows.counts[other];
    return rank->rows.counts[kind] < most;
}

static bool add_open_hour(ranking *rank, int64_t hour_s)
{
    if (!add_rows(rank, hour_s))
        return false;
    for (int kind = 0; kind < HB_KINDS; kind++)
        if (is_asked(rank, (hb_kind)kind) && !is_complete(rank, (hb_kind)kind))
            rank->answer->exact = false;
    return true;
}

static bool add_sheet(ranking *rank, const hb_sheet *sheet, int64_t hour_s)
{
    size_t cursor = 0;
    bool good = true;
    hb_word word;
    hb_user user;
    if (rank->users) {
        while (good && hb_sheet_next_user(sheet, &cursor, &user))
            good = add(rank, hour_s, 0, user.id, user.messages, user.words, user.name);
        return good;
    }
    while (good && hb_sheet_next_word(sheet, &cursor, &word))
        if (is_asked(rank, word.kind))
            good = add(rank, hour_s, word.kind, word.text, word.count, 0, HB_BYTES(""));
    return good;
}

static bool fail_at_sheet(ranking *rank, const hb_sheet_row *row, const hb_error *why)
{
    char hour[HB_TIME_TEXT];
    hb_time_print_hour(row->hour_s, hour);
    rank->failed = true;
    return hb_fail(rank->error, why->code, "the sheet of %.*s at %s cannot be read: %s", HB_PRINT(row->channel), hour,
                   why->text);
}

/* Whether nothing has been counted since an open hour's sheet was written: it adds up to what the minutes' rows do. */
static bool is_current(const ranking *rank, const hb_sheet *sheet, const hour_total *hour)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < HB_HOUR_S / HB_MINUTE_S; i++) {
        const hb_minute minute = hb_sheet_minute(sheet, i);
        total += rank->users ? minute.messages : minute.words;
    }
    return hour != NULL && hour->total == total;
}

static bool take_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    ranking *rank = context;
    hb_error why;
    (void)layer;
    (void)words_version;
    hb_sheet *sheet = hb_sheet_decode(row->sheet, &why);
    if (sheet == NULL)
        return fail_at_sheet(rank, row, &why);
    hour_total *hour = find_hour(rank, row->hour_s);
    if (hour != NULL)
        hour->covered = true;
    bool good = add_sheet(rank, sheet, row->hour_s);
    const bool with_rows = row->open && !is_current(rank, sheet, hour);
    hb_sheet_close(sheet);
    /* Read within the sheets' statement: rows and sheet are of one state of the store. */
    if (good && with_rows && !add_open_hour(rank, row->hour_s)) {
        rank->failed = true;
        good = false;
    }
    return good;
}

/* ---- Ranking ---- */

/* <0: a stands before b. Ties are settled by the key's bytes, then by the name of the kind. */
static int compare(const rank_entry *a, const rank_entry *b)
{
    if (a->first != b->first)
        return a->first > b->first ? -1 : 1;
    const int order = hb_bytes_compare(a->key, b->key);
    return order != 0 ? order : strcmp(hb_kind_name(a->kind), hb_kind_name(b->kind));
}

static int compare_pointers(const void *a, const void *b)
{
    return compare(*(const rank_entry *const *)a, *(const rank_entry *const *)b);
}

/* Lets the entry at the heap's top sink: each stands behind the two below it. */
static void sink(const rank_entry **heap, size_t count)
{
    for (size_t at = 0, below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && compare(heap[below + 1], heap[below]) > 0)
            below++;
        if (compare(heap[at], heap[below]) >= 0)
            return;
        const rank_entry *entry = heap[at];
        heap[at] = heap[below];
        heap[below] = entry;
    }
}

/* The first `limit` entries in order; the caller frees them. The last of those kept stands at the top of a heap (an
 * array in falling order is one), and gives way to each that stands before it. */
static const rank_entry **select_top(const ranking *rank, size_t limit, size_t *count)
{
    *count = rank->count < limit ? rank->count : limit;
    const rank_entry **top = hb_alloc(*count * sizeof(const rank_entry *));
    for (size_t i = 0; i < *count; i++)
        top[i] = &rank->entries[i];
    qsort((void *)top, *count, sizeof(const rank_entry *), compare_pointers);
    if (*count == rank->count || *count == 0)
        return top;
    for (size_t i = 0; i < *count / 2; i++) {
        const rank_entry *entry = top[i];
        top[i] = top[*count - 1 - i];
        top[*count - 1 - i] = entry;
    }
    for (size_t i = *count; i < rank->count; i++)
        if (compare(&rank->entries[i], top[0]) < 0) {
            top[0] = &rank->entries[i];
            sink(top, *count);
        }
    qsort((void *)top, *count, sizeof(const rank_entry *), compare_pointers);
    return top;
}

static void fill(ranking *rank, size_t limit)
{
    size_t count = 0;
    const rank_entry **top = select_top(rank, limit, &count);
    for (size_t i = 0; i < count; i++) {
        hb_cell *cells = hb_answer_add_row(rank->answer);
        const hb_bytes key = hb_arena_copy(&rank->answer->texts, top[i]->key);
        cells[0].count = i + 1;
        cells[1].text = rank->users ? key : hb_bytes_of(hb_kind_name(top[i]->kind));
        cells[2].text = rank->users ? hb_arena_copy(&rank->answer->texts, top[i]->name) : key;
        cells[3].count = top[i]->first;
        if (rank->users)
            cells[4].count = top[i]->second;
    }
    free((void *)top);
}

/* Whether the rows of the only hour, which are all that was added so far, give the whole answer: of each kind that was
 * cut off, the last row must not stand before the last of the answer. */
static bool rows_suffice(ranking *rank, size_t limit)
{
    size_t count = 0;
    const rank_entry **top = select_top(rank, limit, &count);
    const rank_entry *last = count == 0 ? NULL : top[count - 1];
    bool suffice = true;
    for (int kind = 0; suffice && kind < HB_KINDS; kind++) {
        if (!is_asked(rank, (hb_kind)kind) || is_complete(rank, (hb_kind)kind))
            continue;
        const rank_entry *last_of_kind = NULL;
        for (size_t i = 0; i < rank->count; i++)
            if (rank->entries[i].kind == (hb_kind)kind &&
                (last_of_kind == NULL || compare(last_of_kind, &rank->entries[i]) < 0))
                last_of_kind = &rank->entries[i];
        suffice = count == limit && last != NULL && last_of_kind != NULL && compare(last_of_kind, last) >= 0;
    }
    free((void *)top);
    return suffice;
}

static bool add_everything(ranking *rank)
{
    const hb_answer *answer = rank->answer;
    if (!hb_store_sheets(rank->store, answer->channel, answer->from_s, answer->to_s, take_sheet, rank, rank->error) ||
        rank->failed)
        return false;
    for (size_t i = 0; i < rank->hour_count; i++)
        if (!rank->hours[i].covered && !add_open_hour(rank, rank->hours[i].hour_s))
            return false;
    return true;
}

bool hb_answer_rank(hb_answer *answer, hb_store *store, const hb_question *question, hb_error *error)
{
    ranking rank = {.store = store,
                    .answer = answer,
                    .users = question->kind == HB_ASK_USERS,
                    .kind = question->word_kind,
                    .error = error};
    bool good = hb_store_minutes(store, answer->channel, answer->from_s, answer->to_s, take_minute, &rank, error);
    bool enough = false;
    if (good && answer->to_s - answer->from_s == HB_HOUR_S) {
        good = add_rows(&rank, answer->from_s);
        enough = good && rows_suffice(&rank, question->limit);
    }
    good = good && (enough || add_everything(&rank));
    if (good)
        fill(&rank, question->limit);
    free(rank.entries);
    free(rank.hours);
    hb_map_free(&rank.map);
    hb_arena_free(&rank.texts);
    return good;
}
