/* kafka_log.c - writing to a topic.
 *
 * librdkafka's queue holds what the broker has not confirmed yet; it is bounded, and sent again for as long as it
 * takes. The producer is idempotent, so what is sent twice is kept once and in order. Delivery reports are served
 * whenever the owner appends or flushes.
 *
 * A record's timestamp is the event time, by which a time range is found again. Brokers refuse timestamps more than an
 * hour ahead of their clock, which event times of a day ahead are allowed to be: such a record gets an earlier one. */
#include "log/kafka_log.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "log/kafka_link.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    MEET_MS = 15 * 1000,       /* how long opening waits for a broker */
    MAKE_MS = 30 * 1000,       /* and for a topic to be made */
    ROOM_MS = 100,             /* how long a flush waits for room */
    STUCK_MS = 2000,           /* no room, and nothing delivered for so long: the broker takes nothing */
    LAST_MS = 10 * 1000,       /* closing gives up when nothing was delivered for so long */
    AHEAD_MS = 50 * 60 * 1000, /* a timestamp may be so far ahead of the clock */
    SERVE_EVERY = 512,         /* appends */
    SAID_MS = 10 * 1000        /* failures are said at most this often */
};

struct hb_kafka_log {
    hb_kafka_link link;
    char *text;         /* the whole address */
    rd_kafka_t *client; /* this and what follows: appending */
    rd_kafka_topic_t *topic;
    bool full;            /* the queue refused the last line */
    unsigned unserved;    /* appends since reports were served */
    int64_t delivered_ms; /* the last delivery */
    uint64_t failed;      /* facts that the broker refused for good */
    uint64_t failed_said;
    int64_t failed_said_ms;
    char failure[160];
    hb_metric *facts;
    hb_metric *bytes;
    hb_metric *errors;
    hb_metric *queued;
};

/* ---- Reports ---- */

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *record, void *opaque)
{
    hb_kafka_log *const kafka = opaque; /* its link comes first */
    (void)client;
    if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        hb_metric_add(kafka->facts, 1);
        hb_metric_add(kafka->bytes, record->len + 1);
        kafka->delivered_ms = hb_monotonic_ms();
        return;
    }
    kafka->failed++;
    hb_metric_add(kafka->errors, 1);
    snprintf(kafka->failure, sizeof kafka->failure, "%s", rd_kafka_err2str(record->err));
}

static void say_failed(hb_kafka_log *kafka)
{
    const int64_t now_ms = hb_monotonic_ms();
    if (kafka->failed == kafka->failed_said || (kafka->failed_said > 0 && now_ms - kafka->failed_said_ms < SAID_MS))
        return;
    hb_say_error("%" PRIu64 " facts (%" PRIu64 " in all) were refused by Kafka for good: %s",
                 kafka->failed - kafka->failed_said, kafka->failed, kafka->failure);
    kafka->failed_said = kafka->failed;
    kafka->failed_said_ms = now_ms;
}

static void serve(hb_kafka_log *kafka, int wait_ms)
{
    kafka->unserved = 0;
    rd_kafka_poll(kafka->client, wait_ms);
    hb_metric_set(kafka->queued, rd_kafka_outq_len(kafka->client));
    say_failed(kafka);
    if (kafka->link.refused) {
        hb_say_error("%s; trying again until it succeeds", kafka->link.refusal.text);
        kafka->link.refused = false;
    }
}

/* ---- The topic ---- */

/* What the broker answers to the wish for the topic. False: *reason says why not. */
static bool read_answer(rd_kafka_event_t *answer, const char **reason)
{
    size_t count = 0;
    *reason = "no answer came in time";
    if (answer == NULL)
        return false;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(answer);
    *reason = rd_kafka_event_error_string(answer);
    if (rd_kafka_event_error(answer) != RD_KAFKA_RESP_ERR_NO_ERROR || result == NULL)
        return false;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    if (count == 0)
        return false;
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[0]);
    *reason = rd_kafka_topic_result_error_string(topics[0]);
    if (*reason == NULL)
        *reason = rd_kafka_err2str(code);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
}

