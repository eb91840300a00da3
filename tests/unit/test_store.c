/* test_store.c - the SQLite store: what goes in comes out, whole transactions or nothing, and clear refusals. */
#include "store_place.h"

#include "base/clock.h"
#include "base/memory.h"
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOUR = 1764000000 };

static hb_store *open_store(hb_store_mode mode)
{
    hb_error error = {0};
    hb_store *store = hb_store_open(path, mode, &error);
    if (store == NULL)
        print_error("%s\n", error.text);
    assert_non_null(store);
    return store;
}

static void expect_refusal(hb_store_mode mode, hb_code code, const char *says)
{
    hb_error error = {0};
    assert_null(hb_store_open(path, mode, &error));
    if (error.code != code || strstr(error.text, says) == NULL || strstr(error.text, path) == NULL)
        print_error("%d, not %d: %s\n", error.code, code, error.text);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.text, says));
    assert_non_null(strstr(error.text, path));
}

/* Runs SQL as somebody with the sqlite3 shell would. */
static void run_sql(const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
        print_error("%s\n", message);
    assert_null(message);
    sqlite3_close(db);
}

/* ---- Rows as lines of text, to compare at one glance ---- */

static bool print_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    hb_buffer_print(context, "%.*s+%d:%d,%d,%d,%d,%d,%d,%d/%d,%.*s,%.*s,%s ", HB_PRINT(row->channel),
                    (int)(row->minute_s - HOUR), (int)row->count.messages, (int)row->count.words,
                    (int)row->count.chatters, (int)row->count.shared, (int)row->count.new_chatters,
                    (int)row->count.subscriber_messages, (int)row->count.viewers_sum, (int)row->count.samples,
                    HB_PRINT(row->count.game), HB_PRINT(row->count.title), hb_layer_name(layer));
    return true;
}

static bool print_word(void *context, const hb_word_row *row, hb_layer layer)
{
    hb_buffer_print(context, "%s:%.*s=%d,%s ", hb_kind_name(row->word.kind), HB_PRINT(row->word.text),
                    (int)row->word.count, hb_layer_name(layer));
    return true;
}

static bool print_user(void *context, const hb_user_row *row, hb_layer layer)
{
    hb_buffer_print(context, "%.*s:%.*s=%d,%d,%llx,%s ", HB_PRINT(row->user.id), HB_PRINT(row->user.name),
                    (int)row->user.messages, (int)row->user.words, (unsigned long long)row->user.minutes,
                    hb_layer_name(layer));
    return true;
}

static bool print_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    hb_buffer_print(context, "%.*s+%d=%.*s,%d,%s,%d ", HB_PRINT(row->channel), (int)(row->hour_s - HOUR),
                    HB_PRINT(row->sheet), row->open, hb_layer_name(layer), words_version);
    return true;
}

static bool print_moment(void *context, const hb_moment_row *row, hb_layer layer)
{
    hb_buffer_print(context, "%.*s+%d:%.2f,%d,%d,%.1f,%.*s,%s ", HB_PRINT(row->channel), (int)(row->minute_s - HOUR),
                    row->score, (int)row->messages, (int)row->chatters, row->usual, HB_PRINT(row->words),
                    hb_layer_name(layer));
    return true;
}

static bool print_channel(void *context, const hb_channel_row *row)
{
    hb_buffer_print(context, "%.*s:%.*s,%d-%d ", HB_PRINT(row->channel), HB_PRINT(row->room_id), (int)row->first_seen_s,
                    (int)row->last_seen_s);
    return true;
}

static bool print_progress(void *context, const hb_progress *progress, int64_t at_s)
{
    assert_true(llabs(at_s - hb_now_ms() / 1000) < 600);
    hb_buffer_print(context, "%lld:%llu-%llu,%d,%d ", (long long)progress->part, (unsigned long long)progress->start,
                    (unsigned long long)progress->position, progress->done, (int)progress->late);
    return true;
}

typedef enum table {
    MINUTES,
    ALL_MINUTES,
    MOMENTS,
    ALL_MOMENTS,
    WORDS,
    EMOTES,
    USERS,
    SHEETS,
    CHANNELS,
    SPEED_PROGRESS,
    BATCH_PROGRESS
} table;

