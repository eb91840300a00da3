/* mock_kafka.h - librdkafka's own stand-in for a Kafka cluster, in this process, on a port of its own. */
#ifndef HB_TESTS_MOCK_KAFKA_H
#define HB_TESTS_MOCK_KAFKA_H

#include "base/bytes.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdio.h>

typedef struct mock_kafka {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
} mock_kafka;

static inline bool mock_kafka_open(mock_kafka *mock)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:1", reason, sizeof reason); /* nobody */
    rd_kafka_conf_set(conf, "log_level", "0", reason, sizeof reason);
    mock->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    mock->cluster = mock->host == NULL ? NULL : rd_kafka_mock_cluster_new(mock->host, 1);
    return mock->cluster != NULL;
}

static inline void mock_kafka_close(mock_kafka *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->host);
}

/* Makes a topic and writes its address. */
static inline bool mock_kafka_topic(mock_kafka *mock, const char *topic, int partitions, char *address, size_t size)
{
    snprintf(address, size, "kafka://%s/%s", rd_kafka_mock_cluster_bootstraps(mock->cluster), topic);
    return rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

#endif
