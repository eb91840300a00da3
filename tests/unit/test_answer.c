/* test_answer.c - answers against a slow, obvious computation, and their printing with hostile texts. */
#include "store_place.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cmd/commands.h"
#include "serve/answer.h"
#include "text/utf8.h"
#include "views/sheet.h"
#include "views/speed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOUR = 1764000000, HOURS = 4, KEYS = 40 };

static hb_store *open_store(void)
{
    hb_error error = {0};
    hb_store *store = hb_store_open(path, HB_STORE_WRITE, &error);
    assert_non_null(store);
    return store;
}

/* The answer as text; the caller frees it. */
static char *ask(hb_store *store, hb_question question, int64_t now_s, hb_format format)
{
    hb_error error = {0};
    hb_buffer out = {0};
    hb_answer *answer = hb_answer_open(store, &question, now_s, &error);
    if (answer == NULL)
        print_error("%s\n", error.text);
    assert_non_null(answer);
    hb_answer_print(answer, format, &out);
    hb_answer_close(answer);
    char *text = hb_copy_text(hb_buffer_bytes(&out));
    hb_buffer_free(&out);
    return text;
}

static void assert_answer(hb_store *store, hb_question question, int64_t now_s, hb_format format, const char *expected)
{
    char *text = ask(store, question, now_s, format);
    assert_string_equal(text, expected);
    free(text);
}

static void expect_refusal(hb_store *store, hb_question question, hb_code code, const char *says)
{
    hb_error error = {0};
    assert_null(hb_answer_open(store, &question, HOUR, &error));
    assert_int_equal(error.code, code);
    if (strstr(error.text, says) == NULL)
        print_error("'%s' does not say '%s'\n", error.text, says);
    assert_non_null(strstr(error.text, says));
}

static const hb_question rate_question = {
    .kind = HB_ASK_RATE, .channel = {"xqc", 3}, .from_s = HOUR, .to_s = HOUR + 3600, .limit = 1440};

/* ---- Minutes and channels ---- */

static const hb_minute_row minutes[] = {
    {HB_BYTES("xqc"), HOUR, {.messages = 5, .words = 20, .chatters = 4, .viewers_sum = 301, .samples = 2}},
    {HB_BYTES("xqc"), HOUR + 60, {.messages = 60, .words = 120, .chatters = 30, .shared = 1}},
    {HB_BYTES("xqc"),
     HOUR + 120,
     {.messages = 10,
      .words = 30,
      .chatters = 9,
      .viewers_sum = 300,
      .samples = 1,
      .game = HB_BYTES("Chess"),
      .title = HB_BYTES("\"a\", b")}},
    {HB_BYTES("asmongold"), HOUR + 120, {.messages = 90, .words = 91, .chatters = 40}},
};
static const hb_channel_row channels[] = {
    {HB_BYTES("asmongold"), HB_BYTES("552120296"), HOUR + 120, HOUR + 130},
    {HB_BYTES("quiet"), HB_BYTES(""), HOUR, HOUR},
    {HB_BYTES("xqc"), HB_BYTES("71092938"), HOUR + 5, HOUR + 130},
};
static const hb_word_row emotes[] = {
    {HB_BYTES("xqc"), HOUR, {HB_EMOTE, HB_BYTES("Kappa"), 9}, false},
    {HB_BYTES("xqc"), HOUR, {HB_EMOTE, HB_BYTES("LUL"), 10}, false},
    {HB_BYTES("xqc"), HOUR, {HB_WORD, HB_BYTES("the"), 100}, false},
};
static const hb_changes small_world = {
    .minutes = minutes, .minute_count = 4, .channels = channels, .channel_count = 3, .words = emotes, .word_count = 3};

static void rates_are_the_newest_minutes(void **state)
{
    (void)state;
    hb_store *store = open_store();
    apply(store, &small_world);
    hb_question question = rate_question;
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "time,messages,words,chatters,shared,layer\r\n"
                  "2025-11-24T16:00:00Z,5,20,4,0,speed\r\n2025-11-24T16:01:00Z,60,120,30,1,speed\r\n"
                  "2025-11-24T16:02:00Z,10,30,9,0,speed\r\n");
    question.limit = 1;
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "time,messages,words,chatters,shared,layer\r\n2025-11-24T16:02:00Z,10,30,9,0,speed\r\n");
    /* Widened to whole minutes; a login in any case, with or without '#'. */
    question = (hb_question){
        .kind = HB_ASK_RATE, .channel = HB_BYTES("#XQC"), .from_s = HOUR + 61, .to_s = HOUR + 62, .limit = 5};
    assert_answer(
        store, question, HOUR, HB_FORMAT_JSON,
        "{\"channel\":\"xqc\",\"from\":\"2025-11-24T16:01:00Z\",\"to\":\"2025-11-24T16:02:00Z\",\"exact\":true,"
        "\"rows\":[{\"time\":\"2025-11-24T16:01:00Z\",\"messages\":60,\"words\":120,\"chatters\":30,"
        "\"shared\":1,\"layer\":\"speed\"}]}");
    question.from_s = question.to_s = HOUR + 60;
    assert_answer(store, question, HOUR, HB_FORMAT_CSV, "time,messages,words,chatters,shared,layer\r\n");
    hb_store_close(store);
}

static void viewers_are_the_minutes_with_samples(void **state)
{
    (void)state;
    hb_store *store = open_store();
    apply(store, &small_world);
    hb_question question = rate_question;
    question.kind = HB_ASK_VIEWERS;
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "time,viewers,samples,game,title,layer\r\n2025-11-24T16:00:00Z,151,2,,,speed\r\n"
                  "2025-11-24T16:02:00Z,300,1,Chess,\"\"\"a\"\", b\",speed\r\n");
    question.limit = 1;
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "time,viewers,samples,game,title,layer\r\n"
                  "2025-11-24T16:02:00Z,300,1,Chess,\"\"\"a\"\", b\",speed\r\n");
    hb_store_close(store);
}

