/* test_emote_sources.c - where emotes come from: answers of the three services, what is kept of them on the disk, and
 * what the log is told, so that reading it line by line counts what reading all of it at once counts. */
#include "opened.h"
#include "scratch.h"
#include "sheet_text.h"
#include "unit.h"

#include "base/memory.h"
#include "twitch/emote_answer.h"
#include "twitch/emote_board.h"
#include "twitch/emote_cache.h"
#include "views/fold.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOUR_S = 1764000000 };

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)rand() % sides;
}

/* ---- Answers ---- */

static void expect_names(hb_emote_service service, bool global, const char *body, const char *names)
{
    hb_error error = {0};
    hb_buffer found = {0};
    const bool good = hb_emote_answer_read(service, global, hb_bytes_of(body), &found, &error);
    if (good != (names != NULL))
        fail_msg("%s: %s", body, good ? "read" : error.text);
    if (names != NULL)
        assert_bytes(hb_buffer_bytes(&found), names);
    else
        assert_true(found.size == 0 && error.code == HB_ERROR_CORRUPT);
    hb_buffer_free(&found);
}

static void answers_hold_names(void **state)
{
    (void)state;
    expect_names(HB_EMOTES_BTTV, true, "[{\"id\":\"1\",\"code\":\":tf:\"},{\"code\":\"CiGrip\"}]", ":tf: CiGrip ");
    expect_names(HB_EMOTES_BTTV, false,
                 "{\"id\":\"5\",\"bots\":[],\"channelEmotes\":[{\"code\":\"a\"}],\"sharedEmotes\":[{\"code\":\"b\","
                 "\"user\":{}}]}",
                 "a b ");
    expect_names(HB_EMOTES_BTTV, false, "{\"message\":\"User Not Found\"}", NULL);
    expect_names(HB_EMOTES_BTTV, true, "{}", NULL);
    expect_names(HB_EMOTES_FFZ, true,
                 "{\"default_sets\":[3,4],\"sets\":{\"3\":{\"emoticons\":[{\"name\":\"ZrehplaR\"}]},\"4\":{},"
                 "\"1539\":{\"emoticons\":[{\"name\":\"hidden\"}]},\"x\":{\"emoticons\":[{\"name\":\"hidden\"}]}}}",
                 "ZrehplaR ");
    expect_names(HB_EMOTES_FFZ, false,
                 "{\"room\":{\"set\":7},\"sets\":{\"7\":{\"emoticons\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}}", "a b ");
    expect_names(HB_EMOTES_FFZ, false, "{\"sets\":[]}", NULL);
    expect_names(HB_EMOTES_7TV, true, "{\"emotes\":[{\"name\":\"EZ\",\"data\":{\"name\":\"x\"}}]}", "EZ ");
    expect_names(HB_EMOTES_7TV, true, "{\"emotes\":null}", NULL);
    expect_names(HB_EMOTES_7TV, false, "{\"emote_set\":{\"emotes\":[{\"name\":\"Gigachad\"}]}}", "Gigachad ");
    expect_names(HB_EMOTES_7TV, false, "{\"emote_set\":{\"name\":\"empty\"}}", "");
    expect_names(HB_EMOTES_7TV, false, "{\"emote_set\":null}", "");
    expect_names(HB_EMOTES_7TV, false, "{\"error\":\"x\"}", NULL);
    for (hb_emote_service service = 0; service < HB_EMOTE_SERVICES; service++)
        for (int global = 0; global < 2; global++) {
            expect_names(service, global == 1, "", NULL);
            expect_names(service, global == 1, "<html>", NULL);
            expect_names(service, global == 1, "7", NULL);
            expect_names(service, global == 1, "[[", NULL);
        }
}

