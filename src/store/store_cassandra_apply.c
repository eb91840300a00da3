/* store_cassandra_apply.c - writing.
 *
 * Rows are put together by partition: all that changes for one channel and hour (words, users, ranks, the sheet) is one
 * request, since the tables' partitions have the same key; so are a channel's minutes of a day, and all channels of a
 * minute in `latest`. Cassandra applies such a request as one change. Requests are sent without waiting for answers;
 * hb_store_commit waits for all, and only then writes the progress.
 *
 * A request that fails makes the whole fail: the same changes are then written again, with the same timestamps. */
#include "store/store_cassandra.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"

#include <stdlib.h>

enum {
    REQUEST_BYTES = 64 << 10,     /* of one request, about: more of a partition goes into a further one */
    KEY_BYTES_MAX = 65535,        /* of a word or user id: Cassandra's limit for what is part of a key */
    SHEET_BYTES_MAX = 7 << 20,    /* of a sheet: Cassandra takes half a segment of its commit log as one change */
    RANKS = 100,                  /* in topwords and topusers */
    LATEST_TTL_S = 6 * HB_HOUR_S, /* and what the minute lies ahead of the clock, up to: */
    AHEAD_MAX_S = 30 * HB_DAY_S,
    POSITIONS = 64 /* hours whose positions are remembered */
};

#define BATCH_BASE    (INT64_C(1) << 61)
#define POSITION_MAX  (UINT64_C(1) << 59) /* timestamps of the speed layer stay below those of the batch layer */
#define CHANNEL_FIRST (INT64_C(1) << 52)

/* What one put knows. */
typedef struct writing {
    hb_cassandra *store;
    const hb_changes *changes;
    hb_bytes layer;
    hb_error *error;
    int64_t stamp_hour_s; /* the hour whose timestamp was last asked for */
    int64_t stamp;
    hb_bytes channel; /* the partition in hand: its rows are not sent yet */
    int64_t start_s;
    int kind; /* 'h'our, 'd'ay, 'm'inute, day of 'a'll; 0: none */
} writing;

/* ---- Timestamps ---- */

static int64_t stamp_of_position(uint64_t position)
{
    return (int64_t)(2 * (position < POSITION_MAX ? position : POSITION_MAX) + 1);
}

static const hb_progress *progress_of(const hb_changes *changes, int64_t hour_s)
{
    for (size_t i = 0; i < changes->progress_count; i++)
        if (hb_time_floor(changes->progress[i].part, HB_HOUR_S) == hour_s)
            return &changes->progress[i];
    return NULL;
}

static void remember(hb_cassandra *store, int64_t hour_s, uint64_t position)
{
    size_t at = 0;
    while (at < store->position_count && store->positions[at].hour_s != hour_s)
        at++;
    if (at == store->position_count && at == POSITIONS) {
        memmove(store->positions, store->positions + 1, (--at) * sizeof *store->positions);
        store->position_count--;
    }
    if (at == store->position_count) {
        HB_RESERVE(store->positions, store->position_capacity, at + 1);
        store->position_count++;
    }
    store->positions[at] = (hb_cassandra_position){hour_s, position};
}

/* An hour may be closed in pieces, of which only the last tells of progress: until then its position has not moved. */
static uint64_t remembered(const hb_cassandra *store, int64_t hour_s)
{
    for (size_t i = 0; i < store->position_count; i++)
        if (store->positions[i].hour_s == hour_s)
            return store->positions[i].position;
    return 0;
}

/* The timestamp of an hour's rows; deletes have the one before. */
static int64_t stamp_of(writing *write, int64_t hour_s)
{
    if (write->changes->layer == HB_LAYER_BATCH)
        return BATCH_BASE + write->store->now_us + 1;
    if (write->stamp_hour_s != hour_s) {
        const hb_progress *const progress = progress_of(write->changes, hour_s);
        write->stamp = stamp_of_position(progress != NULL ? progress->position : remembered(write->store, hour_s));
        write->stamp_hour_s = hour_s;
    }
    return write->stamp;
}

/* ---- Requests ---- */

static void finish_request(writing *write)
{
    hubbub_cql_send(write->store->cql);
    write->kind = 0;
}

