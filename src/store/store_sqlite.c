/* store_sqlite.c - the default store: one SQLite file in WAL mode that anybody may read while hubbub writes.
 *
 * Schema, format 5 (application_id 'hbub', user_version 5); times are Unix seconds in UTC, layer is 'speed' or 'batch',
 * kind is 'word', 'emote', 'emoji', 'mention', 'link' or 'command'. docs/store.md explains it to those who query it.
 *
 *     wordcount    (minute, channel)              messages, words, chatters, shared, new_chatters,
 *                                                 subscriber_messages, layer
 *     viewers      (minute, channel)              viewers (mean of the samples), samples, game, title, layer
 *     moments      (minute, channel)              score, messages, chatters, usual, words, layer
 *     wordfreq     (channel, hour, kind, word)    count, layer                  the top K of each kind
 *     msgperuser   (channel, hour, user_id)       user_name, messages, words, minutes, layer     the top K
 *     sheets       (channel, hour)                sheet, layer, words_version, open
 *     channels     (channel)                      room_id, first_seen, last_seen
 *     progress     (layer, part)                  start, position, done, late, at
 *     batch_hours  (hour)                         at: when the batch layer last replaced the hour
 *     rollups      (span, start)                  state: 0 being made, 1 stands, 2 unfit
 *     rankings     (span, start, channel, kind)   ranking
 *
 * span is 'day', 'week' or 'month', a ranking's kind 'words' or 'users'. Format 1 had no rollups and no rankings,
 * format 2 no start in progress, format 3 no moments, format 4 no new_chatters and no subscriber_messages.
 *
 * Why so:
 * - Minutes are keyed by minute first: all channels' current minutes are neighbours, so a flush each second writes some
 *   tens of pages and not one for each channel. An index by channel serves questions about one channel; it changes only
 *   when a minute is new.
 * - The sheets are blobs of kilobytes, which SQLite keeps better in a rowid table than in the inner pages of an index.
 * - synchronous=NORMAL: a commit is not synced, a checkpoint is. After a power cut the file holds a whole number of
 *   transactions, perhaps without the last few. Rows and positions are in one transaction, so they go back together,
 * and what was lost is counted again from the log.
 * - One writer: flock on FILE-lock. The file itself must not be opened besides SQLite, whose own (POSIX) locks would be
 *   dropped when any other descriptor of it is closed. */
#include "store/store_sqlite.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x68627562, /* "hbub" */
    FORMAT = 5,
    WRITER_CACHE_KIB = 65536,
    READER_CACHE_KIB = 8192,
    WAL_LEFT_BYTES = 64 << 20 /* what may stay of the write-ahead log's file once it starts anew */
};

static const char schema[] =
    "CREATE TABLE wordcount(minute INTEGER NOT NULL, channel TEXT NOT NULL, messages INTEGER NOT NULL,"
    " words INTEGER NOT NULL, chatters INTEGER NOT NULL, shared INTEGER NOT NULL, layer TEXT NOT NULL,"
    " PRIMARY KEY(minute, channel)) WITHOUT ROWID;"
    "CREATE INDEX wordcount_channel ON wordcount(channel, minute);"
    "CREATE TABLE viewers(minute INTEGER NOT NULL, channel TEXT NOT NULL, viewers REAL NOT NULL,"
    " samples INTEGER NOT NULL, game TEXT NOT NULL, title TEXT NOT NULL, layer TEXT NOT NULL,"
    " PRIMARY KEY(minute, channel)) WITHOUT ROWID;"
    "CREATE INDEX viewers_channel ON viewers(channel, minute);"
    "CREATE TABLE wordfreq(channel TEXT NOT NULL, hour INTEGER NOT NULL, kind TEXT NOT NULL, word TEXT NOT NULL,"
    " count INTEGER NOT NULL, layer TEXT NOT NULL, PRIMARY KEY(channel, hour, kind, word)) WITHOUT ROWID;"
    "CREATE TABLE msgperuser(channel TEXT NOT NULL, hour INTEGER NOT NULL, user_id TEXT NOT NULL,"
    " user_name TEXT NOT NULL, messages INTEGER NOT NULL, words INTEGER NOT NULL, minutes INTEGER NOT NULL,"
    " layer TEXT NOT NULL, PRIMARY KEY(channel, hour, user_id)) WITHOUT ROWID;"
    "CREATE TABLE sheets(channel TEXT NOT NULL, hour INTEGER NOT NULL, sheet BLOB NOT NULL, layer TEXT NOT NULL,"
    " words_version INTEGER NOT NULL, open INTEGER NOT NULL, UNIQUE(channel, hour));"
    "CREATE TABLE channels(channel TEXT NOT NULL PRIMARY KEY, room_id TEXT NOT NULL, first_seen INTEGER NOT NULL,"
    " last_seen INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE progress(layer TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,"
    " done INTEGER NOT NULL, late INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(layer, part)) WITHOUT ROWID;"
    "CREATE TABLE batch_hours(hour INTEGER PRIMARY KEY, at INTEGER NOT NULL);";

