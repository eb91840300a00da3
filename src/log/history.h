/* history.h - facts read back from the log, however many: hours ascending, each in the order of the log.
 *
 * Memory is bounded: one piece of lines, the removals of three hours and, for messages, 16 bytes for each of an hour.
 * Only those pieces of an hour are decoded that can hold what is asked for (search.h). */
#ifndef HB_LOG_HISTORY_H
#define HB_LOG_HISTORY_H

#include "log/log.h"

/* Whether a fact is wanted, by whatever else the caller goes by. */
typedef bool hb_history_want(void *context, const hb_fact *fact);

typedef struct hb_history_query {
    hb_bytes channel; /* a login in any case; empty: every channel */
    hb_bytes user;    /* a login in any case, or a user id; empty: everybody */
    int64_t from_s;   /* event times: counted in */
    int64_t to_s;     /* not counted in */
    bool messages;    /* messages alone, and one that was received twice in an hour once */
    bool removals;    /* tell which messages were deleted, by a CLEARMSG or CLEARCHAT within two hours (removals.h) */
    hb_history_want *want; /* NULL: any */
    void *want_context;
} hb_history_query;

typedef struct hb_history hb_history;

/* Starts; nothing is read yet. Slices of the query must stay as long as the history, and so must the log, which one
 * thread at a time may use. NULL and *error: HB_ERROR_USAGE (a name that is too long, from after to), or the log's. */
hb_history *hb_history_open(hb_log *log, const hb_history_query *query, hb_error *error);
void hb_history_close(hb_history *history);

/* Reads the next piece of lines: the history's until the next call, empty at the end. A piece may hold nothing that is
 * wanted. False: HB_ERROR_CORRUPT (damage; the next call goes on behind it), HB_ERROR_SYSTEM. */
bool hb_history_read(hb_history *history, hb_bytes *lines, hb_error *error);

typedef struct hb_history_fact {
    hb_bytes line; /* without its line end */
    hb_fact fact;
    bool deleted; /* the text is there all the same */
} hb_history_fact;

/* Takes the next wanted fact off lines; false when there is none left. Slices point into lines. */
bool hb_history_next(hb_history *history, hb_bytes *lines, hb_history_fact *out);

/* Goes over to following the log's end: of lines read elsewhere hb_history_next now tells which are wanted. Positions
 * (the history's, one for each part) tell where reading ended. */
void hb_history_follow(hb_history *history, const hb_log_position **positions, size_t *count);

/* Takes note of the removals in lines that are followed, and forgets those that can remove nothing any more. */
void hb_history_note(hb_history *history, hb_bytes lines, int64_t now_ms);

/* Bytes of lines that were looked at so far: how well the index did. */
uint64_t hb_history_taken(const hb_history *history);

#endif
