/* store_cassandra.c - the store that many writers on many machines share: tables in a keyspace of Cassandra 4 or 5.
 *
 * cassandra.cql says what the tables are; its text is part of the program (cassandra.S). Nothing is locked, and nothing
 * is a transaction: see there why the order in which writes arrive does not matter.
 *
 * Settings (behind '?' of the address):
 *     username, password                       tls (true), ca, cert, key (PEM files), verify_host (false)
 *     consistency (LOCAL_QUORUM), datacenter   connect_timeout, request_timeout (seconds), in_flight (requests)
 *     replication: a number for one data centre, or "DC1:3,DC2:2"; for a keyspace that is made now
 *     wait: for how many seconds a writer tries to connect before it gives up
 *
 * A connection that is lost later is set up again by the driver; meanwhile every write and read fails. */
#include "store/store_cassandra.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "text/utf8.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES_UNDER_WAY = 8 << 20, RETRY_MS = 1000 };

/* The text of cassandra.cql, NUL-terminated. */
extern const char hb_cassandra_schema[];

#define MINUTE_COLUMNS "messages, words, chatters, shared, layer, new_chatters, subscriber_messages"
#define VIEWER_COLUMNS "viewers, samples, game, title"
#define MOMENT_COLUMNS "score, messages, chatters, usual, words, layer"
#define AT             " USING TIMESTAMP ?"
#define CLEAR_MINUTES  AT " WHERE channel = ? AND day = ? AND minute >= ? AND minute < ?"
#define CLEAR_HOUR     AT " WHERE channel = ? AND hour = ?"
#define CLEAR_DAY      AT " WHERE channel = ? AND day = ?"
#define OF_DAY         " WHERE channel = ? AND day = ? AND minute >= ? AND minute < ?"

