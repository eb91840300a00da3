/* live.h - live events (server-sent events, the HTML standard section 9.2) for any number of clients. Loop thread only,
 * but for the desk.
 *
 * What lasts (channels, rate, words, users) is sent as it changes; a client that reads too slowly to keep up is passed
 * over and gets the latest of each once it has read what waits. Messages it missed are counted, and told as `skipped`.
 * So no client can make the server hold more than a bounded amount for it. */
#ifndef HB_SERVE_LIVE_H
#define HB_SERVE_LIVE_H

#include "serve/news.h"
#include "serve/reply.h"
#include "serve/watch.h"

struct event_base;

typedef struct hb_live hb_live;

/* clients_max: how many at a time; one more is told 503. */
hb_live *hb_live_open(struct event_base *base, hb_watch *watch, uint32_t clients_max, hb_traffic *traffic);

/* To be called once the loop has ended and no thread puts news any more, before evhttp_free. */
void hb_live_close(hb_live *live);

/* Where the threads put their news; it goes out from the loop. */
hb_news_desk hb_live_desk(hb_live *live);

/* Takes a request over: it is answered with a stream of events. channel is empty for the list of channels alone. */
void hb_live_take(hb_live *live, struct evhttp_request *http, const char *channel);

/* Whether the store could be read lately; if not, why. */
bool hb_live_ready(const hb_live *live, hb_bytes *why_not);

#endif
