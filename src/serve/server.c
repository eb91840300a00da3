/* server.c - puts the parts together and hands each request to the one that answers it.
 *
 * libevent's requests are touched by the loop's thread alone. Parts are closed in an order that makes this safe: first
 * the loop ends, then the threads that feed it, then what holds requests, then libevent's server with all connections.
 */
#include "serve/server.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/connections.h"
#include "serve/feed.h"
#include "serve/json.h"
#include "serve/listen.h"
#include "serve/live.h"
#include "serve/pages.h"
#include "serve/process_metrics.h"
#include "serve/reporter.h"
#include "serve/workers.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/thread.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WORKERS = 2,
    WAITING_MAX = 512, /* requests: what some hundred dashboards ask for when they come back at once */
    CONNECTIONS_MAX = 1000,
    HEADERS_BYTES_MAX = 16 * 1024,
    BODY_BYTES_MAX = 4 * 1024, /* no request needs one */
    IDLE_TIMEOUT_S = 30        /* without a byte read or written */
};

struct hb_server {
    hb_listener listener;
    hb_metrics *metrics;
    bool own_metrics;
    hb_traffic traffic;
    char *store;
    char *log;
    char *allowed_hosts;
    const hb_ignored *ignored;
    struct event_base *base;
    struct evhttp *http;
    struct event *stop;
    hb_connections *connections;
    hb_workers *workers;
    hb_watch *watch;
    hb_live *live;
    hb_reporter *reporter;
    hb_feed *feed;
    pthread_t thread;
    bool running;
    pthread_mutex_t viewers_lock; /* of the next two */
    bool viewers_told;
    char no_viewers[512]; /* why there are none; empty: they are counted */
};

/* ---- Replies that need no thread ---- */

static hb_bytes header_of(struct evhttp_request *http, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(http), name);
    return value == NULL ? (hb_bytes){NULL, 0} : hb_bytes_of(value);
}

static void reply_page(hb_server *server, struct evhttp_request *http, hb_bytes path)
{
    hb_page page;
    hb_error error;
    if (!hb_page_find(path, &page)) {
        hb_fail(&error, HB_ERROR_MISSING, "nothing is at %.*s", HB_PRINT(path));
        hb_reply_error(&server->traffic, http, 404, &error);
        return;
    }
    /* The API's description is for any reader, the rest for the dashboard's own pages. */
    const hb_audience audience =
        strcmp(page.content_type, "application/json") == 0 ? HB_AUDIENCE_PROGRAM : HB_AUDIENCE_BROWSER;
    const bool zipped = hb_page_takes_gzip(header_of(http, "Accept-Encoding"));
    hb_reply_header(http, "ETag", page.tag);
    hb_reply_header(http, "Vary", "Accept-Encoding");
    if (hb_page_tag_matches(header_of(http, "If-None-Match"), page.tag))
        hb_reply_send(&server->traffic, http, 304, audience, NULL, (hb_bytes){NULL, 0});
    else {
        if (zipped)
            hb_reply_header(http, "Content-Encoding", "gzip");
        hb_reply_send(&server->traffic, http, 200, audience, page.content_type, zipped ? page.zipped : page.content);
    }
}

static void reply_metrics(hb_server *server, struct evhttp_request *http)
{
    hb_buffer text = {0};
    hb_metrics_print(server->metrics, &text);
    hb_traffic_print(&server->traffic, &text);
    hb_process_metrics_print(&text);
    hb_reply_send(&server->traffic, http, 200, HB_AUDIENCE_PROGRAM, "text/plain; version=0.0.4; charset=utf-8",
                  hb_buffer_bytes(&text));
    hb_buffer_free(&text);
}

static void print_viewers(hb_server *server, hb_buffer *text)
{
    pthread_mutex_lock(&server->viewers_lock);
    if (server->viewers_told) {
        hb_json_key(text, "viewers");
        hb_json_open(text, '{');
        hb_json_key(text, "status");
        hb_json_text(text, server->no_viewers[0] == '\0' ? HB_BYTES("ok") : HB_BYTES("missing"));
        if (server->no_viewers[0] != '\0') {
            hb_json_key(text, "reason");
            hb_json_text(text, hb_bytes_of(server->no_viewers));
        }
        hb_json_close(text, '}');
    }
    pthread_mutex_unlock(&server->viewers_lock);
}

void hb_server_tell_viewers(hb_server *server, const char *why)
{
    pthread_mutex_lock(&server->viewers_lock);
    server->viewers_told = true;
    snprintf(server->no_viewers, sizeof server->no_viewers, "%s", why == NULL ? "" : why);
    pthread_mutex_unlock(&server->viewers_lock);
}

