/* answer_rank.c - the most frequent words and the most active users of a range of hours.
 *
 * Months, weeks and days that stand as rollups are read as such; what is left of the range is read by the hour. Two
 * sources tell of an hour: its sheet, which holds everything, and rows, which hold the top of each kind. Counts only
 * grow, so of two values for one hour the greater is the fresher, and whatever was read of an hour is put together by
 * taking the greatest:
 * - a closed hour: its sheet;
 * - an hour in progress: its sheet, up to a minute old, and its rows, which are current. What is only in the sheet may
 *   have grown since, so the answer is not exact unless the rows hold everything, or nothing was counted since;
 * - an hour without a sheet yet: its rows.
 * Rows hold everything when their counts add up to what the minutes' rows, written in the same transactions, count.
 * Short of that, a kind of which fewer rows are there than of another kind was not cut off at the top K either.
 *
 * A question about a single hour is answered from rows alone where they give the very same answer: where no row that
 * was cut off could stand among those asked for. All is read of one state of the store. */
#include "serve/answer_table.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/stretches.h"

#include <stdlib.h>

typedef struct hour_total {
    int64_t hour_s;
    uint64_t total; /* words or messages, as the minutes' rows count them */
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
    hb_kind kind;              /* HB_KINDS: all */
    const hb_ignored *ignored; /* users that take no rank; of words NULL */
    hb_ranking *sum;           /* of the range so far */
    hb_ranking *hour;          /* of one hour that is not closed */
    hour_total *hours;         /* those found by the last look at minutes */
    size_t hour_count;
    size_t hour_capacity;
    int64_t next_s; /* hours before are dealt with */
    hour_rows rows; /* of the hour last read */
    bool too_many;  /* the rollup last read has none to show */
    hb_error *error;
    bool failed; /* within a visitor; *error says how */
} ranking;

/* ---- Rows ---- */

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

/* Finds the hours in which anything was counted, and how much. */
static bool look_at_minutes(ranking *rank, int64_t from_s, int64_t to_s)
{
    rank->hour_count = 0;
    return hb_store_minutes(rank->store, rank->answer->channel, from_s, to_s, take_minute, rank, rank->error);
}

static bool raise(ranking *rank, int64_t hour_s, const hb_ranked *ranked)
{
    rank->failed = rank->failed || !hb_ranking_raise(rank->hour, hour_s, ranked, rank->error);
    return !rank->failed;
}

static bool take_word_row(void *context, const hb_word_row *row, hb_layer layer)
{
    ranking *rank = context;
    (void)layer;
    rank->rows.total += row->word.count;
    rank->rows.counts[row->word.kind]++;
    return raise(rank, row->hour_s,
                 &(hb_ranked){.key = row->word.text, .kind = row->word.kind, .first = row->word.count});
}

static bool take_user_row(void *context, const hb_user_row *row, hb_layer layer)
{
    ranking *rank = context;
    (void)layer;
    rank->rows.total += row->user.messages;
    rank->rows.counts[0]++;
    return raise(
        rank, row->hour_s,
        &(hb_ranked){
            .key = row->user.id, .name = row->user.name, .first = row->user.messages, .second = row->user.words});
}

/* Raises rank->hour to an hour's rows; rank->rows then describes them. */
static bool raise_to_rows(ranking *rank, int64_t hour_s)
{
    const hb_bytes channel = rank->answer->channel;
    rank->rows = (hour_rows){0};
    return (rank->users ? hb_store_users(rank->store, channel, hour_s, take_user_row, rank, rank->error)
                        : hb_store_words(rank->store, channel, hour_s, HB_KINDS, take_word_row, rank, rank->error)) &&
           !rank->failed;
}

static bool is_asked(const ranking *rank, hb_kind kind)
{
    return rank->users ? kind == 0 : rank->kind == HB_KINDS || rank->kind == kind;
}

/* Whether the rows last read hold everything of a kind, in their hour, of which the minutes count `total`. */
static bool is_complete(const ranking *rank, hb_kind kind, uint64_t total)
{
    size_t most = 0;
    if (rank->rows.total == total)
        return true;
    for (int other = 0; other < HB_KINDS; other++)
        if (rank->rows.counts[other] > most)
            most = rank->rows.counts[other];
    return rank->rows.counts[kind] < most;
}

/* ---- Hours ---- */

/* Adds an hour whose rows are to be taken into account, to what its sheet has put into rank->hour already. */
static bool add_with_rows(ranking *rank, const hour_total *hour)
{
    if (!raise_to_rows(rank, hour->hour_s))
        return false;
    for (int kind = 0; kind < HB_KINDS; kind++)
        if (is_asked(rank, (hb_kind)kind) && !is_complete(rank, (hb_kind)kind, hour->total))
            rank->answer->exact = false;
    const bool good = hb_ranking_add_all(rank->sum, rank->hour, rank->error);
    hb_ranking_clear(rank->hour);
    return good;
}

