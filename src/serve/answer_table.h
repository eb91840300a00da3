/* answer_table.h - an answer from the inside, for the files answer*.c only: a table of typed cells.
 *
 * answer.c takes questions and answers those about minutes, answer_steps.c those about longer steps, answer_rank.c
 * those about words and users, answer_channels.c the one about all channels, answer_streams.c the one about a channel's
 * streams, answer_engagement.c the one about engagement, answer_moments.c the one about moments; answer_print.c turns
 * any answer into text. */
#ifndef HB_SERVE_ANSWER_TABLE_H
#define HB_SERVE_ANSWER_TABLE_H

#include "serve/answer.h"

typedef enum hb_cell_kind {
    HB_CELL_TEXT,
    HB_CELL_COUNT, /* may be HB_COUNT_NONE */
    HB_CELL_REAL,  /* shown with one decimal */
    HB_CELL_SHARE, /* real: shown with four decimals; may be NAN */
    HB_CELL_TIME,  /* may be HB_TIME_NONE */
    HB_CELL_WORDS, /* a text: a list of words as JSON, {kind, word, count} each */
    HB_CELL_SPARK  /* HB_ANSWER_SPARK counts, one after the other; in a table a row of bars */
} hb_cell_kind;

#define HB_TIME_NONE  INT64_MIN /* shown as null, or nothing; so is NAN */
#define HB_COUNT_NONE UINT64_MAX

typedef struct hb_column {
    const char *name;
    hb_cell_kind kind;
} hb_column;

typedef union hb_cell {
    hb_bytes text; /* in the answer's arena, or a constant */
    uint64_t count;
    double real;
    int64_t time_s;
    const uint64_t *spark; /* in the answer's arena */
} hb_cell;

struct hb_answer {
    hb_bytes channel; /* in lower case; empty: the answer is about all channels */
    int64_t from_s;   /* the range that was answered */
    int64_t to_s;
    bool exact;
    const hb_column *columns;
    size_t column_count;
    hb_cell *cells; /* row by row */
    size_t cell_count;
    size_t cell_capacity;
    hb_arena texts;
};

/* Adds a row and returns its cells, valid until the next one is added. */
hb_cell *hb_answer_add_row(hb_answer *answer);

/* The newest rows of a list that comes with its oldest first: it is gone through twice. The first time each row is
 * counted; then hb_newest_begin says how many there may be, and hb_newest_takes of each row whether it is one of them.
 */
typedef struct hb_newest {
    uint64_t count;
    uint64_t skip;
    uint32_t limit;
} hb_newest;

void hb_newest_begin(hb_newest *newest, uint32_t limit);

/* Once a row. Rows that came between counting and reading are beyond the limit: *full says so, and may be NULL. */
bool hb_newest_takes(hb_newest *newest, bool *full);

/* Answer HB_ASK_WORDS or HB_ASK_USERS, HB_ASK_CHANNELS, questions with a step, HB_ASK_STREAMS, and HB_ASK_MOMENTS;
 * false and *error as the store, HB_ERROR_CORRUPT for a bad sheet, HB_ERROR_LIMIT for more words or users than can be
 * ranked.
 */
bool hb_answer_rank(hb_answer *answer, hb_store *store, const hb_question *question, hb_error *error);
bool hb_answer_list_channels(hb_answer *answer, hb_store *store, const hb_question *question, int64_t now_s,
                             hb_error *error);
bool hb_answer_list_steps(hb_answer *answer, hb_store *store, const hb_question *question, hb_error *error);
bool hb_answer_list_streams(hb_answer *answer, hb_store *store, uint32_t limit, int64_t now_s, hb_error *error);
bool hb_answer_list_engagement(hb_answer *answer, hb_store *store, uint32_t limit, hb_error *error);
bool hb_answer_list_moments(hb_answer *answer, hb_store *store, uint32_t limit, hb_error *error);

/* Whether a channel whose last minute with viewer samples was this one has gone offline. */
bool hb_answer_is_gone(int64_t last_s, int64_t now_s);

/* Where *error tells of a sheet that cannot be read: says which one. */
void hb_answer_blame_sheet(const hb_sheet_row *row, hb_error *error);

/* Appends a list of words for people: "KEKW 41, lul 20". */
void hb_answer_print_words(hb_buffer *out, hb_bytes words);

#endif