static const char schema_of_format_2[] =
    "CREATE TABLE rollups(span TEXT NOT NULL, start INTEGER NOT NULL, state INTEGER NOT NULL,"
    " PRIMARY KEY(span, start)) WITHOUT ROWID;"
    "CREATE TABLE rankings(span TEXT NOT NULL, start INTEGER NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL,"
    " ranking BLOB NOT NULL, UNIQUE(span, start, channel, kind));";

static const char schema_of_format_3[] = "ALTER TABLE progress ADD COLUMN start INTEGER NOT NULL DEFAULT 0;";

static const char schema_of_format_4[] =
    "CREATE TABLE moments(minute INTEGER NOT NULL, channel TEXT NOT NULL, score REAL NOT NULL,"
    " messages INTEGER NOT NULL, chatters INTEGER NOT NULL, usual REAL NOT NULL, words TEXT NOT NULL,"
    " layer TEXT NOT NULL, PRIMARY KEY(minute, channel)) WITHOUT ROWID;"
    "CREATE INDEX moments_channel ON moments(channel, minute);";

static const char schema_of_format_5[] =
    "ALTER TABLE wordcount ADD COLUMN new_chatters INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE wordcount ADD COLUMN subscriber_messages INTEGER NOT NULL DEFAULT 0;";

/* Steps from channel to channel through an index that begins with it, instead of reading all of it. */
#define EACH_CHANNEL(table)                                                                                            \
    "WITH RECURSIVE each(channel) AS (SELECT min(channel) FROM " table                                                 \
    " UNION ALL SELECT (SELECT min(channel) FROM " table " WHERE channel > each.channel) FROM each"                    \
    " WHERE each.channel IS NOT NULL) "
#define CLEAR_HOUR(table)                                                                                              \
    EACH_CHANNEL(table) "DELETE FROM " table " WHERE channel IN (SELECT channel FROM each) AND hour = ?1"

#define MINUTES_OF_CHANNEL "channel = ?2 AND minute >= ?1 AND minute < ?1 + 3600"

/* Removes so many rows at most, so that no transaction takes long. */
#define FORGET(table, key, where, most)                                                                                \
    "DELETE FROM " table " WHERE (" key ") IN (SELECT " key " FROM " table " WHERE " where " LIMIT " most ")"

#define MINUTES(engagement, order)                                                                                     \
    "SELECT c.channel, c.minute, c.messages, c.words, c.chatters, c.shared, c.layer, v.viewers, v.samples, v.game,"    \
    " v.title, " engagement " FROM wordcount c LEFT JOIN viewers v ON v.minute = c.minute AND v.channel = c.channel"   \
    " WHERE c.minute >= ?1 AND c.minute < ?2 " order

#define MOMENTS(order)                                                                                                 \
    "SELECT channel, minute, score, messages, chatters, usual, words, layer FROM moments"                              \
    " WHERE minute >= ?1 AND minute < ?2 " order

#define ENGAGEMENT "c.new_chatters, c.subscriber_messages"
#define OF_ALL     "ORDER BY c.minute, c.channel"
#define OF_CHANNEL "AND c.channel = ?3 ORDER BY c.minute"