static void steps_sum_up_minutes(void **state)
{
    (void)state;
    hb_store *store = open_store();
    apply(store, &small_world);
    hb_question question = rate_question;
    question.step_s = 120;
    /* 4 and 30 chatters are 17 in the mean; the range is widened to whole steps. */
    question.from_s += 61;
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "time,messages,words,chatters,shared,layer\r\n"
                  "2025-11-24T16:00:00Z,65,140,17,1,speed\r\n2025-11-24T16:02:00Z,10,30,9,0,speed\r\n");
    question.limit = 1; /* the newest step that there can be in the range, which has nothing */
    assert_answer(store, question, HOUR, HB_FORMAT_CSV, "time,messages,words,chatters,shared,layer\r\n");
    question.to_s = HOUR + 130;
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "time,messages,words,chatters,shared,layer\r\n2025-11-24T16:02:00Z,10,30,9,0,speed\r\n");
    question = rate_question;
    question.kind = HB_ASK_VIEWERS;
    question.step_s = HB_DAY_S;
    assert_answer(
        store, question, HOUR, HB_FORMAT_CSV,
        "time,viewers,samples,game,title,layer\r\n2025-11-24T00:00:00Z,200,3,Chess,\"\"\"a\"\", b\",speed\r\n");
    question.step_s = 90;
    expect_refusal(store, question, HB_ERROR_USAGE, "whole minutes");
    question.step_s = 60 * HB_DAY_S;
    expect_refusal(store, question, HB_ERROR_USAGE, "31 days");
    hb_store_close(store);
}

/* One letter a minute: '-' nothing at all, '.' chat only, a letter a sample with that game, in upper case with another
 * title. */
static void streams_are_made_of(hb_store *store, const char *letters)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";
    hb_minute_row rows[60];
    size_t count = 0;
    for (size_t i = 0; letters[i] != '\0'; i++) {
        const char game = (char)(letters[i] | 0x20);
        if (letters[i] == '-')
            continue;
        rows[count] = (hb_minute_row){HB_BYTES("xqc"), HOUR + 60 * (int64_t)i, {.messages = 1}};
        if (letters[i] != '.') {
            rows[count].count.samples = 2;
            rows[count].count.viewers_sum = 2 * i + 1;
            rows[count].count.game = (hb_bytes){alphabet + (game - 'a'), 1};
            rows[count].count.title = letters[i] == game ? HB_BYTES("t") : HB_BYTES("T");
        }
        count++;
    }
    const hb_changes changes = {.minutes = rows, .minute_count = count, .channels = channels, .channel_count = 3};
    apply(store, &changes);
}

static void streams_tell_what_changed(void **state)
{
    static const struct {
        const char *letters;
        int64_t now; /* minute */
        uint32_t limit;
        const char *changes;
    } cases[] = {
        {"aaaa", 4, 9, ""},                /* what was before is not known */
        {"..aa", 4, 9, ""},                /* not for long enough */
        {"...aa", 5, 9, "3 live 4 a t\n"}, /* chat came, and no sample */
        {"aab", 3, 9, "2 game 3 b t\n"},
        {"aaA", 3, 9, "2 title 3 a T\n"},
        {"aaB", 3, 9, "2 game 3 b T\n2 title 3 b T\n"},
        {"aa..a", 5, 9, ""}, /* a call failed, or two */
        {"aa--a", 5, 9, ""},
        {"aa...a", 6, 9, "2 offline 0  \n5 live 6 a t\n"},
        {"aa---b", 6, 9, "2 offline 0  \n5 live 6 b t\n"},
        {"aa", 4, 9, ""},
        {"aa", 5, 9, "2 offline 0  \n"},
        {"aa......", 8, 9, "2 offline 0  \n"},
        {"abcd", 4, 2, "2 game 3 c t\n3 game 4 d t\n"},
        {"abcd", 10, 2, "3 game 4 d t\n4 offline 0  \n"},
        {"........", 8, 9, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hb_question question = rate_question;
        assert_int_equal(make_directory(state), 0);
        hb_store *store = open_store();
        hb_buffer expected = {0};
        streams_are_made_of(store, cases[i].letters);
        question.kind = HB_ASK_STREAMS;
        question.limit = cases[i].limit;
        hb_buffer_append(&expected, HB_BYTES("time,change,viewers,game,title\r\n"));
        hb_bytes rest = hb_bytes_of(cases[i].changes);
        for (hb_bytes line; hb_bytes_cut(&rest, '\n', &line);) {
            hb_bytes word;
            hb_bytes_cut(&line, ' ', &word);
            hb_buffer_print(&expected, "2025-11-24T16:0%.*s:00Z", HB_PRINT(word));
            for (int column = 0; column < 4; column++) {
                if (!hb_bytes_cut(&line, ' ', &word))
                    word.size = 0;
                hb_buffer_print(&expected, ",%.*s", HB_PRINT(word));
            }
            hb_buffer_append(&expected, HB_BYTES("\r\n"));
        }
        hb_buffer_append_char(&expected, '\0');
        assert_answer(store, question, HOUR + cases[i].now * 60, HB_FORMAT_CSV, expected.data);
        hb_buffer_free(&expected);
        hb_store_close(store);
        assert_int_equal(remove_directory(state), 0);
    }
}

#define NOTHING_27     "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
#define NOTHING_28     NOTHING_27 " 0"
#define NINETY_TEN_AGO "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 90 0 0 0 0 0 0 0 0 0"

static void moments_come_with_their_words(void **state)
{
    (void)state;
    static const hb_moment_row moments[] = {
        {HB_BYTES("xqc"), HOUR + 60, 5.25, 10.5, 60, 30,
         HB_BYTES("[{\"kind\":\"emote\",\"word\":\"Kappa\",\"count\":20},"
                  "{\"kind\":\"word\",\"word\":\"a\\u0007b\",\"count\":3}]"),
         false},
        {HB_BYTES("asmongold"), HOUR + 120, 7, 8, 90, 40, HB_BYTES("[]"), false},
        {HB_BYTES("xqc"), HOUR + 120, 9, 8, 10, 9, HB_BYTES("\"}, not JSON"), false},
    };
    hb_store *store = open_store();
    apply(store, &small_world);
    apply(store, &(hb_changes){.moments = moments, .moment_count = 3});
    hb_question question = {.kind = HB_ASK_MOMENTS, .from_s = HOUR, .to_s = HOUR + 3600, .limit = 10};
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "channel,time,score,messages,chatters,usual,words,layer\r\n"
                  "xqc,2025-11-24T16:01:00Z,5.2,60,30,10.5,\"Kappa 20, a\ab 3\",speed\r\n"
                  "asmongold,2025-11-24T16:02:00Z,7.0,90,40,8.0,,speed\r\n"
                  "xqc,2025-11-24T16:02:00Z,9.0,10,9,8.0,,speed\r\n");
    question.limit = 1;
    question.channel = HB_BYTES("XQC");
    question.to_s = HOUR + 119;
    assert_answer(store, question, HOUR, HB_FORMAT_JSON,
                  "{\"channel\":\"xqc\",\"from\":\"2025-11-24T16:00:00Z\",\"to\":\"2025-11-24T16:02:00Z\","
                  "\"exact\":true,\"rows\":[{\"time\":\"2025-11-24T16:01:00Z\",\"score\":5.2,\"messages\":60,"
                  "\"chatters\":30,\"usual\":10.5,\"words\":[{\"kind\":\"emote\",\"word\":\"Kappa\",\"count\":20},"
                  "{\"kind\":\"word\",\"word\":\"a\\u0007b\",\"count\":3}],\"layer\":\"speed\"}]}");
    assert_answer(store, question, HOUR, HB_FORMAT_TABLE,
                  "xqc, 2025-11-24T16:00:00Z to 2025-11-24T16:02:00Z\n"
                  "time                  score  messages  chatters  usual  words            layer\n"
                  "2025-11-24T16:01:00Z    5.2        60        30   10.5  Kappa 20, a?b 3  speed\n");
    question.to_s = HOUR + 180; /* the newest */
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "time,score,messages,chatters,usual,words,layer\r\n2025-11-24T16:02:00Z,9.0,10,9,8.0,,speed\r\n");
    question = (hb_question){.kind = HB_ASK_CHANNELS, .limit = 1};
    assert_answer(store, question, HOUR + 120 + 600, HB_FORMAT_CSV,
                  "channel,room_id,messages_per_minute,words_per_minute,chatters,top_emote,first_seen,last_seen,"
                  "viewers,participation,moment,spark\r\n"
                  "asmongold,552120296,0.0,0.0,0,,2025-11-24T16:02:00Z,2025-11-24T16:02:10Z,,,2025-11-24T16:02:"
                  "00Z," NINETY_TEN_AGO "\r\n");
    assert_answer(store, question, HOUR + 120 + 601, HB_FORMAT_CSV,
                  "channel,room_id,messages_per_minute,words_per_minute,chatters,top_emote,first_seen,last_seen,"
                  "viewers,participation,moment,spark\r\n"
                  "asmongold,552120296,0.0,0.0,0,,2025-11-24T16:02:00Z,2025-11-24T16:02:10Z,,,," NINETY_TEN_AGO "\r\n");
    hb_store_close(store);
}

