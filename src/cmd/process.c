/* process.c - hubbub process: log -> store, until told to stop, or to the log's end. */
#include "cmd/commands.h"
#include "cmd/processor.h"
#include "cmd/signals.h"

#include "base/say.h"

#include <signal.h>

enum { LOOK_MS = 100 }; /* how often to ask whether the log's end is reached */

static const hb_option options_of_process[] = {
    HB_OPTIONS_PLACES,
    HB_OPTIONS_PROCESS,
    {"until-end", HB_OPTION_FLAG, "", NULL, "stop once all that the log holds is counted"},
    {0}};

static void wait_until_stopped(const hb_processor *processor)
{
    int number = 0;
    while (number != SIGINT && number != SIGTERM && !hb_processor_ended(processor))
        number = hb_signals_wait(LOOK_MS);
}

static int process(const hb_options *options)
{
    hb_error error = {0};
    hb_processor_options settings;
    hb_processor *processor = NULL;
    hb_signals_block();
    if (!hb_processor_options_read(options, &settings, &error))
        return hb_exit_code(&error);
    hb_metrics *metrics = hb_metrics_open();
    settings.until_end = hb_options_flag(options, "until-end");
    processor = hb_processor_open(&settings, metrics, &error);
    bool fine = processor != NULL;
    if (fine) {
        if (!settings.until_end)
            hb_say_note("counting %s into %s; Ctrl-C stops", settings.log, settings.store);
        wait_until_stopped(processor);
        fine = hb_processor_close(processor, &error);
    }
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
