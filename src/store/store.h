/* store.h - counts at rest: the tables sheets, wordcount, wordfreq, msgperuser, viewers, moments, channels, progress;
 * and the rankings of whole days, weeks and months, which are made of sheets to be quick, and may be missing at any
 * time.
 *
 * An address is a path (SQLite: one file, WAL, readable with the sqlite3 shell while hubbub runs; times at rest are
 * Unix seconds) or cassandra://HOST[:PORT][,...]/KEYSPACE?KEY=VALUE&... A store handle may be used by one thread at a
 * time; any number of handles and processes may read while one writes. docs/store.md describes both schemas.
 *
 * Cassandra has no transactions. Where "one transaction" is said below, of Cassandra it means: when the call returns
 * true, all of it is written and acknowledged, the progress last; when it fails, some of it may be, and the same is to
 * be tried again. Readers may see a part. Any number of writers may write at once: which value wins is settled by
 * positions (see cassandra.cql). HB_ERROR_NETWORK: it cannot be reached, or does not answer in time.
 */
#ifndef HB_STORE_STORE_H
#define HB_STORE_STORE_H

#include "base/memory.h"
#include "views/changes.h"
#include "views/ranking.h"

typedef struct hb_store hb_store;

typedef enum hb_store_mode { HB_STORE_READ, HB_STORE_WRITE } hb_store_mode;

/* Opens a store; HB_STORE_WRITE makes it if it is missing and (SQLite) holds a lock that refuses a second writer (of
 * any process) with HB_ERROR_BUSY. Other errors: HB_ERROR_MISSING (reading what is not there; Cassandra in a hubbub
 * that was built without), HB_ERROR_CORRUPT (not a store, or damaged), HB_ERROR_VERSION (a newer hubbub's),
 * HB_ERROR_NETWORK, HB_ERROR_USAGE (the address), HB_ERROR_SYSTEM. */
hb_store *hb_store_open(const char *address, hb_store_mode mode, hb_error *error);
void hb_store_close(hb_store *store);

/* Applies all of the changes in one transaction, or nothing. On failure (a full disk) the same may be tried again. */
bool hb_store_apply(hb_store *store, const hb_changes *changes, hb_error *error);

/* The same in pieces, for changes that are made bit by bit: begin, put as often as there is something, commit. Nobody
 * sees any of it before the commit, and nothing else may be done with this handle until then. When one of these fails,
 * all of it is undone; so it is when the store is closed before the commit. */
bool hb_store_begin(hb_store *store, hb_error *error);
bool hb_store_put(hb_store *store, const hb_changes *changes, hb_error *error);
bool hb_store_commit(hb_store *store, hb_error *error);

/* Whether that is so. Of Cassandra it is not: what is put is seen and stays, whether a commit follows or not. */
bool hb_store_has_transactions(const hb_store *store);

/* A number that is different after any writer's commit; for noticing that there is news (cheap, no query). */
uint64_t hb_store_generation(hb_store *store);

/* ---- Reading. Visitors return false to stop early; slices hold until they return. All return false on failure. ----
 */

/* Rows of a channel with from_s <= minute < to_s, ascending; an empty channel means every channel (then ordered by
 * minute, channel). Minutes without a row are not visited. layer tells who wrote the row. */
typedef bool hb_visit_minute(void *context, const hb_minute_row *row, hb_layer layer);
bool hb_store_minutes(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
                      void *context, hb_error *error);

/* Moments of a channel with from_s <= minute < to_s, ascending; an empty channel means every channel (then ordered by
 * minute, channel). layer tells whose counts they were found in. A store that no newer hubbub has written to has none.
 */
typedef bool hb_visit_moment(void *context, const hb_moment_row *row, hb_layer layer);
bool hb_store_moments(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_moment *visit,
                      void *context, hb_error *error);

/* The top rows that are kept beside the sheet, of one channel and hour, ordered by count descending, then word bytes
 * (or user id bytes) ascending. kind: HB_KINDS for all. */
typedef bool hb_visit_word(void *context, const hb_word_row *row, hb_layer layer);
bool hb_store_words(hb_store *store, hb_bytes channel, int64_t hour_s, hb_kind kind, hb_visit_word *visit,
                    void *context, hb_error *error);
typedef bool hb_visit_user(void *context, const hb_user_row *row, hb_layer layer);
bool hb_store_users(hb_store *store, hb_bytes channel, int64_t hour_s, hb_visit_user *visit, void *context,
                    hb_error *error);

