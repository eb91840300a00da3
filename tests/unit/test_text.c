/* test_text.c - UTF-8, the JSON writer that stands on it, and finding texts. */
#include "unit.h"

#include "serve/json.h"
#include "text/find.h"
#include "text/utf8.h"

#include <math.h>
#include <stdlib.h>

static void good_code_points_go_through(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point < 0x110000; code_point++) {
        if (code_point >= 0xd800 && code_point < 0xe000)
            continue;
        char bytes[4];
        size_t at = 0;
        bool bad = false;
        const size_t size = hb_utf8_put(code_point, bytes);
        assert_int_equal(hb_utf8_next((hb_bytes){bytes, size}, &at, &bad), code_point);
        assert_int_equal(at, size);
        assert_false(bad);
    }
}

static void bad_parts_become_one_replacement_each(void **state)
{
    (void)state;
    /* Unicode 16, section 3.9, tables 3-8 to 3-11, and the WHATWG decoder's tests. */
    static const struct {
        const char *bytes;
        const char *repaired;
    } cases[] = {
        {"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                                 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41"},
        {"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                                 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41"},
        {"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                                 "\x41\xef\xbf\xbd\xef\xbf\xbd\x42"},
        {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41"},
        {"caf\xc3", "caf\xef\xbf\xbd"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
    };
    hb_buffer room = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_bytes(hb_utf8_repair(hb_bytes_of(cases[i].bytes), &room), cases[i].repaired);
    hb_buffer_free(&room);
}

static void ascii_is_measured(void **state)
{
    (void)state;
    assert_int_equal(hb_utf8_ascii(HB_BYTES("abcdefghijkl\xc3\xa9")), 12);
    assert_int_equal(hb_utf8_ascii(HB_BYTES("\x80")), 0);
    assert_int_equal(hb_utf8_ascii((hb_bytes){NULL, 0}), 0);
}

static void json_sets_its_commas_and_escapes(void **state)
{
    (void)state;
    hb_buffer out = {0};
    hb_json_open(&out, '{');
    hb_json_key(&out, "rows");
    hb_json_open(&out, '[');
    hb_json_number(&out, -1);
    hb_json_unsigned(&out, UINT64_MAX);
    hb_json_text(&out, HB_BYTES("a\"\\\n\x01</b>\x7f\xff\xe2\x80\xa8:"));
    hb_json_text(&out, HB_BYTES(""));
    hb_json_bool(&out, true);
    hb_json_null(&out);
    hb_json_real(&out, 1.25, 1);
    hb_json_real(&out, NAN, 1);
    hb_json_open(&out, '{');
    hb_json_close(&out, '}');
    hb_json_close(&out, ']');
    hb_json_key(&out, "x");
    hb_json_text(&out, HB_BYTES("["));
    hb_json_key(&out, "y");
    hb_json_bool(&out, false);
    hb_json_close(&out, '}');
    assert_bytes(
        hb_buffer_bytes(&out),
        "{\"rows\":[-1,18446744073709551615,\"a\\\"\\\\\\n\\u0001<\\/b>\\u007f\xef\xbf\xbd\\u2028:\",\"\",true,"
        "null,1.2,null,{}],\"x\":\"[\",\"y\":false}");
    hb_buffer_free(&out);
}

/* ---- Finding ---- */

static bool holds(const char *text, const char *what)
{
    hb_error error;
    hb_finder *finder = hb_finder_open(hb_bytes_of(what), &error);
    assert_non_null(finder);
    const bool has = hb_finder_has(finder, hb_bytes_of(text));
    hb_finder_close(finder);
    return has;
}

static void texts_are_found_as_people_mean_them(void **state)
{
    (void)state;
    assert_true(holds("Good Day", "good day"));
    assert_true(holds("say good", "GOOD"));
    assert_true(holds("g", "g"));
    assert_false(holds("goo", "good"));
    assert_false(holds("", "good"));
    assert_true(holds("die Stra\u00dfe", "STRASSE"));
    assert_true(holds("DIE STRASSE", "stra\u00dfe"));
    assert_true(holds("\uff48\uff45\uff4c\uff4c\uff4f", "Hello"));
    assert_true(holds("plain hello", "\uff28\uff45llo"));
    assert_true(holds("ПРИВЕТ мир", "привет"));
    assert_true(holds("Cafe\u0301", "caf\u00e9"));
    assert_false(holds("Caf\u00e9", "cafe"));
    assert_true(holds("he\u200bllo", "hello"));
    assert_true(holds("\U0001f602\U0001f602", "\U0001f602"));
    assert_true(holds("bad \xff bytes", "BYTES"));
    assert_false(holds("ascii", "\u00e9"));
    hb_error error;
    assert_null(hb_finder_open(HB_BYTES(""), &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_null(hb_finder_open(HB_BYTES("\u200b\u200d"), &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
}

/* A letter that is not ASCII in front sends a text through ICU: it must find the same. */
static void ascii_is_found_as_icu_finds_it(void **state)
{
    (void)state;
    hb_error error;
    int found = 0;
    srand(17);
    for (int round = 0; round < 20000; round++) {
        char text[40] = "\u00e9";
        char what[4] = {0};
        const int size = rand() % 30;
        for (int i = 0; i < size; i++)
            text[2 + i] = (char)(rand() % 2 == 0 ? "aAbB"[rand() % 4] : 1 + rand() % 127);
        for (int i = 0; i < 1 + round % 3; i++)
            what[i] = (char)(rand() % 2 == 0 ? "aAbB"[rand() % 4] : 1 + rand() % 127);
        hb_finder *finder = hb_finder_open(hb_bytes_of(what), &error);
        assert_non_null(finder);
        const bool has = hb_finder_has(finder, hb_bytes_of(text + 2));
        assert_int_equal(has, hb_finder_has(finder, hb_bytes_of(text)));
        hb_finder_close(finder);
        found += has;
    }
    assert_true(found > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_code_points_go_through),
        cmocka_unit_test(bad_parts_become_one_replacement_each),
        cmocka_unit_test(ascii_is_measured),
        cmocka_unit_test(json_sets_its_commas_and_escapes),
        cmocka_unit_test(texts_are_found_as_people_mean_them),
        cmocka_unit_test(ascii_is_found_as_icu_finds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
