/* stretches.h - how to read a range of hours of all that rankings tell: days, weeks and months that stand as rollups as
 * such, and what is left of the range by the hour. */
#ifndef HB_SERVE_STRETCHES_H
#define HB_SERVE_STRETCHES_H

#include "store/store.h"

typedef struct hb_stretch {
    bool is_rollup;
    hb_span span; /* of a rollup */
    int64_t from_s;
    int64_t to_s;
} hb_stretch;

typedef struct hb_stretches { /* ascending, without gaps; zero-initialise, free items */
    hb_stretch *items;
    size_t count;
    size_t capacity;
} hb_stretches;

/* Finds how to read from_s <= hour < to_s; false: the store's errors. */
bool hb_stretches_find(hb_store *store, int64_t from_s, int64_t to_s, hb_stretches *out, hb_error *error);

#endif
