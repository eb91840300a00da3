/* ranking_table.h - a ranking from the inside, for the files ranking*.c only. */
#ifndef HB_VIEWS_RANKING_TABLE_H
#define HB_VIEWS_RANKING_TABLE_H

#include "base/map.h"
#include "views/ranking.h"

typedef struct hb_ranking_entry { /* small: most of the time goes into waiting for these */
    const char *text;
    uint32_t size;
    uint32_t kind;
    uint64_t first;
} hb_ranking_entry;

typedef struct hb_ranking_person { /* beside a user's entry */
    const char *name;
    uint32_t name_size;
    uint32_t name_hour; /* since 1970 */
    uint64_t second;
} hb_ranking_person;

struct hb_ranking {
    hb_ranking_kind kind;
    hb_kind only;
    hb_ranking_entry *entries;
    size_t count;
    size_t capacity;
    hb_ranking_person *people; /* of users only */
    size_t people_capacity;
    hb_map map;
    hb_arena texts;
    size_t text_size;
    bool full;       /* something was left out, at the limit */
    hb_error *error; /* while something is being added */
    uint32_t hour;   /* of the sheet being added */
};

/* Where entries of this hash lie in the map, as a number that grows along it (see ranking_code.c). */
uint32_t hb_ranking_place(hb_kind kind, hb_bytes text);

/* Adds; false and *ranking->error at the limit. */
bool hb_ranking_count_word(hb_ranking *ranking, hb_kind kind, hb_bytes text, uint64_t count);
bool hb_ranking_count_user(hb_ranking *ranking, hb_bytes id, uint64_t messages, uint64_t words, hb_bytes name,
                           uint32_t name_hour);

#endif