static void hostile_names_are_left_out(void **state)
{
    char longest[HB_EMOTE_NAME_MAX + 2];
    hb_buffer body = {0};
    hb_buffer names = {0};
    hb_error error = {0};
    (void)state;
    expect_names(
        HB_EMOTES_BTTV, true,
        "[{\"code\":\"a b\"},{\"code\":\"\"},{\"code\":7},{},null,{\"code\":\"x\\u0000y\"},{\"code\":\"c\\r\\nPING\"},"
        "{\"code\":\"\\ud83d\"},{\"code\":\"\\u00e4\"}]",
        "\ufffd \u00e4 ");
    memset(longest, 'x', sizeof longest);
    hb_buffer_print(&body, "[{\"code\":\"%.*s\"},{\"code\":\"%.*s\"}", HB_EMOTE_NAME_MAX + 1, longest,
                    HB_EMOTE_NAME_MAX, longest);
    for (int i = 0; i < 2 * HB_EMOTE_LIST_MAX; i++)
        hb_buffer_print(&body, ",{\"code\":\"n%d\"}", i);
    hb_buffer_append_char(&body, ']');
    assert_true(hb_emote_answer_read(HB_EMOTES_BTTV, true, hb_buffer_bytes(&body), &names, &error));
    size_t count = 0;
    for (size_t i = 0; i < names.size; i++)
        count += names.data[i] == ' ';
    assert_int_equal(count, HB_EMOTE_LIST_MAX);
    assert_int_equal(strcspn(names.data, " "), HB_EMOTE_NAME_MAX);
    hb_buffer_free(&body);
    hb_buffer_free(&names);
}

static void paths_are_the_services(void **state)
{
    static const char *const paths[HB_EMOTE_SERVICES][2] = {
        {"/3/cached/emotes/global", "/3/cached/users/twitch/71092938"},
        {"/v1/set/global", "/v1/room/id/71092938"},
        {"/v3/emote-sets/global", "/v3/users/twitch/71092938"}};
    (void)state;
    for (hb_emote_service service = 0; service < HB_EMOTE_SERVICES; service++)
        for (int channel = 0; channel < 2; channel++) {
            hb_buffer path = {0};
            hb_emote_path(service, channel == 1 ? HB_BYTES("71092938") : HB_BYTES(""), &path);
            assert_bytes(hb_buffer_bytes(&path), paths[service][channel]);
            hb_buffer_free(&path);
        }
}

/* ---- The disk ---- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void lists_are_kept_and_found_again(void **state)
{
    static const char *const bad[] = {"",
                                      "hubbub emotes 1 ",
                                      "hubbub emotes 1 x\na b\n",
                                      "hubbub emotes 2 5\na b\n",
                                      "hubbub emotes 1 5\na b c",
                                      "hubbub emotes 1 99999999999999999999\na\n"};
    char root[SCRATCH_NAME];
    char folder[96];
    char path[128];
    hb_error error = {0};
    hb_buffer names = {0};
    int64_t when_s = 0;
    (void)state;
    assert_true(scratch_make(root));
    snprintf(folder, sizeof folder, "%s/data/emotes", root);
    snprintf(path, sizeof path, "%s/7tv-7", folder);
    assert_false(hb_emote_cache_read(folder, HB_EMOTES_7TV, HB_BYTES("7"), &names, &when_s));
    assert_true(hb_emote_cache_write(folder, HB_EMOTES_7TV, HB_BYTES("7"), HB_BYTES("KEKW \u2603 "), HOUR_S, &error));
    assert_true(hb_emote_cache_write(folder, HB_EMOTES_7TV, HB_BYTES(""), HB_BYTES(""), HOUR_S + 1, &error));
    assert_true(hb_emote_cache_read(folder, HB_EMOTES_7TV, HB_BYTES("7"), &names, &when_s));
    assert_bytes(hb_buffer_bytes(&names), "KEKW \u2603 ");
    assert_int_equal(when_s, HOUR_S);
    assert_true(hb_emote_cache_read(folder, HB_EMOTES_7TV, HB_BYTES(""), &names, &when_s));
    assert_int_equal(names.size, 0);
    assert_int_equal(when_s, HOUR_S + 1);
    assert_false(hb_emote_cache_read(folder, HB_EMOTES_FFZ, HB_BYTES("7"), &names, &when_s));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(path, bad[i]);
        assert_false(hb_emote_cache_read(folder, HB_EMOTES_7TV, HB_BYTES("7"), &names, &when_s));
    }
    write_file(path, "hubbub emotes 1 5\nfine \x01"
                     "bad \n");
    assert_true(hb_emote_cache_read(folder, HB_EMOTES_7TV, HB_BYTES("7"), &names, &when_s));
    assert_bytes(hb_buffer_bytes(&names), "fine ");
    assert_int_equal(truncate(path, 4 << 20), 0);
    assert_false(hb_emote_cache_read(folder, HB_EMOTES_7TV, HB_BYTES("7"), &names, &when_s));
    assert_false(hb_emote_cache_write(path, HB_EMOTES_7TV, HB_BYTES("7"), HB_BYTES("a "), HOUR_S, &error));
    assert_int_equal(error.code, HB_ERROR_SYSTEM);
    hb_buffer_free(&names);
    assert_true(scratch_remove(root));
}

/* ---- The board ---- */

