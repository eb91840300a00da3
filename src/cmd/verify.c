/* verify.c - hubbub verify: recomputes hours from the log without writing, and says how the store differs. */
#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/say.h"
#include "cmd/commands.h"
#include "cmd/compare.h"
#include "cmd/moment_finder.h"
#include "cmd/recompute.h"
#include "cmd/signals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct verify_job {
    hb_store *store;
    int64_t *known; /* hours of which it has something */
    size_t known_count;
    size_t known_capacity;
    uint64_t hours;
    uint64_t uncounted; /* hours of which the store has nothing */
    hb_difference difference;
} verify_job;

static bool take(void *context, const hb_hour *hour, const hb_batch_result *result, hb_error *error)
{
    verify_job *const job = context;
    job->hours++;
    if (!hour->counted && !hour->settled) {
        job->uncounted++;
        return true;
    }
    HB_RESERVE(job->known, job->known_capacity, job->known_count + 1);
    job->known[job->known_count++] = hour->hour_s;
    return hb_compare(job->store, &result->changes, hb_hour_late(hour) > 0, true, &job->difference, error);
}

static bool count_moments(void *context, const hb_changes *changes, hb_error *error)
{
    hb_difference *const difference = context;
    (void)error;
    difference->values[HB_COMPARED_MOMENTS][HB_CAUSE_OTHER] += changes->moment_count;
    return true;
}

static bool verify_moments(verify_job *job, const hb_recompute *work, const char *store, hb_error *error)
{
    if (job->known_count == 0)
        return true;
    hb_moment_finder *finder =
        hb_moment_finder_open(work->spooled == NULL ? work->log : hb_spooled_log(work->spooled), store, work->jobs);
    const bool good =
        hb_moment_finder_settle(finder, job->known, job->known_count, count_moments, &job->difference, error);
    hb_moment_finder_close(finder);
    return good;
}

static void print_table(const hb_difference *difference)
{
    char numbers[HB_CAUSES][32];
    printf("%-12s %16s %20s %12s\n", "table", "late facts", "duplicates counted", "other");
    for (unsigned table = 0; table < HB_COMPARED_TABLES; table++) {
        for (unsigned cause = 0; cause < HB_CAUSES; cause++)
            hb_number_print(difference->values[table][cause], numbers[cause]);
        printf("%-12s %16s %20s %12s\n", hb_compared_table_name((hb_compared_table)table), numbers[HB_CAUSE_LATE],
               numbers[HB_CAUSE_DUPLICATES], numbers[HB_CAUSE_OTHER]);
    }
}

/* Whether the store is as it should be. */
static bool print_result(const verify_job *job)
{
    char numbers[2][32];
    const uint64_t wrong = hb_difference_sum(&job->difference);
    if (wrong > 0)
        print_table(&job->difference);
    if (job->uncounted > 0)
        printf("%" PRIu64 " hour%s of the log not in the store yet\n", job->uncounted, job->uncounted == 1 ? "" : "s");
    printf("%s of %s values differ (%" PRIu64 " hours)\n", hb_number_print(wrong, numbers[0]),
           hb_number_print(job->difference.compared, numbers[1]), job->hours - job->uncounted);
    if (wrong + job->uncounted > 0)
        hb_say_note("'hubbub batch' counts these hours anew");
    return wrong + job->uncounted == 0;
}

static bool verify(const hb_options *options, verify_job *job, bool *clean, hb_error *error)
{
    hb_recompute work = {.what = "verify", .take = take, .context = job};
    hb_hours hours = {0};
    hb_recompute_wish wish = {.choice = HB_SPOOLED_ALL};
    bool stopped = false;
    if (!hb_recompute_options_read(options, &work, error) || !hb_recompute_wish_read(options, &wish, error))
        return false;
    job->store = hb_store_open(hb_options_store(options), HB_STORE_READ, error);
    if (job->store == NULL)
        return false;
    const bool good = hb_recompute_find(&work, &wish, job->store, &hours, &stopped, error) &&
                      (stopped || (hb_recompute_hours(&work, &hours, &stopped, error) &&
                                   verify_moments(job, &work, hb_options_store(options), error)));
    hb_hours_free(&hours);
    hb_recompute_done(&work);
    free(job->known);
    hb_store_close(job->store);
    *clean = good && print_result(job) && !stopped;
    return good;
}

static int run(const hb_options *options)
{
    verify_job job = {0};
    hb_error error = {0};
    bool clean = false;
    hb_signals_block();
    hb_keep_freed_memory();
    if (!verify(options, &job, &clean, &error))
        return hb_exit_code(&error);
    return clean ? 0 : 1;
}

static const hb_option options_of_verify[] = {HB_OPTIONS_PLACES, HB_OPTIONS_RECOMPUTE, {0}};

const hb_command hb_command_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "recompute hours from the log without writing, and say how the store differs",
    .options = options_of_verify,
    .arguments_max = 0,
    .run = run,
};
