/* answer_engagement.c - how much those who watch take part, minute by minute.
 *
 * What is asked of a minute's row alone (messages, viewers, new chatters, subscribers) is in the rows. Who took part is
 * told by the sheets, whose users have a map of the minutes in which they wrote:
 *
 * - Distinct chatters of ten minutes: a user's map is smeared over the nine minutes that follow each. What goes beyond
 *   the hour is carried on to the next one's sheet, where the same user counts once.
 * - Returning chatters: those of the minutes asked for are looked up in all hours of the thirty days before, and noted
 *   with the last one. Rollups that lie within the thirty days of every hour asked for say as much as their hours.
 *
 * The sheet of an hour in progress is up to a minute old. Where it has fewer chatters of a minute than the row, what
 * depends on it is unknown, and the answer is not exact. All is read of one state of the store. */
#include "serve/answer_table.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/stretches.h"
#include "views/chatters.h"

#include <math.h>
#include <stdlib.h>

enum {
    MINUTES = HB_HOUR_S / HB_MINUTE_S,
    WINDOW = HB_ANSWER_PARTICIPATION, /* minutes, this one and those before */
    BEFORE_MAX = 4096,                /* rows before the first that is told, until those that are too old go */
    HISTORY_S = 30 * HB_DAY_S,
    CHATTERS_MAX = 2 << 20
};

#define NEVER INT64_MIN

typedef struct minute_row {
    int64_t minute_s;
    hb_layer layer;
    bool known; /* its hour's sheet was read */
    uint64_t messages;
    uint64_t chatters;
    uint64_t new_chatters;
    uint64_t subscriber_messages;
    double viewers; /* NAN: no sample */
    uint32_t of_sheet;
    uint32_t of_window;
    uint32_t returning;
} minute_row;

typedef struct hour_counts {
    uint32_t chatters[MINUTES];
    uint32_t of_window[MINUTES];
    uint32_t returning[MINUTES];
} hour_counts;

typedef struct engagement {
    hb_store *store;
    hb_answer *answer;
    minute_row *rows; /* ascending */
    size_t row_count;
    size_t row_capacity;
    size_t first; /* row that is told; those before are there for its ten minutes */
    uint64_t skip;
    uint64_t counted;
    int64_t first_hour_s; /* of the rows told */
    int64_t last_hour_s;

    hb_chatter_table targets; /* chatters of the minutes told: the last hour in which they were seen */
    hb_chatter_table carried; /* minutes of the hour in hand that are within ten of what they wrote before */
    hb_chatter_table carrying;
    int64_t hour_s; /* of the sheet in hand; then of the last one read */
    uint64_t wanted;
    hour_counts counts;
    hb_error *error;
    bool failed; /* within a visitor; *error says how */
} engagement;

/* ---- Rows ---- */

static bool is_told(const engagement *job, const hb_minute_row *row)
{
    return row->minute_s >= job->answer->from_s && (row->count.messages > 0 || row->count.samples > 0);
}

static bool count_row(void *context, const hb_minute_row *row, hb_layer layer)
{
    engagement *job = context;
    (void)layer;
    job->counted += is_told(job, row);
    return true;
}

static void forget_old_rows(engagement *job)
{
    if (job->row_count < BEFORE_MAX)
        return;
    memmove(job->rows, job->rows + job->row_count - WINDOW, WINDOW * sizeof *job->rows);
    job->row_count = WINDOW;
}

static bool take_row(void *context, const hb_minute_row *row, hb_layer layer)
{
    engagement *job = context;
    const hb_minute *const count = &row->count;
    const bool told = is_told(job, row);
    if (told && job->skip == 0) {
        if (job->counted == 0) /* rows that came between counting and reading */
            return false;
        job->counted--;
        if (job->first == SIZE_MAX)
            job->first = job->row_count;
    } else {
        job->skip -= told;
        if (job->first != SIZE_MAX || (count->messages == 0 && count->samples == 0))
            return true;
        forget_old_rows(job);
    }
    HB_RESERVE(job->rows, job->row_capacity, job->row_count + 1);
    job->rows[job->row_count++] =
        (minute_row){.minute_s = row->minute_s,
                     .layer = layer,
                     .messages = count->messages,
                     .chatters = count->chatters,
                     .new_chatters = count->new_chatters,
                     .subscriber_messages = count->subscriber_messages,
                     .viewers = count->samples == 0 ? NAN : (double)count->viewers_sum / (double)count->samples};
    return true;
}

