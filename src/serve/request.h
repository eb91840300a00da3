/* request.h - what a client asks for: a path and a query, checked and turned into a question. No I/O. */
#ifndef HB_SERVE_REQUEST_H
#define HB_SERVE_REQUEST_H

#include "log/messages.h"
#include "serve/answer.h"

typedef enum hb_route {
    HB_ROUTE_PAGE,     /* a file of the dashboard, or nothing that exists */
    HB_ROUTE_ANSWER,   /* /api/v1/channels, /api/v1/moments, /api/v1/channels/{c}/rate, words …: see question.kind */
    HB_ROUTE_MESSAGES, /* /api/v1/channels/{c}/messages */
    HB_ROUTE_LIVE,     /* /api/v1/live */
    HB_ROUTE_METRICS,  /* /metrics */
    HB_ROUTE_HEALTH    /* /healthz */
} hb_route;

enum {
    HB_LIMIT_MAX = 10000,         /* rows of one answer */
    HB_LIMIT_DEFAULT = 100,       /* rows, where the client names no limit */
    HB_LIMIT_DEFAULT_RATE = 1440, /* minutes of a day */
    HB_REQUEST_TEXT_MAX = 500     /* bytes of a text to look for: no message is longer */
};

typedef enum hb_messages_format {
    HB_MESSAGES_JSON,  /* an answer: the newest messages up to a limit, and the way to those before */
    HB_MESSAGES_LINES, /* these stream the whole range in the order of the log: a JSON object a line */
    HB_MESSAGES_RAW,   /* facts as received */
    HB_MESSAGES_TEXT   /* a message a line, for people */
} hb_messages_format;

typedef struct hb_request {
    hb_route route;
    hb_question question;           /* its channel is empty: hb_request_question fills it */
    char channel[HB_LOGIN_MAX + 1]; /* lower case; empty for all */
    char user[HB_LOGIN_MAX + 1];    /* of messages: lower case; empty for all */
    bool bots;                      /* of users: leave nobody out */
    bool deleted;                   /* of messages: show the text of deleted ones */
    bool paged;                     /* of messages: only those before the cursor */
    hb_message_cursor before;
    char text[HB_REQUEST_TEXT_MAX + 1]; /* of messages: what they must hold; empty: anything */
    hb_messages_format format;          /* of messages */
} hb_request;

/* Reads a path ("/api/v1/channels/xqc/words") and a query ("limit=20&kind=emote", without '?'; may be empty), both
 * still percent-encoded. Times that are not named are the last hour before now_s. False: HB_ERROR_USAGE (a parameter
 * that is wrong, twice there, or not known: named), HB_ERROR_MISSING (nothing under /api has this path). */
bool hb_request_parse(hb_bytes path, hb_bytes query, int64_t now_s, hb_request *request, hb_error *error);

/* Appends a cursor as the parameter `before` takes it: "1764000000123-4567". */
void hb_request_print_cursor(hb_buffer *out, hb_message_cursor cursor);

/* The question with its channel, which points into the request. */
hb_question hb_request_question(const hb_request *request);

/* Whether a Host header ("localhost:8080", "[::1]") names this machine itself: localhost, names below it, 127.0.0.0/8,
 * ::1. A web page elsewhere can make its own name resolve to 127.0.0.1, but not change what the browser sends here. */
bool hb_host_is_loopback(hb_bytes host);

/* Whether a Host header names `name` (in any case), with any port. */
bool hb_host_is(hb_bytes host, hb_bytes name);

#endif
