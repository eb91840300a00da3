/* search.h - reading those pieces of a part that can hold what is looked for: of a channel, of a user, of a time.
 *
 * Of a compressed hour only the frames are decoded that its index (LOG/2026-11-24T13.index) does not rule out. An hour
 * without an index gets one by the first who searches it, if the log can be written to; a reader that finds none, or a
 * damaged one, reads everything. So the pieces hold every line that is looked for, and others: the caller looks at each
 * line. The hour in progress is read as a whole. */
#ifndef HB_LOG_SEARCH_H
#define HB_LOG_SEARCH_H

#include "log/log.h"

typedef struct hb_log_filter {
    hb_bytes channel;  /* a login in any case; empty: every channel */
    hb_bytes user;     /* a login or user id in any case; empty: everybody */
    bool removals;     /* CLEARMSG and CLEARCHAT alone (user is not looked at then) */
    int64_t from_ms;   /* event times: counted in */
    int64_t to_ms;     /* not counted in */
    bool newest_first; /* pieces by descending time, as far as that is known; else in the order of the log */
} hb_log_filter;

typedef struct hb_log_search hb_log_search;

/* Starts to search a part. The filter need not stay. Errors as hb_log_cursor_open. The log must stay open as long. */
hb_log_search *hb_log_search_open(hb_log *log, int64_t part, const hb_log_filter *filter, hb_error *error);
void hb_log_search_close(hb_log_search *search);

typedef struct hb_log_lines {
    hb_bytes lines; /* whole lines: the search's, until its next call; empty at the end */
    uint64_t at;    /* offset of the first in the part */
    uint64_t next;  /* offset behind them; at the end: behind all that the part holds */
} hb_log_lines;

/* Reads the next piece. False as hb_log_read, and the next call goes on. */
bool hb_log_search_read(hb_log_search *search, hb_log_lines *piece, hb_error *error);

/* No later piece holds a fact of this event time or a later one; INT64_MAX as long as that is not known. Asked for
 * before reading, with newest_first, it tells whether more is worth reading. */
int64_t hb_log_search_before(const hb_log_search *search);

/* Whether pieces are chosen; otherwise all of the part's lines come. */
bool hb_log_search_chooses(const hb_log_search *search);

/* Bytes of lines handed out so far. */
uint64_t hb_log_search_taken(const hb_log_search *search);

#endif
