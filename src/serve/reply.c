/* reply.c - one place where replies leave, so that no header is forgotten and every reply is counted.
 *
 * The Content-Security-Policy lets the dashboard load its own files and nothing else but images of Twitch's emotes: a
 * message from chat that got through as HTML could neither run nor load anything. libevent sends a body with HEAD if
 * given one, so the length is set by hand there. */
#include "serve/reply.h"

#include "serve/json.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <inttypes.h>
#include <stdio.h>

#define PAGE_POLICY                                                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: "               \
    "https://static-cdn.jtvnw.net; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

void hb_traffic_open(hb_traffic *traffic, hb_metrics *metrics)
{
    *traffic = (hb_traffic){
        .success = hb_metrics_counter(metrics, "hubbub_http_responses_2xx_total", "HTTP replies that went well"),
        .redirect = hb_metrics_counter(metrics, "hubbub_http_responses_3xx_total", "HTTP replies: not modified"),
        .client_error =
            hb_metrics_counter(metrics, "hubbub_http_responses_4xx_total", "HTTP replies to wrong requests"),
        .server_error = hb_metrics_counter(metrics, "hubbub_http_responses_5xx_total", "HTTP replies that failed here"),
        .rejected = hb_metrics_counter(metrics, "hubbub_http_rejected_total",
                                       "Connections and requests turned away because a bound was reached"),
        .live_clients = hb_metrics_gauge(metrics, "hubbub_live_clients", "Clients that follow live events"),
        .live_skipped = hb_metrics_counter(metrics, "hubbub_live_skipped_total",
                                           "Live events left out for clients that read too slowly or above their rate"),
    };
}

void hb_traffic_print(const hb_traffic *traffic, hb_buffer *out)
{
    const int64_t us = atomic_load_explicit(&traffic->answer_us, memory_order_relaxed);
    hb_buffer_print(out,
                    "# HELP hubbub_http_answer_seconds Time from a question's arrival to its answer\n"
                    "# TYPE hubbub_http_answer_seconds summary\n"
                    "hubbub_http_answer_seconds_sum %" PRId64 ".%06" PRId64 "\n"
                    "hubbub_http_answer_seconds_count %" PRId64 "\n",
                    us / 1000000, us % 1000000, atomic_load_explicit(&traffic->answers, memory_order_relaxed));
}

void hb_traffic_count(hb_traffic *traffic, int status)
{
    hb_metric_add(status < 300   ? traffic->success
                  : status < 400 ? traffic->redirect
                  : status < 500 ? traffic->client_error
                                 : traffic->server_error,
                  1);
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

static const char *code_name(hb_code code)
{
    switch (code) {
    case HB_ERROR_USAGE:
        return "usage";
    case HB_ERROR_CORRUPT:
        return "corrupt";
    case HB_ERROR_VERSION:
        return "version";
    case HB_ERROR_BUSY:
        return "busy";
    case HB_ERROR_NETWORK:
        return "network";
    case HB_ERROR_MISSING:
        return "missing";
    case HB_ERROR_LIMIT:
        return "limit";
    case HB_ERROR_SYSTEM:
    case HB_ERROR_NONE:
        break;
    }
    return "system";
}

int hb_reply_status(hb_code code)
{
    switch (code) {
    case HB_ERROR_USAGE:
    case HB_ERROR_LIMIT:
        return 400;
    case HB_ERROR_MISSING:
        return 404;
    case HB_ERROR_BUSY:
    case HB_ERROR_NETWORK:
        return 503;
    case HB_ERROR_NONE:
    case HB_ERROR_CORRUPT:
    case HB_ERROR_VERSION:
    case HB_ERROR_SYSTEM:
        break;
    }
    return 500;
}

void hb_reply_header(struct evhttp_request *http, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(http), name, value);
}

/* What chat says is public: any page (a Grafana, say) may read the API. Nothing else is for other pages. */
static bool is_for_any_page(struct evhttp_request *http)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
    const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
    return path != NULL && (strncmp(path, "/api/", 5) == 0 || strcmp(path, "/openapi.json") == 0);
}

void hb_reply_common_headers(struct evhttp_request *http, hb_audience audience)
{
    hb_reply_header(http, "X-Content-Type-Options", "nosniff");
    hb_reply_header(http, "Referrer-Policy", "no-referrer");
    if (audience == HB_AUDIENCE_PROGRAM) {
        hb_reply_header(http, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
        hb_reply_header(http, "Cache-Control", "no-store");
        if (is_for_any_page(http))
            hb_reply_header(http, "Access-Control-Allow-Origin", "*");
    } else {
        hb_reply_header(http, "Content-Security-Policy", PAGE_POLICY);
        hb_reply_header(http, "Cross-Origin-Opener-Policy", "same-origin");
        hb_reply_header(http, "Cache-Control", "no-cache");
    }
}

void hb_reply_send(hb_traffic *traffic, struct evhttp_request *http, int status, hb_audience audience,
                   const char *content_type, hb_bytes body)
{
    hb_traffic_count(traffic, status);
    hb_reply_common_headers(http, audience);
    if (content_type != NULL)
        hb_reply_header(http, "Content-Type", content_type);
    struct evbuffer *out = NULL;
    if (evhttp_request_get_command(http) == EVHTTP_REQ_HEAD) {
        char length[24];
        snprintf(length, sizeof length, "%zu", body.size);
        hb_reply_header(http, "Content-Length", length);
    } else if (body.size > 0) {
        out = evbuffer_new();
        if (out != NULL)
            evbuffer_add(out, body.data, body.size);
    }
    evhttp_send_reply(http, status, reason_of(status), out);
    if (out != NULL)
        evbuffer_free(out);
}

void hb_reply_print_error(hb_buffer *out, const char *code, hb_bytes message)
{
    hb_json_open(out, '{');
    hb_json_key(out, "error");
    hb_json_open(out, '{');
    hb_json_key(out, "code");
    hb_json_text(out, hb_bytes_of(code));
    hb_json_key(out, "message");
    hb_json_text(out, message);
    hb_json_close(out, '}');
    hb_json_close(out, '}');
}

void hb_reply_error(hb_traffic *traffic, struct evhttp_request *http, int status, const hb_error *error)
{
    hb_buffer body = {0};
    hb_reply_print_error(&body, code_name(error->code), hb_bytes_of(error->text));
    if (status == 503)
        hb_reply_header(http, "Retry-After", "1");
    hb_reply_send(traffic, http, status, HB_AUDIENCE_PROGRAM, "application/json", hb_buffer_bytes(&body));
    hb_buffer_free(&body);
}
