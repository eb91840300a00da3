/* run.c - hubbub run: everything on this machine, in one process.
 *
 * The parts are those of `hubbub ingest`, `process` and `serve`, and with --demo a simulated Twitch. They are opened so
 * that what can be refused (a busy port, a store that is none, a data directory in use) is refused before a channel is
 * joined, and closed in the order in which data flows: nothing more comes, all that came is counted, nothing more is
 * shown. */
#include "cmd/channels_file.h"
#include "cmd/commands.h"
#include "cmd/demo.h"
#include "cmd/ingestor.h"
#include "cmd/processor.h"
#include "cmd/schedule.h"
#include "cmd/server_options.h"
#include "cmd/signals.h"

#include "base/say.h"
#include "store/store.h"

typedef struct running {
    hb_metrics *metrics;
    hb_demo *demo;
    hb_server *server;
    hb_ingestor *ingestor;
    hb_processor *processor;
    hb_schedule *schedule;
} running;

typedef struct run_settings {
    hb_server_settings server;
    hb_ingestor_options ingest;
    hb_processor_options process;
    hb_channel_list channels;
} run_settings;

static bool read_settings(const hb_options *options, run_settings *settings, hb_error *error)
{
    if (!hb_server_settings_read(options, &settings->server, error) ||
        !hb_ingestor_options_read(options, &settings->ingest, error) ||
        !hb_processor_options_read(options, &settings->process, error) ||
        !hb_demo_gather(&settings->channels, options, error))
        return false;
    if (hb_demo_keeps(options)) { /* made-up chat goes to a place of its own */
        settings->ingest.log = settings->process.log = settings->server.log = HB_DEMO_LOG;
        settings->process.store = settings->server.store = HB_DEMO_STORE;
        settings->ingest.emotes.data = HB_DEMO_DATA;
    }
    return true;
}

/* A store that cannot be written is refused before any channel is joined; the processor, which comes last, opens it. */
static bool check_store(const char *address, hb_error *error)
{
    hb_store *store = hb_store_open(address, HB_STORE_WRITE, error);
    hb_store_close(store);
    return store != NULL;
}

static void on_viewers(void *context, const char *why)
{
    hb_server_tell_viewers(context, why);
}

static bool open_parts(running *parts, run_settings *settings, const hb_options *options, hb_error *error)
{
    parts->metrics = settings->server.metrics = hb_metrics_open();
    parts->server = hb_server_open(&settings->server, error);
    if (parts->server == NULL || !check_store(settings->process.store, error))
        return false;
    if (hb_demo_asked(options)) {
        parts->demo =
            hb_demo_open(&settings->ingest.irc, &settings->ingest.helix,
                         settings->ingest.no_emotes ? NULL : &settings->ingest.emotes, &settings->channels, error);
        if (parts->demo == NULL)
            return false;
    }
    settings->ingest.on_viewers = on_viewers;
    settings->ingest.viewers_context = parts->server;
    parts->ingestor =
        hb_ingestor_open(&settings->ingest, settings->channels.names, settings->channels.count, parts->metrics, error);
    if (parts->ingestor == NULL)
        return false;
    parts->processor = hb_processor_open(&settings->process, parts->metrics, error);
    if (parts->processor == NULL)
        return false;
    if (!hb_schedule_is_for(settings->process.log))
        return true;
    parts->schedule = hb_schedule_open(&settings->process, parts->processor, parts->metrics, error);
    return parts->schedule != NULL;
}

/* Keeps the first error: it tells what matters. */
static bool close_parts(running *parts, bool fine, hb_error *error)
{
    hb_error second = {0};
    if (parts->ingestor != NULL && !hb_ingestor_close(parts->ingestor, fine ? error : &second))
        fine = false;
    hb_schedule_close(parts->schedule);
    if (parts->processor != NULL && !hb_processor_close(parts->processor, fine ? error : &second))
        fine = false;
    if (parts->server != NULL)
        hb_server_close(parts->server);
    hb_demo_close(parts->demo);
    hb_metrics_close(parts->metrics);
    return fine;
}

static int run(const hb_options *options)
{
    hb_error error = {0};
    run_settings settings = {0};
    running parts = {0};
    hb_signals_block();
    bool fine = read_settings(options, &settings, &error) && open_parts(&parts, &settings, options, &error);
    if (fine) {
        hb_say_note("%s at %s (Ctrl-C stops)", hb_demo_asked(options) ? "a demo with made-up chat" : "the dashboard is",
                    hb_server_address(parts.server));
        fine = hb_ingestor_wait(parts.ingestor, hb_demo_asked(options) ? NULL : options, &error);
        hb_say_note("stopping: writing out what was received");
    }
    fine = close_parts(&parts, fine, &error);
    hb_channel_list_free(&settings.channels);
    hb_ignored_close(settings.server.ignored);
    return fine ? 0 : hb_exit_code(&error);
}

static const hb_option options_of_run[] = {HB_OPTION_DEMO,     HB_OPTIONS_PLACES, HB_OPTIONS_INGEST,
                                           HB_OPTIONS_PROCESS, HB_OPTIONS_SERVER, {0}};

const hb_command hb_command_run = {
    .name = "run",
    .arguments = "[CHANNEL…]",
    .summary = "everything on this machine: listen, keep, count, show",
    .options = options_of_run,
    .arguments_max = -1,
    .run = run,
};
