/* top_state.h - what the person at hubbub top has chosen, and how keys change it. No terminal. */
#ifndef HB_CMD_TOP_STATE_H
#define HB_CMD_TOP_STATE_H

#include "cmd/top_news.h"
#include "cmd/top_source.h"

typedef enum hb_top_column {
    HB_TOP_CHANNEL,
    HB_TOP_MESSAGES,
    HB_TOP_WORDS,
    HB_TOP_CHATTERS,
    HB_TOP_VIEWERS,
    HB_TOP_PARTICIPATION,
    HB_TOP_EMOTE,
    HB_TOP_LAST,
    HB_TOP_COLUMNS
} hb_top_column;

/* The name of a column as --sort takes it ("messages"). */
const char *hb_top_column_name(hb_top_column column);
bool hb_top_column_parse(const char *name, hb_top_column *column);

/* Keys that are no characters. */
enum {
    HB_TOP_KEY_UP = 0x110000,
    HB_TOP_KEY_DOWN,
    HB_TOP_KEY_LEFT,
    HB_TOP_KEY_RIGHT,
    HB_TOP_KEY_PAGE_UP,
    HB_TOP_KEY_PAGE_DOWN,
    HB_TOP_KEY_HOME,
    HB_TOP_KEY_END,
    HB_TOP_KEY_ENTER,
    HB_TOP_KEY_ESCAPE,
    HB_TOP_KEY_ERASE
};

typedef struct hb_top_row {
    const hb_top_channel *channel; /* in the news */
} hb_top_row;

typedef struct hb_top_state {
    hb_top_column sort;
    bool ascending;
    char filter[HB_LOGIN_MAX + 1];  /* lower case */
    bool typing;                    /* the filter */
    char chosen[HB_LOGIN_MAX + 1];  /* a channel; empty: whichever is on top */
    char channel[HB_LOGIN_MAX + 1]; /* the one looked into; empty: all are shown */
    unsigned range;                 /* numbers of hb_top_range and hb_top_kind */
    unsigned kind;
    unsigned scrolled; /* rows of a channel's rankings above the first that is shown */
    bool help;
    bool quit;
    unsigned page;    /* rows of the table, as last drawn */
    size_t first;     /* row of the table that is shown on top, as last drawn */
    hb_top_row *rows; /* those of the news that pass the filter, sorted */
    size_t row_count;
    size_t row_capacity;
} hb_top_state;

/* Zero-initialise, then: the busiest channels first, the last hour, all kinds of words. */
void hb_top_state_begin(hb_top_state *state);
void hb_top_state_free(hb_top_state *state);

/* Sorts and filters the news anew: to be called with each, and after keys. Until the next call the news must stay. */
void hb_top_state_arrange(hb_top_state *state, const hb_top_news *news);

/* The number of the chosen row; 0 when it is not among them. */
size_t hb_top_state_chosen(const hb_top_state *state);

/* A character's code point, or one of the keys above. */
void hb_top_state_key(hb_top_state *state, uint32_t key);

/* What to ask for. */
hb_top_wish hb_top_state_wish(const hb_top_state *state);

typedef struct hb_top_range {
    const char *label;
    unsigned seconds;
} hb_top_range;
hb_top_range hb_top_state_range(const hb_top_state *state);

/* "all", "emote", … as the API takes it. */
const char *hb_top_state_kind(const hb_top_state *state);

#endif
