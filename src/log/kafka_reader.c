/* kafka_reader.c - a consumer that belongs to no group: partitions are assigned by hand, and nothing is committed. */
#include "log/kafka_reader.h"

#include "base/error.h"
#include "log/kafka_link.h"

#include <stdlib.h>

enum { MEET_MS = 5000, ASK_MS = 10 * 1000 };

struct hb_kafka_reader {
    hb_kafka_link link;
    int32_t partitions;
    hb_kafka_records records;
};

static rd_kafka_t *make_client(hb_kafka_reader *reader, hb_error *error)
{
    static const hb_kafka_setting defaults[] = {{"fetch.wait.max.ms", "100"}, {NULL, NULL}};
    static const hb_kafka_setting fixed[] = {
        {"group.id", "hubbub-reader"}, /* librdkafka wants a name; the group is never joined */
        {"enable.auto.commit", "false"},   {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"}, {"allow.auto.create.topics", "false"}, {NULL, NULL},
    };
    rd_kafka_conf_t *conf = hb_kafka_link_conf(&reader->link, defaults, fixed, error);
    return conf == NULL ? NULL : hb_kafka_link_client(&reader->link, RD_KAFKA_CONSUMER, conf, error);
}

hb_kafka_reader *hb_kafka_reader_open(const char *address, hb_error *error)
{
    hb_kafka_reader *reader = hb_alloc(sizeof *reader);
    _Static_assert(offsetof(hb_kafka_reader, link) == 0, "callbacks get the link");
    if (!hb_kafka_link_read(&reader->link, address, error)) {
        free(reader);
        return NULL;
    }
    hb_kafka_records *const records = &reader->records;
    records->client = make_client(reader, error);
    const bool met = records->client != NULL &&
                     hb_kafka_link_partitions(&reader->link, records->client, MEET_MS, &reader->partitions, error);
    if (records->client != NULL) {
        rd_kafka_poll_set_consumer(records->client);
        records->queue = rd_kafka_queue_get_consumer(records->client);
    }
    if (met)
        return reader;
    hb_kafka_reader_close(reader);
    return NULL;
}

void hb_kafka_reader_close(hb_kafka_reader *reader)
{
    if (reader == NULL)
        return;
    hb_kafka_records_free(&reader->records);
    if (reader->records.client != NULL) {
        rd_kafka_queue_destroy(reader->records.queue);
        rd_kafka_consumer_close(reader->records.client);
        rd_kafka_destroy(reader->records.client);
    }
    hb_kafka_link_free(&reader->link);
    free(reader);
}

int32_t hb_kafka_reader_partitions(const hb_kafka_reader *reader)
{
    return reader->partitions;
}

static bool refuse(const hb_kafka_reader *reader, rd_kafka_resp_err_t code, hb_error *error)
{
    return hb_fail(error, HB_ERROR_NETWORK, "cannot read %s: %s", reader->link.address.shown, rd_kafka_err2str(code));
}

static rd_kafka_topic_partition_list_t *list_of(const hb_kafka_reader *reader, const hb_kafka_share *shares,
                                                size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, reader->link.address.place, shares[i].partition)->offset =
            (int64_t)shares[i].from;
    return list;
}

/* Finds the first offsets of a time; shares and list are in the same order. */
static bool find_times(hb_kafka_reader *reader, int64_t from_ms, hb_kafka_share *shares, size_t count, hb_error *error)
{
    rd_kafka_topic_partition_list_t *list = list_of(reader, shares, count);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = from_ms;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(reader->records.client, list, ASK_MS);
    for (size_t i = 0; i < count && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *const found = &list->elems[i];
        code = found->err;
        shares[i].from = found->offset >= 0 ? (uint64_t)found->offset : shares[i].high;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || refuse(reader, code, error);
}

bool hb_kafka_reader_find(hb_kafka_reader *reader, int64_t from_ms, hb_kafka_share *shares, size_t count,
                          hb_error *error)
{
    for (size_t i = 0; i < count; i++) {
        int64_t low = 0;
        int64_t high = 0;
        const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            reader->records.client, reader->link.address.place, shares[i].partition, &low, &high, ASK_MS);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return refuse(reader, code, error);
        shares[i].low = shares[i].from = (uint64_t)low;
        shares[i].high = (uint64_t)high;
    }
    return from_ms <= 0 || find_times(reader, from_ms, shares, count, error);
}

bool hb_kafka_reader_begin(hb_kafka_reader *reader, const hb_kafka_share *shares, size_t count, hb_error *error)
{
    rd_kafka_topic_partition_list_t *list = list_of(reader, shares, count);
    while (hb_kafka_records_front(&reader->records) != NULL)
        hb_kafka_records_pass(&reader->records);
    const rd_kafka_resp_err_t code = rd_kafka_assign(reader->records.client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || refuse(reader, code, error);
}

/* A report: the end of a partition, or what librdkafka cannot help. */
static bool take_report(hb_kafka_reader *reader, hb_kafka_piece *piece, hb_error *error)
{
    const rd_kafka_message_t *const report = hb_kafka_records_front(&reader->records);
    const rd_kafka_resp_err_t code = report->err;
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        *piece = (hb_kafka_piece){.partition = report->partition,
                                  .lines = {"", 0},
                                  .at = (uint64_t)report->offset,
                                  .next = (uint64_t)report->offset};
    hb_kafka_records_pass(&reader->records);
    return (code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) ||
           refuse(reader, code, error);
}

void hb_kafka_reader_wait(hb_kafka_reader *reader, int wait_ms)
{
    if (hb_kafka_records_front(&reader->records) == NULL)
        hb_kafka_records_take(&reader->records, wait_ms);
}

bool hb_kafka_reader_read(hb_kafka_reader *reader, int wait_ms, hb_kafka_piece *piece, hb_error *error)
{
    *piece = (hb_kafka_piece){.partition = -1, .lines = {"", 0}};
    if (hb_kafka_records_front(&reader->records) == NULL)
        hb_kafka_records_take(&reader->records, wait_ms);
    if (reader->link.refused) {
        reader->link.refused = false;
        *error = reader->link.refusal;
        return false;
    }
    for (const rd_kafka_message_t *record;
         piece->partition < 0 && (record = hb_kafka_records_front(&reader->records)) != NULL;) {
        if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            *piece = hb_kafka_records_piece(&reader->records);
        else if (!take_report(reader, piece, error))
            return false;
    }
    return true;
}