static void channels_show_the_last_sixty_seconds(void **state)
{
    (void)state;
    hb_store *store = open_store();
    apply(store, &small_world);
    /* 15 s into minute 2: all of it and three quarters of minute 1. */
    hb_question question = {.kind = HB_ASK_CHANNELS, .limit = 10};
    assert_answer(
        store, question, HOUR + 135, HB_FORMAT_CSV,
        "channel,room_id,messages_per_minute,words_per_minute,chatters,top_emote,first_seen,last_seen,viewers,"
        "participation,moment,spark\r\n"
        "asmongold,552120296,90.0,91.0,40,,2025-11-24T16:02:00Z,2025-11-24T16:02:10Z,,,," NOTHING_28 " 0 0\r\n"
        "xqc,71092938,55.0,120.0,30,LUL,2025-11-24T16:00:05Z,2025-11-24T16:02:10Z,300,,," NOTHING_28 " 5 60\r\n"
        "quiet,,0.0,0.0,0,,2025-11-24T16:00:00Z,2025-11-24T16:00:00Z,,,," NOTHING_28 " 0 0\r\n");
    /* The minute in progress is not over; the oldest of thirty is. */
    question.limit = 1;
    assert_answer(store, question, HOUR + 31 * 60 - 1, HB_FORMAT_CSV,
                  "channel,room_id,messages_per_minute,words_per_minute,chatters,top_emote,first_seen,last_seen,"
                  "viewers,participation,moment,spark\r\n"
                  "asmongold,552120296,0.0,0.0,0,,2025-11-24T16:02:00Z,2025-11-24T16:02:10Z,,,,0 0 90 " NOTHING_27
                  "\r\n");
    question.limit = 1;
    assert_answer(store, question, HOUR + 7200, HB_FORMAT_JSON,
                  "{\"from\":\"2025-11-24T17:59:00Z\",\"to\":\"2025-11-24T18:00:00Z\",\"exact\":true,\"rows\":[{"
                  "\"channel\":\"asmongold\",\"room_id\":\"552120296\",\"messages_per_minute\":0.0,"
                  "\"words_per_minute\":0.0,\"chatters\":0,\"top_emote\":\"\","
                  "\"first_seen\":\"2025-11-24T16:02:00Z\",\"last_seen\":\"2025-11-24T16:02:10Z\",\"viewers\":null,"
                  "\"participation\":null,\"moment\":null,"
                  "\"spark\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}]}");
    hb_store_close(store);
}

