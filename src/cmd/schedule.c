/* schedule.c - looks at the log's list of hours now and then, and recomputes what is due, one hour after the other and
 * with one thread: there is time until the next hour ends. While the list stays the same, a look costs one directory
 * listing. */
#include "cmd/schedule.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/say.h"
#include "cmd/compare.h"
#include "cmd/hours.h"
#include "cmd/moment_finder.h"
#include "log/log.h"
#include "views/batch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LOOK_MS = 5 * 1000,
    RETRY_MS = 60 * 1000, /* after a failure */
    BATCH_MEMORY = 256 << 20,
    LOWEST_PRIORITY = 19
};

struct hb_schedule {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news; /* on the monotonic clock */
    atomic_bool stop;    /* set under the lock */
    hb_processor_options options;
    hb_processor *processor;
    hb_log *log;
    hb_store *reader;
    hb_moment_finder *finder;
    uint64_t settled_list; /* the log's list when nothing was left to do */
    bool settled;
    bool failed; /* said */
    hb_metric *hours;
    hb_metric *corrected;
    hb_metric *late;
    hb_metric *last_hour;
};

/* Waits unless told to stop meanwhile; true when told. */
static bool wait_for_stop(hb_schedule *schedule, int wait_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += wait_ms / 1000;
    pthread_mutex_lock(&schedule->lock);
    while (!atomic_load(&schedule->stop) && pthread_cond_timedwait(&schedule->news, &schedule->lock, &end) == 0)
        ;
    pthread_mutex_unlock(&schedule->lock);
    return atomic_load(&schedule->stop);
}

/* ---- One hour ---- */

static bool apply_moments(void *context, const hb_changes *changes, hb_error *error)
{
    return hb_processor_apply(context, changes, error);
}

static bool settle_hour(hb_schedule *schedule, hb_batch *batch, const hb_hour *hour, hb_error *error)
{
    hb_batch_result result;
    hb_difference corrected = {0};
    char name[HB_TIME_TEXT];
    const uint64_t late = hb_hour_late(hour);
    if (!hb_batch_hour(batch, hour->hour_s, hour->late, &result, error))
        return error->code == HB_ERROR_MISSING; /* retention has deleted it: it has no counts to replace */
    if (result.damaged)
        hb_say_warning("%s; what can be read around it is counted", result.damage.text);
    if (((hour->counted || hour->settled) &&
         !hb_compare(schedule->reader, &result.changes, late > 0, false, &corrected, error)) ||
        !hb_processor_apply(schedule->processor, &result.changes, error))
        return false;
    int64_t hour_s = hour->hour_s;
    if (!hb_moment_finder_settle(schedule->finder, &hour_s, 1, apply_moments, schedule->processor, error))
        return false;
    hb_metric_add(schedule->hours, 1);
    hb_metric_add(schedule->corrected, hb_difference_sum(&corrected));
    hb_metric_add(schedule->late, late);
    hb_metric_set(schedule->last_hour, hour->hour_s);
    hb_time_print_hour(hour->hour_s, name);
    hb_say_detail("recomputed the hour %s: %llu facts, %llu of them late, %llu values corrected", name,
                  (unsigned long long)result.counts.facts, (unsigned long long)late,
                  (unsigned long long)hb_difference_sum(&corrected));
    return true;
}

/* ---- What is due ---- */

/* Tells one list of hours from another, as far as the batch layer may take them by now. */
static bool list_hash(hb_schedule *schedule, int64_t now_ms, uint64_t *hash, hb_error *error)
{
    hb_log_part *parts = NULL;
    size_t count = 0;
    if (!hb_log_list(schedule->log, &parts, &count, error))
        return false;
    *hash = 0;
    for (size_t i = 0; i < count; i++)
        if ((parts[i].part + HB_HOUR_S + HB_HOURS_REST_S) * 1000 <= now_ms) {
            const uint64_t entry[] = {(uint64_t)parts[i].part, parts[i].closed, parts[i].file_size};
            *hash = hb_hash((hb_bytes){(const char *)entry, sizeof entry}, *hash + 1);
        }
    free(parts);
    return true;
}