static void assert_rows(hb_store *store, table which, const char *expected)
{
    hb_buffer out = {0};
    hb_error error = {0};
    const hb_bytes xqc = HB_BYTES("xqc");
    bool good = false;
    switch (which) {
    case MINUTES:
        good = hb_store_minutes(store, xqc, HOUR, HOUR + 7200, print_minute, &out, &error);
        break;
    case ALL_MINUTES:
        good = hb_store_minutes(store, HB_BYTES(""), HOUR, HOUR + 7200, print_minute, &out, &error);
        break;
    case MOMENTS:
        good = hb_store_moments(store, xqc, HOUR, HOUR + 7200, print_moment, &out, &error);
        break;
    case ALL_MOMENTS:
        good = hb_store_moments(store, HB_BYTES(""), HOUR, HOUR + 7200, print_moment, &out, &error);
        break;
    case WORDS:
        good = hb_store_words(store, xqc, HOUR, HB_KINDS, print_word, &out, &error);
        break;
    case EMOTES:
        good = hb_store_words(store, xqc, HOUR, HB_EMOTE, print_word, &out, &error);
        break;
    case USERS:
        good = hb_store_users(store, xqc, HOUR, print_user, &out, &error);
        break;
    case SHEETS:
        good = hb_store_sheets(store, xqc, HOUR, HOUR + 7200, print_sheet, &out, &error);
        break;
    case CHANNELS:
        good = hb_store_channels(store, print_channel, &out, &error);
        break;
    case SPEED_PROGRESS:
    case BATCH_PROGRESS:
        good = hb_store_progress(store, which == SPEED_PROGRESS ? HB_LAYER_SPEED : HB_LAYER_BATCH, print_progress, &out,
                                 &error);
        break;
    }
    if (!good)
        print_error("%s\n", error.text);
    assert_true(good);
    assert_bytes(hb_buffer_bytes(&out), expected);
    hb_buffer_free(&out);
}

/* ---- What goes in comes out ---- */

static const hb_minute_row minutes[] = {
    {HB_BYTES("xqc"),
     HOUR + 60,
     {.messages = 7, .words = 30, .chatters = 3, .shared = 1, .new_chatters = 2, .subscriber_messages = 6}},
    {HB_BYTES("xqc"),
     HOUR,
     {.messages = 5,
      .words = 20,
      .chatters = 4,
      .viewers_sum = 100001,
      .samples = 3,
      .game = HB_BYTES("Just Chatting"),
      .title = HB_BYTES("caf\xc3\xa9")}},
    {HB_BYTES("asmongold"), HOUR + 60, {.messages = 1, .words = 2, .chatters = 1}},
    {HB_BYTES("xqc"), HOUR + 3600, {.messages = 2}},
};

static const hb_word_row words[] = {
    {HB_BYTES("xqc"), HOUR, {HB_WORD, HB_BYTES("lul"), 9}, false},
    {HB_BYTES("xqc"), HOUR, {HB_EMOTE, HB_BYTES("lul"), 9}, false},
    {HB_BYTES("xqc"), HOUR, {HB_EMOTE, HB_BYTES("Kappa"), 9}, false},
    {HB_BYTES("xqc"), HOUR, {HB_WORD, HB_BYTES("it's"), 12}, false},
    {HB_BYTES("xqc"), HOUR + 3600, {HB_WORD, HB_BYTES("later"), 1}, false},
    {HB_BYTES("asmongold"), HOUR, {HB_WORD, HB_BYTES("other"), 1}, false},
};

static const hb_user_row users[] = {
    {HB_BYTES("xqc"), HOUR, {HB_BYTES("12"), HB_BYTES("Ann"), 4, 10, 1}, false},
    {HB_BYTES("xqc"), HOUR, {HB_BYTES("100"), HB_BYTES("\xe5\x91\xa8"), 4, 12, 1ULL << 59}, false},
    {HB_BYTES("xqc"), HOUR, {HB_BYTES("7"), HB_BYTES("Zoe"), 5, 5, 3}, false},
};

static const hb_channel_row channels[] = {
    {HB_BYTES("xqc"), HB_BYTES("71092938"), HOUR + 5, HOUR + 90},
    {HB_BYTES("asmongold"), HB_BYTES(""), HOUR + 61, HOUR + 61},
};

static const hb_sheet_row sheets[] = {
    {HB_BYTES("xqc"), HOUR + 3600, HB_BYTES("two"), true},
    {HB_BYTES("xqc"), HOUR, HB_BYTES("one"), false},
    {HB_BYTES("asmongold"), HOUR, HB_BYTES("three"), false},
};

static const hb_progress progress[] = {{.part = HOUR + 3600, .position = UINT64_MAX / 4},
                                       {.part = HOUR, .start = 40, .position = 5000, .done = true, .late = 3}};

static const hb_changes everything = {.minutes = minutes,
                                      .minute_count = 4,
                                      .words = words,
                                      .word_count = 6,
                                      .users = users,
                                      .user_count = 3,
                                      .channels = channels,
                                      .channel_count = 2,
                                      .sheets = sheets,
                                      .sheet_count = 3,
                                      .progress = progress,
                                      .progress_count = 2};