/* Reads the rows; without any to be told, job->first stays SIZE_MAX. */
static bool read_rows(engagement *job, uint32_t limit)
{
    const hb_answer *answer = job->answer;
    const int64_t from_s = answer->from_s - (WINDOW - 1) * HB_MINUTE_S;
    job->first = SIZE_MAX;
    if (!hb_store_minutes(job->store, answer->channel, answer->from_s, answer->to_s, count_row, job, job->error))
        return false;
    job->skip = job->counted > limit ? job->counted - limit : 0;
    job->counted -= job->skip;
    return job->counted == 0 ||
           hb_store_minutes(job->store, answer->channel, from_s, answer->to_s, take_row, job, job->error);
}

/* The rows of an hour, as a run from *at on; returns how many. */
static size_t rows_of(const engagement *job, int64_t hour_s, size_t *at)
{
    size_t low = 0;
    for (size_t high = job->row_count; low < high;) {
        const size_t middle = low + (high - low) / 2;
        if (job->rows[middle].minute_s < hour_s)
            low = middle + 1;
        else
            high = middle;
    }
    size_t count = 0;
    while (low + count < job->row_count && job->rows[low + count].minute_s < hour_s + HB_HOUR_S)
        count++;
    *at = low;
    return count;
}

static unsigned minute_of(const minute_row *row)
{
    return (unsigned)(row->minute_s % HB_HOUR_S / HB_MINUTE_S);
}

/* The minutes of an hour that are told, as a map. */
static uint64_t wanted_of(const engagement *job, int64_t hour_s)
{
    size_t at = 0;
    uint64_t wanted = 0;
    const size_t count = rows_of(job, hour_s, &at);
    for (size_t i = at; i < at + count; i++)
        if (i >= job->first)
            wanted |= UINT64_C(1) << minute_of(&job->rows[i]);
    return wanted;
}

/* ---- Sheets ---- */

static bool read_sheet(engagement *job, const hb_sheet_row *row, hb_visit_chatter *visit)
{
    job->failed = job->failed || !hb_chatters_of_sheet(row->sheet, visit, job, job->error);
    if (job->failed)
        hb_answer_blame_sheet(row, job->error);
    return !job->failed;
}

static bool read_sheets(engagement *job, int64_t from_s, int64_t to_s, hb_visit_sheet *visit)
{
    return from_s >= to_s ||
           (hb_store_sheets(job->store, job->answer->channel, from_s, to_s, visit, job, job->error) && !job->failed);
}

static void take_target(void *context, uint64_t id, uint64_t minutes)
{
    engagement *job = context;
    if ((minutes & job->wanted) == 0 || hb_chatter_find(&job->targets, id) != NULL)
        return;
    if (job->targets.count < CHATTERS_MAX)
        hb_chatter_add(&job->targets, id, NEVER);
    else
        job->failed = true;
}

static bool take_targets(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    engagement *job = context;
    (void)layer;
    (void)words_version;
    job->wanted = wanted_of(job, row->hour_s);
    if (!read_sheet(job, row, take_target))
        return false;
    return !job->failed ||
           hb_fail(job->error, HB_ERROR_LIMIT,
                   "more than %d different chatters are in the range; ask for a shorter one", CHATTERS_MAX);
}

/* ---- The thirty days before ---- */

static void see(void *context, uint64_t id, uint64_t minutes)
{
    const engagement *job = context;
    int64_t *const last_s = hb_chatter_find(&job->targets, id);
    (void)minutes;
    if (last_s != NULL && *last_s < job->hour_s)
        *last_s = job->hour_s;
}