static void reply_health(hb_server *server, struct evhttp_request *http)
{
    hb_bytes reason;
    hb_buffer text = {0};
    char now[HB_TIME_TEXT];
    const bool ready = server->live == NULL || hb_live_ready(server->live, &reason);
    hb_time_print(hb_now_ms() / 1000, now);
    hb_json_open(&text, '{');
    hb_json_key(&text, "status");
    hb_json_text(&text, ready ? HB_BYTES("ok") : HB_BYTES("waiting"));
    hb_json_key(&text, "version");
    hb_json_text(&text, HB_BYTES(HB_VERSION));
    hb_json_key(&text, "now");
    hb_json_text(&text, hb_bytes_of(now));
    if (!ready) {
        hb_json_key(&text, "reason");
        hb_json_text(&text, reason);
    }
    print_viewers(server, &text);
    hb_json_close(&text, '}');
    hb_reply_send(&server->traffic, http, ready ? 200 : 503, HB_AUDIENCE_PROGRAM, "application/json",
                  hb_buffer_bytes(&text));
    hb_buffer_free(&text);
}

/* ---- Which requests are let in ---- */

static bool is_host_allowed(const hb_server *server, struct evhttp_request *http)
{
    const hb_bytes host = header_of(http, "Host");
    hb_bytes names = server->allowed_hosts == NULL ? (hb_bytes){NULL, 0} : hb_bytes_of(server->allowed_hosts);
    hb_bytes name;
    if (!server->listener.loopback && names.size == 0)
        return true;
    /* Browsers always send one; a script that speaks HTTP/1.0 may leave it out. */
    if (host.data == NULL || hb_host_is_loopback(host))
        return true;
    while (hb_bytes_cut(&names, ',', &name))
        if (hb_host_is(host, name))
            return true;
    return false;
}

static bool let_in(hb_server *server, struct evhttp_request *http)
{
    const enum evhttp_cmd_type method = evhttp_request_get_command(http);
    hb_error error;
    if (!is_host_allowed(server, http)) {
        hb_fail(&error, HB_ERROR_USAGE,
                "this server does not go by the name '%.200s'; if it should, start it with --allow-host",
                header_of(http, "Host").data);
        hb_reply_error(&server->traffic, http, 403, &error);
        return false;
    }
    if (method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD)
        return true;
    hb_fail(&error, HB_ERROR_USAGE, "only GET and HEAD are answered here");
    hb_reply_header(http, "Allow", "GET, HEAD");
    hb_reply_error(&server->traffic, http, 405, &error);
    return false;
}

static void on_request(struct evhttp_request *http, void *context)
{
    hb_server *server = context;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
    const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
    const char *query = uri == NULL ? NULL : evhttp_uri_get_query(uri);
    const hb_bytes path_bytes = path == NULL || *path == '\0' ? HB_BYTES("/") : hb_bytes_of(path);
    hb_request request;
    hb_error error;
    if (!let_in(server, http))
        return;
    if (!hb_request_parse(path_bytes, query == NULL ? (hb_bytes){NULL, 0} : hb_bytes_of(query), hb_now_ms() / 1000,
                          &request, &error)) {
        hb_reply_error(&server->traffic, http, hb_reply_status(error.code), &error);
        return;
    }
    if (server->live == NULL && request.route != HB_ROUTE_METRICS && request.route != HB_ROUTE_HEALTH) {
        hb_fail(&error, HB_ERROR_MISSING, "only /metrics and /healthz are here; hubbub serve answers the rest");
        hb_reply_error(&server->traffic, http, 404, &error);
        return;
    }
    switch (request.route) {
    case HB_ROUTE_PAGE:
        reply_page(server, http, path_bytes);
        break;
    case HB_ROUTE_METRICS:
        reply_metrics(server, http);
        break;
    case HB_ROUTE_HEALTH:
        reply_health(server, http);
        break;
    case HB_ROUTE_LIVE:
        hb_live_take(server->live, http, request.channel);
        break;
    case HB_ROUTE_ANSWER:
    case HB_ROUTE_MESSAGES:
        hb_workers_take(server->workers, http, &request);
        break;
    }
}

/* ---- Opening and closing ---- */

static void on_stop(evutil_socket_t unused, short what, void *context)
{
    hb_server *server = context;
    (void)unused;
    (void)what;
    event_base_loopbreak(server->base);
}

