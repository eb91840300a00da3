/* store_sqlite_apply.c - writing: all of a layer's changes in one transaction.
 *
 * Which layer wins is one rule: an hour that the batch layer has replaced is the batch layer's for good. It is noted in
 * batch_hours within the transaction that replaces it; from then on the speed layer's rows and sheets of that hour are
 * passed over, and so is its wish to replace that hour (its progress is kept). So a speed layer that starts late and
 * counts an old hour again cannot undo a correction, row by row or by adding rows that the batch layer has removed.
 *
 * Whatever changes an hour makes the rollups of its day and month fall in the same transaction. */
#include "store/store_sqlite.h"

#include "base/clock.h"
#include "base/say.h"

enum {
    WAL_PAGES = 1000,       /* 4 MiB: write them back into the file */
    WAL_PAGES_MANY = 16384, /* 64 MiB: readers keep the log from starting anew; wait for them a little */
    WAL_WAIT_MS = 200
};

/* What one apply knows. */
typedef struct applying {
    hb_sqlite *store;
    const hb_changes *changes;
    hb_bytes layer;
    int64_t hour_s; /* the hour last asked for; rows come in runs of few hours */
    bool hour_known;
    bool hour_closed; /* to this layer */
    hb_error *error;
} applying;

static bool ask_closed(applying *apply, int64_t hour_s)
{
    sqlite3_stmt *statement = hb_sqlite_statement_get(apply->store, HB_SQLITE_IS_REPLACED, apply->error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, hour_s);
    const int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return hb_sqlite_fail(apply->store, "cannot read", apply->error);
    apply->hour_closed = code == SQLITE_ROW;
    sqlite3_reset(statement);
    return true;
}

/* To be called before an hour is written to. */
static bool is_closed(applying *apply, int64_t hour_s, bool *closed)
{
    if (!apply->hour_known || apply->hour_s != hour_s) {
        if ((apply->changes->layer == HB_LAYER_SPEED && !ask_closed(apply, hour_s)) ||
            (!apply->hour_closed && !hb_sqlite_drop_rollups(apply->store, hour_s, apply->error)))
            return false;
        apply->hour_s = hour_s;
        apply->hour_known = true;
    }
    *closed = apply->hour_closed;
    return true;
}

/* Runs a statement that removes something of the hour, of one channel or (an empty one) of all. */
static bool clear(applying *apply, hb_sqlite_statement step, hb_bytes channel)
{
    sqlite3_stmt *statement = hb_sqlite_statement_get(apply->store, step, apply->error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, apply->changes->hour_s);
    if (channel.size > 0)
        hb_sqlite_bind_text(statement, 2, channel);
    return hb_sqlite_run(apply->store, statement, apply->error);
}

static bool clear_channel(applying *apply, hb_bytes channel)
{
    static const hb_sqlite_statement steps[] = {HB_SQLITE_CLEAR_CHANNEL_MINUTES, HB_SQLITE_CLEAR_CHANNEL_VIEWERS,
                                                HB_SQLITE_CLEAR_CHANNEL_WORDS, HB_SQLITE_CLEAR_CHANNEL_USERS,
                                                HB_SQLITE_CLEAR_CHANNEL_SHEETS};
    bool good = true;
    for (size_t i = 0; good && i < sizeof steps / sizeof *steps; i++)
        good = clear(apply, steps[i], channel);
    return good;
}

/* Empties the hour of those channels that come with a sheet. It is not noted as the batch layer's, to which the other
 * channels may not belong yet. */
static bool clear_channels(applying *apply)
{
    const hb_changes *const changes = apply->changes;
    bool good = true;
    for (size_t i = 0; good && i < changes->sheet_count; i++)
        if (changes->sheets[i].hour_s == changes->hour_s)
            good = clear_channel(apply, changes->sheets[i].channel);
    return good;
}

