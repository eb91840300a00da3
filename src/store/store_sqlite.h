/* store_sqlite.h - what the files of the SQLite store share; not for other rooms.
 *
 * store_sqlite.c opens and closes, store_sqlite_apply.c writes, store_sqlite_read.c reads, store_sqlite_rollup.c keeps
 * days, weeks and months, and forgets. The schema is documented in
 * docs/store.md and at the top of store_sqlite.c. */
#ifndef HB_STORE_STORE_SQLITE_H
#define HB_STORE_STORE_SQLITE_H

#include "store/store_kind.h"

#include <sqlite3.h>

enum { HB_SQLITE_BUSY_MS = 10000 }; /* how long to wait for another program that holds the file */

/* Every statement that the store runs more than once, kept prepared. */
typedef enum hb_sqlite_statement {
    HB_SQLITE_BEGIN,
    HB_SQLITE_COMMIT,
    HB_SQLITE_ROLLBACK,
    HB_SQLITE_IS_REPLACED,
    HB_SQLITE_SET_REPLACED,
    HB_SQLITE_PUT_MINUTE,
    HB_SQLITE_PUT_VIEWERS,
    HB_SQLITE_DROP_VIEWERS,
    HB_SQLITE_PUT_MOMENT,
    HB_SQLITE_DROP_MOMENT,
    HB_SQLITE_PUT_WORD,
    HB_SQLITE_DROP_WORD,
    HB_SQLITE_PUT_USER,
    HB_SQLITE_DROP_USER,
    HB_SQLITE_PUT_CHANNEL,
    HB_SQLITE_PUT_SHEET,
    HB_SQLITE_PUT_PROGRESS,
    HB_SQLITE_CLEAR_MINUTES, /* the five that empty an hour */
    HB_SQLITE_CLEAR_VIEWERS,
    HB_SQLITE_CLEAR_WORDS,
    HB_SQLITE_CLEAR_USERS,
    HB_SQLITE_CLEAR_SHEETS,
    HB_SQLITE_CLEAR_CHANNEL_MINUTES, /* the five that empty an hour of one channel */
    HB_SQLITE_CLEAR_CHANNEL_VIEWERS,
    HB_SQLITE_CLEAR_CHANNEL_WORDS,
    HB_SQLITE_CLEAR_CHANNEL_USERS,
    HB_SQLITE_CLEAR_CHANNEL_SHEETS,
    HB_SQLITE_GENERATION,
    HB_SQLITE_MINUTES,
    HB_SQLITE_CHANNEL_MINUTES,
    HB_SQLITE_MINUTES_OF_FORMAT_4, /* and before */
    HB_SQLITE_CHANNEL_MINUTES_OF_FORMAT_4,
    HB_SQLITE_MOMENTS,
    HB_SQLITE_CHANNEL_MOMENTS,
    HB_SQLITE_WORDS,
    HB_SQLITE_KIND_WORDS,
    HB_SQLITE_USERS,
    HB_SQLITE_SHEETS,
    HB_SQLITE_OUTDATED,
    HB_SQLITE_CHANNELS,
    HB_SQLITE_PROGRESS,
    HB_SQLITE_PROGRESS_OF_FORMAT_2, /* and before */
    HB_SQLITE_HOLD,
    HB_SQLITE_ROLLUPS,
    HB_SQLITE_RANKING,
    HB_SQLITE_PUT_ROLLUP,
    HB_SQLITE_CLOSE_ROLLUP,
    HB_SQLITE_DROP_ROLLUPS,
    HB_SQLITE_PUT_RANKING,
    HB_SQLITE_DROP_RANKING,
    HB_SQLITE_FORGET_ROLLUPS,
    HB_SQLITE_FORGET_RANKINGS,
    HB_SQLITE_FORGET_MINUTES,
    HB_SQLITE_FORGET_VIEWERS,
    HB_SQLITE_FORGET_MOMENTS,
    HB_SQLITE_FORGET_SHEETS,
    HB_SQLITE_FORGET_WORDS,
    HB_SQLITE_FORGET_USERS,
    HB_SQLITE_STATEMENTS
} hb_sqlite_statement;

typedef struct hb_sqlite {
    hb_store base; /* the first */
    sqlite3 *db;
    char *path;
    int lock_fd; /* -1: a reader */
    sqlite3_stmt *statements[HB_SQLITE_STATEMENTS];
    int64_t format;        /* of the file */
    uint64_t commits;      /* by this handle */
    uint64_t data_version; /* SQLite's count of the others' commits, as last read */
    int wal_pages;         /* in the write-ahead log after the last commit */
    int wal_tried;         /* its pages when it was last tried in vain to start it anew */
} hb_sqlite;

