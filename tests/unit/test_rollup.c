/* test_rollup.c - days, weeks and months: answers are the same with and without them, whatever changes in between; and
 * what is too old goes, and nothing else. */
#include "store_place.h"

#include "base/clock.h"
#include "log/log.h"
#include "serve/answer.h"
#include "store/rollup.h"
#include "store/upkeep.h"
#include "views/sheet.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FIRST_HOUR = 1764439200, /* 2025-11-29T18 */
    DECEMBER = 1764547200,
    HOURS = 80,
    NOW = FIRST_HOUR + 40 * HB_DAY_S,
    KEYS = 12
};

static hb_store *open_store(const char *name, hb_store_mode mode)
{
    hb_error error = {0};
    char place[128];
    snprintf(place, sizeof place, "%s/%s", directory, name);
    hb_store *store = hb_store_open(place, mode, &error);
    if (store == NULL)
        print_error("%s\n", error.text);
    assert_non_null(store);
    return store;
}

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)rand() % sides;
}

static char *ask(hb_store *store, const hb_question *question)
{
    hb_error error = {0};
    hb_buffer out = {0};
    hb_answer *answer = hb_answer_open(store, question, NOW, &error);
    if (answer == NULL)
        print_error("%s\n", error.text);
    assert_non_null(answer);
    hb_answer_print(answer, HB_FORMAT_JSON, &out);
    hb_answer_close(answer);
    char *text = hb_copy_text(hb_buffer_bytes(&out));
    hb_buffer_free(&out);
    return text;
}

/* ---- Hours at random ---- */

static const hb_bytes channels[] = {{"abc", 3}, {"quiet", 5}, {"xqc", 3}};
enum { CHANNELS = 3 };

typedef struct hour_made { /* all of an hour, to be handed to a store */
    hb_minute_row minutes[CHANNELS];
    hb_word_row words[CHANNELS * KEYS];
    hb_user_row users[CHANNELS * KEYS];
    hb_sheet_row sheets[CHANNELS];
    hb_channel_row rows[CHANNELS];
    hb_progress progress;
    hb_changes changes;
} hour_made;

static const char *const keys[KEYS] = {"1", "10", "2", "a", "aa", "b", "Kappa", "LUL", "z", "07", "x y", "\xc3\xa9"};
static const char *const names[] = {"", "Ann", "Bob", "Zoe"};

static void make_channel(hour_made *made, hb_bytes channel, int64_t hour_s, bool open, bool with_sheet)
{
    hb_changes *const changes = &made->changes;
    hb_sheet *sheet = hb_sheet_open(channel, hour_s);
    hb_minute_row *minute = &made->minutes[changes->minute_count++];
    *minute = (hb_minute_row){.channel = channel, .minute_s = hour_s + 60 * dice(60)};
    for (int i = 0; i < KEYS; i++) {
        const hb_bytes text = hb_bytes_of(keys[i]);
        const uint32_t count = dice(3) * dice(4);
        const hb_kind kind = (hb_kind)dice(2);
        const uint32_t fresh = open ? dice(3) : 0; /* counted since the sheet was written */
        if (count > 0) {
            hb_sheet_add_word(sheet, kind, text, hb_sheet_word_hash(kind, text), count, false);
            hb_sheet_user *user = hb_sheet_find_user(sheet, text, hb_hash(text, 0), false);
            hb_sheet_add_user(sheet, user, count, count * 2, 1);
            hb_sheet_name_user(sheet, user, hb_bytes_of(names[dice(4)]), dice(3600000));
        }
        if (count + fresh == 0)
            continue;
        minute->count.words += count + fresh;
        minute->count.messages += count + fresh;
        made->words[changes->word_count++] = (hb_word_row){channel, hour_s, {kind, text, count + fresh}, false};
        made->users[changes->user_count++] = (hb_user_row){
            channel, hour_s, {text, hb_bytes_of(names[dice(4)]), count + fresh, (count + fresh) * 2, 1}, false};
    }
    char *data = NULL;
    size_t size = 0;
    hb_sheet_encode(sheet, &data, &size);
    hb_sheet_close(sheet);
    if (with_sheet)
        made->sheets[changes->sheet_count++] = (hb_sheet_row){channel, hour_s, {data, size}, open};
    else
        hb_free(data);
}

