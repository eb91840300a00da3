/* store_cassandra.c - Cassandra as a store: the same changes applied to it and to SQLite are read back the same, row by
 * row and in the same order; and what SQLite need not do, since it has one writer: changes that come in any order.
 *
 * Run by test_store.py, which says in CASSANDRA_STORE where: cassandra://HOST:PORT/NAME, for keyspaces NAME_1, NAME_2
 * ... */
#include "../unit/scratch.h"
#include "../unit/unit.h"

#include "base/clock.h"
#include "base/memory.h"
#include "store/store.h"

#include <inttypes.h>

enum { HOUR = 1764000000, CHANNELS = 4, WORDS = 12, ROWS_MAX = 256, STEPS = 60 };

static char directory[SCRATCH_NAME];
static char address[256];
static hb_store *stores[2]; /* SQLite, Cassandra */
static uint64_t chance;

static unsigned next_random(unsigned below)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
    return (unsigned)(chance >> 33) % below;
}

static hb_store *open_store(const char *where, hb_store_mode mode)
{
    hb_error error = {0};
    hb_store *store = hb_store_open(where, mode, &error);
    if (store == NULL)
        print_error("%s\n", error.text);
    assert_non_null(store);
    return store;
}

static int open_both(void **state)
{
    static int number;
    char path[SCRATCH_NAME + 16];
    (void)state;
    if (!scratch_make(directory))
        return -1;
    snprintf(path, sizeof path, "%s/hubbub.db", directory);
    snprintf(address, sizeof address, "%s_%d", getenv("CASSANDRA_STORE"), ++number);
    stores[0] = open_store(path, HB_STORE_WRITE);
    stores[1] = open_store(address, HB_STORE_WRITE);
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    hb_store_close(stores[0]);
    hb_store_close(stores[1]);
    return scratch_remove(directory) ? 0 : -1;
}

static void apply_to(hb_store *store, const hb_changes *changes)
{
    hb_error error = {0};
    const bool good = hb_store_apply(store, changes, &error);
    if (!good)
        print_error("%s\n", error.text);
    assert_true(good);
}

static void apply(const hb_changes *changes)
{
    apply_to(stores[0], changes);
    apply_to(stores[1], changes);
}

/* ---- All that a store tells, as text ---- */

static bool print_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    hb_buffer_print(context,
                    "%.*s %" PRId64 " %" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 " %" PRIu64
                    "/%" PRIu64 " %.*s,%.*s %s\n",
                    HB_PRINT(row->channel), row->minute_s, row->count.messages, row->count.words, row->count.chatters,
                    row->count.shared, row->count.new_chatters, row->count.subscriber_messages, row->count.viewers_sum,
                    row->count.samples, HB_PRINT(row->count.game), HB_PRINT(row->count.title), hb_layer_name(layer));
    return true;
}

static bool print_word(void *context, const hb_word_row *row, hb_layer layer)
{
    hb_buffer_print(context, "%.*s %" PRId64 " %s:%.*s=%" PRIu64 " %s\n", HB_PRINT(row->channel), row->hour_s,
                    hb_kind_name(row->word.kind), HB_PRINT(row->word.text), row->word.count, hb_layer_name(layer));
    return true;
}

static bool print_user(void *context, const hb_user_row *row, hb_layer layer)
{
    hb_buffer_print(context, "%.*s %" PRId64 " %.*s:%.*s=%" PRIu64 ",%" PRIu64 ",%" PRIx64 " %s\n",
                    HB_PRINT(row->channel), row->hour_s, HB_PRINT(row->user.id), HB_PRINT(row->user.name),
                    row->user.messages, row->user.words, row->user.minutes, hb_layer_name(layer));
    return true;
}

static bool print_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    hb_buffer_print(context, "%.*s %" PRId64 " %.*s %d %s %d\n", HB_PRINT(row->channel), row->hour_s,
                    HB_PRINT(row->sheet), row->open, hb_layer_name(layer), words_version);
    return true;
}

static bool print_moment(void *context, const hb_moment_row *row, hb_layer layer)
{
    hb_buffer_print(context, "%.*s %" PRId64 " %.17g %" PRIu64 ",%" PRIu64 " %.17g %.*s %s\n", HB_PRINT(row->channel),
                    row->minute_s, row->score, row->messages, row->chatters, row->usual, HB_PRINT(row->words),
                    hb_layer_name(layer));
    return true;
}