static bool clear_hour(applying *apply)
{
    const hb_sqlite_statement steps[] = {HB_SQLITE_CLEAR_MINUTES, HB_SQLITE_CLEAR_VIEWERS, HB_SQLITE_CLEAR_WORDS,
                                         HB_SQLITE_CLEAR_USERS,   HB_SQLITE_CLEAR_SHEETS,  HB_SQLITE_SET_REPLACED};
    const size_t count = sizeof steps / sizeof *steps;
    /* The note that closes the hour to the speed layer is the batch layer's alone. */
    bool good = true;
    for (size_t i = 0; good && i < (apply->changes->layer == HB_LAYER_BATCH ? count : count - 1); i++)
        good = clear(apply, steps[i], (hb_bytes){"", 0});
    return good;
}

static bool replace(applying *apply)
{
    bool closed = false;
    if (apply->changes->replace == HB_REPLACE_NOTHING)
        return true;
    if (!is_closed(apply, apply->changes->hour_s, &closed) || closed)
        return closed;
    return apply->changes->replace == HB_REPLACE_HOUR ? clear_hour(apply) : clear_channels(apply);
}

static bool put_viewers(applying *apply, const hb_minute_row *row)
{
    const bool any = row->count.samples > 0;
    if (!any && apply->changes->layer == HB_LAYER_BATCH)
        return true; /* its rows come where everything was removed before */
    sqlite3_stmt *statement =
        hb_sqlite_statement_get(apply->store, any ? HB_SQLITE_PUT_VIEWERS : HB_SQLITE_DROP_VIEWERS, apply->error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, row->minute_s);
    hb_sqlite_bind_text(statement, 2, row->channel);
    if (any) {
        sqlite3_bind_double(statement, 3, (double)row->count.viewers_sum / (double)row->count.samples);
        sqlite3_bind_int64(statement, 4, (int64_t)row->count.samples);
        hb_sqlite_bind_text(statement, 5, row->count.game);
        hb_sqlite_bind_text(statement, 6, row->count.title);
        hb_sqlite_bind_text(statement, 7, apply->layer);
    }
    return hb_sqlite_run(apply->store, statement, apply->error);
}

static bool put_minute(applying *apply, const hb_minute_row *row)
{
    bool closed = false;
    if (!is_closed(apply, hb_time_floor(row->minute_s, HB_HOUR_S), &closed) || closed)
        return closed;
    sqlite3_stmt *statement = hb_sqlite_statement_get(apply->store, HB_SQLITE_PUT_MINUTE, apply->error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, row->minute_s);
    hb_sqlite_bind_text(statement, 2, row->channel);
    sqlite3_bind_int64(statement, 3, (int64_t)row->count.messages);
    sqlite3_bind_int64(statement, 4, (int64_t)row->count.words);
    sqlite3_bind_int64(statement, 5, (int64_t)row->count.chatters);
    sqlite3_bind_int64(statement, 6, (int64_t)row->count.shared);
    hb_sqlite_bind_text(statement, 7, apply->layer);
    sqlite3_bind_int64(statement, 8, (int64_t)row->count.new_chatters);
    sqlite3_bind_int64(statement, 9, (int64_t)row->count.subscriber_messages);
    return hb_sqlite_run(apply->store, statement, apply->error) && put_viewers(apply, row);
}

static bool put_word(applying *apply, const hb_word_row *row)
{
    bool closed = false;
    if (!is_closed(apply, row->hour_s, &closed) || closed)
        return closed;
    sqlite3_stmt *statement =
        hb_sqlite_statement_get(apply->store, row->gone ? HB_SQLITE_DROP_WORD : HB_SQLITE_PUT_WORD, apply->error);
    if (statement == NULL)
        return false;
    hb_sqlite_bind_text(statement, 1, row->channel);
    sqlite3_bind_int64(statement, 2, row->hour_s);
    hb_sqlite_bind_text(statement, 3, hb_bytes_of(hb_kind_name(row->word.kind)));
    hb_sqlite_bind_text(statement, 4, row->word.text);
    if (!row->gone) {
        sqlite3_bind_int64(statement, 5, (int64_t)row->word.count);
        hb_sqlite_bind_text(statement, 6, apply->layer);
    }
    return hb_sqlite_run(apply->store, statement, apply->error);
}

