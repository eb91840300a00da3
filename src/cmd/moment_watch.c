/* moment_watch.c - notes are a list of spans of time to look at, the channels that were written, and marks of where in
 * the log which minutes begin (moment_lines.h). A look takes the spans as far as they have ended, and leaves the rest.
 */
#include "cmd/moment_watch.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/say.h"
#include "views/moments.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LOOK_MS = 2000,
    RETRY_MS = 30 * 1000, /* after a failure */
    SPANS = 64,           /* noted at once; further ones widen the last */
    MARKS = 256,
    LOWEST_PRIORITY = 19,
    NEAR_S = HB_MOMENT_NEAR * HB_MINUTE_S
};

typedef struct span { /* minutes to look at; to_s not counted in */
    int64_t from_s;
    int64_t to_s;
    bool anew;
} span;

typedef struct noted_channel {
    uint64_t hash;
    int32_t partition;
} noted_channel;

struct hb_moment_watch {
    hb_moment_watch_options options;
    hb_moment_finder *finder;
    hb_metric *took_ms;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t news; /* on the monotonic clock */
    atomic_bool stop;    /* set under the lock */
    span spans[SPANS];   /* under the lock, as is all below */
    size_t span_count;
    int64_t newest_s; /* the latest minute written */
    hb_moment_mark marks[MARKS];
    size_t mark_count;
    hb_map channel_index; /* by hash; these are told apart by 64 bits of it */
    noted_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    bool failed; /* said */
};

/* ---- Notes ---- */

static bool has_channel(const hb_moment_watch *watch, uint64_t hash)
{
    for (uint32_t at = hb_map_first(&watch->channel_index, hash); at != HB_MAP_END;
         at = hb_map_next(&watch->channel_index, hash, at))
        if (watch->channels[hb_map_entry(&watch->channel_index, at)].hash == hash)
            return true;
    return false;
}

static void note_channel(hb_moment_watch *watch, hb_bytes channel, int32_t partition)
{
    const uint64_t hash = hb_hash(channel, 0);
    if (has_channel(watch, hash))
        return;
    HB_RESERVE(watch->channels, watch->channel_capacity, watch->channel_count + 1);
    hb_map_insert(&watch->channel_index, hash, (uint32_t)watch->channel_count);
    watch->channels[watch->channel_count++] = (noted_channel){hash, partition};
}

void hb_moment_watch_forget(hb_moment_watch *watch, int32_t partition)
{
    size_t kept = 0;
    pthread_mutex_lock(&watch->lock);
    hb_map_clear(&watch->channel_index);
    for (size_t i = 0; i < watch->channel_count; i++)
        if (watch->channels[i].partition != partition) {
            hb_map_insert(&watch->channel_index, watch->channels[i].hash, (uint32_t)kept);
            watch->channels[kept++] = watch->channels[i];
        }
    watch->channel_count = kept;
    pthread_mutex_unlock(&watch->lock);
}

static void note_span(hb_moment_watch *watch, const span *more)
{
    for (size_t i = 0; i < watch->span_count; i++) {
        span *const old = &watch->spans[i];
        const bool last = watch->span_count == SPANS && i + 1 == SPANS;
        if (last || (old->anew == more->anew && more->from_s <= old->to_s && more->to_s >= old->from_s)) {
            old->from_s = more->from_s < old->from_s ? more->from_s : old->from_s;
            old->to_s = more->to_s > old->to_s ? more->to_s : old->to_s;
            old->anew |= more->anew;
            return;
        }
    }
    watch->spans[watch->span_count++] = *more;
}

static void note_mark(hb_moment_watch *watch, const hb_progress *progress)
{
    const hb_moment_mark *const last = watch->mark_count == 0 ? NULL : &watch->marks[watch->mark_count - 1];
    if (progress->part % HB_HOUR_S != 0 ||
        (last != NULL && last->hour_s == progress->part && last->newest_s == watch->newest_s))
        return;
    if (watch->mark_count == MARKS)
        memmove(watch->marks, watch->marks + 1, --watch->mark_count * sizeof *watch->marks);
    watch->marks[watch->mark_count++] = (hb_moment_mark){progress->part, watch->newest_s, progress->position};
}

