/* reply.h - replies over HTTP: headers that every reply carries, errors as JSON, and counts of both. Loop thread only.
 */
#ifndef HB_SERVE_REPLY_H
#define HB_SERVE_REPLY_H

#include "base/metrics.h"

struct evhttp_request;

typedef struct hb_traffic { /* what the server counts about itself */
    hb_metric *success;     /* 2xx */
    hb_metric *redirect;    /* 3xx */
    hb_metric *client_error;
    hb_metric *server_error;
    hb_metric *rejected; /* connections and requests beyond a bound */
    hb_metric *live_clients;
    hb_metric *live_skipped; /* events not sent to a client that reads too slowly, or above its rate */
    _Atomic int64_t answer_us;
    _Atomic int64_t answers;
} hb_traffic;

void hb_traffic_open(hb_traffic *traffic, hb_metrics *metrics);

/* Appends the answer time as a Prometheus summary (the metrics themselves print what else there is). */
void hb_traffic_print(const hb_traffic *traffic, hb_buffer *out);

/* Whom a reply is for: a browser that shows it (and may load the dashboard's scripts), or a program that reads it. */
typedef enum hb_audience { HB_AUDIENCE_BROWSER, HB_AUDIENCE_PROGRAM } hb_audience;

/* Adds a header. Values come from constants, never from a request. */
void hb_reply_header(struct evhttp_request *http, const char *name, const char *value);

/* Adds the headers that every reply carries: against sniffing, framing, scripts and caching. */
void hb_reply_common_headers(struct evhttp_request *http, hb_audience audience);

/* Sends a reply with a body (copied; a HEAD request gets its length alone) and counts it. The request is gone then. */
void hb_reply_send(hb_traffic *traffic, struct evhttp_request *http, int status, hb_audience audience,
                   const char *content_type, hb_bytes body);

/* The same for an error: {"error":{"code":…,"message":…}}. */
void hb_reply_error(hb_traffic *traffic, struct evhttp_request *http, int status, const hb_error *error);

/* The status for an error of hubbub: 400 for wrong questions, 404 for what is missing, 503 for what may come back. */
int hb_reply_status(hb_code code);

/* Appends {"error":{"code":…,"message":…}}. */
void hb_reply_print_error(hb_buffer *out, const char *code, hb_bytes message);

void hb_traffic_count(hb_traffic *traffic, int status);

#endif
