/* serve.c - hubbub serve: answers over HTTP from the store and the log, until told to stop. */
#include "cmd/commands.h"
#include "cmd/server_options.h"
#include "cmd/signals.h"

#include "base/say.h"

#include <signal.h>

static int serve(const hb_options *options)
{
    hb_server_settings settings;
    hb_error error;
    hb_signals_block();
    hb_server *server = hb_server_settings_read(options, &settings, &error) ? hb_server_open(&settings, &error) : NULL;
    if (server == NULL) {
        hb_ignored_close(settings.ignored);
        return hb_exit_code(&error);
    }
    hb_say_note("serving %s; Ctrl-C stops", hb_server_address(server));
    while (hb_signals_wait(-1) == SIGHUP)
        ;
    hb_server_close(server);
    hb_ignored_close(settings.ignored);
    return 0;
}

static const hb_option options_of_serve[] = {HB_OPTIONS_PLACES, HB_OPTIONS_SERVER, {0}};

const hb_command hb_command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "answer over HTTP: dashboard, API, live events, metrics",
    .options = options_of_serve,
    .run = serve,
};