/* Begins a row of a partition; the rows in hand are sent first if they are of another one, or enough. */
static bool begin(writing *write, hb_cassandra_statement which, int kind, hb_bytes channel, int64_t start_s)
{
    if (write->kind != 0 &&
        (write->kind != kind || write->start_s != start_s || !hb_bytes_equal(write->channel, channel) ||
         hubbub_cql_held(write->store->cql) >= REQUEST_BYTES))
        finish_request(write);
    write->kind = kind;
    write->channel = channel;
    write->start_s = start_s;
    return hb_cassandra_begin_row(write->store, which, write->error);
}

/* Begins a row of a channel and hour, and binds what these tables' keys begin with. */
static bool begin_hour(writing *write, hb_cassandra_statement which, hb_bytes channel, int64_t hour_s)
{
    if (!begin(write, which, 'h', channel, hour_s))
        return false;
    hb_cassandra_bind_text(write->store, channel);
    hb_cassandra_bind_time(write->store, hour_s);
    return true;
}

/* Binds the timestamp of a delete, which comes first, and the key behind it. */
static void bind_delete(writing *write, int64_t stamp, hb_bytes channel, int64_t start_s)
{
    hubbub_cql_bigint(write->store->cql, stamp);
    hb_cassandra_bind_text(write->store, channel);
    hb_cassandra_bind_time(write->store, start_s);
}

/* ---- Minutes ---- */

static void bind_minute(writing *write, const hb_minute *count)
{
    hubbub_cql *const cql = write->store->cql;
    hubbub_cql_bigint(cql, (int64_t)count->messages);
    hubbub_cql_bigint(cql, (int64_t)count->words);
    hubbub_cql_bigint(cql, (int64_t)count->chatters);
    hubbub_cql_bigint(cql, (int64_t)count->shared);
    hb_cassandra_bind_text(write->store, write->layer);
    hubbub_cql_bigint(cql, (int64_t)count->new_chatters);
    hubbub_cql_bigint(cql, (int64_t)count->subscriber_messages);
}

static void bind_viewers(writing *write, const hb_minute *count)
{
    hubbub_cql_double(write->store->cql, (double)count->viewers_sum / (double)count->samples);
    hubbub_cql_bigint(write->store->cql, (int64_t)count->samples);
    hb_cassandra_bind_text(write->store, count->game);
    hb_cassandra_bind_text(write->store, count->title);
}

static bool put_minute(writing *write, const hb_minute_row *row)
{
    hb_cassandra *const store = write->store;
    const int64_t day_s = hb_time_floor(row->minute_s, HB_DAY_S);
    const int64_t stamp = stamp_of(write, hb_time_floor(row->minute_s, HB_HOUR_S));
    for (int viewers = 0; viewers < (row->count.samples > 0 ? 2 : 1); viewers++) {
        if (!begin(write, viewers ? HB_CASSANDRA_PUT_VIEWERS : HB_CASSANDRA_PUT_MINUTE, 'd', row->channel, day_s))
            return false;
        hb_cassandra_bind_text(store, row->channel);
        hb_cassandra_bind_time(store, day_s);
        hb_cassandra_bind_time(store, row->minute_s);
        if (viewers) {
            bind_viewers(write, &row->count);
            hb_cassandra_bind_text(store, write->layer);
        } else {
            bind_minute(write, &row->count);
        }
        hubbub_cql_bigint(store->cql, stamp);
    }
    return true;
}

static bool put_latest(writing *write, const hb_minute_row *row)
{
    hb_cassandra *const store = write->store;
    const bool viewers = row->count.samples > 0;
    const int64_t ahead_s = row->minute_s - store->now_us / 1000000;
    if (!begin(write, viewers ? HB_CASSANDRA_PUT_LATEST_VIEWERS : HB_CASSANDRA_PUT_LATEST, 'm', (hb_bytes){"", 0},
               row->minute_s))
        return false;
    hb_cassandra_bind_time(store, row->minute_s);
    hb_cassandra_bind_text(store, row->channel);
    bind_minute(write, &row->count);
    if (viewers)
        bind_viewers(write, &row->count);
    hubbub_cql_bigint(store->cql, stamp_of(write, hb_time_floor(row->minute_s, HB_HOUR_S)));
    hubbub_cql_int(store->cql, (int32_t)(LATEST_TTL_S + (ahead_s < 0             ? 0
                                                         : ahead_s < AHEAD_MAX_S ? ahead_s
                                                                                 : AHEAD_MAX_S)));
    return true;
}

