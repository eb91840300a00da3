/* messages.c - hours backwards; of each those frames that can hold what is looked for, the latest first (search.h).
 *
 * An hour is left as soon as no further frame can hold a message as late as those found. Then come the frames that hold
 * the channel's removals, from the oldest message found on.
 *
 * What matches is copied to one buffer; when twice the limit is there, the older half is thrown away. So the work for
 * each match is small and constant, however many match. */
#include "log/messages.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "log/kafka_log.h"
#include "log/log_file.h"
#include "log/removals.h"
#include "log/search.h"
#include "log/spool.h"

#include <stdlib.h>

enum { FILL_MS = 200 };

typedef struct found_line {
    int64_t time_ms;
    uint64_t order; /* place in its part: settles equal times */
    size_t at;      /* in lines */
    size_t size;
    uint64_t id_hash; /* 0 for a line without an id: it is unlike any other */
    bool deleted;
    bool judged; /* its removals are known */
    bool edge;   /* of the millisecond in which the page ends: does not count for the limit yet */
    bool passed; /* belongs to a later page: only here so that the same message does not come again */
} found_line;

struct hb_messages {
    hb_buffer lines;
    found_line *found;
    size_t count;
    size_t capacity;
    size_t edge;   /* of the lines found; they stand first, as the newest */
    size_t passed; /* of these */
    hb_message *messages;
    bool complete;
    bool more;
};

typedef struct messages_search {
    const hb_message_query *query;
    hb_messages *out;
    hb_removals *removals;
    char channel[HB_LOGIN_MAX];
    char sign[HB_LOGIN_MAX + 2]; /* " #channel" */
    size_t sign_size;
    char user[HB_LOGIN_MAX];
    hb_bytes user_login; /* the user in lower case */
    size_t limit;
    int64_t until_ms; /* monotonic; 0: no bound */
    int64_t to_ms;
} messages_search;

/* ---- What was found ---- */

static int newest_first(const void *a, const void *b)
{
    const found_line *one = a;
    const found_line *other = b;
    if (one->time_ms != other->time_ms)
        return one->time_ms > other->time_ms ? -1 : 1;
    return one->order > other->order ? -1 : 1;
}

/* Whether the index has a message of the same id among the first `kept`. */
static bool is_repeated(const hb_messages *out, const hb_map *ids, uint64_t id_hash)
{
    if (ids->count == 0)
        return false;
    for (uint32_t at = hb_map_first(ids, id_hash); at != HB_MAP_END; at = hb_map_next(ids, id_hash, at))
        if (out->found[hb_map_entry(ids, at)].id_hash == id_hash)
            return true;
    return false;
}

/* Leaves the newest `limit` lines, each once, newest first. */
static void leave_newest(messages_search *search)
{
    hb_messages *out = search->out;
    hb_buffer lines = {0};
    hb_map ids = {0};
    size_t kept = 0;
    if (out->count > 0)
        qsort(out->found, out->count, sizeof *out->found, newest_first);
    out->edge = out->passed = 0;
    for (size_t i = 0; i < out->count && kept < search->limit + out->edge; i++) {
        found_line line = out->found[i];
        if (lines.size + line.size > HB_MESSAGES_BYTES / 2) {
            out->more = true;
            break;
        }
        if (line.id_hash != 0 && is_repeated(out, &ids, line.id_hash))
            continue;
        if (line.id_hash != 0)
            hb_map_insert(&ids, line.id_hash, (uint32_t)kept);
        const hb_bytes text = {out->lines.data + line.at, line.size};
        out->edge += line.edge;
        out->passed += line.passed;
        line.at = lines.size;
        hb_buffer_append(&lines, text);
        out->found[kept++] = line;
    }
    out->count = kept;
    hb_map_free(&ids);
    hb_buffer_free(&out->lines);
    out->lines = lines;
}

static void keep_line(messages_search *search, hb_bytes line, const hb_fact *fact, uint64_t at)
{
    hb_messages *out = search->out;
    const hb_message_query *query = search->query;
    if (out->count >= search->limit * 2 || out->lines.size + line.size > HB_MESSAGES_BYTES)
        leave_newest(search);
    HB_RESERVE(out->found, out->capacity, out->count + 1);
    out->found[out->count++] = (found_line){
        .time_ms = fact->time_ms,
        .order = at,
        .at = out->lines.size,
        .size = line.size,
        .id_hash = fact->id.size > 0 ? hb_hash(fact->id, 0) | 1 : 0,
        .edge = query->paged && fact->time_ms == query->before.time_ms,
        .passed = query->paged && fact->time_ms == query->before.time_ms && at >= query->before.at,
    };
    hb_buffer_append(&out->lines, line);
}

