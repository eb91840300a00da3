/* batch.c - hubbub batch: recomputes hours from the log and replaces them in the store.
 *
 * With --schedule it goes on doing so. The store is opened anew for each look, so that others may write to it between.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/say.h"
#include "cmd/commands.h"
#include "cmd/compare.h"
#include "cmd/moment_finder.h"
#include "cmd/moment_poll.h"
#include "cmd/on_spark.h"
#include "cmd/processor.h"
#include "cmd/recompute.h"
#include "cmd/signals.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOOK_MS = 30 * 1000 }; /* how often --schedule looks for hours that are due */

typedef struct batch_job {
    hb_store *store;
    pthread_mutex_t lock; /* of this store, while moments are found beside its upkeep */
    hb_store *before;     /* the same store, for reading: shows what was there until the commit */
    const hb_hours *all;
    bool begun;                /* the changes of the hour in hand come in pieces */
    hb_comparison *comparison; /* of these pieces, where the store knows the hour */
    hb_difference difference;  /* what it has found */
    int64_t *done;             /* hours that were stored */
    size_t done_capacity;
    uint64_t hours;
    uint64_t facts;
    uint64_t messages;
    uint64_t duplicates;
    uint64_t late;
    uint64_t misplaced;
    hb_difference corrected;
} batch_job;

static bool is_known(const hb_hour *hour)
{
    return hour->counted || hour->settled;
}

static bool begin_hour(batch_job *job, int64_t hour_s, hb_error *error)
{
    if (!hb_store_begin(job->store, error))
        return false;
    job->begun = true;
    job->difference = (hb_difference){0};
    for (size_t i = 0; i < job->all->count; i++) {
        const hb_hour *const hour = &job->all->items[i];
        if (hour->hour_s == hour_s && is_known(hour))
            job->comparison = hb_comparison_open(job->before, hour_s, hb_hour_late(hour) > 0, false, &job->difference);
    }
    return true;
}

static bool take_piece(void *context, const hb_changes *changes, hb_error *error)
{
    batch_job *const job = context;
    return (job->begun || begin_hour(job, changes->hour_s, error)) &&
           (job->comparison == NULL || hb_comparison_add(job->comparison, changes, error)) &&
           hb_store_put(job->store, changes, error);
}

static void add_difference(hb_difference *sum, const hb_difference *more)
{
    for (unsigned table = 0; table < HB_COMPARED_TABLES; table++)
        for (unsigned cause = 0; cause < HB_CAUSES; cause++)
            sum->values[table][cause] += more->values[table][cause];
    sum->compared += more->compared;
}

/* Ends the hour whose pieces were stored. */
static bool end_hour(batch_job *job, const hb_changes *rest, hb_error *error)
{
    const bool good = job->comparison == NULL || hb_comparison_end(job->comparison, error);
    hb_comparison_close(job->comparison);
    job->comparison = NULL;
    job->begun = false;
    return good && hb_store_put(job->store, rest, error) && hb_store_commit(job->store, error);
}

static bool store_whole(batch_job *job, const hb_hour *hour, const hb_changes *changes, hb_error *error)
{
    job->difference = (hb_difference){0};
    return (!is_known(hour) ||
            hb_compare(job->before, changes, hb_hour_late(hour) > 0, false, &job->difference, error)) &&
           hb_store_apply(job->store, changes, error);
}

static bool take(void *context, const hb_hour *hour, const hb_batch_result *result, hb_error *error)
{
    batch_job *const job = context;
    if (!(job->begun ? end_hour(job, &result->changes, error) : store_whole(job, hour, &result->changes, error)))
        return false;
    add_difference(&job->corrected, &job->difference);
    HB_RESERVE(job->done, job->done_capacity, job->hours + 1);
    job->done[job->hours++] = hour->hour_s;
    job->facts += result->counts.facts;
    job->messages += result->counts.messages + result->counts.shared;
    job->duplicates += result->counts.duplicates;
    job->late += hb_hour_late(hour);
    job->misplaced += result->counts.misplaced;
    return true;
}