static const char *const statement_text[HB_SQLITE_STATEMENTS] = {
    [HB_SQLITE_BEGIN] = "BEGIN IMMEDIATE",
    [HB_SQLITE_COMMIT] = "COMMIT",
    [HB_SQLITE_ROLLBACK] = "ROLLBACK",
    [HB_SQLITE_IS_REPLACED] = "SELECT 1 FROM batch_hours WHERE hour = ?1",
    [HB_SQLITE_SET_REPLACED] =
        "INSERT INTO batch_hours VALUES(?1, unixepoch()) ON CONFLICT DO UPDATE SET at = excluded.at",
    [HB_SQLITE_PUT_MINUTE] =
        "INSERT INTO wordcount(minute, channel, messages, words, chatters, shared, layer, new_chatters,"
        " subscriber_messages) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)"
        " ON CONFLICT DO UPDATE SET messages = ?3, words = ?4, chatters = ?5, shared = ?6, layer = ?7,"
        " new_chatters = ?8, subscriber_messages = ?9",
    [HB_SQLITE_PUT_VIEWERS] =
        "INSERT INTO viewers(minute, channel, viewers, samples, game, title, layer) VALUES(?1,?2,?3,?4,?5,?6,?7)"
        " ON CONFLICT DO UPDATE SET viewers = ?3, samples = ?4, game = ?5, title = ?6, layer = ?7",
    [HB_SQLITE_DROP_VIEWERS] = "DELETE FROM viewers WHERE minute = ?1 AND channel = ?2",
    [HB_SQLITE_PUT_MOMENT] = "INSERT INTO moments(minute, channel, score, messages, chatters, usual, words, layer)"
                             " VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT DO UPDATE SET"
                             " score = ?3, messages = ?4, chatters = ?5, usual = ?6, words = ?7, layer = ?8",
    [HB_SQLITE_DROP_MOMENT] = "DELETE FROM moments WHERE minute = ?1 AND channel = ?2",
    [HB_SQLITE_PUT_WORD] = "INSERT INTO wordfreq(channel, hour, kind, word, count, layer) VALUES(?1,?2,?3,?4,?5,?6)"
                           " ON CONFLICT DO UPDATE SET count = ?5, layer = ?6",
    [HB_SQLITE_DROP_WORD] = "DELETE FROM wordfreq WHERE channel = ?1 AND hour = ?2 AND kind = ?3 AND word = ?4",
    [HB_SQLITE_PUT_USER] =
        "INSERT INTO msgperuser(channel, hour, user_id, user_name, messages, words, minutes, layer)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"
        " ON CONFLICT DO UPDATE SET user_name = ?4, messages = ?5, words = ?6, minutes = ?7, layer = ?8",
    [HB_SQLITE_DROP_USER] = "DELETE FROM msgperuser WHERE channel = ?1 AND hour = ?2 AND user_id = ?3",
    [HB_SQLITE_PUT_CHANNEL] =
        "INSERT INTO channels(channel, room_id, first_seen, last_seen) VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET"
        " room_id = CASE ?2 WHEN '' THEN room_id ELSE ?2 END, first_seen = min(first_seen, ?3),"
        " last_seen = max(last_seen, ?4)",
    [HB_SQLITE_PUT_SHEET] =
        "INSERT INTO sheets(channel, hour, sheet, layer, words_version, open) VALUES(?1,?2,?3,?4,?5,?6)"
        " ON CONFLICT DO UPDATE SET sheet = ?3, layer = ?4, words_version = ?5, open = ?6",
    [HB_SQLITE_PUT_PROGRESS] =
        "INSERT INTO progress(layer, part, position, done, late, at, start) VALUES(?1,?2,?3,?4,?5,unixepoch(),?6)"
        " ON CONFLICT DO UPDATE SET position = ?3, done = ?4, late = ?5, at = excluded.at, start = ?6",
    [HB_SQLITE_CLEAR_MINUTES] = "DELETE FROM wordcount WHERE minute >= ?1 AND minute < ?1 + 3600",
    [HB_SQLITE_CLEAR_VIEWERS] = "DELETE FROM viewers WHERE minute >= ?1 AND minute < ?1 + 3600",
    [HB_SQLITE_CLEAR_WORDS] = CLEAR_HOUR("wordfreq"),
    [HB_SQLITE_CLEAR_USERS] = CLEAR_HOUR("msgperuser"),
    [HB_SQLITE_CLEAR_SHEETS] = CLEAR_HOUR("sheets"),
    [HB_SQLITE_CLEAR_CHANNEL_MINUTES] = "DELETE FROM wordcount WHERE " MINUTES_OF_CHANNEL,
    [HB_SQLITE_CLEAR_CHANNEL_VIEWERS] = "DELETE FROM viewers WHERE " MINUTES_OF_CHANNEL,
    [HB_SQLITE_CLEAR_CHANNEL_WORDS] = "DELETE FROM wordfreq WHERE channel = ?2 AND hour = ?1",
    [HB_SQLITE_CLEAR_CHANNEL_USERS] = "DELETE FROM msgperuser WHERE channel = ?2 AND hour = ?1",
    [HB_SQLITE_CLEAR_CHANNEL_SHEETS] = "DELETE FROM sheets WHERE channel = ?2 AND hour = ?1",
    [HB_SQLITE_GENERATION] = "PRAGMA data_version",
    [HB_SQLITE_MINUTES] = MINUTES(ENGAGEMENT, OF_ALL),
    [HB_SQLITE_CHANNEL_MINUTES] = MINUTES(ENGAGEMENT, OF_CHANNEL),
    [HB_SQLITE_MINUTES_OF_FORMAT_4] = MINUTES("0, 0", OF_ALL),
    [HB_SQLITE_CHANNEL_MINUTES_OF_FORMAT_4] = MINUTES("0, 0", OF_CHANNEL),
    [HB_SQLITE_MOMENTS] = MOMENTS("ORDER BY minute, channel"),
    [HB_SQLITE_CHANNEL_MOMENTS] = MOMENTS("AND channel = ?3 ORDER BY minute"),
    [HB_SQLITE_WORDS] = "SELECT kind, word, count, layer FROM wordfreq WHERE channel = ?1 AND hour = ?2"
                        " ORDER BY count DESC, word, kind",
    [HB_SQLITE_KIND_WORDS] = "SELECT kind, word, count, layer FROM wordfreq WHERE channel = ?1 AND hour = ?2"
                             " AND kind = ?3 ORDER BY count DESC, word",
    [HB_SQLITE_USERS] = "SELECT user_id, user_name, messages, words, minutes, layer FROM msgperuser"
                        " WHERE channel = ?1 AND hour = ?2 ORDER BY messages DESC, user_id",
    [HB_SQLITE_SHEETS] = "SELECT hour, sheet, layer, words_version, open FROM sheets"
                         " WHERE channel = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY hour",
    [HB_SQLITE_OUTDATED] = "SELECT DISTINCT hour FROM sheets WHERE words_version < ?1 ORDER BY hour",
    [HB_SQLITE_CHANNELS] = "SELECT channel, room_id, first_seen, last_seen FROM channels ORDER BY channel",
    [HB_SQLITE_PROGRESS] = "SELECT part, position, done, late, at, start FROM progress WHERE layer = ?1 ORDER BY part",
    [HB_SQLITE_PROGRESS_OF_FORMAT_2] =
        "SELECT part, position, done, late, at, 0 FROM progress WHERE layer = ?1 ORDER BY part",
    [HB_SQLITE_HOLD] = "BEGIN",
    [HB_SQLITE_ROLLUPS] =
        "SELECT span, start, state FROM rollups WHERE span IN ('month', 'week', 'day') AND start >= ?1 AND start < ?2"
        " ORDER BY length(span) DESC, start",
    [HB_SQLITE_RANKING] = "SELECT ranking FROM rankings WHERE span = ?1 AND start = ?2 AND channel = ?3 AND kind = ?4",
    [HB_SQLITE_PUT_ROLLUP] = "INSERT OR REPLACE INTO rollups VALUES(?1, ?2, 0)",
    [HB_SQLITE_CLOSE_ROLLUP] = "UPDATE rollups SET state = ?3 WHERE span = ?1 AND start = ?2 AND state = 0",
    [HB_SQLITE_DROP_ROLLUPS] = "DELETE FROM rollups WHERE span = ?1 AND start = ?2",
    [HB_SQLITE_PUT_RANKING] = "INSERT INTO rankings VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET ranking = ?5",
    [HB_SQLITE_DROP_RANKING] = "DELETE FROM rankings WHERE span = ?1 AND start = ?2 AND channel = ?3 AND kind = ?4",
    [HB_SQLITE_FORGET_ROLLUPS] = "DELETE FROM rollups WHERE span IN ('month', 'week', 'day') AND start < ?1",
    [HB_SQLITE_FORGET_RANKINGS] = FORGET("rankings", "rowid", "span IN ('month', 'week', 'day') AND start < ?1", "50"),
    [HB_SQLITE_FORGET_MINUTES] = FORGET("wordcount", "minute, channel", "minute < ?1 ORDER BY minute", "2000"),
    [HB_SQLITE_FORGET_VIEWERS] = FORGET("viewers", "minute, channel", "minute < ?1 ORDER BY minute", "2000"),
    [HB_SQLITE_FORGET_MOMENTS] = FORGET("moments", "minute, channel", "minute < ?1 ORDER BY minute", "2000"),
    [HB_SQLITE_FORGET_SHEETS] = FORGET("sheets", "channel, hour", "channel = ?2 AND hour < ?1 ORDER BY hour", "50"),
    [HB_SQLITE_FORGET_WORDS] =
        FORGET("wordfreq", "channel, hour, kind, word", "channel = ?2 AND hour < ?1 ORDER BY hour", "2000"),
    [HB_SQLITE_FORGET_USERS] =
        FORGET("msgperuser", "channel, hour, user_id", "channel = ?2 AND hour < ?1 ORDER BY hour", "2000"),
};