static void assert_everything(hb_store *store)
{
    assert_rows(store, MINUTES,
                "xqc+0:5,20,4,0,0,0,100001/3,Just Chatting,caf\xc3\xa9,speed xqc+60:7,30,3,1,2,6,0/0,,,speed "
                "xqc+3600:2,0,0,0,0,0,0/0,,,speed ");
    assert_rows(store, ALL_MINUTES,
                "xqc+0:5,20,4,0,0,0,100001/3,Just Chatting,caf\xc3\xa9,speed asmongold+60:1,2,1,0,0,0,0/0,,,speed "
                "xqc+60:7,30,3,1,2,6,0/0,,,speed xqc+3600:2,0,0,0,0,0,0/0,,,speed ");
    assert_rows(store, WORDS, "word:it's=12,speed emote:Kappa=9,speed emote:lul=9,speed word:lul=9,speed ");
    assert_rows(store, EMOTES, "emote:Kappa=9,speed emote:lul=9,speed ");
    assert_rows(store, USERS, "7:Zoe=5,5,3,speed 100:\xe5\x91\xa8=4,12,800000000000000,speed 12:Ann=4,10,1,speed ");
    assert_rows(store, SHEETS, "xqc+0=one,0,speed,1 xqc+3600=two,1,speed,1 ");
    assert_rows(store, CHANNELS, "asmongold:,1764000061-1764000061 xqc:71092938,1764000005-1764000090 ");
    assert_rows(store, SPEED_PROGRESS, "1764000000:40-5000,1,3 1764003600:0-4611686018427387903,0,0 ");
    assert_rows(store, BATCH_PROGRESS, "");
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &everything);
    assert_everything(store);
    hb_store *reader = open_store(HB_STORE_READ);
    assert_everything(reader);
    apply(store, &everything); /* absolute values: twice is harmless */
    assert_everything(reader);
    hb_store_close(store);
    assert_everything(reader);
    hb_store_close(reader);
    store = open_store(HB_STORE_WRITE);
    assert_everything(store);
    hb_store_close(store);
}

static void later_values_replace_earlier_ones(void **state)
{
    (void)state;
    const hb_minute_row minute = {HB_BYTES("xqc"), HOUR, {.messages = 6, .words = 21, .chatters = 4}};
    const hb_word_row word[] = {{HB_BYTES("xqc"), HOUR, {HB_EMOTE, HB_BYTES("lul"), 0}, true},
                                {HB_BYTES("xqc"), HOUR, {HB_WORD, HB_BYTES("lul"), 10}, false}};
    const hb_user_row user[] = {{HB_BYTES("xqc"), HOUR, {HB_BYTES("7"), {NULL, 0}, 0, 0, 0}, true},
                                {HB_BYTES("xqc"), HOUR, {HB_BYTES("12"), HB_BYTES("ANN"), 5, 11, 3}, false}};
    const hb_channel_row channel[] = {{HB_BYTES("xqc"), HB_BYTES(""), HOUR + 20, HOUR + 50},
                                      {HB_BYTES("asmongold"), HB_BYTES("552120296"), HOUR, HOUR + 100}};
    const hb_sheet_row sheet = {HB_BYTES("xqc"), HOUR + 3600, HB_BYTES("more"), false};
    const hb_progress position = {.part = HOUR, .position = 6000, .done = true, .late = 4};
    const hb_changes changes = {.minutes = &minute,
                                .minute_count = 1,
                                .words = word,
                                .word_count = 2,
                                .users = user,
                                .user_count = 2,
                                .channels = channel,
                                .channel_count = 2,
                                .sheets = &sheet,
                                .sheet_count = 1,
                                .progress = &position,
                                .progress_count = 1};
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &everything);
    apply(store, &changes);
    assert_rows(store, MINUTES,
                "xqc+0:6,21,4,0,0,0,0/0,,,speed xqc+60:7,30,3,1,2,6,0/0,,,speed xqc+3600:2,0,0,0,0,0,0/0,,,speed ");
    assert_rows(store, WORDS, "word:it's=12,speed word:lul=10,speed emote:Kappa=9,speed ");
    assert_rows(store, USERS, "12:ANN=5,11,3,speed 100:\xe5\x91\xa8=4,12,800000000000000,speed ");
    assert_rows(store, CHANNELS, "asmongold:552120296,1764000000-1764000100 xqc:71092938,1764000005-1764000090 ");
    assert_rows(store, SHEETS, "xqc+0=one,0,speed,1 xqc+3600=more,0,speed,1 ");
    assert_rows(store, SPEED_PROGRESS, "1764000000:0-6000,1,4 1764003600:0-4611686018427387903,0,0 ");
    hb_store_close(store);
}

static bool stop_at_once(void *context, const hb_minute_row *row, hb_layer layer)
{
    (void)row;
    (void)layer;
    ++*(int *)context;
    return false;
}

static void a_visitor_may_stop(void **state)
{
    (void)state;
    hb_store *store = open_store(HB_STORE_WRITE);
    hb_error error = {0};
    int calls = 0;
    apply(store, &everything);
    assert_true(hb_store_minutes(store, HB_BYTES(""), 0, INT64_MAX, stop_at_once, &calls, &error));
    assert_int_equal(calls, 1);
    apply(store, &everything); /* a statement left open would keep this from writing */
    hb_store_close(store);
}

