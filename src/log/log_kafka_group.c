/* log_kafka_group.c - a worker's share of the topic.
 *
 * librdkafka hands partitions out and takes them back in a callback, while the reader waits in hb_log_group_read. The
 * callback only takes note: it queues events, and librdkafka is answered when the reader has answered them. An assigned
 * partition becomes librdkafka's (incremental_assign) once its offset is known; revoked ones are given back
 * (incremental_unassign) all at once when the last of them is released, because the group goes on from there. Until
 * then librdkafka keeps up the heartbeat, so no other worker gets them.
 *
 * Records come by the batch. Those of a partition that was taken back meanwhile are passed over: where counting stopped
 * is what its next owner goes on from. */
#include "log/log_kafka.h"

#include "log/kafka_link.h"
#include "log/kafka_records.h"

#include <stdlib.h>

typedef enum share_state {
    SHARE_NONE,
    SHARE_ASSIGNED, /* its offset is not known yet */
    SHARE_STARTED,
    SHARE_REVOKED /* not released yet */
} share_state;

typedef struct share { /* what we have of a partition */
    share_state state;
    bool held;      /* librdkafka reads it */
    uint64_t start; /* where to begin */
} share;

typedef struct group_event {
    hb_log_event event;
    int32_t partition;
} group_event;

struct hb_log_group {
    hb_kafka_link link;
    rd_kafka_t *client;
    bool closing;
    bool paused;
    bool too_many; /* partitions in the topic; not told yet */
    share *shares; /* by partition */
    size_t share_count;
    size_t share_capacity;
    size_t started;                            /* that are not held yet */
    size_t revoked;                            /* that are not released yet */
    rd_kafka_topic_partition_list_t *to_leave; /* the revoked ones, released or not; NULL: none */
    group_event *events;
    size_t event_count;
    size_t event_capacity;
    hb_kafka_records records;
};

int32_t hb_log_partition_of(hb_bytes channel, int32_t partitions)
{
    char lower[HB_LOGIN_MAX];
    if (channel.size > sizeof lower)
        channel.size = sizeof lower; /* no login is longer */
    const hb_bytes key = hb_bytes_lower(channel, lower);
    return rd_kafka_msg_partitioner_murmur2(NULL, key.data, key.size, partitions, NULL, NULL);
}

/* ---- Events ---- */

static share *share_of(hb_log_group *group, int32_t partition)
{
    const size_t wanted = (size_t)partition + 1;
    if (wanted > group->share_count) {
        HB_RESERVE(group->shares, group->share_capacity, wanted);
        memset(group->shares + group->share_count, 0, (wanted - group->share_count) * sizeof *group->shares);
        group->share_count = wanted;
    }
    return &group->shares[partition];
}

static void queue_event(hb_log_group *group, hb_log_event event, int32_t partition)
{
    HB_RESERVE(group->events, group->event_capacity, group->event_count + 1);
    group->events[group->event_count++] = (group_event){event, partition};
}

/* Takes back that a partition was assigned, if the reader has not heard of it yet. */
static bool unqueue_assigned(hb_log_group *group, int32_t partition)
{
    for (size_t i = 0; i < group->event_count; i++)
        if (group->events[i].partition == partition && group->events[i].event == HB_LOG_ASSIGNED) {
            group->event_count--;
            memmove(group->events + i, group->events + i + 1, (group->event_count - i) * sizeof *group->events);
            return true;
        }
    return false;
}

/* ---- What librdkafka hands out ---- */

static void answer(rd_kafka_error_t *refusal)
{
    /* Only when the client is closing or has lost the group: then the callback comes again, with the partitions lost.
     */
    if (refusal != NULL)
        rd_kafka_error_destroy(refusal);
}

static void hold(hb_log_group *group, rd_kafka_topic_partition_list_t *list)
{
    answer(rd_kafka_incremental_assign(group->client, list));
    for (int i = 0; i < list->cnt; i++)
        share_of(group, list->elems[i].partition)->held = true;
}