/* ---- Errors and statements ---- */

bool hb_sqlite_fail(const hb_sqlite *store, const char *doing, hb_error *error)
{
    const int code = sqlite3_errcode(store->db) & 0xff;
    const char *why = sqlite3_errmsg(store->db);
    const int system_code = sqlite3_system_errno(store->db);
    switch (code) {
    case SQLITE_NOTADB:
        return hb_fail(error, HB_ERROR_CORRUPT, "%s is no hubbub store; name another file with --store", store->path);
    case SQLITE_CORRUPT:
        return hb_fail(error, HB_ERROR_CORRUPT,
                       "the store %s is damaged (%s); move it away, then what the log holds is counted anew",
                       store->path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return hb_fail(error, HB_ERROR_BUSY, "%s the store %s: another program keeps it locked", doing, store->path);
    case SQLITE_FULL:
        return hb_fail(error, HB_ERROR_SYSTEM, "%s the store %s: the disk is full", doing, store->path);
    case SQLITE_READONLY:
        if (store->lock_fd < 0)
            return hb_fail(
                error, HB_ERROR_SYSTEM,
                "%s the store %s: where no hubbub runs, readers need to write to its directory too (its -shm)", doing,
                store->path);
        break;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
        if (system_code != 0) {
            errno = system_code;
            return hb_fail_errno(error, "%s the store %s (%s)", doing, store->path, why);
        }
        break;
    default:
        break;
    }
    return hb_fail(error, HB_ERROR_SYSTEM, "%s the store %s: %s", doing, store->path, why);
}

sqlite3_stmt *hb_sqlite_statement_get(hb_sqlite *store, hb_sqlite_statement which, hb_error *error)
{
    sqlite3_stmt **statement = &store->statements[which];
    if (*statement == NULL && sqlite3_prepare_v3(store->db, statement_text[which], -1, SQLITE_PREPARE_PERSISTENT,
                                                 statement, NULL) != SQLITE_OK) {
        hb_sqlite_fail(store, "cannot use", error);
        return NULL;
    }
    sqlite3_reset(*statement);
    return *statement;
}

bool hb_sqlite_run(hb_sqlite *store, sqlite3_stmt *statement, hb_error *error)
{
    const int code = sqlite3_step(statement);
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        hb_sqlite_fail(store, "cannot write to", error);
        sqlite3_reset(statement);
        return false;
    }
    sqlite3_reset(statement);
    return true;
}