static bool print_hour(void *context, int64_t hour_s)
{
    hb_buffer_print(context, "outdated %" PRId64 "\n", hour_s);
    return true;
}

static bool print_channel(void *context, const hb_channel_row *row)
{
    hb_buffer_print(context, "%.*s %.*s %" PRId64 "-%" PRId64 "\n", HB_PRINT(row->channel), HB_PRINT(row->room_id),
                    row->first_seen_s, row->last_seen_s);
    return true;
}

static bool print_progress(void *context, const hb_progress *progress, int64_t at_s)
{
    assert_true(at_s > hb_now_ms() / 1000 - 600 && at_s < hb_now_ms() / 1000 + 600);
    hb_buffer_print(context, "%" PRId64 " %" PRIu64 "-%" PRIu64 " %d %" PRIu64 "\n", progress->part, progress->start,
                    progress->position, progress->done, progress->late);
    return true;
}

static hb_bytes channel_name(unsigned number)
{
    static char names[CHANNELS][8];
    snprintf(names[number], sizeof names[number], "chan_%u", number);
    return hb_bytes_of(names[number]);
}

static void print_hour_rows(hb_store *store, hb_bytes channel, int64_t hour_s, hb_buffer *out)
{
    hb_error error = {0};
    for (hb_kind kind = 0; kind <= HB_KINDS; kind++)
        assert_true(hb_store_words(store, channel, hour_s, kind, print_word, out, &error));
    assert_true(hb_store_users(store, channel, hour_s, print_user, out, &error));
}

/* Everything, of the hours that are given. */
static char *print_store(hb_store *store, const int64_t *hours, size_t hour_count)
{
    hb_buffer out = {0};
    hb_error error = {0};
    const int64_t end_s = INT64_C(253402300800);
    for (unsigned i = 0; i < CHANNELS; i++) {
        const hb_bytes channel = channel_name(i);
        assert_true(hb_store_minutes(store, channel, 0, end_s, print_minute, &out, &error));
        assert_true(hb_store_sheets(store, channel, 0, end_s, print_sheet, &out, &error));
        assert_true(hb_store_moments(store, channel, 0, end_s, print_moment, &out, &error));
        assert_true(hb_store_moments(store, channel, hours[0] + 60, hours[0] + 3600, print_moment, &out, &error));
        for (size_t hour = 0; hour < hour_count; hour++)
            print_hour_rows(store, channel, hours[hour], &out);
    }
    for (size_t hour = 0; hour < hour_count; hour++) {
        assert_true(
            hb_store_minutes(store, HB_BYTES(""), hours[hour], hours[hour] + HB_HOUR_S, print_minute, &out, &error));
        assert_true(
            hb_store_minutes(store, channel_name(1), hours[hour] + 120, hours[hour] + 500, print_minute, &out, &error));
        assert_true(hb_store_sheets(store, channel_name(1), hours[hour] + 1, hours[hour] + HB_HOUR_S + 1, print_sheet,
                                    &out, &error));
    }
    assert_true(hb_store_minutes(store, HB_BYTES(""), hours[0] + 60, hours[0] + 3 * HB_HOUR_S - 60, print_minute, &out,
                                 &error));
    assert_true(hb_store_moments(store, HB_BYTES(""), 0, end_s, print_moment, &out, &error));
    assert_true(hb_store_moments(store, HB_BYTES(""), hours[0] + 60, hours[0] + HB_HOUR_S, print_moment, &out, &error));
    assert_true(hb_store_outdated(store, HB_WORDS_VERSION, print_hour, &out, &error));
    assert_true(hb_store_outdated(store, HB_WORDS_VERSION + 1, print_hour, &out, &error));
    assert_true(hb_store_channels(store, print_channel, &out, &error));
    assert_true(hb_store_progress(store, HB_LAYER_SPEED, print_progress, &out, &error));
    assert_true(hb_store_progress(store, HB_LAYER_BATCH, print_progress, &out, &error));
    hb_buffer_append_char(&out, '\0');
    return out.data;
}