static hb_fact message_at(const char *channel, int64_t time_ms)
{
    return (hb_fact){
        .kind = HB_FACT_MESSAGE, .time_ms = time_ms, .channel = hb_bytes_of(channel), .room_id = HB_BYTES("7")};
}

static void expect_lines(hb_emote_board *board, const char *channel, int64_t time_ms, const char *expected)
{
    hb_buffer lines = {0};
    const hb_fact fact = message_at(channel, time_ms);
    hb_emote_board_see(board, &fact, &lines);
    assert_bytes(hb_buffer_bytes(&lines), expected);
    hb_buffer_free(&lines);
}

#define AT(ms) ((int64_t)HOUR_S * 1000 + (ms))

static void the_log_is_told_when_it_has_to_be(void **state)
{
    (void)state;
    hb_buffer lines = {0};
    hb_emote_board *board = hb_emote_board_open();
    hb_fact fact = message_at("XQC", AT(100000));
    fact.kind = HB_FACT_ROOMSTATE;
    assert_true(hb_emote_board_see(board, &fact, &lines));
    assert_false(hb_emote_board_see(board, &fact, &lines));
    fact.channel = HB_BYTES("nowhere");
    fact.room_id = HB_BYTES("no id");
    assert_false(hb_emote_board_see(board, &fact, &lines));
    assert_int_equal(hb_emote_board_count(board), 1);
    assert_bytes(hb_emote_board_room_id(board, 0), "7");
    expect_lines(board, "xqc", AT(200000), "");
    expect_lines(board, "xqc", AT(200500), "");
    hb_emote_board_set(board, 0, HB_BYTES("KEKW catJAM "));
    /* Later than every message that was said, and not before this one. */
    expect_lines(board, "xqc", AT(199000), "@tmi-sent-ts=1764000200501;room-id=7 :hubbub EMOTES #xqc :KEKW catJAM\n");
    expect_lines(board, "xqc", AT(201000), "");
    hb_emote_board_set(board, 0, HB_BYTES("KEKW catJAM "));
    expect_lines(board, "xqc", AT(202000), "");
    hb_emote_board_set(board, 0, HB_BYTES("KEKW "));
    fact = message_at("xqc", AT(203000));
    hb_emote_board_see(board, &fact, &lines);
    assert_bytes(hb_buffer_bytes(&lines), "@tmi-sent-ts=1764000203000;room-id=7 :hubbub EMOTES #xqc :KEKW\n");
    hb_emote_board_repeat(board, &fact); /* it was dropped */
    expect_lines(board, "xqc", AT(203000), "@tmi-sent-ts=1764000203001;room-id=7 :hubbub EMOTES #xqc :KEKW\n");
    /* A new hour: from its beginning; messages of both hours mixed. */
    expect_lines(board, "xqc", AT(3600700), "@tmi-sent-ts=1764003600000;room-id=7 :hubbub EMOTES #xqc :KEKW\n");
    expect_lines(board, "xqc", AT(3599999), "");
    expect_lines(board, "xqc", AT(3600800), "");
    /* Too late for this hour. */
    hb_emote_board_set(board, 0, HB_BYTES("new "));
    expect_lines(board, "xqc", AT(3599999), "");
    /* Of an hour before these nothing is known any more. */
    expect_lines(board, "xqc", AT(-1), "");
    hb_emote_board_set(board, 0, HB_BYTES(""));
    expect_lines(board, "xqc", AT(7200001), "");
    hb_buffer_free(&lines);
    hb_emote_board_close(board);
}