void hb_moment_watch_note(hb_moment_watch *watch, const hb_changes *changes)
{
    /* Rows of a partition come with its progress. */
    const int32_t partition = changes->progress_count == 0 ? 0 : (int32_t)(changes->progress[0].part % HB_HOUR_S);
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < changes->minute_count; i++) {
        const hb_minute_row *const row = &changes->minutes[i];
        if (row->minute_s > watch->newest_s)
            watch->newest_s = row->minute_s;
        if (i == 0 || row->minute_s != changes->minutes[i - 1].minute_s)
            note_span(watch,
                      &(span){row->minute_s - NEAR_S, row->minute_s + HB_MOMENT_REACH_S + NEAR_S, .anew = false});
        note_channel(watch, row->channel, partition);
    }
    for (size_t i = 0; i < changes->progress_count; i++) {
        const int64_t hour_s = hb_time_floor(changes->progress[i].part, HB_HOUR_S);
        if (changes->progress[i].done)
            note_span(watch, &(span){hour_s, hour_s + HB_HOUR_S, .anew = true});
        if (!hb_log_is_kafka(watch->options.log))
            note_mark(watch, &changes->progress[i]);
    }
    pthread_mutex_unlock(&watch->lock);
}

/* ---- Looking ---- */

typedef struct notes { /* as a look takes them */
    span spans[SPANS];
    size_t span_count;
    hb_moment_mark marks[MARKS];
    size_t mark_count;
} notes;

/* Takes the spans as far as minutes have ended; what is left of them stays. all: as if all had. */
static void take_notes(hb_moment_watch *watch, bool all, notes *taken)
{
    const int64_t ended_s = all ? watch->newest_s + HB_MINUTE_S : watch->newest_s - NEAR_S;
    size_t kept = 0;
    taken->span_count = 0;
    for (size_t i = 0; i < watch->span_count; i++) {
        span part = watch->spans[i];
        if (!part.anew && part.to_s > ended_s)
            part.to_s = ended_s;
        if (part.from_s < part.to_s)
            taken->spans[taken->span_count++] = part;
        if (!part.anew && watch->spans[i].to_s > ended_s) {
            watch->spans[kept] = watch->spans[i];
            if (watch->spans[kept].from_s < ended_s)
                watch->spans[kept].from_s = ended_s;
            kept++;
        }
    }
    watch->span_count = kept;
    memcpy(taken->marks, watch->marks, watch->mark_count * sizeof *watch->marks);
    taken->mark_count = watch->mark_count;
}

static bool wants(void *context, hb_bytes channel)
{
    hb_moment_watch *const watch = context;
    pthread_mutex_lock(&watch->lock);
    const bool found = has_channel(watch, hb_hash(channel, 0));
    pthread_mutex_unlock(&watch->lock);
    return found;
}

/* An hour at a time, so that memory stays bounded. */
static bool look_at(hb_moment_watch *watch, const span *part, const notes *taken, hb_error *error)
{
    bool good = true;
    for (int64_t from_s = part->from_s; good && from_s < part->to_s; from_s += HB_HOUR_S) {
        const int64_t to_s = part->to_s - from_s < HB_HOUR_S ? part->to_s : from_s + HB_HOUR_S;
        const hb_moment_range range = {.from_s = from_s,
                                       .to_s = to_s,
                                       .own_from_s = from_s,
                                       .own_to_s = to_s,
                                       .anew = part->anew,
                                       .stop = &watch->stop,
                                       .wants = wants,
                                       .context = watch,
                                       .marks = taken->marks,
                                       .mark_count = taken->mark_count};
        good = hb_moment_finder_run(watch->finder, &range, watch->options.apply, watch->options.context, error);
    }
    return good;
}

