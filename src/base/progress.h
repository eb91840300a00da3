/* progress.h - a bar on the terminal for work that takes long: what is done, how fast, and how long it will take yet.
 *
 *     import  1,234,567 facts  412,345/s  45 %  0:12 left
 *
 * Drawn on stderr at most 5 times a second; where stderr is no terminal nothing is drawn. */
#ifndef HB_BASE_PROGRESS_H
#define HB_BASE_PROGRESS_H

#include <hubbub.h>

typedef struct hb_progress_bar hb_progress_bar;

/* what: the work in a word; unit: what is counted, in the plural. Both must outlive the bar. total: how much `done`
 * will be at the end (any unit), or 0 where nobody knows. */
hb_progress_bar *hb_progress_bar_open(const char *what, const char *unit, uint64_t total);

/* Tells how far the work is: count of units, and done out of total. To be called often; costs little. */
void hb_progress_bar_show(hb_progress_bar *bar, uint64_t count, uint64_t done);

/* Takes the bar off the terminal. */
void hb_progress_bar_close(hb_progress_bar *bar);

/* "1,234,567": writes number with separators to out, which has room for 32 bytes; returns out. */
const char *hb_number_print(uint64_t number, char out[32]);

#endif