static const char *const statement_text[HB_CASSANDRA_STATEMENTS] = {
    [HB_CASSANDRA_PUT_MINUTE] =
        "INSERT INTO wordcount (channel, day, minute, " MINUTE_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_PUT_VIEWERS] =
        "INSERT INTO viewers (channel, day, minute, " VIEWER_COLUMNS ", layer) VALUES (?,?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_PUT_LATEST] =
        "INSERT INTO latest (minute, channel, " MINUTE_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)" AT " AND TTL ?",
    [HB_CASSANDRA_PUT_LATEST_VIEWERS] = "INSERT INTO latest (minute, channel, " MINUTE_COLUMNS ", " VIEWER_COLUMNS
                                        ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)" AT " AND TTL ?",
    [HB_CASSANDRA_PUT_MOMENT] =
        "INSERT INTO moments (channel, day, minute, " MOMENT_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_DROP_MOMENT] = "DELETE FROM moments" AT " WHERE channel = ? AND day = ? AND minute = ?",
    [HB_CASSANDRA_PUT_MOMENT_BY_DAY] =
        "INSERT INTO moments_by_day (day, minute, channel, " MOMENT_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_DROP_MOMENT_BY_DAY] = "DELETE FROM moments_by_day" AT " WHERE day = ? AND minute = ? AND channel = ?",
    [HB_CASSANDRA_PUT_WORD] = "INSERT INTO wordfreq (channel, hour, kind, word, count, layer) VALUES (?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_DROP_WORD] = "DELETE FROM wordfreq" AT " WHERE channel = ? AND hour = ? AND kind = ? AND word = ?",
    [HB_CASSANDRA_PUT_USER] = "INSERT INTO msgperuser (channel, hour, user_id, user_name, messages, words, minutes,"
                              " layer) VALUES (?,?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_DROP_USER] = "DELETE FROM msgperuser" AT " WHERE channel = ? AND hour = ? AND user_id = ?",
    [HB_CASSANDRA_PUT_TOP_WORD] =
        "INSERT INTO topwords (channel, hour, kind, rank, word, count, layer) VALUES (?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_PUT_TOP_USER] = "INSERT INTO topusers (channel, hour, rank, user_id, user_name, messages, words,"
                                  " layer) VALUES (?,?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_PUT_SHEET] =
        "INSERT INTO sheets (channel, hour, sheet, closed, words_version, layer) VALUES (?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_PUT_FIRST_SEEN] = "UPDATE channels" AT " SET first_seen = ? WHERE channel = ?",
    [HB_CASSANDRA_PUT_LAST_SEEN] = "UPDATE channels" AT " SET last_seen = ? WHERE channel = ?",
    [HB_CASSANDRA_PUT_ROOM_ID] = "UPDATE channels" AT " SET room_id = ? WHERE channel = ?",
    [HB_CASSANDRA_PUT_PROGRESS] =
        "INSERT INTO progress (layer, part, start, position, done, late, at) VALUES (?,?,?,?,?,?,?)" AT,
    [HB_CASSANDRA_PUT_CHANGED] = "UPDATE progress" AT " SET changed = ? WHERE layer = ?",
    [HB_CASSANDRA_CLEAR_MINUTES] = "DELETE FROM wordcount" CLEAR_MINUTES,
    [HB_CASSANDRA_CLEAR_VIEWERS] = "DELETE FROM viewers" CLEAR_MINUTES,
    [HB_CASSANDRA_CLEAR_WORDS] = "DELETE FROM wordfreq" CLEAR_HOUR,
    [HB_CASSANDRA_CLEAR_USERS] = "DELETE FROM msgperuser" CLEAR_HOUR,
    [HB_CASSANDRA_CLEAR_TOP_WORDS] = "DELETE FROM topwords" CLEAR_HOUR,
    [HB_CASSANDRA_CLEAR_TOP_USERS] = "DELETE FROM topusers" CLEAR_HOUR,
    [HB_CASSANDRA_CLEAR_SHEET] = "DELETE FROM sheets" CLEAR_HOUR,
    [HB_CASSANDRA_CLEAR_LATEST] = "DELETE FROM latest" AT " WHERE minute = ?",
    [HB_CASSANDRA_CLEAR_LATEST_CHANNEL] = "DELETE FROM latest" AT " WHERE minute = ? AND channel = ?",
    [HB_CASSANDRA_CLEAR_DAY_MINUTES] = "DELETE FROM wordcount" CLEAR_DAY,
    [HB_CASSANDRA_CLEAR_DAY_VIEWERS] = "DELETE FROM viewers" CLEAR_DAY,
    [HB_CASSANDRA_CLEAR_DAY_MOMENTS] = "DELETE FROM moments" CLEAR_DAY,
    [HB_CASSANDRA_CLEAR_MOMENTS_BY_DAY] = "DELETE FROM moments_by_day" AT " WHERE day = ?",
    [HB_CASSANDRA_MINUTES] = "SELECT minute, " MINUTE_COLUMNS " FROM wordcount" OF_DAY,
    [HB_CASSANDRA_VIEWERS] = "SELECT minute, " VIEWER_COLUMNS " FROM viewers" OF_DAY,
    [HB_CASSANDRA_LATEST] =
        "SELECT minute, " MINUTE_COLUMNS ", " VIEWER_COLUMNS ", channel FROM latest WHERE minute = ?",
    [HB_CASSANDRA_MOMENTS] = "SELECT minute, " MOMENT_COLUMNS " FROM moments" OF_DAY,
    [HB_CASSANDRA_MOMENTS_BY_DAY] =
        "SELECT minute, " MOMENT_COLUMNS ", channel FROM moments_by_day WHERE day = ? AND minute >= ? AND minute < ?",
    [HB_CASSANDRA_WORDS] = "SELECT kind, word, count, layer FROM wordfreq WHERE channel = ? AND hour = ?",
    [HB_CASSANDRA_KIND_WORDS] =
        "SELECT kind, word, count, layer FROM wordfreq WHERE channel = ? AND hour = ? AND kind = ?",
    [HB_CASSANDRA_USERS] = "SELECT user_id, user_name, messages, words, minutes, layer FROM msgperuser"
                           " WHERE channel = ? AND hour = ?",
    [HB_CASSANDRA_SHEET] = "SELECT hour, sheet, layer, words_version, closed FROM sheets"
                           " WHERE channel = ? AND hour = ?",
    [HB_CASSANDRA_SHEET_VERSIONS] = "SELECT hour, words_version FROM sheets",
    [HB_CASSANDRA_CHANNELS] = "SELECT channel, room_id, first_seen, last_seen FROM channels",
    [HB_CASSANDRA_CHANNEL] = "SELECT first_seen, last_seen FROM channels WHERE channel = ?",
    [HB_CASSANDRA_PROGRESS] = "SELECT part, start, position, done, late, at FROM progress WHERE layer = ?",
    [HB_CASSANDRA_CHANGED] = "SELECT changed FROM progress WHERE layer IN ('speed', 'batch') PER PARTITION LIMIT 1",
    [HB_CASSANDRA_COLUMN] = "SELECT column_name FROM system_schema.columns"
                            " WHERE keyspace_name = ? AND table_name = ? AND column_name = ?",
    [HB_CASSANDRA_DAYS] = "SELECT DISTINCT channel, day FROM wordcount",
    [HB_CASSANDRA_SHEET_HOURS] = "SELECT DISTINCT channel, hour FROM sheets",
    [HB_CASSANDRA_WORD_HOURS] = "SELECT DISTINCT channel, hour FROM wordfreq",
    [HB_CASSANDRA_USER_HOURS] = "SELECT DISTINCT channel, hour FROM msgperuser",
};