/* An hour as one of the layers would write it: closed, going on, or without its sheets. */
static void make_hour(hour_made *made, int64_t hour_s)
{
    const uint32_t how = dice(50);
    const bool open = how == 0;
    const bool batch = !open && dice(4) == 0;
    *made = (hour_made){0};
    made->progress = (hb_progress){.part = hour_s, .position = 1, .done = !open};
    for (int i = 0; i < CHANNELS; i++) {
        made->rows[i] = (hb_channel_row){channels[i], HB_BYTES("7"), hour_s, hour_s};
        if (dice(i == 1 ? 9 : 2) == 0)
            make_channel(made, channels[i], hour_s, open, how != 1);
    }
    hb_changes *const changes = &made->changes;
    changes->layer = batch ? HB_LAYER_BATCH : HB_LAYER_SPEED;
    changes->replace = HB_REPLACE_HOUR;
    changes->hour_s = hour_s;
    changes->minutes = made->minutes;
    changes->words = made->words;
    changes->users = made->users;
    changes->sheets = made->sheets;
    changes->channels = made->rows;
    changes->channel_count = CHANNELS;
    changes->progress = &made->progress;
    changes->progress_count = 1;
}

static void free_hour(hour_made *made)
{
    for (size_t i = 0; i < made->changes.sheet_count; i++)
        hb_free((char *)(uintptr_t)made->sheets[i].sheet.data);
}

static void change_hour(int64_t hour_s, hb_store *const *stores, size_t count)
{
    static hour_made made;
    make_hour(&made, hour_s);
    for (size_t i = 0; i < count; i++)
        apply(stores[i], &made.changes);
    free_hour(&made);
}

static bool count_standing(void *context, hb_span span, int64_t start_s, hb_rollup_state state)
{
    (void)start_s;
    ((int *)context)[span] += state == HB_ROLLUP_STANDS;
    return true;
}

static void step(hb_rollup *rollup, int times)
{
    bool more = true;
    static int64_t now_s = NOW;
    now_s += 61; /* past its rest between two looks */
    for (int i = 0; more && i < times; i++) {
        hb_error error = {0};
        assert_true(hb_rollup_step(rollup, INT64_MIN, now_s, &more, &error));
    }
}

static hb_question some_question(void)
{
    const int first = (int)dice(HOURS);
    const int last = first + 1 + (int)dice((uint32_t)(HOURS - first));
    hb_question question = {.kind = dice(2) == 0 ? HB_ASK_WORDS : HB_ASK_USERS,
                            .channel = channels[dice(CHANNELS)],
                            .from_s = FIRST_HOUR + first * HB_HOUR_S,
                            .to_s = FIRST_HOUR + last * HB_HOUR_S,
                            .limit = 1 + dice(dice(2) == 0 ? 5 : 100),
                            .word_kind = dice(3) == 0 ? HB_EMOTE : HB_KINDS};
    if (dice(3) == 0) { /* from or to borders of days and months */
        question.from_s = dice(2) == 0 ? hb_time_floor(question.from_s, HB_DAY_S) : hb_time_month(question.from_s);
        question.to_s = dice(2) == 0 ? DECEMBER : NOW;
        if (question.from_s >= question.to_s)
            question.to_s = NOW;
    }
    return question;
}

static void any_range_is_answered_as_the_hours_alone_do(void **state)
{
    (void)state;
    int standing[HB_SPANS] = {0};
    srand(17);
    for (int round = 0; round < 12; round++) {
        assert_int_equal(make_directory(state), 0);
        hb_store *stores[] = {open_store("rolled.db", HB_STORE_WRITE), open_store("plain.db", HB_STORE_WRITE)};
        hb_rollup *rollup = hb_rollup_open(stores[0]);
        for (int h = 0; h < HOURS; h++)
            if (dice(8) > 0)
                change_hour(FIRST_HOUR + h * HB_HOUR_S, stores, 2);
        for (int turn = 0; turn < 120; turn++) {
            hb_error error = {0};
            if (dice(3) == 0)
                change_hour(FIRST_HOUR + dice(HOURS) * HB_HOUR_S, stores, 2);
            step(rollup, (int)dice(turn % 5 == 0 ? 60 : 6));
            if (dice(20) == 0) { /* as after a restart */
                hb_rollup_close(rollup);
                rollup = hb_rollup_open(stores[0]);
            }
            const hb_question question = some_question();
            char *found = ask(stores[0], &question);
            char *expected = ask(stores[1], &question);
            assert_string_equal(found, expected);
            free(found);
            free(expected);
            assert_true(hb_store_rollups(stores[0], question.from_s, question.to_s, count_standing, standing, &error));
        }
        hb_rollup_close(rollup);
        hb_store_close(stores[0]);
        hb_store_close(stores[1]);
        assert_int_equal(remove_directory(state), 0);
    }
    assert_true(standing[HB_SPAN_DAY] > 100);
    assert_true(standing[HB_SPAN_WEEK] > 20);
    assert_true(standing[HB_SPAN_MONTH] > 20);
}

