/* kafka_records.c - one copy, from records to lines. Waiting for a whole batch would hold up what has come already. */
#include "log/kafka_records.h"

#include "log/kafka_link.h"

enum { PIECE_BYTES = 1 << 20 };

void hb_kafka_records_take(hb_kafka_records *records, int wait_ms)
{
    rd_kafka_message_t *first = rd_kafka_consumer_poll(records->client, wait_ms);
    records->next = records->count = 0;
    if (first == NULL)
        return;
    records->batch[records->count++] = first;
    const ssize_t more = rd_kafka_consume_batch_queue(records->queue, 0, records->batch + 1, HB_KAFKA_BATCH - 1);
    if (more > 0)
        records->count += (size_t)more;
}

void hb_kafka_records_wait(hb_kafka_records *records, int wait_ms)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): the batch is of pointers */
    memmove(records->batch, records->batch + records->next, (records->count - records->next) * sizeof *records->batch);
    records->count -= records->next;
    records->next = 0;
    if (records->count == HB_KAFKA_BATCH)
        return;
    rd_kafka_message_t *const more = rd_kafka_consumer_poll(records->client, wait_ms);
    if (more != NULL)
        records->batch[records->count++] = more;
}

const rd_kafka_message_t *hb_kafka_records_front(const hb_kafka_records *records)
{
    return records->next < records->count ? records->batch[records->next] : NULL;
}

void hb_kafka_records_pass(hb_kafka_records *records)
{
    rd_kafka_message_destroy(records->batch[records->next++]);
}

static void append(hb_kafka_records *records, const rd_kafka_message_t *record)
{
    const hb_bytes value = {record->payload, record->len};
    const bool good =
        value.size > 0 && value.size <= HB_KAFKA_RECORD_BYTES && memchr(value.data, '\n', value.size) == NULL;
    if (good)
        hb_buffer_append(&records->lines, value);
    else if (records->skipped != NULL)
        hb_metric_add(records->skipped, 1);
    hb_buffer_append_char(&records->lines, '\n');
}

hb_kafka_piece hb_kafka_records_piece(hb_kafka_records *records)
{
    const rd_kafka_message_t *record = hb_kafka_records_front(records);
    hb_kafka_piece piece = {.partition = record->partition,
                            .at = (uint64_t)record->offset,
                            .next = (uint64_t)record->offset,
                            .time_ms = rd_kafka_message_timestamp(record, NULL)};
    records->lines.size = 0;
    do {
        append(records, record);
        piece.next++;
        hb_kafka_records_pass(records);
        record = hb_kafka_records_front(records);
    } while (record != NULL && record->err == RD_KAFKA_RESP_ERR_NO_ERROR && record->partition == piece.partition &&
             (uint64_t)record->offset == piece.next && records->lines.size < PIECE_BYTES);
    piece.lines = hb_buffer_bytes(&records->lines);
    return piece;
}

void hb_kafka_records_free(hb_kafka_records *records)
{
    while (records->next < records->count)
        hb_kafka_records_pass(records);
    hb_buffer_free(&records->lines);
}