static void assert_same(const int64_t *hours, size_t hour_count)
{
    char *const expected = print_store(stores[0], hours, hour_count);
    char *const found = print_store(stores[1], hours, hour_count);
    size_t at = 0;
    while (expected[at] != '\0' && expected[at] == found[at])
        at++;
    if (expected[at] != found[at])
        print_error("after %.200s\nSQLite has    %.200s\nCassandra has %.200s\n", expected + (at < 200 ? 0 : at - 200),
                    expected + at, found + at);
    assert_int_equal(expected[at], found[at]);
    free(expected);
    free(found);
}

/* ---- Changes by chance ---- */

typedef struct changes_room {
    hb_changes changes;
    hb_minute_row minutes[ROWS_MAX];
    hb_word_row words[ROWS_MAX];
    hb_user_row users[ROWS_MAX];
    hb_channel_row channels[CHANNELS];
    hb_sheet_row sheets[CHANNELS];
    hb_progress progress;
    hb_arena texts;
} changes_room;

static hb_bytes print_text(changes_room *room, const char *format, unsigned number)
{
    char text[64];
    snprintf(text, sizeof text, format, number);
    return hb_arena_copy(&room->texts, hb_bytes_of(text));
}

static void add_channel(changes_room *room, unsigned number, int64_t hour_s, unsigned value, bool open)
{
    static const char *const names[] = {"\xf0\x9f\x98\x80 %u", "it's %u", "caf\xc3\xa9%u"};
    hb_changes *const changes = &room->changes;
    const hb_bytes channel = channel_name(number);
    const bool replace = changes->replace != HB_REPLACE_NOTHING;
    for (unsigned minute = 0; minute < HB_HOUR_S / HB_MINUTE_S; minute += 1 + next_random(25)) {
        hb_minute_row *const row = &room->minutes[changes->minute_count++];
        *row = (hb_minute_row){channel,
                               hour_s + (int64_t)minute * HB_MINUTE_S,
                               {value, 3 * value, value / 2, value % 3, value % 5, value % 7}};
        if ((minute + number) % 3 == 0) { /* viewer samples do not go away within an hour */
            row->count.samples = 1 + value % 4;
            row->count.viewers_sum = 1000003 * (uint64_t)value;
            row->count.game = print_text(room, names[number % 3], value);
            row->count.title = print_text(room, "title %u", value);
        }
    }
    for (unsigned word = next_random(4); word < WORDS; word += 1 + next_random(4))
        room->words[changes->word_count++] =
            (hb_word_row){channel,
                          hour_s,
                          {word % HB_KINDS, print_text(room, names[word % 3], word), 1 + (value + word) % 5},
                          !replace && next_random(4) == 0};
    for (unsigned user = next_random(4); user < WORDS; user += 1 + next_random(4))
        room->users[changes->user_count++] =
            (hb_user_row){channel,
                          hour_s,
                          {print_text(room, "%u", user * 7), print_text(room, names[user % 3], value),
                           1 + (value + user) % 3, value, UINT64_C(1) << (value % 60)},
                          !replace && next_random(4) == 0};
    room->channels[changes->channel_count++] = (hb_channel_row){
        channel, number == 0 ? HB_BYTES("") : print_text(room, "room%u", number), hour_s, hour_s + HB_HOUR_S - 1};
    if (replace || next_random(2) == 0)
        room->sheets[changes->sheet_count++] =
            (hb_sheet_row){channel, hour_s, print_text(room, "sheet %u", value), open};
}

/* The first changes of an hour have all channels: what the batch layer replaces in Cassandra is what is known by then.
 */
static void make_changes(changes_room *room, int64_t hour_s, uint64_t position, bool first)
{
    *room = (changes_room){0};
    hb_changes *const changes = &room->changes;
    const unsigned sort = first ? 9 : next_random(10);
    changes->layer = sort == 0 ? HB_LAYER_BATCH : HB_LAYER_SPEED;
    changes->replace = sort <= 1 ? HB_REPLACE_HOUR : sort == 2 ? HB_REPLACE_CHANNELS : HB_REPLACE_NOTHING;
    changes->hour_s = hour_s;
    for (unsigned i = 0; i < CHANNELS; i++)
        if (first || next_random(3) > 0)
            add_channel(room, i, hour_s, (unsigned)position, next_random(2) == 0);
    room->progress = (hb_progress){
        .part = hour_s, .start = 11, .position = position, .done = next_random(2) == 0, .late = next_random(9)};
    changes->minutes = room->minutes;
    changes->words = room->words;
    changes->users = room->users;
    changes->channels = room->channels;
    changes->sheets = room->sheets;
    changes->progress = &room->progress;
    changes->progress_count = 1;
}

