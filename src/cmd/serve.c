/* serve.c - hubbub serve: answers over HTTP from the store and the log, until told to stop. */
#include "cmd/commands.h"

#include "base/error.h"
#include "base/say.h"
#include "cmd/signals.h"
#include "serve/server.h"

#include <signal.h>

static int run(const hb_options *options)
{
    hb_server_settings settings = {.store = hb_options_store(options),
                                   .log = hb_options_log(options),
                                   .allowed_hosts = hb_options_text(options, "allow-host")};
    const uint64_t connections_max = hb_options_number(options, "connections-max");
    hb_error error;
    hb_options_address(options, "listen", &settings.host, &settings.port);
    if (connections_max < 4 || connections_max > 1000000) {
        hb_fail(&error, HB_ERROR_USAGE, "connections-max is %llu, but must be from 4 to 1000000",
                (unsigned long long)connections_max);
        return hb_exit_code(&error);
    }
    settings.connections_max = (uint32_t)connections_max;
    hb_signals_block();
    hb_server *server = hb_server_open(&settings, &error);
    if (server == NULL)
        return hb_exit_code(&error);
    hb_say_note("serving %s; Ctrl-C stops", hb_server_address(server));
    while (hb_signals_wait(-1) == SIGHUP)
        ;
    hb_server_close(server);
    return 0;
}

static const hb_option options[] = {
    {"listen", HB_OPTION_ADDRESS, "HOST:PORT", "127.0.0.1:8080", "where to answer; ':8080' means every address"},
    HB_OPTIONS_PLACES,
    {"allow-host", HB_OPTION_TEXT, "NAME,…", NULL,
     "names by which the server may be addressed (loopback names always may)"},
    {"connections-max", HB_OPTION_NUMBER, "N", "1000", "clients connected at a time"},
    {NULL},
};

const hb_command hb_command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "answer over HTTP: dashboard, API, live events, metrics",
    .options = options,
    .run = run,
};
