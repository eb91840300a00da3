/* store_sqlite_read.c - reading: each function is one statement, so that what it visits is one state of the store.
 *
 * Values from the file are checked as far as memory safety goes: numbers are numbers, texts have sizes. What a stranger
 * wrote into the tables with the sqlite3 shell is shown as it is. */
#include "store/store_sqlite.h"

hb_bytes hb_sqlite_text(sqlite3_stmt *statement, int column)
{
    const char *data = (const char *)sqlite3_column_text(statement, column);
    return (hb_bytes){data, data == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, column)};
}

static uint64_t count_of(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static hb_layer layer_of(sqlite3_stmt *statement, int column)
{
    return hb_bytes_equal(hb_sqlite_text(statement, column), hb_bytes_of(hb_layer_name(HB_LAYER_BATCH)))
               ? HB_LAYER_BATCH
               : HB_LAYER_SPEED;
}

bool hb_sqlite_next(hb_sqlite *store, sqlite3_stmt *statement, bool *good, hb_error *error)
{
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return true;
    *good = code == SQLITE_DONE || hb_sqlite_fail(store, "cannot read", error);
    sqlite3_reset(statement);
    return false;
}

static hb_minute_row minute_of(sqlite3_stmt *statement)
{
    hb_minute_row row = {.channel = hb_sqlite_text(statement, 0), .minute_s = sqlite3_column_int64(statement, 1)};
    row.count.messages = count_of(statement, 2);
    row.count.words = count_of(statement, 3);
    row.count.chatters = count_of(statement, 4);
    row.count.shared = count_of(statement, 5);
    row.count.samples = count_of(statement, 8);
    const double sum = sqlite3_column_double(statement, 7) * (double)row.count.samples;
    row.count.viewers_sum = sum >= 0 && sum < 0x1p52 ? (uint64_t)(sum + 0.5) : 0; /* undoes the mean exactly */
    row.count.game = hb_sqlite_text(statement, 9);
    row.count.title = hb_sqlite_text(statement, 10);
    row.count.new_chatters = count_of(statement, 11);
    row.count.subscriber_messages = count_of(statement, 12);
    return row;
}

/* For rows of a time: of one channel, or of all where it is empty. NULL and *error. */
static sqlite3_stmt *range_statement(hb_sqlite *store, hb_sqlite_statement of_all, hb_sqlite_statement of_one,
                                     hb_bytes channel, int64_t from_s, int64_t to_s, hb_error *error)
{
    const bool all = channel.size == 0;
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, all ? of_all : of_one, error);
    if (statement == NULL)
        return NULL;
    sqlite3_bind_int64(statement, 1, from_s);
    sqlite3_bind_int64(statement, 2, to_s);
    if (!all)
        hb_sqlite_bind_text(statement, 3, channel);
    return statement;
}