static void long_sets_take_several_lines(void **state)
{
    (void)state;
    hb_buffer names = {0};
    hb_buffer lines = {0};
    hb_emote_board *board = hb_emote_board_open();
    hb_fact fact = message_at("xqc", AT(5));
    for (int i = 0; i < 2000; i++)
        hb_buffer_print(&names, "%s%d ", i % 7 == 0 ? "a_rather_long_name" : "x", i);
    hb_emote_board_see(board, &fact, &lines);
    hb_emote_board_set(board, 0, hb_buffer_bytes(&names));
    hb_emote_board_see(board, &fact, &lines);
    hb_bytes rest = hb_buffer_bytes(&lines);
    hb_bytes line;
    hb_buffer again = {0};
    size_t count = 0;
    for (; hb_bytes_cut(&rest, '\n', &line); count++) {
        assert_true(line.size < 8192);
        assert_int_equal(hb_fact_read(line, &fact), HB_FACT_OK);
        hb_buffer_append(&again, fact.text);
        hb_buffer_append_char(&again, ' ');
    }
    assert_true(count > 3 && count < 10);
    assert_true(hb_bytes_equal(hb_buffer_bytes(&again), hb_buffer_bytes(&names)));
    hb_buffer_free(&again);
    hb_buffer_free(&names);
    hb_buffer_free(&lines);
    hb_emote_board_close(board);
}

static char *all_sheets(hb_fold *fold)
{
    text_lines text = {0};
    size_t cursor = 0;
    for (const hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;) {
        char *one = sheet_text(sheet);
        text_add(&text, "%s", one);
        free(one);
    }
    return text_join(&text);
}

/* Chat over two hours, its times some seconds out of order, while emotes become known and change, and hubbub is stopped
 * and started again: a fold that reads the log line by line comes to the same as one that knows all of it. */
static void line_by_line_is_as_good_as_all_at_once(void **state)
{
    (void)state;
    srand(6);
    size_t emotes = 0;
    for (int round = 0; round < 150; round++) {
        hb_emote_board *board = hb_emote_board_open();
        hb_fold *slow = open_fold();
        hb_fold *whole = open_fold();
        hb_buffer log = {0};
        int64_t now_ms = AT(3600000 - 600000);
        for (int step = 0; step < 200; step++) {
            char channel[8];
            hb_buffer lines = {0};
            now_ms += dice(20) == 0 ? 600000 : dice(8000);
            const int64_t time_ms = now_ms - dice(5000) + (dice(30) == 0 ? 4000 : 0);
            snprintf(channel, sizeof channel, "chan%u", dice(3));
            const hb_fact fact = message_at(channel, time_ms);
            hb_emote_board_see(board, &fact, &lines);
            hb_buffer_print(&lines, "@room-id=7;tmi-sent-ts=%lld;user-id=1 :a!a@a PRIVMSG #%s :Name%u Name%u\n",
                            (long long)time_ms, channel, dice(6), dice(6));
            hb_fold_lines(slow, hb_buffer_bytes(&lines));
            hb_buffer_append(&log, hb_buffer_bytes(&lines));
            hb_buffer_free(&lines);
            for (size_t i = 0; i < hb_emote_board_count(board) && dice(10) == 0; i++) {
                hb_buffer names = {0};
                for (unsigned n = 0; n < 6; n++)
                    if (dice(2) == 0)
                        hb_buffer_print(&names, "Name%u ", n);
                hb_emote_board_set(board, i, hb_buffer_bytes(&names));
                hb_buffer_free(&names);
            }
            if (dice(60) == 0) {
                hb_emote_board_close(board);
                board = hb_emote_board_open();
                now_ms += 10000; /* what an earlier run has put there is over */
            }
        }
        hb_fold_lines(whole, hb_buffer_bytes(&log));
        char *expected = all_sheets(whole);
        char *found = all_sheets(slow);
        assert_string_equal(found, expected);
        for (const char *at = expected; (at = strstr(at, "word 1 Name")) != NULL; at++)
            emotes++;
        free(expected);
        free(found);
        hb_buffer_free(&log);
        hb_fold_close(slow);
        hb_fold_close(whole);
        hb_emote_board_close(board);
    }
    assert_true(emotes > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_hold_names),
        cmocka_unit_test(hostile_names_are_left_out),
        cmocka_unit_test(paths_are_the_services),
        cmocka_unit_test(lists_are_kept_and_found_again),
        cmocka_unit_test(the_log_is_told_when_it_has_to_be),
        cmocka_unit_test(long_sets_take_several_lines),
        cmocka_unit_test(line_by_line_is_as_good_as_all_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
