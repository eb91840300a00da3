/* pace.c - the sliding window remembers when each of the last `limit` was done: one more is fine once the oldest of
 * these has left the window. That is exact, where a counter that is reset every 10 s would let twice as many through
 * around the reset. */
#include "twitch/pace.h"

#include <event2/util.h>
#include <stdlib.h>

void hb_pace_open(hb_pace *pace, unsigned limit)
{
    *pace = (hb_pace){.limit = limit};
    if (limit == 0)
        return;
    pace->times = hb_alloc(limit * sizeof *pace->times);
    for (unsigned i = 0; i < limit; i++)
        pace->times[i] = INT64_MIN / 2;
}

void hb_pace_close(hb_pace *pace)
{
    free(pace->times);
    *pace = (hb_pace){0};
}

bool hb_pace_take(hb_pace *pace, int64_t now_ms)
{
    if (pace->limit == 0)
        return true;
    if (now_ms - pace->times[pace->oldest] < HB_PACE_WINDOW_MS)
        return false;
    pace->times[pace->oldest] = now_ms;
    pace->oldest = (pace->oldest + 1) % pace->limit;
    return true;
}

int hb_backoff_next(hb_backoff *backoff, uint32_t random)
{
    int64_t wait_ms = backoff->first_ms;
    for (unsigned i = 0; i < backoff->failures && wait_ms < backoff->last_ms; i++)
        wait_ms *= 2;
    if (wait_ms > backoff->last_ms)
        wait_ms = backoff->last_ms;
    backoff->failures++;
    return (int)(wait_ms * 3 / 4 + (int64_t)(((uint64_t)wait_ms * random) >> 33));
}

uint32_t hb_random(void)
{
    uint32_t bits = 0;
    evutil_secure_rng_get_bytes(&bits, sizeof bits);
    return bits;
}
