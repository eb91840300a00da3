/* store.h - counts at rest: the tables sheets, wordcount, wordfreq, msgperuser, viewers, channels, progress.
 *
 * An address is a path (SQLite: one file, WAL, readable with the sqlite3 shell while hubbub runs). Times at rest are
 * Unix seconds. A store handle may be used by one thread at a time; any number of handles and processes may read while
 * one writes. Each store's own schema is documented at the top of its .c file.
 */
#ifndef HB_STORE_STORE_H
#define HB_STORE_STORE_H

#include "base/memory.h"
#include "views/changes.h"

typedef struct hb_store hb_store;

typedef enum hb_store_mode { HB_STORE_READ, HB_STORE_WRITE } hb_store_mode;

/* Opens a store; HB_STORE_WRITE makes it if it is missing and holds a lock that refuses a second writer (of any
 * process) with HB_ERROR_BUSY. Other errors: HB_ERROR_MISSING (reading what is not there), HB_ERROR_CORRUPT (not a
 * store, or damaged), HB_ERROR_VERSION (a newer hubbub's), HB_ERROR_SYSTEM. */
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

/* A number that is different after any writer's commit; for noticing that there is news (cheap, no query). */
uint64_t hb_store_generation(hb_store *store);

/* ---- Reading. Visitors return false to stop early; slices hold until they return. All return false on failure. ----
 */

/* Rows of a channel with from_s <= minute < to_s, ascending; an empty channel means every channel (then ordered by
 * minute, channel). Minutes without a row are not visited. layer tells who wrote the row. */
typedef bool hb_visit_minute(void *context, const hb_minute_row *row, hb_layer layer);
bool hb_store_minutes(hb_store *store, hb_bytes channel, int64_t from_s, int64_t to_s, hb_visit_minute *visit,
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

#endif
