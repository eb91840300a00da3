/* test_text.c - UTF-8 and the JSON writer that stands on it. */
#include "unit.h"

#include "serve/json.h"
#include "text/utf8.h"

#include <math.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_code_points_go_through),
        cmocka_unit_test(bad_parts_become_one_replacement_each),
        cmocka_unit_test(ascii_is_measured),
        cmocka_unit_test(json_sets_its_commas_and_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
