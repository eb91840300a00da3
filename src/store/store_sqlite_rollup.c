/* store_sqlite_rollup.c - rankings of days, weeks and months, and forgetting.
 *
 * Whether a rollup stands is one small row, apart from the rankings: so that it falls at no cost within any
 * transaction, while the rankings wait to be written over. */
#include "store/store_sqlite.h"

static const char *const span_names[HB_SPANS] = {
    [HB_SPAN_DAY] = "day", [HB_SPAN_WEEK] = "week", [HB_SPAN_MONTH] = "month"};

/* The statement with span and start bound; NULL on failure. */
static sqlite3_stmt *get_for_span(hb_sqlite *store, hb_sqlite_statement which, hb_span span, int64_t start_s,
                                  hb_error *error)
{
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, which, error);
    if (statement == NULL)
        return NULL;
    hb_sqlite_bind_text(statement, 1, hb_bytes_of(span_names[span]));
    sqlite3_bind_int64(statement, 2, start_s);
    return statement;
}

/* ---- Reading ---- */

bool hb_sqlite_hold(hb_store *base, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    return hb_sqlite_step(store, HB_SQLITE_HOLD, error);
}

void hb_sqlite_release(hb_store *base)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    hb_error unimportant;
    if (sqlite3_get_autocommit(store->db) == 0)
        hb_sqlite_step(store, HB_SQLITE_ROLLBACK, &unimportant);
}

bool hb_sqlite_rollups(hb_store *base, int64_t from_s, int64_t to_s, hb_visit_rollup *visit, void *context,
                       hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    if (store->format < 2)
        return true;
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, HB_SQLITE_ROLLUPS, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    sqlite3_bind_int64(statement, 1, from_s);
    sqlite3_bind_int64(statement, 2, to_s);
    while (hb_sqlite_next(store, statement, &good, error)) {
        hb_span span = HB_SPAN_DAY;
        while (span < HB_SPAN_MONTH && !hb_bytes_equal(hb_sqlite_text(statement, 0), hb_bytes_of(span_names[span])))
            span++;
        const int state = sqlite3_column_int(statement, 2);
        if (!visit(context, span, sqlite3_column_int64(statement, 1),
                   state == HB_ROLLUP_STANDS || state == HB_ROLLUP_UNFIT ? (hb_rollup_state)state : HB_ROLLUP_MAKING))
            break;
    }
    sqlite3_reset(statement);
    return good;
}

bool hb_sqlite_ranking(hb_store *base, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                       hb_visit_ranking *visit, void *context, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    if (store->format < 2)
        return true;
    sqlite3_stmt *statement = get_for_span(store, HB_SQLITE_RANKING, span, start_s, error);
    bool good = statement != NULL;
    if (!good)
        return false;
    hb_sqlite_bind_text(statement, 3, channel);
    hb_sqlite_bind_text(statement, 4, hb_bytes_of(hb_ranking_kind_name(kind)));
    if (hb_sqlite_next(store, statement, &good, error))
        visit(context, (hb_bytes){sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0)});
    sqlite3_reset(statement);
    return good;
}

/* ---- Making ---- */

bool hb_sqlite_drop_rollups(hb_sqlite *store, int64_t hour_s, hb_error *error)
{
    for (hb_span span = HB_SPAN_DAY; span < HB_SPANS; span++) {
        sqlite3_stmt *statement = get_for_span(store, HB_SQLITE_DROP_ROLLUPS, span, hb_span_start(span, hour_s), error);
        if (statement == NULL || !hb_sqlite_run(store, statement, error))
            return false;
    }
    return true;
}

bool hb_sqlite_rollup_open(hb_store *base, hb_span span, int64_t start_s, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    if (!hb_sqlite_begin(&store->base, error))
        return false;
    sqlite3_stmt *statement = get_for_span(store, HB_SQLITE_PUT_ROLLUP, span, start_s, error);
    return hb_sqlite_end(store, statement != NULL && hb_sqlite_run(store, statement, error), error);
}

bool hb_sqlite_rollup_put(hb_store *base, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                          const hb_bytes *ranking, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    const hb_sqlite_statement which = ranking == NULL ? HB_SQLITE_DROP_RANKING : HB_SQLITE_PUT_RANKING;
    if (!hb_sqlite_begin(&store->base, error))
        return false;
    sqlite3_stmt *statement = get_for_span(store, which, span, start_s, error);
    bool good = statement != NULL;
    if (good) {
        hb_sqlite_bind_text(statement, 3, channel);
        hb_sqlite_bind_text(statement, 4, hb_bytes_of(hb_ranking_kind_name(kind)));
        if (ranking != NULL)
            sqlite3_bind_blob64(statement, 5, ranking->size == 0 ? "" : ranking->data, ranking->size, SQLITE_STATIC);
        good = hb_sqlite_run(store, statement, error);
    }
    return hb_sqlite_end(store, good, error);
}

bool hb_sqlite_rollup_close(hb_store *base, hb_span span, int64_t start_s, hb_rollup_state state, bool *closed,
                            hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    if (!hb_sqlite_begin(&store->base, error))
        return false;
    sqlite3_stmt *statement = get_for_span(store, HB_SQLITE_CLOSE_ROLLUP, span, start_s, error);
    bool good = statement != NULL;
    if (good) {
        sqlite3_bind_int(statement, 3, (int)state);
        good = hb_sqlite_run(store, statement, error);
        *closed = sqlite3_changes(store->db) == 1;
    }
    return hb_sqlite_end(store, good, error);
}

/* ---- Forgetting ---- */

static bool forget_rows(hb_sqlite *store, hb_sqlite_statement which, hb_bytes channel, int64_t before_s, bool *more,
                        hb_error *error)
{
    sqlite3_stmt *statement = hb_sqlite_statement_get(store, which, error);
    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, before_s);
    if (channel.size > 0)
        hb_sqlite_bind_text(statement, 2, channel);
    if (!hb_sqlite_run(store, statement, error))
        return false;
    *more = sqlite3_changes(store->db) > 0;
    return true;
}

bool hb_sqlite_forget(hb_store *base, hb_bytes channel, int64_t before_s, bool *more, hb_error *error)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    /* Minutes go before sheets: without a sheet, an hour that still has minutes would be answered from its top rows. */
    static const hb_sqlite_statement of_all[] = {HB_SQLITE_FORGET_ROLLUPS, HB_SQLITE_FORGET_RANKINGS,
                                                 HB_SQLITE_FORGET_MINUTES, HB_SQLITE_FORGET_VIEWERS,
                                                 HB_SQLITE_FORGET_MOMENTS};
    static const hb_sqlite_statement of_channel[] = {HB_SQLITE_FORGET_SHEETS, HB_SQLITE_FORGET_WORDS,
                                                     HB_SQLITE_FORGET_USERS};
    const hb_sqlite_statement *steps = channel.size == 0 ? of_all : of_channel;
    const size_t count = channel.size == 0 ? sizeof of_all / sizeof *of_all : sizeof of_channel / sizeof *of_channel;
    *more = false;
    if (!hb_sqlite_begin(&store->base, error))
        return false;
    bool good = true;
    for (size_t i = 0; good && !*more && i < count; i++)
        good = forget_rows(store, steps[i], channel, before_s, more, error);
    return hb_sqlite_end(store, good, error);
}