void hb_sqlite_bind_text(sqlite3_stmt *statement, int at, hb_bytes text)
{
    sqlite3_bind_text64(statement, at, text.size == 0 ? "" : text.data, text.size, SQLITE_STATIC, SQLITE_UTF8);
}

/* ---- Opening ---- */

static bool run_text(hb_sqlite *store, const char *doing, const char *text, hb_error *error)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK || hb_sqlite_fail(store, doing, error);
}

static bool ask_number(hb_sqlite *store, const char *question, int64_t *answer, hb_error *error)
{
    sqlite3_stmt *statement = NULL;
    const bool good = sqlite3_prepare_v2(store->db, question, -1, &statement, NULL) == SQLITE_OK &&
                      sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        *answer = sqlite3_column_int64(statement, 0);
    else
        hb_sqlite_fail(store, "cannot read", error);
    sqlite3_finalize(statement);
    return good;
}

bool hb_sqlite_read_format(hb_sqlite *store, hb_error *error)
{
    return ask_number(store, "PRAGMA user_version", &store->format, error);
}

/* Looks before SQLite does: its own messages for these are vague. *missing: there is nothing at path. */
static bool check_path(const char *path, bool *missing, hb_error *error)
{
    struct stat info;
    *missing = stat(path, &info) != 0;
    if (*missing && errno != ENOENT && errno != ENOTDIR)
        return hb_fail_errno(error, "cannot open the store %s", path);
    if (!*missing && S_ISDIR(info.st_mode))
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot open the store %s: it is a directory, but must be a file", path);
    if (!*missing && !S_ISREG(info.st_mode))
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot open the store %s: it is not a regular file", path);
    return true;
}