/* ---- Statements ---- */

bool hb_cassandra_fail(const hb_cassandra *store, const char *doing, const char *reason, hb_error *error)
{
    return hb_fail(error, HB_ERROR_NETWORK, "%s the store %s: %s", doing, store->address.shown, reason);
}

static bool prepare(hb_cassandra *store, hb_cassandra_statement which, hb_error *error)
{
    char reason[HB_CASSANDRA_REASON];
    if (store->statements[which] != 0)
        return true;
    const int number = hubbub_cql_prepare(store->cql, statement_text[which], reason, sizeof reason);
    if (number < 0)
        return hb_cassandra_fail(store, "cannot use", reason, error);
    store->statements[which] = number + 1;
    return true;
}

bool hb_cassandra_begin_row(hb_cassandra *store, hb_cassandra_statement which, hb_error *error)
{
    if (!prepare(store, which, error))
        return false;
    hubbub_cql_row(store->cql, store->statements[which] - 1);
    return true;
}

void hb_cassandra_bind_time(hb_cassandra *store, int64_t time_s)
{
    hubbub_cql_bigint(store->cql, time_s * 1000);
}

void hb_cassandra_bind_text(hb_cassandra *store, hb_bytes text)
{
    const hb_bytes valid = hb_utf8_repair(text, &store->text);
    hubbub_cql_bytes(store->cql, valid.data, valid.size);
}

bool hb_cassandra_wait(hb_cassandra *store, hb_error *error)
{
    char reason[HB_CASSANDRA_REASON];
    return hubbub_cql_wait(store->cql, reason, sizeof reason) ||
           hb_cassandra_fail(store, "cannot write to", reason, error);
}

/* ---- Settings ---- */

typedef struct settings {
    hubbub_cql_options options;
    const char *replication;
    uint64_t wait_s;
} settings;

static bool read_number(const hb_address *address, const hb_address_setting *setting, uint64_t least, uint64_t most,
                        uint64_t *number, hb_error *error)
{
    return (hb_bytes_to_u64(hb_bytes_of(setting->value), number) && *number >= least && *number <= most) ||
           hb_fail(error, HB_ERROR_USAGE,
                   "the setting %s of the store %s is '%s', but must be a number from %llu to %llu", setting->key,
                   address->shown, setting->value, (unsigned long long)least, (unsigned long long)most);
}