/* ---- Layers ---- */

static void the_batch_layer_replaces_an_hour_for_good(void **state)
{
    (void)state;
    const hb_minute_row minute = {HB_BYTES("xqc"), HOUR + 120, {.messages = 9}};
    const hb_word_row word = {HB_BYTES("xqc"), HOUR, {HB_WORD, HB_BYTES("true"), 3}, false};
    const hb_sheet_row sheet = {HB_BYTES("xqc"), HOUR, HB_BYTES("batch"), false};
    const hb_progress position = {.part = HOUR, .position = 7000, .done = true};
    const hb_changes batch = {.layer = HB_LAYER_BATCH,
                              .minutes = &minute,
                              .minute_count = 1,
                              .words = &word,
                              .word_count = 1,
                              .sheets = &sheet,
                              .sheet_count = 1,
                              .progress = &position,
                              .progress_count = 1,
                              .replace = HB_REPLACE_HOUR,
                              .hour_s = HOUR};
    static const char *const minutes_left = "xqc+120:9,0,0,0,0,0,0/0,,,batch xqc+3600:2,0,0,0,0,0,0/0,,,speed ";
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &everything);
    for (int round = 0; round < 2; round++) {
        apply(store, &batch);
        assert_rows(store, ALL_MINUTES, minutes_left);
        assert_rows(store, WORDS, "word:true=3,batch ");
        assert_rows(store, USERS, "");
        assert_rows(store, SHEETS, "xqc+0=batch,0,batch,1 xqc+3600=two,1,speed,1 ");
        assert_rows(store, BATCH_PROGRESS, "1764000000:0-7000,1,0 ");
    }
    /* A speed layer that starts late and counts the old hour again changes nothing in it, be it that it replaces what
     * an earlier run wrote; the hour behind it does change. */
    hb_changes again = everything;
    apply(store, &again);
    again.replace = HB_REPLACE_HOUR;
    again.hour_s = HOUR;
    apply(store, &again);
    assert_rows(store, ALL_MINUTES, minutes_left);
    assert_rows(store, WORDS, "word:true=3,batch ");
    assert_rows(store, USERS, "");
    assert_rows(store, SHEETS, "xqc+0=batch,0,batch,1 xqc+3600=two,1,speed,1 ");
    assert_rows(store, SPEED_PROGRESS, "1764000000:40-5000,1,3 1764003600:0-4611686018427387903,0,0 ");
    hb_error error = {0};
    hb_buffer out = {0};
    assert_true(hb_store_words(store, HB_BYTES("xqc"), HOUR + 3600, HB_KINDS, print_word, &out, &error));
    assert_bytes(hb_buffer_bytes(&out), "word:later=1,speed ");
    out.size = 0;
    assert_true(hb_store_sheets(store, HB_BYTES("asmongold"), 0, INT64_MAX, print_sheet, &out, &error));
    assert_true(hb_store_words(store, HB_BYTES("asmongold"), HOUR, HB_KINDS, print_word, &out, &error));
    assert_int_equal(out.size, 0);
    hb_buffer_free(&out);
    hb_store_close(store);
}

static void the_speed_layer_replaces_what_it_wrote_itself(void **state)
{
    (void)state;
    const hb_minute_row minute = {HB_BYTES("xqc"), HOUR + 120, {.messages = 9}};
    hb_changes changes = {.minutes = &minute, .minute_count = 1, .replace = HB_REPLACE_HOUR, .hour_s = HOUR};
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &everything);
    apply(store, &changes);
    assert_rows(store, ALL_MINUTES, "xqc+120:9,0,0,0,0,0,0/0,,,speed xqc+3600:2,0,0,0,0,0,0/0,,,speed ");
    assert_rows(store, WORDS, "");
    assert_rows(store, SHEETS, "xqc+3600=two,1,speed,1 ");
    changes.replace = HB_REPLACE_NOTHING; /* the hour is not closed to it */
    changes.words = words;
    changes.word_count = 1;
    apply(store, &changes);
    assert_rows(store, WORDS, "word:lul=9,speed ");
    hb_store_close(store);
}

