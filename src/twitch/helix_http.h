/* helix_http.h - HTTP calls one after the other, by libcurl; can be broken off from any thread. */
#ifndef HB_TWITCH_HELIX_HTTP_H
#define HB_TWITCH_HELIX_HTTP_H

#include "twitch/helix_plan.h"

typedef struct hb_helix_http hb_helix_http;

enum { HB_HELIX_BODY_MAX = 4 << 20 }; /* bytes of an answer; 100 streams take some 100 KiB */

/* Trusts what the system trusts, and the certificates in tls_ca_file (may be NULL; has to last). timeout_ms is for a
 * call from its beginning to its end. NULL: HB_ERROR_SYSTEM. */
hb_helix_http *hb_helix_http_open(const char *tls_ca_file, int timeout_ms, hb_error *error);
void hb_helix_http_close(hb_helix_http *http);

typedef struct hb_helix_call {
    const char *url;
    const char *form;      /* a POST with this body; NULL: a GET */
    const char *client_id; /* headers, each may be NULL */
    const char *token;
} hb_helix_call;

/* Makes a call and waits for the answer, whatever its status. The body is put into *body (cleared first). False, with
 * outcome->status 0: HB_ERROR_NETWORK (no connection, no whole answer in time, stopped), HB_ERROR_LIMIT (the answer is
 * too long). Redirects are not followed: a token goes nowhere but where it was meant for. */
bool hb_helix_http_call(hb_helix_http *http, const hb_helix_call *call, hb_helix_outcome *outcome, hb_buffer *body,
                        hb_error *error);

/* Waits; less long once somebody wakes it. */
void hb_helix_http_wait(hb_helix_http *http, int64_t wait_ms);

/* Any thread. Stopping breaks off the call in hand and all waits, now and later. */
void hb_helix_http_wake(hb_helix_http *http);
void hb_helix_http_stop(hb_helix_http *http);
bool hb_helix_http_stopped(const hb_helix_http *http);

/* Whether what is sent to this URL can be read on its way: it is neither https nor to this machine. *good: it is an
 * http or https URL at all. */
bool hb_helix_url_is_open(const char *url, bool *good);

#endif