/* ---- Reading ---- */

static bool is_of_user(const messages_search *search, const hb_fact *fact)
{
    char login[HB_LOGIN_MAX];
    if (search->query->user.size == 0 || hb_bytes_equal(fact->user_id, search->query->user))
        return true;
    return fact->login.size == search->user_login.size && fact->login.size > 0 && fact->login.size <= sizeof login &&
           hb_bytes_equal(hb_bytes_lower(fact->login, login), search->user_login);
}

/* at: the line's offset in its part. */
static void take_line(messages_search *search, hb_bytes line, uint64_t at, bool with_removals)
{
    hb_fact fact;
    char channel[HB_LOGIN_MAX];
    const hb_bytes wanted = {search->channel, search->query->channel.size};
    if (hb_fact_read(line, &fact) != HB_FACT_OK || !hb_bytes_equal(hb_bytes_lower(fact.channel, channel), wanted))
        return;
    if (fact.kind != HB_FACT_MESSAGE) {
        if (with_removals)
            hb_removals_add(search->removals, &fact);
    } else if (fact.time_ms >= search->query->from_s * 1000 && fact.time_ms < search->to_ms &&
               is_of_user(search, &fact) &&
               (search->query->want == NULL || search->query->want(search->query->want_context, &fact))) {
        keep_line(search, line, &fact, at);
    }
}

/* Takes the lines that name the channel. */
static void take_lines(messages_search *search, const hb_log_lines *piece, bool with_removals)
{
    hb_bytes line;
    hb_bytes rest = piece->lines;
    const hb_bytes sign = {search->sign, search->sign_size};
    while (hb_log_find_line(&rest, sign, &line))
        take_line(search, line, piece->at + (uint64_t)(line.data - piece->lines.data), with_removals);
}

static bool time_is_up(const messages_search *search)
{
    return search->until_ms != 0 && hb_monotonic_ms() >= search->until_ms;
}

/* Reads the next piece; damage is noted and passed over. False and *error: the part cannot be read. */
static bool read_piece(messages_search *search, hb_log_search *part, hb_log_lines *piece, hb_error *error)
{
    while (!hb_log_search_read(part, piece, error)) {
        if (error->code != HB_ERROR_CORRUPT)
            return false;
        search->out->complete = false;
    }
    return true;
}

static bool read_removals(messages_search *search, hb_log *log, int64_t part, int64_t from_ms, hb_error *error)
{
    const hb_log_filter filter = {
        .channel = search->query->channel, .removals = true, .from_ms = from_ms, .to_ms = INT64_MAX};
    hb_log_search *found = hb_log_search_open(log, part, &filter, error);
    hb_log_lines piece = {.lines = {"\n", 1}};
    bool read = true;
    if (found == NULL)
        return error->code == HB_ERROR_MISSING; /* deleted since it was listed */
    while (read && piece.lines.size > 0 && !time_is_up(search)) {
        read = read_piece(search, found, &piece, error);
        if (read)
            hb_removals_scan(search->removals, piece.lines);
    }
    hb_log_search_close(found);
    return read;
}

/* Whether what is found so far is settled: enough, and none of what is left in the part can be as late. */
static bool is_settled(messages_search *search, const hb_log_search *part)
{
    const hb_messages *out = search->out;
    const int64_t before_ms = hb_log_search_before(part);
    if (out->count < search->limit + out->edge || before_ms == INT64_MAX)
        return false;
    leave_newest(search);
    return out->count >= search->limit + out->edge && out->found[out->count - 1].time_ms >= before_ms;
}

