/* server_options.c - see server_options.h. */
#include "cmd/server_options.h"

#include "base/error.h"
#include "base/say.h"

enum { CONNECTIONS_LEAST = 4, CONNECTIONS_MOST = 1000000, METRICS_CONNECTIONS_MAX = 64 };

hb_ignored *hb_ignored_read(const hb_options *options, hb_error *error)
{
    hb_ignored *ignored = hb_ignored_open(true);
    size_t at = 0;
    for (const char *names; (names = hb_options_next_setting(options, "ignore-user", &at)) != NULL;) {
        hb_error why;
        if (!hb_ignored_add(ignored, hb_bytes_of(names), &why)) {
            hb_fail(error, why.code, "--ignore-user: %s", why.text);
            hb_ignored_close(ignored);
            return NULL;
        }
    }
    return ignored;
}

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
    settings->ignored = hb_ignored_read(options, error);
    return settings->ignored != NULL;
}

bool hb_metrics_server_open(const hb_options *options, hb_metrics *metrics, hb_server **server, hb_error *error)
{
    hb_server_settings settings = {.connections_max = METRICS_CONNECTIONS_MAX, .metrics = metrics};
    *server = NULL;
    if (!hb_options_address(options, "metrics", &settings.host, &settings.port))
        return true;
    *server = hb_server_open(&settings, error);
    if (*server != NULL)
        hb_say_note("metrics are at %smetrics", hb_server_address(*server));
    return *server != NULL;
}
