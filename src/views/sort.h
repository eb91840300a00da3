/* sort.h - ascending numbers, each with the entry that it stands for: some ten times as fast as qsort for the thousands
 * of entries of a sheet, since no comparison is called. */
#ifndef HB_VIEWS_SORT_H
#define HB_VIEWS_SORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct hb_sort_pair {
    uint64_t order;
    uint32_t entry;
} hb_sort_pair;

/* Sorts by order; equal ones keep their sequence. room has space for as many pairs. Returns which of the two arrays
 * holds the result. */
hb_sort_pair *hb_sort(hb_sort_pair *pairs, hb_sort_pair *room, size_t count);

/* Puts pairs of equal order, which stand side by side after hb_sort, into the sequence that compare says: as that of
 * qsort_r, it is given two hb_sort_pair and the context. */
void hb_sort_ties(hb_sort_pair *sorted, size_t count, int (*compare)(const void *, const void *, void *),
                  void *context);

#endif