/* Recomputes what is due and ready, the oldest first; *left when something is due that is not ready. */
static bool settle_hours(hb_schedule *schedule, const hb_hours *hours, bool *left, hb_error *error)
{
    const hb_batch_options options = {.log = schedule->options.log,
                                      .top = schedule->options.top,
                                      .jobs = 1,
                                      .memory = BATCH_MEMORY,
                                      .stop = &schedule->stop};
    hb_batch *batch = NULL;
    bool good = true;
    for (size_t i = 0; i < hours->count && good && !atomic_load(&schedule->stop); i++) {
        const hb_hour *const hour = &hours->items[i];
        if (!hb_hour_is_due(hour))
            continue;
        if (!hb_hour_is_ready(hour, hb_now_ms())) {
            *left = true;
            continue;
        }
        if (batch == NULL)
            batch = hb_batch_open(&options, error);
        good = batch != NULL && settle_hour(schedule, batch, hour, error);
    }
    hb_batch_close(batch);
    return good;
}

static bool look(hb_schedule *schedule, hb_error *error)
{
    uint64_t hash = 0;
    hb_hours hours = {0};
    bool left = false;
    if (schedule->log == NULL)
        schedule->log = hb_log_open(schedule->options.log, HB_LOG_READ, NULL, error);
    if (schedule->log != NULL && schedule->reader == NULL)
        schedule->reader = hb_store_open(schedule->options.store, HB_STORE_READ, error);
    if (schedule->reader == NULL || !list_hash(schedule, hb_now_ms(), &hash, error))
        return false;
    if (schedule->settled && schedule->settled_list == hash)
        return true;
    const bool good =
        hb_hours_list(schedule->log, schedule->reader, INT64_MIN, INT64_MAX, false, hb_now_ms(), &hours, error) &&
        settle_hours(schedule, &hours, &left, error);
    hb_hours_free(&hours);
    schedule->settled_list = hash;
    schedule->settled = good && !left;
    return good;
}

static void *settle(void *context)
{
    hb_schedule *const schedule = context;
    int wait_ms = 0;
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY); /* of this thread alone, on Linux */
    while (!wait_for_stop(schedule, wait_ms)) {
        hb_error error = {0};
        const bool good = look(schedule, &error);
        if (!good && !schedule->failed && !atomic_load(&schedule->stop))
            hb_say_warning("an hour is not recomputed for now: %s", error.text);
        schedule->failed = !good;
        wait_ms = good ? LOOK_MS : RETRY_MS;
    }
    return NULL;
}

/* ---- The door ---- */

bool hb_schedule_is_for(const char *log)
{
    return !hb_log_is_kafka(log);
}

static void close_all(hb_schedule *schedule)
{
    hb_error unimportant = {0};
    hb_store_close(schedule->reader);
    hb_moment_finder_close(schedule->finder);
    if (schedule->log != NULL)
        hb_log_close(schedule->log, &unimportant); /* only read: nothing to lose */
    pthread_cond_destroy(&schedule->news);
    pthread_mutex_destroy(&schedule->lock);
    free(schedule);
}

hb_schedule *hb_schedule_open(const hb_processor_options *options, hb_processor *processor, hb_metrics *metrics,
                              hb_error *error)
{
    pthread_condattr_t monotonic;
    hb_schedule *schedule = hb_alloc(sizeof *schedule);
    schedule->options = *options;
    schedule->processor = processor;
    schedule->finder = hb_moment_finder_open(options->log, options->store, 1);
    schedule->hours = hb_metrics_counter(metrics, "hubbub_batch_hours_total", "Hours recomputed by the batch layer.");
    schedule->corrected = hb_metrics_counter(metrics, "hubbub_batch_corrected_values_total",
                                             "Values in rows of the store that the batch layer corrected.");
    schedule->late = hb_metrics_counter(metrics, "hubbub_batch_late_facts_total",
                                        "Facts that came too late for the speed layer and are counted now.");
    schedule->last_hour = hb_metrics_gauge(metrics, "hubbub_batch_last_hour_timestamp_seconds",
                                           "Beginning of the hour that was recomputed last.");
    pthread_mutex_init(&schedule->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&schedule->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    const int code = pthread_create(&schedule->thread, NULL, settle, schedule);
    if (code != 0) {
        errno = code;
        hb_fail_errno(error, "the thread that recomputes hours cannot be started");
        close_all(schedule);
        return NULL;
    }
    return schedule;
}

void hb_schedule_close(hb_schedule *schedule)
{
    if (schedule == NULL)
        return;
    pthread_mutex_lock(&schedule->lock);
    atomic_store(&schedule->stop, true);
    pthread_cond_signal(&schedule->news);
    pthread_mutex_unlock(&schedule->lock);
    pthread_join(schedule->thread, NULL);
    close_all(schedule);
}