static int compare_minutes(const void *left, const void *right)
{
    const hb_minute_row *const a = *(const hb_minute_row *const *)left;
    const hb_minute_row *const b = *(const hb_minute_row *const *)right;
    return (a->minute_s > b->minute_s) - (a->minute_s < b->minute_s);
}

static bool put_latest_minutes(writing *write)
{
    const hb_changes *const changes = write->changes;
    const int64_t from_s = write->store->now_us / 1000000 - HB_CASSANDRA_LATEST_WRITE_S;
    const hb_minute_row **rows = NULL;
    size_t count = 0;
    size_t capacity = 0;
    bool good = true;
    for (size_t i = 0; i < changes->minute_count; i++)
        if (changes->minutes[i].minute_s >= from_s) {
            HB_RESERVE(rows, capacity, count + 1); /* NOLINT(bugprone-sizeof-expression): they are pointers */
            rows[count++] = &changes->minutes[i];
        }
    if (count > 0)
        qsort(rows, count, sizeof *rows, compare_minutes); /* NOLINT(bugprone-sizeof-expression) */
    for (size_t i = 0; good && i < count; i++)
        good = put_latest(write, rows[i]);
    free(rows);
    return good;
}

/* ---- Moments ---- */

/* They are found in rows that are written already, whatever position these are of: the later finding counts. */
static int64_t stamp_of_moment(const writing *write)
{
    return write->changes->layer == HB_LAYER_BATCH ? BATCH_BASE + write->store->now_us + 1 : write->store->now_us;
}

static void bind_moment(writing *write, const hb_moment_row *row)
{
    hubbub_cql *const cql = write->store->cql;
    hubbub_cql_double(cql, row->score);
    hubbub_cql_bigint(cql, (int64_t)row->messages);
    hubbub_cql_bigint(cql, (int64_t)row->chatters);
    hubbub_cql_double(cql, row->usual);
    hb_cassandra_bind_text(write->store, row->words);
    hb_cassandra_bind_text(write->store, write->layer);
    hubbub_cql_bigint(cql, stamp_of_moment(write));
}

static bool put_moment(writing *write, const hb_moment_row *row)
{
    hb_cassandra *const store = write->store;
    const int64_t day_s = hb_time_floor(row->minute_s, HB_DAY_S);
    if (!begin(write, row->gone ? HB_CASSANDRA_DROP_MOMENT : HB_CASSANDRA_PUT_MOMENT, 'd', row->channel, day_s))
        return false;
    if (row->gone)
        hubbub_cql_bigint(store->cql, stamp_of_moment(write));
    hb_cassandra_bind_text(store, row->channel);
    hb_cassandra_bind_time(store, day_s);
    hb_cassandra_bind_time(store, row->minute_s);
    if (!row->gone)
        bind_moment(write, row);
    return true;
}

static bool put_moment_by_day(writing *write, const hb_moment_row *row)
{
    hb_cassandra *const store = write->store;
    const int64_t day_s = hb_time_floor(row->minute_s, HB_DAY_S);
    if (!begin(write, row->gone ? HB_CASSANDRA_DROP_MOMENT_BY_DAY : HB_CASSANDRA_PUT_MOMENT_BY_DAY, 'a',
               (hb_bytes){"", 0}, day_s))
        return false;
    if (row->gone)
        hubbub_cql_bigint(store->cql, stamp_of_moment(write));
    hb_cassandra_bind_time(store, day_s);
    hb_cassandra_bind_time(store, row->minute_s);
    hb_cassandra_bind_text(store, row->channel);
    if (!row->gone)
        bind_moment(write, row);
    return true;
}

static bool put_moments(writing *write)
{
    const hb_changes *const changes = write->changes;
    bool good = true;
    for (size_t i = 0; good && i < changes->moment_count; i++)
        good = put_moment(write, &changes->moments[i]);
    for (size_t i = 0; good && i < changes->moment_count; i++)
        good = put_moment_by_day(write, &changes->moments[i]);
    return good;
}

/* ---- Words, users, sheets ---- */

