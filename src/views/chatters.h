/* chatters.h - who wrote in which minutes, out of encoded sheets and rankings, without making either.
 *
 * Users are told apart by 64 bits of hash of their ids, as messages are in the fold: two of a million chatters are
 * taken for one about once in 37 million such questions.
 */
#ifndef HB_VIEWS_CHATTERS_H
#define HB_VIEWS_CHATTERS_H

#include "base/map.h"

/* minutes: bit m is set where the user wrote in minute m of the hour. */
typedef void hb_visit_chatter(void *context, uint64_t id, uint64_t minutes);

/* Visits the users of an encoded sheet, or those of an encoded ranking of users, which knows no minutes (0). False: as
 * hb_sheet_decode. */
bool hb_chatters_of_sheet(hb_bytes sheet, hb_visit_chatter *visit, void *context, hb_error *error);
bool hb_chatters_of_ranking(hb_bytes ranking, hb_visit_chatter *visit, void *context, hb_error *error);

/* A value for each of many users; zero-initialise, free with hb_chatter_table_free. */
typedef struct hb_chatter_value {
    uint64_t id;
    int64_t value;
} hb_chatter_value;

typedef struct hb_chatter_table {
    hb_map map;
    hb_chatter_value *entries;
    size_t count;
    size_t capacity;
} hb_chatter_table;

/* The user's value, or NULL; valid until the next one is added. */
int64_t *hb_chatter_find(const hb_chatter_table *table, uint64_t id);

/* Adds a user who is not there yet. */
void hb_chatter_add(hb_chatter_table *table, uint64_t id, int64_t value);

void hb_chatter_table_clear(hb_chatter_table *table); /* keeps the memory */
void hb_chatter_table_free(hb_chatter_table *table);

#endif