/* The log is kept for ever: a broker's week or so, counted from event times, would take an import away at once. */
static bool make_topic(hb_kafka_log *kafka, hb_error *error)
{
    char text[256];
    const char *reason = text;
    rd_kafka_NewTopic_t *wish = rd_kafka_NewTopic_new(kafka->link.address.place, kafka->link.partitions,
                                                      kafka->link.replication, text, sizeof text);
    if (wish == NULL)
        return hb_fail(error, HB_ERROR_USAGE, "the topic of %s cannot be made: %s", kafka->link.address.shown, text);
    rd_kafka_NewTopic_set_config(wish, "retention.ms", "-1");
    rd_kafka_NewTopic_set_config(wish, "cleanup.policy", "delete");
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(kafka->client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, MAKE_MS, text, sizeof text);
    rd_kafka_AdminOptions_set_request_timeout(options, MAKE_MS, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->client);
    rd_kafka_CreateTopics(kafka->client, &wish, 1, options, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, 2 * MAKE_MS);
    const bool made = read_answer(answer, &reason);
    if (made)
        hb_say_note("made the topic of %s with %d partitions", kafka->link.address.shown, kafka->link.partitions);
    else
        hb_fail(error, HB_ERROR_NETWORK, "the topic of %s cannot be made: %s", kafka->link.address.shown, reason);
    if (answer != NULL)
        rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(wish);
    return made;
}

static bool find_topic(hb_kafka_log *kafka, hb_error *error)
{
    int32_t partitions = 0;
    if (hb_kafka_link_partitions(&kafka->link, kafka->client, MEET_MS, &partitions, error))
        return true;
    return error->code == HB_ERROR_MISSING && make_topic(kafka, error);
}

/* ---- Opening and closing ---- */

static bool open_producer(hb_kafka_log *kafka, hb_error *error)
{
    static const hb_kafka_setting defaults[] = {
        {"compression.type", "zstd"},
        {"linger.ms", "20"},
        {"queue.buffering.max.kbytes", "65536"},
        {"queue.buffering.max.messages", "10000000"}, /* the bytes bound it */
        {NULL, NULL},
    };
    static const hb_kafka_setting fixed[] = {
        {"enable.idempotence", "true"},    {"acks", "all"}, {"message.timeout.ms", "0"}, /* for ever */
        {"partitioner", "murmur2_random"}, {NULL, NULL},
    };
    rd_kafka_conf_t *conf = hb_kafka_link_conf(&kafka->link, defaults, fixed, error);
    if (conf == NULL)
        return false;
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    kafka->client = hb_kafka_link_client(&kafka->link, RD_KAFKA_PRODUCER, conf, error);
    if (kafka->client == NULL || !find_topic(kafka, error))
        return false;
    kafka->topic = rd_kafka_topic_new(kafka->client, kafka->link.address.place, NULL);
    kafka->delivered_ms = hb_monotonic_ms();
    return kafka->topic != NULL ||
           hb_fail(error, HB_ERROR_USAGE, "'%s' cannot be the name of a topic", kafka->link.address.place);
}

static void make_metrics(hb_kafka_log *kafka, hb_metrics *metrics)
{
    static hb_metric unused; /* without metrics, counts go nowhere */
    kafka->facts = kafka->bytes = kafka->errors = kafka->queued = &unused;
    if (metrics == NULL)
        return;
    kafka->facts = hb_metrics_counter(metrics, "hubbub_log_facts_total", "Facts written to the log.");
    kafka->bytes = hb_metrics_counter(metrics, "hubbub_log_bytes_total", "Bytes of lines written to the log.");
    kafka->errors = hb_metrics_counter(metrics, "hubbub_log_errors_total", "Writes to the log that failed.");
    kafka->queued = hb_metrics_gauge(metrics, "hubbub_kafka_queue_facts", "Facts that wait for Kafka to confirm them.");
}