/* Adds the hours from rank->next_s to to_s, none of which has a sheet. */
static bool add_without_sheets(ranking *rank, int64_t to_s)
{
    if (rank->next_s >= to_s)
        return true;
    bool good = look_at_minutes(rank, rank->next_s, to_s);
    for (size_t i = 0; good && i < rank->hour_count; i++)
        good = add_with_rows(rank, &rank->hours[i]);
    return good;
}

/* What minutes' rows have counted in an hour, and what an open hour's sheet has. */
static bool count_both(ranking *rank, const hb_sheet_row *row, uint64_t *of_rows, uint64_t *of_sheet)
{
    hb_sheet *sheet = hb_sheet_decode(row->sheet, rank->error);
    if (sheet == NULL || !look_at_minutes(rank, row->hour_s, row->hour_s + HB_HOUR_S)) {
        hb_sheet_close(sheet);
        return false;
    }
    *of_rows = rank->hour_count == 0 ? 0 : rank->hours[0].total;
    *of_sheet = 0;
    for (unsigned i = 0; i < HB_HOUR_S / HB_MINUTE_S; i++) {
        const hb_minute minute = hb_sheet_minute(sheet, i);
        *of_sheet += rank->users ? minute.messages : minute.words;
    }
    hb_sheet_close(sheet);
    return true;
}

static bool add_sheet(ranking *rank, const hb_sheet_row *row)
{
    uint64_t of_rows = 0;
    uint64_t of_sheet = 0;
    if (row->open && !count_both(rank, row, &of_rows, &of_sheet))
        return false;
    if (!row->open || of_rows == of_sheet) /* nothing has been counted since */
        return hb_ranking_add_sheet(rank->sum, row->hour_s, row->sheet, rank->error);
    return hb_ranking_add_sheet(rank->hour, row->hour_s, row->sheet, rank->error) &&
           add_with_rows(rank, &(hour_total){row->hour_s, of_rows});
}

static bool take_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    ranking *rank = context;
    (void)layer;
    (void)words_version;
    rank->failed = !add_without_sheets(rank, row->hour_s);
    rank->next_s = row->hour_s + HB_HOUR_S;
    if (rank->failed || add_sheet(rank, row))
        return !rank->failed;
    rank->failed = true;
    hb_answer_blame_sheet(row, rank->error);
    return false;
}

static bool add_hours(ranking *rank, int64_t from_s, int64_t to_s)
{
    rank->next_s = from_s;
    return from_s >= to_s ||
           (hb_store_sheets(rank->store, rank->answer->channel, from_s, to_s, take_sheet, rank, rank->error) &&
            !rank->failed && add_without_sheets(rank, to_s));
}

/* ---- Days, weeks and months ---- */

static bool take_ranking(void *context, hb_bytes data)
{
    ranking *rank = context;
    rank->too_many = data.size == 0;
    rank->failed = !rank->too_many && !hb_ranking_add_encoded(rank->sum, data, rank->error);
    return true;
}

static bool add_rollup(ranking *rank, const hb_stretch *rollup)
{
    rank->too_many = false;
    return hb_store_ranking(rank->store, rank->answer->channel, rollup->span, rollup->from_s,
                            rank->users ? HB_RANKING_USERS : HB_RANKING_WORDS, take_ranking, rank, rank->error) &&
           !rank->failed && (!rank->too_many || add_hours(rank, rollup->from_s, rollup->to_s));
}

static bool add_everything(ranking *rank)
{
    hb_stretches all = {0};
    bool good = hb_stretches_find(rank->store, rank->answer->from_s, rank->answer->to_s, &all, rank->error);
    for (size_t i = 0; good && i < all.count; i++)
        good = all.items[i].is_rollup ? add_rollup(rank, &all.items[i])
                                      : add_hours(rank, all.items[i].from_s, all.items[i].to_s);
    free(all.items);
    return good;
}

/* ---- Ranking ---- */

/* <0: a stands before b. Ties are settled by the key's bytes, then by the name of the kind. */
static int compare(const hb_ranked *a, const hb_ranked *b)
{
    if (a->first != b->first)
        return a->first > b->first ? -1 : 1;
    const int order = hb_bytes_compare(a->key, b->key);
    return order != 0 ? order : strcmp(hb_kind_name(a->kind), hb_kind_name(b->kind));
}

static int compare_ranked(const void *a, const void *b)
{
    return compare(a, b);
}

/* Lets the entry at the heap's top sink: each stands behind the two below it. */
static void sink(hb_ranked *heap, size_t count)
{
    for (size_t at = 0, below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && compare(&heap[below + 1], &heap[below]) > 0)
            below++;
        if (compare(&heap[at], &heap[below]) >= 0)
            return;
        const hb_ranked entry = heap[at];
        heap[at] = heap[below];
        heap[below] = entry;
    }
}

