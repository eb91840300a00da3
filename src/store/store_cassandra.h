/* store_cassandra.h - what the files of the Cassandra store share; not for other rooms.
 *
 * store_cassandra.c opens and closes, store_cassandra_apply.c writes, store_cassandra_read.c reads,
 * store_cassandra_forget.c removes what is old. cassandra.cql holds the tables and the rules of timestamps. */
#ifndef HB_STORE_STORE_CASSANDRA_H
#define HB_STORE_STORE_CASSANDRA_H

#include "base/address.h"
#include "store/store_kind.h"
#include "views/top.h"

#include <hubbub_cql.h>

enum {
    HB_CASSANDRA_LATEST_WRITE_S = 3 * 3600, /* minutes that are younger go to the table latest, */
    HB_CASSANDRA_LATEST_READ_S = 2 * 3600   /* and those that are younger than this are all there */
};

typedef enum hb_cassandra_statement {
    HB_CASSANDRA_PUT_MINUTE,
    HB_CASSANDRA_PUT_VIEWERS,
    HB_CASSANDRA_PUT_LATEST,
    HB_CASSANDRA_PUT_LATEST_VIEWERS,
    HB_CASSANDRA_PUT_MOMENT,
    HB_CASSANDRA_DROP_MOMENT,
    HB_CASSANDRA_PUT_MOMENT_BY_DAY,
    HB_CASSANDRA_DROP_MOMENT_BY_DAY,
    HB_CASSANDRA_PUT_WORD,
    HB_CASSANDRA_DROP_WORD,
    HB_CASSANDRA_PUT_USER,
    HB_CASSANDRA_DROP_USER,
    HB_CASSANDRA_PUT_TOP_WORD,
    HB_CASSANDRA_PUT_TOP_USER,
    HB_CASSANDRA_PUT_SHEET,
    HB_CASSANDRA_PUT_FIRST_SEEN,
    HB_CASSANDRA_PUT_LAST_SEEN,
    HB_CASSANDRA_PUT_ROOM_ID,
    HB_CASSANDRA_PUT_PROGRESS,
    HB_CASSANDRA_PUT_CHANGED,
    HB_CASSANDRA_CLEAR_MINUTES, /* these empty an hour of a channel */
    HB_CASSANDRA_CLEAR_VIEWERS,
    HB_CASSANDRA_CLEAR_WORDS,
    HB_CASSANDRA_CLEAR_USERS,
    HB_CASSANDRA_CLEAR_TOP_WORDS,
    HB_CASSANDRA_CLEAR_TOP_USERS,
    HB_CASSANDRA_CLEAR_SHEET,
    HB_CASSANDRA_CLEAR_LATEST,         /* a minute of all channels, */
    HB_CASSANDRA_CLEAR_LATEST_CHANNEL, /* of one */
    HB_CASSANDRA_CLEAR_DAY_MINUTES,    /* a day of a channel */
    HB_CASSANDRA_CLEAR_DAY_VIEWERS,
    HB_CASSANDRA_CLEAR_DAY_MOMENTS,
    HB_CASSANDRA_CLEAR_MOMENTS_BY_DAY, /* a day of all channels */
    HB_CASSANDRA_WRITES,               /* those before are for a store that is open to write */
    HB_CASSANDRA_MINUTES = HB_CASSANDRA_WRITES,
    HB_CASSANDRA_VIEWERS,
    HB_CASSANDRA_LATEST,
    HB_CASSANDRA_MOMENTS,
    HB_CASSANDRA_MOMENTS_BY_DAY,
    HB_CASSANDRA_WORDS,
    HB_CASSANDRA_KIND_WORDS,
    HB_CASSANDRA_USERS,
    HB_CASSANDRA_SHEET,
    HB_CASSANDRA_SHEET_VERSIONS,
    HB_CASSANDRA_CHANNELS,
    HB_CASSANDRA_CHANNEL,
    HB_CASSANDRA_PROGRESS,
    HB_CASSANDRA_CHANGED,
    HB_CASSANDRA_COLUMN,
    HB_CASSANDRA_DAYS,
    HB_CASSANDRA_SHEET_HOURS,
    HB_CASSANDRA_WORD_HOURS,
    HB_CASSANDRA_USER_HOURS,
    HB_CASSANDRA_STATEMENTS
} hb_cassandra_statement;

/* A partition of some tables that is old, or the hour's last known position of the speed layer. */
typedef struct hb_cassandra_old {
    hb_bytes channel;
    int64_t start_s;
} hb_cassandra_old;

typedef struct hb_cassandra_position {
    int64_t hour_s;
    uint64_t position;
} hb_cassandra_position;