static bool put_word(writing *write, const hb_word_row *row)
{
    hb_cassandra *const store = write->store;
    const hb_bytes kind = hb_bytes_of(hb_kind_name(row->word.kind));
    const int64_t stamp = stamp_of(write, row->hour_s);
    if (row->word.text.size > KEY_BYTES_MAX)
        return true;
    if (row->gone) {
        if (!begin(write, HB_CASSANDRA_DROP_WORD, 'h', row->channel, row->hour_s))
            return false;
        bind_delete(write, stamp, row->channel, row->hour_s);
        hb_cassandra_bind_text(store, kind);
        hb_cassandra_bind_text(store, row->word.text);
        return true;
    }
    if (!begin_hour(write, HB_CASSANDRA_PUT_WORD, row->channel, row->hour_s))
        return false;
    hb_cassandra_bind_text(store, kind);
    hb_cassandra_bind_text(store, row->word.text);
    hubbub_cql_bigint(store->cql, (int64_t)row->word.count);
    hb_cassandra_bind_text(store, write->layer);
    hubbub_cql_bigint(store->cql, stamp);
    return true;
}

static bool put_user(writing *write, const hb_user_row *row)
{
    hb_cassandra *const store = write->store;
    const int64_t stamp = stamp_of(write, row->hour_s);
    if (row->user.id.size > KEY_BYTES_MAX)
        return true;
    if (row->gone) {
        if (!begin(write, HB_CASSANDRA_DROP_USER, 'h', row->channel, row->hour_s))
            return false;
        bind_delete(write, stamp, row->channel, row->hour_s);
        hb_cassandra_bind_text(store, row->user.id);
        return true;
    }
    if (!begin_hour(write, HB_CASSANDRA_PUT_USER, row->channel, row->hour_s))
        return false;
    hb_cassandra_bind_text(store, row->user.id);
    hb_cassandra_bind_text(store, row->user.name);
    hubbub_cql_bigint(store->cql, (int64_t)row->user.messages);
    hubbub_cql_bigint(store->cql, (int64_t)row->user.words);
    hubbub_cql_bigint(store->cql, (int64_t)row->user.minutes);
    hb_cassandra_bind_text(store, write->layer);
    hubbub_cql_bigint(store->cql, stamp);
    return true;
}

static bool put_ranked_words(writing *write, const hb_sheet_row *row, const hb_sheet *sheet, const hb_top *top,
                             hb_kind kind)
{
    hb_cassandra *const store = write->store;
    const hb_sheet_numbers *const list = &top->words[kind];
    for (size_t i = 0; i < list->count; i++) {
        const hb_sheet_word *const word = &sheet->words[list->items[i]];
        if (!begin_hour(write, HB_CASSANDRA_PUT_TOP_WORD, row->channel, row->hour_s))
            return false;
        hb_cassandra_bind_text(store, hb_bytes_of(hb_kind_name(kind)));
        hubbub_cql_int(store->cql, (int32_t)i + 1);
        hb_cassandra_bind_text(store, hb_sheet_word_text(word));
        hubbub_cql_bigint(store->cql, (int64_t)word->count);
        hb_cassandra_bind_text(store, write->layer);
        hubbub_cql_bigint(store->cql, stamp_of(write, row->hour_s));
    }
    return true;
}

static bool put_ranked_users(writing *write, const hb_sheet_row *row, const hb_sheet *sheet, const hb_top *top)
{
    hb_cassandra *const store = write->store;
    for (size_t i = 0; i < top->users.count; i++) {
        const hb_sheet_user *const user = &sheet->users[top->users.items[i]];
        if (!begin_hour(write, HB_CASSANDRA_PUT_TOP_USER, row->channel, row->hour_s))
            return false;
        hubbub_cql_int(store->cql, (int32_t)i + 1);
        hb_cassandra_bind_text(store, (hb_bytes){user->id, user->id_size});
        hb_cassandra_bind_text(store, (hb_bytes){user->name, user->name_size});
        hubbub_cql_bigint(store->cql, (int64_t)user->messages);
        hubbub_cql_bigint(store->cql, (int64_t)user->words);
        hb_cassandra_bind_text(store, write->layer);
        hubbub_cql_bigint(store->cql, stamp_of(write, row->hour_s));
    }
    return true;
}

