/* ingest.c - hubbub ingest: Twitch chat -> log, until told to stop. */
#include "cmd/channels_file.h"
#include "cmd/commands.h"
#include "cmd/ingestor.h"
#include "cmd/signals.h"

#include "base/address.h"
#include "base/say.h"

static const hb_option options_of_ingest[] = {HB_OPTIONS_PLACES, HB_OPTIONS_INGEST, {0}};

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
        hb_say_note("writing to %.*s; Ctrl-C stops", HB_PRINT(hb_address_shown(settings.log)));
        fine = hb_ingestor_wait(ingestor, options, &error);
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
