/* top_source.h - where hubbub top gets its news: a thread of its own asks a running hubbub over HTTP, or the store
 * itself, again and again, so that keys are answered at once however slow the answers are. */
#ifndef HB_CMD_TOP_SOURCE_H
#define HB_CMD_TOP_SOURCE_H

#include "cmd/top_news.h"
#include "serve/ignored.h"

typedef struct hb_top_place {
    const char *server; /* "http://127.0.0.1:8080"; NULL: ask the store */
    const char *store;
    const char *log;
    const hb_ignored *ignored; /* left out of the users, where the store is asked */
    int every_ms;              /* between questions */
} hb_top_place;                /* texts must outlive the source */

/* What to ask besides the list of channels. */
typedef struct hb_top_wish {
    char channel[HB_LOGIN_MAX + 1]; /* empty: nothing */
    unsigned range_s;               /* so long until now */
    char kind[16];                  /* of words: "all", "emote", … */
} hb_top_wish;

typedef struct hb_top_source hb_top_source;

/* Asks once and waits for the answer. NULL and *error: HB_ERROR_MISSING (no store, no such channel), HB_ERROR_NETWORK
 * (no server), or the store's errors. */
hb_top_news *hb_top_ask(const hb_top_place *place, const hb_top_wish *wish, hb_error *error);

/* Starts asking. *descriptor becomes readable when there is news, or may be. NULL: HB_ERROR_SYSTEM, HB_ERROR_USAGE. */
hb_top_source *hb_top_source_open(const hb_top_place *place, int *descriptor, hb_error *error);
void hb_top_source_close(hb_top_source *source);

/* Changes the wish; another one than before is asked for at once. */
void hb_top_source_wish(hb_top_source *source, const hb_top_wish *wish);

/* The news since the last call, the caller's to close; NULL: none. */
hb_top_news *hb_top_source_take(hb_top_source *source);

#endif
