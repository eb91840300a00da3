/* kafka_log.h - what log.h does where the log is a topic. Not a door: other rooms include log/log.h. */
#ifndef HB_LOG_KAFKA_LOG_H
#define HB_LOG_KAFKA_LOG_H

#include "log/log.h"

typedef struct hb_kafka_log hb_kafka_log;

/* As hb_log_open. */
hb_kafka_log *hb_kafka_log_open(const char *address, hb_log_mode mode, hb_metrics *metrics, hb_error *error);

/* As hb_log_close. */
bool hb_kafka_log_close(hb_kafka_log *kafka, hb_error *error);

/* The address that it was opened at. */
const char *hb_kafka_log_address(const hb_kafka_log *kafka);

/* What files have and a topic has not: fails with HB_ERROR_USAGE. */
bool hb_kafka_log_refuse(const hb_kafka_log *kafka, hb_error *error);

/* Hands a line in the form in which it is kept to the producer: HB_LOG_APPENDED or HB_LOG_FULL. */
hb_log_append_status hb_kafka_log_append(hb_kafka_log *kafka, hb_bytes line, hb_bytes channel, int64_t time_ms);

/* As hb_log_flush: where lines were refused because the queue is full, waits for room, a moment at most. False also:
 * HB_ERROR_NETWORK (there is none, because the broker takes nothing). */
bool hb_kafka_log_flush(hb_kafka_log *kafka, hb_error *error);

#endif