static bool read_truth(const hb_address *address, const hb_address_setting *setting, bool *truth, hb_error *error)
{
    *truth = strcmp(setting->value, "true") == 0;
    return *truth || strcmp(setting->value, "false") == 0 ||
           hb_fail(error, HB_ERROR_USAGE, "the setting %s of the store %s is '%s', but must be true or false",
                   setting->key, address->shown, setting->value);
}

static bool read_setting(const hb_address *address, const hb_address_setting *setting, settings *out, hb_error *error)
{
    hubbub_cql_options *const options = &out->options;
    const struct {
        const char *key;
        const char **text;
    } texts[] = {{"username", &options->user},
                 {"password", &options->password},
                 {"ca", &options->authorities},
                 {"cert", &options->certificate},
                 {"key", &options->key},
                 {"consistency", &options->consistency},
                 {"datacenter", &options->datacenter},
                 {"replication", &out->replication}};
    const struct {
        const char *key;
        uint32_t *number;
        uint32_t unit;
    } numbers[] = {{"connect_timeout", &options->connect_ms, 1000},
                   {"request_timeout", &options->request_ms, 1000},
                   {"in_flight", &options->requests, 1}};
    uint64_t number = 0;
    bool truth = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(setting->key, texts[i].key) == 0) {
            *texts[i].text = setting->value;
            return true;
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(setting->key, numbers[i].key) == 0) {
            const bool good = read_number(address, setting, 1, 3600, &number, error);
            *numbers[i].number = (uint32_t)number * numbers[i].unit;
            return good;
        }
    if (strcmp(setting->key, "wait") == 0)
        return read_number(address, setting, 0, 86400, &out->wait_s, error);
    if (strcmp(setting->key, "tls") == 0)
        return read_truth(address, setting, &options->tls, error);
    if (strcmp(setting->key, "verify_host") == 0) {
        const bool good = read_truth(address, setting, &truth, error);
        options->any_host_name = !truth;
        return good;
    }
    return hb_fail(error, HB_ERROR_USAGE, "the store %s has a setting %s, which there is not; hubbub(1) lists them",
                   address->shown, setting->key);
}

static bool read_settings(const hb_address *address, settings *out, hb_error *error)
{
    *out = (settings){.options = {.hosts = address->hosts,
                                  .connect_ms = 5000,
                                  .request_ms = 12000,
                                  .requests = 256,
                                  .bytes = BYTES_UNDER_WAY},
                      .replication = "1",
                      .wait_s = 60};
    for (size_t i = 0; i < address->setting_count; i++)
        if (!read_setting(address, &address->settings[i], out, error))
            return false;
    hubbub_cql_options *const options = &out->options;
    if (options->authorities != NULL || options->certificate != NULL)
        options->tls = true;
    for (const char *c = address->place; *c != '\0'; c++) /* it becomes part of a statement */
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_'))
            return hb_fail(error, HB_ERROR_USAGE, "'%s' in %s is no name of a keyspace: letters, digits and _",
                           address->place, address->shown);
    return true;
}

/* ---- The schema ---- */

/* Adds 'DC1':'3','DC2':'2' for "DC1:3,DC2:2"; false where it is something else. */
static bool print_data_centres(hb_bytes spec, hb_buffer *out)
{
    hb_bytes one;
    while (hb_bytes_cut(&spec, ',', &one)) {
        hb_bytes name;
        uint64_t copies = 0;
        if (!hb_bytes_cut(&one, ':', &name) || name.size == 0 || memchr(name.data, '\'', name.size) != NULL ||
            !hb_bytes_to_u64(one, &copies) || copies == 0)
            return false;
        hb_buffer_print(out, ", '%.*s': '%llu'", HB_PRINT(name), (unsigned long long)copies);
    }
    return true;
}