static bool put_user(applying *apply, const hb_user_row *row)
{
    bool closed = false;
    if (!is_closed(apply, row->hour_s, &closed) || closed)
        return closed;
    sqlite3_stmt *statement =
        hb_sqlite_statement_get(apply->store, row->gone ? HB_SQLITE_DROP_USER : HB_SQLITE_PUT_USER, apply->error);
    if (statement == NULL)
        return false;
    hb_sqlite_bind_text(statement, 1, row->channel);
    sqlite3_bind_int64(statement, 2, row->hour_s);
    hb_sqlite_bind_text(statement, 3, row->user.id);
    if (!row->gone) {
        hb_sqlite_bind_text(statement, 4, row->user.name);
        sqlite3_bind_int64(statement, 5, (int64_t)row->user.messages);
        sqlite3_bind_int64(statement, 6, (int64_t)row->user.words);
        sqlite3_bind_int64(statement, 7, (int64_t)row->user.minutes);
        hb_sqlite_bind_text(statement, 8, apply->layer);
    }
    return hb_sqlite_run(apply->store, statement, apply->error);
}

static bool put_sheet(applying *apply, const hb_sheet_row *row)
{
    bool closed = false;
    if (!is_closed(apply, row->hour_s, &closed) || closed)
        return closed;
    sqlite3_stmt *statement = hb_sqlite_statement_get(apply->store, HB_SQLITE_PUT_SHEET, apply->error);
    if (statement == NULL)
        return false;
    hb_sqlite_bind_text(statement, 1, row->channel);
    sqlite3_bind_int64(statement, 2, row->hour_s);
    sqlite3_bind_blob64(statement, 3, row->sheet.size == 0 ? "" : row->sheet.data, row->sheet.size, SQLITE_STATIC);
    hb_sqlite_bind_text(statement, 4, apply->layer);
    sqlite3_bind_int(statement, 5, HB_WORDS_VERSION);
    sqlite3_bind_int(statement, 6, row->open);
    return hb_sqlite_run(apply->store, statement, apply->error);
}

/* Rankings do not tell of moments: their hour's rollups stand. */
static bool put_moment(applying *apply, const hb_moment_row *row)
{
    apply->hour_known = apply->hour_closed = false;
    if (apply->changes->layer == HB_LAYER_SPEED && !ask_closed(apply, hb_time_floor(row->minute_s, HB_HOUR_S)))
        return false;
    if (apply->hour_closed)
        return true;
    sqlite3_stmt *statement =
        hb_sqlite_statement_get(apply->store, row->gone ? HB_SQLITE_DROP_MOMENT : HB_SQLITE_PUT_MOMENT, apply->error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, row->minute_s);
    hb_sqlite_bind_text(statement, 2, row->channel);
    if (!row->gone) {
        sqlite3_bind_double(statement, 3, row->score);
        sqlite3_bind_int64(statement, 4, (int64_t)row->messages);
        sqlite3_bind_int64(statement, 5, (int64_t)row->chatters);
        sqlite3_bind_double(statement, 6, row->usual);
        hb_sqlite_bind_text(statement, 7, row->words);
        hb_sqlite_bind_text(statement, 8, apply->layer);
    }
    return hb_sqlite_run(apply->store, statement, apply->error);
}

static bool put_channel(applying *apply, const hb_channel_row *row)
{
    sqlite3_stmt *statement = hb_sqlite_statement_get(apply->store, HB_SQLITE_PUT_CHANNEL, apply->error);
    if (statement == NULL)
        return false;
    hb_sqlite_bind_text(statement, 1, row->channel);
    hb_sqlite_bind_text(statement, 2, row->room_id);
    sqlite3_bind_int64(statement, 3, row->first_seen_s);
    sqlite3_bind_int64(statement, 4, row->last_seen_s);
    return hb_sqlite_run(apply->store, statement, apply->error);
}

