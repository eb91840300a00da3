/* attendance.h - how many distinct users of a channel have written in the last ten minutes that are over, for the
 * overview of all channels, which is asked for once a second.
 *
 * Sheets tell it, and those of an hour in progress are written once a minute. So a channel is looked at again once a
 * minute, and of many channels only some in each round. One thread at a time.
 */
#ifndef HB_SERVE_ATTENDANCE_H
#define HB_SERVE_ATTENDANCE_H

#include "store/store.h"

typedef struct hb_attendance hb_attendance;

hb_attendance *hb_attendance_open(void);
void hb_attendance_close(hb_attendance *attendance);

/* Begins a round, in which at most so many channels are looked at. minute_s: the minute in progress. */
void hb_attendance_begin(hb_attendance *attendance, int64_t minute_s, size_t most);

#define HB_ATTENDANCE_UNKNOWN UINT64_MAX

/* *chatters: up to two minutes old; HB_ATTENDANCE_UNKNOWN where there is no sheet yet, or a bad one, or it was not the
 * channel's turn yet. False: the store's errors. */
bool hb_attendance_ask(hb_attendance *attendance, hb_store *store, hb_bytes channel, uint64_t *chatters,
                       hb_error *error);

#endif