/* What a worker does that counts some of the channels. */
static void only_channels_with_a_sheet_are_replaced(void **state)
{
    (void)state;
    const hb_minute_row minute = {HB_BYTES("xqc"), HOUR + 120, {.messages = 9}};
    const hb_sheet_row of_two_hours[] = {{HB_BYTES("xqc"), HOUR, HB_BYTES("new"), true},
                                         {HB_BYTES("asmongold"), HOUR + 3600, HB_BYTES("later"), true}};
    const hb_changes changes = {.minutes = &minute,
                                .minute_count = 1,
                                .sheets = of_two_hours,
                                .sheet_count = 2,
                                .replace = HB_REPLACE_CHANNELS,
                                .hour_s = HOUR};
    hb_store *store = open_store(HB_STORE_WRITE);
    hb_buffer out = {0};
    hb_error error = {0};
    apply(store, &everything);
    apply(store, &changes);
    assert_rows(
        store, ALL_MINUTES,
        "asmongold+60:1,2,1,0,0,0,0/0,,,speed xqc+120:9,0,0,0,0,0,0/0,,,speed xqc+3600:2,0,0,0,0,0,0/0,,,speed ");
    assert_rows(store, WORDS, "");
    assert_rows(store, USERS, "");
    assert_rows(store, SHEETS, "xqc+0=new,1,speed,1 xqc+3600=two,1,speed,1 ");
    assert_true(hb_store_words(store, HB_BYTES("asmongold"), HOUR, HB_KINDS, print_word, &out, &error));
    assert_true(hb_store_words(store, HB_BYTES("xqc"), HOUR + 3600, HB_KINDS, print_word, &out, &error));
    assert_bytes(hb_buffer_bytes(&out), "word:other=1,speed word:later=1,speed ");
    hb_buffer_free(&out);
    hb_store_close(store);
}

/* ---- Transactions ---- */

static void a_failing_apply_leaves_nothing(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_store *store = open_store(HB_STORE_WRITE);
    run_sql("CREATE TRIGGER refuse BEFORE INSERT ON progress WHEN NEW.position = 5000"
            " BEGIN SELECT RAISE(ABORT, 'refused by the test'); END");
    assert_false(hb_store_apply(store, &everything, &error));
    assert_int_equal(error.code, HB_ERROR_SYSTEM);
    assert_non_null(strstr(error.text, "refused by the test"));
    for (table which = MINUTES; which <= BATCH_PROGRESS; which++)
        assert_rows(store, which, "");
    run_sql("DROP TRIGGER refuse");
    apply(store, &everything); /* the same again */
    assert_everything(store);
    hb_store_close(store);
}

enum { MANY = 300 };

/* Every value of round n is n. */
static void apply_round(hb_store *store, int round)
{
    static hb_minute_row many[MANY];
    char sheet[16];
    snprintf(sheet, sizeof sheet, "%d", round);
    for (int i = 0; i < MANY; i++)
        many[i] = (hb_minute_row){HB_BYTES("xqc"), HOUR + i * 60, {.messages = (uint64_t)round}};
    const hb_sheet_row row = {HB_BYTES("xqc"), HOUR, hb_bytes_of(sheet), true};
    const hb_progress position = {.part = HOUR, .position = (uint64_t)round};
    apply(store, &(hb_changes){.minutes = many,
                               .minute_count = MANY,
                               .sheets = &row,
                               .sheet_count = 1,
                               .progress = &position,
                               .progress_count = 1});
}

typedef struct rounds {
    uint64_t first;
    int rows;
    bool same;
} rounds;

static bool compare_round(void *context, const hb_minute_row *row, hb_layer layer)
{
    rounds *seen = context;
    (void)layer;
    if (seen->rows++ == 0)
        seen->first = row->count.messages;
    seen->same = seen->same && row->count.messages == seen->first;
    return true;
}

static bool take_position(void *context, const hb_progress *position, int64_t at_s)
{
    (void)at_s;
    *(uint64_t *)context = position->position;
    return true;
}

static uint64_t read_round(hb_store *store)
{
    hb_error error = {0};
    rounds seen = {.same = true};
    assert_true(hb_store_minutes(store, HB_BYTES("xqc"), 0, INT64_MAX, compare_round, &seen, &error));
    assert_true(seen.same);
    assert_true(seen.rows == 0 || seen.rows == MANY);
    return seen.first;
}

static pid_t start_writer(void)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    hb_error error = {0};
    hb_store *store = hb_store_open(path, HB_STORE_WRITE, &error);
    if (store == NULL)
        _exit(3);
    for (int round = (int)read_round(store) + 1;; round++)
        apply_round(store, round);
}

static void a_killed_writer_leaves_whole_transactions(void **state)
{
    (void)state;
    uint64_t last = 0;
    srand(7);
    for (int kill_number = 0; kill_number < 12; kill_number++) {
        const pid_t child = start_writer();
        usleep(30000 + (unsigned)rand() % 60000);
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        if (access(path, F_OK) != 0)
            continue; /* killed before it began */
        hb_error error = {0};
        hb_store *store = open_store(HB_STORE_WRITE); /* the lock has gone with the process */
        uint64_t position = 0;
        const uint64_t round = read_round(store);
        assert_true(hb_store_progress(store, HB_LAYER_SPEED, take_position, &position, &error));
        assert_int_equal(round, position);
        assert_true(round >= last);
        last = round;
        hb_store_close(store);
    }
    assert_true(last > 0);
}