static bool see_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    engagement *job = context;
    (void)layer;
    (void)words_version;
    job->hour_s = row->hour_s;
    job->answer->exact = job->answer->exact && !row->open;
    return read_sheet(job, row, see);
}

typedef struct ranking_visit {
    engagement *job;
    bool absent; /* too many users to be ranked */
} ranking_visit;

static bool see_ranking(void *context, hb_bytes data)
{
    ranking_visit *visit = context;
    engagement *job = visit->job;
    visit->absent = data.size == 0;
    job->failed = !visit->absent && !hb_chatters_of_ranking(data, see, job, job->error);
    return true;
}

static bool see_rollup(engagement *job, const hb_stretch *rollup)
{
    ranking_visit visit = {.job = job};
    job->hour_s = job->first_hour_s - HB_HOUR_S; /* as good as any: it lies within the days before all hours told */
    return hb_store_ranking(job->store, job->answer->channel, rollup->span, rollup->from_s, HB_RANKING_USERS,
                            see_ranking, &visit, job->error) &&
           !job->failed && (!visit.absent || read_sheets(job, rollup->from_s, rollup->to_s, see_sheet));
}

static bool see_history(engagement *job)
{
    hb_stretches all = {0};
    const int64_t first_s = job->first_hour_s - HISTORY_S;
    const int64_t common_s = job->last_hour_s - HISTORY_S; /* from here on it is of every hour told */
    if (common_s >= job->first_hour_s)
        return read_sheets(job, first_s, job->first_hour_s, see_sheet);
    bool good = read_sheets(job, first_s, common_s, see_sheet) &&
                hb_stretches_find(job->store, common_s, job->first_hour_s, &all, job->error);
    for (size_t i = 0; good && i < all.count; i++)
        good = all.items[i].is_rollup ? see_rollup(job, &all.items[i])
                                      : read_sheets(job, all.items[i].from_s, all.items[i].to_s, see_sheet);
    free(all.items);
    return good;
}

/* ---- Counting ---- */

static void count_bits(uint32_t counts[MINUTES], uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1)
        counts[__builtin_ctzll(bits)]++;
}

static void count_chatter(void *context, uint64_t id, uint64_t minutes)
{
    engagement *job = context;
    unsigned __int128 smeared = minutes;
    for (unsigned i = 1; i < WINDOW; i++)
        smeared |= (unsigned __int128)minutes << i;
    const uint64_t here = (uint64_t)smeared & ((UINT64_C(1) << MINUTES) - 1);
    const uint64_t beyond = (uint64_t)(smeared >> MINUTES);
    int64_t *const before = hb_chatter_find(&job->carried, id);
    count_bits(job->counts.chatters, minutes);
    count_bits(job->counts.of_window, here | (before == NULL ? 0 : (uint64_t)*before));
    if (before != NULL)
        *before = 0;
    if (beyond != 0)
        hb_chatter_add(&job->carrying, id, (int64_t)beyond);
    int64_t *const last_s = hb_chatter_find(&job->targets, id);
    if (last_s == NULL)
        return;
    if (*last_s != NEVER && *last_s >= job->hour_s - HISTORY_S && *last_s < job->hour_s)
        count_bits(job->counts.returning, minutes);
    if (job->hour_s >= job->first_hour_s)
        *last_s = job->hour_s;
}

static void fill_rows(engagement *job)
{
    size_t at = 0;
    const size_t count = rows_of(job, job->hour_s, &at);
    for (minute_row *row = job->rows + at; row < job->rows + at + count; row++) {
        const unsigned minute = minute_of(row);
        row->known = true;
        row->of_sheet = job->counts.chatters[minute];
        row->of_window = job->counts.of_window[minute];
        row->returning = job->counts.returning[minute];
    }
}

