/* spooled.h - the hours of a Kafka log as the batch layer wants them: copied into files (log/spool.h), with what the
 * store's progress says of their parts. A part is an hour in one partition. */
#ifndef HB_CMD_SPOOLED_H
#define HB_CMD_SPOOLED_H

#include "cmd/hours.h"

typedef struct hb_spooled hb_spooled;

typedef enum hb_spooled_choice {
    HB_SPOOLED_ALL,     /* hours of the range, whatever was counted */
    HB_SPOOLED_DUE,     /* of these, what the batch layer has not counted yet, by what the speed layer says; where that
                           has counted nothing: all, but none with `ready` */
    HB_SPOOLED_OUTDATED /* of these, what an older version of the words has counted */
} hb_spooled_choice;

typedef struct hb_spooled_query {
    const char *log;       /* the Kafka log's address */
    const char *directory; /* where to copy to; NULL: $TMPDIR, else /tmp */
    hb_spooled_choice choice;
    int64_t from_s; /* only hours from here on, */
    int64_t to_s;   /* that begin before; only such as ended HB_HOURS_REST_S before now_ms */
    int64_t now_ms;
    bool (*ready)(const hb_hour *hour, int64_t now_ms); /* may be NULL; HB_SPOOLED_DUE: whether to take it now */
} hb_spooled_query;

/* Chooses and copies; *hours are what was copied. Nothing is read from the topic where no hour is meant. Signals must
 * be blocked (hb_signals_block): *stopped, with no hours, when one told to stop. NULL: the errors of hb_spool_open and
 * of the store. store may be NULL: nothing was counted yet. */
hb_spooled *hb_spooled_open(const hb_spooled_query *query, hb_store *store, hb_hours *hours, bool *stopped,
                            hb_error *error);
void hb_spooled_close(hb_spooled *spooled);

/* The address of the copy; NULL when nothing was copied. */
const char *hb_spooled_log(const hb_spooled *spooled);

/* Gives an hour's changes the progress of its parts in place of the copy's. The rows are the spooled's, until the next
 * call. */
void hb_spooled_progress(hb_spooled *spooled, int64_t hour_s, hb_changes *changes);

#endif
