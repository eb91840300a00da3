/* server.h - the web server: the dashboard, the API, live events, /metrics and /healthz.
 *
 * One thread runs libevent's loop and all of HTTP; two answer questions; one watches the store and one the log for live
 * events. The server only reads. Store and log need not exist yet: it waits for them, and says so (/healthz: 503).
 */
#ifndef HB_SERVE_SERVER_H
#define HB_SERVE_SERVER_H

#include "base/metrics.h"
#include "serve/ignored.h"

typedef struct hb_server hb_server;

typedef struct hb_server_settings { /* copied, but for ignored and metrics, which must outlive the server */
    const char *host;               /* a name or address; NULL or empty: every address of this machine */
    uint16_t port;                  /* 0: any free one, see hb_server_port */
    const char *store;         /* the store's address; NULL, and log too: /metrics and /healthz alone are answered */
    const char *log;           /* the log's address */
    uint32_t connections_max;  /* at a time; 0: 1000. Three in four may follow live events */
    const char *allowed_hosts; /* names by which the server may be addressed besides this machine's own, with commas
                                  between them; NULL: none. See below */
    hb_ignored *ignored;       /* who is left out of rankings, but for requests that want bots, too; NULL: nobody */
    hb_metrics *metrics;       /* what /metrics shows, the server's own included; NULL: only the server's own */
} hb_server_settings;

/* Listens and serves. NULL and *error: HB_ERROR_BUSY (the port is in use), HB_ERROR_USAGE (no such host),
 * HB_ERROR_SYSTEM (may not listen there; no thread).
 *
 * Where it listens on a loopback address, or where allowed_hosts is given, a request whose Host header names neither a
 * loopback address nor one of allowed_hosts gets 403. Otherwise any web page could have its own name point to 127.0.0.1
 * and read the server as if it were its own (DNS rebinding). */
hb_server *hb_server_open(const hb_server_settings *settings, hb_error *error);

/* Stops listening, ends live streams and connections, waits for the threads. */
void hb_server_close(hb_server *server);

/* Says for the dashboard (/healthz) why there are no viewers: a sentence; NULL: they are counted. Any thread. Until it
 * is called nothing is said of viewers. */
void hb_server_tell_viewers(hb_server *server, const char *why);

uint16_t hb_server_port(const hb_server *server);

/* "http://127.0.0.1:8080/": where a browser on this machine finds it. The text belongs to the server. */
const char *hb_server_address(const hb_server *server);

#endif