/* Sheets of a channel with from_s <= hour < to_s, ascending. words_version: what computed it. */
typedef bool hb_visit_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version);
bool hb_store_sheets(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_sheet *visit,
                     void *context, hb_error *error);

/* Hours with a sheet that was computed by a version of the words before this one, ascending. Looks at every sheet. */
typedef bool hb_visit_hour(void *context, int64_t hour_s);
bool hb_store_outdated(hb_store *store, int words_version, hb_visit_hour *visit, void *context, hb_error *error);

/* Channels in the order of their names. */
typedef bool hb_visit_channel(void *context, const hb_channel_row *row);
bool hb_store_channels(hb_store *store, hb_visit_channel *visit, void *context, hb_error *error);

/* Positions of a layer, by part ascending; at_s: when it was written. */
typedef bool hb_visit_progress(void *context, const hb_progress *progress, int64_t at_s);
bool hb_store_progress(hb_store *store, hb_layer layer, hb_visit_progress *visit, void *context, hb_error *error);

/* From hold to release, all that is read is of one state of the store. Not to be nested, and released before writing.
 */
bool hb_store_hold(hb_store *store, hb_error *error);
void hb_store_release(hb_store *store);

/* ---- Rollups: the rankings of all channels in a day, a week (from Monday on) or a month, in UTC. ----
 *
 * A rollup stands once it was closed as one that does, and falls with the transaction that changes any of its hours.
 * What stands says the same as its hours' sheets. */

/* Whether the store keeps rollups at all. Of one that does not, none is ever visited, and none may be made. */
bool hb_store_keeps_rollups(const hb_store *store);

typedef enum hb_span { HB_SPAN_DAY, HB_SPAN_WEEK, HB_SPAN_MONTH, HB_SPANS } hb_span;

/* When the one begins that time_s lies in, and when the one that begins at start_s ends. */
int64_t hb_span_start(hb_span span, int64_t time_s);
int64_t hb_span_end(hb_span span, int64_t start_s);

typedef enum hb_rollup_state {
    HB_ROLLUP_MAKING, /* opened, not closed yet */
    HB_ROLLUP_STANDS,
    HB_ROLLUP_UNFIT /* nothing was made of it: there is more in it than its sheets tell */
} hb_rollup_state;

/* Rollups that begin within from_s <= start < to_s; the longest first, each kind ascending. */
typedef bool hb_visit_rollup(void *context, hb_span span, int64_t start_s, hb_rollup_state state);
bool hb_store_rollups(hb_store *store, int64_t from_s, int64_t to_s, hb_visit_rollup *visit, void *context,
                      hb_error *error);

/* A channel's ranking in a rollup, encoded (hb_ranking_add_encoded): visited once; not at all where the channel had
 * nothing. Empty: it has more than can be ranked, and what it would be made of must be read instead. Means something
 * only while the rollup stands. */
typedef bool hb_visit_ranking(void *context, hb_bytes ranking);
bool hb_store_ranking(hb_store *store, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                      hb_visit_ranking *visit, void *context, hb_error *error);

/* Opens a rollup to be made, puts a channel's ranking (NULL: there is none, and a former one is removed), closes it
 * with the state that it is to have. *closed: false when an hour has changed since it was opened, so that it must be
 * made anew. Each is a transaction. */
bool hb_store_rollup_open(hb_store *store, hb_span span, int64_t start_s, hb_error *error);
bool hb_store_rollup_put(hb_store *store, hb_bytes channel, hb_span span, int64_t start_s, hb_ranking_kind kind,
                         const hb_bytes *ranking, hb_error *error);
bool hb_store_rollup_close(hb_store *store, hb_span span, int64_t start_s, hb_rollup_state state, bool *closed,
                           hb_error *error);

/* ---- Retention ---- */

/* Removes some of what the views hold of the time before before_s, a multiple of a day, in one short transaction: of a
 * channel, or where the channel is empty what is not kept by channel. *more: there may be more of the same. Rollups of
 * that time fall first. What is removed of an hour goes in an order in which answers stay right: what they say of an
 * hour is all of it, or less and less of its minutes, then nothing. Progress is kept. */
bool hb_store_forget(hb_store *store, hb_bytes channel, int64_t before_s, bool *more, hb_error *error);

#endif
