/* span.c - the calendar of rollups. */
#include "base/clock.h"
#include "store/store.h"

enum { WEEK_S = 7 * HB_DAY_S, FIRST_MONDAY_S = 4 * HB_DAY_S /* 1970-01-05 */ };

int64_t hb_span_start(hb_span span, int64_t time_s)
{
    switch (span) {
    case HB_SPAN_MONTH:
        return hb_time_month(time_s);
    case HB_SPAN_WEEK:
        return hb_time_floor(time_s - FIRST_MONDAY_S, WEEK_S) + FIRST_MONDAY_S;
    default:
        return hb_time_floor(time_s, HB_DAY_S);
    }
}

int64_t hb_span_end(hb_span span, int64_t start_s)
{
    switch (span) {
    case HB_SPAN_MONTH:
        return hb_time_month(start_s + (int64_t)31 * HB_DAY_S);
    case HB_SPAN_WEEK:
        return start_s + WEEK_S;
    default:
        return start_s + HB_DAY_S;
    }
}