static void a_reader_beside_a_writer_sees_whole_transactions(void **state)
{
    (void)state;
    hb_store_close(open_store(HB_STORE_WRITE));
    const pid_t child = start_writer();
    hb_store *reader = open_store(HB_STORE_READ);
    int changes = 0;
    uint64_t last = 0;
    for (const int64_t end_ms = hb_monotonic_ms() + 10000; changes < 20 && hb_monotonic_ms() < end_ms;) {
        const uint64_t round = read_round(reader);
        assert_true(round >= last);
        changes += round != last;
        last = round;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(changes, 20);
    hb_store_close(reader);
}

static off_t wal_size(void)
{
    char wal[128];
    struct stat info;
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &info), 0);
    return info.st_size;
}

static void the_log_of_writes_stays_bounded(void **state)
{
    (void)state;
    hb_store *store = open_store(HB_STORE_WRITE);
    hb_store *reader = open_store(HB_STORE_READ);
    off_t largest = 0;
    for (int round = 1; round <= 800; round++) {
        apply_round(store, round);
        if (round % 7 == 0)
            assert_int_equal(read_round(reader), round);
        if (wal_size() > largest)
            largest = wal_size();
    }
    assert_true(largest < 8 << 20);
    hb_store_close(reader);
    hb_store_close(store);
}

/* A program that holds on to an old state lets the log of writes grow; once it lets go, the log starts anew. */
static void a_reader_that_stays_only_delays(void **state)
{
    (void)state;
    hb_store *store = open_store(HB_STORE_WRITE);
    apply_round(store, 1);
    sqlite3 *guest = NULL;
    assert_int_equal(sqlite3_open(path, &guest), SQLITE_OK);
    assert_int_equal(sqlite3_exec(guest, "BEGIN; SELECT count(*) FROM wordcount", NULL, NULL, NULL), SQLITE_OK);
    int round = 2;
    while (wal_size() < 66 << 20)
        apply_round(store, round++);
    assert_int_equal(sqlite3_exec(guest, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(guest);
    const off_t largest = wal_size() + (8 << 20);
    for (int i = 0; i < 1500; i++)
        apply_round(store, round++);
    assert_true(wal_size() < largest);
    assert_true(wal_size() <= 64 << 20);
    assert_int_equal(read_round(store), round - 1);
    hb_store_close(store);
}

static void the_generation_changes_with_every_commit(void **state)
{
    (void)state;
    hb_store *store = open_store(HB_STORE_WRITE);
    hb_store *reader = open_store(HB_STORE_READ);
    uint64_t seen = hb_store_generation(reader);
    uint64_t own = hb_store_generation(store);
    for (int round = 1; round < 50; round++) {
        assert_int_equal(hb_store_generation(reader), seen);
        assert_int_equal(hb_store_generation(store), own);
        apply_round(store, round);
        assert_true(hb_store_generation(reader) > seen);
        assert_true(hb_store_generation(store) > own);
        seen = hb_store_generation(reader);
        own = hb_store_generation(store);
    }
    hb_store_close(reader);
    hb_store_close(store);
}

/* ---- Moments ---- */

static const hb_moment_row moments[] = {
    {HB_BYTES("xqc"), HOUR + 60, 5.25, 10.5, 60, 30, HB_BYTES("[1]"), false},
    {HB_BYTES("xqc"), HOUR + 3600, 6, 10, 70, 40, HB_BYTES("[2]"), false},
    {HB_BYTES("asmongold"), HOUR + 60, 7, 8, 90, 50, HB_BYTES("[3]"), false},
    {HB_BYTES("xqc"), HOUR + 7200, 8, 8, 90, 50, HB_BYTES("[4]"), false},
};

static void moments_are_put_and_removed(void **state)
{
    (void)state;
    hb_moment_row row = {HB_BYTES("xqc"), HOUR + 60, 9, 1, 2, 3, HB_BYTES("[5]"), false};
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &(hb_changes){.moments = moments, .moment_count = 4});
    assert_rows(store, MOMENTS, "xqc+60:5.25,60,30,10.5,[1],speed xqc+3600:6.00,70,40,10.0,[2],speed ");
    assert_rows(store, ALL_MOMENTS,
                "asmongold+60:7.00,90,50,8.0,[3],speed xqc+60:5.25,60,30,10.5,[1],speed "
                "xqc+3600:6.00,70,40,10.0,[2],speed ");
    apply(store, &(hb_changes){.layer = HB_LAYER_BATCH, .moments = &row, .moment_count = 1});
    assert_rows(store, MOMENTS, "xqc+60:9.00,2,3,1.0,[5],batch xqc+3600:6.00,70,40,10.0,[2],speed ");
    row.gone = true;
    apply(store, &(hb_changes){.moments = &row, .moment_count = 1});
    apply(store, &(hb_changes){.moments = &row, .moment_count = 1}); /* is gone already */
    assert_rows(store, MOMENTS, "xqc+3600:6.00,70,40,10.0,[2],speed ");
    hb_store_close(store);
}

/* An hour that the batch layer has replaced keeps its moments until they are found anew, and the speed layer has no say
 * in them. */
static void moments_of_a_replaced_hour_are_the_batch_layers(void **state)
{
    (void)state;
    hb_moment_row row = moments[0];
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &(hb_changes){.moments = moments, .moment_count = 2});
    apply(store, &(hb_changes){.layer = HB_LAYER_BATCH, .replace = HB_REPLACE_HOUR, .hour_s = HOUR});
    assert_rows(store, MOMENTS, "xqc+60:5.25,60,30,10.5,[1],speed xqc+3600:6.00,70,40,10.0,[2],speed ");
    row.gone = true;
    apply(store, &(hb_changes){.moments = &row, .moment_count = 1});
    assert_rows(store, MOMENTS, "xqc+60:5.25,60,30,10.5,[1],speed xqc+3600:6.00,70,40,10.0,[2],speed ");
    apply(store, &(hb_changes){.layer = HB_LAYER_BATCH, .moments = &row, .moment_count = 1});
    assert_rows(store, MOMENTS, "xqc+3600:6.00,70,40,10.0,[2],speed ");
    hb_store_close(store);
}

