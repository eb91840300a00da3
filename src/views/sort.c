/* sort.c - a radix sort from the last byte to the first. One pass counts the values of all eight bytes; a byte that is
 * the same everywhere (the high ones of ids, say) then costs nothing. */
#include "views/sort.h"

#include <stdlib.h>

enum { BYTES = 8, VALUES = 256 };

static unsigned byte_of(uint64_t order, unsigned byte)
{
    return (unsigned)(order >> (8 * byte)) & (VALUES - 1);
}

hb_sort_pair *hb_sort(hb_sort_pair *pairs, hb_sort_pair *room, size_t count)
{
    uint32_t counts[BYTES][VALUES] = {0};
    for (size_t i = 0; i < count; i++)
        for (unsigned byte = 0; byte < BYTES; byte++)
            counts[byte][byte_of(pairs[i].order, byte)]++;
    for (unsigned byte = 0; byte < BYTES && count > 1; byte++) {
        if (counts[byte][byte_of(pairs[0].order, byte)] == count)
            continue;
        uint32_t place = 0;
        for (unsigned value = 0; value < VALUES; value++) {
            const uint32_t some = counts[byte][value];
            counts[byte][value] = place;
            place += some;
        }
        for (size_t i = 0; i < count; i++)
            room[counts[byte][byte_of(pairs[i].order, byte)]++] = pairs[i];
        hb_sort_pair *const sorted = room;
        room = pairs;
        pairs = sorted;
    }
    return pairs;
}

void hb_sort_ties(hb_sort_pair *sorted, size_t count, int (*compare)(const void *, const void *, void *), void *context)
{
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && sorted[to].order == sorted[from].order; to++)
            ;
        if (to > from + 1)
            qsort_r(sorted + from, to - from, sizeof *sorted, compare, context);
    }
}
