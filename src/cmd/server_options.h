/* server_options.h - the options that commands with a server share, beside HB_OPTIONS_PLACES. */
#ifndef HB_CMD_SERVER_OPTIONS_H
#define HB_CMD_SERVER_OPTIONS_H

#include "cmd/options.h"
#include "serve/server.h"

/* Who is left out of rankings, for commands that show them. */
#define HB_OPTION_IGNORE_USER                                                                                          \
    {                                                                                                                  \
        "ignore-user", HB_OPTION_LIST, "LOGIN,…", NULL,                                                                \
            "leave these out of rankings of users, besides well-known bots"                                            \
    }

#define HB_OPTIONS_SERVER                                                                                              \
    {"listen", HB_OPTION_ADDRESS, "HOST:PORT", "127.0.0.1:8080", "where to answer; ':8080' means every address"},      \
        HB_OPTION_IGNORE_USER,                                                                                         \
        {"allow-host", HB_OPTION_TEXT, "NAME,…", NULL,                                                                 \
         "names by which the server may be addressed (loopback names always may)"},                                    \
    {                                                                                                                  \
        "connections-max", HB_OPTION_NUMBER, "N", "1000", "clients connected at a time"                                \
    }

/* The option of commands that have no other server, and tell how they are doing where asked to. */
#define HB_OPTIONS_METRICS                                                                                             \
    {                                                                                                                  \
        "metrics", HB_OPTION_ADDRESS, "HOST:PORT", NULL, "answer at /metrics and /healthz there (default: nowhere)"    \
    }

/* Opens a server of these metrics and nothing else where --metrics says; *server is NULL where it says nothing. False:
 * as hb_server_open. */
bool hb_metrics_server_open(const hb_options *options, hb_metrics *metrics, hb_server **server, hb_error *error);

/* Reads HB_OPTION_IGNORE_USER: whom it names, and well-known bots. The caller closes it. NULL: HB_ERROR_USAGE. */
hb_ignored *hb_ignored_read(const hb_options *options, hb_error *error);

/* Reads HB_OPTIONS_PLACES and HB_OPTIONS_SERVER. Texts belong to options; settings->ignored is the caller's to close,
 * whatever comes back. False: HB_ERROR_USAGE. */
bool hb_server_settings_read(const hb_options *options, hb_server_settings *settings, hb_error *error);

#endif