static void old_moments_are_forgotten(void **state)
{
    (void)state;
    hb_error error = {0};
    bool more = true;
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &(hb_changes){.moments = moments, .moment_count = 2});
    for (int steps = 0; more && steps < 10; steps++)
        assert_true(hb_store_forget(store, HB_BYTES(""), HOUR + 3600, &more, &error));
    assert_rows(store, MOMENTS, "xqc+3600:6.00,70,40,10.0,[2],speed ");
    hb_store_close(store);
}

/* ---- Refusals ---- */

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    hb_store *store = open_store(HB_STORE_WRITE);
    expect_refusal(HB_STORE_WRITE, HB_ERROR_BUSY, "another hubbub is writing");
    hb_store_close(open_store(HB_STORE_READ));
    apply(store, &everything);
    hb_store_close(store);
    hb_store_close(open_store(HB_STORE_WRITE));
}

static void a_reader_cannot_write(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_store *store = open_store(HB_STORE_WRITE);
    hb_store *reader = open_store(HB_STORE_READ);
    assert_false(hb_store_apply(reader, &everything, &error));
    assert_rows(store, MINUTES, "");
    hb_store_close(reader);
    hb_store_close(store);
}

static void write_file(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void what_is_no_store_is_refused(void **state)
{
    (void)state;
    expect_refusal(HB_STORE_READ, HB_ERROR_MISSING, "there is no store");
    assert_int_equal(access(path, F_OK), -1);
    write_file(path, "", 0);
    expect_refusal(HB_STORE_READ, HB_ERROR_MISSING, "empty");
    hb_store_close(open_store(HB_STORE_WRITE));
    static char garbage[20000];
    memset(garbage, 'g', sizeof garbage);
    write_file(path, garbage, sizeof garbage);
    expect_refusal(HB_STORE_READ, HB_ERROR_CORRUPT, "no hubbub store");
    expect_refusal(HB_STORE_WRITE, HB_ERROR_CORRUPT, "no hubbub store");
    assert_int_equal(unlink(path), 0);
    run_sql("CREATE TABLE diary(entry TEXT)");
    expect_refusal(HB_STORE_READ, HB_ERROR_CORRUPT, "no hubbub store");
    expect_refusal(HB_STORE_WRITE, HB_ERROR_CORRUPT, "no hubbub store");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    expect_refusal(HB_STORE_READ, HB_ERROR_SYSTEM, "directory");
    expect_refusal(HB_STORE_WRITE, HB_ERROR_SYSTEM, "directory");
}

static void a_place_that_cannot_be_is_refused(void **state)
{
    (void)state;
    const size_t size = strlen(path);
    snprintf(path + size, sizeof path - size, "/x/y.db");
    expect_refusal(HB_STORE_WRITE, HB_ERROR_SYSTEM, "cannot make the directory");
    expect_refusal(HB_STORE_READ, HB_ERROR_MISSING, "there is no store");
    path[size] = '\0';
    write_file(path, "", 0);
    snprintf(path + size, sizeof path - size, "/y.db");
    expect_refusal(HB_STORE_WRITE, HB_ERROR_SYSTEM, "Not a directory");
}

static void a_newer_format_is_refused(void **state)
{
    (void)state;
    hb_store_close(open_store(HB_STORE_WRITE));
    run_sql("PRAGMA user_version = 9999");
    expect_refusal(HB_STORE_READ, HB_ERROR_VERSION, "newer hubbub");
    expect_refusal(HB_STORE_WRITE, HB_ERROR_VERSION, "newer hubbub");
}

static void the_second_format_is_taken_over(void **state)
{
    (void)state;
    static const char *const before = "1764000000:0-5000,1,3 1764003600:0-4611686018427387903,0,0 ";
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &everything);
    hb_store_close(store);
    run_sql(
        "DROP TABLE moments; ALTER TABLE progress DROP COLUMN start; ALTER TABLE wordcount DROP COLUMN new_chatters;"
        "ALTER TABLE wordcount DROP COLUMN subscriber_messages; PRAGMA user_version = 2");
    hb_store *reader = open_store(HB_STORE_READ);
    assert_rows(reader, SPEED_PROGRESS, before);
    assert_rows(reader, MINUTES,
                "xqc+0:5,20,4,0,0,0,100001/3,Just Chatting,caf\xc3\xa9,speed xqc+60:7,30,3,1,0,0,0/0,,,speed "
                "xqc+3600:2,0,0,0,0,0,0/0,,,speed ");
    assert_rows(reader, ALL_MOMENTS, "");
    store = open_store(HB_STORE_WRITE);
    assert_rows(store, SPEED_PROGRESS, before);
    assert_rows(reader, SPEED_PROGRESS, before);
    apply(store, &everything);
    assert_everything(store);
    assert_everything(reader);
    hb_store_close(reader);
    hb_store_close(store);
}

