/* test_processor.c - log to store for real, in a folder of its own: until the log's end, again after a restart, live,
 * and while the disk refuses writes. Every sheet in the store must be that of a fold of all facts. */
#include "facts.h"
#include "scratch.h"
#include "unit.h"

#include "base/clock.h"
#include "cmd/processor.h"
#include "log/log.h"
#include "store/store.h"
#include "views/speed.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FACTS = 300, START_S = 1764000000, SPAN_S = 3 * 3600, PATIENCE_MS = 20000 };

typedef struct test_places {
    char root[SCRATCH_NAME];
    char log[80];
    char store[80];
} test_places;

static test_places make_places(void)
{
    test_places made;
    assert_true(scratch_make(made.root));
    snprintf(made.log, sizeof made.log, "%s/log", made.root);
    snprintf(made.store, sizeof made.store, "%s/hubbub.db", made.root);
    return made;
}

static void remove_places(const test_places *places)
{
    assert_true(scratch_remove(places->root));
}

static void append(const test_places *places, const chat_fact *facts, size_t count)
{
    hb_error error = {0};
    hb_log *log = hb_log_open(places->log, HB_LOG_APPEND, NULL, &error);
    if (log == NULL)
        fail_msg("%s", error.text);
    hb_buffer line = {0};
    for (size_t i = 0; i < count; i++) {
        line.size = 0;
        print_fact(&line, &facts[i]);
        assert_int_equal(hb_log_append(log, hb_buffer_bytes(&line), 0), HB_LOG_APPENDED);
    }
    hb_buffer_free(&line);
    assert_true(hb_log_close(log, &error));
}

static hb_processor *start(const test_places *places, bool until_end, hb_metrics *metrics)
{
    hb_error error = {0};
    const hb_processor_options options = {places->log, places->store, 5, 64 << 20, until_end};
    hb_processor *processor = hb_processor_open(&options, metrics, &error);
    if (processor == NULL)
        fail_msg("%s", error.text);
    return processor;
}

static void stop(hb_processor *processor)
{
    hb_error error = {0};
    if (!hb_processor_close(processor, &error))
        fail_msg("%s", error.text);
}

static void process_until_end(const test_places *places)
{
    hb_metrics *metrics = hb_metrics_open();
    hb_processor *processor = start(places, true, metrics);
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (!hb_processor_ended(processor) && hb_monotonic_ms() < end_ms)
        usleep(5000);
    assert_true(hb_processor_ended(processor));
    stop(processor);
    hb_metrics_close(metrics);
}

/* ---- What the store holds ---- */

typedef struct sheet_check {
    hb_fold *expected;
    size_t found;
} sheet_check;

static bool check_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    sheet_check *const check = context;
    hb_error error = {0};
    hb_sheet *sheet = hb_sheet_decode(row->sheet, &error);
    size_t cursor = 0;
    assert_non_null(sheet);
    assert_int_equal(layer, HB_LAYER_SPEED);
    assert_int_equal(words_version, HB_WORDS_VERSION);
    for (hb_sheet *other; (other = hb_fold_next_sheet(check->expected, &cursor)) != NULL;) {
        if (!hb_bytes_equal(hb_sheet_channel(other), row->channel) || hb_sheet_hour(other) != row->hour_s)
            continue;
        char *expected = sheet_text(other);
        char *found = sheet_text(sheet);
        assert_string_equal(found, expected);
        free(expected);
        free(found);
        check->found++;
    }
    hb_sheet_close(sheet);
    return true;
}

static void check_store(const test_places *places, const chat_fact *facts, size_t count)
{
    hb_error error = {0};
    hb_buffer lines = {0};
    sheet_check check = {.expected = hb_fold_open(&error)};
    for (size_t i = 0; i < count; i++)
        print_fact(&lines, &facts[i]);
    hb_fold_lines(check.expected, hb_buffer_bytes(&lines));
    hb_buffer_free(&lines);
    hb_store *store = hb_store_open(places->store, HB_STORE_READ, &error);
    if (store == NULL)
        fail_msg("%s", error.text);
    size_t sheets = 0;
    for (size_t cursor = 0; hb_fold_next_sheet(check.expected, &cursor) != NULL;)
        sheets++;
    for (unsigned c = 0; c < 4; c++) {
        char channel[16];
        snprintf(channel, sizeof channel, "chan%u", c);
        assert_true(hb_store_sheets(store, hb_bytes_of(channel), 0, INT64_C(1) << 40, check_sheet, &check, &error));
    }
    assert_int_equal(check.found, sheets);
    hb_store_close(store);
    hb_fold_close(check.expected);
}

static bool add_messages(void *context, const hb_minute_row *row, hb_layer layer)
{
    (void)layer;
    *(uint64_t *)context += row->count.messages;
    return true;
}

/* Messages in the rows of minutes; 0 where there is no store yet. */
static uint64_t messages_in(const test_places *places)
{
    hb_error error = {0};
    uint64_t messages = 0;
    hb_store *store = hb_store_open(places->store, HB_STORE_READ, &error);
    if (store == NULL)
        return 0;
    hb_store_minutes(store, (hb_bytes){"", 0}, 0, INT64_C(1) << 40, add_messages, &messages, &error);
    hb_store_close(store);
    return messages;
}

