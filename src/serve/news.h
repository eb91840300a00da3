/* news.h - what the threads that watch store and log hand to the loop, which sends it to live clients. */
#ifndef HB_SERVE_NEWS_H
#define HB_SERVE_NEWS_H

#include "base/memory.h"

/* A text that many clients' output buffers share. References are counted by the loop thread alone, once it has it. */
typedef struct hb_text {
    size_t references;
    size_t size;
    char data[];
} hb_text;

hb_text *hb_text_make(hb_bytes bytes); /* with one reference */
void hb_text_drop(hb_text *text);      /* one reference less; NULL is allowed */

/* Makes a server-sent event: "event: NAME\ndata: DATA\n\n". data: JSON without line ends. */
hb_text *hb_text_make_event(const char *name, hb_bytes data);

typedef enum hb_news_kind {
    HB_NEWS_CHANNELS, /* of all channels */
    HB_NEWS_RATE,     /* of one channel, as the next two */
    HB_NEWS_WORDS,
    HB_NEWS_USERS,
    HB_NEWS_LASTING, /* kinds before this replace what was sent before; a new client needs them */
    HB_NEWS_MESSAGE = HB_NEWS_LASTING,
    HB_NEWS_SKIPPED, /* that many messages of one channel were left out */
    HB_NEWS_STATE    /* whether there is a store to read; whole: why not, or NULL when there is */
} hb_news_kind;

typedef struct hb_news {
    struct hb_news *next;
    hb_news_kind kind;
    char channel[HB_LOGIN_MAX + 1];
    hb_text *whole;   /* the event as a client needs that knows nothing yet */
    hb_text *changed; /* the event for one that has had all before; NULL: as whole */
    uint64_t count;   /* of HB_NEWS_SKIPPED */
} hb_news;

hb_news *hb_news_make(hb_news_kind kind, const char *channel, hb_text *whole);
void hb_news_free(hb_news *news);

/* Where news goes: called by any thread, takes the news over, never waits. */
typedef struct hb_news_desk {
    void (*put)(void *context, hb_news *news);
    void *context;
} hb_news_desk;

#endif
