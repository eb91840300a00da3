/* store_cassandra_read.c - reading. Rows are spread over many partitions, of which some tens are asked for at once and
 * answered in order. What Cassandra does not keep in the order that store.h promises is collected and sorted: the top
 * rows of one hour, the names of the channels, an hour's minutes of all channels. */
#include "store/store_cassandra.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdlib.h>

enum {
    ASKED_AT_ONCE = 32,  /* partitions */
    SHEETS_AT_ONCE = 12, /* they are larger */
    GENERATION_MS = 400  /* how long a generation is taken for the last one */
};

#define TIME_END_S INT64_C(253402300800) /* the year 10000 */

/* ---- Values ---- */

hb_bytes hb_cassandra_text(const hubbub_cql_rows *rows, size_t column)
{
    hb_bytes text;
    text.data = hubbub_cql_get_bytes(rows, column, &text.size);
    return text;
}

int64_t hb_cassandra_time(const hubbub_cql_rows *rows, size_t column)
{
    return hb_time_floor(hubbub_cql_get_bigint(rows, column), 1000) / 1000;
}

static uint64_t count_of(const hubbub_cql_rows *rows, size_t column)
{
    return (uint64_t)hubbub_cql_get_bigint(rows, column);
}

static hb_layer layer_of(const hubbub_cql_rows *rows, size_t column)
{
    return hb_bytes_equal(hb_cassandra_text(rows, column), hb_bytes_of(hb_layer_name(HB_LAYER_BATCH))) ? HB_LAYER_BATCH
                                                                                                       : HB_LAYER_SPEED;
}

bool hb_cassandra_next(const hb_cassandra *store, hubbub_cql_rows *rows, bool *good, hb_error *error)
{
    char reason[HB_CASSANDRA_REASON];
    const int step = hubbub_cql_next(rows, reason, sizeof reason);
    *good = step >= 0 || hb_cassandra_fail(store, "cannot read", reason, error);
    return step == 1;
}

/* ---- Many partitions ---- */

typedef enum outcome { GO_ON, STOP, FAILED } outcome;

/* Asks about partition number `at`: one or two questions. False and *error on failure. */
typedef struct question {
    hubbub_cql_rows *rows[2];
} question;
typedef bool ask_partition(hb_cassandra *store, void *context, size_t at, question *asked, hb_error *error);
typedef outcome take_partition(hb_cassandra *store, void *context, size_t at, const question *asked, hb_error *error);

static void close_question(question *asked)
{
    hubbub_cql_rows_close(asked->rows[0]);
    hubbub_cql_rows_close(asked->rows[1]);
    *asked = (question){{NULL, NULL}};
}

/* Takes the answers about `count` partitions in order, having asked about the next ones already. */
static bool read_partitions(hb_cassandra *store, size_t count, size_t at_once, ask_partition *ask, take_partition *take,
                            void *context, hb_error *error)
{
    question asked[ASKED_AT_ONCE] = {0};
    outcome result = GO_ON;
    size_t next = 0;
    for (size_t at = 0; at < count && result == GO_ON; at++) {
        for (; result == GO_ON && next < count && next < at + at_once; next++)
            if (!ask(store, context, next, &asked[next % at_once], error))
                result = FAILED;
        if (result == GO_ON)
            result = take(store, context, at, &asked[at % at_once], error);
        close_question(&asked[at % at_once]);
    }
    for (size_t i = 0; i < at_once; i++)
        close_question(&asked[i]);
    return result != FAILED;
}

/* ---- Channels ---- */

static int compare_channels(const void *left, const void *right)
{
    return hb_bytes_compare(((const hb_channel_row *)left)->channel, ((const hb_channel_row *)right)->channel);
}

