/* workers.h - threads that answer the API's questions, so that a slow one holds up neither the loop nor live events. */
#ifndef HB_SERVE_WORKERS_H
#define HB_SERVE_WORKERS_H

#include "serve/reply.h"
#include "serve/request.h"

struct event_base;

typedef struct hb_workers hb_workers;

/* Starts `count` threads, each with an api of its own (store, log, ignored: as for hb_api_open); at most waiting_max
 * requests wait for one.
 * Replies go out from base's loop. NULL and *error: HB_ERROR_SYSTEM (no thread). */
hb_workers *hb_workers_open(struct event_base *base, unsigned count, unsigned waiting_max, const char *store,
                            const char *log, const hb_ignored *ignored, hb_traffic *traffic, hb_error *error);

/* Stops the threads. To be called once the loop has ended, before evhttp_free; requests under way get no reply. */
void hb_workers_close(hb_workers *workers);

/* Takes a request over and replies to it later; at once, with 503, when too many wait. Loop thread only. */
void hb_workers_take(hb_workers *workers, struct evhttp_request *http, const hb_request *request);

#endif