static void add_corrected(hb_buffer *text, const hb_difference *corrected, hb_compared_table table, const char *what)
{
    uint64_t values = 0;
    char number[32];
    for (unsigned cause = 0; cause < HB_CAUSES; cause++)
        values += corrected->values[table][cause];
    hb_buffer_print(text, "%s%s of %s", text->size == 0 ? "" : ", ", hb_number_print(values, number), what);
}

static void say_summary(const batch_job *job, bool stopped, int64_t took_ms)
{
    char numbers[5][32];
    hb_buffer tables = {0};
    add_corrected(&tables, &job->corrected, HB_COMPARED_MINUTES, "minutes");
    add_corrected(&tables, &job->corrected, HB_COMPARED_VIEWERS, "viewers");
    add_corrected(&tables, &job->corrected, HB_COMPARED_WORDS, "words");
    add_corrected(&tables, &job->corrected, HB_COMPARED_USERS, "users");
    hb_say_note("%s %" PRIu64 " hour%s, %s facts in %.1f s (%s messages/s): %s duplicates, %s late facts now counted, "
                "%s values corrected (%.*s)",
                stopped ? "stopped after" : "recomputed", job->hours, job->hours == 1 ? "" : "s",
                hb_number_print(job->facts, numbers[0]), (double)took_ms / 1000,
                hb_number_print(job->messages * 1000 / (uint64_t)(took_ms < 1 ? 1 : took_ms), numbers[1]),
                hb_number_print(job->duplicates, numbers[2]), hb_number_print(job->late, numbers[3]),
                hb_number_print(hb_difference_sum(&job->corrected), numbers[4]), HB_PRINT(hb_buffer_bytes(&tables)));
    hb_buffer_free(&tables);
    if (job->misplaced > 0)
        hb_say_warning("%" PRIu64 " facts stand in the log under an hour that is not theirs and were not counted",
                       job->misplaced);
}

/* The hours that are meant: a range; those computed by an older version; or those that changed. */
static bool read_wish(const hb_options *options, hb_recompute_wish *wish, hb_error *error)
{
    const bool ranged = hb_options_given(options, "from") || hb_options_given(options, "to");
    *wish = (hb_recompute_wish){.choice = hb_options_flag(options, "outdated") ? HB_SPOOLED_OUTDATED
                                          : ranged                             ? HB_SPOOLED_ALL
                                                                               : HB_SPOOLED_DUE};
    if (hb_options_flag(options, "schedule")) {
        if (ranged || wish->choice == HB_SPOOLED_OUTDATED)
            return hb_fail(error, HB_ERROR_USAGE,
                           "--schedule finds its hours by itself: leave out --from, --to and "
                           "--outdated");
        wish->ready = hb_hour_is_ready;
    }
    return hb_recompute_wish_read(options, wish, error);
}

/* Makes days and months, and removes what is too old, until told to stop. */
static bool tend(batch_job *job, const hb_upkeep_options *keep, bool *told, hb_error *error)
{
    hb_upkeep *upkeep = hb_upkeep_open(job->store, keep);
    bool good = true;
    for (bool more = true; good && more;) {
        pthread_mutex_lock(&job->lock);
        good = hb_upkeep_step(upkeep, hb_now_ms() / 1000, &more, error);
        pthread_mutex_unlock(&job->lock);
        const int number = hb_signals_wait(0);
        *told = number == SIGINT || number == SIGTERM;
        more = more && !*told;
    }
    hb_upkeep_close(upkeep);
    return good;
}

/* Asked before the store is opened, which would make one where nothing is to be counted. */
static bool has_log(const char *address, hb_error *error)
{
    hb_error unimportant = {0};
    hb_log *log = hb_log_open(address, HB_LOG_READ, NULL, error);
    return log != NULL && hb_log_close(log, &unimportant);
}

typedef struct batch_plan {
    hb_recompute work;
    hb_recompute_wish wish;
    hb_upkeep_options keep;
    const char *store;
    bool quiet; /* says nothing where there is nothing to do */
} batch_plan;

/* ---- Moments ---- */