/* ---- What stands ---- */

static bool print_rollup(void *context, hb_span span, int64_t start_s, hb_rollup_state state)
{
    static const char *const spans[] = {"day", "week", "month"};
    hb_buffer_print(context, "%s%+d:%d ", spans[span], (int)((start_s - DECEMBER) / HB_DAY_S), state);
    return true;
}

static void assert_rollups(hb_store *store, const char *expected)
{
    hb_buffer out = {0};
    hb_error error = {0};
    assert_true(hb_store_rollups(store, 0, INT64_MAX, print_rollup, &out, &error));
    assert_bytes(hb_buffer_bytes(&out), expected);
    hb_buffer_free(&out);
}

/* An hour of channel xqc with one word. */
static void write_hour(hb_store *store, int64_t hour_s, const char *word, hb_layer layer, bool open, bool with_sheet)
{
    char *data = NULL;
    size_t size = 0;
    const hb_bytes xqc = HB_BYTES("xqc");
    const hb_bytes text = hb_bytes_of(word);
    hb_sheet *sheet = hb_sheet_open(xqc, hour_s);
    hb_sheet_add_word(sheet, HB_WORD, text, hb_sheet_word_hash(HB_WORD, text), 1, false);
    hb_sheet_encode(sheet, &data, &size);
    hb_sheet_close(sheet);
    const hb_sheet_row row = {xqc, hour_s, {data, size}, open};
    const hb_minute_row minute = {.channel = xqc, .minute_s = hour_s, .count = {.messages = 1, .words = 1}};
    const hb_word_row of_word = {xqc, hour_s, {HB_WORD, text, 1}, false};
    const hb_user_row of_user = {xqc, hour_s, {HB_BYTES("1"), HB_BYTES("Ann"), 1, 1, 1}, false};
    const hb_channel_row channel = {xqc, HB_BYTES("7"), hour_s, hour_s};
    const hb_progress progress = {.part = hour_s, .position = 5, .done = !open};
    apply(store, &(hb_changes){.layer = layer,
                               .replace = HB_REPLACE_HOUR,
                               .hour_s = hour_s,
                               .minutes = &minute,
                               .minute_count = 1,
                               .words = &of_word,
                               .word_count = 1,
                               .users = &of_user,
                               .user_count = 1,
                               .channels = &channel,
                               .channel_count = 1,
                               .sheets = &row,
                               .sheet_count = with_sheet ? 1 : 0,
                               .progress = &progress,
                               .progress_count = 1});
    hb_free(data);
}

