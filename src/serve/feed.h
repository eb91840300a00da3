/* feed.h - the thread that follows the log's end for the channels that live clients look at, and tells their messages.
 */
#ifndef HB_SERVE_FEED_H
#define HB_SERVE_FEED_H

#include "serve/news.h"
#include "serve/watch.h"

enum { HB_FEED_PER_SECOND = 50 }; /* messages of one channel; the rest is told as a count */

typedef struct hb_feed hb_feed;

/* Starts the thread; the log need not be there yet. The address must outlive the feed. NULL and *error:
 * HB_ERROR_SYSTEM (no thread). */
hb_feed *hb_feed_open(const char *log, hb_watch *watch, hb_news_desk desk, hb_error *error);

/* To be called after hb_watch_stop: waits for the thread. */
void hb_feed_close(hb_feed *feed);

#endif
