/* pace.h - when to do something again: at most so often, and later each time that it fails. Times are
 * hb_monotonic_ms. */
#ifndef HB_TWITCH_PACE_H
#define HB_TWITCH_PACE_H

#include "base/memory.h"

/* At most so many in a sliding window of 10 s. */
typedef struct hb_pace {
    int64_t *times; /* when the last `limit` were: a ring; NULL without a limit */
    unsigned limit; /* 0: none */
    unsigned oldest;
} hb_pace;

/* The window is longer than Twitch's by this, because what is sent 10 s apart may arrive less than 10 s apart. */
enum { HB_PACE_WINDOW_MS = 10 * 1000 + 500 };

void hb_pace_open(hb_pace *pace, unsigned limit);
void hb_pace_close(hb_pace *pace);

/* True when one more may be done now; it is then taken as done. */
bool hb_pace_take(hb_pace *pace, int64_t now_ms);

/* Waits that double from first_ms to last_ms, each 25 % up or down by chance, so that many clients (and many
 * connections of one) do not come back in step. */
typedef struct hb_backoff {
    int first_ms;
    int last_ms;
    unsigned failures; /* in a row; set to 0 once all is well */
} hb_backoff;

/* Counts one more failure; returns how long to wait (ms). random: 32 random bits. */
int hb_backoff_next(hb_backoff *backoff, uint32_t random);

/* 32 random bits, for jitter and names; not for secrets. */
uint32_t hb_random(void);

#endif