bool hb_cassandra_channels_read(hb_cassandra *store, int64_t from_s, int64_t to_s, hb_cassandra_channels *channels,
                                hb_error *error)
{
    bool good = true;
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_CHANNELS, error))
        return false;
    hubbub_cql_rows *rows = hubbub_cql_ask(store->cql);
    while (hb_cassandra_next(store, rows, &good, error)) {
        const hb_channel_row row = {.channel = hb_arena_copy(&channels->texts, hb_cassandra_text(rows, 0)),
                                    .room_id = hb_arena_copy(&channels->texts, hb_cassandra_text(rows, 1)),
                                    .first_seen_s = hb_cassandra_time(rows, 2),
                                    .last_seen_s = hb_cassandra_time(rows, 3)};
        /* One without these two is being made just now, by a writer that has not sent all of it. */
        if (row.first_seen_s >= to_s || row.last_seen_s < from_s || hubbub_cql_is_null(rows, 2) ||
            hubbub_cql_is_null(rows, 3))
            continue;
        HB_RESERVE(channels->rows, channels->capacity, channels->count + 1);
        channels->rows[channels->count++] = row;
    }
    hubbub_cql_rows_close(rows);
    if (channels->count > 0)
        qsort(channels->rows, channels->count, sizeof *channels->rows, compare_channels);
    return good;
}

void hb_cassandra_channels_free(hb_cassandra_channels *channels)
{
    free(channels->rows);
    hb_arena_free(&channels->texts);
    *channels = (hb_cassandra_channels){0};
}

bool hb_cassandra_channels_visit(hb_store *base, hb_visit_channel *visit, void *context, hb_error *error)
{
    hb_cassandra_channels channels = {0};
    const bool good = hb_cassandra_channels_read(hb_cassandra_of(base), INT64_MIN, INT64_MAX, &channels, error);
    for (size_t i = 0; good && i < channels.count; i++)
        if (!visit(context, &channels.rows[i]))
            break;
    hb_cassandra_channels_free(&channels);
    return good;
}

/* Narrows a range to the time in which a channel was seen: nothing is kept of it outside. */
static bool narrow(hb_cassandra *store, hb_bytes channel, int64_t *from_s, int64_t *to_s, hb_error *error)
{
    bool good = true;
    int64_t first_s = TIME_END_S;
    int64_t last_s = -1;
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_CHANNEL, error))
        return false;
    hb_cassandra_bind_text(store, channel);
    hubbub_cql_rows *rows = hubbub_cql_ask(store->cql);
    if (hb_cassandra_next(store, rows, &good, error)) {
        first_s = hb_time_floor(hb_cassandra_time(rows, 0), HB_HOUR_S);
        last_s = hb_cassandra_time(rows, 1);
    }
    hubbub_cql_rows_close(rows);
    *from_s = *from_s > first_s ? *from_s : first_s;
    *to_s = *to_s <= last_s ? *to_s : last_s + 1;
    return good;
}

/* How many steps of step_s a range touches. */
static size_t count_steps(int64_t from_s, int64_t to_s, int64_t step_s)
{
    return from_s >= to_s ? 0 : (size_t)((to_s - 1) / step_s - from_s / step_s + 1);
}

/* ---- Minutes ---- */

typedef struct minutes_job {
    hb_bytes channel;
    int64_t from_s;
    int64_t to_s;
    hb_visit_minute *visit;
    void *context;

    /* Of all channels: an hour's rows, to be sorted. */
    const hb_cassandra_channels *channels;
    struct kept_minute *kept;
    size_t kept_count;
    size_t kept_capacity;
    hb_arena texts;
} minutes_job;

typedef struct kept_minute {
    hb_minute_row row;
    hb_layer layer;
} kept_minute;

/* Columns: minute, messages, words, chatters, shared, layer, new_chatters, subscriber_messages. */
static void take_counts(const hubbub_cql_rows *rows, hb_minute_row *row)
{
    row->minute_s = hb_cassandra_time(rows, 0);
    row->count.messages = count_of(rows, 1);
    row->count.words = count_of(rows, 2);
    row->count.chatters = count_of(rows, 3);
    row->count.shared = count_of(rows, 4);
    row->count.new_chatters = count_of(rows, 6); /* 5 is the layer */
    row->count.subscriber_messages = count_of(rows, 7);
}

