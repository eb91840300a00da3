/* spooled.c - which hours are meant follows from the store's progress, without a look at the topic.
 *
 * A part is due when the speed layer has counted something of it and the batch layer has not; when facts came late
 * since; or when the speed layer got further in an hour that was open still, because it lagged behind. Reading begins
 * at the smallest start of the hours that are meant, in each partition, and goes on to the partition's end. */
#include "cmd/spooled.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/say.h"
#include "cmd/signals.h"
#include "log/spool.h"

#include <signal.h>
#include <stdlib.h>

enum { LOOK_MS = 100 }; /* how soon a signal is noticed */

typedef struct part {
    int64_t part;
    bool counted; /* by the speed layer */
    bool settled; /* by the batch layer */
    uint64_t start;
    uint64_t position;
    uint64_t late;
    uint64_t settled_position;
    uint64_t settled_late;
    int64_t settled_s;
} part;

struct hb_spooled {
    const hb_spooled_query *query; /* while opening */
    part *parts;                   /* ascending */
    size_t part_count;
    size_t part_capacity;
    bool any_counted;
    int64_t *wanted; /* hours, ascending; unless all are */
    size_t wanted_count;
    size_t wanted_capacity;
    bool all;
    hb_spool *spool;
    hb_progress *rows;
    size_t row_capacity;
    bool stopped;
};

static int64_t hour_of(const part *one)
{
    return hb_time_floor(one->part, HB_HOUR_S);
}

/* ---- What the store says ---- */

static part *add_part(hb_spooled *spooled, const hb_progress *progress)
{
    HB_RESERVE(spooled->parts, spooled->part_capacity, spooled->part_count + 1);
    part *const one = &spooled->parts[spooled->part_count++];
    *one = (part){.part = progress->part, .start = progress->start};
    return one;
}

static bool note_speed(void *context, const hb_progress *progress, int64_t at_s)
{
    hb_spooled *const spooled = context;
    (void)at_s;
    spooled->any_counted = true;
    part *const one = add_part(spooled, progress);
    one->counted = true;
    one->position = progress->position;
    one->late = progress->late;
    return true;
}

static bool note_batch(void *context, const hb_progress *progress, int64_t at_s)
{
    if (!progress->done)
        return true;
    part *const one = add_part(context, progress);
    one->settled = true;
    one->settled_position = progress->position & ~HB_PROGRESS_REMOVED;
    one->settled_late = progress->late;
    one->settled_s = at_s;
    return true;
}

static int by_part(const void *a, const void *b)
{
    const part *const one = a;
    const part *const other = b;
    if (one->part != other->part)
        return one->part < other->part ? -1 : 1;
    return (int)other->counted - (int)one->counted; /* the speed layer's first */
}

/* Makes one of the two layers' entries of each part. */
static void merge_parts(hb_spooled *spooled)
{
    size_t kept = 0;
    if (spooled->part_count > 0)
        qsort(spooled->parts, spooled->part_count, sizeof *spooled->parts, by_part);
    for (size_t i = 0; i < spooled->part_count; i++) {
        const part *const one = &spooled->parts[i];
        part *const last = kept == 0 ? NULL : &spooled->parts[kept - 1];
        if (last == NULL || last->part != one->part) {
            spooled->parts[kept++] = *one;
            continue;
        }
        last->settled |= one->settled;
        last->settled_position = one->settled_position;
        last->settled_late = one->settled_late;
        last->settled_s = one->settled_s;
    }
    spooled->part_count = kept;
}

static bool read_progress(hb_spooled *spooled, hb_store *store, hb_error *error)
{
    const bool good = store == NULL || (hb_store_progress(store, HB_LAYER_SPEED, note_speed, spooled, error) &&
                                        hb_store_progress(store, HB_LAYER_BATCH, note_batch, spooled, error));
    merge_parts(spooled);
    return good;
}

static bool is_due(const part *one)
{
    return one->counted && (!one->settled || one->late > one->settled_late || one->position > one->settled_position);
}

/* Adds up what is known of an hour's parts, which begin at parts[i]; returns where the next hour's begin. */
static size_t sum_up(const hb_spooled *spooled, size_t i, hb_hour *hour)
{
    hour->hour_s = hour_of(&spooled->parts[i]);
    hour->settled = true;
    for (; i < spooled->part_count && hour_of(&spooled->parts[i]) == hour->hour_s; i++) {
        const part *const one = &spooled->parts[i];
        hour->counted |= one->counted;
        hour->late += one->late;
        hour->settled &= one->settled;
        hour->settled_late += one->settled_late;
        hour->due |= is_due(one);
        if (one->settled_s > hour->settled_s)
            hour->settled_s = one->settled_s;
    }
    return i;
}

/* ---- Which hours are meant ---- */

