/* test_group.c - workers of a consumer group, on a Kafka cluster that librdkafka plays in this process: whatever
 * happens to the group, the store must come to hold the same as that of a file log, value by value. */
#include "facts.h"
#include "mock_kafka.h"
#include "scratch.h"
#include "unit.h"

#include "base/clock.h"
#include "cmd/processor.h"
#include "log/log.h"
#include "log/log_kafka.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FACTS = 600, START_S = 1764000000, STEP_S = 12, PARTITIONS = 6, PATIENCE_MS = 30000 };

static mock_kafka kafka;
static unsigned topics;

typedef struct places {
    char root[SCRATCH_NAME];
    char topic[200];
    char file_log[80];
    char store[3][80];
} places;

static places make_places(void)
{
    places made;
    char name[32];
    assert_true(scratch_make(made.root));
    snprintf(name, sizeof name, "chat-%u", ++topics);
    assert_true(mock_kafka_topic(&kafka, name, PARTITIONS, made.topic, sizeof made.topic));
    snprintf(made.topic + strlen(made.topic), sizeof made.topic - strlen(made.topic),
             "?session.timeout.ms=4000&heartbeat.interval.ms=300");
    snprintf(made.file_log, sizeof made.file_log, "%s/log", made.root);
    for (int i = 0; i < 3; i++)
        snprintf(made.store[i], sizeof made.store[i], "%s/%d.db", made.root, i);
    return made;
}

static void append(const char *address, const chat_fact *facts, size_t count)
{
    hb_error error = {0};
    hb_log *log = hb_log_open(address, HB_LOG_APPEND, NULL, &error);
    hb_buffer line = {0};
    if (log == NULL)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < count; i++) {
        line.size = 0;
        print_fact(&line, &facts[i]);
        assert_int_equal(hb_log_append(log, hb_buffer_bytes(&line), 0), HB_LOG_APPENDED);
    }
    hb_buffer_free(&line);
    if (!hb_log_close(log, &error))
        fail_msg("%s", error.text);
}

/* ---- Workers ---- */

typedef struct worker {
    hb_metrics *metrics;
    hb_processor *processor;
} worker;

static worker start(const char *log, const char *store, bool until_end)
{
    hb_error error = {0};
    worker made = {.metrics = hb_metrics_open()};
    const hb_processor_options options = {
        .log = log, .store = store, .top = 5, .memory = 64 << 20, .until_end = until_end, .group = "counters"};
    made.processor = hb_processor_open(&options, made.metrics, &error);
    if (made.processor == NULL)
        fail_msg("%s", error.text);
    return made;
}

static int64_t metric(const worker *of, const char *name)
{
    return hb_metric_get(hb_metrics_counter(of->metrics, name, ""));
}

static void stop(worker *stopped)
{
    hb_error error = {0};
    const int64_t start_ms = hb_monotonic_ms();
    if (!hb_processor_close(stopped->processor, &error))
        fail_msg("%s", error.text);
    assert_true(hb_monotonic_ms() - start_ms < 5000);
    hb_metrics_close(stopped->metrics);
}

static void process_until_end(const char *log, const char *store)
{
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    worker once = start(log, store, true);
    while (!hb_processor_ended(once.processor) && hb_monotonic_ms() < end_ms)
        usleep(5000);
    assert_true(hb_processor_ended(once.processor));
    stop(&once);
}

static void wait_for(const worker *of, const char *name, int64_t least)
{
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (metric(of, name) < least && hb_monotonic_ms() < end_ms)
        usleep(10000);
    if (metric(of, name) < least)
        fail_msg("%s stays at %lld", name, (long long)metric(of, name));
}

static void wait_until_has(const worker *of, int64_t partitions)
{
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (metric(of, "hubbub_group_partitions") != partitions && hb_monotonic_ms() < end_ms)
        usleep(10000);
    assert_int_equal(metric(of, "hubbub_group_partitions"), partitions);
}

/* ---- What stores hold ---- */

