/* stretches.c - rollups are told longest first: each that lies within none before it is taken; then the gaps are
 * filled.
 */
#include "serve/stretches.h"

#include "base/memory.h"

#include <stdlib.h>

typedef struct search {
    hb_stretches *out;
    int64_t to_s;
} search;

static void add(hb_stretches *out, const hb_stretch *stretch)
{
    HB_RESERVE(out->items, out->capacity, out->count + 1);
    out->items[out->count++] = *stretch;
}

static bool take_rollup(void *context, hb_span span, int64_t start_s, hb_rollup_state state)
{
    const search *job = context;
    const hb_stretch rollup = {true, span, start_s, hb_span_end(span, start_s)};
    if (state != HB_ROLLUP_STANDS || rollup.to_s > job->to_s)
        return true;
    for (size_t i = 0; i < job->out->count; i++) /* what a longer one holds is not needed */
        if (rollup.from_s < job->out->items[i].to_s && rollup.to_s > job->out->items[i].from_s)
            return true;
    add(job->out, &rollup);
    return true;
}

static int compare_stretches(const void *a, const void *b)
{
    const hb_stretch *left = a;
    const hb_stretch *right = b;
    return (left->from_s > right->from_s) - (left->from_s < right->from_s);
}

bool hb_stretches_find(hb_store *store, int64_t from_s, int64_t to_s, hb_stretches *out, hb_error *error)
{
    search job = {out, to_s};
    out->count = 0;
    if (!hb_store_rollups(store, from_s, to_s, take_rollup, &job, error))
        return false;
    const size_t rollups = out->count;
    int64_t next_s = from_s;
    if (rollups > 0)
        qsort(out->items, rollups, sizeof *out->items, compare_stretches);
    for (size_t i = 0; i < rollups; i++) {
        const hb_stretch rollup = out->items[i];
        if (next_s < rollup.from_s)
            add(out, &(hb_stretch){.from_s = next_s, .to_s = rollup.from_s});
        next_s = rollup.to_s;
    }
    if (next_s < to_s)
        add(out, &(hb_stretch){.from_s = next_s, .to_s = to_s});
    if (out->count > rollups)
        qsort(out->items, out->count, sizeof *out->items, compare_stretches);
    return true;
}
