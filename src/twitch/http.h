/* http.h - HTTP calls one after the other, by libcurl; can be broken off from any thread. */
#ifndef HB_TWITCH_HTTP_H
#define HB_TWITCH_HTTP_H

#include "base/memory.h"

typedef struct hb_http hb_http;

/* What of an answer matters besides its body. */
typedef struct hb_http_outcome {
    long status;       /* HTTP; 0: no answer */
    int64_t remaining; /* Ratelimit-Remaining: points that are left; -1: not told */
    int64_t reset_s;   /* Ratelimit-Reset: when there are all of them again, Unix seconds; 0: not told */
} hb_http_outcome;

/* Trusts what the system trusts, and the certificates in tls_ca_file (may be NULL; has to last). timeout_ms is for a
 * call from its beginning to its end, body_max (bytes) for an answer. NULL: HB_ERROR_SYSTEM. */
hb_http *hb_http_open(const char *tls_ca_file, int timeout_ms, size_t body_max, hb_error *error);
void hb_http_close(hb_http *http);

typedef struct hb_http_request {
    const char *url;
    const char *form;      /* a POST with this body; NULL: a GET */
    const char *client_id; /* headers, each may be NULL */
    const char *token;
} hb_http_request;

/* Makes a call and waits for the answer, whatever its status. The body is put into *body (cleared first). False, with
 * outcome->status 0: HB_ERROR_NETWORK (no connection, no whole answer in time, stopped), HB_ERROR_LIMIT (the answer is
 * too long). Redirects are not followed: a token goes nowhere but where it was meant for. */
bool hb_http_call(hb_http *http, const hb_http_request *call, hb_http_outcome *outcome, hb_buffer *body,
                  hb_error *error);

/* Waits; less long once somebody wakes it. */
void hb_http_wait(hb_http *http, int64_t wait_ms);

/* Any thread. Stopping breaks off the call in hand and all waits, now and later. */
void hb_http_wake(hb_http *http);
void hb_http_stop(hb_http *http);
bool hb_http_stopped(const hb_http *http);

/* Whether what is sent to this URL can be read on its way: it is neither https nor to this machine. *good: it is an
 * http or https URL at all. */
bool hb_http_url_is_open(const char *url, bool *good);

/* A base URL, without the slashes that it may end with, and a path behind it; the caller's, to be freed with free(). */
char *hb_http_url(const char *base, const char *path);

#endif
