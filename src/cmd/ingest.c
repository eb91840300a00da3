/* ingest.c - hubbub ingest: Twitch chat -> log, until told to stop; with --demo from a simulated Twitch. */
#include "cmd/channels_file.h"
#include "cmd/commands.h"
#include "cmd/demo.h"
#include "cmd/ingestor.h"
#include "cmd/server_options.h"
#include "cmd/signals.h"

#include "base/address.h"
#include "base/say.h"

static const hb_option options_of_ingest[] = {
    HB_OPTION_DEMO, HB_OPTIONS_PLACES, HB_OPTIONS_INGEST, HB_OPTIONS_METRICS, {0}};

/* Opens what --demo and --metrics ask for, then the ingestor. */
static hb_ingestor *open_parts(const hb_options *options, hb_ingestor_options *settings, hb_metrics *metrics,
                               hb_demo **demo, hb_server **server, hb_error *error)
{
    hb_channel_list list = {0};
    hb_ingestor *ingestor = NULL;
    if (hb_ingestor_options_read(options, settings, error) && hb_demo_gather(&list, options, error) &&
        hb_metrics_server_open(options, metrics, server, error)) {
        if (hb_demo_keeps(options)) {
            settings->log = HB_DEMO_LOG;
            settings->emotes.data = HB_DEMO_DATA;
        }
        if (!hb_demo_asked(options) ||
            (*demo = hb_demo_open(&settings->irc, &settings->helix, settings->no_emotes ? NULL : &settings->emotes,
                                  &list, error)) != NULL)
            ingestor = hb_ingestor_open(settings, list.names, list.count, metrics, error);
    }
    hb_channel_list_free(&list);
    return ingestor;
}

static int ingest(const hb_options *options)
{
    hb_error error = {0};
    hb_ingestor_options settings;
    hb_demo *demo = NULL;
    hb_server *server = NULL;
    hb_signals_block();
    hb_metrics *metrics = hb_metrics_open();
    hb_ingestor *ingestor = open_parts(options, &settings, metrics, &demo, &server, &error);
    bool fine = ingestor != NULL;
    if (fine) {
        hb_error close_error = {0};
        hb_say_note("writing to %.*s; Ctrl-C stops", HB_PRINT(hb_address_shown(settings.log)));
        fine = hb_ingestor_wait(ingestor, hb_demo_asked(options) ? NULL : options, &error);
        if (!hb_ingestor_close(ingestor, &close_error)) {
            if (fine)
                error = close_error;
            else
                hb_say_error("%s", close_error.text);
            fine = false;
        }
    }
    hb_demo_close(demo);
    hb_server_close(server);
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
