/* rollup.h - makes the rankings of days, weeks and months out of hours, bit by bit.
 *
 * A day is made once all of its hours that the log is known to have are closed (the speed layer has closed them, or the
 * batch layer has counted them) and it has ended a quarter of an hour ago, a week or month once all of its days stand.
 * What falls since an hour changed is made anew. Newer days come first. One thread at a time, that of the store.
 */
#ifndef HB_STORE_ROLLUP_H
#define HB_STORE_ROLLUP_H

#include "store/store.h"

typedef struct hb_rollup hb_rollup;

hb_rollup *hb_rollup_open(hb_store *store); /* which must be open to write, and stay so */
void hb_rollup_close(hb_rollup *rollup);

/* Makes the next bit: at most one channel's words or users of a day, week or month. What begins before from_s
 * is left alone. *more: there is more to do now; without, it is cheap to ask again. False: the store's errors; go on
 * later. */
bool hb_rollup_step(hb_rollup *rollup, int64_t from_s, int64_t now_s, bool *more, hb_error *error);

#endif