static bool read_messages(messages_search *search, hb_log *log, int64_t part, hb_error *error)
{
    const hb_log_filter filter = {.channel = search->query->channel,
                                  .user = search->query->user,
                                  .from_ms = search->query->from_s * 1000,
                                  .to_ms = search->to_ms,
                                  .newest_first = true};
    hb_log_search *found = hb_log_search_open(log, part, &filter, error);
    hb_log_lines piece = {.lines = {"\n", 1}};
    bool read = true;
    if (found == NULL)
        return error->code == HB_ERROR_MISSING;
    const bool chosen = hb_log_search_chooses(found);
    while (read && piece.lines.size > 0 && !time_is_up(search) && !is_settled(search, found)) {
        read = read_piece(search, found, &piece, error);
        if (read)
            take_lines(search, &piece, !chosen);
    }
    hb_log_search_close(found);
    leave_newest(search);
    if (!read || !chosen)
        return read;
    /* Once there are enough, older messages do not come: what was removed before the oldest is not asked for. */
    const hb_messages *out = search->out;
    const bool enough = out->count >= search->limit + out->edge;
    return read_removals(search, log, part, enough ? out->found[out->count - 1].time_ms : INT64_MIN, error);
}

/* Marks what was removed, of messages of this hour. */
static void judge(messages_search *search, int64_t hour)
{
    hb_messages *out = search->out;
    for (size_t i = 0; i < out->count; i++) {
        hb_fact fact;
        found_line *line = &out->found[i];
        if (line->judged || hb_fact_read((hb_bytes){out->lines.data + line->at, line->size}, &fact) != HB_FACT_OK)
            continue;
        line->deleted = hb_removals_hit(search->removals, &fact);
        line->judged = true;
    }
    hb_removals_keep(search->removals, INT64_MIN, hour * 1000 + HB_REMOVALS_REACH_MS);
}

static bool take_parts(messages_search *search, hb_log *log, hb_error *error)
{
    const int64_t first = hb_time_floor(search->query->from_s, HB_HOUR_S);
    const int64_t end = search->to_ms / 1000 + (search->to_ms % 1000 != 0);
    hb_log_part *parts = NULL;
    size_t count = 0;
    bool read = hb_log_list(log, &parts, &count, error);
    for (size_t i = count; read && i-- > 0 && parts[i].part >= first;) {
        const bool with_messages = parts[i].part < end;
        if (parts[i].part >= end + HB_REMOVALS_REACH_HOURS * HB_HOUR_S)
            continue;
        if (with_messages) {
            read = read_messages(search, log, parts[i].part, error);
            judge(search, parts[i].part);
        } else {
            read = read_removals(search, log, parts[i].part, INT64_MIN, error);
        }
        if (time_is_up(search))
            search->out->complete = false;
        if (search->out->count >= search->limit + search->out->edge || time_is_up(search))
            break;
    }
    free(parts);
    return read;
}

/* ---- The door ---- */

static bool prepare(messages_search *search, hb_error *error)
{
    const hb_message_query *query = search->query;
    if (query->channel.size == 0 || query->channel.size > HB_LOGIN_MAX)
        return hb_fail(error, HB_ERROR_USAGE, "'%.*s' is not the name of a channel", HB_PRINT(query->channel));
    if (query->from_s > query->to_s)
        return hb_fail(error, HB_ERROR_USAGE, "the time range ends before it begins");
    hb_bytes_lower(query->channel, search->channel);
    memcpy(search->sign, " #", 2);
    memcpy(search->sign + 2, search->channel, query->channel.size);
    search->sign_size = query->channel.size + 2;
    search->limit = query->limit > HB_MESSAGES_MAX ? HB_MESSAGES_MAX : query->limit;
    if (query->user.size <= sizeof search->user)
        search->user_login = hb_bytes_lower(query->user, search->user);
    search->to_ms = query->to_s * 1000;
    if (query->paged && query->before.time_ms < search->to_ms)
        search->to_ms = query->before.time_ms + 1;
    search->until_ms = query->budget_ms == 0 ? 0 : hb_monotonic_ms() + query->budget_ms;
    return true;
}

/* Oldest first, and parsed again: the lines stay where they are now. */
static void finish(hb_messages *out, size_t limit)
{
    out->count -= out->passed;
    if (out->count > limit) {
        out->count = limit;
        out->more = true;
    }
    out->messages = hb_alloc(out->count * sizeof *out->messages);
    for (size_t i = 0; i < out->count; i++) {
        const found_line *line = &out->found[out->passed + out->count - 1 - i];
        hb_fact_read((hb_bytes){out->lines.data + line->at, line->size}, &out->messages[i].fact);
        out->messages[i].deleted = line->deleted;
    }
    out->more = out->count > 0 && (out->more || out->count >= limit);
}