static void *run_loop(void *context)
{
    hb_server *server = context;
    event_base_dispatch(server->base);
    return NULL;
}

static bool open_http(hb_server *server, uint32_t connections_max, hb_error *error)
{
    if (evthread_use_pthreads() != 0 || (server->base = event_base_new()) == NULL ||
        (server->http = evhttp_new(server->base)) == NULL)
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot start libevent");
    server->stop = event_new(server->base, -1, EV_PERSIST, on_stop, server);
    server->connections = hb_connections_open(server->base, server->http, connections_max, &server->traffic);
    evhttp_set_max_headers_size(server->http, HEADERS_BYTES_MAX);
    evhttp_set_max_body_size(server->http, BODY_BYTES_MAX);
    evhttp_set_timeout(server->http, IDLE_TIMEOUT_S);
    /* Others get an answer in JSON as well, rather than libevent's own. */
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                                 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH |
                                                 EVHTTP_REQ_TRACE);
    evhttp_set_gencb(server->http, on_request, server);
    if (evhttp_accept_socket_with_handle(server->http, server->listener.descriptor) == NULL)
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot accept connections at %s", server->listener.address);
    server->listener.descriptor = -1; /* libevent's now */
    return true;
}

/* What answers from store and log. */
static bool open_answers(hb_server *server, uint32_t connections_max, hb_error *error)
{
    server->watch = hb_watch_open();
    server->live = hb_live_open(server->base, server->watch, connections_max - connections_max / 4, &server->traffic);
    server->workers = hb_workers_open(server->base, WORKERS, WAITING_MAX, server->store, server->log, server->ignored,
                                      &server->traffic, error);
    if (server->workers == NULL)
        return false;
    server->reporter =
        hb_reporter_open(server->store, server->ignored, server->watch, hb_live_desk(server->live), error);
    if (server->reporter == NULL)
        return false;
    server->feed = hb_feed_open(server->log, server->watch, hb_live_desk(server->live), error);
    return server->feed != NULL;
}

static bool start(hb_server *server, uint32_t connections_max, hb_error *error)
{
    if (!open_http(server, connections_max, error) ||
        (server->store != NULL && !open_answers(server, connections_max, error)))
        return false;
    if (pthread_create(&server->thread, NULL, run_loop, server) != 0)
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot start the thread that serves HTTP");
    server->running = true;
    return true;
}

hb_server *hb_server_open(const hb_server_settings *settings, hb_error *error)
{
    hb_server *server = hb_alloc(sizeof *server);
    const char *host = settings->host == NULL ? "" : settings->host;
    if (!hb_listen(host, settings->port, &server->listener, error)) {
        free(server);
        return NULL;
    }
    pthread_mutex_init(&server->viewers_lock, NULL);
    server->own_metrics = settings->metrics == NULL;
    server->metrics = server->own_metrics ? hb_metrics_open() : settings->metrics;
    hb_traffic_open(&server->traffic, server->metrics);
    server->store = hb_copy_text_or_null(settings->store);
    server->log = hb_copy_text_or_null(settings->log);
    server->allowed_hosts = hb_copy_text_or_null(settings->allowed_hosts);
    server->ignored = settings->ignored;
    if (start(server, settings->connections_max == 0 ? CONNECTIONS_MAX : settings->connections_max, error))
        return server;
    hb_server_close(server);
    return NULL;
}

void hb_server_close(hb_server *server)
{
    if (server == NULL)
        return;
    if (server->running) {
        event_active(server->stop, 0, 0);
        pthread_join(server->thread, NULL);
    }
    if (server->watch != NULL)
        hb_watch_stop(server->watch);
    hb_reporter_close(server->reporter);
    hb_feed_close(server->feed);
    hb_workers_close(server->workers);
    hb_live_close(server->live);
    hb_connections_close(server->connections);
    if (server->http != NULL)
        evhttp_free(server->http);
    if (server->listener.descriptor >= 0)
        close(server->listener.descriptor);
    if (server->stop != NULL)
        event_free(server->stop);
    if (server->base != NULL)
        event_base_free(server->base);
    hb_watch_close(server->watch);
    if (server->own_metrics)
        hb_metrics_close(server->metrics);
    free(server->store);
    free(server->log);
    free(server->allowed_hosts);
    pthread_mutex_destroy(&server->viewers_lock);
    free(server);
}

uint16_t hb_server_port(const hb_server *server)
{
    return server->listener.port;
}

const char *hb_server_address(const hb_server *server)
{
    return server->listener.address;
}