typedef struct hb_cassandra {
    hb_store base; /* the first */
    hb_address address;
    hubbub_cql *cql;
    int statements[HB_CASSANDRA_STATEMENTS]; /* number + 1; 0: not prepared yet */

    /* Writing. */
    int64_t now_us; /* when the changes in hand began */
    hb_layer layer;
    hb_progress *progress; /* to be written when all else is */
    size_t progress_count;
    size_t progress_capacity;
    hb_cassandra_position *positions; /* of the speed layer, by hour, newest last */
    size_t position_count;
    size_t position_capacity;
    hb_top_room *room;
    hb_buffer text;

    /* Reading. */
    uint64_t generation;
    int64_t generation_ms; /* when it was asked for, monotonic */

    /* Forgetting: what is older than before_s. */
    bool looked;
    int64_t before_s;
    hb_arena names;
    hb_cassandra_old *days;
    size_t day_count;
    size_t day_capacity;
    hb_cassandra_old *hours; /* by channel */
    size_t hour_count;
    size_t hour_capacity;
} hb_cassandra;

static inline hb_cassandra *hb_cassandra_of(hb_store *base)
{
    return (hb_cassandra *)base;
}

enum { HB_CASSANDRA_REASON = 384 }; /* bytes of a reason that the driver tells */

/* Fills *error: "DOING the store ADDRESS: REASON", HB_ERROR_NETWORK. Returns false. */
bool hb_cassandra_fail(const hb_cassandra *store, const char *doing, const char *reason, hb_error *error);

/* Begins a row of values for a statement, prepared at its first use; false and *error when that fails. */
bool hb_cassandra_begin_row(hb_cassandra *store, hb_cassandra_statement which, hb_error *error);

/* The values that all statements are about. */
void hb_cassandra_bind_time(hb_cassandra *store, int64_t time_s);
void hb_cassandra_bind_text(hb_cassandra *store, hb_bytes text); /* made valid UTF-8 */

/* Waits for all writes. */
bool hb_cassandra_wait(hb_cassandra *store, hb_error *error);

/* ---- Reading ---- */

hb_bytes hb_cassandra_text(const hubbub_cql_rows *rows, size_t column);
int64_t hb_cassandra_time(const hubbub_cql_rows *rows, size_t column);

/* Steps to the next row; false at the end, *good telling whether it is a good end. */
bool hb_cassandra_next(const hb_cassandra *store, hubbub_cql_rows *rows, bool *good, hb_error *error);

/* A channel and when it was seen; the name belongs to the arena. */
typedef struct hb_cassandra_channels {
    hb_channel_row *rows; /* in the order of their names */
    size_t count;
    size_t capacity;
    hb_arena texts;
} hb_cassandra_channels;

/* Reads all channels, or those seen between from_s and to_s; free with hb_cassandra_channels_free. */
bool hb_cassandra_channels_read(hb_cassandra *store, int64_t from_s, int64_t to_s, hb_cassandra_channels *channels,
                                hb_error *error);
void hb_cassandra_channels_free(hb_cassandra_channels *channels);

/* ---- What the store's door leads to, see store_kind.h ---- */

bool hb_cassandra_begin(hb_store *base, hb_error *error);
bool hb_cassandra_put(hb_store *base, const hb_changes *changes, hb_error *error);
bool hb_cassandra_commit(hb_store *base, hb_error *error);
bool hb_cassandra_forget(hb_store *base, hb_bytes channel, int64_t before_s, bool *more, hb_error *error);
uint64_t hb_cassandra_generation(hb_store *base);
bool hb_cassandra_minutes(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
                          void *context, hb_error *error);
bool hb_cassandra_moments(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_moment *visit,
                          void *context, hb_error *error);
bool hb_cassandra_words(hb_store *base, hb_bytes channel, int64_t hour_s, hb_kind kind, hb_visit_word *visit,
                        void *context, hb_error *error);
bool hb_cassandra_users(hb_store *base, hb_bytes channel, int64_t hour_s, hb_visit_user *visit, void *context,
                        hb_error *error);
bool hb_cassandra_sheets(hb_store *base, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_sheet *visit,
                         void *context, hb_error *error);
bool hb_cassandra_outdated(hb_store *base, int words_version, hb_visit_hour *visit, void *context, hb_error *error);
bool hb_cassandra_channels_visit(hb_store *base, hb_visit_channel *visit, void *context, hb_error *error);
bool hb_cassandra_progress(hb_store *base, hb_layer layer, hb_visit_progress *visit, void *context, hb_error *error);

#endif