static void wrong_questions_are_refused(void **state)
{
    (void)state;
    hb_store *store = open_store();
    apply(store, &small_world);
    hb_question question = rate_question;
    question.to_s = question.from_s - 1;
    expect_refusal(store, question, HB_ERROR_USAGE, "before it begins");
    question = rate_question;
    question.from_s = -1;
    expect_refusal(store, question, HB_ERROR_USAGE, "1970");
    question = rate_question;
    question.to_s = INT64_MAX;
    expect_refusal(store, question, HB_ERROR_USAGE, "9999");
    static const char *const names[] = {"",      "#",
                                        "##xqc", "x y",
                                        "x\n",   "caf\xc3\xa9",
                                        "a-b",   "x' or",
                                        "/",     "012345678901234567890123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        question = rate_question;
        question.channel = hb_bytes_of(names[i]);
        expect_refusal(store, question, HB_ERROR_USAGE, "no channel name");
    }
    for (hb_question_kind kind = HB_ASK_RATE; kind <= HB_ASK_STREAMS; kind++) {
        question = rate_question;
        question.kind = kind;
        question.channel = HB_BYTES("neverseen");
        expect_refusal(store, question, HB_ERROR_MISSING, "'neverseen' was never seen");
        question.channel = HB_BYTES("quiet"); /* seen, but silent: an empty answer */
        char *text = ask(store, question, HOUR, HB_FORMAT_JSON);
        assert_non_null(strstr(text, "\"exact\":true,\"rows\":[]"));
        free(text);
    }
    hb_store_close(store);
}

/* ---- Rankings against the truth ---- */

typedef enum hour_state { CLOSED, OPEN, WITHOUT_SHEET, EMPTY, HOUR_STATES } hour_state;

/* What was said in one hour, by number of word (kind, text) and of user; and what the sheet knows of it. */
typedef struct hour_truth {
    hour_state state;
    uint32_t words[HB_KINDS][KEYS];
    uint32_t messages[KEYS];
    uint32_t user_words[KEYS];
    uint32_t stale_words[HB_KINDS][KEYS];
    uint32_t stale_messages[KEYS];
} hour_truth;

static hour_truth world[HOURS];
static char texts[KEYS][8]; /* words and ids */

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)rand() % sides;
}

static void make_world(void)
{
    memset(world, 0, sizeof world);
    for (int i = 0; i < KEYS; i++)
        snprintf(texts[i], sizeof texts[i], "%c%d", "zbAq"[i % 4], i / 2);
    for (int h = 0; h < HOURS; h++) {
        hour_truth *hour = &world[h];
        hour->state = (hour_state)dice(HOUR_STATES);
        const uint32_t many = 1 + dice(KEYS);
        const uint32_t kinds = 1 + dice(HB_KINDS);
        for (uint32_t i = 0; hour->state != EMPTY && i < many; i++) {
            for (uint32_t kind = 0; kind < kinds; kind++) {
                hour->words[kind][i] = dice(3) == 0 ? 0 : 1 + dice(9);
                hour->stale_words[kind][i] = hour->words[kind][i] - dice(hour->words[kind][i] + 1);
            }
            hour->messages[i] = dice(3) == 0 ? 0 : 1 + dice(6);
            hour->user_words[i] = hour->messages[i] * 2;
            hour->stale_messages[i] = hour->messages[i] - dice(hour->messages[i] + 1);
        }
    }
}

/* Whether key i is among the top: fewer than `top` stand before it. */
static bool is_top(const uint32_t counts[KEYS], int i, uint32_t top)
{
    uint32_t before = 0;
    for (int other = 0; other < KEYS; other++)
        before += counts[other] > counts[i] || (counts[other] == counts[i] && strcmp(texts[other], texts[i]) < 0);
    return counts[i] > 0 && before < top;
}

static void write_sheet(hb_store *store, int h)
{
    const hour_truth *hour = &world[h];
    const bool stale = hour->state == OPEN;
    hb_sheet *sheet = hb_sheet_open(HB_BYTES("xqc"), HOUR + h * 3600);
    for (int i = 0; i < KEYS; i++) {
        const hb_bytes text = hb_bytes_of(texts[i]);
        for (int kind = 0; kind < HB_KINDS; kind++) {
            const uint32_t count = stale ? hour->stale_words[kind][i] : hour->words[kind][i];
            if (count > 0)
                hb_sheet_add_word(sheet, (hb_kind)kind, text, hb_sheet_word_hash((hb_kind)kind, text), count, false);
        }
        const uint32_t messages = stale ? hour->stale_messages[i] : hour->messages[i];
        if (messages > 0) {
            hb_sheet_user *user = hb_sheet_find_user(sheet, text, hb_hash(text, 0), false);
            hb_sheet_add_user(sheet, user, messages, messages * 2, 1);
            hb_sheet_name_user(sheet, user, text, 0);
        }
    }
    char *data = NULL;
    size_t size = 0;
    hb_sheet_encode(sheet, &data, &size);
    const hb_sheet_row row = {HB_BYTES("xqc"), HOUR + h * 3600, {data, size}, stale};
    apply(store, &(hb_changes){.sheets = &row, .sheet_count = 1});
    hb_free(data);
    hb_sheet_close(sheet);
}

static void write_world(hb_store *store, uint32_t top)
{
    static hb_word_row words[HOURS * HB_KINDS * KEYS];
    static hb_user_row users[HOURS * KEYS];
    static hb_minute_row totals[HOURS];
    hb_changes changes = {.words = words, .users = users, .minutes = totals, .channels = channels, .channel_count = 3};
    for (int h = 0; h < HOURS; h++) {
        const hour_truth *hour = &world[h];
        const int64_t hour_s = HOUR + h * 3600;
        hb_minute_row total = {HB_BYTES("xqc"), hour_s + 60 * dice(60), {0}};
        for (int i = 0; i < KEYS; i++) {
            const hb_bytes text = hb_bytes_of(texts[i]);
            for (int kind = 0; kind < HB_KINDS; kind++) {
                total.count.words += hour->words[kind][i];
                if (is_top(hour->words[kind], i, top))
                    words[changes.word_count++] =
                        (hb_word_row){HB_BYTES("xqc"), hour_s, {(hb_kind)kind, text, hour->words[kind][i]}, false};
            }
            total.count.messages += hour->messages[i];
            if (is_top(hour->messages, i, top))
                users[changes.user_count++] = (hb_user_row){
                    HB_BYTES("xqc"), hour_s, {text, text, hour->messages[i], hour->user_words[i], 1}, false};
        }
        if (hour->state != EMPTY)
            totals[changes.minute_count++] = total;
    }
    apply(store, &changes);
    for (int h = 0; h < HOURS; h++)
        if (world[h].state == CLOSED || world[h].state == OPEN)
            write_sheet(store, h);
}

