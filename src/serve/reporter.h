/* reporter.h - the thread that watches the store and tells the news of it: once for all live clients. */
#ifndef HB_SERVE_REPORTER_H
#define HB_SERVE_REPORTER_H

#include "serve/ignored.h"
#include "serve/news.h"
#include "serve/watch.h"

typedef struct hb_reporter hb_reporter;

/* Looks at the store for the first time (HB_NEWS_STATE goes to the desk at once), then starts the thread. ignored: who
 * is left out of rankings; may be NULL. It and the address must outlive the reporter. NULL and *error: HB_ERROR_SYSTEM
 * (no thread). */
hb_reporter *hb_reporter_open(const char *store, const hb_ignored *ignored, hb_watch *watch, hb_news_desk desk,
                              hb_error *error);

/* To be called after hb_watch_stop: waits for the thread. */
void hb_reporter_close(hb_reporter *reporter);

#endif
