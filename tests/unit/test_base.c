/* test_base.c - slices, buffers, arenas, the map, the queue, times, options' raw material. */
#include "unit.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/queue.h"
#include "base/scan.h"
#include "cmd/dotenv.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void cutting_takes_parts_and_separators(void **state)
{
    (void)state;
    hb_bytes rest = HB_BYTES("a,,bc");
    hb_bytes part;
    assert_true(hb_bytes_cut(&rest, ',', &part));
    assert_bytes(part, "a");
    assert_true(hb_bytes_cut(&rest, ',', &part));
    assert_bytes(part, "");
    assert_true(hb_bytes_cut(&rest, ',', &part));
    assert_bytes(part, "bc");
    assert_false(hb_bytes_cut(&rest, ',', &part));
}

static void an_address_comes_back_as_it_was_put_together(void **state)
{
    (void)state;
    hb_buffer text = {0};
    hb_error error = {0};
    hb_address address;
    hb_buffer_append(&text, HB_BYTES("kafka://a:1,b:2/twitch-chat"));
    assert_true(hb_address_add(&text, HB_BYTES("sasl.password=p&a=s%s?\xc3\xa9 "), &error));
    assert_true(hb_address_add(&text, HB_BYTES("empty="), &error));
    assert_false(hb_address_add(&text, HB_BYTES("=x"), &error));
    assert_false(hb_address_add(&text, HB_BYTES("x"), &error));
    hb_buffer_append_char(&text, '\0');
    assert_true(hb_address_is(text.data, "kafka"));
    assert_false(hb_address_is(text.data, "kaf"));
    assert_true(hb_address_read(text.data, "", &address, &error));
    assert_string_equal(address.shown, "kafka://a:1,b:2/twitch-chat");
    assert_string_equal(address.hosts, "a:1,b:2");
    assert_string_equal(address.place, "twitch-chat");
    assert_int_equal(address.setting_count, 2);
    assert_string_equal(address.settings[0].key, "sasl.password");
    assert_string_equal(address.settings[0].value, "p&a=s%s?\xc3\xa9 ");
    assert_string_equal(address.settings[1].key, "empty");
    assert_string_equal(address.settings[1].value, "");
    hb_address_free(&address);
    hb_buffer_free(&text);
}