static bool is_over(const hb_spooled *spooled, int64_t hour_s)
{
    return (hour_s + HB_HOUR_S + HB_HOURS_REST_S) * 1000 <= spooled->query->now_ms;
}

static void want_hour(hb_spooled *spooled, int64_t hour_s)
{
    HB_RESERVE(spooled->wanted, spooled->wanted_capacity, spooled->wanted_count + 1);
    spooled->wanted[spooled->wanted_count++] = hour_s;
}

static bool is_in_range(const hb_spooled *spooled, int64_t hour_s)
{
    return hour_s >= spooled->query->from_s && hour_s < spooled->query->to_s;
}

static bool note_outdated(void *context, int64_t hour_s)
{
    hb_spooled *const spooled = context;
    if (is_in_range(spooled, hour_s) && is_over(spooled, hour_s))
        want_hour(spooled, hour_s);
    return true;
}

static bool choose(hb_spooled *spooled, hb_store *store, hb_hours *hours, hb_error *error)
{
    const hb_spooled_query *const query = spooled->query;
    spooled->all = query->choice == HB_SPOOLED_ALL ||
                   (query->choice == HB_SPOOLED_DUE && !spooled->any_counted && query->ready == NULL);
    if (query->choice == HB_SPOOLED_OUTDATED)
        return store == NULL || hb_store_outdated(store, HB_WORDS_VERSION, note_outdated, spooled, error);
    for (size_t i = 0; i < spooled->part_count;) {
        hb_hour hour = {0};
        i = sum_up(spooled, i, &hour);
        hour.changed_ms = hour.settled ? query->now_ms : 0; /* when late facts came is not known */
        if (!is_in_range(spooled, hour.hour_s))
            continue;
        if (!is_over(spooled, hour.hour_s))
            hours->going_on++;
        else if (!spooled->all && hour.due && (query->ready == NULL || query->ready(&hour, query->now_ms)))
            want_hour(spooled, hour.hour_s);
    }
    return true;
}

