/* rollup.c - choosing what to make, and making it channel by channel.
 *
 * Each bit is a transaction of its own, so the store's writer is never kept for long. That an hour may change between
 * two bits is settled by the store: the rollup falls then, closing it fails, and it is chosen again. */
#include "store/rollup.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>

enum {
    LOOK_S = 60,
    REST_S = 900 /* after a span's end: the batch layer comes first */,
    DAY_HOURS = HB_DAY_S / HB_HOUR_S,
    SPAN_DAYS = 31 /* at most */
};

typedef struct known_hour {
    int64_t hour_s;
    bool closed;
} known_hour;

typedef struct known_rollup {
    hb_span span;
    int64_t start_s;
    hb_rollup_state state;
} known_rollup;

/* What there is to choose from. */
typedef struct survey {
    known_hour *hours; /* ascending */
    size_t hour_count;
    size_t hour_capacity;
    known_rollup *rollups;
    size_t rollup_count;
    size_t rollup_capacity;
} survey;

struct hb_rollup {
    hb_store *store;
    int64_t looked_s; /* when there was nothing to do */
    bool making;
    hb_span span;
    int64_t start_s;
    int64_t end_s;
    hb_bytes *channels;
    size_t channel_count;
    size_t channel_capacity;
    hb_arena names;
    size_t channel; /* the next one */
    hb_ranking_kind kind;
    bool days[SPAN_DAYS];    /* which of a week or month stand */
    hb_ranking *rankings[2]; /* to work in, by kind */
    hb_buffer first_day;     /* the channel's first ranking in a week or month, encoded, while there is no second */
    bool covered[DAY_HOURS]; /* hours of the day that the channel has a closed sheet of */
    bool unfit;              /* see hb_rollup_state */
    bool fallen;             /* no longer being made, for the store */
    bool too_many;
};

hb_rollup *hb_rollup_open(hb_store *store)
{
    hb_rollup *rollup = hb_alloc(sizeof *rollup);
    rollup->store = store;
    rollup->looked_s = INT64_MIN;
    return rollup;
}

void hb_rollup_close(hb_rollup *rollup)
{
    if (rollup == NULL)
        return;
    for (int kind = 0; kind < 2; kind++)
        hb_ranking_close(rollup->rankings[kind]);
    hb_buffer_free(&rollup->first_day);
    hb_arena_free(&rollup->names);
    free(rollup->channels);
    free(rollup);
}

/* ---- Choosing ---- */

static bool note_hour(void *context, const hb_progress *progress, int64_t at_s)
{
    survey *const all = context;
    (void)at_s;
    HB_RESERVE(all->hours, all->hour_capacity, all->hour_count + 1);
    all->hours[all->hour_count++] = (known_hour){progress->part, progress->done};
    return true;
}

static bool note_rollup(void *context, hb_span span, int64_t start_s, hb_rollup_state state)
{
    survey *const all = context;
    HB_RESERVE(all->rollups, all->rollup_capacity, all->rollup_count + 1);
    all->rollups[all->rollup_count++] = (known_rollup){span, start_s, state};
    return true;
}

static int compare_hours(const void *left, const void *right)
{
    const known_hour *const a = left;
    const known_hour *const b = right;
    return (a->hour_s > b->hour_s) - (a->hour_s < b->hour_s);
}

/* Two layers tell of an hour: it is closed when either says so. */
static void unite_hours(survey *all)
{
    size_t count = 0;
    if (all->hour_count > 0)
        qsort(all->hours, all->hour_count, sizeof *all->hours, compare_hours);
    for (size_t i = 0; i < all->hour_count; i++)
        if (count > 0 && all->hours[count - 1].hour_s == all->hours[i].hour_s)
            all->hours[count - 1].closed |= all->hours[i].closed;
        else
            all->hours[count++] = all->hours[i];
    all->hour_count = count;
}

static bool look_around(hb_rollup *rollup, survey *all, hb_error *error)
{
    hb_store *const store = rollup->store;
    if (!hb_store_hold(store, error))
        return false;
    const bool good = hb_store_progress(store, HB_LAYER_SPEED, note_hour, all, error) &&
                      hb_store_progress(store, HB_LAYER_BATCH, note_hour, all, error) &&
                      hb_store_rollups(store, INT64_MIN, INT64_MAX, note_rollup, all, error);
    hb_store_release(store);
    unite_hours(all);
    return good;
}

/* The order in which the store tells of them. */
static int compare_rollups(const void *left, const void *right)
{
    const known_rollup *const a = left;
    const known_rollup *const b = right;
    if (a->span != b->span)
        return a->span > b->span ? -1 : 1;
    return (a->start_s > b->start_s) - (a->start_s < b->start_s);
}