typedef struct moments_work {
    batch_job *job;
    const hb_recompute *work;
    const char *store;
    pthread_t thread;
    bool beside; /* on a thread of its own */
    bool good;
    hb_error error;
} moments_work;

static bool apply_moments(void *context, const hb_changes *changes, hb_error *error)
{
    batch_job *const job = context;
    pthread_mutex_lock(&job->lock);
    const bool good = hb_store_apply(job->store, changes, error);
    pthread_mutex_unlock(&job->lock);
    return good;
}

static void *find_moments(void *context)
{
    moments_work *const moments = context;
    batch_job *const job = moments->job;
    const hb_recompute *const work = moments->work;
    hb_moment_finder *finder = hb_moment_finder_open(work->spooled == NULL ? work->log : hb_spooled_log(work->spooled),
                                                     moments->store, work->jobs);
    moments->good = hb_moment_finder_settle(finder, job->done, job->hours, apply_moments, job, &moments->error);
    hb_moment_finder_close(finder);
    return NULL;
}

/* Finds the moments of the hours that were stored; beside the upkeep that follows, where that removes nothing that they
 * are found in. */
static void begin_moments(moments_work *moments, const batch_plan *plan)
{
    moments->good = true;
    if (moments->job->hours == 0)
        return;
    moments->beside = moments->work->jobs > 1 && plan->keep.keep_log == 0 && plan->keep.keep_views == 0 &&
                      pthread_create(&moments->thread, NULL, find_moments, moments) == 0;
    if (!moments->beside)
        find_moments(moments);
}

static bool end_moments(moments_work *moments, hb_error *error)
{
    if (moments->beside)
        pthread_join(moments->thread, NULL);
    if (!moments->good)
        *error = moments->error;
    return moments->good;
}

/* ---- All of it ---- */

static bool recompute_hours(const batch_plan *plan, batch_job *job, bool *stopped, bool *told, hb_error *error)
{
    hb_hours hours = {0};
    hb_recompute work = plan->work;
    moments_work moments = {.job = job, .work = &work, .store = plan->store, .good = true};
    work.context = job;
    /* Pieces may turn out not to count, and what was there is still to be seen when all of them are put. */
    work.piece = hb_store_has_transactions(job->store) ? take_piece : NULL;
    const int64_t from_ms = hb_monotonic_ms();
    bool good = hb_recompute_find(&work, &plan->wish, job->before, &hours, stopped, error);
    const bool any = good && !*stopped && hours.count > 0;
    if (good && !*stopped && hours.count == 0 && !plan->quiet)
        hb_say_note("there is nothing to recompute%s",
                    hours.going_on > 0 ? ": the hours that remain ended less than 5 minutes ago, or go on" : "");
    job->all = &hours;
    good = good && (!any || hb_recompute_hours(&work, &hours, stopped, error));
    if (good)
        begin_moments(&moments, plan);
    good = good && moments.good && (*stopped || tend(job, &plan->keep, told, error));
    good = end_moments(&moments, error) && good;
    if (any)
        say_summary(job, *stopped, hb_monotonic_ms() - from_ms);
    hb_comparison_close(job->comparison); /* of an hour that failed */
    job->all = NULL;
    hb_hours_free(&hours);
    hb_recompute_done(&work);
    return good;
}

/* Recomputes what is meant, once. *stopped: before all of it was done; *told: to stop, at any time. */
static bool recompute(const batch_plan *plan, bool *stopped, bool *told, hb_error *error)
{
    batch_job job = {0};
    *stopped = *told = false;
    if (!has_log(plan->work.log, error))
        return false;
    job.store = hb_store_open(plan->store, HB_STORE_WRITE, error);
    job.before = job.store == NULL ? NULL : hb_store_open(plan->store, HB_STORE_READ, error);
    pthread_mutex_init(&job.lock, NULL);
    const bool good = job.before != NULL && recompute_hours(plan, &job, stopped, told, error);
    free(job.done);
    hb_store_close(job.before);
    hb_store_close(job.store); /* undoes what was not committed */
    pthread_mutex_destroy(&job.lock);
    *told |= *stopped;
    return good;
}