/* Hours long past, and the one that has just begun to lie behind, whose minutes stand in a table of their own too. */
static void both_tell_the_same(void **state)
{
    (void)state;
    const int64_t now_hour_s = hb_time_floor(hb_now_ms() / 1000, HB_HOUR_S);
    const int64_t hours[] = {HOUR, HOUR + HB_HOUR_S, HOUR + 30 * HB_DAY_S, now_hour_s - HB_HOUR_S};
    static changes_room room;
    chance = 20251124;
    assert_same(hours, 4);
    for (unsigned step = 1; step <= STEPS; step++) {
        make_changes(&room, hours[step <= 4 ? step - 1 : next_random(4)], step, step <= 4);
        apply(&room.changes);
        hb_arena_free(&room.texts);
        if (step % 4 == 0)
            assert_same(hours, 4);
    }
    assert_true(hb_store_generation(stores[1]) > 0);
    hb_store *const writer = stores[1];
    stores[1] = open_store(address, HB_STORE_READ);
    assert_same(hours, 4);
    hb_store_close(stores[1]);
    stores[1] = writer;
}

static void moments_are_the_same(void **state)
{
    (void)state;
    const int64_t hours[] = {HOUR, HOUR + HB_DAY_S};
    static changes_room room;
    hb_error error = {0};
    hb_moment_row rows[ROWS_MAX];
    hb_changes changes = {.moments = rows};
    chance = 5;
    make_changes(&room, HOUR, 1, true);
    apply(&room.changes);
    room.progress.part = HOUR + HB_DAY_S;
    for (size_t i = 0; i < room.changes.minute_count; i++)
        room.minutes[i].minute_s += HB_DAY_S;
    for (size_t i = 0; i < room.changes.channel_count; i++)
        room.channels[i].last_seen_s += HB_DAY_S;
    apply(&room.changes);
    for (unsigned round = 0; round < 12; round++) {
        changes.layer = round < 8 ? HB_LAYER_SPEED : HB_LAYER_BATCH;
        changes.moment_count = 0;
        for (unsigned i = 0; i < 40; i++)
            rows[changes.moment_count++] =
                (hb_moment_row){channel_name(i % CHANNELS),
                                hours[i % 2] + HB_MINUTE_S * (int64_t)(i + next_random(2) * 40) / 2,
                                .score = 5 + next_random(1000) / 100.0,
                                .usual = next_random(100) / 2.0,
                                .messages = next_random(1000),
                                .chatters = next_random(1000),
                                .words = HB_BYTES("[{\"kind\":\"word\",\"word\":\"caf\xc3\xa9\",\"count\":3}]"),
                                .gone = next_random(4) == 0};
        apply(&changes);
        assert_same(hours, 2);
    }
    changes.layer = HB_LAYER_SPEED; /* another worker, which does not know yet: the batch layer's stay */
    for (size_t i = 0; i < changes.moment_count; i++)
        rows[i].gone = true;
    apply_to(stores[1], &changes);
    assert_same(hours, 2);
    for (int i = 0; i < 2; i++)
        for (bool more = true; more;)
            assert_true(hb_store_forget(stores[i], HB_BYTES(""), HOUR + HB_DAY_S - HOUR % HB_DAY_S, &more, &error));
    assert_same(hours, 2);
    char *const left = print_store(stores[1], hours, 2);
    assert_null(strstr(left, "caf\xc3\xa9\",\"count\":3}] speed\nchan_0 17640000"));
    free(left);
    hb_arena_free(&room.texts);
}