bool hb_sqlite_minutes(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
                       void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    if (store->format < 5 && !hb_sqlite_read_format(store, error))
        return false;
    const hb_sqlite_statement of_all = store->format < 5 ? HB_SQLITE_MINUTES_OF_FORMAT_4 : HB_SQLITE_MINUTES;
    const hb_sqlite_statement of_one =
        store->format < 5 ? HB_SQLITE_CHANNEL_MINUTES_OF_FORMAT_4 : HB_SQLITE_CHANNEL_MINUTES;
    sqlite3_stmt *statement = range_statement(store, of_all, of_one, channel, from_s, to_s, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    while (hb_sqlite_next(store, statement, &good, error)) {
        const hb_minute_row row = minute_of(statement);
        if (!visit(context, &row, layer_of(statement, 6)))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_moments(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_moment *visit,
                       void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    if (store->format < 4)
        return true;
    sqlite3_stmt *statement =
        range_statement(store, HB_SQLITE_MOMENTS, HB_SQLITE_CHANNEL_MOMENTS, channel, from_s, to_s, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    while (hb_sqlite_next(store, statement, &good, error)) {
        const hb_moment_row row = {.channel = hb_sqlite_text(statement, 0),
                                   .minute_s = sqlite3_column_int64(statement, 1),
                                   .score = sqlite3_column_double(statement, 2),
                                   .messages = count_of(statement, 3),
                                   .chatters = count_of(statement, 4),
                                   .usual = sqlite3_column_double(statement, 5),
                                   .words = hb_sqlite_text(statement, 6)};
        if (!visit(context, &row, layer_of(statement, 7)))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_words(hb_store *base, hb_bytes channel, int64_t hour_s, hb_kind kind, hb_visit_word *visit,
                     void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    const bool all = kind == HB_KINDS;
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, all ? HB_SQLITE_WORDS : HB_SQLITE_KIND_WORDS, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    hb_sqlite_bind_text(statement, 1, channel);
    sqlite3_bind_int64(statement, 2, hour_s);
    if (!all)
        hb_sqlite_bind_text(statement, 3, hb_bytes_of(hb_kind_name(kind)));
    while (hb_sqlite_next(store, statement, &good, error)) {
        hb_word_row row = {.channel = channel, .hour_s = hour_s};
        row.word.text = hb_sqlite_text(statement, 1);
        row.word.count = count_of(statement, 2);
        if (hb_kind_parse(hb_sqlite_text(statement, 0), &row.word.kind) &&
            !visit(context, &row, layer_of(statement, 3)))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_users(hb_store *base, hb_bytes channel, int64_t hour_s, hb_visit_user *visit, void *context,
                     hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, HB_SQLITE_USERS, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    hb_sqlite_bind_text(statement, 1, channel);
    sqlite3_bind_int64(statement, 2, hour_s);
    while (hb_sqlite_next(store, statement, &good, error)) {
        hb_user_row row = {.channel = channel, .hour_s = hour_s};
        row.user.id = hb_sqlite_text(statement, 0);
        row.user.name = hb_sqlite_text(statement, 1);
        row.user.messages = count_of(statement, 2);
        row.user.words = count_of(statement, 3);
        row.user.minutes = count_of(statement, 4);
        if (!visit(context, &row, layer_of(statement, 5)))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_sheets(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_sheet *visit,
                      void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, HB_SQLITE_SHEETS, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    hb_sqlite_bind_text(statement, 1, channel);
    sqlite3_bind_int64(statement, 2, from_s);
    sqlite3_bind_int64(statement, 3, to_s);
    while (hb_sqlite_next(store, statement, &good, error)) {
        hb_sheet_row row = {.channel = channel, .hour_s = sqlite3_column_int64(statement, 0)};
        row.sheet.data = sqlite3_column_blob(statement, 1);
        row.sheet.size = (size_t)sqlite3_column_bytes(statement, 1);
        row.open = sqlite3_column_int(statement, 4) != 0;
        if (!visit(context, &row, layer_of(statement, 2), sqlite3_column_int(statement, 3)))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_outdated(hb_store *base, int words_version, hb_visit_hour *visit, void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, HB_SQLITE_OUTDATED, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    sqlite3_bind_int(statement, 1, words_version);
    while (hb_sqlite_next(store, statement, &good, error))
        if (!visit(context, sqlite3_column_int64(statement, 0)))
            break;
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_channels(hb_store *base, hb_visit_channel *visit, void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, HB_SQLITE_CHANNELS, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    while (hb_sqlite_next(store, statement, &good, error)) {
        const hb_channel_row row = {.channel = hb_sqlite_text(statement, 0),
                                    .room_id = hb_sqlite_text(statement, 1),
                                    .first_seen_s = sqlite3_column_int64(statement, 2),
                                    .last_seen_s = sqlite3_column_int64(statement, 3)};
        if (!visit(context, &row))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_progress(hb_store *base, hb_layer layer, hb_visit_progress *visit, void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    sqlite3_stmt *statement =
        hb_sqlite_statement_get(store, store->format < 3 ? HB_SQLITE_PROGRESS_OF_FORMAT_2 : HB_SQLITE_PROGRESS, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    hb_sqlite_bind_text(statement, 1, hb_bytes_of(hb_layer_name(layer)));
    while (hb_sqlite_next(store, statement, &good, error)) {
        const hb_progress progress = {.part = sqlite3_column_int64(statement, 0),
                                      .start = count_of(statement, 5),
                                      .position = count_of(statement, 1),
                                      .done = sqlite3_column_int(statement, 2) != 0,
                                      .late = count_of(statement, 3)};
        if (!visit(context, &progress, sqlite3_column_int64(statement, 4)))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

/* The others' commits and one's own, each of which only grows: so the sum never comes back to a former value. */
uint64_t hb_sqlite_generation(hb_store *base)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    hb_error unimportant;
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, HB_SQLITE_GENERATION, &unimportant);
    if (statement != NULL) {
        if (sqlite3_step(statement) == SQLITE_ROW)
            store->data_version = count_of(statement, 0);
        sqlite3_reset(statement);
    }
    return store->data_version + store->commits;
}
