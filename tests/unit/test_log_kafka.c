/* test_log_kafka.c - the Kafka log, against librdkafka's own mock cluster: what is written is there, once and in its
 * order; workers of a group hand partitions over; what is read back is what a file log of the same facts gives. (The
 * mock knows no times, so ranges begin at 0 here.) */
#include "scratch.h"
#include "unit.h"

#include "base/clock.h"
#include "base/error.h"
#include "log/history.h"
#include "log/log.h"
#include "log/log_kafka.h"
#include "log/messages.h"
#include "log/recorder.h"
#include "log/spool.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <inttypes.h>
#include <stdlib.h>

enum { PARTITIONS = 6, WAIT_MS = 60000, NAP_MS = 100 };

static rd_kafka_t *host; /* the mock cluster's, and its producer of raw records */
static rd_kafka_mock_cluster_t *cluster;
static unsigned topics;
static char topic[64];
static char address[256];

static int start_cluster(void **state)
{
    char reason[256];
    (void)state;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:1", reason, sizeof reason);
    rd_kafka_conf_set(conf, "log_level", "0", reason, sizeof reason);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cluster = host == NULL ? NULL : rd_kafka_mock_cluster_new(host, 1);
    return cluster == NULL ? -1 : 0;
}

static int stop_cluster(void **state)
{
    (void)state;
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}

/* A topic of its own for each test. */
static int make_topic(void **state)
{
    (void)state;
    snprintf(topic, sizeof topic, "chat-%u", ++topics);
    snprintf(address, sizeof address, "kafka://%s/%s", rd_kafka_mock_cluster_bootstraps(cluster), topic);
    return rd_kafka_mock_topic_create(cluster, topic, PARTITIONS, 1) == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

/* ---- Raw records ---- */

static rd_kafka_t *open_producer(void)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), reason, sizeof reason);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
}