/* The first `limit` entries in order, without those that take no rank; the caller frees them. The last of those kept
 * stands at the top of a heap (an array in falling order is one), and gives way to each that stands before it. */
static hb_ranked *select_top(const hb_ranking *all, const hb_ignored *ignored, size_t limit, size_t *count)
{
    const size_t total = hb_ranking_count(all);
    hb_ranked *top = hb_alloc((total < limit ? total : limit) * sizeof *top);
    size_t next = 0;
    for (*count = 0; next < total && *count < limit; next++) {
        top[*count] = hb_ranking_at(all, next);
        *count += !hb_ignored_has(ignored, &top[*count]);
    }
    if (*count == 0)
        return top;
    qsort(top, *count, sizeof *top, compare_ranked);
    if (next == total)
        return top;
    for (size_t i = 0; i < *count / 2; i++) {
        const hb_ranked entry = top[i];
        top[i] = top[*count - 1 - i];
        top[*count - 1 - i] = entry;
    }
    for (; next < total; next++) {
        const hb_ranked entry = hb_ranking_at(all, next);
        if (compare(&entry, &top[0]) < 0 && !hb_ignored_has(ignored, &entry)) {
            top[0] = entry;
            sink(top, *count);
        }
    }
    qsort(top, *count, sizeof *top, compare_ranked);
    return top;
}

static void fill(const ranking *rank, const hb_ranking *all, size_t limit)
{
    size_t count = 0;
    hb_ranked *top = select_top(all, rank->ignored, limit, &count);
    for (size_t i = 0; i < count; i++) {
        hb_cell *cells = hb_answer_add_row(rank->answer);
        const hb_bytes key = hb_arena_copy(&rank->answer->texts, top[i].key);
        cells[0].count = i + 1;
        cells[1].text = rank->users ? key : hb_bytes_of(hb_kind_name(top[i].kind));
        cells[2].text = rank->users ? hb_arena_copy(&rank->answer->texts, top[i].name) : key;
        cells[3].count = top[i].first;
        if (rank->users)
            cells[4].count = top[i].second;
    }
    free(top);
}

/* Whether the rows of the only hour, which are all that rank->hour has, give the whole answer: of each kind that was
 * cut off, the last row (also of a user that takes no rank) must not stand before the last of the answer. */
static bool rows_suffice(const ranking *rank, size_t limit)
{
    size_t count = 0;
    hb_ranked *top = select_top(rank->hour, rank->ignored, limit, &count);
    const hb_ranked *last = count == 0 ? NULL : &top[count - 1];
    const uint64_t total = rank->hour_count == 0 ? UINT64_MAX : rank->hours[0].total;
    bool suffice = true;
    for (int kind = 0; suffice && kind < HB_KINDS; kind++) {
        if (!is_asked(rank, (hb_kind)kind) || is_complete(rank, (hb_kind)kind, total))
            continue;
        hb_ranked last_of_kind = {.first = UINT64_MAX};
        for (size_t i = 0; i < hb_ranking_count(rank->hour); i++) {
            const hb_ranked entry = hb_ranking_at(rank->hour, i);
            if (entry.kind == (hb_kind)kind && compare(&last_of_kind, &entry) < 0)
                last_of_kind = entry;
        }
        suffice =
            count == limit && last != NULL && last_of_kind.first != UINT64_MAX && compare(&last_of_kind, last) >= 0;
    }
    free(top);
    return suffice;
}

static bool answer_hour(ranking *rank, size_t limit, bool *enough)
{
    const int64_t hour_s = rank->answer->from_s;
    if (!look_at_minutes(rank, hour_s, hour_s + HB_HOUR_S) || !raise_to_rows(rank, hour_s))
        return false;
    *enough = rows_suffice(rank, limit);
    if (*enough)
        fill(rank, rank->hour, limit);
    hb_ranking_clear(rank->hour);
    return true;
}

bool hb_answer_rank(hb_answer *answer, hb_store *store, const hb_question *question, hb_error *error)
{
    ranking rank = {.store = store,
                    .answer = answer,
                    .users = question->kind == HB_ASK_USERS,
                    .kind = question->word_kind,
                    .ignored = question->kind == HB_ASK_USERS ? question->ignored : NULL,
                    .error = error};
    const hb_ranking_kind kind = rank.users ? HB_RANKING_USERS : HB_RANKING_WORDS;
    bool enough = false;
    if (!hb_store_hold(store, error))
        return false;
    rank.sum = hb_ranking_open(kind, question->word_kind);
    rank.hour = hb_ranking_open(kind, question->word_kind);
    bool good = answer->to_s - answer->from_s != HB_HOUR_S || answer_hour(&rank, question->limit, &enough);
    if (good && !enough) {
        good = add_everything(&rank);
        if (good)
            fill(&rank, rank.sum, question->limit);
    }
    hb_store_release(store);
    hb_ranking_close(rank.sum);
    hb_ranking_close(rank.hour);
    free(rank.hours);
    return good;
}
