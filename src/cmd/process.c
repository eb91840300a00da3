/* process.c - hubbub process: log -> store, until told to stop, or to the log's end. Where it goes on with a file log,
 * it recomputes hours as hubbub run does. */
#include "cmd/commands.h"
#include "cmd/moment_poll.h"
#include "cmd/on_spark.h"
#include "cmd/processor.h"
#include "cmd/schedule.h"
#include "cmd/server_options.h"
#include "cmd/signals.h"

#include "base/address.h"
#include "base/error.h"
#include "base/say.h"

#include <signal.h>
#include <stdlib.h>

enum { LOOK_MS = 100 }; /* how often to ask whether the log's end is reached */

static const hb_option options_of_process[] = {
    HB_OPTIONS_PLACES,
    HB_OPTIONS_PROCESS,
    HB_OPTIONS_METRICS,
    {"until-end", HB_OPTION_FLAG, "", NULL, "stop once all that the log holds is counted"},
    HB_OPTIONS_ON_SPARK,
    {"checkpoint", HB_OPTION_TEXT, "DIR", "./hubbub-checkpoint",
     "with --on: where Spark keeps what is counted; on storage that all its workers see"},
    {0}};

static void wait_until_stopped(const hb_processor *processor)
{
    int number = 0;
    while (number != SIGINT && number != SIGTERM && !hb_processor_ended(processor))
        number = hb_signals_wait(LOOK_MS);
}

/* Opens the processor. Where it is to follow a log that is not there yet (hubbub ingest starts at this moment, say), it
 * waits for it, as it would wait for more facts. NULL with HB_ERROR_NONE: told to stop meanwhile. */
static hb_processor *open_processor(const hb_processor_options *settings, hb_metrics *metrics, hb_error *error)
{
    for (bool said = false;; said = true) {
        hb_processor *processor = hb_processor_open(settings, metrics, error);
        if (processor != NULL || settings->until_end || error->code != HB_ERROR_MISSING)
            return processor;
        if (!said)
            hb_say_note("%s; waiting for it", error->text);
        const int number = hb_signals_wait(LOOK_MS);
        if (number == SIGINT || number == SIGTERM) {
            *error = (hb_error){0};
            return NULL;
        }
    }
}

/* Beside the job, and once more when it has ended. What fails is said once, and tried again. */
typedef struct finding {
    hb_moment_poll *poll;
    bool ended;
    bool failed;
} finding;

static void find_moments(void *context)
{
    finding *const find = context;
    hb_error error = {0};
    const bool good = hb_moment_poll_look(find->poll, find->ended, &error);
    if (!good && !find->failed)
        hb_say_warning("moments are not found for now: %s", error.text);
    find->failed = !good;
}

static bool submit(const hb_options *options, bool *stopped, hb_error *error)
{
    static const char *const others[] = {"keep-log", "keep-views", "group", "metrics"};
    char numbers[2][32];
    uint32_t top = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (hb_options_given(options, others[i]))
            return hb_fail(error, HB_ERROR_USAGE, "--on and --%s do not go together", others[i]);
    if (!hb_address_is(hb_options_log(options), "kafka"))
        return hb_fail(error, HB_ERROR_USAGE, "hubbub process --on follows a Kafka log: --log kafka://HOST:PORT/TOPIC");
    if (!hb_top_option_read(options, &top, error))
        return false;
    char *const checkpoint = hb_spark_folder(hb_options_text(options, "checkpoint"));
    const hb_spark_argument arguments[] = {
        {"top", hb_spark_top(top, numbers[0])},
        {"memory", hb_spark_number((int64_t)hb_options_number(options, "memory"), numbers[1])},
        {"checkpoint", checkpoint},
        {"until-end", hb_options_flag(options, "until-end") ? "yes" : NULL}};
    finding find = {.poll = hb_moment_poll_open(hb_options_log(options), hb_options_store(options), HB_LAYER_SPEED)};
    const hb_spark_beside beside = {find_moments, &find};
    hb_error unimportant = {0};
    hb_moment_poll_begin(find.poll, &unimportant); /* where it fails, the first look sees what it has missed */
    const bool good =
        hb_on_spark(options, "process", arguments, sizeof arguments / sizeof *arguments, &beside, stopped, error);
    find.ended = hb_options_flag(options, "until-end") && !*stopped;
    if (good)
        find_moments(&find);
    hb_moment_poll_close(find.poll);
    free(checkpoint);
    return good;
}

static int process_on_spark(const hb_options *options)
{
    hb_error error = {0};
    bool stopped = false;
    if (submit(options, &stopped, &error))
        return 0;
    return error.code == HB_ERROR_NONE ? 1 : hb_exit_code(&error);
}

static int process(const hb_options *options)
{
    hb_error error = {0};
    hb_processor_options settings;
    hb_processor *processor = NULL;
    hb_server *server = NULL;
    hb_signals_block();
    if (hb_options_given(options, "on"))
        return process_on_spark(options);
    if (!hb_processor_options_read(options, &settings, &error))
        return hb_exit_code(&error);
    hb_metrics *metrics = hb_metrics_open();
    settings.until_end = hb_options_flag(options, "until-end");
    bool fine = hb_metrics_server_open(options, metrics, &server, &error);
    if (fine) {
        processor = open_processor(&settings, metrics, &error);
        fine = processor != NULL || error.code == HB_ERROR_NONE;
    }
    if (processor != NULL) {
        hb_schedule *schedule = NULL;
        if (!settings.until_end && hb_schedule_is_for(settings.log)) {
            schedule = hb_schedule_open(&settings, processor, metrics, &error);
            fine = schedule != NULL;
        }
        if (fine && !settings.until_end)
            hb_say_note("counting %.*s into %.*s; Ctrl-C stops", HB_PRINT(hb_address_shown(settings.log)),
                        HB_PRINT(hb_address_shown(settings.store)));
        if (fine)
            wait_until_stopped(processor);
        hb_schedule_close(schedule);
        hb_error closing = {0};
        if (!hb_processor_close(processor, &closing) && fine) {
            error = closing;
            fine = false;
        }
    }
    hb_server_close(server);
    hb_metrics_close(metrics);
    return fine ? 0 : hb_exit_code(&error);
}

const hb_command hb_command_process = {
    .name = "process",
    .arguments = "",
    .summary = "count what the log holds, and keep the store current",
    .options = options_of_process,
    .arguments_max = 0,
    .run = process,
};
