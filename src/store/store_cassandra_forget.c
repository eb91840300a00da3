/* store_cassandra_forget.c - removing what is old, by whole partitions. Which there are is asked once for all channels:
 * a question about the keys alone, which Cassandra answers without reading the rows.
 *
 * Minutes of all channels go before any hour does; of an hour the sheet goes last. */
#include "store/store_cassandra.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>

enum {
    PARTITIONS_AT_ONCE = 200, /* in one step */
    KEPT_MAX = 1 << 20        /* what is found beyond is found by the next look */
};

#define FORGET_BASE (INT64_C(1) << 61) /* as the batch layer's timestamps: later than all that was written before */

static void drop_list(hb_cassandra *store)
{
    hb_arena_reset(&store->names);
    store->day_count = store->hour_count = 0;
    store->looked = false;
}

static bool look_for(hb_cassandra *store, hb_cassandra_statement which, int64_t before_s, hb_cassandra_old **list,
                     size_t *count, size_t *capacity, hb_error *error)
{
    bool good = true;
    if (!hb_cassandra_begin_row(store, which, error))
        return false;
    hubbub_cql_rows *rows = hubbub_cql_ask(store->cql);
    while (*count < KEPT_MAX && hb_cassandra_next(store, rows, &good, error)) {
        const int64_t start_s = hb_cassandra_time(rows, 1);
        if (start_s >= before_s)
            continue;
        hb_reserve((void **)list, capacity, *count + 1, sizeof **list);
        (*list)[(*count)++] = (hb_cassandra_old){hb_arena_copy(&store->names, hb_cassandra_text(rows, 0)), start_s};
    }
    hubbub_cql_rows_close(rows);
    return good;
}

static int compare_old(const void *left, const void *right)
{
    const hb_cassandra_old *const a = left;
    const hb_cassandra_old *const b = right;
    const int order = hb_bytes_compare(a->channel, b->channel);
    return order != 0 ? order : (a->start_s > b->start_s) - (a->start_s < b->start_s);
}

/* An hour whose writer died early may have rows, and no sheet. */
static bool look(hb_cassandra *store, int64_t before_s, hb_error *error)
{
    static const hb_cassandra_statement of_hours[] = {HB_CASSANDRA_SHEET_HOURS, HB_CASSANDRA_WORD_HOURS,
                                                      HB_CASSANDRA_USER_HOURS};
    size_t kept = 0;
    if (store->looked && store->before_s == before_s)
        return true;
    drop_list(store);
    bool good =
        look_for(store, HB_CASSANDRA_DAYS, before_s, &store->days, &store->day_count, &store->day_capacity, error);
    for (size_t i = 0; good && i < sizeof of_hours / sizeof *of_hours; i++)
        good = look_for(store, of_hours[i], before_s, &store->hours, &store->hour_count, &store->hour_capacity, error);
    if (!good)
        return false;
    if (store->hour_count > 0)
        qsort(store->hours, store->hour_count, sizeof *store->hours, compare_old);
    for (size_t i = 0; i < store->hour_count; i++)
        if (kept == 0 || compare_old(&store->hours[kept - 1], &store->hours[i]) != 0)
            store->hours[kept++] = store->hours[i];
    store->hour_count = kept;
    store->looked = true;
    store->before_s = before_s;
    return true;
}

static bool drop(hb_cassandra *store, hb_cassandra_statement which, const hb_cassandra_old *old, hb_error *error)
{
    if (!hb_cassandra_begin_row(store, which, error))
        return false;
    hubbub_cql_bigint(store->cql, FORGET_BASE + hb_now_ms() * 1000);
    hb_cassandra_bind_text(store, old->channel);
    hb_cassandra_bind_time(store, old->start_s);
    return true;
}

/* A day's moments of all channels. */
static bool drop_all(hb_cassandra *store, int64_t day_s, hb_error *error)
{
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_CLEAR_MOMENTS_BY_DAY, error))
        return false;
    hubbub_cql_bigint(store->cql, FORGET_BASE + hb_now_ms() * 1000);
    hb_cassandra_bind_time(store, day_s);
    hubbub_cql_send(store->cql);
    return true;
}

/* Days of all channels; those that are gone leave the list from its end. */
static bool forget_days(hb_cassandra *store, bool *more, hb_error *error)
{
    size_t left = store->day_count;
    const size_t stop = left > PARTITIONS_AT_ONCE ? left - PARTITIONS_AT_ONCE : 0;
    while (left > stop) {
        const hb_cassandra_old *const old = &store->days[--left];
        if (!drop(store, HB_CASSANDRA_CLEAR_DAY_MINUTES, old, error) ||
            !drop(store, HB_CASSANDRA_CLEAR_DAY_VIEWERS, old, error) ||
            !drop(store, HB_CASSANDRA_CLEAR_DAY_MOMENTS, old, error))
            return false;
        hubbub_cql_send(store->cql);
        if ((left == 0 || store->days[left - 1].start_s != old->start_s) && !drop_all(store, old->start_s, error))
            return false;
    }
    if (!hb_cassandra_wait(store, error))
        return false;
    *more = left > 0;
    if (store->day_count == KEPT_MAX && left == 0) {
        drop_list(store);
        *more = true;
    } else {
        store->day_count = left;
    }
    return true;
}

/* Of the list's hours from..to: all but the sheets, then the sheets. */
static bool forget_hours(hb_cassandra *store, size_t from, size_t to, hb_error *error)
{
    static const hb_cassandra_statement rows[] = {HB_CASSANDRA_CLEAR_WORDS, HB_CASSANDRA_CLEAR_USERS,
                                                  HB_CASSANDRA_CLEAR_TOP_WORDS, HB_CASSANDRA_CLEAR_TOP_USERS};
    for (size_t i = from; i < to; i++) {
        for (size_t table = 0; table < sizeof rows / sizeof *rows; table++)
            if (!drop(store, rows[table], &store->hours[i], error))
                return false;
        hubbub_cql_send(store->cql);
    }
    if (!hb_cassandra_wait(store, error))
        return false;
    for (size_t i = from; i < to; i++) {
        if (!drop(store, HB_CASSANDRA_CLEAR_SHEET, &store->hours[i], error))
            return false;
        hubbub_cql_send(store->cql);
    }
    return hb_cassandra_wait(store, error);
}

static size_t find_channel(const hb_cassandra *store, hb_bytes channel)
{
    size_t from = 0;
    size_t to = store->hour_count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (hb_bytes_compare(store->hours[middle].channel, channel) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool forget_channel(hb_cassandra *store, hb_bytes channel, bool *more, hb_error *error)
{
    size_t from = find_channel(store, channel);
    while (from < store->hour_count && store->hours[from].start_s == INT64_MIN &&
           hb_bytes_equal(store->hours[from].channel, channel))
        from++; /* gone already */
    size_t to = from;
    while (to < store->hour_count && to - from < PARTITIONS_AT_ONCE &&
           hb_bytes_equal(store->hours[to].channel, channel))
        to++;
    if (!forget_hours(store, from, to, error))
        return false;
    for (size_t i = from; i < to; i++)
        store->hours[i].start_s = INT64_MIN;
    *more = to < store->hour_count && hb_bytes_equal(store->hours[to].channel, channel);
    return true;
}

bool hb_cassandra_forget(hb_store *base, hb_bytes channel, int64_t before_s, bool *more, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    *more = false;
    if (!look(store, before_s, error))
        return false;
    return channel.size == 0 ? forget_days(store, more, error) : forget_channel(store, channel, more, error);
}