/* Overwrites each page but the first in turn: an error that names the file, or an answer, but never a crash. */
static void a_damaged_store_is_told(void **state)
{
    (void)state;
    static char noise[4096];
    memset(noise, 0xa5, sizeof noise);
    hb_store *store = open_store(HB_STORE_WRITE);
    apply(store, &everything);
    apply_round(store, 1);
    hb_store_close(store);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    char *good = hb_alloc((size_t)info.st_size);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(good, 1, (size_t)info.st_size, file), (size_t)info.st_size);
    fclose(file);
    int told = 0;
    for (off_t at = 4096; at < info.st_size; at += 4096) {
        char *bad = hb_alloc((size_t)info.st_size);
        memcpy(bad, good, (size_t)info.st_size);
        memcpy(bad + at, noise, sizeof noise);
        write_file(path, bad, (size_t)info.st_size);
        free(bad);
        hb_error error = {0};
        hb_store *reader = hb_store_open(path, HB_STORE_READ, &error);
        int rows = 0;
        hb_buffer out = {0};
        const hb_bytes xqc = HB_BYTES("xqc");
        if (reader == NULL || !hb_store_minutes(reader, xqc, 0, INT64_MAX, stop_at_once, &rows, &error) ||
            !hb_store_words(reader, xqc, HOUR, HB_KINDS, print_word, &out, &error) ||
            !hb_store_users(reader, xqc, HOUR, print_user, &out, &error) ||
            !hb_store_sheets(reader, xqc, 0, INT64_MAX, print_sheet, &out, &error) ||
            !hb_store_channels(reader, print_channel, &out, &error)) {
            assert_int_equal(error.code, HB_ERROR_CORRUPT);
            assert_non_null(strstr(error.text, path));
            told++;
        }
        hb_buffer_free(&out);
        hb_store_close(reader);
    }
    free(good);
    assert_true(told >= 5);
}

#ifndef HB_WITH_CQL
static void a_hubbub_without_cassandra_says_so(void **state)
{
    hb_error error = {0};
    (void)state;
    assert_null(hb_store_open("cassandra://127.0.0.1/hubbub?password=secret", HB_STORE_READ, &error));
    assert_int_equal(error.code, HB_ERROR_MISSING);
    assert_non_null(strstr(error.text, "cassandra://127.0.0.1/hubbub: this hubbub was built without Cassandra"));
    assert_null(strstr(error.text, "secret"));
}
#endif

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_goes_in_comes_out),
        STORE_TEST(later_values_replace_earlier_ones),
        STORE_TEST(a_visitor_may_stop),
        STORE_TEST(the_batch_layer_replaces_an_hour_for_good),
        STORE_TEST(the_speed_layer_replaces_what_it_wrote_itself),
        STORE_TEST(only_channels_with_a_sheet_are_replaced),
        STORE_TEST(a_failing_apply_leaves_nothing),
        STORE_TEST(a_killed_writer_leaves_whole_transactions),
        STORE_TEST(a_reader_beside_a_writer_sees_whole_transactions),
        STORE_TEST(the_log_of_writes_stays_bounded),
        STORE_TEST(a_reader_that_stays_only_delays),
        STORE_TEST(the_generation_changes_with_every_commit),
        STORE_TEST(moments_are_put_and_removed),
        STORE_TEST(moments_of_a_replaced_hour_are_the_batch_layers),
        STORE_TEST(old_moments_are_forgotten),
        STORE_TEST(a_second_writer_is_refused),
        STORE_TEST(a_reader_cannot_write),
        STORE_TEST(what_is_no_store_is_refused),
        STORE_TEST(a_place_that_cannot_be_is_refused),
        STORE_TEST(a_newer_format_is_refused),
        STORE_TEST(the_second_format_is_taken_over),
        STORE_TEST(a_damaged_store_is_told),
#ifndef HB_WITH_CQL
        cmocka_unit_test(a_hubbub_without_cassandra_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