static void a_rollup_falls_with_any_change_of_its_hours(void **state)
{
    (void)state;
    hb_store *store = open_store("falls.db", HB_STORE_WRITE);
    hb_rollup *rollup = hb_rollup_open(store);
    write_hour(store, DECEMBER - 25 * HB_HOUR_S, "a", HB_LAYER_SPEED, false, true);
    write_hour(store, DECEMBER - HB_HOUR_S, "b", HB_LAYER_SPEED, false, true);
    write_hour(store, DECEMBER, "c", HB_LAYER_SPEED, true, true); /* goes on */
    step(rollup, 100);
    assert_rollups(store, "month-30:1 week-7:1 day-2:1 day-1:1 ");
    write_hour(store, DECEMBER, "c", HB_LAYER_SPEED, false, true);
    step(rollup, 100);
    assert_rollups(store, "month-30:1 month+0:1 week-7:1 week+0:1 day-2:1 day-1:1 day+0:1 ");
    write_hour(store, DECEMBER - HB_HOUR_S, "late", HB_LAYER_BATCH, false, true);
    assert_rollups(store, "month+0:1 week+0:1 day-2:1 day+0:1 ");
    step(rollup, 100);
    assert_rollups(store, "month-30:1 month+0:1 week-7:1 week+0:1 day-2:1 day-1:1 day+0:1 ");
    /* What the speed layer may no longer write changes nothing. */
    write_hour(store, DECEMBER - HB_HOUR_S, "x", HB_LAYER_SPEED, false, true);
    assert_rollups(store, "month-30:1 month+0:1 week-7:1 week+0:1 day-2:1 day-1:1 day+0:1 ");
    /* Rows without a sheet: what a day cannot tell. It is looked at again when something changes. */
    write_hour(store, DECEMBER + HB_HOUR_S, "y", HB_LAYER_SPEED, false, false);
    assert_rollups(store, "month-30:1 week-7:1 day-2:1 day-1:1 ");
    step(rollup, 100);
    assert_rollups(store, "month-30:1 week-7:1 day-2:1 day-1:1 day+0:2 ");
    write_hour(store, DECEMBER + HB_HOUR_S, "y", HB_LAYER_SPEED, false, true);
    step(rollup, 100);
    assert_rollups(store, "month-30:1 month+0:1 week-7:1 week+0:1 day-2:1 day-1:1 day+0:1 ");
    hb_rollup_close(rollup);
    hb_store_close(store);
}

/* At every step of the making, an hour changes: then it must not stand. */
static void what_changes_while_it_is_made_is_made_anew(void **state)
{
    (void)state;
    for (int steps = 1; steps < 6; steps++) {
        assert_int_equal(make_directory(state), 0);
        hb_store *store = open_store("anew.db", HB_STORE_WRITE);
        hb_rollup *rollup = hb_rollup_open(store);
        write_hour(store, DECEMBER, "old", HB_LAYER_SPEED, false, true);
        step(rollup, steps);
        write_hour(store, DECEMBER, "new", HB_LAYER_BATCH, false, true);
        assert_rollups(store, "");
        step(rollup, 100);
        assert_rollups(store, "month+0:1 week+0:1 day+0:1 ");
        const hb_question question = {.kind = HB_ASK_WORDS,
                                      .channel = HB_BYTES("xqc"),
                                      .from_s = DECEMBER,
                                      .to_s = NOW,
                                      .limit = 5,
                                      .word_kind = HB_KINDS};
        char *found = ask(store, &question);
        assert_non_null(strstr(found, "\"rows\":[{\"rank\":1,\"kind\":\"word\",\"word\":\"new\",\"count\":1}]"));
        free(found);
        hb_rollup_close(rollup);
        hb_store_close(store);
        assert_int_equal(remove_directory(state), 0);
    }
}

