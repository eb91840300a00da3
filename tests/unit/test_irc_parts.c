/* test_irc_parts.c - what the chat connections are made of, without a network: lines, pace, back-off, names. */
#include "unit.h"

#include "base/clock.h"
#include "cmd/channels_file.h"
#include "twitch/channel_name.h"
#include "twitch/line_splitter.h"
#include "twitch/pace.h"

#include <stdlib.h>
#include <unistd.h>

static uint32_t seed = 1;

static uint32_t random_below(uint32_t bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % bound;
}

static bool collect(void *context, hb_bytes line)
{
    hb_buffer_append(context, line);
    hb_buffer_append_char(context, '\n');
    return true;
}

/* The slow way: the whole stream at once, byte by byte. */
static void split_slowly(hb_bytes stream, hb_buffer *out, uint64_t *too_long)
{
    size_t start = 0;
    for (size_t i = 0; i < stream.size; i++) {
        if (stream.data[i] != '\n')
            continue;
        size_t size = i - start;
        if (size > HB_LINE_MAX) {
            (*too_long)++;
        } else {
            size -= size > 0 && stream.data[i - 1] == '\r';
            if (size > 0)
                collect(out, (hb_bytes){stream.data + start, size});
        }
        start = i + 1;
    }
    *too_long += stream.size - start > HB_LINE_MAX;
}

static void random_stream(hb_buffer *stream)
{
    static const char letters[] = "ab\r\n\n:@ \0x";
    const size_t pieces = random_below(40);
    for (size_t i = 0; i < pieces; i++) {
        const uint32_t kind = random_below(20);
        const size_t size = kind == 0 ? HB_LINE_MAX - 2 + random_below(5) : kind == 1 ? 70000 : random_below(30);
        for (size_t j = 0; j < size; j++)
            hb_buffer_append_char(stream, kind < 2 ? 'x' : letters[random_below(sizeof letters - 1)]);
        if (random_below(2) == 0)
            hb_buffer_append(stream, random_below(2) == 0 ? HB_BYTES("\r\n") : HB_BYTES("\n"));
    }
}

static void lines_do_not_depend_on_the_chunks(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        hb_buffer stream = {0};
        hb_buffer expected = {0};
        hb_buffer got = {0};
        hb_line_splitter splitter = {0};
        uint64_t too_long = 0;
        random_stream(&stream);
        split_slowly(hb_buffer_bytes(&stream), &expected, &too_long);
        const uint32_t largest = random_below(3) == 0 ? 7 : 100000;
        for (size_t at = 0; at < stream.size;) {
            size_t size = 1 + random_below(largest);
            size = size < stream.size - at ? size : stream.size - at;
            char *chunk = hb_alloc(size); /* of its own, so that ASan sees a read past it */
            memcpy(chunk, stream.data + at, size);
            assert_true(hb_line_splitter_feed(&splitter, (hb_bytes){chunk, size}, collect, &got));
            assert_true(splitter.kept.capacity <= 2 * HB_LINE_MAX);
            free(chunk);
            at += size;
        }
        assert_int_equal(got.size, expected.size);
        assert_true(hb_bytes_equal(hb_buffer_bytes(&got), hb_buffer_bytes(&expected)));
        assert_int_equal(splitter.too_long, too_long);
        hb_line_splitter_free(&splitter);
        hb_buffer_free(&stream);
        hb_buffer_free(&expected);
        hb_buffer_free(&got);
    }
}

static bool take_one(void *context, hb_bytes line)
{
    collect(context, line);
    return false;
}

static void a_taker_that_has_enough_gets_no_more(void **state)
{
    (void)state;
    hb_line_splitter splitter = {0};
    hb_buffer got = {0};
    assert_false(hb_line_splitter_feed(&splitter, HB_BYTES("one\r\ntwo\r\n"), take_one, &got));
    assert_bytes(hb_buffer_bytes(&got), "one\n");
    hb_line_splitter_free(&splitter);
    hb_buffer_free(&got);
}

