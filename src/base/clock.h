/* clock.h - what time it is, and times as people write them. UTC throughout. */
#ifndef HB_BASE_CLOCK_H
#define HB_BASE_CLOCK_H

#include "base/bytes.h"

int64_t hb_now_ms(void);       /* wall clock, Unix milliseconds */
int64_t hb_monotonic_ms(void); /* never goes back; for measuring spans */

enum { HB_MINUTE_S = 60, HB_HOUR_S = 3600, HB_DAY_S = 86400 };

/* Rounds down to a multiple of step; right for times before 1970 as well. */
static inline int64_t hb_time_floor(int64_t time, int64_t step)
{
    const int64_t rest = time % step;
    return time - (rest < 0 ? rest + step : rest);
}

/* The beginning of the month that time_s lies in; 31 days after it always lies in the next one. */
int64_t hb_time_month(int64_t time_s);

enum { HB_TIME_TEXT = 32 }; /* room for any text below, with its NUL */

/* "2026-11-24T13:05:00Z" */
void hb_time_print(int64_t time_s, char out[HB_TIME_TEXT]);

/* "2026-11-24T13", the name of an hour in the log */
void hb_time_print_hour(int64_t time_s, char out[HB_TIME_TEXT]);

/* Reads "2026-11-24T13:05:00Z", shorter forms down to "2026-11-24", a zone as +01:00, fractions (dropped), Unix
 * seconds, "now", or a span before now as "-90s", "-15m", "-6h", "-30d". Without a zone it is UTC. False when it is
 * none of these or lies outside the years 1970 to 9999. */
bool hb_time_parse(hb_bytes text, int64_t now_s, int64_t *time_s);

/* Reads what hb_time_print_hour writes. */
bool hb_time_parse_hour(hb_bytes text, int64_t *hour_s);

#endif