static inline hb_sqlite *hb_sqlite_of(hb_store *base)
{
    return (hb_sqlite *)base;
}

/* The statement, prepared and reset; NULL and *error on failure. */
sqlite3_stmt *hb_sqlite_statement_get(hb_sqlite *store, hb_sqlite_statement which, hb_error *error);

/* Reads the file's format anew: a writer may have brought it up to date since a reader opened it. */
bool hb_sqlite_read_format(hb_sqlite *store, hb_error *error);

/* Runs a statement that gives no rows, and resets it. */
bool hb_sqlite_run(hb_sqlite *store, sqlite3_stmt *statement, hb_error *error);

/* Fills *error from SQLite's last error on this store; doing: "cannot read", "cannot write to". Returns false. */
bool hb_sqlite_fail(const hb_sqlite *store, const char *doing, hb_error *error);

/* Binds text that must stay until the statement has run. */
void hb_sqlite_bind_text(sqlite3_stmt *statement, int at, hb_bytes text);

/* Visitors of rows: steps to the next one. False at the end, *good telling whether it is a good end; then the statement
 * is reset, since one that is not would hold on to an old state of the store. */
bool hb_sqlite_next(hb_sqlite *store, sqlite3_stmt *statement, bool *good, hb_error *error);
hb_bytes hb_sqlite_text(sqlite3_stmt *statement, int column);

/* Runs the statement that begins, commits or takes back a transaction. */
bool hb_sqlite_step(hb_sqlite *store, hb_sqlite_statement step, hb_error *error);

/* Ends a transaction: commits when good, else (or when that fails) takes it back. Then bounds the write-ahead log. */
bool hb_sqlite_end(hb_sqlite *store, bool good, hb_error *error);

/* Makes the rollups fall that this hour belongs to. Within a transaction. */
bool hb_sqlite_drop_rollups(hb_sqlite *store, int64_t hour_s, hb_error *error);

/* ---- What the store's door leads to, see store_kind.h ---- */

bool hb_sqlite_begin(hb_store *base, hb_error *error);
bool hb_sqlite_put(hb_store *base, const hb_changes *changes, hb_error *error);
bool hb_sqlite_commit(hb_store *base, hb_error *error);
bool hb_sqlite_forget(hb_store *base, hb_bytes channel, int64_t before_s, bool *more, hb_error *error);
uint64_t hb_sqlite_generation(hb_store *base);
bool hb_sqlite_minutes(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
                       void *context, hb_error *error);
bool hb_sqlite_moments(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_moment *visit,
                       void *context, hb_error *error);
bool hb_sqlite_words(hb_store *base, hb_bytes channel, int64_t hour_s, hb_kind kind, hb_visit_word *visit,
                     void *context, hb_error *error);
bool hb_sqlite_users(hb_store *base, hb_bytes channel, int64_t hour_s, hb_visit_user *visit, void *context,
                     hb_error *error);
bool hb_sqlite_sheets(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_sheet *visit,
                      void *context, hb_error *error);
bool hb_sqlite_outdated(hb_store *base, int words_version, hb_visit_hour *visit, void *context, hb_error *error);
bool hb_sqlite_channels(hb_store *base, hb_visit_channel *visit, void *context, hb_error *error);
bool hb_sqlite_progress(hb_store *base, hb_layer layer, hb_visit_progress *visit, void *context, hb_error *error);
bool hb_sqlite_hold(hb_store *base, hb_error *error);
void hb_sqlite_release(hb_store *base);
bool hb_sqlite_rollups(hb_store *base, int64_t from_s, int64_t to_s, hb_visit_rollup *visit, void *context,
                       hb_error *error);
bool hb_sqlite_ranking(hb_store *base, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                       hb_visit_ranking *visit, void *context, hb_error *error);
bool hb_sqlite_rollup_open(hb_store *base, hb_span span, int64_t start_s, hb_error *error);
bool hb_sqlite_rollup_put(hb_store *base, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                          const hb_bytes *ranking, hb_error *error);
bool hb_sqlite_rollup_close(hb_store *base, hb_span span, int64_t start_s, hb_rollup_state state, bool *closed,
                            hb_error *error);

#endif