/* Gives partitions up. librdkafka gives back only what it was given, so those that were never begun are given first. */
static void leave(hb_log_group *group, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *missing = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++) {
        share *const part = share_of(group, list->elems[i].partition);
        group->started -= part->state == SHARE_STARTED && !part->held;
        if (!part->held)
            rd_kafka_topic_partition_list_add(missing, group->link.address.place, list->elems[i].partition)->offset =
                RD_KAFKA_OFFSET_END;
    }
    if (missing->cnt > 0)
        hold(group, missing);
    rd_kafka_topic_partition_list_destroy(missing);
    answer(rd_kafka_incremental_unassign(group->client, list));
    for (int i = 0; i < list->cnt; i++)
        *share_of(group, list->elems[i].partition) = (share){0};
}

static void take_assigned(hb_log_group *group, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        const int32_t partition = list->elems[i].partition;
        group->too_many |= partition >= HB_KAFKA_PARTITIONS_MAX;
        share_of(group, partition)->state = SHARE_ASSIGNED;
        if (partition < HB_KAFKA_PARTITIONS_MAX)
            queue_event(group, HB_LOG_ASSIGNED, partition);
    }
    if (list->cnt == 0)
        hold(group, list);
}

static void take_lost(hb_log_group *group, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        const int32_t partition = list->elems[i].partition;
        if (share_of(group, partition)->state != SHARE_NONE && !unqueue_assigned(group, partition) && !group->closing)
            queue_event(group, HB_LOG_LOST, partition);
    }
    leave(group, list);
}

/* Ends the revocation in hand, whether all has been released or not. */
static void finish_revoked(hb_log_group *group)
{
    leave(group, group->to_leave);
    rd_kafka_topic_partition_list_destroy(group->to_leave);
    group->to_leave = NULL;
    group->revoked = 0;
}

static void take_revoked(hb_log_group *group, const rd_kafka_topic_partition_list_t *list)
{
    if (group->to_leave != NULL)
        finish_revoked(group);
    group->to_leave = rd_kafka_topic_partition_list_copy(list);
    for (int i = 0; i < list->cnt; i++) {
        const int32_t partition = list->elems[i].partition;
        share *const part = share_of(group, partition);
        if (part->state == SHARE_NONE || unqueue_assigned(group, partition))
            continue;
        group->started -= part->state == SHARE_STARTED && !part->held;
        part->state = SHARE_REVOKED;
        group->revoked++;
        queue_event(group, HB_LOG_REVOKED, partition);
    }
    if (group->revoked == 0)
        finish_revoked(group);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *opaque)
{
    hb_log_group *const group = (hb_log_group *)opaque; /* its link comes first */
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !group->closing)
        take_assigned(group, list);
    else if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        hold(group, list);
    else if (group->closing || rd_kafka_assignment_lost(client))
        take_lost(group, list);
    else
        take_revoked(group, list);
    rd_kafka_yield(client); /* so that the reader hears of it at once */
}

/* ---- Opening ---- */