static bool print_keyspace(const hb_cassandra *store, const char *replication, hb_buffer *out, hb_error *error)
{
    uint64_t copies = 0;
    hb_buffer_print(out, "CREATE KEYSPACE IF NOT EXISTS \"%s\" WITH replication = {'class': ", store->address.place);
    const bool simple = hb_bytes_to_u64(hb_bytes_of(replication), &copies) && copies > 0;
    if (simple)
        hb_buffer_print(out, "'SimpleStrategy', 'replication_factor': '%llu'", (unsigned long long)copies);
    else
        hb_buffer_print(out, "'NetworkTopologyStrategy'");
    if (!simple && !print_data_centres(hb_bytes_of(replication), out))
        return hb_fail(error, HB_ERROR_USAGE,
                       "the setting replication of the store %s is '%s', but must be a number, or DC1:3,DC2:2",
                       store->address.shown, replication);
    hb_buffer_append(out, (hb_bytes){"}\0", 2}); /* the NUL for C */
    return true;
}

static bool run(hb_cassandra *store, const char *text, hb_error *error)
{
    char reason[HB_CASSANDRA_REASON];
    return hubbub_cql_run(store->cql, text, reason, sizeof reason) ||
           hb_cassandra_fail(store, "cannot set up", reason, error);
}

/* "ALTER TABLE name ADD IF NOT EXISTS column type": *needed tells whether the column is missing. True for whatever else
 * a statement is. */
static bool is_needed(hb_cassandra *store, hb_bytes statement, bool *needed, hb_error *error)
{
    enum { NAME = 2, COLUMN = 7, WORDS };
    hb_bytes words[WORDS];
    size_t count = 0;
    bool good = true;
    *needed = true;
    if (!hb_bytes_start_with(statement, HB_BYTES("ALTER")))
        return true;
    while (count < WORDS && hb_bytes_cut(&statement, ' ', &words[count]))
        count++;
    if (count < WORDS || !hb_cassandra_begin_row(store, HB_CASSANDRA_COLUMN, error))
        return count < WORDS;
    hb_cassandra_bind_text(store, hb_bytes_of(store->address.place));
    hb_cassandra_bind_text(store, words[NAME]);
    hb_cassandra_bind_text(store, words[COLUMN]);
    hubbub_cql_rows *rows = hubbub_cql_ask(store->cql);
    *needed = !hb_cassandra_next(store, rows, &good, error);
    hubbub_cql_rows_close(rows);
    return good;
}

/* Runs each statement of cassandra.cql. */
static bool make_tables(hb_cassandra *store, hb_error *error)
{
    hb_buffer statement = {0};
    hb_bytes rest = hb_bytes_of(hb_cassandra_schema);
    hb_bytes line;
    bool needed = false;
    bool good = true;
    while (good && hb_bytes_cut(&rest, '\n', &line)) {
        if (hb_bytes_start_with(line, HB_BYTES("--")))
            continue;
        const bool last = line.size > 0 && line.data[line.size - 1] == ';';
        line.size -= last;
        hb_buffer_append(&statement, line);
        hb_buffer_append_char(&statement, last ? '\0' : ' ');
        if (last)
            good = is_needed(store, hb_bytes_of(statement.data), &needed, error) &&
                   (!needed || run(store, statement.data, error));
        if (last)
            statement.size = 0;
    }
    hb_buffer_free(&statement);
    return good;
}

static bool use_keyspace(hb_cassandra *store, hb_error *error)
{
    char reason[HB_CASSANDRA_REASON];
    if (hubbub_cql_use(store->cql, store->address.place, reason, sizeof reason))
        return true;
    if (strstr(reason, "does not exist") == NULL)
        return hb_cassandra_fail(store, "cannot use", reason, error);
    return hb_fail(error, HB_ERROR_MISSING, "there is no store at %s; 'hubbub process' makes one",
                   store->address.shown);
}

