/* recompute.c - threads take small hours from a list, then one of them takes the large ones with all of the others'
 * cores. The main thread draws the bar and listens to signals meanwhile. */
#include "cmd/recompute.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/say.h"
#include "cmd/processor.h"
#include "cmd/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SMALL_HOUR = 32 << 20,    /* bytes of lines: one thread does it */
    LARGE_MEMORY = 704 << 20, /* what counting a large hour may take, */
    SMALL_MEMORY = 256 << 20, /* and a small one */
    LOOK_MS = 20
};

typedef struct recomputing {
    const hb_recompute *recompute;
    const hb_hours *hours;
    hb_batch_meter meter;
    atomic_size_t next;     /* the hour to look at next */
    atomic_uint running;    /* threads */
    atomic_bool no_further; /* told to stop, or failed */
    pthread_mutex_t lock;   /* of take, failed and error */
    bool failed;
    hb_error error;
} recomputing;

bool hb_recompute_options_read(const hb_options *options, hb_recompute *recompute, hb_error *error)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t jobs = cores < 1 ? 1 : (uint64_t)cores;
    if (hb_options_given(options, "jobs"))
        jobs = hb_options_number(options, "jobs");
    else if (jobs > HB_BATCH_JOBS_MAX)
        jobs = HB_BATCH_JOBS_MAX;
    if (jobs < 1 || jobs > HB_BATCH_JOBS_MAX)
        return hb_fail(error, HB_ERROR_USAGE, "--jobs must be from 1 to %d", HB_BATCH_JOBS_MAX);
    recompute->log = hb_options_log(options);
    recompute->spool_directory = hb_options_text(options, "spool");
    recompute->jobs = (unsigned)jobs;
    return hb_top_option_read(options, &recompute->top, error);
}

bool hb_recompute_wish_read(const hb_options *options, hb_recompute_wish *wish, hb_error *error)
{
    wish->from_s =
        hb_options_given(options, "from") ? hb_time_floor(hb_options_time(options, "from"), HB_HOUR_S) : INT64_MIN;
    wish->to_s = hb_options_given(options, "to") ? hb_options_time(options, "to") : INT64_MAX;
    return wish->from_s < wish->to_s || hb_fail(error, HB_ERROR_USAGE, "--from must be before --to");
}

static bool is_outdated(const hb_hour *hour)
{
    return hour->outdated;
}

static bool find_files(const hb_recompute *recompute, const hb_recompute_wish *wish, hb_store *store, hb_hours *hours,
                       hb_error *error)
{
    const int64_t now_ms = hb_now_ms();
    hb_log *log = hb_log_open(recompute->log, HB_LOG_READ, NULL, error);
    if (log == NULL)
        return false;
    hb_error unimportant = {0};
    const bool good =
        hb_hours_list(log, store, wish->from_s, wish->to_s, wish->choice == HB_SPOOLED_OUTDATED, now_ms, hours, error);
    hb_log_close(log, &unimportant); /* only read: nothing to lose */
    if (wish->choice == HB_SPOOLED_OUTDATED)
        hb_hours_keep(hours, is_outdated);
    else if (wish->choice == HB_SPOOLED_DUE)
        hb_hours_keep(hours, hb_hour_is_due);
    size_t kept = 0;
    for (size_t i = 0; i < hours->count; i++)
        if (wish->ready == NULL || wish->ready(&hours->items[i], now_ms))
            hours->items[kept++] = hours->items[i];
    hours->count = kept;
    return good;
}

bool hb_recompute_find(hb_recompute *recompute, const hb_recompute_wish *wish, hb_store *store, hb_hours *hours,
                       bool *stopped, hb_error *error)
{
    *stopped = false;
    if (!hb_log_is_kafka(recompute->log))
        return find_files(recompute, wish, store, hours, error);
    const hb_spooled_query query = {.log = recompute->log,
                                    .directory = recompute->spool_directory,
                                    .choice = wish->choice,
                                    .from_s = wish->from_s,
                                    .to_s = wish->to_s,
                                    .now_ms = hb_now_ms(),
                                    .ready = wish->ready};
    recompute->spooled = hb_spooled_open(&query, store, hours, stopped, error);
    return recompute->spooled != NULL;
}

void hb_recompute_done(hb_recompute *recompute)
{
    hb_spooled_close(recompute->spooled);
    recompute->spooled = NULL;
}

static bool is_large(const recomputing *job, const hb_hour *hour)
{
    return hour->end >= SMALL_HOUR && job->recompute->jobs > 1;
}

static void fail(recomputing *job, const hb_error *error)
{
    pthread_mutex_lock(&job->lock);
    if (!job->failed)
        job->error = *error;
    job->failed = true;
    pthread_mutex_unlock(&job->lock);
    atomic_store(&job->no_further, true);
}