static hb_rollup_state state_of(const survey *all, hb_span span, int64_t start_s)
{
    const known_rollup key = {.span = span, .start_s = start_s};
    const known_rollup *found =
        all->rollup_count == 0 ? NULL
                               : bsearch(&key, all->rollups, all->rollup_count, sizeof *all->rollups, compare_rollups);
    return found == NULL ? HB_ROLLUP_MAKING : found->state;
}

/* Chooses the newest one that is whole and not made yet. */
static bool choose(hb_rollup *rollup, const survey *all, hb_span span, int64_t from_s, int64_t now_s)
{
    for (size_t last = all->hour_count, first; last > 0; last = first) {
        const int64_t start_s = hb_span_start(span, all->hours[last - 1].hour_s);
        const int64_t end_s = hb_span_end(span, start_s);
        bool whole = end_s + REST_S <= now_s && start_s >= from_s;
        for (first = last; first > 0 && all->hours[first - 1].hour_s >= start_s; first--) {
            const known_hour *const hour = &all->hours[first - 1];
            whole = whole &&
                    (span == HB_SPAN_DAY
                         ? hour->closed
                         : state_of(all, HB_SPAN_DAY, hb_span_start(HB_SPAN_DAY, hour->hour_s)) == HB_ROLLUP_STANDS);
        }
        if (whole && state_of(all, span, start_s) == HB_ROLLUP_MAKING) {
            rollup->span = span;
            rollup->start_s = start_s;
            rollup->end_s = end_s;
            return true;
        }
    }
    return false;
}

/* Notes which days there are to add up: a channel would be asked for on all the others in vain. */
static void note_days(hb_rollup *rollup, const survey *all)
{
    for (int64_t day = 0; day < SPAN_DAYS; day++) {
        const int64_t day_s = rollup->start_s + day * HB_DAY_S;
        rollup->days[day] = day_s < rollup->end_s && state_of(all, HB_SPAN_DAY, day_s) == HB_ROLLUP_STANDS;
    }
}

static bool note_channel(void *context, const hb_channel_row *row)
{
    hb_rollup *const rollup = context;
    HB_RESERVE(rollup->channels, rollup->channel_capacity, rollup->channel_count + 1);
    rollup->channels[rollup->channel_count++] = hb_arena_copy(&rollup->names, row->channel);
    return true;
}

/* Chooses and opens the next one; rollup->making stays false when there is none. */
static bool begin(hb_rollup *rollup, int64_t from_s, int64_t now_s, hb_error *error)
{
    survey all = {0};
    if (rollup->looked_s != INT64_MIN && now_s >= rollup->looked_s && now_s < rollup->looked_s + LOOK_S)
        return true;
    bool good = look_around(rollup, &all, error);
    for (hb_span span = HB_SPAN_DAY; good && !rollup->making && span < HB_SPANS; span++)
        rollup->making = choose(rollup, &all, span, from_s, now_s);
    if (rollup->making)
        note_days(rollup, &all);
    rollup->looked_s = rollup->making ? INT64_MIN : now_s;
    free(all.hours);
    free(all.rollups);
    if (!rollup->making)
        return good;
    hb_arena_reset(&rollup->names);
    rollup->channel_count = rollup->channel = 0;
    rollup->kind = HB_RANKING_WORDS;
    rollup->unfit = false;
    good = hb_store_rollup_open(rollup->store, rollup->span, rollup->start_s, error) &&
           hb_store_channels(rollup->store, note_channel, rollup, error);
    rollup->making = good;
    return good;
}

/* ---- Making ---- */

/* What could not be added makes the ranking unfit, or the channel one of those with too many. */
static void settle(hb_rollup *rollup, const hb_error *error)
{
    if (error->code == HB_ERROR_LIMIT)
        rollup->too_many = true;
    else
        rollup->unfit = true; /* a damaged sheet: whoever reads the hour is told */
}

static bool add_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    hb_rollup *const rollup = context;
    hb_error error = {0};
    (void)layer;
    (void)words_version;
    rollup->unfit |= row->open;
    rollup->covered[(row->hour_s - rollup->start_s) / HB_HOUR_S] = true;
    if (!rollup->unfit && !rollup->too_many &&
        !hb_ranking_add_sheet(rollup->rankings[rollup->kind], row->hour_s, row->sheet, &error))
        settle(rollup, &error);
    return !rollup->unfit;
}

static bool check_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    hb_rollup *const rollup = context;
    (void)layer;
    rollup->unfit |= !rollup->covered[(row->minute_s - rollup->start_s) / HB_HOUR_S];
    return !rollup->unfit;
}

