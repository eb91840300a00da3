/* moment_lines.c - one way of reading for each kind of place where lines can stand. */
#include "cmd/moment_lines.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "log/history.h"
#include "log/search.h"

typedef struct reading {
    hb_log *log;
    const hb_moment_place *places;
    size_t count;
    hb_map index;
    const atomic_bool *stop;
    hb_visit_moment_line *visit;
    void *context;
    hb_error *error;
} reading;

static uint64_t hash_of(hb_bytes channel, int64_t minute_s)
{
    return hb_hash(channel, (uint64_t)minute_s);
}

static void take_fact(reading *read, const hb_fact *fact)
{
    char lower[HB_LOGIN_MAX];
    if (fact->kind != HB_FACT_MESSAGE || fact->shared)
        return;
    const int64_t minute_s = hb_time_floor(fact->time_ms, HB_MINUTE_S * 1000) / 1000;
    const hb_bytes channel = hb_bytes_lower(fact->channel, lower);
    const uint64_t hash = hash_of(channel, minute_s);
    for (uint32_t at = hb_map_first(&read->index, hash); at != HB_MAP_END; at = hb_map_next(&read->index, hash, at)) {
        const size_t place = hb_map_entry(&read->index, at);
        if (read->places[place].minute_s == minute_s && hb_bytes_equal(read->places[place].channel, channel))
            read->visit(read->context, place, fact);
    }
}

/* sign: what lines that are meant hold (" #channel"), as Twitch sends it, or empty. */
static void take_lines(reading *read, hb_bytes sign, hb_bytes lines)
{
    hb_bytes line;
    hb_fact fact;
    while (sign.size > 0 ? hb_log_find_line(&lines, sign, &line) : hb_bytes_cut(&lines, '\n', &line))
        if (hb_fact_read(line, &fact) == HB_FACT_OK)
            take_fact(read, &fact);
}

/* Whether to go on. */
static bool goes_on(const reading *read)
{
    return read->stop == NULL || !atomic_load(read->stop) || hb_fail(read->error, HB_ERROR_BUSY, "told to stop");
}

static bool is_passed_over(const hb_error *error)
{
    return error->code == HB_ERROR_MISSING || error->code == HB_ERROR_CORRUPT;
}

/* ---- A file log ---- */

/* The lines of an hour from an offset on. */
static bool read_on(reading *read, int64_t hour_s, uint64_t offset)
{
    hb_bytes lines = {"", 0};
    hb_log_cursor *cursor = hb_log_cursor_open(read->log, hour_s, offset, read->error);
    if (cursor == NULL)
        return is_passed_over(read->error);
    bool good = true;
    do {
        good = goes_on(read) && hb_log_read(cursor, &lines, &offset, read->error);
        if (good)
            take_lines(read, (hb_bytes){"", 0}, lines);
    } while (good ? lines.size > 0 : read->error->code == HB_ERROR_CORRUPT);
    hb_log_cursor_close(cursor);
    return good;
}

/* The lines that may be of these places: of one minute, or (*whole) all of the hour, because it has no index. */
static bool search(reading *read, int64_t hour_s, size_t from, size_t to, bool *whole)
{
    hb_log_lines piece = {0};
    const hb_moment_place *const first = &read->places[from];
    const hb_log_filter filter = {.channel = to - from == 1 ? first->channel : (hb_bytes){"", 0},
                                  .from_ms = first->minute_s * 1000,
                                  .to_ms = (first->minute_s + HB_MINUTE_S) * 1000};
    char room[HB_LOGIN_MAX + 2] = " #";
    hb_bytes sign = {room, filter.channel.size == 0 ? 0 : filter.channel.size + 2};
    if (filter.channel.size > 0)
        memcpy(room + 2, filter.channel.data, filter.channel.size);
    hb_log_search *found = hb_log_search_open(read->log, hour_s, &filter, read->error);
    if (found == NULL)
        return is_passed_over(read->error);
    *whole = !hb_log_search_chooses(found);
    if (*whole) /* then it is for all places at once */
        sign.size = 0;
    bool good = true;
    do {
        good = goes_on(read) && hb_log_search_read(found, &piece, read->error);
        if (good)
            take_lines(read, sign, piece.lines);
    } while (good ? piece.lines.size > 0 : read->error->code == HB_ERROR_CORRUPT);
    hb_log_search_close(found);
    return good;
}

