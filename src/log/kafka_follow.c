/* kafka_follow.c - each partition from where it is wanted, then on and on. Partitions that a topic is given while it is
 * followed are not noticed: channels would change their partition, which a topic of hubbub's must not. */
#include "log/kafka_follow.h"

#include "log/kafka_reader.h"

#include <stdlib.h>

struct hb_kafka_follower {
    hb_kafka_reader *reader;
};

static bool begin(hb_kafka_follower *follower, hb_log_start start, const hb_log_position *positions, size_t count,
                  hb_error *error)
{
    const size_t partitions = (size_t)hb_kafka_reader_partitions(follower->reader);
    hb_kafka_share *shares = hb_alloc((partitions + 1) * sizeof *shares);
    for (size_t i = 0; i < partitions; i++)
        shares[i].partition = (int32_t)i;
    bool begun = hb_kafka_reader_find(follower->reader, 0, shares, partitions, error);
    for (size_t i = 0; begun && start == HB_LOG_FROM_END && i < partitions; i++)
        shares[i].from = shares[i].high;
    for (size_t i = 0; i < count; i++)
        if (positions[i].part >= 0 && (uint64_t)positions[i].part < partitions)
            shares[positions[i].part].from = positions[i].offset;
    begun = begun && hb_kafka_reader_begin(follower->reader, shares, partitions, error);
    free(shares);
    return begun;
}

hb_kafka_follower *hb_kafka_follower_open(const char *address, hb_log_start start, const hb_log_position *positions,
                                          size_t count, hb_error *error)
{
    hb_kafka_follower *follower = hb_alloc(sizeof *follower);
    follower->reader = hb_kafka_reader_open(address, error);
    if (follower->reader != NULL && begin(follower, start, positions, count, error))
        return follower;
    hb_kafka_follower_close(follower);
    return NULL;
}

void hb_kafka_follower_close(hb_kafka_follower *follower)
{
    if (follower == NULL)
        return;
    hb_kafka_reader_close(follower->reader);
    free(follower);
}

bool hb_kafka_follower_read(hb_kafka_follower *follower, hb_log_piece *piece, hb_error *error)
{
    hb_kafka_piece read;
    do {
        if (!hb_kafka_reader_read(follower->reader, 0, &read, error))
            return false;
    } while (read.partition >= 0 && read.lines.size == 0); /* an end is none that lasts */
    *piece = (hb_log_piece){.part = read.partition, .lines = read.lines, .next = read.next};
    return true;
}

void hb_kafka_follower_wait(hb_kafka_follower *follower, int wait_ms)
{
    hb_kafka_reader_wait(follower->reader, wait_ms);
}
