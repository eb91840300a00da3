/* compare.h - how what the store has of an hour differs from what the batch layer makes of it: by table, and by cause.
 */
#ifndef HB_CMD_COMPARE_H
#define HB_CMD_COMPARE_H

#include "store/store.h"

typedef enum hb_compared_table {
    HB_COMPARED_MINUTES, /* wordcount: all but viewers */
    HB_COMPARED_VIEWERS, /* viewers: viewers, samples, game, title */
    HB_COMPARED_WORDS,   /* wordfreq: count */
    HB_COMPARED_USERS,   /* msgperuser: user_name, messages, words, minutes */
    HB_COMPARED_SHEETS,  /* sheets: the whole sheet is one value */
    HB_COMPARED_MOMENTS, /* moments, as found in the store's counts: a whole row is one value. Not by hb_compare. */
    HB_COMPARED_TABLES
} hb_compared_table;

typedef enum hb_cause {
    HB_CAUSE_LATE,       /* the store lacks something, and facts of the hour were late */
    HB_CAUSE_DUPLICATES, /* the store counts something more often than there were messages for it */
    HB_CAUSE_OTHER,
    HB_CAUSES
} hb_cause;

typedef struct hb_difference { /* values that differ; a row that is missing on one side counts as one of zeros */
    uint64_t values[HB_COMPARED_TABLES][HB_CAUSES];
    uint64_t compared; /* values looked at */
} hb_difference;

/* "wordcount": a constant. */
const char *hb_compared_table_name(hb_compared_table table);

uint64_t hb_difference_sum(const hb_difference *difference);

/* Compares the hour that changes replaces (all of them; words and users in runs by channel in the order of channels)
 * and adds to difference. late: facts of the hour were late. Sheets are looked at only if with_sheets. False: what
 * reading the store fails with. */
bool hb_compare(hb_store *store, const hb_changes *changes, bool late, bool with_sheets, hb_difference *difference,
                hb_error *error);

/* The same piece by piece: each holds all rows of its channels, which stand in no other. What the pieces point to must
 * stay until the end. difference is whole then. Always close what was opened. */
typedef struct hb_comparison hb_comparison;
hb_comparison *hb_comparison_open(hb_store *store, int64_t hour_s, bool late, bool with_sheets,
                                  hb_difference *difference);
bool hb_comparison_add(hb_comparison *comparison, const hb_changes *piece, hb_error *error);
bool hb_comparison_end(hb_comparison *comparison, hb_error *error);
void hb_comparison_close(hb_comparison *comparison);

#endif