bool hb_moment_lines_have_index(hb_log *log, const hb_moment_place *places, size_t count)
{
    int64_t known_s = INT64_MIN;
    bool have = true;
    for (size_t i = 0; have && i < count; i++) {
        hb_error unimportant = {0}; /* who reads the hour is told */
        const int64_t hour_s = hb_time_floor(places[i].minute_s, HB_HOUR_S);
        if (hour_s == known_s)
            continue;
        const hb_log_filter filter = {.from_ms = places[i].minute_s * 1000,
                                      .to_ms = (places[i].minute_s + HB_MINUTE_S) * 1000};
        hb_log_search *found = hb_log_search_open(log, hour_s, &filter, &unimportant);
        have = found != NULL && hb_log_search_chooses(found);
        hb_log_search_close(found);
        known_s = hour_s;
    }
    return have;
}

/* The furthest mark that stands before all of the hour's messages from this minute on. What counted the hour may write
 * rows a little later than the position that goes with them: hence the minute between. */
static const hb_moment_mark *find_mark(const hb_moment_mark *marks, size_t count, int64_t hour_s, int64_t minute_s)
{
    const hb_moment_mark *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (marks[i].hour_s == hour_s && marks[i].newest_s + HB_MINUTE_S < minute_s &&
            (best == NULL || marks[i].offset > best->offset))
            best = &marks[i];
    return best;
}

static bool read_hour(reading *read, size_t from, size_t to, const hb_moment_mark *marks, size_t mark_count)
{
    const int64_t hour_s = hb_time_floor(read->places[from].minute_s, HB_HOUR_S);
    const hb_moment_mark *const mark = find_mark(marks, mark_count, hour_s, read->places[from].minute_s);
    bool good = true;
    bool whole = false;
    if (mark != NULL)
        return read_on(read, hour_s, mark->offset);
    for (size_t next; good && !whole && from < to; from = next) {
        next = from + 1;
        while (next < to && read->places[next].minute_s == read->places[from].minute_s)
            next++;
        good = search(read, hour_s, from, next, &whole);
    }
    return good;
}

static bool read_files(reading *read, const hb_moment_mark *marks, size_t mark_count)
{
    bool good = true;
    for (size_t from = 0, to; good && from < read->count; from = to) {
        const int64_t hour_s = hb_time_floor(read->places[from].minute_s, HB_HOUR_S);
        to = from + 1;
        while (to < read->count && hb_time_floor(read->places[to].minute_s, HB_HOUR_S) == hour_s)
            to++;
        good = read_hour(read, from, to, marks, mark_count);
    }
    return good;
}

/* ---- A topic ---- */

static bool read_topic(reading *read)
{
    const hb_bytes channel = read->places[0].channel;
    hb_history_query query = {.channel = channel,
                              .from_s = read->places[0].minute_s,
                              .to_s = read->places[read->count - 1].minute_s + HB_MINUTE_S};
    for (size_t i = 0; i < read->count; i++)
        if (!hb_bytes_equal(read->places[i].channel, channel))
            query.channel.size = 0;
    hb_history *history = hb_history_open(read->log, &query, read->error);
    hb_bytes lines = {"", 0};
    bool good = history != NULL;
    do {
        hb_history_fact found;
        good = good && goes_on(read) && hb_history_read(history, &lines, read->error);
        for (hb_bytes rest = lines; good && hb_history_next(history, &rest, &found);)
            take_fact(read, &found.fact);
    } while (good && lines.size > 0);
    hb_history_close(history);
    return good;
}

bool hb_moment_lines_read(hb_log *log, bool is_topic, const hb_moment_place *places, size_t count,
                          const hb_moment_mark *marks, size_t mark_count, const atomic_bool *stop,
                          hb_visit_moment_line *visit, void *context, hb_error *error)
{
    reading read = {
        .log = log, .places = places, .count = count, .stop = stop, .visit = visit, .context = context, .error = error};
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        hb_map_insert(&read.index, hash_of(places[i].channel, places[i].minute_s), (uint32_t)i);
    const bool good = is_topic ? read_topic(&read) : read_files(&read, marks, mark_count);
    hb_map_free(&read.index);
    return good;
}