static void wait_for_messages(const test_places *places, uint64_t messages)
{
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (messages_in(places) < messages && hb_monotonic_ms() < end_ms)
        usleep(20000);
    assert_int_equal(messages_in(places), messages);
}

/* ---- Tests ---- */

static void all_that_the_log_holds_is_counted(void **state)
{
    (void)state;
    chat_dice dice = {2026};
    chat_fact facts[FACTS];
    const test_places places = make_places();
    for (size_t i = 0; i < FACTS; i++) /* in no order at all: an import */
        facts[i] = i > 0 && roll(&dice, 5) == 0 ? facts[roll(&dice, i)] : random_fact(&dice, START_S, SPAN_S);
    append(&places, facts, FACTS);
    process_until_end(&places);
    check_store(&places, facts, FACTS);
    process_until_end(&places); /* once more changes nothing */
    check_store(&places, facts, FACTS);
    remove_places(&places);
}

static void a_restart_goes_on_where_the_log_does(void **state)
{
    (void)state;
    chat_dice dice = {2027};
    chat_fact facts[FACTS];
    const test_places places = make_places();
    for (size_t i = 0; i < FACTS; i++)
        facts[i] = random_fact(&dice, START_S + (int64_t)i * 30, 60);
    for (size_t from = 0; from < FACTS; from += FACTS / 3) {
        append(&places, facts + from, FACTS / 3);
        process_until_end(&places);
        check_store(&places, facts, from + FACTS / 3);
    }
    remove_places(&places);
}

static void message_at(chat_fact *made, unsigned number, int64_t time_ms)
{
    *made = (chat_fact){.kind = 'm', .channel = "chan0", .time_ms = time_ms, .room = "1", .user = "7", .login = "a"};
    snprintf(made->id, sizeof made->id, "n%u", number);
    snprintf(made->words, sizeof made->words, "w%u", number % 7);
}

static void what_comes_is_seen_at_once(void **state)
{
    (void)state;
    chat_fact facts[30];
    const test_places places = make_places();
    hb_metrics *metrics = hb_metrics_open();
    append(&places, facts, 0);
    hb_processor *processor = start(&places, false, metrics);
    for (unsigned i = 0; i < 30; i++)
        message_at(&facts[i], i, hb_now_ms());
    for (unsigned i = 0; i < 3; i++) {
        append(&places, facts + (size_t)i * 10, 10);
        wait_for_messages(&places, (i + 1) * 10);
    }
    assert_int_equal(hb_metric_get(hb_metrics_counter(metrics, "hubbub_messages_total", "")), 30);
    hb_error error = {0};
    const hb_processor_options second = {places.log, places.store, 5, 64 << 20, false};
    assert_null(hb_processor_open(&second, metrics, &error));
    assert_int_equal(error.code, HB_ERROR_BUSY);
    stop(processor);
    check_store(&places, facts, 30);
    hb_metrics_close(metrics);
    remove_places(&places);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_disk_that_is_full_is_waited_for(void **state)
{
    (void)state;
    static chat_fact facts[FACTS];
    struct rlimit old;
    const test_places places = make_places();
    hb_metrics *metrics = hb_metrics_open();
    for (unsigned i = 0; i < FACTS; i++)
        message_at(&facts[i], i, START_S * INT64_C(1000) + i * 1000);
    append(&places, facts, 10);
    hb_processor *processor = start(&places, false, metrics);
    wait_for_messages(&places, 10);
    /* No file of this process may grow any more, as on a full disk; another one goes on writing the log. */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    set_file_limit(4096);
    const pid_t other = fork();
    if (other == 0) {
        set_file_limit(old.rlim_cur);
        append(&places, facts + 10, FACTS - 10);
        _exit(0);
    }
    assert_int_equal(waitpid(other, NULL, 0), other);
    hb_metric *const refused = hb_metrics_counter(metrics, "hubbub_store_errors_total", "");
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (hb_metric_get(refused) == 0 && hb_monotonic_ms() < end_ms)
        usleep(10000);
    assert_true(hb_metric_get(refused) > 0);
    assert_int_equal(messages_in(&places), 10);
    set_file_limit(old.rlim_cur);
    wait_for_messages(&places, FACTS);
    stop(processor);
    check_store(&places, facts, FACTS);
    hb_metrics_close(metrics);
    remove_places(&places);
}

static void a_log_that_is_not_there_is_told(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_error error = {0};
    hb_metrics *metrics = hb_metrics_open();
    const hb_processor_options options = {places.log, places.store, 5, 64 << 20, true};
    assert_null(hb_processor_open(&options, metrics, &error));
    assert_int_equal(error.code, HB_ERROR_MISSING);
    hb_metrics_close(metrics);
    remove_places(&places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_the_log_holds_is_counted), cmocka_unit_test(a_restart_goes_on_where_the_log_does),
        cmocka_unit_test(what_comes_is_seen_at_once),        cmocka_unit_test(a_disk_that_is_full_is_waited_for),
        cmocka_unit_test(a_log_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