static void produce(int32_t partition, hb_bytes value)
{
    rd_kafka_t *producer = open_producer();
    assert_non_null(producer);
    assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                                       RD_KAFKA_V_VALUE((void *)value.data, value.size),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(producer, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
}

static void produce_numbers(unsigned from, unsigned to)
{
    rd_kafka_t *producer = open_producer();
    char text[32];
    for (unsigned i = from; i < to; i++) {
        const int size = snprintf(text, sizeof text, "line %u", i);
        assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
                                           RD_KAFKA_V_PARTITION((int32_t)(i % PARTITIONS)),
                                           RD_KAFKA_V_VALUE(text, (size_t)size),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    assert_int_equal(rd_kafka_flush(producer, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
}

/* ---- A worker ---- */

typedef struct share_holder {
    hb_log_group *group;
    bool owned[PARTITIONS];
    bool ended[PARTITIONS];
    unsigned owned_count;
    unsigned ended_count;
    uint64_t *store; /* what a store would know: by partition, where to go on */
    bool *owners;    /* by partition, whether any worker has it */
    hb_buffer *seen; /* by partition, lines counted */
} share_holder;

static void open_worker(share_holder *worker, const char *name)
{
    hb_error error = {0};
    char text[512];
    /* The mock waits for a session's length, less a second, before it rebalances. */
    snprintf(text, sizeof text, "%s?session.timeout.ms=4000&heartbeat.interval.ms=300", address);
    worker->group = hb_log_group_open(text, name, NULL, &error);
    if (worker->group == NULL)
        print_error("%s\n", error.text);
    assert_non_null(worker->group);
}

static void give_up(share_holder *worker, int32_t partition)
{
    assert_true(worker->owned[partition]);
    worker->owned[partition] = worker->owners[partition] = false;
    worker->owned_count--;
    worker->ended_count -= worker->ended[partition];
    worker->ended[partition] = false;
}

/* Answers one event as it is meant to be. */
static void step(share_holder *worker)
{
    hb_log_news news;
    hb_error error = {0};
    if (!hb_log_group_read(worker->group, NAP_MS, &news, &error))
        fail_msg("%s", error.text);
    const int32_t partition = news.partition;
    switch (news.event) {
    case HB_LOG_NOTHING:
        break;
    case HB_LOG_ASSIGNED:
        assert_false(worker->owned[partition]);
        assert_false(worker->owners[partition]);
        worker->owned[partition] = worker->owners[partition] = true;
        worker->owned_count++;
        assert_true(hb_log_group_start(worker->group, partition, worker->store[partition], &error));
        break;
    case HB_LOG_LINES:
        assert_true(worker->owned[partition]);
        assert_int_equal(news.at, worker->store[partition]);
        hb_buffer_append(&worker->seen[partition], news.lines);
        worker->store[partition] = news.next;
        break;
    case HB_LOG_END:
        worker->ended_count += !worker->ended[partition];
        worker->ended[partition] = true;
        assert_int_equal(news.next, worker->store[partition]);
        break;
    case HB_LOG_REVOKED:
        give_up(worker, partition);
        hb_log_group_commit(worker->group, partition, worker->store[partition]);
        hb_log_group_release(worker->group, partition);
        break;
    case HB_LOG_LOST:
        give_up(worker, partition);
        break;
    }
}

typedef struct shared_counts { /* what all workers share */
    uint64_t store[PARTITIONS];
    bool owners[PARTITIONS];
    hb_buffer seen[PARTITIONS];
} shared_counts;

static share_holder make_worker(shared_counts *counts)
{
    return (share_holder){.store = counts->store, .owners = counts->owners, .seen = counts->seen};
}

/* Each partition holds its numbers, once each and in order. */
static void check_numbers(shared_counts *counts, unsigned count)
{
    for (unsigned partition = 0; partition < PARTITIONS; partition++) {
        hb_buffer expected = {0};
        for (unsigned i = partition; i < count; i += PARTITIONS)
            hb_buffer_print(&expected, "line %u\n", i);
        assert_int_equal(counts->seen[partition].size, expected.size);
        assert_memory_equal(counts->seen[partition].data, expected.data, expected.size);
        hb_buffer_free(&expected);
    }
}

static void free_counts(shared_counts *counts)
{
    for (unsigned partition = 0; partition < PARTITIONS; partition++)
        hb_buffer_free(&counts->seen[partition]);
}

/* ---- Tests ---- */

static void test_partition_of(void **state)
{
    (void)state;
    /* As org.apache.kafka.common.utils.Utils.toPositive(murmur2(key)) % n gives them; the first two hashes are from
     * Kafka's own UtilsTest: murmur2("21") = -973932308, murmur2("foobar") = -790332482. */
    assert_int_equal(hb_log_partition_of(HB_BYTES("21"), 3600), (-973932308 & 0x7fffffff) % 3600);
    assert_int_equal(hb_log_partition_of(HB_BYTES("foobar"), 12), (-790332482 & 0x7fffffff) % 12);
    assert_int_equal(hb_log_partition_of(HB_BYTES("FooBar"), 12), (-790332482 & 0x7fffffff) % 12);
}

static void test_reads_all(void **state)
{
    enum { LINES = 30000 };
    shared_counts counts = {0};
    share_holder worker = make_worker(&counts);
    (void)state;
    produce_numbers(0, LINES);
    open_worker(&worker, "all");
    for (const int64_t until_ms = hb_monotonic_ms() + WAIT_MS;
         worker.ended_count < PARTITIONS && hb_monotonic_ms() < until_ms;)
        step(&worker);
    check_numbers(&counts, LINES);
    hb_log_group_close(worker.group);
    free_counts(&counts);
}

static void test_bad_records(void **state)
{
    shared_counts counts = {0};
    share_holder worker = make_worker(&counts);
    char *big = malloc(HB_LOG_LINE_BYTES + 100);
    (void)state;
    memset(big, 'x', HB_LOG_LINE_BYTES + 100);
    produce(2, HB_BYTES("first"));
    produce(2, HB_BYTES("two\nlines"));
    produce(2, HB_BYTES(""));
    produce(2, (hb_bytes){big, HB_LOG_LINE_BYTES + 100});
    produce(2, HB_BYTES("last"));
    free(big);
    open_worker(&worker, "bad");
    for (const int64_t until_ms = hb_monotonic_ms() + WAIT_MS;
         worker.ended_count < PARTITIONS && hb_monotonic_ms() < until_ms;)
        step(&worker);
    assert_int_equal(counts.store[2], 5);
    assert_true(hb_bytes_equal(hb_buffer_bytes(&counts.seen[2]), HB_BYTES("first\n\n\n\nlast\n")));
    hb_log_group_close(worker.group);
    free_counts(&counts);
}

/* A second worker comes, then the first one leaves; meanwhile lines come in. Nothing is read twice or left out. */
static void test_hand_over(void **state)
{
    shared_counts counts = {0};
    share_holder first = make_worker(&counts);
    share_holder second = make_worker(&counts);
    const int64_t until_ms = hb_monotonic_ms() + WAIT_MS;
    (void)state;
    produce_numbers(0, 6000);
    open_worker(&first, "hand-over");
    while (first.ended_count < PARTITIONS && hb_monotonic_ms() < until_ms)
        step(&first);
    open_worker(&second, "hand-over");
    while (second.owned_count < PARTITIONS / 2 && hb_monotonic_ms() < until_ms) {
        step(&first);
        step(&second);
    }
    assert_int_equal(first.owned_count, PARTITIONS / 2);
    produce_numbers(6000, 12000);
    hb_log_group_close(first.group);
    memset(counts.owners, 0, sizeof counts.owners);
    memcpy(counts.owners, second.owned, sizeof counts.owners);
    while ((second.owned_count < PARTITIONS || second.ended_count < PARTITIONS) && hb_monotonic_ms() < until_ms)
        step(&second);
    for (int i = 0; i < 10; i++)
        step(&second);
    check_numbers(&counts, 12000);
    hb_log_group_close(second.group);
    free_counts(&counts);
}

/* The worker gives back what it never began, and begins late. */
static void test_never_started(void **state)
{
    shared_counts counts = {0};
    share_holder second = make_worker(&counts);
    share_holder lazy = make_worker(&counts);
    hb_error error = {0};
    hb_log_news news;
    unsigned assigned = 0;
    unsigned revoked = 0;
    const int64_t until_ms = hb_monotonic_ms() + WAIT_MS;
    (void)state;
    produce_numbers(0, 60);
    open_worker(&lazy, "lazy");
    hb_log_group *const first = lazy.group;
    while (assigned < PARTITIONS && hb_monotonic_ms() < until_ms) {
        assert_true(hb_log_group_read(first, NAP_MS, &news, &error));
        assigned += news.event == HB_LOG_ASSIGNED;
    }
    assert_int_equal(assigned, PARTITIONS);
    open_worker(&second, "lazy");
    bool begun = false;
    while (second.ended_count < PARTITIONS / 2 && hb_monotonic_ms() < until_ms) {
        step(&second);
        assert_true(hb_log_group_read(first, NAP_MS, &news, &error));
        assert_int_not_equal(news.event, HB_LOG_LINES);
        if (!begun) { /* librdkafka wants one answer before it goes on */
            hb_log_group_start(first, 0, 10, &error);
            begun = true;
        }
        if (news.event == HB_LOG_REVOKED) {
            hb_log_group_release(first, news.partition);
            revoked++;
        }
    }
    assert_int_equal(revoked, PARTITIONS / 2);
    assert_int_equal(second.owned_count, PARTITIONS / 2);
    hb_log_group_close(first);
    hb_log_group_close(second.group);
    free_counts(&counts);
}

static void test_settings(void **state)
{
    static const struct {
        const char *settings;
        const char *says;
    } bad[] = {
        {"no.such.thing=1", "'no.such.thing'"},
        {"partitions=0", "partitions"},
        {"partitions=3601", "3600"},
        {"replication.factor=x", "replication.factor"},
        {"security.protocol=hunter2", "security.protocol"},
        {"enable.auto.commit=true", "hubbub sets it itself"},
        {"ssl.key.password=hunter2&security.protocol=SSL&ssl.ca.location=/nowhere", "ssl.ca.location"},
        {"sasl.mechanism=SCRAM-SHA-256&security.protocol=SASL_PLAINTEXT&sasl.password=hunter3", "sasl.username"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hb_error error = {0};
        char text[512];
        snprintf(text, sizeof text, "%s?%s", address, bad[i].settings);
        assert_null(hb_log_group_open(text, "settings", NULL, &error));
        assert_int_equal(error.code, HB_ERROR_USAGE);
        if (strstr(error.text, bad[i].says) == NULL)
            fail_msg("%s", error.text);
        assert_null(strstr(error.text, "hunter3"));
    }
}

/* ---- Writing ---- */

static hb_log *open_to_append(const char *settings, hb_metrics *metrics)
{
    hb_error error = {0};
    char text[512];
    snprintf(text, sizeof text, "%s%s", address, settings);
    hb_log *log = hb_log_open(text, HB_LOG_APPEND, metrics, &error);
    if (log == NULL)
        print_error("%s\n", error.text);
    assert_non_null(log);
    return log;
}

static size_t print_said(unsigned number, char out[256])
{
    return (size_t)snprintf(out, 256,
                            "@id=%u;tmi-sent-ts=%" PRId64 ";user-id=7 :ann!ann@ann.tmi.twitch.tv PRIVMSG #Room%u :said",
                            number, INT64_C(1764000000000) + number, number % 20);
}

/* Appends messages; how many times there was no room. */
static unsigned append_messages(hb_log *log, unsigned from, unsigned to)
{
    unsigned full = 0;
    char text[256];
    for (unsigned i = from; i < to; i++)
        for (;;) {
            hb_error error = {0};
            const hb_log_append_status status =
                hb_log_append(log, (hb_bytes){text, print_said(i, text)}, INT64_C(1764000000001) + i);
            if (status == HB_LOG_APPENDED)
                break;
            assert_int_equal(status, HB_LOG_FULL);
            full++;
            if (!hb_log_flush(log, &error))
                assert_int_equal(error.code, HB_ERROR_NETWORK);
        }
    return full;
}

typedef struct raw_record {
    int32_t partition;
    int64_t time_ms;
    unsigned number; /* its id */
    char key[64];
    char value[256];
} raw_record;

/* Reads the topic with nothing of hubbub's. */
static raw_record *read_raw(unsigned *count)
{
    char reason[256];
    raw_record *records = NULL;
    size_t capacity = 0;
    unsigned ended = 0;
    const int64_t until_ms = hb_monotonic_ms() + WAIT_MS;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), reason, sizeof reason);
    rd_kafka_conf_set(conf, "group.id", "raw", reason, sizeof reason);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", reason, sizeof reason);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int32_t i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    *count = 0;
    while (ended < PARTITIONS && hb_monotonic_ms() < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, NAP_MS);
        if (message == NULL)
            continue;
        ended += message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            HB_RESERVE(records, capacity, *count + 1);
            raw_record *const record = &records[(*count)++];
            record->partition = message->partition;
            record->time_ms = rd_kafka_message_timestamp(message, NULL);
            snprintf(record->key, sizeof record->key, "%.*s", (int)message->key_len, (const char *)message->key);
            snprintf(record->value, sizeof record->value, "%.*s", (int)message->len, (const char *)message->payload);
            const char *const id = strstr(record->value, ";id=");
            record->number = id == NULL ? 0 : (unsigned)strtoul(id + 4, NULL, 10);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return records;
}

/* Each message is there once, as it was written, in the partition of its channel and in its channel's order. */
static void check_messages(unsigned count)
{
    unsigned found = 0;
    unsigned next[20];
    raw_record *records = read_raw(&found);
    assert_int_equal(found, count);
    for (unsigned room = 0; room < 20; room++)
        next[room] = room;
    for (unsigned i = 0; i < found; i++) {
        char expected[320];
        char text[256];
        char key[64];
        const unsigned number = records[i].number;
        const unsigned room = number % 20;
        snprintf(key, sizeof key, "room%u", room);
        print_said(number, text);
        snprintf(expected, sizeof expected, "@rm-received-ts=%" PRId64 ";%s", INT64_C(1764000000001) + number,
                 text + 1);
        assert_string_equal(records[i].value, expected);
        assert_string_equal(records[i].key, key);
        assert_int_equal(records[i].time_ms, INT64_C(1764000000000) + number);
        assert_int_equal(records[i].partition, hb_log_partition_of(hb_bytes_of(key), PARTITIONS));
        assert_int_equal(number, next[room]);
        next[room] += 20;
    }
    free(records);
}

static int64_t metric_of(hb_metrics *metrics, const char *name)
{
    return hb_metric_get(hb_metrics_counter(metrics, name, ""));
}

static void test_writes(void **state)
{
    hb_error error = {0};
    hb_metrics *metrics = hb_metrics_open();
    (void)state;
    hb_log *log = open_to_append("", metrics);
    append_messages(log, 0, 5000);
    assert_int_equal(hb_log_append(log, HB_BYTES("PING :x"), 1), HB_LOG_NO_FACT);
    assert_int_equal(hb_log_append(log, HB_BYTES(""), 1), HB_LOG_MALFORMED);
    assert_true(hb_log_flush(log, &error));
    assert_true(hb_log_sync(log, &error));
    assert_true(hb_log_close(log, &error));
    check_messages(5000);
    assert_int_equal(metric_of(metrics, "hubbub_log_facts_total"), 5000);
    hb_metrics_close(metrics);
}

/* A broker that is away is waited for; the queue is bounded; nothing is lost or there twice. */
static void test_broker_away(void **state)
{
    enum { COUNT = 20000 };
    hb_error error = {0};
    (void)state;
    hb_log *log = open_to_append("?queue.buffering.max.kbytes=512", NULL);
    append_messages(log, 0, 1000);
    rd_kafka_mock_broker_set_down(cluster, 1);
    unsigned written = 1000;
    char text[256];
    bool refused = false;
    /* Until there is no room: */
    for (const int64_t until_ms = hb_monotonic_ms() + WAIT_MS; !refused && hb_monotonic_ms() < until_ms;) {
        const hb_log_append_status status =
            hb_log_append(log, (hb_bytes){text, print_said(written, text)}, INT64_C(1764000000001) + written);
        if (status == HB_LOG_APPENDED)
            written++;
        else
            refused = !hb_log_flush(log, &error);
    }
    assert_true(refused);
    assert_int_equal(error.code, HB_ERROR_NETWORK);
    assert_in_range(written, 1001, COUNT);
    rd_kafka_mock_broker_set_up(cluster, 1);
    append_messages(log, written, COUNT);
    assert_true(hb_log_close(log, &error));
    check_messages(COUNT);
}

/* What the broker refuses for good is counted and told of at the end. */
static void test_refused_for_good(void **state)
{
    hb_error error = {0};
    hb_metrics *metrics = hb_metrics_open();
    (void)state;
    hb_log *log = open_to_append("", metrics);
    rd_kafka_mock_push_request_errors(cluster, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    append_messages(log, 0, 10);
    assert_false(hb_log_close(log, &error));
    assert_int_equal(error.code, HB_ERROR_NETWORK);
    assert_non_null(strstr(error.text, "refused by Kafka for good"));
    assert_true(metric_of(metrics, "hubbub_log_errors_total") > 0);
    hb_metrics_close(metrics);
}

static void test_recorder(void **state)
{
    hb_error error = {0};
    char text[256];
    (void)state;
    /* Two at once: the file log's lock is not for a topic. */
    hb_recorder *one = hb_recorder_open(address, 1 << 20, NULL, &error);
    hb_recorder *other = hb_recorder_open(address, 1 << 20, NULL, &error);
    assert_non_null(one);
    assert_non_null(other);
    for (unsigned i = 0; i < 2000; i++)
        assert_true(hb_recorder_put(i % 20 < 10 ? one : other, (hb_bytes){text, print_said(i, text)},
                                    INT64_C(1764000000001) + i));
    assert_true(hb_recorder_close(one, &error));
    assert_true(hb_recorder_close(other, &error));
    check_messages(2000);
}

/* ---- Reading back ---- */

enum { FACTS = 4000, FACT_HOURS = 7 };
#define FIRST_HOUR_S (INT64_C(1764000000) / 3600 * 3600)

static const char *const rooms[] = {"xqc", "xqcow", "x", "nobody"};

/* A fact of a chat in which nothing is in order, and much is removed. */
static size_t print_fact(unsigned number, char out[512])
{
    const unsigned dice = number * 2654435761U;
    const long long time_ms = FIRST_HOUR_S * 1000 + (long long)(dice % (FACT_HOURS * 3600000U));
    const char *const room = rooms[dice / 7 % 3];
    const unsigned user = dice / 31 % 9;
    switch (dice / 11 % 23) {
    case 0:
        return (size_t)snprintf(out, 512, "@target-msg-id=id%u;tmi-sent-ts=%lld :tmi.twitch.tv CLEARMSG #%s :gone",
                                number / 2, time_ms, room);
    case 1:
        return (size_t)snprintf(out, 512, "@target-user-id=%u;tmi-sent-ts=%lld :tmi.twitch.tv CLEARCHAT #%s :user%u",
                                user, time_ms, room, user);
    default:
        return (size_t)snprintf(out, 512, "@id=id%u;tmi-sent-ts=%lld;user-id=%u :user%u!u@u PRIVMSG #%s :said %u",
                                number % 50 == 0 ? number / 50 : number, time_ms, user, user, room, number);
    }
}

static void append_facts(hb_log *log)
{
    hb_error error = {0};
    char line[512];
    for (unsigned i = 0; i < FACTS; i++)
        assert_int_equal(hb_log_append(log, (hb_bytes){line, print_fact(i, line)}, 0), HB_LOG_APPENDED);
    assert_true(hb_log_flush(log, &error));
}

static void print_history(hb_log *log, const hb_history_query *query, hb_buffer *out)
{
    hb_error error = {0};
    hb_bytes lines = {"\n", 1};
    hb_history_fact found;
    hb_history *history = hb_history_open(log, query, &error);
    if (history == NULL)
        fail_msg("%s", error.text);
    while (lines.size > 0) {
        if (!hb_history_read(history, &lines, &error))
            fail_msg("%s", error.text);
        hb_bytes rest = lines;
        while (hb_history_next(history, &rest, &found))
            hb_buffer_print(out, "%.*s%s\n", HB_PRINT(found.line), found.deleted ? " (deleted)" : "");
    }
    hb_history_close(history);
}

static void print_messages(hb_log *log, const hb_message_query *query, hb_buffer *out)
{
    hb_error error = {0};
    hb_message_query page = *query;
    for (bool more = true; more;) {
        hb_messages *messages = hb_messages_open(log, &page, &error);
        if (messages == NULL)
            fail_msg("%s", error.text);
        assert_true(hb_messages_complete(messages));
        for (size_t i = 0; i < hb_messages_count(messages); i++) {
            const hb_message *const message = hb_messages_at(messages, i);
            hb_buffer_print(out, "%lld %.*s %.*s%s\n", (long long)message->fact.time_ms, HB_PRINT(message->fact.id),
                            HB_PRINT(message->fact.text), message->deleted ? " (deleted)" : "");
        }
        more = hb_messages_earlier(messages, &page.before);
        page.paged = true;
        hb_messages_close(messages);
    }
}

static void assert_same(hb_buffer *files, hb_buffer *kafka)
{
    hb_buffer_append_char(files, '\0');
    hb_buffer_append_char(kafka, '\0');
    assert_string_equal(kafka->data, files->data);
    hb_buffer_free(files);
    hb_buffer_free(kafka);
}

static void test_reads_back(void **state)
{
    char directory[SCRATCH_NAME];
    hb_error error = {0};
    hb_buffer out[2] = {0};
    size_t size = 0;
    (void)state;
    assert_true(scratch_make(directory));
    hb_log *logs[] = {hb_log_open(directory, HB_LOG_APPEND, NULL, &error), open_to_append("", NULL)};
    append_facts(logs[0]);
    append_facts(logs[1]);
    assert_true(hb_log_close(logs[1], &error));
    logs[1] = hb_log_open(address, HB_LOG_READ, NULL, &error);
    for (size_t room = 0; room < sizeof rooms / sizeof *rooms; room++) {
        for (int forms = 0; forms < 4; forms++) {
            const hb_history_query query = {.channel = hb_bytes_of(rooms[room]),
                                            .user = forms == 3 ? HB_BYTES("USER3") : HB_BYTES(""),
                                            .to_s = FIRST_HOUR_S + (forms == 2 ? 2 : 9) * 3600,
                                            .messages = forms > 0,
                                            .removals = forms > 0};
            print_history(logs[0], &query, &out[0]);
            print_history(logs[1], &query, &out[1]);
            size += out[0].size;
            if (forms > 0) /* as received, facts come in the order of receipt, not by hours */
                assert_same(&out[0], &out[1]);
            assert_int_equal(out[0].size, out[1].size);
            hb_buffer_free(&out[0]);
            hb_buffer_free(&out[1]);
        }
        const hb_message_query query = {
            .channel = hb_bytes_of(rooms[room]), .to_s = FIRST_HOUR_S + 9 * 3600, .limit = 300};
        print_messages(logs[0], &query, &out[0]);
        print_messages(logs[1], &query, &out[1]);
        assert_same(&out[0], &out[1]);
    }
    assert_true(size > 100000); /* there was something to compare */
    assert_true(hb_log_close(logs[0], &error));
    assert_true(hb_log_close(logs[1], &error));
    assert_true(scratch_remove(directory));
}

/* Reads until so many lines have come. */
static size_t follow(hb_log_follower *follower, size_t wanted, hb_log_position ends[PARTITIONS])
{
    hb_error error = {0};
    hb_log_piece piece;
    size_t lines = 0;
    for (const int64_t until_ms = hb_monotonic_ms() + WAIT_MS; lines < wanted && hb_monotonic_ms() < until_ms;) {
        assert_true(hb_log_follower_read(follower, &piece, &error));
        for (size_t i = 0; i < piece.lines.size; i++)
            lines += piece.lines.data[i] == '\n';
        if (piece.lines.size > 0)
            ends[piece.part] = (hb_log_position){piece.part, piece.next};
        else
            hb_log_follower_wait(follower, NAP_MS);
    }
    return lines;
}

static void test_follows(void **state)
{
    hb_error error = {0};
    hb_log_position ends[PARTITIONS] = {0};
    (void)state;
    hb_log *writer = open_to_append("", NULL);
    append_messages(writer, 0, 500);
    assert_true(hb_log_close(writer, &error));
    hb_log *log = hb_log_open(address, HB_LOG_READ, NULL, &error);
    hb_log_follower *from_start = hb_log_follower_open(log, HB_LOG_FROM_START, NULL, 0, &error);
    hb_log_follower *from_end = hb_log_follower_open(log, HB_LOG_FROM_END, NULL, 0, &error);
    for (int32_t i = 0; i < PARTITIONS; i++)
        ends[i].part = i;
    assert_int_equal(follow(from_start, 500, ends), 500);
    hb_log_follower_close(from_start);
    writer = open_to_append("", NULL);
    append_messages(writer, 500, 700);
    assert_true(hb_log_close(writer, &error));
    from_start = hb_log_follower_open(log, HB_LOG_FROM_START, ends, PARTITIONS, &error);
    assert_int_equal(follow(from_start, 200, ends), 200);
    assert_int_equal(follow(from_end, 200, ends), 200);
    hb_log_follower_close(from_start);
    hb_log_follower_close(from_end);
    hb_log_close(log, &error);
}

static bool is_odd(void *context, int64_t hour_s)
{
    (void)context;
    return (hour_s - FIRST_HOUR_S) / 3600 % 2 == 1;
}

/* The copy holds what is wanted, and knows where each hour begins in each partition. */
static void test_spool(void **state)
{
    hb_error error = {0};
    hb_log_part *parts = NULL;
    size_t part_count = 0;
    size_t ends_count = 0;
    uint64_t first = 0;
    bool filled = false;
    (void)state;
    hb_log *writer = open_to_append("", NULL);
    append_facts(writer);
    assert_true(hb_log_close(writer, &error));
    const hb_spool_query query = {.to_ms = (FIRST_HOUR_S + 5 * 3600) * 1000, .want = is_odd};
    hb_spool *spool = hb_spool_open(address, &query, NULL, &error);
    assert_non_null(spool);
    while (!filled)
        assert_true(hb_spool_fill(spool, NAP_MS, &filled, &error));
    hb_log *copy = hb_log_open(hb_spool_log(spool), HB_LOG_READ, NULL, &error);
    assert_true(hb_log_list(copy, &parts, &part_count, &error));
    assert_int_equal(part_count, 2);
    assert_int_equal(parts[0].part, FIRST_HOUR_S + 3600);
    assert_int_equal(parts[1].part, FIRST_HOUR_S + 3 * 3600);
    free(parts);
    hb_log_close(copy, &error);
    /* Where an hour begins, found the slow way: offsets count up in each partition. */
    const hb_log_position *const ends = hb_spool_ends(spool, &ends_count);
    assert_int_equal(ends_count, PARTITIONS);
    uint64_t offsets[PARTITIONS] = {0};
    uint64_t firsts[FACT_HOURS][PARTITIONS];
    memset(firsts, 0xff, sizeof firsts);
    for (unsigned i = 0; i < FACTS; i++) {
        char line[512];
        hb_fact fact;
        assert_int_equal(hb_fact_read((hb_bytes){line, print_fact(i, line)}, &fact), HB_FACT_OK);
        const int32_t partition = hb_log_partition_of(fact.channel, PARTITIONS);
        const int64_t hour = (fact.time_ms / 1000 - FIRST_HOUR_S) / 3600;
        if (firsts[hour][partition] == UINT64_MAX)
            firsts[hour][partition] = offsets[partition];
        offsets[partition]++;
    }
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        assert_int_equal(ends[partition].offset, offsets[partition]);
        for (int64_t hour = 0; hour < FACT_HOURS; hour++) {
            const bool held = hour < 5 && hour % 2 == 1 && firsts[hour][partition] != UINT64_MAX;
            assert_int_equal(hb_spool_first(spool, FIRST_HOUR_S + hour * 3600, partition, &first), held);
            if (held)
                assert_int_equal(first, firsts[hour][partition]);
        }
    }
    char *const path = strdup(hb_spool_log(spool));
    hb_spool_close(spool);
    assert_null(hb_log_open(path, HB_LOG_READ, NULL, &error)); /* removed */
    assert_int_equal(error.code, HB_ERROR_MISSING);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partition_of),
        cmocka_unit_test_setup(test_reads_all, make_topic),
        cmocka_unit_test_setup(test_bad_records, make_topic),
        cmocka_unit_test_setup(test_hand_over, make_topic),
        cmocka_unit_test_setup(test_never_started, make_topic),
        cmocka_unit_test_setup(test_settings, make_topic),
        cmocka_unit_test_setup(test_writes, make_topic),
        cmocka_unit_test_setup(test_broker_away, make_topic),
        cmocka_unit_test_setup(test_refused_for_good, make_topic),
        cmocka_unit_test_setup(test_recorder, make_topic),
        cmocka_unit_test_setup(test_reads_back, make_topic),
        cmocka_unit_test_setup(test_follows, make_topic),
        cmocka_unit_test_setup(test_spool, make_topic),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
