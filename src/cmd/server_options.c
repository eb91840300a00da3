/* server_options.c - see server_options.h. */
#include "cmd/server_options.h"

#include "base/error.h"

enum { CONNECTIONS_LEAST = 4, CONNECTIONS_MOST = 1000000 };

bool hb_server_settings_read(const hb_options *options, hb_server_settings *settings, hb_error *error)
{
    const uint64_t connections_max = hb_options_number(options, "connections-max");
    *settings = (hb_server_settings){.store = hb_options_store(options),
                                     .log = hb_options_log(options),
                                     .allowed_hosts = hb_options_text(options, "allow-host"),
                                     .connections_max = (uint32_t)connections_max};
    hb_options_address(options, "listen", &settings->host, &settings->port);
    if (connections_max < CONNECTIONS_LEAST || connections_max > CONNECTIONS_MOST)
        return hb_fail(error, HB_ERROR_USAGE, "--connections-max is %llu, but must be from %d to %d",
                       (unsigned long long)connections_max, CONNECTIONS_LEAST, CONNECTIONS_MOST);
    return true;
}
