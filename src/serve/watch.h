/* watch.h - which channels live clients look at just now: told by the loop, asked by the threads that gather news. */
#ifndef HB_SERVE_WATCH_H
#define HB_SERVE_WATCH_H

#include "base/memory.h"

typedef struct hb_watch hb_watch;

typedef struct hb_watched {
    char channel[HB_LOGIN_MAX + 1]; /* empty: the list of all channels, which every client looks at */
    uint32_t watchers;
    uint64_t serial; /* another one each time that the channel, looked at by nobody, is looked at again */
} hb_watched;

typedef struct hb_watch_list { /* a thread's copy, ordered by channel; zero-initialise, free list with free() */
    hb_watched *list;
    size_t count;
    size_t capacity;
    uint64_t version;
} hb_watch_list;

hb_watch *hb_watch_open(void);
void hb_watch_close(hb_watch *watch);

void hb_watch_add(hb_watch *watch, const char *channel);
void hb_watch_remove(hb_watch *watch, const char *channel); /* undoes one hb_watch_add */

/* Makes all waiters return false, now and later. */
void hb_watch_stop(hb_watch *watch);

/* Waits up to wait_ms (-1: without end) for a change since the copy was made, then makes the copy anew. */
bool hb_watch_wait(hb_watch *watch, int wait_ms, hb_watch_list *copy);

/* The entry of a channel, or NULL. */
const hb_watched *hb_watch_find(const hb_watch_list *copy, hb_bytes channel);

#endif
