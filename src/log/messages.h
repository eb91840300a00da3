/* messages.h - reading messages back from the log: the newest of a channel, and which of them were removed.
 *
 * Hours are read from the newest to the oldest, of each only what can hold what is looked for (search.h), until the
 * limit is met. Lines are told apart by a plain search for the channel's name before they are parsed. Memory is bounded
 * by the limit, and by HB_MESSAGES_BYTES. A message that was received twice comes once. */
#ifndef HB_LOG_MESSAGES_H
#define HB_LOG_MESSAGES_H

#include "log/log.h"

enum {
    HB_MESSAGES_MAX = 10000,     /* the limit is at most this */
    HB_MESSAGES_BYTES = 64 << 20 /* lines held; of longer ones fewer come */
};

/* A place in a channel's messages. It stays right whatever is appended or compressed meanwhile. */
typedef struct hb_message_cursor {
    int64_t time_ms;
    uint64_t at; /* in its part: settles equal times */
} hb_message_cursor;

typedef struct hb_message_query {
    hb_bytes channel;  /* a login in any case, without '#' */
    hb_bytes user;     /* a login in any case, or a user id; empty: everyone */
    int64_t from_s;    /* counted in */
    int64_t to_s;      /* not counted in */
    size_t limit;      /* the newest so many */
    int64_t budget_ms; /* stops reading after this long, with what was found; 0: no bound */
    bool paged;        /* only messages before the cursor below: the next page back */
    hb_message_cursor before;
    bool (*want)(void *context, const hb_fact *message); /* NULL: any message */
    void *want_context;
} hb_message_query;

typedef struct hb_message {
    hb_fact fact; /* a HB_FACT_MESSAGE; slices belong to the hb_messages */
    bool deleted; /* by a CLEARMSG or CLEARCHAT within two hours (removals.h); the text is there all the same */
} hb_message;

typedef struct hb_messages hb_messages;

/* Reads; NULL and *error: HB_ERROR_USAGE (no channel, from after to), or the log's errors. A channel that was never
 * seen has no messages. Uses the log only during the call. */
hb_messages *hb_messages_open(hb_log *log, const hb_message_query *query, hb_error *error);
void hb_messages_close(hb_messages *messages);

/* Messages by ascending event time. */
size_t hb_messages_count(const hb_messages *messages);
const hb_message *hb_messages_at(const hb_messages *messages, size_t index);

/* The cursor to ask for the messages before these with; false when there are none, or none are known: the limit was not
 * reached. */
bool hb_messages_earlier(const hb_messages *messages, hb_message_cursor *cursor);

/* False when there may be more that belong here: time was up, or a part of the log is damaged. */
bool hb_messages_complete(const hb_messages *messages);

#endif