/* Whoever asks all the time gets as many as are allowed, and never more in any 10 s. */
static void the_pace_is_kept_in_every_window(void **state)
{
    (void)state;
    enum { LIMIT = 20, ASKED = 200000 };
    static int64_t taken[ASKED];
    size_t count = 0;
    hb_pace pace;
    hb_pace_open(&pace, LIMIT);
    int64_t now_ms = 0;
    for (; now_ms < 200 * 1000; now_ms += 1 + random_below(random_below(50) == 0 ? 3000 : 50))
        while (random_below(5) > 0 && hb_pace_take(&pace, now_ms))
            taken[count++] = now_ms;
    for (size_t i = LIMIT; i < count; i++)
        assert_true(taken[i] - taken[i - LIMIT] > 10 * 1000);
    assert_true(count > 200 / 10.5 * LIMIT * 0.9);
    hb_pace_close(&pace);
    hb_pace_open(&pace, 0);
    for (int i = 0; i < 1000; i++)
        assert_true(hb_pace_take(&pace, 5));
    hb_pace_close(&pace);
}

static void a_back_off_doubles_up_to_its_bound(void **state)
{
    (void)state;
    hb_backoff backoff = {.first_ms = 1000, .last_ms = 60000};
    static const int expected[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        hb_backoff low = backoff;
        hb_backoff high = backoff;
        assert_int_equal(hb_backoff_next(&low, 0), expected[i] * 3 / 4);
        const int highest = hb_backoff_next(&high, UINT32_MAX);
        assert_true(highest > expected[i] * 5 / 4 - 2 && highest <= expected[i] * 5 / 4);
        hb_backoff_next(&backoff, 12345);
    }
    backoff.failures = 1000000;
    assert_int_equal(hb_backoff_next(&backoff, 0), 45000);
    backoff.failures = 0;
    assert_int_equal(hb_backoff_next(&backoff, 0), 750);
}

static void names_are_read_as_people_write_them(void **state)
{
    (void)state;
    char login[HB_LOGIN_MAX + 1];
    assert_true(hb_channel_name_read(HB_BYTES("#xQc_1"), login));
    assert_string_equal(login, "xqc_1");
    assert_true(hb_channel_name_read(HB_BYTES("01234567890123456789012345678901234567890123456789"), login));
    static const char *const bad[] = {"",
                                      "#",
                                      "##x",
                                      "a b",
                                      "a,b",
                                      "a\r\nQUIT",
                                      "../x",
                                      "x\xC3\xA9",
                                      "x-y",
                                      "@user",
                                      " x",
                                      "x ",
                                      "012345678901234567890123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (hb_channel_name_read(hb_bytes_of(bad[i]), login))
            fail_msg("'%s' was taken", bad[i]);
    assert_false(hb_channel_name_read((hb_bytes){"a\0b", 3}, login));
}

static bool read_list(const char *text, hb_channel_list *list, hb_error *error)
{
    char path[] = "/tmp/hubbub-channels-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    const bool fine = hb_channel_list_read(list, path, error);
    unlink(path);
    return fine;
}

static void a_channels_file_is_read(void **state)
{
    (void)state;
    hb_channel_list list = {0};
    hb_error error = {0};
    assert_true(
        read_list("\xEF\xBB\xBF# my channels\r\n\r\nxQc\r\n  shroud   # a comment\n#off\n\tLast_1", &list, &error));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.names[0], "xqc");
    assert_string_equal(list.names[1], "shroud");
    assert_string_equal(list.names[2], "last_1");
    hb_channel_list_free(&list);
    assert_true(read_list("", &list, &error));
    assert_int_equal(list.count, 0);
    assert_false(read_list("fine\n\nnot fine\n", &list, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_non_null(strstr(error.text, "line 3: 'not fine'"));
    hb_channel_list_free(&list);
    assert_false(hb_channel_list_read(&list, "/nonexistent/channels", &error));
    assert_int_equal(error.code, HB_ERROR_SYSTEM);
    assert_non_null(strstr(error.text, "/nonexistent/channels"));
    hb_channel_list_free(&list);
    assert_false(hb_channel_list_read(&list, "/tmp", &error));
    hb_channel_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_do_not_depend_on_the_chunks),   cmocka_unit_test(a_taker_that_has_enough_gets_no_more),
        cmocka_unit_test(the_pace_is_kept_in_every_window),    cmocka_unit_test(a_back_off_doubles_up_to_its_bound),
        cmocka_unit_test(names_are_read_as_people_write_them), cmocka_unit_test(a_channels_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
