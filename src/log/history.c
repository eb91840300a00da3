/* history.c - hour by hour: first what was removed in it and in the two hours behind it, then its facts.
 *
 * Of a Kafka log, facts as they were received are read in its own order. For anything else they are copied into files
 * first (spool.h), a moment's worth with each read. */
#include "log/history.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "log/kafka_log.h"
#include "log/kafka_sweep.h"
#include "log/log_file.h"
#include "log/removals.h"
#include "log/search.h"
#include "log/spool.h"

#include <stdlib.h>

#define WHEREVER_IT_ENDS (UINT64_MAX >> 2) /* an offset behind the end counts as the end */

enum { FILL_MS = 100 };

struct hb_history {
    hb_log *log;           /* files */
    hb_kafka_sweep *sweep; /* of a Kafka log, one of these two is there instead, */
    hb_spool *spool;       /* which becomes log */
    hb_buffer swept;
    hb_history_query query;
    char channel_sign[HB_LOGIN_MAX + 2]; /* " #channel", in lower case */
    hb_bytes sign;                       /* the same; empty: every channel */
    char user_room[HB_LOGIN_MAX];
    hb_bytes user_login; /* the user in lower case */
    int64_t from_ms;
    int64_t to_ms;

    hb_log_part *parts;
    size_t part_count;
    hb_log_position *positions;
    size_t part;     /* that is read */
    size_t ahead;    /* parts before this one have told their removals */
    bool within;     /* the search below is open, and of parts[part] */
    bool with_times; /* not all of the part lies within the range */
    hb_log_search *search;
    bool removing; /* the search is for the removals of parts[ahead] */
    hb_removals *removals;
    uint64_t *ids; /* hashes of the ids of this part's messages */
    size_t id_count;
    size_t id_capacity;
    hb_map id_index;
    uint64_t taken;
};

/* ---- Opening ---- */

static bool take_names(hb_history *history, hb_error *error)
{
    const hb_history_query *query = &history->query;
    if (query->channel.size > HB_LOGIN_MAX)
        return hb_fail(error, HB_ERROR_USAGE, "'%.*s' is not the name of a channel", HB_PRINT(query->channel));
    if (query->user.size > HB_LOGIN_MAX)
        return hb_fail(error, HB_ERROR_USAGE, "'%.*s' is neither a login nor a user id", HB_PRINT(query->user));
    if (query->from_s > query->to_s)
        return hb_fail(error, HB_ERROR_USAGE, "the time range ends before it begins");
    memcpy(history->channel_sign, " #", 2);
    hb_bytes_lower(query->channel, history->channel_sign + 2);
    if (query->channel.size > 0)
        history->sign = (hb_bytes){history->channel_sign, query->channel.size + 2};
    history->user_login = hb_bytes_lower(query->user, history->user_room);
    return true;
}

static bool list_parts(hb_history *history, hb_error *error)
{
    if (!hb_log_list(history->log, &history->parts, &history->part_count, error))
        return false;
    history->positions = hb_alloc(history->part_count * sizeof *history->positions);
    for (size_t i = 0; i < history->part_count; i++)
        history->positions[i] = (hb_log_position){history->parts[i].part, WHEREVER_IT_ENDS};
    return true;
}

/* The time in which what was removed before to_ms can be told. */
static int64_t removals_end(const hb_history *history)
{
    return history->query.removals && history->to_ms < INT64_MAX - HB_REMOVALS_REACH_MS
               ? history->to_ms + HB_REMOVALS_REACH_MS
               : history->to_ms;
}

static bool open_kafka(hb_history *history, const hb_log *log, hb_error *error)
{
    const char *const address = hb_kafka_log_address(log->kafka);
    const hb_bytes channel = history->query.channel;
    history->log = NULL;
    if (!history->query.messages && !history->query.removals) {
        history->with_times = true;
        history->sweep = hb_kafka_sweep_open(
            address, &(hb_kafka_sweep_query){.channel = channel, .from_ms = history->from_ms}, error);
        return history->sweep != NULL;
    }
    const hb_spool_query query = {.channel = channel, .from_ms = history->from_ms, .to_ms = removals_end(history)};
    history->spool = hb_spool_open(address, &query, NULL, error);
    return history->spool != NULL;
}

hb_history *hb_history_open(hb_log *log, const hb_history_query *query, hb_error *error)
{
    hb_history *history = hb_alloc(sizeof *history);
    history->log = log;
    history->query = *query;
    history->from_ms = query->from_s > INT64_MAX / 1000 ? INT64_MAX : query->from_s * 1000;
    history->to_ms = query->to_s > INT64_MAX / 1000 ? INT64_MAX : query->to_s * 1000;
    history->removals = hb_removals_open();
    if (take_names(history, error) &&
        (log->kafka != NULL ? open_kafka(history, log, error) : list_parts(history, error)))
        return history;
    hb_history_close(history);
    return NULL;
}