static rd_kafka_t *make_client(hb_log_group *group, const char *name, hb_error *error)
{
    static const hb_kafka_setting defaults[] = {
        {"session.timeout.ms", "10000"},   /* how soon the partitions of a worker that died go to another, */
        {"heartbeat.interval.ms", "1000"}, /* and how soon all hear of one that came or left */
        {"topic.metadata.refresh.interval.ms", "10000"}, /* how soon a new topic, or partition, is noticed */
        {"fetch.wait.max.ms", "100"},
        {NULL, NULL},
    };
    const hb_kafka_setting fixed[] = {
        {"group.id", name},
        {"partition.assignment.strategy", "cooperative-sticky"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"},
        {"allow.auto.create.topics", "false"},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = hb_kafka_link_conf(&group->link, defaults, fixed, error);
    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    return hb_kafka_link_client(&group->link, RD_KAFKA_CONSUMER, conf, error);
}

static bool subscribe(hb_log_group *group, hb_error *error)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, group->link.address.place, RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t code = rd_kafka_subscribe(group->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           hb_fail(error, HB_ERROR_USAGE, "cannot read %s: %s", group->link.address.shown, rd_kafka_err2str(code));
}

hb_log_group *hb_log_group_open(const char *address, const char *name, hb_metrics *metrics, hb_error *error)
{
    _Static_assert(offsetof(hb_log_group, link) == 0, "callbacks get the link, and mean the group");
    hb_log_group *group = hb_alloc(sizeof *group);
    if (metrics != NULL)
        group->records.skipped = hb_metrics_counter(metrics, "hubbub_kafka_bad_records_total",
                                                    "Records of the topic that are not one line.");
    if (!hb_kafka_link_read(&group->link, address, error)) {
        free(group);
        return NULL;
    }
    group->client = make_client(group, name, error);
    if (group->client != NULL) {
        rd_kafka_poll_set_consumer(group->client);
        group->records.client = group->client;
        group->records.queue = rd_kafka_queue_get_consumer(group->client);
        if (subscribe(group, error))
            return group;
    }
    hb_log_group_close(group);
    return NULL;
}

void hb_log_group_close(hb_log_group *group)
{
    if (group == NULL)
        return;
    group->closing = true;
    hb_kafka_records_free(&group->records);
    if (group->client != NULL) {
        if (group->to_leave != NULL)
            finish_revoked(group);
        rd_kafka_queue_destroy(group->records.queue);
        rd_kafka_consumer_close(group->client);
        rd_kafka_destroy(group->client);
    }
    hb_kafka_link_free(&group->link);
    free(group->shares);
    free(group->events);
    free(group);
}

/* ---- Answering ---- */

bool hb_log_group_start(hb_log_group *group, int32_t partition, uint64_t offset, hb_error *error)
{
    share *const part = partition < 0 || (size_t)partition >= group->share_count ? NULL : &group->shares[partition];
    if (part == NULL || part->state == SHARE_NONE)
        return hb_fail(error, HB_ERROR_USAGE, "partition %d is not this worker's", partition);
    if (part->state != SHARE_ASSIGNED)
        return true; /* taken back meanwhile, or begun already */
    part->state = SHARE_STARTED;
    part->start = offset;
    group->started++;
    return true;
}

/* Has librdkafka read what was started. */
static void hold_started(hb_log_group *group)
{
    if (group->started == 0)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)group->started);
    for (size_t i = 0; i < group->share_count; i++)
        if (group->shares[i].state == SHARE_STARTED && !group->shares[i].held)
            rd_kafka_topic_partition_list_add(list, group->link.address.place, (int32_t)i)->offset =
                (int64_t)(group->shares[i].start > INT64_MAX ? INT64_MAX : group->shares[i].start);
    hold(group, list);
    group->started = 0;
    rd_kafka_topic_partition_list_destroy(list);
}

void hb_log_group_release(hb_log_group *group, int32_t partition)
{
    share *const part = partition < 0 || (size_t)partition >= group->share_count ? NULL : &group->shares[partition];
    if (part == NULL || part->state != SHARE_REVOKED)
        return; /* lost meanwhile */
    part->state = SHARE_NONE;
    group->revoked--;
    if (group->revoked == 0)
        finish_revoked(group);
}

void hb_log_group_commit(hb_log_group *group, int32_t partition, uint64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, group->link.address.place, partition)->offset = (int64_t)offset;
    rd_kafka_commit(group->client, list, 1); /* one that fails shows a greater lag, and the next one mends that */
    rd_kafka_topic_partition_list_destroy(list);
}

void hb_log_group_pause(hb_log_group *group, bool paused)
{
    if (group->paused == paused)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)group->share_count);
    for (size_t i = 0; i < group->share_count; i++)
        if (group->shares[i].state == SHARE_STARTED && group->shares[i].held)
            rd_kafka_topic_partition_list_add(list, group->link.address.place, (int32_t)i);
    if (paused)
        rd_kafka_pause_partitions(group->client, list);
    else
        rd_kafka_resume_partitions(group->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    group->paused = paused;
}

/* ---- Reading ---- */