/* Columns from `first` on: viewers, samples, game, title. */
static void take_viewers(const hubbub_cql_rows *rows, size_t first, hb_minute *count)
{
    count->samples = count_of(rows, first + 1);
    const double sum = hubbub_cql_get_double(rows, first) * (double)count->samples;
    count->viewers_sum = sum >= 0 && sum < 0x1p52 ? (uint64_t)(sum + 0.5) : 0; /* undoes the mean exactly */
    count->game = hb_cassandra_text(rows, first + 2);
    count->title = hb_cassandra_text(rows, first + 3);
}

static bool ask_day(hb_cassandra *store, hb_bytes channel, int64_t day_s, int64_t from_s, int64_t to_s, question *asked,
                    hb_error *error)
{
    static const hb_cassandra_statement statements[] = {HB_CASSANDRA_MINUTES, HB_CASSANDRA_VIEWERS};
    for (size_t i = 0; i < 2; i++) {
        if (!hb_cassandra_begin_row(store, statements[i], error))
            return false;
        hb_cassandra_bind_text(store, channel);
        hb_cassandra_bind_time(store, day_s);
        hb_cassandra_bind_time(store, from_s);
        hb_cassandra_bind_time(store, to_s);
        asked->rows[i] = hubbub_cql_ask(store->cql);
    }
    return true;
}

/* Merges the two tables' rows of a channel's day. */
static outcome visit_day(hb_cassandra *store, hb_bytes channel, const question *asked, hb_visit_minute *visit,
                         void *context, hb_error *error)
{
    hubbub_cql_rows *const viewers = asked->rows[1];
    bool good = true;
    bool more = hb_cassandra_next(store, viewers, &good, error);
    while (good && hb_cassandra_next(store, asked->rows[0], &good, error)) {
        hb_minute_row row = {.channel = channel};
        take_counts(asked->rows[0], &row);
        while (good && more && hb_cassandra_time(viewers, 0) < row.minute_s)
            more = hb_cassandra_next(store, viewers, &good, error);
        if (good && more && hb_cassandra_time(viewers, 0) == row.minute_s)
            take_viewers(viewers, 1, &row.count);
        if (good && !visit(context, &row, layer_of(asked->rows[0], 5)))
            return STOP;
    }
    return good ? GO_ON : FAILED;
}

static bool ask_channel_day(hb_cassandra *store, void *context, size_t at, question *asked, hb_error *error)
{
    const minutes_job *const job = context;
    const int64_t day_s = hb_time_floor(job->from_s, HB_DAY_S) + (int64_t)at * HB_DAY_S;
    return ask_day(store, job->channel, day_s, job->from_s, job->to_s, asked, error);
}

static outcome take_channel_day(hb_cassandra *store, void *context, size_t at, const question *asked, hb_error *error)
{
    const minutes_job *const job = context;
    (void)at;
    return visit_day(store, job->channel, asked, job->visit, job->context, error);
}

/* What is younger than a few hours stands by minute. */
static bool ask_latest(hb_cassandra *store, void *context, size_t at, question *asked, hb_error *error)
{
    const minutes_job *const job = context;
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_LATEST, error))
        return false;
    hb_cassandra_bind_time(store, hb_time_floor(job->from_s, HB_MINUTE_S) + (int64_t)at * HB_MINUTE_S);
    asked->rows[0] = hubbub_cql_ask(store->cql);
    return true;
}

static outcome take_latest(hb_cassandra *store, void *context, size_t at, const question *asked, hb_error *error)
{
    const minutes_job *const job = context;
    bool good = true;
    (void)at;
    while (hb_cassandra_next(store, asked->rows[0], &good, error)) {
        hb_minute_row row = {.channel = hb_cassandra_text(asked->rows[0], 12)};
        take_counts(asked->rows[0], &row);
        take_viewers(asked->rows[0], 8, &row.count);
        if (row.minute_s >= job->from_s && row.minute_s < job->to_s &&
            !job->visit(job->context, &row, layer_of(asked->rows[0], 5)))
            return STOP;
    }
    return good ? GO_ON : FAILED;
}

static bool ask_channel_hour(hb_cassandra *store, void *context, size_t at, question *asked, hb_error *error)
{
    const minutes_job *const job = context;
    return ask_day(store, job->channels->rows[at].channel, hb_time_floor(job->from_s, HB_DAY_S), job->from_s, job->to_s,
                   asked, error);
}

