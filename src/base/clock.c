/* clock.c - times as people write them.
 *
 * Calendar days come from the civil-from-days arithmetic of the proleptic Gregorian calendar, so no time zone database
 * and no locale is asked. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define YEAR_10000_S 253402300800

int64_t hb_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t hb_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void hb_time_print(int64_t time_s, char out[HB_TIME_TEXT])
{
    const time_t time = time_s;
    struct tm parts;
    gmtime_r(&time, &parts);
    strftime(out, HB_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void hb_time_print_hour(int64_t time_s, char out[HB_TIME_TEXT])
{
    hb_time_print(time_s, out);
    out[sizeof "2026-11-24T13" - 1] = '\0';
}

/* Takes `digits` digits off the front. */
static bool take_number(hb_bytes *rest, size_t digits, int *number)
{
    uint64_t value = 0;
    if (rest->size < digits || !hb_bytes_to_u64((hb_bytes){rest->data, digits}, &value))
        return false;
    *rest = hb_bytes_from(*rest, digits);
    *number = (int)value;
    return true;
}

static bool take_char(hb_bytes *rest, const char *choices)
{
    if (rest->size == 0 || rest->data[0] == '\0' || strchr(choices, rest->data[0]) == NULL)
        return false;
    *rest = hb_bytes_from(*rest, 1);
    return true;
}

static bool take_zone(hb_bytes *rest, int64_t *offset_s)
{
    *offset_s = 0;
    if (rest->size == 0 || take_char(rest, "Zz"))
        return rest->size == 0;
    const bool west = rest->data[0] == '-';
    int hours = 0;
    int minutes = 0;
    if (!take_char(rest, "+-") || !take_number(rest, 2, &hours))
        return false;
    take_char(rest, ":");
    if (rest->size > 0 && !take_number(rest, 2, &minutes))
        return false;
    *offset_s = (hours * HB_HOUR_S + minutes * HB_MINUTE_S) * (west ? -1 : 1);
    return rest->size == 0 && hours < 24 && minutes < 60;
}

static bool parse_date(hb_bytes rest, int64_t *time_s)
{
    struct tm parts = {.tm_mday = 1};
    int year = 0;
    int month = 0;
    int64_t offset_s = 0;
    if (!take_number(&rest, 4, &year) || !take_char(&rest, "-") || !take_number(&rest, 2, &month) ||
        !take_char(&rest, "-") || !take_number(&rest, 2, &parts.tm_mday))
        return false;
    if (take_char(&rest, "Tt ")) {
        if (!take_number(&rest, 2, &parts.tm_hour))
            return false;
        if (take_char(&rest, ":") && !take_number(&rest, 2, &parts.tm_min))
            return false;
        if (take_char(&rest, ":") && !take_number(&rest, 2, &parts.tm_sec))
            return false;
        if (take_char(&rest, "."))
            while (take_char(&rest, "0123456789")) {
            }
        if (!take_zone(&rest, &offset_s))
            return false;
    }
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    const struct tm asked = parts;
    *time_s = timegm(&parts) - offset_s;
    /* timegm carries 31 February over into March: refuse what it had to change. */
    return rest.size == 0 && parts.tm_mon == asked.tm_mon && parts.tm_mday == asked.tm_mday &&
           parts.tm_hour == asked.tm_hour && parts.tm_min == asked.tm_min && parts.tm_sec == asked.tm_sec;
}

static bool parse_span(hb_bytes text, int64_t now_s, int64_t *time_s)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', HB_MINUTE_S}, {'h', HB_HOUR_S}, {'d', HB_DAY_S}, {'w', 7 * HB_DAY_S}};
    uint64_t count = 0;
    if (text.size < 3 || text.data[0] != '-' || !hb_bytes_to_u64((hb_bytes){text.data + 1, text.size - 2}, &count) ||
        count > INT32_MAX)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == text.data[text.size - 1]) {
            *time_s = now_s - (int64_t)(count * units[i].seconds);
            return true;
        }
    return false;
}

bool hb_time_parse(hb_bytes text, int64_t now_s, int64_t *time_s)
{
    uint64_t seconds = 0;
    int64_t time = 0;
    if (hb_bytes_equal(text, HB_BYTES("now")))
        time = now_s;
    else if (hb_bytes_to_u64(text, &seconds) && seconds < YEAR_10000_S)
        time = (int64_t)seconds;
    else if (!parse_span(text, now_s, &time) && !parse_date(text, &time))
        return false;
    if (time < 0 || time >= YEAR_10000_S)
        return false;
    *time_s = time;
    return true;
}

bool hb_time_parse_hour(hb_bytes text, int64_t *hour_s)
{
    return text.size == sizeof "2026-11-24T13" - 1 && text.data[10] == 'T' && hb_time_parse(text, 0, hour_s);
}

int64_t hb_time_month(int64_t time_s)
{
    const time_t time = (time_t)time_s;
    struct tm parts = {0};
    gmtime_r(&time, &parts);
    return hb_time_floor(time_s, HB_DAY_S) - (int64_t)(parts.tm_mday - 1) * HB_DAY_S;
}