static bool is_read(const hb_log_group *group, int32_t partition)
{
    return partition >= 0 && (size_t)partition < group->share_count &&
           group->shares[partition].state == SHARE_STARTED && group->shares[partition].held;
}

/* An entry of the batch that is no record. */
static bool take_report(hb_log_group *group, hb_log_news *news, hb_error *error)
{
    const rd_kafka_message_t *const report = hb_kafka_records_front(&group->records);
    bool good = true;
    switch (report->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (is_read(group, report->partition))
            *news =
                (hb_log_news){.event = HB_LOG_END, .partition = report->partition, .next = (uint64_t)report->offset};
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        good = hb_fail(error, HB_ERROR_MISSING, "there is no topic for %s: 'hubbub ingest' and 'hubbub import' make it",
                       group->link.address.shown);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
        good = hb_fail(error, HB_ERROR_NETWORK, "Kafka refuses to let the group read %s: %s", group->link.address.shown,
                       rd_kafka_err2str(report->err));
        break;
    default: /* librdkafka tries again by itself */
        break;
    }
    hb_kafka_records_pass(&group->records);
    return good;
}

static bool take_event(hb_log_group *group, hb_log_news *news)
{
    if (group->event_count == 0)
        return false;
    *news = (hb_log_news){.event = group->events[0].event, .partition = group->events[0].partition};
    group->event_count--;
    memmove(group->events, group->events + 1, group->event_count * sizeof *group->events);
    return true;
}

/* What callbacks have noted that is no event of a partition. */
static bool check(hb_log_group *group, hb_error *error)
{
    if (group->to_leave != NULL && rd_kafka_assignment_lost(group->client)) {
        for (int i = 0; i < group->to_leave->cnt; i++)
            if (share_of(group, group->to_leave->elems[i].partition)->state == SHARE_REVOKED)
                queue_event(group, HB_LOG_LOST, group->to_leave->elems[i].partition);
        finish_revoked(group);
    }
    if (group->too_many) {
        group->too_many = false;
        return hb_fail(error, HB_ERROR_LIMIT, "the topic of %s has more partitions than the %d that hubbub can do with",
                       group->link.address.shown, HB_KAFKA_PARTITIONS_MAX);
    }
    if (group->link.refused) {
        group->link.refused = false;
        *error = group->link.refusal;
        return false;
    }
    return true;
}

/* Where the partition ends, as the last answer of its broker said. */
static uint64_t known_end(const hb_log_group *group, const hb_log_news *news)
{
    int64_t low = 0;
    int64_t high = 0;
    const rd_kafka_resp_err_t code =
        rd_kafka_get_watermark_offsets(group->client, group->link.address.place, news->partition, &low, &high);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && high > 0 && (uint64_t)high > news->next ? (uint64_t)high : news->next;
}

bool hb_log_group_read(hb_log_group *group, int wait_ms, hb_log_news *news, hb_error *error)
{
    *news = (hb_log_news){.event = HB_LOG_NOTHING};
    if (take_event(group, news))
        return true;
    hold_started(group);
    if (group->paused)
        hb_kafka_records_wait(&group->records, wait_ms);
    else if (hb_kafka_records_front(&group->records) == NULL)
        hb_kafka_records_take(&group->records, wait_ms);
    if (!check(group, error))
        return false;
    if (take_event(group, news) || group->paused)
        return true;
    for (const rd_kafka_message_t *record;
         news->event == HB_LOG_NOTHING && (record = hb_kafka_records_front(&group->records)) != NULL;) {
        if (record->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (!take_report(group, news, error))
                return false;
        } else if (is_read(group, record->partition)) {
            const hb_kafka_piece piece = hb_kafka_records_piece(&group->records);
            *news = (hb_log_news){HB_LOG_LINES, piece.partition, piece.lines, piece.at, piece.next, piece.next};
        } else {
            hb_kafka_records_pass(&group->records);
        }
    }
    if (news->event == HB_LOG_LINES || news->event == HB_LOG_END)
        news->end = known_end(group, news);
    return true;
}