static bool recompute_hour(recomputing *job, hb_batch *batch, const hb_hour *hour, hb_error *error)
{
    hb_batch_result result;
    if (!hb_batch_hour(batch, hour->hour_s, hour->late, &result, error))
        return error->code == HB_ERROR_MISSING; /* retention has deleted it: it has no counts to replace */
    if (result.damaged)
        hb_say_warning("%s; what can be read around it is counted", result.damage.text);
    pthread_mutex_lock(&job->lock);
    if (job->recompute->spooled != NULL)
        hb_spooled_progress(job->recompute->spooled, hour->hour_s, &result.changes);
    const bool good = job->recompute->take(job->recompute->context, hour, &result, error);
    pthread_mutex_unlock(&job->lock);
    return good;
}

/* Recomputes all hours of one size, as far as no other thread takes them. */
static bool recompute_size(recomputing *job, bool large, unsigned jobs, atomic_size_t *next, hb_error *error)
{
    hb_batch *batch = NULL;
    bool good = true;
    for (size_t i; good && !atomic_load(&job->no_further) && (i = atomic_fetch_add(next, 1)) < job->hours->count;) {
        const hb_hour *const hour = &job->hours->items[i];
        if (is_large(job, hour) != large)
            continue;
        if (batch == NULL)
            batch = hb_batch_open(
                &(hb_batch_options){.log = job->recompute->spooled == NULL ? job->recompute->log
                                                                           : hb_spooled_log(job->recompute->spooled),
                                    .top = job->recompute->top,
                                    .jobs = jobs,
                                    .memory =
                                        large || jobs > 1 || job->recompute->jobs == 1 ? LARGE_MEMORY : SMALL_MEMORY,
                                    .meter = &job->meter,
                                    .piece = large ? job->recompute->piece : NULL,
                                    .context = job->recompute->context},
                error);
        good = batch != NULL && recompute_hour(job, batch, hour, error);
    }
    hb_batch_close(batch);
    return good;
}

static void *recompute_small(void *context)
{
    recomputing *const job = context;
    hb_error error = {0};
    if (!recompute_size(job, false, 1, &job->next, &error))
        fail(job, &error);
    atomic_fetch_sub(&job->running, 1);
    return NULL;
}

static void *recompute_large(void *context)
{
    recomputing *const job = context;
    atomic_size_t next = 0;
    hb_error error = {0};
    if (!recompute_size(job, true, job->recompute->jobs, &next, &error))
        fail(job, &error);
    atomic_fetch_sub(&job->running, 1);
    return NULL;
}

/* Runs threads until they end, and listens to signals meanwhile. */
static void run_threads(recomputing *job, void *(*work)(void *), unsigned count, hb_progress_bar *bar, bool *stopped)
{
    pthread_t *threads = hb_alloc(count * sizeof *threads);
    unsigned started = 0;
    atomic_store(&job->running, count);
    for (; started < count; started++) {
        const int code = pthread_create(&threads[started], NULL, work, job);
        if (code != 0 && started == 0) {
            hb_error error = {0};
            errno = code;
            hb_fail_errno(&error, "a thread that counts cannot be started");
            fail(job, &error);
        }
        if (code != 0)
            break;
    }
    atomic_fetch_sub(&job->running, count - started);
    while (atomic_load(&job->running) > 0) {
        const int number = hb_signals_wait(LOOK_MS);
        if (number == SIGINT || number == SIGTERM) {
            *stopped = true;
            atomic_store(&job->no_further, true);
        }
        hb_progress_bar_show(bar, atomic_load(&job->meter.lines), atomic_load(&job->meter.bytes));
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

bool hb_recompute_hours(const hb_recompute *recompute, const hb_hours *hours, bool *stopped, hb_error *error)
{
    recomputing job = {.recompute = recompute, .hours = hours};
    uint64_t bytes = 0;
    size_t large = 0;
    *stopped = false;
    for (size_t i = 0; i < hours->count; i++) {
        bytes += hours->items[i].end;
        large += is_large(&job, &hours->items[i]);
    }
    const size_t small = hours->count - large;
    pthread_mutex_init(&job.lock, NULL);
    hb_progress_bar *bar = hb_progress_bar_open(recompute->what, "messages", bytes);
    if (small > 0)
        run_threads(&job, recompute_small, small < recompute->jobs ? (unsigned)small : recompute->jobs, bar, stopped);
    if (large > 0 && !atomic_load(&job.no_further))
        run_threads(&job, recompute_large, 1, bar, stopped);
    hb_progress_bar_close(bar);
    pthread_mutex_destroy(&job.lock);
    if (job.failed)
        *error = job.error;
    return !job.failed;
}
