/* kafka_link.c - settings of librdkafka, and its reports of the connection.
 *
 * librdkafka reconnects by itself, for ever. It tells when the last broker went away; that one is back shows in its
 * statistics, which it makes every second. An absence is said when it has lasted, once, and once when it is over. What
 * librdkafka would print goes to hb_say_detail. */
#include "log/kafka_link.h"

#include "base/clock.h"
#include "base/say.h"
#include "log/log_kafka.h"

#include <inttypes.h>
#include <stdlib.h>

enum { AWAY_SAID_MS = 2000, ASK_MS = 1000 };

static const char example[] = "kafka://HOST:9092/TOPIC";

/* ---- Reports ---- */

/* Copies a reason, without what librdkafka says behind it in brackets. */
static void copy_reason(char *out, size_t room, const char *reason)
{
    const char *const brackets = strstr(reason, " (after ");
    snprintf(out, room, "%.*s", brackets == NULL ? (int)strlen(reason) : (int)(brackets - reason), reason);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    hb_kafka_link *const link = opaque;
    (void)client;
    hb_say_detail("Kafka: %s", reason);
    switch ((rd_kafka_resp_err_t)code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        link->refused = true;
        copy_reason(link->reason, sizeof link->reason, reason);
        hb_fail(&link->refusal, HB_ERROR_NETWORK, "Kafka at %s does not let us in: %s", link->address.hosts,
                link->reason);
        break;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        copy_reason(link->reason, sizeof link->reason, reason);
        break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        if (!link->away)
            link->away_ms = hb_monotonic_ms();
        link->away = true;
        break;
    default:
        break;
    }
}

static int on_statistics(rd_kafka_t *client, char *json, size_t size, void *opaque)
{
    static const char up[] = "\"state\":\"UP\"";
    hb_kafka_link *const link = opaque;
    const int64_t away_ms = hb_monotonic_ms() - link->away_ms;
    (void)client;
    if (!link->away)
        return 0;
    if (memmem(json, size, up, sizeof up - 1) != NULL) {
        if (link->away_said)
            hb_say_note("Kafka at %s can be reached again, after %" PRId64 " s", link->address.hosts, away_ms / 1000);
        link->away = link->away_said = false;
    } else if (!link->away_said && away_ms >= AWAY_SAID_MS) {
        hb_say_warning("Kafka at %s cannot be reached (%s); waiting for it", link->address.hosts, link->reason);
        link->away_said = true;
    }
    return 0; /* librdkafka frees the text */
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)level;
    hb_say_detail("librdkafka: %s: %s", facility, text);
}

/* ---- The address ---- */

static bool read_number(const hb_kafka_link *link, const hb_address_setting *setting, int most, int *number,
                        hb_error *error)
{
    uint64_t value = 0;
    if (!hb_bytes_to_u64(hb_bytes_of(setting->value), &value) || value < 1 || value > (uint64_t)most)
        return hb_fail(error, HB_ERROR_USAGE, "the setting %s of %s must be a number from 1 to %d", setting->key,
                       link->address.shown, most);
    *number = (int)value;
    return true;
}

static bool is_partitions(const char *key)
{
    return strcmp(key, "partitions") == 0;
}

static bool is_replication(const char *key)
{
    return strcmp(key, "replication.factor") == 0;
}

bool hb_kafka_link_read(hb_kafka_link *link, const char *address, hb_error *error)
{
    *link = (hb_kafka_link){.partitions = HB_KAFKA_PARTITIONS, .replication = -1};
    if (!hb_address_read(address, example, &link->address, error))
        return false;
    bool good = true;
    for (size_t i = 0; good && i < link->address.setting_count; i++) {
        const hb_address_setting *const setting = &link->address.settings[i];
        if (is_partitions(setting->key))
            good = read_number(link, setting, HB_KAFKA_PARTITIONS_MAX, &link->partitions, error);
        else if (is_replication(setting->key))
            good = read_number(link, setting, INT16_MAX, &link->replication, error);
    }
    if (!good)
        hb_kafka_link_free(link);
    return good;
}

void hb_kafka_link_free(hb_kafka_link *link)
{
    hb_address_free(&link->address);
}

/* ---- The configuration ---- */

static const hb_kafka_setting common_defaults[] = {
    {"client.id", "hubbub"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "2000"},
    {NULL, NULL},
};

