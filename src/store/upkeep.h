/* upkeep.h - what a store and its log need now and then, in small steps between other work: days, weeks and
 * months are made out of hours, and what is older than it is to be kept is removed.
 *
 * Views are removed by whole days (UTC), the log by whole hours: those that the batch layer has counted to their end.
 * One thread at a time, that of the store.
 */
#ifndef HB_STORE_UPKEEP_H
#define HB_STORE_UPKEEP_H

#include "store/store.h"

typedef struct hb_upkeep hb_upkeep;

typedef struct hb_upkeep_options {
    const char *log;     /* its address; used when keep_log > 0 only */
    uint32_t keep_log;   /* days; 0: for ever */
    uint32_t keep_views; /* likewise */
} hb_upkeep_options;

/* The store must be open to write, and stay so. options are copied. */
hb_upkeep *hb_upkeep_open(hb_store *store, const hb_upkeep_options *options);
void hb_upkeep_close(hb_upkeep *upkeep);

/* Takes the next step, a fraction of a second long. *more: there is more to do now; without, it is cheap to ask again.
 * False: the errors of store and log; go on later. */
bool hb_upkeep_step(hb_upkeep *upkeep, int64_t now_s, bool *more, hb_error *error);

#endif