typedef struct line {
    uint32_t count;
    int kind;
    const char *text;
} line;

static int compare_lines(const void *a, const void *b)
{
    const line *left = a;
    const line *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    const int order = strcmp(left->text, right->text);
    return order != 0 ? order : strcmp(hb_kind_name((hb_kind)left->kind), hb_kind_name((hb_kind)right->kind));
}

/* What is known of a key in an hour; top UINT32_MAX: the truth. */
static uint32_t known(const hour_truth *hour, const uint32_t truth[KEYS], const uint32_t stale[KEYS], int i,
                      uint32_t top)
{
    if (hour->state == CLOSED || is_top(truth, i, top))
        return truth[i];
    return hour->state == OPEN ? stale[i] : 0;
}

/* The answer as CSV, computed by summing everything and sorting. */
static char *expect_csv(const hb_question *question, int first, int last, uint32_t top)
{
    static line lines[HB_KINDS * KEYS];
    const bool users = question->kind == HB_ASK_USERS;
    size_t count = 0;
    for (int kind = 0; kind < (users ? 1 : HB_KINDS); kind++)
        for (int i = 0; (users || question->word_kind == HB_KINDS || (int)question->word_kind == kind) && i < KEYS;
             i++) {
            uint32_t sum = 0;
            for (int h = first; h < last; h++)
                sum += users ? known(&world[h], world[h].messages, world[h].stale_messages, i, top)
                             : known(&world[h], world[h].words[kind], world[h].stale_words[kind], i, top);
            const hb_bytes text = hb_bytes_of(texts[i]);
            if (sum > 0 && !(users && hb_ignored_has(question->ignored, &(hb_ranked){.key = text, .name = text})))
                lines[count++] = (line){sum, kind, texts[i]};
        }
    qsort(lines, count, sizeof *lines, compare_lines);
    hb_buffer out = {0};
    hb_buffer_print(&out, users ? "rank,user_id,user_name,messages,words\r\n" : "rank,kind,word,count\r\n");
    for (size_t i = 0; i < count && i < question->limit; i++) {
        if (users)
            hb_buffer_print(&out, "%zu,%s,%s,%u,%u\r\n", i + 1, lines[i].text, lines[i].text, lines[i].count,
                            lines[i].count * 2);
        else
            hb_buffer_print(&out, "%zu,%s,%s,%u\r\n", i + 1, hb_kind_name((hb_kind)lines[i].kind), lines[i].text,
                            lines[i].count);
    }
    char *text = hb_copy_text(hb_buffer_bytes(&out));
    hb_buffer_free(&out);
    return text;
}

typedef struct seen_cases {
    int exact_open; /* exact though an hour was not closed */
    int vague;
    int different; /* not exact, and rightly so */
} seen_cases;

/* Leaves out up to a few of the users. */
static hb_ignored *ignore_some(void)
{
    hb_error error;
    hb_ignored *ignored = hb_ignored_open(dice(2) == 0);
    for (uint32_t i = dice(6); i > 0; i--) {
        char login[16] = {0};
        snprintf(login, sizeof login, "%s", texts[dice(KEYS)]);
        assert_true(hb_ignored_add(ignored, hb_bytes_of(login), &error));
    }
    return ignored;
}

static void check_ranking(hb_store *store, uint32_t top, seen_cases *seen)
{
    hb_ignored *ignored = dice(3) == 0 ? NULL : ignore_some();
    const int first = (int)dice(HOURS);
    const int last = first + 1 + (int)dice((uint32_t)(HOURS - first));
    const hb_question question = {.kind = dice(2) == 0 ? HB_ASK_WORDS : HB_ASK_USERS,
                                  .channel = HB_BYTES("xqc"),
                                  .from_s = HOUR + first * 3600 + dice(3500),
                                  .to_s = HOUR + last * 3600 - dice(100),
                                  .limit = 1 + dice(dice(2) == 0 ? 5 : 300),
                                  .word_kind = (hb_kind)dice(HB_KINDS + 1),
                                  .ignored = ignored};
    char *truth = expect_csv(&question, first, last, UINT32_MAX);
    char *best = expect_csv(&question, first, last, top);
    char *found = ask(store, question, HOUR, HB_FORMAT_CSV);
    char *json = ask(store, question, HOUR, HB_FORMAT_JSON);
    bool closed = true;
    for (int h = first; h < last; h++)
        closed = closed && (world[h].state == CLOSED || world[h].state == EMPTY);
    if (strstr(json, "\"exact\":true") != NULL) {
        assert_string_equal(found, truth);
        seen->exact_open += !closed;
    } else {
        assert_false(closed);
        assert_string_equal(found, best);
        seen->vague++;
        seen->different += strcmp(found, truth) != 0;
    }
    free(truth);
    free(best);
    free(found);
    free(json);
    hb_ignored_close(ignored);
}