static void a_bad_address_is_refused_without_showing_secrets(void **state)
{
    (void)state;
    static const char *const bad[] = {"kafka://",
                                      "kafka://a",
                                      "kafka:///t",
                                      "kafka://a/",
                                      "kafka://a/b/c",
                                      "/tmp/kafka://a/b",
                                      "kafka://a/t?secret",
                                      "kafka://a/t?=secret",
                                      "kafka://a/t?k=secret%",
                                      "kafka://a/t?k=secret%4",
                                      "kafka://a/t?k=secret%00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hb_error error = {0};
        hb_address address;
        assert_false(hb_address_read(bad[i], "kafka://HOST:PORT/TOPIC", &address, &error));
        assert_int_equal(error.code, HB_ERROR_USAGE);
        assert_null(strstr(error.text, "secret"));
    }
    assert_bytes(hb_address_shown("kafka://a/t?k=secret"), "kafka://a/t");
    assert_bytes(hb_address_shown("/data/what?"), "/data/what?");
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    uint64_t number = 7;
    assert_true(hb_bytes_to_u64(HB_BYTES("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    assert_false(hb_bytes_to_u64(HB_BYTES("18446744073709551616"), &number));
    assert_false(hb_bytes_to_u64(HB_BYTES(""), &number));
    assert_false(hb_bytes_to_u64(HB_BYTES("1x"), &number));
    assert_false(hb_bytes_to_u64(HB_BYTES("-1"), &number));
    assert_true(number == UINT64_MAX);
}

static void bytes_are_ordered_as_memcmp_orders(void **state)
{
    (void)state;
    assert_true(hb_bytes_compare(HB_BYTES("a"), HB_BYTES("ab")) < 0);
    assert_true(hb_bytes_compare(HB_BYTES("b"), HB_BYTES("ab")) > 0);
    assert_true(hb_bytes_compare(HB_BYTES("\xc3"), HB_BYTES("z")) > 0);
    assert_true(hb_bytes_compare((hb_bytes){NULL, 0}, HB_BYTES("")) == 0);
}

static void a_buffer_prints_past_its_room(void **state)
{
    (void)state;
    hb_buffer buffer = {0};
    for (int i = 0; i < 100; i++)
        hb_buffer_print(&buffer, "%d,", i);
    assert_int_equal(buffer.size, 10 * 2 + 90 * 3);
    hb_buffer_drop_front(&buffer, 10 * 2);
    assert_true(hb_bytes_start_with(hb_buffer_bytes(&buffer), HB_BYTES("10,11,")));
    hb_buffer_free(&buffer);
}

static void an_arena_keeps_what_was_copied(void **state)
{
    (void)state;
    hb_arena arena = {0};
    for (int round = 0; round < 3; round++) {
        hb_bytes kept[3000];
        for (int i = 0; i < 3000; i++) {
            char text[16];
            const int size = snprintf(text, sizeof text, "text %d", i);
            kept[i] = hb_arena_copy(&arena, (hb_bytes){text, (size_t)size});
        }
        for (int i = 0; i < 3000; i++) {
            char text[16];
            snprintf(text, sizeof text, "text %d", i);
            assert_bytes(kept[i], text);
        }
        assert_true(hb_arena_alloc(&arena, 3 << 20) != NULL);
        hb_arena_reset(&arena);
    }
    hb_arena_free(&arena);
    assert_int_equal(arena.held, 0);
}

static void a_map_finds_every_entry_even_when_hashes_collide(void **state)
{
    (void)state;
    hb_map map = {0};
    assert_int_equal(hb_map_first(&map, 1), HB_MAP_END);
    for (uint32_t i = 0; i < 50000; i++)
        hb_map_insert(&map, i / 3 * 0x9e3779b97f4a7c15u, i);
    for (uint32_t i = 0; i < 50000; i++) {
        const uint64_t hash = i / 3 * 0x9e3779b97f4a7c15u;
        uint32_t at = hb_map_first(&map, hash);
        while (at != HB_MAP_END && hb_map_entry(&map, at) != i)
            at = hb_map_next(&map, hash, at);
        assert_int_not_equal(at, HB_MAP_END);
    }
    hb_map_clear(&map);
    assert_int_equal(hb_map_first(&map, 0), HB_MAP_END);
    hb_map_free(&map);
}

static void times_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time_s;
    } good[] = {
        {"2026-11-24T13:05:00Z", 1795525500},
        {"2026-11-24T13:05", 1795525500},
        {"2026-11-24 14:05:00+01:00", 1795525500},
        {"2026-11-24T13:05:00.123Z", 1795525500},
        {"2026-11-24", 1795478400},
        {"2026-11-24T13", 1795525200},
        {"1764000000", 1764000000},
        {"now", 1800000000},
        {"-30d", 1800000000 - 30 * 86400},
        {"-90s", 1799999910},
        {"2024-02-29", 1709164800},
        {"2026-11-24T03:05:00-1000", 1795525500},
    };
    static const char *const bad[] = {"",
                                      "-",
                                      "-d",
                                      "2026-02-29",
                                      "2026-13-01",
                                      "2026-11-24T25",
                                      "2026-11-24T13:05x",
                                      "24.11.2026",
                                      "-5",
                                      "-9999999999d",
                                      "2026-11-24T13:05:00+25:00",
                                      "1e9",
                                      "yesterday"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t time_s = 0;
        if (!hb_time_parse(hb_bytes_of(good[i].text), 1800000000, &time_s) || time_s != good[i].time_s)
            fail_msg("%s gave %lld", good[i].text, (long long)time_s);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t time_s = 0;
        if (hb_time_parse(hb_bytes_of(bad[i]), 1800000000, &time_s))
            fail_msg("'%s' was taken for %lld", bad[i], (long long)time_s);
    }
    char text[HB_TIME_TEXT];
    hb_time_print(1795525500, text);
    assert_string_equal(text, "2026-11-24T13:05:00Z");
    hb_time_print_hour(1795525500, text);
    assert_string_equal(text, "2026-11-24T13");
    int64_t hour_s = 0;
    assert_true(hb_time_parse_hour(HB_BYTES("2026-11-24T13"), &hour_s));
    assert_int_equal(hour_s, 1795525200);
    assert_false(hb_time_parse_hour(HB_BYTES("2026-11-24 13"), &hour_s));
    assert_int_equal(hb_time_floor(-1, 60), -60);
}

static void *put_many(void *context)
{
    for (int i = 0; i < 20000;)
        if (hb_queue_put(context, i, HB_BYTES("a record")))
            i++;
    return NULL;
}

static void a_queue_hands_over_every_record_in_order(void **state)
{
    (void)state;
    hb_queue *queue = hb_queue_open(4096);
    pthread_t producer;
    pthread_create(&producer, NULL, put_many, queue);
    hb_buffer batch = {0};
    int64_t expected = 0;
    while (expected < 20000) {
        assert_true(hb_queue_take(queue, 1000, &batch));
        hb_queue_record record;
        for (size_t at = 0; hb_queue_next(&batch, &at, &record); expected++) {
            assert_int_equal(record.time_ms, expected);
            assert_bytes(record.bytes, "a record");
        }
    }
    pthread_join(producer, NULL);
    hb_queue_end(queue);
    assert_false(hb_queue_put(queue, 0, HB_BYTES("too late")));
    assert_false(hb_queue_take(queue, 1000, &batch));
    hb_buffer_free(&batch);
    hb_queue_close(queue);
}

static void a_full_queue_refuses_and_counts(void **state)
{
    (void)state;
    hb_queue *queue = hb_queue_open(12 + 4);
    assert_true(hb_queue_put(queue, 1, HB_BYTES("four")));
    assert_false(hb_queue_put(queue, 2, HB_BYTES("")));
    assert_int_equal(hb_queue_dropped(queue), 1);
    hb_buffer batch = {0};
    assert_true(hb_queue_take(queue, 0, &batch));
    assert_false(hb_queue_put(queue, 3, HB_BYTES("what is taken still counts")));
    hb_buffer second = {0};
    assert_true(hb_queue_take(queue, 0, &second));
    assert_int_equal(second.size, 0);
    assert_true(hb_queue_put(queue, 4, HB_BYTES("four")));
    hb_buffer_free(&batch);
    hb_buffer_free(&second);
    hb_queue_close(queue);
}

static void metrics_are_printed_for_prometheus(void **state)
{
    (void)state;
    hb_metrics *metrics = hb_metrics_open();
    hb_metric *lines = hb_metrics_counter(metrics, "hubbub_lines_total", "Lines.");
    assert_ptr_equal(lines, hb_metrics_counter(metrics, "hubbub_lines_total", "Lines."));
    hb_metric_add(lines, 2);
    hb_metric_set(hb_metrics_gauge(metrics, "hubbub_lag_seconds", "Lag."), -1);
    hb_buffer out = {0};
    hb_metrics_print(metrics, &out);
    assert_bytes(hb_buffer_bytes(&out),
                 "# HELP hubbub_lines_total Lines.\n# TYPE hubbub_lines_total counter\nhubbub_lines_total 2\n"
                 "# HELP hubbub_lag_seconds Lag.\n# TYPE hubbub_lag_seconds gauge\nhubbub_lag_seconds -1\n");
    hb_buffer_free(&out);
    hb_metrics_close(metrics);
}

static void errors_end_with_the_systems_reason(void **state)
{
    (void)state;
    hb_error error;
    errno = ENOSPC;
    assert_false(hb_fail_errno(&error, "%s cannot be written", "x.irc"));
    assert_string_equal(error.text, "x.irc cannot be written: No space left on device");
    assert_int_equal(error.code, HB_ERROR_SYSTEM);
}

static bool read_dotenv(const char *text, hb_dotenv *dotenv, hb_error *error)
{
    char path[] = "/tmp/hubbub-dotenv-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    const bool fine = hb_dotenv_read(path, dotenv, error);
    unlink(path);
    return fine;
}

static void a_scan_finds_what_a_look_at_each_byte_finds(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (size_t size = 0; size < 3 * HB_SCAN_BYTES; size++) {
        char *exact = malloc(size == 0 ? 1 : size); /* so that a look behind the end is seen */
        assert_non_null(exact);
        for (size_t i = 0; i < size; i++)
            exact[i] = "ab;\xff"[(seed = seed * 1103515245 + 12345) >> 16 & 3];
        for (size_t from = 0; from <= size; from += 1 + from % 5) {
            uint64_t expected = 0;
            for (size_t i = from; i < size && i < from + HB_SCAN_BYTES; i++)
                expected |= (uint64_t)(exact[i] == ';') << (i - from);
            assert_true(hb_scan_text((hb_bytes){exact, size}, from, ';') == expected);
        }
        free(exact);
    }
}

static void dotenv_reads_what_people_write(void **state)
{
    (void)state;
    hb_dotenv dotenv;
    hb_error error;
    assert_true(read_dotenv("# a comment\n\nA=1\nexport B = \"two words\"\r\nC='#x'\nD=\n", &dotenv, &error));
    assert_string_equal(hb_dotenv_get(&dotenv, "A"), "1");
    assert_string_equal(hb_dotenv_get(&dotenv, "B"), "two words");
    assert_string_equal(hb_dotenv_get(&dotenv, "C"), "#x");
    assert_string_equal(hb_dotenv_get(&dotenv, "D"), "");
    assert_null(hb_dotenv_get(&dotenv, "E"));
    hb_buffer_free(&dotenv.text);
    assert_false(read_dotenv("A=1\nnonsense\n", &dotenv, &error));
    assert_non_null(strstr(error.text, "line 2"));
    assert_true(hb_dotenv_read("/nowhere/.env", &dotenv, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutting_takes_parts_and_separators),
        cmocka_unit_test(an_address_comes_back_as_it_was_put_together),
        cmocka_unit_test(a_bad_address_is_refused_without_showing_secrets),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(bytes_are_ordered_as_memcmp_orders),
        cmocka_unit_test(a_buffer_prints_past_its_room),
        cmocka_unit_test(an_arena_keeps_what_was_copied),
        cmocka_unit_test(a_map_finds_every_entry_even_when_hashes_collide),
        cmocka_unit_test(times_are_read_and_written),
        cmocka_unit_test(a_queue_hands_over_every_record_in_order),
        cmocka_unit_test(a_full_queue_refuses_and_counts),
        cmocka_unit_test(metrics_are_printed_for_prometheus),
        cmocka_unit_test(errors_end_with_the_systems_reason),
        cmocka_unit_test(a_scan_finds_what_a_look_at_each_byte_finds),
        cmocka_unit_test(dotenv_reads_what_people_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