static bool keep_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    minutes_job *const job = context;
    HB_RESERVE(job->kept, job->kept_capacity, job->kept_count + 1);
    kept_minute *const kept = &job->kept[job->kept_count++];
    *kept = (kept_minute){*row, layer};
    kept->row.count.game = hb_arena_copy(&job->texts, row->count.game);
    kept->row.count.title = hb_arena_copy(&job->texts, row->count.title);
    return true;
}

static outcome take_channel_hour(hb_cassandra *store, void *context, size_t at, const question *asked, hb_error *error)
{
    minutes_job *const job = context;
    return visit_day(store, job->channels->rows[at].channel, asked, keep_minute, job, error);
}

static int compare_kept(const void *left, const void *right)
{
    const hb_minute_row *const a = &((const kept_minute *)left)->row;
    const hb_minute_row *const b = &((const kept_minute *)right)->row;
    return a->minute_s != b->minute_s ? (a->minute_s < b->minute_s ? -1 : 1) : hb_bytes_compare(a->channel, b->channel);
}

/* The minutes of all channels in an hour, or a part of it. */
static bool visit_hour(hb_cassandra *store, minutes_job *job, bool *stopped, hb_error *error)
{
    hb_cassandra_channels channels = {0};
    job->channels = &channels;
    job->kept_count = 0;
    hb_arena_reset(&job->texts);
    const bool good =
        hb_cassandra_channels_read(store, job->from_s, job->to_s, &channels, error) &&
        read_partitions(store, channels.count, ASKED_AT_ONCE, ask_channel_hour, take_channel_hour, job, error);
    if (job->kept_count > 0)
        qsort(job->kept, job->kept_count, sizeof *job->kept, compare_kept);
    for (size_t i = 0; good && !*stopped && i < job->kept_count; i++)
        *stopped = !job->visit(job->context, &job->kept[i].row, job->kept[i].layer);
    hb_cassandra_channels_free(&channels);
    return good;
}

/* Narrows a range to the time in which any channel was seen. */
static bool narrow_all(hb_cassandra *store, int64_t *from_s, int64_t *to_s, hb_error *error)
{
    hb_cassandra_channels channels = {0};
    int64_t first_s = TIME_END_S;
    int64_t last_s = -1;
    const bool good = hb_cassandra_channels_read(store, *from_s, *to_s, &channels, error);
    for (size_t i = 0; i < channels.count; i++) {
        const hb_channel_row *const row = &channels.rows[i];
        first_s = row->first_seen_s < first_s ? row->first_seen_s : first_s;
        last_s = row->last_seen_s > last_s ? row->last_seen_s : last_s;
    }
    hb_cassandra_channels_free(&channels);
    first_s = hb_time_floor(first_s, HB_HOUR_S);
    *from_s = *from_s > first_s ? *from_s : first_s;
    *to_s = *to_s <= last_s ? *to_s : last_s + 1;
    return good;
}

static bool visit_all_channels(hb_cassandra *store, minutes_job *job, hb_error *error)
{
    const int64_t to_s = job->to_s;
    bool good = true;
    bool stopped = false;
    if (job->from_s >= hb_now_ms() / 1000 - HB_CASSANDRA_LATEST_READ_S &&
        job->to_s - job->from_s <= HB_CASSANDRA_LATEST_WRITE_S)
        return read_partitions(store, count_steps(job->from_s, job->to_s, HB_MINUTE_S), ASKED_AT_ONCE, ask_latest,
                               take_latest, job, error);
    for (int64_t end_s; good && !stopped && job->from_s < to_s; job->from_s = end_s) {
        end_s = hb_time_floor(job->from_s, HB_HOUR_S) + HB_HOUR_S;
        job->to_s = end_s < to_s ? end_s : to_s;
        good = visit_hour(store, job, &stopped, error);
    }
    free(job->kept);
    hb_arena_free(&job->texts);
    return good;
}