static bool is_wanted(void *context, int64_t hour_s)
{
    const hb_spooled *const spooled = context;
    size_t low = 0;
    size_t high = spooled->wanted_count;
    if (spooled->all)
        return is_in_range(spooled, hour_s) && is_over(spooled, hour_s);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (spooled->wanted[middle] < hour_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low < spooled->wanted_count && spooled->wanted[low] == hour_s;
}

/* ---- Copying ---- */

/* The smallest start of the hours that are meant, for each partition. Where one of these is 0 it is the topic's
 * beginning, or not known: the partition is left out, and read from the time of the first hour on. */
static hb_log_position *find_starts(const hb_spooled *spooled, size_t *count)
{
    hb_log_position *starts = NULL;
    size_t capacity = 0;
    *count = 0;
    for (size_t i = 0; !spooled->all && i < spooled->part_count; i++) {
        const part *const one = &spooled->parts[i];
        const int32_t partition = (int32_t)(one->part - hour_of(one));
        size_t at = 0;
        if (!one->counted || !is_wanted((void *)spooled, hour_of(one)))
            continue;
        while (at < *count && starts[at].part != partition)
            at++;
        if (at == *count) {
            HB_RESERVE(starts, capacity, *count + 1);
            starts[(*count)++] = (hb_log_position){partition, one->start};
        } else if (one->start < starts[at].offset) {
            starts[at].offset = one->start;
        }
    }
    for (size_t i = 0; i < *count;)
        if (starts[i].offset == 0)
            starts[i] = starts[--*count];
        else
            i++;
    return starts;
}

static int64_t to_ms(int64_t time_s)
{
    return time_s > INT64_MAX / 1000 ? INT64_MAX : time_s < 0 ? 0 : time_s * 1000;
}

/* Copies until done, or told to stop by a signal. */
static bool fill(hb_spooled *spooled, hb_error *error)
{
    hb_progress_bar *bar = hb_progress_bar_open("copy from Kafka", "facts", 0);
    bool filled = false;
    bool good = true;
    while (good && !filled && !spooled->stopped) {
        good = hb_spool_fill(spooled->spool, LOOK_MS, &filled, error);
        hb_progress_bar_show(bar, hb_spool_facts(spooled->spool), 0);
        const int number = hb_signals_wait(0);
        spooled->stopped = number == SIGINT || number == SIGTERM;
    }
    hb_progress_bar_close(bar);
    return good;
}

static bool copy(hb_spooled *spooled, hb_error *error)
{
    const hb_spooled_query *const query = spooled->query;
    size_t start_count = 0;
    hb_log_position *starts = find_starts(spooled, &start_count);
    const int64_t from_s = spooled->all ? query->from_s : spooled->wanted[0];
    const int64_t to_s = spooled->all ? query->to_s : spooled->wanted[spooled->wanted_count - 1];
    const hb_spool_query what = {.from_ms = to_ms(from_s),
                                 .to_ms = to_ms(to_s > INT64_MAX - HB_HOUR_S ? to_s : to_s + HB_HOUR_S),
                                 .starts = starts,
                                 .start_count = start_count,
                                 .want = is_wanted,
                                 .context = spooled};
    spooled->spool = hb_spool_open(query->log, &what, query->directory, error);
    free(starts);
    return spooled->spool != NULL && fill(spooled, error);
}

/* Leaves out hours that the topic has forgotten in part: what the store says of them is more. */
static void leave_out(const hb_spooled *spooled, hb_hours *hours)
{
    const int64_t whole_from = hb_spool_whole_from(spooled->spool);
    size_t kept = 0;
    size_t left_out = 0;
    for (size_t i = 0; i < hours->count; i++)
        if (hours->items[i].hour_s >= whole_from)
            hours->items[kept++] = hours->items[i];
        else
            left_out++;
    hours->count = kept;
    if (left_out > 0) {
        char name[HB_TIME_TEXT];
        hb_time_print(whole_from, name);
        hb_say_warning("%zu hours before %s stay as they are: the topic does not hold them whole any more", left_out,
                       name);
    }
}

static bool list_hours(hb_spooled *spooled, hb_hours *hours, hb_error *error)
{
    const size_t going_on = hours->going_on;
    hb_error unimportant = {0};
    hb_log *log = hb_log_open(hb_spool_log(spooled->spool), HB_LOG_READ, NULL, error);
    if (log == NULL)
        return false;
    const bool good = hb_hours_list(log, NULL, INT64_MIN, INT64_MAX, false, spooled->query->now_ms, hours, error);
    hb_log_close(log, &unimportant); /* only read: nothing to lose */
    hours->going_on = going_on;
    leave_out(spooled, hours);
    for (size_t i = 0, k = 0; i < hours->count; i++) {
        while (k < spooled->part_count && hour_of(&spooled->parts[k]) < hours->items[i].hour_s)
            k++;
        if (k == spooled->part_count || hour_of(&spooled->parts[k]) != hours->items[i].hour_s)
            continue;
        const uint64_t end = hours->items[i].end;
        hours->items[i] = (hb_hour){.end = end};
        k = sum_up(spooled, k, &hours->items[i]);
        hours->items[i].outdated = spooled->query->choice == HB_SPOOLED_OUTDATED;
    }
    return good;
}

/* ---- The door ---- */

hb_spooled *hb_spooled_open(const hb_spooled_query *query, hb_store *store, hb_hours *hours, bool *stopped,
                            hb_error *error)
{
    hb_spooled *spooled = hb_alloc(sizeof *spooled);
    *hours = (hb_hours){0};
    spooled->query = query;
    bool good = read_progress(spooled, store, error) && choose(spooled, store, hours, error);
    if (good && (spooled->all || spooled->wanted_count > 0))
        good = copy(spooled, error) && (spooled->stopped || list_hours(spooled, hours, error));
    *stopped = spooled->stopped;
    spooled->query = NULL;
    if (good)
        return spooled;
    hb_hours_free(hours);
    hb_spooled_close(spooled);
    return NULL;
}

void hb_spooled_close(hb_spooled *spooled)
{
    if (spooled == NULL)
        return;
    hb_spool_close(spooled->spool);
    free(spooled->parts);
    free(spooled->wanted);
    free(spooled->rows);
    free(spooled);
}

const char *hb_spooled_log(const hb_spooled *spooled)
{
    return spooled->spool == NULL ? NULL : hb_spool_log(spooled->spool);
}

static const part *find_part(const hb_spooled *spooled, int64_t number)
{
    const part wanted = {.part = number};
    size_t low = 0;
    size_t high = spooled->part_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (spooled->parts[middle].part < wanted.part)
            low = middle + 1;
        else
            high = middle;
    }
    return low < spooled->part_count && spooled->parts[low].part == number ? &spooled->parts[low] : NULL;
}

void hb_spooled_progress(hb_spooled *spooled, int64_t hour_s, hb_changes *changes)
{
    size_t ends_count = 0;
    size_t count = 0;
    const hb_log_position *const ends = hb_spool_ends(spooled->spool, &ends_count);
    HB_RESERVE(spooled->rows, spooled->row_capacity, ends_count);
    for (size_t i = 0; i < ends_count; i++) {
        const part *const known = find_part(spooled, hour_s + ends[i].part);
        uint64_t start = 0;
        const bool held = hb_spool_first(spooled->spool, hour_s, (int32_t)ends[i].part, &start);
        if (!held && known == NULL)
            continue;
        spooled->rows[count++] = (hb_progress){.part = hour_s + ends[i].part,
                                               .start = held ? start : known->start,
                                               .position = ends[i].offset,
                                               .done = true,
                                               .late = known == NULL ? 0 : known->late};
    }
    changes->progress = spooled->rows;
    changes->progress_count = count;
}