static bool put_progress(applying *apply, const hb_progress *progress)
{
    sqlite3_stmt *statement = hb_sqlite_statement_get(apply->store, HB_SQLITE_PUT_PROGRESS, apply->error);
    if (statement == NULL)
        return false;
    hb_sqlite_bind_text(statement, 1, apply->layer);
    sqlite3_bind_int64(statement, 2, progress->part);
    sqlite3_bind_int64(statement, 3, (int64_t)progress->position);
    sqlite3_bind_int(statement, 4, progress->done);
    sqlite3_bind_int64(statement, 5, (int64_t)progress->late);
    sqlite3_bind_int64(statement, 6, (int64_t)progress->start);
    return hb_sqlite_run(apply->store, statement, apply->error);
}

static bool put_all(applying *apply)
{
    const hb_changes *changes = apply->changes;
    bool good = replace(apply);
    for (size_t i = 0; good && i < changes->minute_count; i++)
        good = put_minute(apply, &changes->minutes[i]);
    for (size_t i = 0; good && i < changes->word_count; i++)
        good = put_word(apply, &changes->words[i]);
    for (size_t i = 0; good && i < changes->user_count; i++)
        good = put_user(apply, &changes->users[i]);
    for (size_t i = 0; good && i < changes->sheet_count; i++)
        good = put_sheet(apply, &changes->sheets[i]);
    for (size_t i = 0; good && i < changes->moment_count; i++)
        good = put_moment(apply, &changes->moments[i]);
    for (size_t i = 0; good && i < changes->channel_count; i++)
        good = put_channel(apply, &changes->channels[i]);
    for (size_t i = 0; good && i < changes->progress_count; i++)
        good = put_progress(apply, &changes->progress[i]);
    return good;
}

/* Writes the WAL back into the file. Readers that overlap without end would keep it from ever starting anew, so that it
 * grew without bound: once it is large, wait for those that read it now. Failing is harmless: the next transaction
 * tries again. */
static void bound_wal(hb_sqlite *store)
{
    if (store->wal_pages < WAL_PAGES)
        return;
    int left = store->wal_pages;
    sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (left < WAL_PAGES_MANY) {
        store->wal_tried = 0;
    } else if (left - store->wal_tried >= WAL_PAGES) {
        sqlite3_busy_timeout(store->db, WAL_WAIT_MS);
        const int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_RESTART, &left, NULL);
        sqlite3_busy_timeout(store->db, HB_SQLITE_BUSY_MS);
        if (code != SQLITE_OK && store->wal_tried == 0)
            hb_say_warning("the write-ahead log of the store %s grows, since a program reads it without a pause",
                           store->path);
        store->wal_tried = code == SQLITE_OK ? 0 : left;
    }
}

bool hb_sqlite_step(hb_sqlite *store, hb_sqlite_statement step, hb_error *error)
{
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, step, error);
    return statement != NULL && hb_sqlite_run(store, statement, error);
}

static bool undo(hb_sqlite *store)
{
    hb_error unimportant;
    if (sqlite3_get_autocommit(store->db) == 0) /* SQLite may have rolled back by itself */
        hb_sqlite_step(store, HB_SQLITE_ROLLBACK, &unimportant);
    return false;
}

bool hb_sqlite_begin(hb_store *base, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    bound_wal(
        store); /* not when it has grown, after a commit: the batch layer begins while other threads still count */
    return hb_sqlite_step(store, HB_SQLITE_BEGIN, error);
}

bool hb_sqlite_put(hb_store *base, const hb_changes *changes, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    applying apply = {
        .store = store, .changes = changes, .layer = hb_bytes_of(hb_layer_name(changes->layer)), .error = error};
    return put_all(&apply) || undo(store);
}

bool hb_sqlite_commit(hb_store *base, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    if (!hb_sqlite_step(store, HB_SQLITE_COMMIT, error))
        return undo(store);
    store->commits++;
    return true;
}

bool hb_sqlite_end(hb_sqlite *store, bool good, hb_error *error)
{
    return good ? hb_sqlite_commit(&store->base, error) : undo(store);
}