bool hb_cassandra_minutes(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
                          void *context, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    const bool all = channel.size == 0;
    if (!(all ? narrow_all(store, &from_s, &to_s, error) : narrow(store, channel, &from_s, &to_s, error)))
        return false;
    minutes_job job = {.channel = channel, .from_s = from_s, .to_s = to_s, .visit = visit, .context = context};
    return all ? visit_all_channels(store, &job, error)
               : read_partitions(store, count_steps(from_s, to_s, HB_DAY_S), ASKED_AT_ONCE, ask_channel_day,
                                 take_channel_day, &job, error);
}

/* ---- Moments ---- */

typedef struct moments_job {
    hb_bytes channel; /* empty: all */
    int64_t from_s;
    int64_t to_s;
    hb_visit_moment *visit;
    void *context;
} moments_job;

static bool ask_moments(hb_cassandra *store, void *context, size_t at, question *asked, hb_error *error)
{
    const moments_job *const job = context;
    const bool all = job->channel.size == 0;
    if (!hb_cassandra_begin_row(store, all ? HB_CASSANDRA_MOMENTS_BY_DAY : HB_CASSANDRA_MOMENTS, error))
        return false;
    if (!all)
        hb_cassandra_bind_text(store, job->channel);
    hb_cassandra_bind_time(store, hb_time_floor(job->from_s, HB_DAY_S) + (int64_t)at * HB_DAY_S);
    hb_cassandra_bind_time(store, job->from_s);
    hb_cassandra_bind_time(store, job->to_s);
    asked->rows[0] = hubbub_cql_ask(store->cql);
    return true;
}

static outcome take_moments(hb_cassandra *store, void *context, size_t at, const question *asked, hb_error *error)
{
    const moments_job *const job = context;
    hubbub_cql_rows *const rows = asked->rows[0];
    bool good = true;
    (void)at;
    while (hb_cassandra_next(store, rows, &good, error)) {
        const hb_moment_row row = {.channel = job->channel.size == 0 ? hb_cassandra_text(rows, 7) : job->channel,
                                   .minute_s = hb_cassandra_time(rows, 0),
                                   .score = hubbub_cql_get_double(rows, 1),
                                   .messages = count_of(rows, 2),
                                   .chatters = count_of(rows, 3),
                                   .usual = hubbub_cql_get_double(rows, 4),
                                   .words = hb_cassandra_text(rows, 5)};
        if (!job->visit(job->context, &row, layer_of(rows, 6)))
            return STOP;
    }
    return good ? GO_ON : FAILED;
}

bool hb_cassandra_moments(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_moment *visit,
                          void *context, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    const bool few_days = to_s - from_s <= HB_DAY_S; /* are asked for sooner than all channels */
    if (!few_days &&
        !(channel.size == 0 ? narrow_all(store, &from_s, &to_s, error) : narrow(store, channel, &from_s, &to_s, error)))
        return false;
    moments_job job = {.channel = channel, .from_s = from_s, .to_s = to_s, .visit = visit, .context = context};
    if (read_partitions(store, count_steps(from_s, to_s, HB_DAY_S), ASKED_AT_ONCE, ask_moments, take_moments, &job,
                        error))
        return true;
    return strstr(error->text, "unconfigured table") != NULL; /* no newer hubbub has written to this keyspace yet */
}

/* ---- Words and users ---- */

typedef struct kept_word {
    hb_word_row row;
    hb_layer layer;
} kept_word;

static int compare_words(const void *left, const void *right)
{
    const hb_word *const a = &((const kept_word *)left)->row.word;
    const hb_word *const b = &((const kept_word *)right)->row.word;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    const int order = hb_bytes_compare(a->text, b->text);
    return order != 0 ? order : strcmp(hb_kind_name(a->kind), hb_kind_name(b->kind));
}

/* Asks about a channel and hour. */
static hubbub_cql_rows *ask_hour(hb_cassandra *store, hb_cassandra_statement which, hb_bytes channel, int64_t hour_s,
                                 const char *kind, hb_error *error)
{
    if (!hb_cassandra_begin_row(store, which, error))
        return NULL;
    hb_cassandra_bind_text(store, channel);
    hb_cassandra_bind_time(store, hour_s);
    if (kind != NULL)
        hb_cassandra_bind_text(store, hb_bytes_of(kind));
    return hubbub_cql_ask(store->cql);
}