/* The settings of hubbub itself are right by construction: this is for the version of librdkafka to agree. */
static bool set_all(rd_kafka_conf_t *conf, const hb_kafka_setting *settings, hb_error *error)
{
    char reason[256];
    for (; settings->key != NULL; settings++)
        if (rd_kafka_conf_set(conf, settings->key, settings->value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
            return hb_fail(error, HB_ERROR_USAGE, "this librdkafka (%s) is of no use to hubbub: %s",
                           rd_kafka_version_str(), reason);
    return true;
}

static bool is_among(const char *key, const hb_kafka_setting *settings)
{
    while (settings->key != NULL && strcmp(settings->key, key) != 0)
        settings++;
    return settings->key != NULL;
}

/* Whether a message may not repeat what librdkafka says of a value. */
static bool is_secret(const char *key)
{
    static const char *const signs[] = {"pass", "secret", "key", "oauth", "pem", "sasl", "token", "certificate"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(key, signs[i]) != NULL)
            return true;
    return false;
}

static bool set_given(rd_kafka_conf_t *conf, const hb_address_setting *setting, const hb_kafka_setting *fixed,
                      hb_error *error)
{
    char reason[256];
    if (is_partitions(setting->key) || is_replication(setting->key))
        return true;
    if (is_among(setting->key, fixed) || strcmp(setting->key, "bootstrap.servers") == 0 ||
        strcmp(setting->key, "metadata.broker.list") == 0 || strcmp(setting->key, "statistics.interval.ms") == 0)
        return hb_fail(error, HB_ERROR_USAGE, "the Kafka setting %s cannot be given: hubbub sets it itself",
                       setting->key);
    switch (rd_kafka_conf_set(conf, setting->key, setting->value, reason, sizeof reason)) {
    case RD_KAFKA_CONF_OK:
        return true;
    case RD_KAFKA_CONF_UNKNOWN:
        return hb_fail(
            error, HB_ERROR_USAGE,
            "there is no Kafka setting '%s': beside partitions and replication.factor, librdkafka's are known",
            setting->key);
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return hb_fail(error, HB_ERROR_USAGE, "the Kafka setting %s cannot have this value%s%s", setting->key,
                   is_secret(setting->key) ? "" : ": ", is_secret(setting->key) ? "" : reason);
}

rd_kafka_conf_t *hb_kafka_link_conf(hb_kafka_link *link, const hb_kafka_setting *defaults,
                                    const hb_kafka_setting *fixed, hb_error *error)
{
    const hb_kafka_setting common_fixed[] = {
        {"bootstrap.servers", link->address.hosts}, {"statistics.interval.ms", "1000"}, {NULL, NULL}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool good = set_all(conf, common_defaults, error) && set_all(conf, defaults, error);
    for (size_t i = 0; good && i < link->address.setting_count; i++)
        good = set_given(conf, &link->address.settings[i], fixed, error);
    good = good && set_all(conf, common_fixed, error) && set_all(conf, fixed, error);
    rd_kafka_conf_set_opaque(conf, link);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (good)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

rd_kafka_t *hb_kafka_link_client(hb_kafka_link *link, rd_kafka_type_t type, rd_kafka_conf_t *conf, hb_error *error)
{
    char reason[256];
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    if (client != NULL)
        return client;
    rd_kafka_conf_destroy(conf);
    hb_fail(error, HB_ERROR_USAGE, "the settings of %s do not go together: %s", link->address.shown, reason);
    return NULL;
}

/* ---- The topic ---- */

static bool read_topic(const hb_kafka_link *link, const rd_kafka_metadata_topic_t *topic, int32_t *partitions,
                       hb_error *error)
{
    if (topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return hb_fail(error, HB_ERROR_MISSING, "there is no topic for %s: 'hubbub ingest' and 'hubbub import' make it",
                       link->address.shown);
    if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR && topic->err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return hb_fail(error, HB_ERROR_NETWORK, "cannot use the topic of %s: %s", link->address.shown,
                       rd_kafka_err2str(topic->err));
    if (topic->partition_cnt > HB_KAFKA_PARTITIONS_MAX)
        return hb_fail(error, HB_ERROR_LIMIT, "the topic of %s has %d partitions; hubbub can do with %d at most",
                       link->address.shown, topic->partition_cnt, HB_KAFKA_PARTITIONS_MAX);
    *partitions = topic->partition_cnt;
    return true;
}

/* Asks until a broker answers, time is up, or it is known that none will. */
static rd_kafka_resp_err_t ask(hb_kafka_link *link, rd_kafka_t *client, rd_kafka_topic_t *topic, int wait_ms,
                               const struct rd_kafka_metadata **metadata)
{
    const int64_t until_ms = hb_monotonic_ms() + wait_ms;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    do {
        code = rd_kafka_metadata(client, 0, topic, metadata, ASK_MS);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        rd_kafka_poll(client, 0); /* why, if that is known */
    } while (!link->refused && hb_monotonic_ms() < until_ms);
    return code;
}

bool hb_kafka_link_partitions(hb_kafka_link *link, rd_kafka_t *client, int wait_ms, int32_t *partitions,
                              hb_error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, link->address.place, NULL);
    if (topic == NULL)
        return hb_fail(error, HB_ERROR_USAGE, "'%s' cannot be the name of a topic", link->address.place);
    const rd_kafka_resp_err_t code = ask(link, client, topic, wait_ms, &metadata);
    bool good = false;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && link->refused)
        *error = link->refusal;
    else if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        hb_fail(error, HB_ERROR_NETWORK, "cannot reach Kafka at %s: %s", link->address.hosts,
                link->reason[0] == '\0' ? rd_kafka_err2str(code) : link->reason);
    else if (metadata->topic_cnt != 1)
        hb_fail(error, HB_ERROR_NETWORK, "Kafka at %s does not answer what was asked", link->address.hosts);
    else
        good = read_topic(link, &metadata->topics[0], partitions, error);
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return good;
}