static void what_is_forgotten_is_the_same(void **state)
{
    (void)state;
    const int64_t hours[] = {HOUR, HOUR + 23 * HB_HOUR_S, HOUR + 30 * HB_HOUR_S, HOUR + 100 * HB_HOUR_S};
    const int64_t before_s = hb_time_floor(HOUR, HB_DAY_S) + 2 * HB_DAY_S;
    static changes_room room;
    hb_error error = {0};
    chance = 7;
    for (unsigned step = 1; step <= 12; step++) {
        make_changes(&room, hours[step % 4], step, step <= 4);
        apply(&room.changes);
        hb_arena_free(&room.texts);
    }
    for (unsigned i = 0; i < 2; i++)
        for (unsigned number = 0; number <= CHANNELS; number++)
            for (bool more = true; more;)
                assert_true(hb_store_forget(stores[i], number == 0 ? HB_BYTES("") : channel_name(number - 1), before_s,
                                            &more, &error));
    assert_same(hours, 4);
    make_changes(&room, hours[3], 100, false);
    apply(&room.changes);
    hb_arena_free(&room.texts);
    assert_same(hours, 4);
}

/* ---- Order ---- */

static hb_changes one_of_each(changes_room *room, hb_layer layer, unsigned value, uint64_t position, bool open)
{
    *room = (changes_room){0};
    room->minutes[0] = (hb_minute_row){channel_name(0), HOUR, {.messages = value}};
    room->words[0] = (hb_word_row){channel_name(0), HOUR, {HB_WORD, HB_BYTES("word"), value}, false};
    room->users[0] = (hb_user_row){channel_name(0), HOUR, {HB_BYTES("1"), HB_BYTES("Ann"), value, value, 1}, false};
    room->channels[0] = (hb_channel_row){channel_name(0), HB_BYTES("9"), HOUR + 5 - value, HOUR + 5 + value};
    room->sheets[0] = (hb_sheet_row){channel_name(0), HOUR, value == 1 ? HB_BYTES("one") : HB_BYTES("two"), open};
    room->progress = (hb_progress){.part = HOUR, .position = position};
    return (hb_changes){.layer = layer,
                        .minutes = room->minutes,
                        .minute_count = 1,
                        .words = room->words,
                        .word_count = 1,
                        .users = room->users,
                        .user_count = 1,
                        .channels = room->channels,
                        .channel_count = 1,
                        .sheets = room->sheets,
                        .sheet_count = 1,
                        .progress = &room->progress,
                        .progress_count = 1,
                        .hour_s = HOUR};
}

static void assert_cassandra(const char *expected)
{
    const int64_t hours[] = {HOUR};
    char *const found = print_store(stores[1], hours, 1);
    if (strstr(found, expected) == NULL)
        print_error("there is no '%s' in\n%s", expected, found);
    assert_non_null(strstr(found, expected));
    free(found);
}

/* A worker that lost its partition and does not know yet writes behind the one that took over. */
static void older_positions_change_nothing(void **state)
{
    (void)state;
    static changes_room newer;
    static changes_room older;
    const hb_changes now = one_of_each(&newer, HB_LAYER_SPEED, 2, 500, true);
    hb_changes before = one_of_each(&older, HB_LAYER_SPEED, 1, 400, true);
    apply_to(stores[1], &now);
    for (hb_replace replace = HB_REPLACE_NOTHING; replace <= HB_REPLACE_CHANNELS; replace++) {
        before.replace = replace;
        apply_to(stores[1], &before);
        assert_cassandra("chan_0 1764000000 2,0,0,0,0,0 0/0 , speed\nchan_0 1764000000 two 1 speed 1\n");
        assert_cassandra("word:word=2 speed\n");
        assert_cassandra("1:Ann=2,2,1 speed\n");
        assert_cassandra("chan_0 9 1764000003-1764000007\n"); /* seen: the widest */
        assert_cassandra("1764000000 0-500 0 0\n");
    }
}

static void an_hour_closes_without_a_new_position(void **state)
{
    (void)state;
    static changes_room room;
    hb_changes changes = one_of_each(&room, HB_LAYER_SPEED, 2, 500, true);
    apply_to(stores[1], &changes);
    room.sheets[0].open = false;
    room.progress.done = true;
    apply_to(stores[1], &changes);
    assert_cassandra("chan_0 1764000000 two 0 speed 1\n");
    assert_cassandra("1764000000 0-500 1 0\n");
    room.sheets[0].open = true; /* an echo of the first */
    room.progress.done = false;
    apply_to(stores[1], &changes);
    assert_cassandra("chan_0 1764000000 two 0 speed 1\n");
    assert_cassandra("1764000000 0-500 1 0\n");
    changes.progress_count = 0; /* the last piece of a closing hour tells of progress, the others do not */
    room.words[0].gone = true;
    apply_to(stores[1], &changes);
    char *const found = print_store(stores[1], (const int64_t[]){HOUR}, 1);
    assert_null(strstr(found, "word:word"));
    free(found);
}