static void bots_and_named_users_are_ignored(void **state)
{
    static const struct {
        const char *id;
        const char *name;
        bool ignored;
    } users[] = {
        {"19264788", "Nightbot", true}, {"1", "StreamElements", true},
        {"nightbot", "nightbot", true}, {"2", "Some_One", true},
        {"77", "\u540d\u524d", true},   {"777", "\u540d\u524d", false},
        {"3", "nightbot2", false},      {"4", "", false},
        {"5", "someone", false},
    };
    hb_error error = {0};
    (void)state;
    hb_ignored *ignored = hb_ignored_open(true);
    hb_ignored *nobody = hb_ignored_open(false);
    assert_true(hb_ignored_add(ignored, HB_BYTES("some_ONE, 77,,Some_One"), &error));
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        const hb_ranked user = {.key = hb_bytes_of(users[i].id), .name = hb_bytes_of(users[i].name)};
        assert_int_equal(hb_ignored_has(ignored, &user), users[i].ignored);
        assert_false(hb_ignored_has(nobody, &user));
        assert_false(hb_ignored_has(NULL, &user));
    }
    assert_false(hb_ignored_add(ignored, HB_BYTES("fine,not fine"), &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_non_null(strstr(error.text, "'not fine'"));
    assert_false(hb_ignored_add(ignored, HB_BYTES("#xqc"), &error));
    hb_ignored_close(ignored);
    hb_ignored_close(nobody);
}

static void rankings_are_as_exact_as_they_say(void **state)
{
    seen_cases seen = {0};
    srand(11);
    for (int round = 0; round < 60; round++) {
        const uint32_t top = dice(4) == 0 ? KEYS : dice(12);
        make_world();
        assert_int_equal(make_directory(state), 0);
        hb_store *store = open_store();
        write_world(store, top);
        for (int i = 0; i < 60; i++)
            check_ranking(store, top, &seen);
        hb_store_close(store);
        assert_int_equal(remove_directory(state), 0);
    }
    assert_true(seen.exact_open > 100);
    assert_true(seen.vague > 100);
    assert_true(seen.different > 100);
}

/* ---- Together with the speed layer ---- */

static void say_something(hb_buffer *lines, int number)
{
    hb_buffer_print(lines, "@id=%d;room-id=1;tmi-sent-ts=%lld;user-id=%u :u!u@u PRIVMSG #xqc :", number,
                    (long long)HOUR * 1000 + number * 700, 100 + dice(4) * dice(6));
    for (uint32_t i = 1 + dice(6); i > 0; i--)
        hb_buffer_print(lines, dice(8) == 0 ? "@m%u " : "w%u ", dice(5) * dice(9));
    hb_buffer_append_char(lines, '\n');
}

static void flush_speed(hb_speed *speed, hb_speed_flush_kind kind, hb_store *store, int64_t now_ms)
{
    hb_changes changes;
    while (hb_speed_flush(speed, kind, now_ms, &changes))
        apply(store, &changes);
}

/* The same hour, closed. */
static void write_truth(hb_store *store, hb_fold *fold)
{
    char *data = NULL;
    size_t size = 0;
    size_t cursor = 0;
    hb_sheet_encode(hb_fold_next_sheet(fold, &cursor), &data, &size);
    const hb_sheet_row row = {HB_BYTES("xqc"), HOUR, {data, size}, false};
    apply(store, &(hb_changes){.sheets = &row,
                               .sheet_count = 1,
                               .minutes = minutes,
                               .minute_count = 1,
                               .channels = channels,
                               .channel_count = 3});
    hb_free(data);
}

static void the_speed_layers_rows_are_answered_as_exactly_as_said(void **state)
{
    hb_error error = {0};
    char live_path[sizeof path];
    (void)state;
    srand(3);
    snprintf(live_path, sizeof live_path, "%s/live.db", directory);
    hb_store *live = hb_store_open(live_path, HB_STORE_WRITE, &error);
    hb_store *truth = open_store();
    hb_speed *speed = hb_speed_open(&(hb_speed_options){.top = 6, .memory = 64 << 20}, &error);
    hb_fold *fold = hb_fold_open(&error);
    hb_buffer lines = {0};
    uint64_t position = 0;
    int exact = 0;
    int vague = 0;
    assert_true(live != NULL && speed != NULL && fold != NULL);
    hb_speed_caught_up(speed);
    for (int round = 0; round < 200; round++) {
        const int64_t now_ms = (int64_t)HOUR * 1000 + (round + 1) * 4 * 700;
        lines.size = 0;
        for (int i = 0; i < 4; i++)
            say_something(&lines, round * 4 + i);
        position += lines.size;
        assert_int_equal(hb_speed_take(speed, HOUR, hb_buffer_bytes(&lines), position, now_ms), lines.size);
        hb_fold_lines(fold, hb_buffer_bytes(&lines));
        flush_speed(speed, round % 5 == 4 ? HB_SPEED_FLUSH_ALL : HB_SPEED_FLUSH_ROWS, live, now_ms);
        write_truth(truth, fold);
        const hb_question question = {.kind = dice(2) == 0 ? HB_ASK_WORDS : HB_ASK_USERS,
                                      .channel = HB_BYTES("xqc"),
                                      .from_s = HOUR,
                                      .to_s = HOUR + 3600,
                                      .limit = 1 + dice(12),
                                      .word_kind = (hb_kind)dice(HB_KINDS + 1)};
        char *json = ask(live, question, HOUR, HB_FORMAT_JSON);
        char *expected = ask(truth, question, HOUR, HB_FORMAT_JSON);
        const bool is_exact = strstr(json, "\"exact\":true") != NULL;
        if (is_exact)
            assert_string_equal(json, expected);
        exact += is_exact;
        vague += !is_exact;
        /* Within the top that is kept, answers are exact at any time. */
        assert_true(is_exact || question.limit > 6);
        /* So are they at any length once the sheet is written. */
        assert_true(is_exact || round % 5 != 4);
        free(json);
        free(expected);
    }
    assert_true(exact > 100);
    assert_true(vague > 10);
    hb_buffer_free(&lines);
    hb_fold_close(fold);
    hb_speed_close(speed);
    hb_store_close(truth);
    hb_store_close(live);
}

static void a_bad_sheet_is_told_with_its_place(void **state)
{
    (void)state;
    hb_store *store = open_store();
    const hb_sheet_row row = {HB_BYTES("xqc"), HOUR, HB_BYTES("this is no sheet at all, but long enough"), false};
    apply(store, &small_world);
    apply(store, &(hb_changes){.sheets = &row, .sheet_count = 1});
    expect_refusal(store,
                   (hb_question){.kind = HB_ASK_WORDS,
                                 .channel = HB_BYTES("xqc"),
                                 .from_s = HOUR,
                                 .to_s = HOUR + 3600,
                                 .limit = 200,
                                 .word_kind = HB_KINDS},
                   HB_ERROR_CORRUPT, "the sheet of xqc at 2025-11-24T16");
    hb_store_close(store);
}

/* ---- Printing ---- */

static void hostile_texts_stay_harmless(void **state)
{
    (void)state;
    static const hb_user_row users[] = {
        {HB_BYTES("xqc"), HOUR, {HB_BYTES("1"), HB_BYTES("\x1b[2Jevil\r\n"), 9, 1, 1}, false},
        {HB_BYTES("xqc"), HOUR, {HB_BYTES("2"), HB_BYTES("\xe5\x91\xa8\xe6\x9d\xb0"), 8, 2, 1}, false},
        {HB_BYTES("xqc"), HOUR, {HB_BYTES("3"), HB_BYTES("\xe2\x80\xaertl\xe2\x81\xa6"), 7, 3, 1}, false},
        {HB_BYTES("xqc"), HOUR, {HB_BYTES("4"), HB_BYTES("\xf0\x9f\x98\x82,\"e\xcc\x81\""), 6, 4, 1}, false},
        {HB_BYTES("xqc"), HOUR, {HB_BYTES("5"), HB_BYTES("bad\xff"), 5, 12345, 1}, false},
        {HB_BYTES("xqc"),
         HOUR,
         {HB_BYTES("6"), HB_BYTES("0123456789012345678901234567890123456789012345678901234567890123456789"), 4, 0, 1},
         false},
    };
    static const hb_minute_row total = {HB_BYTES("xqc"), HOUR, {.messages = 39}};
    const hb_question question = {
        .kind = HB_ASK_USERS, .channel = HB_BYTES("xqc"), .from_s = HOUR, .to_s = HOUR + 1, .limit = 10};
    hb_store *store = open_store();
    apply(store, &(hb_changes){.users = users, .user_count = 6, .minutes = &total, .minute_count = 1});
    assert_answer(
        store, question, HOUR, HB_FORMAT_TABLE,
        "xqc, 2025-11-24T16:00:00Z to 2025-11-24T17:00:00Z\n"
        "rank  user_id  user_name                                                     messages  words\n"
        "   1  1        ?[2Jevil??                                                           9      1\n"
        "   2  2        \xe5\x91\xa8\xe6\x9d\xb0                                                                 "
        "8      2\n"
        "   3  3        ?rtl?                                                                7      3\n"
        "   4  4        \xf0\x9f\x98\x82,\"e\xcc\x81\"                                                               "
        "6      4\n"
        "   5  5        bad\xef\xbf\xbd                                                                 5  "
        "12345\n"
        "   6  6        01234567890123456789012345678901234567890123456789012345678\xe2\x80\xa6         4"
        "      0\n");
    assert_answer(store, question, HOUR, HB_FORMAT_CSV,
                  "rank,user_id,user_name,messages,words\r\n1,1,\"\x1b[2Jevil\r\n\",9,1\r\n"
                  "2,2,\xe5\x91\xa8\xe6\x9d\xb0,8,2\r\n3,3,\xe2\x80\xaertl\xe2\x81\xa6,7,3\r\n"
                  "4,4,\"\xf0\x9f\x98\x82,\"\"e\xcc\x81\"\"\",6,4\r\n5,5,bad\xff,5,12345\r\n"
                  "6,6,0123456789012345678901234567890123456789012345678901234567890123456789,4,0\r\n");
    hb_question first = question;
    first.limit = 1;
    assert_answer(
        store, first, HOUR, HB_FORMAT_JSON,
        "{\"channel\":\"xqc\",\"from\":\"2025-11-24T16:00:00Z\",\"to\":\"2025-11-24T17:00:00Z\",\"exact\":true,"
        "\"rows\":[{\"rank\":1,\"user_id\":\"1\",\"user_name\":\"\\u001b[2Jevil\\r\\n\",\"messages\":9,"
        "\"words\":1}]}");
    hb_store_close(store);
}

static void assert_harmless(const char *table, int lines)
{
    const hb_bytes text = hb_bytes_of(table);
    bool bad = false;
    for (size_t at = 0; at < text.size;) {
        const uint32_t c = hb_utf8_next(text, &at, &bad);
        lines -= c == '\n';
        assert_true(c == '\n' || (c >= 0x20 && (c < 0x7f || c >= 0xa0)));
        assert_false((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f ||
                     c == 0x61c || c == 0x2028 || c == 0x2029);
    }
    assert_false(bad);
    assert_int_equal(lines, 0);
}

/* Any bytes at all, many of them from where trouble is. */
static void random_texts_stay_harmless(void **state)
{
    static const char *const trouble[] = {"\x1b",
                                          "\r",
                                          "\n",
                                          "\xe2\x80\xae",
                                          "\xe2\x81\xa9",
                                          "\xd8\x9c",
                                          "\xc2\x9b",
                                          "\xe2\x80\xa8",
                                          "\x7f",
                                          "\xcc\x81",
                                          "\xf0\x9f\x91\xa8\xe2\x80\x8d",
                                          "\t"};
    enum { NAMES = 40 };
    char names[NAMES][200];
    char ids[NAMES][8];
    hb_user_row users[NAMES];
    hb_store *store = open_store();
    (void)state;
    srand(5);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < NAMES; i++) {
            size_t size = 0;
            for (const size_t end = dice(190); size < end;) {
                const char *part = trouble[dice(sizeof trouble / sizeof *trouble)];
                if (dice(3) == 0)
                    size += (size_t)snprintf(names[i] + size, sizeof names[i] - size, "%s", part);
                else
                    names[i][size++] = (char)(dice(2) == 0 ? 'a' + dice(26) : dice(256));
            }
            snprintf(ids[i], sizeof ids[i], "%d", i);
            users[i] = (hb_user_row){HB_BYTES("xqc"), HOUR, {hb_bytes_of(ids[i]), {names[i], size}, 5, 5, 1}, false};
        }
        apply(store, &(hb_changes){.users = users, .user_count = NAMES});
        char *table =
            ask(store,
                (hb_question){
                    .kind = HB_ASK_USERS, .channel = HB_BYTES("xqc"), .from_s = HOUR, .to_s = HOUR + 1, .limit = NAMES},
                HOUR, HB_FORMAT_TABLE);
        assert_harmless(table, NAMES + 2);
        free(table);
    }
    hb_store_close(store);
}