bool hb_cassandra_words(hb_store *base, hb_bytes channel, int64_t hour_s, hb_kind kind, hb_visit_word *visit,
                        void *context, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    const bool all = kind == HB_KINDS;
    kept_word *kept = NULL;
    size_t count = 0;
    size_t capacity = 0;
    hb_arena texts = {0};
    hubbub_cql_rows *rows = ask_hour(store, all ? HB_CASSANDRA_WORDS : HB_CASSANDRA_KIND_WORDS, channel, hour_s,
                                     all ? NULL : hb_kind_name(kind), error);
    bool good = rows != NULL;
    while (rows != NULL && hb_cassandra_next(store, rows, &good, error)) {
        hb_word_row row = {.channel = channel, .hour_s = hour_s};
        if (!hb_kind_parse(hb_cassandra_text(rows, 0), &row.word.kind))
            continue;
        row.word.text = hb_arena_copy(&texts, hb_cassandra_text(rows, 1));
        row.word.count = count_of(rows, 2);
        HB_RESERVE(kept, capacity, count + 1);
        kept[count++] = (kept_word){row, layer_of(rows, 3)};
    }
    hubbub_cql_rows_close(rows);
    if (count > 0)
        qsort(kept, count, sizeof *kept, compare_words);
    for (size_t i = 0; good && i < count; i++)
        if (!visit(context, &kept[i].row, kept[i].layer))
            break;
    free(kept);
    hb_arena_free(&texts);
    return good;
}

typedef struct kept_user {
    hb_user_row row;
    hb_layer layer;
} kept_user;

static int compare_users(const void *left, const void *right)
{
    const hb_user *const a = &((const kept_user *)left)->row.user;
    const hb_user *const b = &((const kept_user *)right)->row.user;
    return a->messages != b->messages ? (a->messages > b->messages ? -1 : 1) : hb_bytes_compare(a->id, b->id);
}

bool hb_cassandra_users(hb_store *base, hb_bytes channel, int64_t hour_s, hb_visit_user *visit, void *context,
                        hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    kept_user *kept = NULL;
    size_t count = 0;
    size_t capacity = 0;
    hb_arena texts = {0};
    hubbub_cql_rows *rows = ask_hour(store, HB_CASSANDRA_USERS, channel, hour_s, NULL, error);
    bool good = rows != NULL;
    while (rows != NULL && hb_cassandra_next(store, rows, &good, error)) {
        hb_user_row row = {.channel = channel, .hour_s = hour_s};
        row.user.id = hb_arena_copy(&texts, hb_cassandra_text(rows, 0));
        row.user.name = hb_arena_copy(&texts, hb_cassandra_text(rows, 1));
        row.user.messages = count_of(rows, 2);
        row.user.words = count_of(rows, 3);
        row.user.minutes = count_of(rows, 4);
        HB_RESERVE(kept, capacity, count + 1);
        kept[count++] = (kept_user){row, layer_of(rows, 5)};
    }
    hubbub_cql_rows_close(rows);
    if (count > 0)
        qsort(kept, count, sizeof *kept, compare_users);
    for (size_t i = 0; good && i < count; i++)
        if (!visit(context, &kept[i].row, kept[i].layer))
            break;
    free(kept);
    hb_arena_free(&texts);
    return good;
}

/* ---- Sheets ---- */

typedef struct sheets_job {
    hb_bytes channel;
    int64_t first_s; /* hour */
    hb_visit_sheet *visit;
    void *context;
} sheets_job;

static bool ask_sheet(hb_cassandra *store, void *context, size_t at, question *asked, hb_error *error)
{
    const sheets_job *const job = context;
    asked->rows[0] =
        ask_hour(store, HB_CASSANDRA_SHEET, job->channel, job->first_s + (int64_t)at * HB_HOUR_S, NULL, error);
    return asked->rows[0] != NULL;
}