/* The ranks that the sheet tells. One that cannot be read has none: whoever asks for it is told. */
static bool put_ranks(writing *write, const hb_sheet_row *row)
{
    hb_error unreadable = {0};
    hb_sheet *sheet = hb_sheet_decode(row->sheet, &unreadable);
    if (sheet == NULL)
        return true;
    hb_top top = {0};
    bool good = true;
    hb_top_rebuild(&top, sheet, RANKS, write->store->room, NULL);
    hb_top_sort(&top, sheet, write->store->room);
    for (hb_kind kind = 0; good && kind < HB_KINDS; kind++)
        good = put_ranked_words(write, row, sheet, &top, kind);
    good = good && put_ranked_users(write, row, sheet, &top);
    hb_top_free(&top);
    hb_sheet_close(sheet);
    return good;
}

static bool put_sheet(writing *write, const hb_sheet_row *row)
{
    hb_cassandra *const store = write->store;
    if (row->sheet.size > SHEET_BYTES_MAX) {
        char hour[HB_TIME_TEXT];
        hb_time_print_hour(row->hour_s, hour);
        hb_say_warning("the sheet of %.*s at %s is too large for Cassandra (%zu bytes): only its top rows are kept",
                       HB_PRINT(row->channel), hour, row->sheet.size);
        return true;
    }
    if (!put_ranks(write, row) || !begin_hour(write, HB_CASSANDRA_PUT_SHEET, row->channel, row->hour_s))
        return false;
    hubbub_cql_bytes(store->cql, row->sheet.data, row->sheet.size);
    hubbub_cql_boolean(store->cql, !row->open);
    hubbub_cql_int(store->cql, HB_WORDS_VERSION);
    hb_cassandra_bind_text(store, write->layer);
    hubbub_cql_bigint(store->cql, stamp_of(write, row->hour_s));
    return true;
}

/* ---- Channels and progress ---- */

static bool put_seen(writing *write, hb_cassandra_statement which, int64_t stamp, int64_t time_s, hb_bytes channel)
{
    if (!begin(write, which, 'c', channel, 0))
        return false;
    hubbub_cql_bigint(write->store->cql, stamp);
    hb_cassandra_bind_time(write->store, time_s);
    hb_cassandra_bind_text(write->store, channel);
    return true;
}

static bool put_channel(writing *write, const hb_channel_row *row)
{
    hb_cassandra *const store = write->store;
    if (!put_seen(write, HB_CASSANDRA_PUT_FIRST_SEEN, CHANNEL_FIRST - row->first_seen_s, row->first_seen_s,
                  row->channel) ||
        !put_seen(write, HB_CASSANDRA_PUT_LAST_SEEN, row->last_seen_s, row->last_seen_s, row->channel))
        return false;
    if (row->room_id.size == 0)
        return true;
    if (!begin(write, HB_CASSANDRA_PUT_ROOM_ID, 'c', row->channel, 0))
        return false;
    hubbub_cql_bigint(store->cql, row->last_seen_s);
    hb_cassandra_bind_text(store, row->room_id);
    hb_cassandra_bind_text(store, row->channel);
    return true;
}

static void keep_progress(hb_cassandra *store, const hb_changes *changes)
{
    for (size_t i = 0; i < changes->progress_count; i++) {
        const hb_progress *const progress = &changes->progress[i];
        HB_RESERVE(store->progress, store->progress_capacity, store->progress_count + 1);
        store->progress[store->progress_count++] = *progress;
        if (changes->layer == HB_LAYER_SPEED)
            remember(store, hb_time_floor(progress->part, HB_HOUR_S), progress->position);
    }
}

static bool put_progress(hb_cassandra *store, const hb_progress *progress, hb_error *error)
{
    if (!hb_cassandra_begin_row(store, HB_CASSANDRA_PUT_PROGRESS, error))
        return false;
    hb_cassandra_bind_text(store, hb_bytes_of(hb_layer_name(store->layer)));
    hubbub_cql_bigint(store->cql, progress->part);
    hubbub_cql_bigint(store->cql, (int64_t)progress->start);
    hubbub_cql_bigint(store->cql, (int64_t)progress->position);
    hubbub_cql_boolean(store->cql, progress->done);
    hubbub_cql_bigint(store->cql, (int64_t)progress->late);
    hubbub_cql_bigint(store->cql, hb_now_ms());
    hubbub_cql_bigint(store->cql, store->layer == HB_LAYER_BATCH ? BATCH_BASE + store->now_us + 1
                                                                 : stamp_of_position(progress->position));
    if (hubbub_cql_held(store->cql) >= REQUEST_BYTES)
        hubbub_cql_send(store->cql);
    return true;
}

