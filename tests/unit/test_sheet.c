/* test_sheet.c - sheets: writing down and reading back, limits, bytes that are no sheet. (test_fold.c holds sheets and
 * their merging against a slow obvious version.) */
#include "sheet_text.h"
#include "unit.h"

#include "views/sheet.h"

#include <xxhash.h>

static const int64_t hour_s = 1764000000;

static void add_word(hb_sheet *sheet, hb_kind kind, const char *text, uint32_t count)
{
    const hb_bytes bytes = hb_bytes_of(text);
    assert_true(hb_sheet_add_word(sheet, kind, bytes, hb_sheet_word_hash(kind, bytes), count, false));
}

static void add_user(hb_sheet *sheet, const char *id, const char *name, unsigned minute, uint32_t words)
{
    hb_sheet_user *const user = hb_sheet_find_user(sheet, hb_bytes_of(id), hb_hash(hb_bytes_of(id), 0), false);
    assert_non_null(user);
    hb_sheet_add_user(sheet, user, 1, words, UINT64_C(1) << minute);
    hb_sheet_name_user(sheet, user, hb_bytes_of(name), minute * 60000 + 7);
}

static hb_sheet *some_sheet(unsigned entries)
{
    hb_sheet *sheet = hb_sheet_open(HB_BYTES("xqc"), hour_s);
    char text[64];
    hb_sheet_see(sheet, hour_s * 1000 + 5, hour_s * 1000 + 3599999);
    hb_sheet_set_room(sheet, HB_BYTES("71092938"), hour_s * 1000 + 5);
    for (unsigned i = 0; i < entries; i++) {
        snprintf(text, sizeof text, "w%u", i * 7919 % 10007);
        add_word(sheet, (hb_kind)(i % HB_KINDS), text, i + 1);
        snprintf(text, sizeof text, i % 9 == 0 ? "login%u" : "%u", i * 104729 % 1000003);
        for (unsigned again = 0; again <= i % 13; again++)
            add_user(sheet, text, text, (i + again * 5) % 60, i);
    }
    sheet->minutes[3].messages = 17;
    hb_sheet_add_samples(sheet, 59,
                         &(hb_sheet_sample){45123, 1, hour_s * 1000 + 3599999, HB_BYTES("Chess"), HB_BYTES("títle")});
    return sheet;
}

static void a_sheet_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    for (unsigned entries = 0; entries < 2000; entries = entries * 2 + 1) {
        hb_sheet *sheet = some_sheet(entries);
        char *data = NULL;
        size_t size = 0;
        hb_error error;
        hb_sheet_encode(sheet, &data, &size);
        hb_sheet *back = hb_sheet_decode((hb_bytes){data, size}, &error);
        assert_non_null(back);
        char *expected = sheet_text(sheet);
        char *found = sheet_text(back);
        assert_string_equal(found, expected);
        char *again = NULL;
        size_t again_size = 0;
        hb_sheet_encode(back, &again, &again_size);
        assert_int_equal(again_size, size);
        assert_memory_equal(again, data, size);
        hb_free(data);
        hb_free(again);
        free(expected);
        free(found);
        hb_sheet_close(back);
        hb_sheet_close(sheet);
    }
}

static void a_sheet_read_back_goes_on_counting(void **state)
{
    (void)state;
    hb_error error;
    char *data = NULL;
    size_t size = 0;
    hb_sheet *sheet = some_sheet(50);
    hb_sheet_encode(sheet, &data, &size);
    hb_sheet *back = hb_sheet_decode((hb_bytes){data, size}, &error);
    assert_non_null(back);
    hb_sheet *const both[] = {sheet, back};
    for (size_t i = 0; i < 2; i++) {
        add_word(both[i], HB_WORD, "w0", 1);
        add_word(both[i], HB_EMOTE, "new", 1);
        add_user(both[i], "0", "Zero", 59, 3);
        add_user(both[i], "new", "New", 1, 3);
    }
    char *expected = sheet_text(sheet);
    char *found = sheet_text(back);
    assert_string_equal(found, expected);
    free(expected);
    free(found);
    hb_free(data);
    hb_sheet_close(back);
    hb_sheet_close(sheet);
}