static outcome take_sheet(hb_cassandra *store, void *context, size_t at, const question *asked, hb_error *error)
{
    const sheets_job *const job = context;
    bool good = true;
    (void)at;
    if (!hb_cassandra_next(store, asked->rows[0], &good, error))
        return good ? GO_ON : FAILED;
    const hb_sheet_row row = {.channel = job->channel,
                              .hour_s = hb_cassandra_time(asked->rows[0], 0),
                              .sheet = hb_cassandra_text(asked->rows[0], 1),
                              .open = !hubbub_cql_get_boolean(asked->rows[0], 4)};
    return job->visit(job->context, &row, layer_of(asked->rows[0], 2), hubbub_cql_get_int(asked->rows[0], 3)) ? GO_ON
                                                                                                              : STOP;
}

bool hb_cassandra_sheets(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_sheet *visit,
                         void *context, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    if (!narrow(store, channel, &from_s, &to_s, error))
        return false;
    from_s = hb_time_floor(from_s + HB_HOUR_S - 1, HB_HOUR_S); /* hours that begin within the range */
    sheets_job job = {.channel = channel, .first_s = from_s, .visit = visit, .context = context};
    return read_partitions(store, count_steps(from_s, to_s, HB_HOUR_S), SHEETS_AT_ONCE, ask_sheet, take_sheet, &job,
                           error);
}

static int compare_hours(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Hours repeat, once for each channel: sorts them and keeps one of each. */
static size_t unite(int64_t *hours, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(hours, count, sizeof *hours, compare_hours);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || hours[kept - 1] != hours[i])
            hours[kept++] = hours[i];
    return kept;
}

bool hb_cassandra_outdated(hb_store *base, int words_version, hb_visit_hour *visit, void *context, hb_error *error)
{
    enum { UNITE_AT = 1 << 16 };
    hb_cassandra *const store = hb_cassandra_of(base);
    int64_t *hours = NULL;
    size_t count = 0;
    size_t capacity = 0;
    bool good = true;
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_SHEET_VERSIONS, error))
        return false;
    hubbub_cql_rows *rows = hubbub_cql_ask(store->cql);
    while (hb_cassandra_next(store, rows, &good, error)) {
        if (hubbub_cql_get_int(rows, 1) >= words_version)
            continue;
        HB_RESERVE(hours, capacity, count + 1);
        hours[count++] = hb_cassandra_time(rows, 0);
        if (count == capacity && count >= UNITE_AT)
            count = unite(hours, count);
    }
    hubbub_cql_rows_close(rows);
    count = unite(hours, count);
    for (size_t i = 0; good && i < count; i++)
        if (!visit(context, hours[i]))
            break;
    free(hours);
    return good;
}

/* ---- Progress ---- */

bool hb_cassandra_progress(hb_store *base, hb_layer layer, hb_visit_progress *visit, void *context, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    bool good = true;
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_PROGRESS, error))
        return false;
    hb_cassandra_bind_text(store, hb_bytes_of(hb_layer_name(layer)));
    hubbub_cql_rows *rows = hubbub_cql_ask(store->cql);
    while (hb_cassandra_next(store, rows, &good, error)) {
        const hb_progress progress = {.part = hubbub_cql_get_bigint(rows, 0),
                                      .start = count_of(rows, 1),
                                      .position = count_of(rows, 2),
                                      .done = hubbub_cql_get_boolean(rows, 3),
                                      .late = count_of(rows, 4)};
        if (hubbub_cql_is_null(rows, 0)) /* a layer that has changed something, and has no progress yet */
            continue;
        if (!visit(context, &progress, hb_cassandra_time(rows, 5)))
            break;
    }
    hubbub_cql_rows_close(rows);
    return good;
}

/* The sum of when each layer wrote last: each only grows. */
uint64_t hb_cassandra_generation(hb_store *base)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    hb_error unimportant;
    bool good = true;
    uint64_t sum = 0;
    const int64_t now_ms = hb_monotonic_ms();
    if (store->generation_ms != 0 && now_ms < store->generation_ms + GENERATION_MS)
        return store->generation;
    store->generation_ms = now_ms;
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_CHANGED, &unimportant))
        return store->generation;
    hubbub_cql_rows *rows = hubbub_cql_ask(store->cql);
    while (hb_cassandra_next(store, rows, &good, &unimportant))
        sum += count_of(rows, 0);
    hubbub_cql_rows_close(rows);
    if (good)
        store->generation = sum;
    return store->generation;
}