static void run_sql(const char *name, const char *text)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    char place[128];
    snprintf(place, sizeof place, "%s/%s", directory, name);
    assert_int_equal(sqlite3_open(place, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
        print_error("%s\n", message);
    assert_null(message);
    sqlite3_close(db);
}

static void a_store_of_the_first_format_is_taken_over(void **state)
{
    (void)state;
    const hb_question question = {
        .kind = HB_ASK_USERS, .channel = HB_BYTES("xqc"), .from_s = 0, .to_s = NOW, .limit = 5};
    hb_store *store = open_store("first.db", HB_STORE_WRITE);
    write_hour(store, DECEMBER, "a", HB_LAYER_SPEED, false, false);
    hb_store_close(store);
    run_sql("first.db",
            "DROP TABLE moments; DROP TABLE rollups; DROP TABLE rankings; ALTER TABLE progress DROP COLUMN start;"
            "ALTER TABLE wordcount DROP COLUMN new_chatters;"
            "ALTER TABLE wordcount DROP COLUMN subscriber_messages;"
            " PRAGMA user_version = 1");
    store = open_store("first.db", HB_STORE_READ);
    char *before = ask(store, &question);
    hb_store_close(store);
    store = open_store("first.db", HB_STORE_WRITE);
    write_hour(store, DECEMBER + HB_DAY_S, "a", HB_LAYER_SPEED, false, true);
    hb_rollup *rollup = hb_rollup_open(store);
    step(rollup, 100);
    assert_rollups(store, "day+0:2 day+1:1 ");
    char *after = ask(store, &question);
    assert_string_equal(after, before);
    free(before);
    free(after);
    hb_rollup_close(rollup);
    hb_store_close(store);
}

/* ---- Retention ---- */

static void tend(hb_upkeep *upkeep, int64_t now_s)
{
    for (bool more = true; more;) {
        hb_error error = {0};
        const bool good = hb_upkeep_step(upkeep, now_s, &more, &error);
        if (!good)
            print_error("%s\n", error.text);
        assert_true(good);
    }
}

static int count_rows(const char *name, const char *where)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    char place[128];
    char text[1024];
    snprintf(place, sizeof place, "%s/%s", directory, name);
    snprintf(text, sizeof text,
             "SELECT (SELECT count(*) FROM wordcount WHERE minute %s) + (SELECT count(*) FROM viewers WHERE minute %s)"
             " + (SELECT count(*) FROM wordfreq WHERE hour %s) + (SELECT count(*) FROM msgperuser WHERE hour %s)"
             " + (SELECT count(*) FROM sheets WHERE hour %s) + (SELECT count(*) FROM rankings WHERE start %s)",
             where, where, where, where, where, where);
    assert_int_equal(sqlite3_open(place, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

static void old_views_go_and_nothing_else(void **state)
{
    (void)state;
    char before[64];
    char after[64];
    const int64_t border_s = DECEMBER + HB_DAY_S;
    const int64_t now_s = DECEMBER + 4 * HB_DAY_S + 7 * HB_HOUR_S;
    srand(3);
    snprintf(before, sizeof before, "< %d", (int)border_s);
    snprintf(after, sizeof after, ">= %d", (int)border_s);
    hb_store *stores[] = {open_store("kept.db", HB_STORE_WRITE), open_store("whole.db", HB_STORE_WRITE)};
    for (int h = 0; h < HOURS; h++)
        change_hour(FIRST_HOUR + h * HB_HOUR_S, stores, 2);
    hb_upkeep *upkeep = hb_upkeep_open(stores[0], &(hb_upkeep_options){.log = ""});
    tend(upkeep, now_s); /* for ever: everything stays, days and months are made */
    assert_true(count_rows("kept.db", before) > count_rows("whole.db", before));
    hb_upkeep_close(upkeep);
    upkeep = hb_upkeep_open(stores[0], &(hb_upkeep_options){.log = "", .keep_views = 3});
    tend(upkeep, now_s);
    assert_int_equal(count_rows("kept.db", before), 0);
    assert_true(count_rows("whole.db", before) > 100);
    for (int i = 0; i < 50; i++) {
        hb_question question = some_question();
        question.from_s = question.from_s < border_s ? border_s : question.from_s;
        question.to_s = question.to_s < question.from_s ? NOW : question.to_s;
        char *found = ask(stores[0], &question);
        char *expected = ask(stores[1], &question);
        assert_string_equal(found, expected);
        free(found);
        free(expected);
    }
    const int left = count_rows("kept.db", after);
    tend(upkeep, now_s + 5 * HB_HOUR_S); /* the same day: nothing more to do */
    assert_int_equal(count_rows("kept.db", after), left);
    tend(upkeep, now_s + 30 * HB_DAY_S);
    assert_int_equal(count_rows("kept.db", after), 0);
    hb_upkeep_close(upkeep);
    hb_store_close(stores[0]);
    hb_store_close(stores[1]);
}

static void append(const char *place, int64_t hour_s, const char *text)
{
    hb_error error = {0};
    char line[256];
    hb_log *log = hb_log_open(place, HB_LOG_APPEND, NULL, &error);
    assert_non_null(log);
    snprintf(line, sizeof line, "@tmi-sent-ts=%lld;user-id=1 :a!a@a PRIVMSG #xqc :%s", (long long)hour_s * 1000, text);
    assert_int_equal(hb_log_append(log, hb_bytes_of(line), 0), HB_LOG_APPENDED);
    assert_true(hb_log_flush(log, &error) && hb_log_close_hours(log, (int64_t)NOW * 1000, &error));
    assert_true(hb_log_close(log, &error));
}

/* The batch layer has counted so much of an hour. */
static void set_counted(hb_store *store, int64_t hour_s, uint64_t position)
{
    const hb_progress progress = {.part = hour_s, .position = position, .done = true, .late = 3};
    apply(store, &(hb_changes){.layer = HB_LAYER_BATCH, .progress = &progress, .progress_count = 1});
}

static uint64_t end_of(const char *place, int64_t hour_s)
{
    hb_error error = {0};
    uint64_t end = 0;
    hb_log *log = hb_log_open(place, HB_LOG_READ, NULL, &error);
    assert_non_null(log);
    if (!hb_log_end(log, hour_s, &end, &error)) {
        assert_int_equal(error.code, HB_ERROR_MISSING);
        end = 0;
    }
    assert_true(hb_log_close(log, &error));
    return end;
}

/* Where an hour's index stands, when it is large enough to have one. */
static const char *index_of(const char *place, int64_t hour_s)
{
    static char name[160];
    char hour[HB_TIME_TEXT];
    hb_time_print_hour(hour_s, hour);
    snprintf(name, sizeof name, "%s/%s.index", place, hour);
    return name;
}

static bool find_removed(void *context, const hb_progress *progress, int64_t at_s)
{
    (void)at_s;
    if (progress->position & HB_PROGRESS_REMOVED) {
        assert_int_equal(progress->late, 3);
        *(int64_t *)context = progress->part;
    }
    return true;
}

static void only_counted_hours_of_the_log_go(void **state)
{
    (void)state;
    char place[96];
    hb_error error = {0};
    int64_t gone = 0;
    enum { COUNTED = DECEMBER, GROWN = DECEMBER + 3600, UNCOUNTED = DECEMBER + 7200, YOUNG = DECEMBER + 10800 };
    snprintf(place, sizeof place, "%s/log", directory);
    hb_store *store = open_store("log.db", HB_STORE_WRITE);
    for (int h = 0; h < 4; h++)
        append(place, DECEMBER + h * HB_HOUR_S, "hello");
    const uint64_t end = end_of(place, COUNTED);
    assert_true(end > 0);
    FILE *index = fopen(index_of(place, COUNTED), "w");
    assert_non_null(index);
    fclose(index);
    set_counted(store, COUNTED, end);
    set_counted(store, GROWN, end_of(place, GROWN));
    set_counted(store, YOUNG, end_of(place, YOUNG));
    append(place, GROWN, "late");
    const int64_t now_s = YOUNG + HB_DAY_S + 1800; /* of YOUNG's day, half an hour is missing */
    hb_upkeep *upkeep = hb_upkeep_open(store, &(hb_upkeep_options){.log = place, .keep_log = 1});
    tend(upkeep, now_s);
    assert_int_equal(end_of(place, COUNTED), 0);
    assert_int_not_equal(access(index_of(place, COUNTED), F_OK), 0);
    assert_int_equal(end_of(place, UNCOUNTED), end);
    assert_int_equal(end_of(place, YOUNG), end);
    assert_true(end_of(place, GROWN) > end);
    assert_true(hb_store_progress(store, HB_LAYER_BATCH, find_removed, &gone, &error));
    assert_int_equal(gone, COUNTED);
    /* What comes for it later stays; the grown one goes once it was counted. */
    append(place, COUNTED, "what came much later");
    set_counted(store, GROWN, end_of(place, GROWN));
    tend(upkeep, now_s + 1000);
    assert_true(end_of(place, COUNTED) > 0);
    assert_int_equal(end_of(place, GROWN), 0);
    /* Killed between the note and the removal. */
    set_counted(store, UNCOUNTED, end_of(place, UNCOUNTED) | HB_PROGRESS_REMOVED);
    tend(upkeep, now_s + 2000);
    assert_int_equal(end_of(place, UNCOUNTED), 0);
    hb_upkeep_close(upkeep);
    hb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_range_is_answered_as_the_hours_alone_do),
        cmocka_unit_test_setup_teardown(a_rollup_falls_with_any_change_of_its_hours, make_directory, remove_directory),
        cmocka_unit_test(what_changes_while_it_is_made_is_made_anew),
        cmocka_unit_test_setup_teardown(a_store_of_the_first_format_is_taken_over, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(old_views_go_and_nothing_else, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(only_counted_hours_of_the_log_go, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