static bool make_schema(hb_cassandra *store, const char *replication, hb_error *error)
{
    hb_buffer text = {0};
    const bool good = print_keyspace(store, replication, &text, error) && run(store, text.data, error) &&
                      use_keyspace(store, error) && make_tables(store, error);
    hb_buffer_free(&text);
    return good;
}

/* ---- Opening ---- */

/* Whether somebody wants us to stop; commands look at these signals only when all is open. */
static bool is_stop_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

/* A writer waits for a Cassandra that is not there yet: both may be started at once. */
static bool connect(hb_cassandra *store, const settings *how, hb_store_mode mode, hb_error *error)
{
    char reason[HB_CASSANDRA_REASON];
    const int64_t end_ms = hb_monotonic_ms() + (mode == HB_STORE_WRITE ? (int64_t)how->wait_s * 1000 : 0);
    bool tried = false;
    for (bool said = false;; said = true) {
        store->cql = hubbub_cql_open(&how->options, &tried, reason, sizeof reason);
        if (store->cql != NULL)
            return true;
        hb_cassandra_fail(store, "cannot connect to", reason, error);
        if (!tried) {
            error->code = HB_ERROR_USAGE;
            return false;
        }
        if (hb_monotonic_ms() >= end_ms || is_stop_pending())
            return false;
        if (!said)
            hb_say_warning("%s; trying again for %llu seconds", error->text, (unsigned long long)how->wait_s);
        nanosleep(&(struct timespec){RETRY_MS / 1000, RETRY_MS % 1000 * 1000000L}, NULL);
    }
}

static bool open_all(hb_cassandra *store, const char *address, hb_store_mode mode, hb_error *error)
{
    settings how;
    if (!hb_address_read(address, "cassandra://127.0.0.1/hubbub", &store->address, error) ||
        !read_settings(&store->address, &how, error) || !connect(store, &how, mode, error))
        return false;
    if (mode == HB_STORE_READ)
        return use_keyspace(store, error) && prepare(store, HB_CASSANDRA_CHANNELS, error);
    bool good = make_schema(store, how.replication, error);
    for (hb_cassandra_statement which = 0; good && which < HB_CASSANDRA_WRITES; which++)
        good = prepare(store, which, error);
    store->room = hb_top_room_open();
    return good;
}

static void close_store(hb_store *base)
{
    hb_cassandra *const store = hb_cassandra_of(base);
    if (store->cql != NULL)
        hubbub_cql_close(store->cql);
    hb_top_room_close(store->room);
    hb_buffer_free(&store->text);
    hb_arena_free(&store->names);
    free(store->days);
    free(store->hours);
    free(store->progress);
    free(store->positions);
    hb_address_free(&store->address);
    free(store);
}

static hb_store *open_store(const char *address, hb_store_mode mode, hb_error *error)
{
    hb_cassandra *store = hb_alloc(sizeof *store);
    if (open_all(store, address, mode, error))
        return &store->base;
    close_store(&store->base);
    return NULL;
}

/* What is read is never of one state: there is nothing to hold. */
static bool hold(hb_store *base, hb_error *error)
{
    (void)base;
    (void)error;
    return true;
}

static void release(hb_store *base)
{
    (void)base;
}

const hb_store_kind hb_store_cassandra = {
    .open = open_store,
    .close = close_store,
    .begin = hb_cassandra_begin,
    .put = hb_cassandra_put,
    .commit = hb_cassandra_commit,
    .forget = hb_cassandra_forget,
    .generation = hb_cassandra_generation,
    .minutes = hb_cassandra_minutes,
    .moments = hb_cassandra_moments,
    .words = hb_cassandra_words,
    .users = hb_cassandra_users,
    .sheets = hb_cassandra_sheets,
    .outdated = hb_cassandra_outdated,
    .channels = hb_cassandra_channels_visit,
    .progress = hb_cassandra_progress,
    .hold = hold,
    .release = release,
};
