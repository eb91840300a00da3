/* attendance.c - distinct chatters of ten minutes out of one sheet, or two where an hour begins; kept for a minute. */
#include "serve/attendance.h"

#include "base/clock.h"
#include "serve/answer.h"
#include "views/chatters.h"

#include <stdlib.h>

enum { AGE_MAX_S = 2 * HB_MINUTE_S };

typedef struct attendance_entry {
    uint64_t channel; /* its hash */
    int64_t minute_s;
    uint64_t chatters;
} attendance_entry;

struct hb_attendance {
    hb_map map;
    attendance_entry *entries;
    size_t count;
    size_t capacity;
    int64_t minute_s;
    size_t left;             /* looks in this round */
    hb_chatter_table before; /* who wrote within the ten minutes, in the hour before */
};

hb_attendance *hb_attendance_open(void)
{
    return hb_alloc(sizeof(hb_attendance));
}

void hb_attendance_close(hb_attendance *attendance)
{
    if (attendance == NULL)
        return;
    hb_map_free(&attendance->map);
    hb_chatter_table_free(&attendance->before);
    free(attendance->entries);
    free(attendance);
}

void hb_attendance_begin(hb_attendance *attendance, int64_t minute_s, size_t most)
{
    attendance->minute_s = minute_s;
    attendance->left = most;
}

typedef struct sheets_visit {
    hb_attendance *attendance;
    uint64_t minutes; /* of the hour in hand that count */
    bool first;       /* of two hours */
    bool found;
    bool bad;
    uint64_t chatters;
} sheets_visit;

static void count_chatter(void *context, uint64_t id, uint64_t minutes)
{
    sheets_visit *visit = context;
    hb_chatter_table *const before = &visit->attendance->before;
    if ((minutes & visit->minutes) == 0 || (!visit->first && hb_chatter_find(before, id) != NULL))
        return;
    visit->chatters++;
    if (visit->first)
        hb_chatter_add(before, id, 0);
}

static bool visit_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    sheets_visit *visit = context;
    const int64_t to_s = visit->attendance->minute_s;
    (void)layer;
    (void)words_version;
    visit->minutes = 0;
    for (int64_t minute_s = to_s - HB_ANSWER_PARTICIPATION * HB_MINUTE_S; minute_s < to_s; minute_s += HB_MINUTE_S)
        if (hb_time_floor(minute_s, HB_HOUR_S) == row->hour_s)
            visit->minutes |= UINT64_C(1) << (minute_s - row->hour_s) / HB_MINUTE_S;
    visit->first = row->hour_s != hb_time_floor(to_s - HB_MINUTE_S, HB_HOUR_S);
    visit->found = visit->found || !visit->first;
    hb_error error; /* questions about the channel itself tell it */
    visit->bad = visit->bad || !hb_chatters_of_sheet(row->sheet, count_chatter, visit, &error);
    return !visit->bad;
}

static bool look(hb_attendance *attendance, hb_store *store, hb_bytes channel, attendance_entry *entry, hb_error *error)
{
    sheets_visit visit = {.attendance = attendance};
    const int64_t last_s = attendance->minute_s - HB_MINUTE_S;
    const int64_t first_s = attendance->minute_s - HB_ANSWER_PARTICIPATION * HB_MINUTE_S;
    hb_chatter_table_clear(&attendance->before);
    attendance->left--;
    entry->minute_s = attendance->minute_s;
    entry->chatters = HB_ATTENDANCE_UNKNOWN;
    if (!hb_store_sheets(store, channel, hb_time_floor(first_s, HB_HOUR_S), hb_time_floor(last_s, HB_HOUR_S) + 1,
                         visit_sheet, &visit, error))
        return false;
    if (visit.found && !visit.bad)
        entry->chatters = visit.chatters;
    return true;
}

static attendance_entry *entry_of(hb_attendance *attendance, hb_bytes channel)
{
    const uint64_t hash = hb_hash(channel, 0);
    for (uint32_t at = hb_map_first(&attendance->map, hash); at != HB_MAP_END;
         at = hb_map_next(&attendance->map, hash, at))
        if (attendance->entries[hb_map_entry(&attendance->map, at)].channel == hash)
            return &attendance->entries[hb_map_entry(&attendance->map, at)];
    HB_RESERVE(attendance->entries, attendance->capacity, attendance->count + 1);
    hb_map_insert(&attendance->map, hash, (uint32_t)attendance->count);
    attendance_entry *const entry = &attendance->entries[attendance->count++];
    *entry = (attendance_entry){.channel = hash, .minute_s = INT64_MIN, .chatters = HB_ATTENDANCE_UNKNOWN};
    return entry;
}

bool hb_attendance_ask(hb_attendance *attendance, hb_store *store, hb_bytes channel, uint64_t *chatters,
                       hb_error *error)
{
    attendance_entry *const entry = entry_of(attendance, channel);
    if (entry->minute_s != attendance->minute_s && attendance->left > 0 &&
        !look(attendance, store, channel, entry, error))
        return false;
    const bool fresh = entry->minute_s >= attendance->minute_s - AGE_MAX_S;
    *chatters = fresh ? entry->chatters : HB_ATTENDANCE_UNKNOWN;
    return true;
}