/* ---- Replacing ---- */

static bool clear_channel(writing *write, hb_bytes channel)
{
    static const hb_cassandra_statement of_hour[] = {HB_CASSANDRA_CLEAR_WORDS, HB_CASSANDRA_CLEAR_USERS,
                                                     HB_CASSANDRA_CLEAR_TOP_WORDS, HB_CASSANDRA_CLEAR_TOP_USERS,
                                                     HB_CASSANDRA_CLEAR_SHEET};
    static const hb_cassandra_statement of_minutes[] = {HB_CASSANDRA_CLEAR_MINUTES, HB_CASSANDRA_CLEAR_VIEWERS};
    const int64_t hour_s = write->changes->hour_s;
    const int64_t day_s = hb_time_floor(hour_s, HB_DAY_S);
    const int64_t stamp = stamp_of(write, hour_s) - 1;
    for (size_t i = 0; i < sizeof of_hour / sizeof *of_hour; i++) {
        if (!begin(write, of_hour[i], 'h', channel, hour_s))
            return false;
        bind_delete(write, stamp, channel, hour_s);
    }
    for (size_t i = 0; i < sizeof of_minutes / sizeof *of_minutes; i++) {
        if (!begin(write, of_minutes[i], 'd', channel, day_s))
            return false;
        bind_delete(write, stamp, channel, day_s);
        hb_cassandra_bind_time(write->store, hour_s);
        hb_cassandra_bind_time(write->store, hour_s + HB_HOUR_S);
    }
    return true;
}

/* Empties a minute in `latest`, of one channel or (an empty one) of all. */
static bool clear_latest(writing *write, int64_t minute_s, hb_bytes channel)
{
    const bool all = channel.size == 0;
    if (!begin(write, all ? HB_CASSANDRA_CLEAR_LATEST : HB_CASSANDRA_CLEAR_LATEST_CHANNEL, 'm', (hb_bytes){"", 0},
               minute_s))
        return false;
    hubbub_cql_bigint(write->store->cql, stamp_of(write, write->changes->hour_s) - 1);
    hb_cassandra_bind_time(write->store, minute_s);
    if (!all)
        hb_cassandra_bind_text(write->store, channel);
    return true;
}

/* The minutes of the hour that `latest` may have. */
static bool clear_latest_minutes(writing *write, bool all)
{
    const hb_changes *const changes = write->changes;
    const int64_t now_s = write->store->now_us / 1000000;
    bool good = true;
    if (changes->hour_s + HB_HOUR_S <= now_s - LATEST_TTL_S)
        return true;
    for (int64_t minute_s = changes->hour_s; good && minute_s < changes->hour_s + HB_HOUR_S; minute_s += HB_MINUTE_S)
        if (all)
            good = clear_latest(write, minute_s, (hb_bytes){"", 0});
        else
            for (size_t i = 0; good && i < changes->sheet_count; i++)
                if (changes->sheets[i].hour_s == changes->hour_s)
                    good = clear_latest(write, minute_s, changes->sheets[i].channel);
    return good;
}

static int compare_channels(const void *left, const void *right)
{
    return hb_bytes_compare(((const hb_channel_row *)left)->channel, ((const hb_channel_row *)right)->channel);
}

/* Of all channels: those that were seen around the hour, and those that are new. */
static bool clear_hour(writing *write)
{
    const hb_changes *const changes = write->changes;
    const int64_t hour_s = changes->hour_s;
    hb_cassandra_channels channels = {0};
    bool good = hb_cassandra_channels_read(write->store, hour_s, hour_s + HB_HOUR_S, &channels, write->error);
    for (size_t i = 0; good && i < channels.count; i++)
        good = clear_channel(write, channels.rows[i].channel);
    for (size_t i = 0; good && i < changes->channel_count; i++)
        if (channels.count == 0 || bsearch(&changes->channels[i], channels.rows, channels.count, sizeof *channels.rows,
                                           compare_channels) == NULL)
            good = clear_channel(write, changes->channels[i].channel);
    if (write->kind != 0)
        finish_request(write); /* before the names of the channels are freed */
    hb_cassandra_channels_free(&channels);
    return good && clear_latest_minutes(write, true);
}