static sqlite3 *open_store(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

static void dump(sqlite3 *db, const char *query, hb_buffer *out)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        hb_buffer_print(out, "%s\n", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
}

/* All rows as text. Which hours are closed differs: each partition has a watermark of its own. */
static char *text_of(const char *store)
{
    hb_buffer text = {0};
    sqlite3 *db = open_store(store);
    dump(db,
         "SELECT 'wordcount '||minute||' '||channel||' '||messages||' '||words||' '||chatters||' '||shared"
         "||' '||new_chatters||' '||subscriber_messages FROM wordcount ORDER BY 1",
         &text);
    dump(db,
         "SELECT 'viewers '||minute||' '||channel||' '||viewers||' '||samples||' '||game||' '||title"
         " FROM viewers ORDER BY 1",
         &text);
    dump(db, "SELECT 'word '||channel||' '||hour||' '||kind||' '||word||' '||count FROM wordfreq ORDER BY 1", &text);
    dump(db,
         "SELECT 'user '||channel||' '||hour||' '||user_id||' '||user_name||' '||messages||' '||words"
         " FROM msgperuser ORDER BY 1",
         &text);
    dump(db, "SELECT 'sheet '||channel||' '||hour||' '||hex(sheet) FROM sheets ORDER BY 1", &text);
    dump(db, "SELECT 'channel '||channel||' '||room_id||' '||first_seen||' '||last_seen FROM channels ORDER BY 1",
         &text);
    sqlite3_close(db);
    hb_buffer_append_char(&text, '\0');
    return text.data;
}

/* The store must hold what the file log's does. */
static void check_store(const places *where, const char *store, const chat_fact *facts, size_t count)
{
    append(where->file_log, facts, count);
    process_until_end(where->file_log, where->store[2]);
    char *expected = text_of(where->store[2]);
    char *found = text_of(store);
    assert_true(strlen(expected) > 10000);
    assert_string_equal(found, expected);
    free(expected);
    free(found);
    assert_true(scratch_remove(where->root));
}

/* Chat of two hours, some facts twice. */
static void make_facts(chat_fact *facts, uint64_t seed)
{
    chat_dice dice = {seed};
    for (size_t i = 0; i < FACTS; i++)
        facts[i] = i > 0 && roll(&dice, 6) == 0 ? facts[i - 1] : random_fact(&dice, START_S + (int64_t)i * STEP_S, 30);
}

/* ---- Tests ---- */

static void all_that_the_topic_holds_is_counted(void **state)
{
    (void)state;
    static chat_fact facts[FACTS];
    const places where = make_places();
    make_facts(facts, 1);
    for (size_t part = 0; part < 2; part++) { /* a restart goes on where the topic does */
        append(where.topic, facts + part * FACTS / 2, FACTS / 2);
        process_until_end(where.topic, where.store[0]);
    }
    check_store(&where, where.store[0], facts, FACTS);
}

/* Another member takes some of the partitions, and gives them back without having counted them. */
static void what_is_taken_and_comes_back_is_counted_once(void **state)
{
    (void)state;
    static chat_fact facts[FACTS];
    const places where = make_places();
    hb_error error = {0};
    make_facts(facts, 2);
    worker first = start(where.topic, where.store[0], false);
    append(where.topic, facts, FACTS / 3);
    wait_for(&first, "hubbub_facts_total", FACTS / 3);
    hb_log_group *other = hb_log_group_open(where.topic, "counters", NULL, &error);
    size_t taken = 0;
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (taken < PARTITIONS / 2 && hb_monotonic_ms() < end_ms) {
        hb_log_news news;
        assert_true(hb_log_group_read(other, 50, &news, &error));
        if (news.event == HB_LOG_ASSIGNED) {
            taken++;
            assert_true(hb_log_group_start(other, news.partition, 0, &error));
        }
    }
    assert_int_equal(taken, PARTITIONS / 2);
    append(where.topic, facts + FACTS / 3, FACTS / 3);
    wait_until_has(&first, PARTITIONS / 2);
    hb_log_group_close(other);
    append(where.topic, facts + FACTS / 3 * 2, FACTS / 3);
    wait_for(&first, "hubbub_group_partitions", PARTITIONS);
    assert_true(metric(&first, "hubbub_group_rebalances_total") >= 3);
    wait_for(&first, "hubbub_facts_total", FACTS + 1); /* some have been read twice */
    sleep(2);
    stop(&first);
    process_until_end(where.topic, where.store[0]);
    check_store(&where, where.store[0], facts, FACTS);
}

/* Two workers share the partitions, each with a store of its own; then one leaves, and the other gets what it had. */
static void a_worker_takes_over_what_another_leaves(void **state)
{
    (void)state;
    static chat_fact facts[FACTS];
    const places where = make_places();
    make_facts(facts, 3);
    worker first = start(where.topic, where.store[0], false);
    worker second = start(where.topic, where.store[1], false);
    wait_for(&second, "hubbub_group_partitions", PARTITIONS / 2);
    wait_until_has(&first, PARTITIONS / 2);
    append(where.topic, facts, FACTS / 2);
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (metric(&first, "hubbub_facts_total") + metric(&second, "hubbub_facts_total") < FACTS / 2 &&
           hb_monotonic_ms() < end_ms)
        usleep(10000);
    assert_true(metric(&first, "hubbub_facts_total") > 0);
    assert_true(metric(&second, "hubbub_facts_total") > 0);
    stop(&second);
    append(where.topic, facts + FACTS / 2, FACTS / 2);
    wait_for(&first, "hubbub_group_partitions", PARTITIONS);
    wait_for(&first, "hubbub_facts_total", FACTS);
    stop(&first);
    process_until_end(where.topic, where.store[0]);
    check_store(&where, where.store[0], facts, FACTS);
}

/* Killed again and again, at any moment. */
static void a_worker_that_is_killed_loses_nothing(void **state)
{
    (void)state;
    static chat_fact facts[FACTS];
    const places where = make_places();
    make_facts(facts, 4);
    for (size_t part = 0; part < 4; part++) {
        const pid_t child = fork();
        if (child == 0) {
            start(where.topic, where.store[0], false);
            for (;;)
                pause();
        }
        append(where.topic, facts + part * FACTS / 4, FACTS / 4);
        usleep(500000 + 700000 * (unsigned)part);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    process_until_end(where.topic, where.store[0]);
    check_store(&where, where.store[0], facts, FACTS);
}

static void a_store_that_refuses_is_waited_for(void **state)
{
    (void)state;
    static chat_fact facts[FACTS];
    const places where = make_places();
    make_facts(facts, 5);
    worker only = start(where.topic, where.store[0], false);
    append(where.topic, facts, FACTS / 3);
    wait_for(&only, "hubbub_facts_total", FACTS / 3);
    sqlite3 *db = open_store(where.store[0]);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    append(where.topic, facts + FACTS / 3, FACTS / 3);
    wait_for(&only, "hubbub_store_errors_total", 1);
    append(where.topic, facts + FACTS / 3 * 2, FACTS / 3);
    sleep(6); /* longer than the group waits for a worker that does not answer */
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    wait_for(&only, "hubbub_facts_total", FACTS);
    assert_int_equal(metric(&only, "hubbub_facts_total"), FACTS);
    assert_int_equal(metric(&only, "hubbub_group_rebalances_total"), 1);
    stop(&only);
    process_until_end(where.topic, where.store[0]);
    check_store(&where, where.store[0], facts, FACTS);
}

static void a_second_writer_of_one_file_is_refused(void **state)
{
    (void)state;
    const places where = make_places();
    hb_error error = {0};
    worker first = start(where.topic, where.store[0], false);
    const hb_processor_options options = {
        .log = where.topic, .store = where.store[0], .top = 5, .memory = 64 << 20, .group = "counters"};
    assert_null(hb_processor_open(&options, first.metrics, &error));
    assert_int_equal(error.code, HB_ERROR_BUSY);
    stop(&first);
    assert_true(scratch_remove(where.root));
}

static int open_kafka(void **state)
{
    (void)state;
    return mock_kafka_open(&kafka) ? 0 : -1;
}

static int close_kafka(void **state)
{
    (void)state;
    mock_kafka_close(&kafka);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_the_topic_holds_is_counted),
        cmocka_unit_test(what_is_taken_and_comes_back_is_counted_once),
        cmocka_unit_test(a_worker_takes_over_what_another_leaves),
        cmocka_unit_test(a_worker_that_is_killed_loses_nothing),
        cmocka_unit_test(a_store_that_refuses_is_waited_for),
        cmocka_unit_test(a_second_writer_of_one_file_is_refused),
    };
    return cmocka_run_group_tests(tests, open_kafka, close_kafka);
}
