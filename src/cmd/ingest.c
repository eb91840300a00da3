/* ingest.c - hubbub ingest: Twitch chat -> log, until told to stop. */
#include "cmd/channels_file.h"
#include "cmd/commands.h"
#include "cmd/ingestor.h"
#include "cmd/signals.h"

#include "base/say.h"

#include <signal.h>

enum { LOOK_MS = 500 }; /* how often to ask whether the login was refused */

static const hb_option options_of_ingest[] = {HB_OPTIONS_PLACES, HB_OPTIONS_INGEST, {0}};

/* Until a signal says stop. False with *error when there is nothing left to wait for. */
static bool wait_until_stopped(hb_ingestor *ingestor, const hb_options *options, hb_error *error)
{
    for (;;) {
        const int number = hb_signals_wait(LOOK_MS);
        if (number == SIGINT || number == SIGTERM)
            return true;
        if (number == SIGHUP)
            hb_ingestor_reload(ingestor, options);
        if (hb_ingestor_failed(ingestor, error))
            return false;
    }
}

static int ingest(const hb_options *options)
{
    hb_error error = {0};
    hb_ingestor_options settings;
    hb_channel_list list = {0};
    hb_ingestor *ingestor = NULL;
    hb_signals_block();
    hb_metrics *metrics = hb_metrics_open();
    if (hb_ingestor_options_read(options, &settings, &error) && hb_channel_list_gather(&list, options, &error))
        ingestor = hb_ingestor_open(&settings, list.names, list.count, metrics, &error);
    hb_channel_list_free(&list);
    bool fine = ingestor != NULL;
    if (fine) {
        hb_error close_error = {0};
        hb_say_note("writing to %s; Ctrl-C stops", settings.log);
        fine = wait_until_stopped(ingestor, options, &error);
        if (!hb_ingestor_close(ingestor, &close_error)) {
            if (fine)
                error = close_error;
            else
                hb_say_error("%s", close_error.text);
            fine = false;
        }
    }
    hb_metrics_close(metrics);
    return fine ? 0 : hb_exit_code(&error);
}

const hb_command hb_command_ingest = {
    .name = "ingest",
    .arguments = "CHANNEL…",
    .summary = "receive Twitch chat and keep it in the log",
    .options = options_of_ingest,
    .arguments_max = -1,
    .run = ingest,
};