void hb_history_close(hb_history *history)
{
    if (history == NULL)
        return;
    hb_log_search_close(history->search);
    hb_removals_close(history->removals);
    if (history->spool != NULL) {
        hb_error unimportant = {0};
        hb_log_close(history->log, &unimportant); /* the copy, only read */
        hb_spool_close(history->spool);
    }
    hb_kafka_sweep_close(history->sweep);
    hb_buffer_free(&history->swept);
    hb_map_free(&history->id_index);
    free(history->ids);
    free(history->positions);
    free(history->parts);
    free(history);
}

/* ---- Reading ---- */

static bool open_search(hb_history *history, size_t part, bool removing, hb_error *error)
{
    const hb_log_filter filter = {
        .channel = history->query.channel,
        .user = history->query.user,
        .removals = removing,
        .from_ms = history->from_ms,
        .to_ms = removing ? removals_end(history) : history->to_ms,
    };
    history->search = hb_log_search_open(history->log, history->parts[part].part, &filter, error);
    history->removing = removing;
    return history->search != NULL;
}

static void end_search(hb_history *history)
{
    hb_log_search_close(history->search);
    history->search = NULL;
    if (history->removing) {
        history->ahead++;
        return;
    }
    history->part++;
    history->id_count = 0;
    hb_map_clear(&history->id_index);
}

static bool is_outside(const hb_history *history, size_t part)
{
    const int64_t start_s = history->parts[part].part;
    return start_s + HB_HOUR_S <= history->query.from_s || start_s >= history->query.to_s;
}

/* Opens what is to be read next; false at the end (then search is NULL), or when it cannot be opened. */
static bool begin_search(hb_history *history, hb_error *error)
{
    for (;;) {
        while (history->part < history->part_count && is_outside(history, history->part))
            history->part++;
        if (history->part == history->part_count)
            return true;
        const int64_t hour_s = history->parts[history->part].part;
        if (history->ahead < history->part)
            history->ahead = history->part;
        const bool removing = history->query.removals && history->ahead < history->part_count &&
                              history->parts[history->ahead].part <= hour_s + HB_REMOVALS_REACH_HOURS * HB_HOUR_S;
        /* Only the first and the last hour can hold facts outside the range. */
        history->with_times = history->query.from_s > hour_s || history->query.to_s < hour_s + HB_HOUR_S;
        if (!removing && history->query.removals)
            hb_removals_keep(history->removals, hour_s * 1000, INT64_MAX);
        if (open_search(history, removing ? history->ahead : history->part, removing, error))
            return true;
        if (error->code != HB_ERROR_MISSING) /* deleted since it was listed */
            return false;
        end_search(history);
    }
}

/* Lines as the file log would have them: without those that are no facts and came empty. */
static hb_bytes without_empty(hb_history *history, hb_bytes lines)
{
    hb_bytes line;
    if (lines.size > 0 && lines.data[0] != '\n' && memmem(lines.data, lines.size, "\n\n", 2) == NULL)
        return lines;
    history->swept.size = 0;
    while (hb_bytes_cut(&lines, '\n', &line))
        if (line.size > 0) {
            hb_buffer_append(&history->swept, line);
            hb_buffer_append_char(&history->swept, '\n');
        }
    return hb_buffer_bytes(&history->swept);
}

static bool read_sweep(hb_history *history, hb_bytes *lines, hb_error *error)
{
    hb_kafka_piece piece;
    while (lines->size == 0 && !hb_kafka_sweep_over(history->sweep)) {
        if (!hb_kafka_sweep_read(history->sweep, FILL_MS, &piece, error))
            return false;
        history->taken += piece.lines.size;
        *lines = without_empty(history, piece.lines);
    }
    return true;
}

/* Copies on. Until that is done there is a line that is nothing. */
static bool fill_spool(hb_history *history, hb_bytes *lines, hb_error *error)
{
    bool filled = false;
    *lines = (hb_bytes){"\n", 1};
    if (!hb_spool_fill(history->spool, FILL_MS, &filled, error))
        return false;
    if (!filled)
        return true;
    history->log = hb_log_open(hb_spool_log(history->spool), HB_LOG_READ, NULL, error);
    return history->log != NULL && list_parts(history, error);
}

