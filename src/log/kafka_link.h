/* kafka_link.h - what writing to Kafka and reading from it share: the address, librdkafka's settings, and what is said
 * of the connection. Not a door: log/log.h and log/log_kafka.h are. */
#ifndef HB_LOG_KAFKA_LINK_H
#define HB_LOG_KAFKA_LINK_H

#include "base/address.h"
#include "base/error.h"

#include "log/log.h"

#include <librdkafka/rdkafka.h>

enum { HB_KAFKA_RECORD_BYTES = HB_LOG_LINE_BYTES + 64 }; /* a line with the time of receipt put in front */

typedef struct hb_kafka_setting {
    const char *key;
    const char *value;
} hb_kafka_setting;

/* The topic and the way there. The one thread that polls the client uses it. Free with hb_kafka_link_free, after the
 * client. */
typedef struct hb_kafka_link {
    hb_address address;
    int partitions;  /* of a topic that has to be made */
    int replication; /* -1: what the broker says */
    bool away;       /* no broker can be reached, since */
    bool away_said;
    int64_t away_ms;
    char reason[256];
    bool refused;     /* a broker does not let us in; whoever tells it resets it */
    hb_error refusal; /* HB_ERROR_NETWORK */
} hb_kafka_link;

/* Reads an address. False: HB_ERROR_USAGE, with nothing to free. */
bool hb_kafka_link_read(hb_kafka_link *link, const char *address, hb_error *error);
void hb_kafka_link_free(hb_kafka_link *link);

/* Makes a configuration with the link for its opaque: `defaults`, which the address's settings may change, and `fixed`,
 * which they may not. Both end with a NULL key. NULL: HB_ERROR_USAGE. */
rd_kafka_conf_t *hb_kafka_link_conf(hb_kafka_link *link, const hb_kafka_setting *defaults,
                                    const hb_kafka_setting *fixed, hb_error *error);

/* Makes a client. The configuration is used up, whatever comes of it. NULL: HB_ERROR_USAGE. */
rd_kafka_t *hb_kafka_link_client(hb_kafka_link *link, rd_kafka_type_t type, rd_kafka_conf_t *conf, hb_error *error);

/* Counts the topic's partitions; waits up to wait_ms for a broker. To be called before a consumer's queue takes over
 * the client's. False: HB_ERROR_MISSING (no such topic),
 * HB_ERROR_LIMIT (too many partitions), HB_ERROR_NETWORK. */
bool hb_kafka_link_partitions(hb_kafka_link *link, rd_kafka_t *client, int wait_ms, int32_t *partitions,
                              hb_error *error);

#endif
