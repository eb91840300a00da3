/* kafka_follow.h - hb_log_follower of a Kafka log: every partition, as a part of its number. Not a door. */
#ifndef HB_LOG_KAFKA_FOLLOW_H
#define HB_LOG_KAFKA_FOLLOW_H

#include "log/log.h"

typedef struct hb_kafka_follower hb_kafka_follower;

/* As hb_log_follower_open. NULL: as hb_kafka_reader_open. */
hb_kafka_follower *hb_kafka_follower_open(const char *address, hb_log_start start, const hb_log_position *positions,
                                          size_t count, hb_error *error);
void hb_kafka_follower_close(hb_kafka_follower *follower);

/* As hb_log_follower_read and hb_log_follower_wait. */
bool hb_kafka_follower_read(hb_kafka_follower *follower, hb_log_piece *piece, hb_error *error);
void hb_kafka_follower_wait(hb_kafka_follower *follower, int wait_ms);

#endif