/* Recomputes what is due, again and again, until told to stop. What fails is said once, and tried again. */
static void recompute_for_ever(batch_plan *plan)
{
    bool failed = false;
    bool stopped = false;
    bool told = false;
    plan->quiet = true;
    while (!told) {
        hb_error error = {0};
        const bool good = recompute(plan, &stopped, &told, &error);
        if (!good && !failed)
            hb_say_warning("an hour is not recomputed for now: %s", error.text);
        failed = !good;
        const int number = told ? SIGTERM : hb_signals_wait(LOOK_MS);
        told = number == SIGINT || number == SIGTERM;
    }
}

static bool prepare(const hb_options *options, batch_plan *plan, hb_error *error)
{
    *plan = (batch_plan){.work = {.what = "batch", .take = take}, .store = hb_options_store(options)};
    return hb_recompute_options_read(options, &plan->work, error) &&
           hb_keep_options_read(options, &plan->keep, error) && read_wish(options, &plan->wish, error);
}

static bool submit(const hb_options *options, bool *stopped, hb_error *error)
{
    static const char *const others[] = {"outdated", "schedule", "jobs", "keep-log", "keep-views"};
    char numbers[3][32];
    uint32_t top = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (hb_options_given(options, others[i]))
            return hb_fail(error, HB_ERROR_USAGE, "--on and --%s do not go together", others[i]);
    if (!hb_top_option_read(options, &top, error))
        return false;
    const bool from = hb_options_given(options, "from");
    const bool to = hb_options_given(options, "to");
    const hb_spark_argument arguments[] = {
        {"top", hb_spark_top(top, numbers[0])},
        {"from", from ? hb_spark_number(hb_options_time(options, "from"), numbers[1]) : NULL},
        {"to", to ? hb_spark_number(hb_options_time(options, "to"), numbers[2]) : NULL}};
    hb_moment_poll *poll = hb_moment_poll_open(hb_options_log(options), hb_options_store(options), HB_LAYER_BATCH);
    hb_error unimportant = {0};
    hb_moment_poll_begin(poll, &unimportant); /* where it fails, all hours are looked at below */
    const bool good =
        hb_on_spark(options, "batch", arguments, sizeof arguments / sizeof *arguments, NULL, stopped, error) &&
        hb_moment_poll_look(poll, true, error);
    hb_moment_poll_close(poll);
    return good;
}

static int run_on_spark(const hb_options *options)
{
    hb_error error = {0};
    bool stopped = false;
    if (submit(options, &stopped, &error))
        return stopped ? 1 : 0;
    return error.code == HB_ERROR_NONE ? 1 : hb_exit_code(&error);
}

static int run(const hb_options *options)
{
    batch_plan plan;
    hb_error error = {0};
    bool stopped = false;
    bool told = false;
    hb_signals_block();
    if (hb_options_given(options, "on"))
        return run_on_spark(options);
    hb_keep_freed_memory();
    if (!prepare(options, &plan, &error))
        return hb_exit_code(&error);
    if (hb_options_flag(options, "schedule")) {
        recompute_for_ever(&plan);
        return 0;
    }
    if (recompute(&plan, &stopped, &told, &error))
        return stopped ? 1 : 0;
    return hb_exit_code(&error);
}

static const hb_option options_of_batch[] = {
    HB_OPTIONS_PLACES,
    HB_OPTIONS_RECOMPUTE,
    HB_OPTIONS_KEEP,
    {"outdated", HB_OPTION_FLAG, "", NULL, "hours that were computed by an older version of the words"},
    {"schedule", HB_OPTION_FLAG, "", NULL, "go on: each hour 5 minutes after its end, and again when late facts came"},
    HB_OPTIONS_ON_SPARK,
    {0}};

const hb_command hb_command_batch = {
    .name = "batch",
    .arguments = "",
    .summary = "recompute hours from the log, exactly, and replace them in the store",
    .options = options_of_batch,
    .arguments_max = 0,
    .run = run,
};
