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
    sheet->minutes[3].new_chatters = 2;
    sheet->minutes[3].subscriber_messages = 130;
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

static bool count_user(void *context, hb_bytes id, hb_bytes name, uint32_t messages, uint32_t words, uint64_t minutes)
{
    assert_true(minutes == 1U << 1 || minutes == 1U << 2);
    assert_true(id.size == 1 && name.size == 3 && messages == 1 && words > 0);
    ++*(size_t *)context;
    return true;
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

/* Made by a hubbub that counted neither new chatters nor subscribers, of the lines below. */
static void a_sheet_of_the_first_version_is_read(void **state)
{
    static const char old[] =
        "\x48\x42\x53\x01\xe8\xf5\x9e\x73\x18\x4c\x83\x57\x3b\x01\x00\x00\x28\xb5\x2f\xfd\x60\x3b\x00\xe5\x02"
        "\x00\xf4\x04\x03\x78\x71\x63\xa0\xe8\x3b\x01\x37\x80\xd3\x0e\xc0\xa9\x07\x80\xd3\x0e\x00\x00\x00\x01"
        "\x02\x00\x01\x01\x00\x2d\x80\xd3\x0e\x05\x43\x68\x65\x73\x73\x02\x68\x69\x02\x00\x00\x05\x05\x68\x65"
        "\x6c\x6c\x6f\x6b\x61\x70\x70\x61\x02\x01\x02\x05\x01\x00\x01\x01\x02\x01\x01\x01\x01\x02\x00\x00\x03"
        "\x03\x41\x6e\x6e\x42\x6f\x62\x03\x00\x82\xe0\x97\x99\x13\xac\xa2\xc0\x18";
    static const char lines[] =
        "@id=a;room-id=7;tmi-sent-ts=1764000060000;user-id=5;display-name=Ann :ann!ann@x PRIVMSG #xqc :hello Kappa\n"
        "@id=b;room-id=7;tmi-sent-ts=1764000120000;user-id=6;display-name=Bob :bob!bob@x PRIVMSG #xqc :hello\n"
        "@rm-received-ts=1764000120000;room-id=7;game-name=Chess;title=hi :hubbub STREAM #xqc 45\n";
    (void)state;
    hb_error error;
    size_t cursor = 0;
    hb_fold *fold = hb_fold_open(&error);
    assert_non_null(fold);
    hb_fold_lines(fold, hb_bytes_of(lines));
    hb_sheet *back = hb_sheet_decode((hb_bytes){old, sizeof old - 1}, &error);
    assert_non_null(back);
    char *expected = sheet_text(hb_fold_next_sheet(fold, &cursor));
    char *found = sheet_text(back);
    assert_string_equal(found, expected);
    free(expected);
    free(found);
    size_t users = 0;
    const hb_sheet_scanner scanner = {.context = &users, .user = count_user};
    assert_true(hb_sheet_scan((hb_bytes){old, sizeof old - 1}, &scanner, &error));
    assert_int_equal(users, 2);
    hb_sheet_close(back);
    hb_fold_close(fold);
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
        cmocka_unit_test(a_sheet_of_the_first_version_is_read),
        cmocka_unit_test(altered_bytes_are_refused),
        cmocka_unit_test(altered_payloads_do_no_harm),
        cmocka_unit_test(only_sheets_of_one_channel_and_hour_merge),
        cmocka_unit_test(chatters_of_a_range_are_distinct),
        cmocka_unit_test(counts_stop_at_their_greatest_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