static void formats_are_found_by_name(void **state)
{
    (void)state;
    hb_format format = HB_FORMAT_TABLE;
    assert_true(hb_format_parse(HB_BYTES("csv"), &format));
    assert_int_equal(format, HB_FORMAT_CSV);
    assert_false(hb_format_parse(HB_BYTES("CSV "), &format));
    assert_false(hb_format_parse(HB_BYTES(""), &format));
}

/* ---- Commands ---- */

/* Runs "hubbub NAME ARGUMENT... --store PATH" and compares its exit code and output. */
static void run(const hb_command *command, char *const *arguments, int code, const char *expected)
{
    char *argv[12];
    int argc = 0;
    char output[128];
    static char text[4096];
    snprintf(output, sizeof output, "%s/output", directory);
    for (; arguments[argc] != NULL; argc++)
        argv[argc] = arguments[argc];
    argv[argc++] = (char[]){"--store"};
    argv[argc++] = path;
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    const int file = open(output, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(kept >= 0 && file >= 0);
    dup2(file, STDOUT_FILENO);
    const int found = hb_options_run(command, argc, argv);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    const ssize_t size = pread(file, text, sizeof text - 1, 0);
    close(file);
    assert_int_equal(found, code);
    assert_true(size >= 0);
    text[size] = '\0';
    assert_string_equal(text, expected);
}

#define RUN(command, code, expected, ...) run(&(command), (char *[]){__VA_ARGS__, NULL}, (code), (expected))

static void commands_answer_and_refuse(void **state)
{
    (void)state;
    RUN(hb_command_words, 1, "", "xqc"); /* no store */
    RUN(hb_command_words, 2, "", "x y"); /* but a wrong name comes first */
    hb_store *store = open_store();
    apply(store, &small_world);
    hb_store_close(store);
    RUN(hb_command_rate, 0, "time,messages,words,chatters,shared,layer\r\n2025-11-24T16:01:00Z,60,120,30,1,speed\r\n",
        "xqc", "--from", "1764000060", "--to", "2025-11-24T16:01:01", "--format", "csv");
    RUN(hb_command_words, 0,
        "xqc, 2025-11-24T16:00:00Z to 2025-11-24T17:00:00Z; the hour still goes on: lower ranks may lag by a minute\n"
        "rank  kind   word   count\n   1  word   the      100\n   2  emote  LUL       10\n   3  emote  Kappa      9\n",
        "XQC", "--from", "1764000000", "--to", "1764003600");
    RUN(hb_command_words, 0, "rank,kind,word,count\r\n1,emote,LUL,10\r\n", "#xqc", "--from", "1764000000", "--to",
        "1764003600", "--kind", "emote", "--limit=1", "--format", "csv");
    RUN(hb_command_viewers, 0, "time,viewers,samples,game,title,layer\r\n2025-11-24T16:00:00Z,151,2,,,speed\r\n", "xqc",
        "--to", "1764000010", "--format", "csv");
    RUN(hb_command_users, 0, "quiet, 2025-11-24T16:00:00Z to 2025-11-24T17:00:00Z: nothing\n", "quiet", "--from",
        "1764000000", "--to", "1764000001");
    RUN(hb_command_channels, 0,
        "channel,room_id,messages_per_minute,words_per_minute,chatters,top_emote,first_seen,last_seen,viewers,"
        "participation,moment,spark\r\n"
        "asmongold,552120296,0.0,0.0,0,,2025-11-24T16:02:00Z,2025-11-24T16:02:10Z,,,," NOTHING_28 " 0 0\r\n",
        "--limit", "1", "--format", "csv");
    RUN(hb_command_moments, 0, "channel,time,score,messages,chatters,usual,words,layer\r\n", "--format", "csv");
    RUN(hb_command_moments, 0, "time,score,messages,chatters,usual,words,layer\r\n", "xqc", "--format", "csv");
    RUN(hb_command_moments, 1, "", "neverseen");
    RUN(hb_command_users, 1, "", "neverseen");
    RUN(hb_command_users, 2, "", "--limit", "5");
    RUN(hb_command_users, 2, "", "xqc", "--limit", "0");
    RUN(hb_command_users, 2, "", "xqc", "--format", "xml");
    RUN(hb_command_words, 2, "", "xqc", "--kind", "noun");
    RUN(hb_command_words, 2, "", "xqc", "--from", "1764000001", "--to", "1764000000");
    RUN(hb_command_channels, 2, "", "xqc");
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(rates_are_the_newest_minutes),
        STORE_TEST(viewers_are_the_minutes_with_samples),
        STORE_TEST(steps_sum_up_minutes),
        STORE_TEST(channels_show_the_last_sixty_seconds),
        STORE_TEST(wrong_questions_are_refused),
        cmocka_unit_test(streams_tell_what_changed),
        cmocka_unit_test(bots_and_named_users_are_ignored),
        STORE_TEST(moments_come_with_their_words),
        cmocka_unit_test(rankings_are_as_exact_as_they_say),
        STORE_TEST(the_speed_layers_rows_are_answered_as_exactly_as_said),
        STORE_TEST(a_bad_sheet_is_told_with_its_place),
        STORE_TEST(hostile_texts_stay_harmless),
        STORE_TEST(random_texts_stay_harmless),
        cmocka_unit_test(formats_are_found_by_name),
        STORE_TEST(commands_answer_and_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