static void add_encoded(hb_rollup *rollup, hb_bytes ranking)
{
    hb_error error = {0};
    if (!rollup->too_many && !hb_ranking_add_encoded(rollup->rankings[rollup->kind], ranking, &error))
        settle(rollup, &error);
}

/* Many a channel was live on one day of a week: then the week's ranking is the day's, byte by byte. So the first one is
 * looked into only when there is a second. */
static bool add_day(void *context, hb_bytes ranking)
{
    hb_rollup *const rollup = context;
    const bool only = hb_ranking_count(rollup->rankings[rollup->kind]) == 0;
    if (ranking.size == 0) {
        rollup->too_many = true;
    } else if (only && rollup->first_day.size == 0) {
        hb_buffer_append(&rollup->first_day, ranking);
    } else {
        if (rollup->first_day.size > 0)
            add_encoded(rollup, hb_buffer_bytes(&rollup->first_day));
        rollup->first_day.size = 0;
        add_encoded(rollup, ranking);
    }
    return true;
}

/* Adds up all of a channel. */
static bool add_up(hb_rollup *rollup, hb_bytes channel, hb_error *error)
{
    hb_store *const store = rollup->store;
    if (rollup->span != HB_SPAN_DAY) {
        bool good = true;
        for (int64_t day = 0; good && day < SPAN_DAYS; day++)
            good = !rollup->days[day] || hb_store_ranking(store, channel, HB_SPAN_DAY, rollup->start_s + day * HB_DAY_S,
                                                          rollup->kind, add_day, rollup, error);
        return good;
    }
    memset(rollup->covered, 0, sizeof rollup->covered);
    return hb_store_sheets(store, channel, rollup->start_s, rollup->end_s, add_sheet, rollup, error) &&
           (rollup->kind == HB_RANKING_USERS || rollup->unfit ||
            hb_store_minutes(store, channel, rollup->start_s, rollup->end_s, check_minute, rollup, error));
}

static bool make_channel(hb_rollup *rollup, hb_error *error)
{
    const hb_bytes channel = rollup->channels[rollup->channel];
    if (rollup->rankings[rollup->kind] == NULL)
        rollup->rankings[rollup->kind] = hb_ranking_open(rollup->kind, HB_KINDS);
    hb_ranking *const ranking = rollup->rankings[rollup->kind];
    hb_ranking_clear(ranking);
    rollup->first_day.size = 0;
    rollup->too_many = false;
    if (!add_up(rollup, channel, error))
        return false;
    char *data = NULL;
    const bool one_day = rollup->first_day.size > 0;
    const bool any = rollup->too_many || one_day || hb_ranking_count(ranking) > 0;
    hb_bytes encoded = {"", 0};
    if (one_day && !rollup->too_many) {
        encoded = hb_buffer_bytes(&rollup->first_day);
    } else if (any && !rollup->too_many) {
        hb_ranking_encode(ranking, &data, &encoded.size);
        encoded.data = data;
    }
    const bool good = rollup->unfit || hb_store_rollup_put(rollup->store, channel, rollup->span, rollup->start_s,
                                                           rollup->kind, any ? &encoded : NULL, error);
    free(data);
    if (good && rollup->kind == HB_RANKING_USERS)
        rollup->channel++;
    if (good)
        rollup->kind = rollup->kind == HB_RANKING_USERS ? HB_RANKING_WORDS : HB_RANKING_USERS;
    return good;
}

static bool note_state(void *context, hb_span span, int64_t start_s, hb_rollup_state state)
{
    hb_rollup *const rollup = context;
    rollup->fallen &= span != rollup->span || start_s != rollup->start_s || state != HB_ROLLUP_MAKING;
    return true;
}

/* Whether an hour has changed meanwhile: then going on would be in vain. */
static bool ask_fallen(hb_rollup *rollup, hb_error *error)
{
    rollup->fallen = true;
    return hb_store_rollups(rollup->store, rollup->start_s, rollup->start_s + 1, note_state, rollup, error);
}

bool hb_rollup_step(hb_rollup *rollup, int64_t from_s, int64_t now_s, bool *more, hb_error *error)
{
    bool closed = false;
    *more = false;
    if (!rollup->making) {
        const bool good = begin(rollup, from_s, now_s, error);
        *more = rollup->making;
        return good;
    }
    *more = true;
    if (!ask_fallen(rollup, error))
        return false;
    if (!rollup->fallen && !rollup->unfit && rollup->channel < rollup->channel_count)
        return make_channel(rollup, error);
    rollup->making = false; /* whether it stands or has fallen: what comes next is chosen anew */
    return hb_store_rollup_close(rollup->store, rollup->span, rollup->start_s,
                                 rollup->unfit ? HB_ROLLUP_UNFIT : HB_ROLLUP_STANDS, &closed, error);
}