bool hb_history_read(hb_history *history, hb_bytes *lines, hb_error *error)
{
    hb_log_lines piece;
    *lines = (hb_bytes){"", 0};
    if (history->sweep != NULL)
        return read_sweep(history, lines, error);
    if (history->log == NULL)
        return fill_spool(history, lines, error);
    for (;;) {
        if (history->search == NULL && (!begin_search(history, error) || history->search == NULL))
            return history->part == history->part_count;
        const uint64_t before = hb_log_search_taken(history->search);
        const bool read = hb_log_search_read(history->search, &piece, error);
        history->taken += hb_log_search_taken(history->search) - before;
        if (!read) {
            if (error->code != HB_ERROR_CORRUPT)
                return false;
            if (!history->removing) /* the same damage is told once */
                return false;
            continue;
        }
        if (piece.lines.size > 0 && !history->removing) {
            *lines = piece.lines;
            return true;
        }
        if (piece.lines.size > 0) {
            hb_removals_scan(history->removals, piece.lines);
            continue;
        }
        if (!history->removing)
            history->positions[history->part].offset = piece.next;
        end_search(history);
    }
}

/* ---- Choosing ---- */

static bool is_of_user(const hb_history *history, const hb_fact *fact)
{
    char lower[HB_LOGIN_MAX];
    if (history->query.user.size == 0 || hb_bytes_equal(fact->user_id, history->query.user))
        return true;
    return fact->login.size == history->user_login.size && fact->login.size > 0 &&
           hb_bytes_equal(hb_bytes_lower(fact->login, lower), history->user_login);
}

static bool is_wanted(const hb_history *history, const hb_fact *fact)
{
    char lower[HB_LOGIN_MAX];
    if (history->query.messages && fact->kind != HB_FACT_MESSAGE)
        return false;
    if (history->with_times && (fact->time_ms < history->from_ms || fact->time_ms >= history->to_ms))
        return false;
    if (history->sign.size > 0 &&
        !hb_bytes_equal(hb_bytes_lower(fact->channel, lower), hb_bytes_from(history->sign, 2)))
        return false;
    return is_of_user(history, fact) &&
           (history->query.want == NULL || history->query.want(history->query.want_context, fact));
}

/* Whether a message of its id came before in this part; takes note of it. */
static bool is_repeated(hb_history *history, const hb_fact *fact)
{
    char lower[HB_LOGIN_MAX];
    if (!history->query.messages || fact->id.size == 0)
        return false;
    const uint64_t hash = hb_hash(fact->id, hb_hash(hb_bytes_lower(fact->channel, lower), 0));
    for (uint32_t at = hb_map_first(&history->id_index, hash); at != HB_MAP_END;
         at = hb_map_next(&history->id_index, hash, at))
        if (history->ids[hb_map_entry(&history->id_index, at)] == hash)
            return true;
    HB_RESERVE(history->ids, history->id_capacity, history->id_count + 1);
    hb_map_insert(&history->id_index, hash, (uint32_t)history->id_count);
    history->ids[history->id_count++] = hash;
    return false;
}

bool hb_history_next(hb_history *history, hb_bytes *lines, hb_history_fact *out)
{
    while (history->sign.size > 0 ? hb_log_find_line(lines, history->sign, &out->line)
                                  : hb_bytes_cut(lines, '\n', &out->line))
        if (hb_fact_read(out->line, &out->fact) == HB_FACT_OK && is_wanted(history, &out->fact) &&
            !is_repeated(history, &out->fact)) {
            out->deleted = history->query.removals && out->fact.kind == HB_FACT_MESSAGE &&
                           hb_removals_hit(history->removals, &out->fact);
            return true;
        }
    return false;
}

/* ---- Following ---- */

void hb_history_follow(hb_history *history, const hb_log_position **positions, size_t *count)
{
    history->with_times = true;
    *positions = history->positions;
    *count = history->part_count;
    if (history->sweep != NULL)
        *positions = hb_kafka_sweep_ends(history->sweep, count);
    else if (history->spool != NULL)
        *positions = hb_spool_ends(history->spool, count);
}

void hb_history_note(hb_history *history, hb_bytes lines, int64_t now_ms)
{
    if (history->query.removals)
        hb_removals_scan(history->removals, lines);
    if (lines.size > 0)
        return;
    hb_removals_keep(history->removals, now_ms - HB_REMOVALS_REACH_MS, INT64_MAX);
    history->id_count = 0; /* what is received twice comes within moments */
    hb_map_clear(&history->id_index);
}

uint64_t hb_history_taken(const hb_history *history)
{
    return history->taken;
}