static bool make_directory(const char *path, hb_error *error)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return true;
    char *directory = hb_copy_text((hb_bytes){path, (size_t)(slash - path)});
    const bool good = mkdir(directory, 0777) == 0 || errno == EEXIST || errno == EROFS ||
                      hb_fail_errno(error, "cannot make the directory of the store %s", path);
    free(directory);
    return good;
}

static bool take_writer_lock(hb_sqlite *store, hb_error *error)
{
    hb_buffer path = {0};
    hb_buffer_print(&path, "%s-lock", store->path);
    bool good = false;
    store->lock_fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (store->lock_fd < 0)
        hb_fail_errno(error, "cannot write to the store %s: its lock %s cannot be opened", store->path, path.data);
    else if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        good = true;
    else if (errno == EWOULDBLOCK)
        hb_fail(error, HB_ERROR_BUSY, "another hubbub is writing to the store %s; stop it, or use another --data",
                store->path);
    else
        hb_fail_errno(error, "cannot lock %s", path.data);
    hb_buffer_free(&path);
    return good;
}

/* Makes what the file's format does not have yet. */
static bool make_schema(hb_sqlite *store, hb_error *error)
{
    hb_buffer text = {0};
    hb_buffer_print(&text,
                    "BEGIN IMMEDIATE; %s %s %s %s %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
                    store->format < 1 ? schema : "", store->format < 2 ? schema_of_format_2 : "",
                    store->format < 3 ? schema_of_format_3 : "", store->format < 4 ? schema_of_format_4 : "",
                    schema_of_format_5, APPLICATION_ID, FORMAT);
    store->format = FORMAT;
    const bool good = run_text(store, "cannot set up", text.data, error);
    hb_buffer_free(&text);
    return good;
}

/* Tells whether the file is a store of a format that is known; *empty: it holds nothing at all. */
static bool check_format(hb_sqlite *store, bool *empty, hb_error *error)
{
    int64_t id = 0;
    int64_t tables = 0;
    if (!ask_number(store, "PRAGMA application_id", &id, error) || !hb_sqlite_read_format(store, error) ||
        !ask_number(store, "SELECT count(*) FROM sqlite_schema", &tables, error))
        return false;
    *empty = id == 0 && store->format == 0 && tables == 0;
    if (!*empty && id != APPLICATION_ID)
        return hb_fail(error, HB_ERROR_CORRUPT,
                       "%s is a SQLite database, but no hubbub store; name another file with --store", store->path);
    if (store->format > FORMAT)
        return hb_fail(error, HB_ERROR_VERSION,
                       "the store %s was written by a newer hubbub (format %lld, this one knows %d); update hubbub",
                       store->path, (long long)store->format, FORMAT);
    return true;
}