static hb_messages *open_files(hb_log *log, const hb_message_query *query, hb_error *error)
{
    messages_search search = {.query = query};
    if (!prepare(&search, error))
        return NULL;
    search.out = hb_alloc(sizeof *search.out);
    search.out->complete = true;
    search.removals = hb_removals_open();
    const bool read = search.limit == 0 || take_parts(&search, log, error);
    hb_removals_close(search.removals);
    if (read) {
        finish(search.out, search.limit);
        return search.out;
    }
    hb_messages_close(search.out);
    return NULL;
}

/* ---- A Kafka log ---- */

/* Copies the channel's facts from from_s on, and finds messages in the copy. from_s is an hour's beginning, so that a
 * message's place in its hour is the same in every copy. */
static hb_messages *open_copy(const hb_log *log, const hb_message_query *query, int64_t from_s, int64_t until_ms,
                              hb_error *error)
{
    hb_error unimportant = {0};
    hb_message_query narrow = *query;
    hb_messages *messages = NULL;
    bool filled = false;
    const int64_t to_s = query->to_s > INT64_MAX / 2000 ? INT64_MAX / 2000 : query->to_s;
    const hb_spool_query what = {
        .channel = query->channel, .from_ms = from_s * 1000, .to_ms = to_s * 1000 + HB_REMOVALS_REACH_MS};
    hb_spool *spool = hb_spool_open(hb_kafka_log_address(log->kafka), &what, NULL, error);
    bool good = spool != NULL;
    while (good && !filled && (until_ms == 0 || hb_monotonic_ms() < until_ms))
        good = hb_spool_fill(spool, FILL_MS, &filled, error);
    good = good && hb_spool_finish(spool, error);
    hb_log *const copy = good ? hb_log_open(hb_spool_log(spool), HB_LOG_READ, NULL, error) : NULL;
    if (from_s > narrow.from_s)
        narrow.from_s = from_s;
    if (copy != NULL)
        messages = open_files(copy, &narrow, error);
    if (messages != NULL)
        messages->complete &= filled;
    hb_log_close(copy, &unimportant); /* only read */
    hb_spool_close(spool);
    return messages;
}

/* Looks back as far as it has to: an hour, then more. What is read goes on to the topic's end, so messages that are not
 * among those found are older than all of them. */
static hb_messages *open_kafka(const hb_log *log, const hb_message_query *query, hb_error *error)
{
    static const int64_t back_s[] = {0, 3 * HB_HOUR_S, HB_DAY_S, 7 * HB_DAY_S, INT64_MAX / 2000};
    const int64_t until_ms = query->budget_ms == 0 ? 0 : hb_monotonic_ms() + query->budget_ms;
    const int64_t now_s = hb_now_ms() / 1000;
    int64_t last_s = query->to_s - 1 < now_s ? query->to_s - 1 : now_s;
    if (query->paged && query->before.time_ms / 1000 < last_s)
        last_s = query->before.time_ms / 1000;
    for (size_t i = 0;; i++) {
        const int64_t first_s = hb_time_floor(query->from_s < 0 ? 0 : query->from_s, HB_HOUR_S);
        const int64_t wide_s = hb_time_floor(last_s - back_s[i], HB_HOUR_S);
        const int64_t from_s = wide_s < first_s ? first_s : wide_s;
        hb_messages *messages = open_copy(log, query, from_s, until_ms, error);
        if (messages == NULL || from_s == first_s || messages->more || !messages->complete ||
            hb_messages_count(messages) >= query->limit)
            return messages;
        hb_messages_close(messages);
    }
}

hb_messages *hb_messages_open(hb_log *log, const hb_message_query *query, hb_error *error)
{
    messages_search checked = {.query = query};
    if (log->kafka == NULL)
        return open_files(log, query, error);
    return prepare(&checked, error) ? open_kafka(log, query, error) : NULL;
}

void hb_messages_close(hb_messages *messages)
{
    if (messages == NULL)
        return;
    hb_buffer_free(&messages->lines);
    free(messages->found);
    free(messages->messages);
    free(messages);
}

size_t hb_messages_count(const hb_messages *messages)
{
    return messages->count;
}

const hb_message *hb_messages_at(const hb_messages *messages, size_t index)
{
    return &messages->messages[index];
}

bool hb_messages_earlier(const hb_messages *messages, hb_message_cursor *cursor)
{
    if (!messages->more)
        return false;
    const found_line *oldest = &messages->found[messages->passed + messages->count - 1];
    *cursor = (hb_message_cursor){oldest->time_ms, oldest->order};
    return true;
}

bool hb_messages_complete(const hb_messages *messages)
{
    return messages->complete;
}