static void altered_bytes_are_refused(void **state)
{
    (void)state;
    hb_error error;
    char *data = NULL;
    size_t size = 0;
    hb_sheet *sheet = some_sheet(20);
    hb_sheet_encode(sheet, &data, &size);
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = hb_copy_text((hb_bytes){data, cut});
        assert_null(hb_sheet_decode((hb_bytes){copy, cut}, &error));
        assert_int_equal(error.code, HB_ERROR_CORRUPT);
        free(copy);
    }
    for (size_t at = 0; at < size; at++) {
        if (at == 3)
            continue; /* the version: below */
        data[at] ^= 1;
        assert_null(hb_sheet_decode((hb_bytes){data, size}, &error));
        assert_int_equal(error.code, HB_ERROR_CORRUPT);
        data[at] ^= 1;
    }
    data[3]++;
    assert_null(hb_sheet_decode((hb_bytes){data, size}, &error));
    assert_int_equal(error.code, HB_ERROR_VERSION);
    assert_null(hb_sheet_decode((hb_bytes){NULL, 0}, &error));
    hb_free(data);
    hb_sheet_close(sheet);
}

/* The checksum put right again, the decoder itself has to see that what it reads makes no sense, or read a sheet. */
static void altered_payloads_do_no_harm(void **state)
{
    (void)state;
    hb_error error;
    char *data = NULL;
    size_t size = 0;
    hb_sheet *sheet = some_sheet(20);
    hb_sheet_encode(sheet, &data, &size);
    for (size_t at = 12; at < size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            data[at] = (char)(data[at] ^ (1 << bit));
            const uint64_t sum = XXH3_64bits(data + 12, size - 12);
            memcpy(data + 4, &sum, sizeof sum);
            hb_sheet *back = hb_sheet_decode((hb_bytes){data, size}, &error);
            assert_true(back != NULL || error.code == HB_ERROR_CORRUPT);
            hb_sheet_close(back);
            data[at] = (char)(data[at] ^ (1 << bit));
        }
    hb_free(data);
    hb_sheet_close(sheet);
}

static void only_sheets_of_one_channel_and_hour_merge(void **state)
{
    (void)state;
    hb_error error;
    hb_sheet *one = hb_sheet_open(HB_BYTES("a"), hour_s);
    hb_sheet *channel = hb_sheet_open(HB_BYTES("b"), hour_s);
    hb_sheet *hour = hb_sheet_open(HB_BYTES("a"), hour_s + 3600);
    assert_false(hb_sheet_merge(one, channel, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_false(hb_sheet_merge(one, hour, &error));
    assert_false(hb_sheet_merge(one, one, &error));
    hb_sheet_close(one);
    hb_sheet_close(channel);
    hb_sheet_close(hour);
}

static void chatters_of_a_range_are_distinct(void **state)
{
    (void)state;
    hb_sheet *sheet = hb_sheet_open(HB_BYTES("a"), hour_s);
    add_user(sheet, "1", "one", 0, 1);
    add_user(sheet, "1", "one", 59, 1);
    add_user(sheet, "2", "two", 30, 1);
    assert_int_equal(hb_sheet_chatters(sheet, 0, 59), 2);
    assert_int_equal(hb_sheet_chatters(sheet, 0, 0), 1);
    assert_int_equal(hb_sheet_chatters(sheet, 1, 29), 0);
    assert_int_equal(hb_sheet_chatters(sheet, 30, 59), 2);
    assert_int_equal(hb_sheet_chatters(sheet, 59, 1000), 1);
    assert_int_equal(hb_sheet_chatters(sheet, 40, 30), 0);
    assert_int_equal(hb_sheet_minute(sheet, 59).chatters, 1);
    assert_int_equal(hb_sheet_minute(sheet, 60).chatters, 0);
    hb_sheet_close(sheet);
}

static void counts_stop_at_their_greatest_value(void **state)
{
    (void)state;
    hb_sheet *sheet = hb_sheet_open(HB_BYTES("a"), hour_s);
    add_word(sheet, HB_WORD, "x", UINT32_MAX);
    add_word(sheet, HB_WORD, "x", 5);
    hb_word word;
    size_t cursor = 0;
    assert_true(hb_sheet_next_word(sheet, &cursor, &word));
    assert_int_equal(word.count, UINT32_MAX);
    assert_false(hb_sheet_next_word(sheet, &cursor, &word));
    hb_sheet_close(sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sheet_is_read_back_as_it_was_written),
        cmocka_unit_test(a_sheet_read_back_goes_on_counting),
        cmocka_unit_test(altered_bytes_are_refused),
        cmocka_unit_test(altered_payloads_do_no_harm),
        cmocka_unit_test(only_sheets_of_one_channel_and_hour_merge),
        cmocka_unit_test(chatters_of_a_range_are_distinct),
        cmocka_unit_test(counts_stop_at_their_greatest_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