static int note_wal(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((hb_sqlite *)context)->wal_pages = pages;
    return SQLITE_OK;
}

static bool set_up(hb_sqlite *store, hb_store_mode mode, hb_error *error)
{
    bool empty = false;
    hb_buffer text = {0};
    sqlite3_busy_timeout(store->db, HB_SQLITE_BUSY_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_extended_result_codes(store->db, 1);
    if (!check_format(store, &empty, error))
        return false;
    if (mode == HB_STORE_READ) {
        hb_buffer_print(&text, "PRAGMA cache_size = -%d; PRAGMA query_only = 1;", READER_CACHE_KIB);
        const bool good = empty ? hb_fail(error, HB_ERROR_MISSING, "the store %s is empty", store->path)
                                : run_text(store, "cannot read", text.data, error);
        hb_buffer_free(&text);
        return good;
    }
    hb_buffer_print(&text,
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = %d;"
                    "PRAGMA cache_size = -%d;",
                    WAL_LEFT_BYTES, WRITER_CACHE_KIB);
    const bool good =
        run_text(store, "cannot write to", text.data, error) && (store->format == FORMAT || make_schema(store, error));
    hb_buffer_free(&text);
    sqlite3_wal_hook(store->db, note_wal, store); /* in place of SQLite's automatic checkpoint */
    return good;
}

/* SQLite counts its memory under a lock at each allocation, and nobody asks it. */
static void forgo_memory_statistics(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* fails harmlessly where somebody has used SQLite before */
}

static bool open_database(hb_sqlite *store, hb_store_mode mode, hb_error *error)
{
    bool missing = false;
    if (!check_path(store->path, &missing, error))
        return false;
    if (missing && mode == HB_STORE_READ)
        return hb_fail(error, HB_ERROR_MISSING, "there is no store at %s; 'hubbub run' or 'hubbub process' makes one",
                       store->path);
    if (mode == HB_STORE_WRITE && (!make_directory(store->path, error) || !take_writer_lock(store, error)))
        return false;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, forgo_memory_statistics);
    /* A reader opens for writing too: it may have to set up WAL's shared memory. query_only keeps it from more. */
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == HB_STORE_WRITE ? SQLITE_OPEN_CREATE : 0);
    if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
        return hb_sqlite_fail(store, "cannot open", error);
    if (mode == HB_STORE_WRITE && sqlite3_db_readonly(store->db, "main") == 1)
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot write to the store %s: permission denied", store->path);
    return set_up(store, mode, error);
}

static void close_store(hb_store *base)
{
    hb_sqlite *const store = hb_sqlite_of(base);
    for (size_t i = 0; i < HB_SQLITE_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db); /* the last to close writes the WAL back and removes it */
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store->path);
    free(store);
}

static hb_store *open_store(const char *address, hb_store_mode mode, hb_error *error)
{
    hb_sqlite *store = hb_alloc(sizeof *store);
    store->path = hb_copy_text(hb_bytes_of(address));
    store->lock_fd = -1;
    if (open_database(store, mode, error))
        return &store->base;
    close_store(&store->base);
    return NULL;
}

const hb_store_kind hb_store_sqlite = {
    .transactions = true,
    .open = open_store,
    .close = close_store,
    .begin = hb_sqlite_begin,
    .put = hb_sqlite_put,
    .commit = hb_sqlite_commit,
    .forget = hb_sqlite_forget,
    .generation = hb_sqlite_generation,
    .minutes = hb_sqlite_minutes,
    .moments = hb_sqlite_moments,
    .words = hb_sqlite_words,
    .users = hb_sqlite_users,
    .sheets = hb_sqlite_sheets,
    .outdated = hb_sqlite_outdated,
    .channels = hb_sqlite_channels,
    .progress = hb_sqlite_progress,
    .hold = hb_sqlite_hold,
    .release = hb_sqlite_release,
    .rollups = hb_sqlite_rollups,
    .ranking = hb_sqlite_ranking,
    .rollup_open = hb_sqlite_rollup_open,
    .rollup_put = hb_sqlite_rollup_put,
    .rollup_close = hb_sqlite_rollup_close,
};