hb_kafka_log *hb_kafka_log_open(const char *address, hb_log_mode mode, hb_metrics *metrics, hb_error *error)
{
    hb_kafka_log *kafka = hb_alloc(sizeof *kafka);
    hb_error further = {0};
    _Static_assert(offsetof(hb_kafka_log, link) == 0, "callbacks get the link, and mean the log");
    if (!hb_kafka_link_read(&kafka->link, address, error)) {
        free(kafka);
        return NULL;
    }
    kafka->text = hb_copy_text(hb_bytes_of(address));
    make_metrics(kafka, metrics);
    if (mode == HB_LOG_READ || open_producer(kafka, error)) /* readers each have a client of their own */
        return kafka;
    hb_kafka_log_close(kafka, &further);
    return NULL;
}

/* Waits for what is queued as long as some of it is delivered. False: *lost facts are left. */
static bool deliver_rest(hb_kafka_log *kafka, uint64_t *lost)
{
    kafka->delivered_ms = hb_monotonic_ms();
    while (rd_kafka_outq_len(kafka->client) > 0 && hb_monotonic_ms() - kafka->delivered_ms < LAST_MS &&
           rd_kafka_fatal_error(kafka->client, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_flush(kafka->client, ROOM_MS);
        serve(kafka, 0);
    }
    *lost = (uint64_t)rd_kafka_outq_len(kafka->client);
    return *lost == 0;
}

bool hb_kafka_log_close(hb_kafka_log *kafka, hb_error *error)
{
    bool written = true;
    if (kafka->topic != NULL) {
        uint64_t lost = 0;
        if (!deliver_rest(kafka, &lost))
            written = hb_fail(error, HB_ERROR_NETWORK, "%" PRIu64 " facts could not be written to %s: %s", lost,
                              kafka->link.address.shown,
                              kafka->link.away ? "Kafka cannot be reached" : "Kafka takes nothing");
        else if (kafka->failed > 0)
            written = hb_fail(error, HB_ERROR_NETWORK, "%" PRIu64 " facts were refused by Kafka for good: %s",
                              kafka->failed, kafka->failure);
        rd_kafka_topic_destroy(kafka->topic);
        rd_kafka_purge(kafka->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    }
    if (kafka->client != NULL)
        rd_kafka_destroy(kafka->client);
    hb_kafka_link_free(&kafka->link);
    free(kafka->text);
    free(kafka);
    return written;
}

const char *hb_kafka_log_address(const hb_kafka_log *kafka)
{
    return kafka->text;
}

bool hb_kafka_log_refuse(const hb_kafka_log *kafka, hb_error *error)
{
    return hb_fail(error, HB_ERROR_USAGE, "%s is a topic: it has no files", kafka->link.address.shown);
}

/* ---- Writing ---- */

hb_log_append_status hb_kafka_log_append(hb_kafka_log *kafka, hb_bytes line, hb_bytes channel, int64_t time_ms)
{
    char lower[HB_LOGIN_MAX];
    const hb_bytes key = hb_bytes_lower(channel, lower);
    const int64_t latest_ms = hb_now_ms() + AHEAD_MS;
    if (++kafka->unserved >= SERVE_EVERY)
        serve(kafka, 0);
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        kafka->client, RD_KAFKA_V_RKT(kafka->topic), RD_KAFKA_V_KEY(key.data, key.size),
        RD_KAFKA_V_VALUE((void *)line.data, line.size), RD_KAFKA_V_TIMESTAMP(time_ms < latest_ms ? time_ms : latest_ms),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    kafka->full = code != RD_KAFKA_RESP_ERR_NO_ERROR; /* or a fatal error, which flushing tells */
    return kafka->full ? HB_LOG_FULL : HB_LOG_APPENDED;
}

bool hb_kafka_log_flush(hb_kafka_log *kafka, hb_error *error)
{
    char reason[160];
    serve(kafka, kafka->full ? ROOM_MS : 0);
    if (rd_kafka_fatal_error(kafka->client, reason, sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot write to %s any more, start again: %s",
                       kafka->link.address.shown, reason);
    if (!kafka->full || hb_monotonic_ms() - kafka->delivered_ms < STUCK_MS)
        return true;
    return hb_fail(error, HB_ERROR_NETWORK, "%s takes nothing, and %d facts wait already", kafka->link.address.shown,
                   rd_kafka_outq_len(kafka->client));
}