static bool look(hb_moment_watch *watch, bool all, hb_error *error)
{
    notes *taken = hb_alloc(sizeof *taken);
    bool good = true;
    const int64_t start_ms = hb_monotonic_ms();
    pthread_mutex_lock(&watch->lock);
    take_notes(watch, all, taken);
    pthread_mutex_unlock(&watch->lock);
    size_t done = 0;
    for (; good && done < taken->span_count; done++)
        good = look_at(watch, &taken->spans[done], taken, error);
    pthread_mutex_lock(&watch->lock);
    for (size_t i = good ? done : done - 1; i < taken->span_count; i++)
        note_span(watch, &taken->spans[i]);
    pthread_mutex_unlock(&watch->lock);
    if (taken->span_count > 0)
        hb_metric_set(watch->took_ms, hb_monotonic_ms() - start_ms);
    free(taken);
    return good;
}

/* Waits unless told to stop meanwhile; true when told. */
static bool wait_for_stop(hb_moment_watch *watch, int wait_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += wait_ms / 1000;
    pthread_mutex_lock(&watch->lock);
    while (!atomic_load(&watch->stop) && pthread_cond_timedwait(&watch->news, &watch->lock, &end) == 0)
        ;
    pthread_mutex_unlock(&watch->lock);
    return atomic_load(&watch->stop);
}

static bool has_ended_more(hb_moment_watch *watch, int64_t *newest_s)
{
    bool more = false;
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < watch->span_count; i++)
        more |= watch->spans[i].anew;
    more |= watch->span_count > 0 && watch->newest_s > *newest_s;
    *newest_s = watch->newest_s;
    pthread_mutex_unlock(&watch->lock);
    return more;
}

static void *watch_on(void *context)
{
    hb_moment_watch *const watch = context;
    int64_t newest_s = INT64_MIN;
    bool good = true;
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY); /* of this thread alone, on Linux */
    while (!wait_for_stop(watch, good ? LOOK_MS : RETRY_MS)) {
        hb_error error = {0};
        if (good && !has_ended_more(watch, &newest_s))
            continue;
        good = look(watch, false, &error);
        if (!good && !watch->failed && error.code != HB_ERROR_BUSY)
            hb_say_warning("moments are not found for now: %s", error.text);
        watch->failed = !good;
    }
    return NULL;
}

bool hb_moment_watch_finish(hb_moment_watch *watch, hb_error *error)
{
    pthread_mutex_lock(&watch->lock);
    span noted[SPANS];
    const size_t count = watch->span_count;
    memcpy(noted, watch->spans, sizeof noted);
    watch->span_count = 0;
    for (size_t i = 0; i < count; i++) {
        noted[i].anew = true; /* sheets are whole by now */
        note_span(watch, &noted[i]);
    }
    pthread_mutex_unlock(&watch->lock);
    return look(watch, true, error);
}

/* ---- Opening and closing ---- */

hb_moment_watch *hb_moment_watch_open(const hb_moment_watch_options *options, hb_metrics *metrics)
{
    pthread_condattr_t monotonic;
    hb_moment_watch *watch = hb_alloc(sizeof *watch);
    watch->options = *options;
    watch->options.log = hb_copy_text(hb_bytes_of(options->log));
    watch->options.store = hb_copy_text(hb_bytes_of(options->store));
    watch->finder = hb_moment_finder_open(options->log, options->store, 1);
    watch->newest_s = INT64_MIN / 2;
    watch->took_ms =
        hb_metrics_gauge(metrics, "hubbub_moment_milliseconds", "How long the last look for moments took.");
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return watch;
}

bool hb_moment_watch_start(hb_moment_watch *watch, hb_error *error)
{
    const int code = pthread_create(&watch->thread, NULL, watch_on, watch);
    watch->started = code == 0;
    errno = code;
    return watch->started || hb_fail_errno(error, "the thread that finds moments cannot be started");
}

void hb_moment_watch_stop(hb_moment_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->stop, true);
    pthread_cond_signal(&watch->news);
    pthread_mutex_unlock(&watch->lock);
}

void hb_moment_watch_close(hb_moment_watch *watch)
{
    if (watch == NULL)
        return;
    hb_moment_watch_stop(watch);
    if (watch->started)
        pthread_join(watch->thread, NULL);
    hb_moment_finder_close(watch->finder);
    pthread_cond_destroy(&watch->news);
    pthread_mutex_destroy(&watch->lock);
    hb_map_free(&watch->channel_index);
    free(watch->channels);
    free((char *)watch->options.log);
    free((char *)watch->options.store);
    free(watch);
}