static bool count_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    engagement *job = context;
    const hb_chatter_table used = job->carried;
    (void)layer;
    (void)words_version;
    job->carried = job->carrying;
    job->carrying = used;
    hb_chatter_table_clear(&job->carrying);
    if (row->hour_s != job->hour_s + HB_HOUR_S)
        hb_chatter_table_clear(&job->carried);
    job->hour_s = row->hour_s;
    job->counts = (hour_counts){0};
    if (!read_sheet(job, row, count_chatter))
        return false;
    for (size_t i = 0; i < job->carried.count; i++) /* who wrote in the hour before, and not in this one */
        count_bits(job->counts.of_window, (uint64_t)job->carried.entries[i].value);
    fill_rows(job);
    return true;
}

static bool read_chatters(engagement *job)
{
    const int64_t last_s = job->rows[job->row_count - 1].minute_s;
    const int64_t window_s = job->rows[job->first].minute_s - (WINDOW - 1) * HB_MINUTE_S;
    job->first_hour_s = hb_time_floor(job->rows[job->first].minute_s, HB_HOUR_S);
    job->last_hour_s = hb_time_floor(last_s, HB_HOUR_S);
    if (!read_sheets(job, job->first_hour_s, job->last_hour_s + HB_HOUR_S, take_targets) || !see_history(job))
        return false;
    job->hour_s = NEVER / 2;
    return read_sheets(job, hb_time_floor(window_s, HB_HOUR_S), job->last_hour_s + HB_HOUR_S, count_sheet);
}

/* ---- The answer ---- */

static bool is_current(const minute_row *row)
{
    return row->known && row->of_sheet == row->chatters;
}

/* Of the ten minutes that end with a row: the viewers' mean, NAN without samples; false: a sheet lags. */
static bool look_back(const engagement *job, size_t at, double *viewers)
{
    double sum = 0;
    unsigned sampled = 0;
    bool current = true;
    for (size_t i = at + 1; i-- > 0 && job->rows[i].minute_s > job->rows[at].minute_s - WINDOW * HB_MINUTE_S;) {
        const minute_row *const row = &job->rows[i];
        current = current && is_current(row);
        if (!isnan(row->viewers)) {
            sum += row->viewers;
            sampled++;
        }
    }
    *viewers = sampled == 0 ? NAN : sum / sampled;
    return current;
}

static double share(double part, double all)
{
    return all > 0 ? part / all : NAN;
}

static void tell(engagement *job, size_t at)
{
    const minute_row *const row = &job->rows[at];
    double viewers = NAN;
    const bool all_current = look_back(job, at, &viewers);
    hb_cell *cells = hb_answer_add_row(job->answer);
    cells[0].time_s = row->minute_s;
    cells[1].count = row->messages;
    cells[2].count = row->chatters;
    cells[3].count = isnan(row->viewers) ? HB_COUNT_NONE : (uint64_t)(row->viewers + 0.5);
    cells[4].real = share(100 * (double)row->messages, row->viewers);
    cells[5].real = all_current ? share(row->of_window, viewers) : NAN;
    cells[6].count = row->new_chatters;
    cells[7].count = is_current(row) ? row->returning : HB_COUNT_NONE;
    cells[8].real = share((double)row->subscriber_messages, (double)row->messages);
    cells[9].text = hb_bytes_of(hb_layer_name(row->layer));
    job->answer->exact = job->answer->exact && all_current;
}

bool hb_answer_list_engagement(hb_answer *answer, hb_store *store, uint32_t limit, hb_error *error)
{
    engagement job = {.store = store, .answer = answer, .error = error};
    if (!hb_store_hold(store, error))
        return false;
    bool good = read_rows(&job, limit);
    if (good && job.first != SIZE_MAX) {
        good = read_chatters(&job);
        for (size_t i = job.first; good && i < job.row_count; i++)
            tell(&job, i);
    }
    hb_store_release(store);
    hb_chatter_table_free(&job.targets);
    hb_chatter_table_free(&job.carried);
    hb_chatter_table_free(&job.carrying);
    free(job.rows);
    return good;
}
