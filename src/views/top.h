/* top.h - which entries of a sheet are among the first K, kept up to date at little cost.
 *
 * Counts only grow. So whoever was not among the first K and was not touched since is not among them now: the new list
 * is in the old one and what was touched. Only those are looked at, and only selected, not sorted.
 */
#ifndef HB_VIEWS_TOP_H
#define HB_VIEWS_TOP_H

#include "views/sheet.h"

#define HB_TOP_ALL UINT32_MAX

/* The lists of one sheet: words of each kind, and users. Zero-initialise; free with hb_top_free. */
typedef struct hb_top {
    hb_sheet_numbers words[HB_KINDS];
    hb_sheet_numbers users;
} hb_top;

typedef struct hb_top_room hb_top_room; /* room to work, for any number of sheets one after the other */

hb_top_room *hb_top_room_open(void);
void hb_top_room_close(hb_top_room *room);

typedef struct hb_top_visitor { /* what to do with an entry whose row changed, or is gone from the list */
    void *context;
    void (*word)(void *context, const hb_sheet_word *word, bool gone);
    void (*user)(void *context, const hb_sheet_user *user, bool gone);
} hb_top_visitor;

/* Brings the lists up to date with what the sheet has touched (which stays noted). first is K or HB_TOP_ALL: then no
 * lists are kept, and all that was touched has changed. Ties are settled by word or id, ascending. */
void hb_top_update(hb_top *top, hb_sheet *sheet, uint32_t first, hb_top_room *room, const hb_top_visitor *visitor);

/* Makes the lists anew from all of the sheet, and visits all that is in them; visitor may be NULL. */
void hb_top_rebuild(hb_top *top, hb_sheet *sheet, uint32_t first, hb_top_room *room, const hb_top_visitor *visitor);

/* Puts lists that are up to date in the order of their ranks. */
void hb_top_sort(hb_top *top, const hb_sheet *sheet, hb_top_room *room);

void hb_top_free(hb_top *top);
size_t hb_top_held(const hb_top *top); /* bytes, without *top itself */

#endif