static void the_batch_layer_wins_whatever_comes_later(void **state)
{
    (void)state;
    static changes_room batch_room;
    static changes_room speed_room;
    hb_changes batch = one_of_each(&batch_room, HB_LAYER_BATCH, 1, 300, false);
    hb_changes speed = one_of_each(&speed_room, HB_LAYER_SPEED, 2, 900000, true);
    speed_room.words[0].word.text = HB_BYTES("wrong"); /* which is not among the batch layer's rows */
    batch.replace = HB_REPLACE_HOUR;
    apply_to(stores[1], &batch);
    for (hb_replace replace = HB_REPLACE_NOTHING; replace <= HB_REPLACE_CHANNELS; replace++) {
        speed.replace = replace;
        apply_to(stores[1], &speed);
        assert_cassandra("chan_0 1764000000 1,0,0,0,0,0 0/0 , batch\nchan_0 1764000000 one 0 batch 1\n");
        assert_cassandra("chan_0 1764000000 word:word=1 batch\nchan_0 1764000000 word:word=1 batch\nchan_0 1764000000 "
                         "1:Ann=1,1,1 batch\n");
    }
    batch_room.words[0].word.count = 7;
    apply_to(stores[1], &batch);
    assert_cassandra("word:word=7 batch\n");
}

/* Bytes that are no UTF-8, a word that is too long for a key, a sheet that is too large: passed over or repaired, never
 * refused for ever. */
static void what_cassandra_cannot_take_is_passed_over(void **state)
{
    (void)state;
    static changes_room room;
    enum { LONG = 70000, LARGE = 9 << 20 };
    char *const text = hb_alloc(LARGE);
    memset(text, 'x', LARGE);
    hb_changes changes = one_of_each(&room, HB_LAYER_SPEED, 2, 500, true);
    room.words[1] = room.words[0];
    room.words[1].word.text = (hb_bytes){text, LONG};
    room.users[0].user.id = HB_BYTES("1\xff\xc3");
    room.sheets[0].sheet = (hb_bytes){text, LARGE};
    changes.word_count = 2;
    apply_to(stores[1], &changes);
    assert_cassandra("chan_0 1764000000 1\xef\xbf\xbd\xef\xbf\xbd:Ann=2,2,1 speed\n");
    assert_cassandra("word:word=2 speed\n");
    free(text);
}

static void what_is_not_there_is_told(void **state)
{
    (void)state;
    hb_error error = {0};
    char missing[300];
    snprintf(missing, sizeof missing, "%s_missing", address);
    assert_null(hb_store_open(missing, HB_STORE_READ, &error));
    assert_int_equal(error.code, HB_ERROR_MISSING);
    assert_non_null(strstr(error.text, "there is no store at"));
    assert_null(hb_store_open("cassandra://127.0.0.1:1/x?password=secret", HB_STORE_READ, &error));
    assert_int_equal(error.code, HB_ERROR_NETWORK);
    assert_null(strstr(error.text, "secret"));
    assert_null(hb_store_open("cassandra://127.0.0.1:1/x?consistency=most", HB_STORE_WRITE, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_null(hb_store_open("cassandra://127.0.0.1:1/x?ca=/nowhere", HB_STORE_WRITE, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_null(hb_store_open("cassandra://127.0.0.1:1/x?tls=perhaps", HB_STORE_READ, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_null(hb_store_open("cassandra://127.0.0.1:1/x-y", HB_STORE_READ, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(both_tell_the_same),
        STORE_TEST(moments_are_the_same),
        STORE_TEST(what_is_forgotten_is_the_same),
        STORE_TEST(older_positions_change_nothing),
        STORE_TEST(an_hour_closes_without_a_new_position),
        STORE_TEST(the_batch_layer_wins_whatever_comes_later),
        STORE_TEST(what_cassandra_cannot_take_is_passed_over),
        STORE_TEST(what_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