static bool replace(writing *write)
{
    const hb_changes *const changes = write->changes;
    bool good = true;
    if (changes->replace == HB_REPLACE_NOTHING)
        return true;
    if (changes->replace == HB_REPLACE_HOUR)
        return clear_hour(write);
    for (size_t i = 0; good && i < changes->sheet_count; i++)
        if (changes->sheets[i].hour_s == changes->hour_s)
            good = clear_channel(write, changes->sheets[i].channel);
    return good && clear_latest_minutes(write, false);
}

/* ---- All of it ---- */

/* Words, users and sheets come in runs of one channel and hour, in the same order of channels: a run of each is put
 * together, which makes one request. */
static bool put_hours(writing *write)
{
    const hb_changes *const changes = write->changes;
    size_t word = 0;
    size_t user = 0;
    size_t sheet = 0;
    bool good = true;
    while (good && (word < changes->word_count || user < changes->user_count || sheet < changes->sheet_count)) {
        const bool by_word = word < changes->word_count;
        const bool by_user = user < changes->user_count;
        const hb_bytes channel = by_word   ? changes->words[word].channel
                                 : by_user ? changes->users[user].channel
                                           : changes->sheets[sheet].channel;
        const int64_t hour_s = by_word   ? changes->words[word].hour_s
                               : by_user ? changes->users[user].hour_s
                                         : changes->sheets[sheet].hour_s;
#define IS_NEXT(rows, count, at)                                                                                       \
    (good && (at) < changes->count && changes->rows[at].hour_s == hour_s &&                                            \
     hb_bytes_equal(changes->rows[at].channel, channel))
        while (IS_NEXT(words, word_count, word))
            good = put_word(write, &changes->words[word++]);
        while (IS_NEXT(users, user_count, user))
            good = put_user(write, &changes->users[user++]);
        while (IS_NEXT(sheets, sheet_count, sheet))
            good = put_sheet(write, &changes->sheets[sheet++]);
#undef IS_NEXT
    }
    return good;
}

static bool put_all(writing *write)
{
    const hb_changes *const changes = write->changes;
    bool good = replace(write);
    for (size_t i = 0; good && i < changes->minute_count; i++)
        good = put_minute(write, &changes->minutes[i]);
    good = good && put_latest_minutes(write) && put_hours(write) && put_moments(write);
    for (size_t i = 0; good && i < changes->channel_count; i++)
        good = put_channel(write, &changes->channels[i]);
    finish_request(write);
    return good;
}

bool hb_cassandra_begin(hb_store *base, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    hb_error unimportant;
    (void)error;
    hb_cassandra_wait(store, &unimportant); /* what is left of changes that were given up */
    store->now_us = hb_now_ms() * 1000;
    store->progress_count = 0;
    return true;
}

bool hb_cassandra_put(hb_store *base, const hb_changes *changes, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    writing write = {.store = store,
                     .changes = changes,
                     .layer = hb_bytes_of(hb_layer_name(changes->layer)),
                     .error = error,
                     .stamp_hour_s = INT64_MIN};
    store->layer = changes->layer;
    if (!put_all(&write))
        return false;
    keep_progress(store, changes);
    return true;
}

bool hb_cassandra_commit(hb_store *base, hb_error *error)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    bool good = hb_cassandra_wait(store, error);
    for (size_t i = 0; good && i < store->progress_count; i++)
        good = put_progress(store, &store->progress[i], error);
    if (!good || !hb_cassandra_begin_row(store, HB_CASSANDRA_PUT_CHANGED, error))
        return false;
    const int64_t now_ms = hb_now_ms();
    hubbub_cql_bigint(store->cql, now_ms * 1000);
    hubbub_cql_bigint(store->cql, now_ms);
    hb_cassandra_bind_text(store, hb_bytes_of(hb_layer_name(store->layer)));
    hubbub_cql_send(store->cql);
    store->progress_count = 0;
    return hb_cassandra_wait(store, error);
}
