/* group_worker.c - events of the group in, transactions of the store out.
 *
 * What all partitions have to write goes into one transaction. While the store refuses it, the group is asked for
 * events all the same, with reading paused: so a partition may be taken away whose changes are just being tried. Its
 * share is then marked as gone and its changes are left out of the next try. Shares are removed from the list at the
 * top of the loop only, where nothing holds on to them. */
#include "cmd/group_worker.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "log/log_kafka.h"
#include "views/speed.h"

#include <stdlib.h>

enum {
    FLUSH_MS = 500,
    COMMIT_MS = 5000,
    WAIT_MS = 50,         /* for news */
    GROUP_RETRY_MS = 1000 /* between reads that fail */
};

typedef struct share { /* a partition that is ours */
    int32_t partition;
    hb_speed *speed; /* NULL: it is gone */
    bool started;
    bool at_end;        /* has been, once */
    uint64_t end;       /* of the partition, as far as is known */
    uint64_t stored;    /* up to here, as far as is known */
    uint64_t committed; /* what Kafka was told */
    bool in_hand;       /* there are changes to be stored: */
    hb_changes changes; /* the speed layer's */
} share;

struct hb_group_worker {
    hb_writer *writer;
    hb_moment_watch *watch;
    hb_log_group *log;
    char *log_shown;
    uint32_t top;
    size_t memory;
    bool until_end;
    share *shares;
    size_t share_count;
    size_t share_capacity;
    hb_changes *trying;
    size_t trying_capacity;
    hb_buffer rest; /* lines that wait for a flush */
    bool refused;   /* the store refuses for now */
    bool given_up;
    bool in_rebalance;
    int64_t next_flush_ms; /* monotonic, as the next two */
    int64_t next_commit_ms;
    int64_t next_start_ms;
    bool read_failed;     /* said */
    bool start_failed;    /* said */
    hb_speed_counts past; /* of partitions that are gone */
    hb_count_metrics *counts;
    hb_metric *partitions;
    hb_metric *rebalances;
    hb_metric *lag;
    hb_metric *log_read_errors;
};

hb_group_worker *hb_group_worker_open(const hb_processor_options *options, hb_writer *writer, hb_moment_watch *watch,
                                      hb_count_metrics *counts, hb_metrics *metrics, hb_error *error)
{
    hb_log_group *log = hb_log_group_open(options->log, options->group, metrics, error);
    if (log == NULL)
        return NULL;
    hb_group_worker *worker = hb_alloc(sizeof *worker);
    worker->writer = writer;
    worker->watch = watch;
    worker->log = log;
    worker->log_shown = hb_copy_text(hb_address_shown(options->log));
    worker->top = options->top;
    worker->memory = options->memory;
    worker->until_end = options->until_end;
    worker->counts = counts;
    worker->partitions =
        hb_metrics_gauge(metrics, "hubbub_group_partitions", "Partitions of the Kafka log that this worker counts.");
    worker->rebalances = hb_metrics_counter(metrics, "hubbub_group_rebalances_total",
                                            "Times that the group has given or taken partitions.");
    worker->lag = hb_metrics_gauge(metrics, "hubbub_log_lag_records",
                                   "Records of this worker's partitions that are not counted yet.");
    worker->log_read_errors =
        hb_metrics_counter(metrics, "hubbub_log_read_errors_total", "Reads from the log that failed.");
    return worker;
}

void hb_group_worker_close(hb_group_worker *worker)
{
    if (worker == NULL)
        return;
    for (size_t i = 0; i < worker->share_count; i++)
        hb_speed_close(worker->shares[i].speed);
    hb_log_group_close(worker->log);
    hb_buffer_free(&worker->rest);
    free(worker->shares);
    free(worker->trying);
    free(worker->log_shown);
    free(worker);
}

/* ---- Shares ---- */

static share *find_share(hb_group_worker *worker, int32_t partition)
{
    for (size_t i = 0; i < worker->share_count; i++)
        if (worker->shares[i].partition == partition && worker->shares[i].speed != NULL)
            return &worker->shares[i];
    return NULL;
}

/* The share stays in the list, as one that is gone. */
static void forget_share(hb_group_worker *worker, share *gone)
{
    hb_speed_counts counts = hb_speed_count(gone->speed, hb_now_ms());
    counts.open_sheets = 0;
    counts.held = 0;
    counts.time_ms = 0;
    hb_speed_counts_add(&worker->past, &counts);
    hb_moment_watch_forget(worker->watch, gone->partition);
    hb_speed_close(gone->speed);
    gone->speed = NULL;
    gone->in_hand = false;
}

static void sweep_shares(hb_group_worker *worker)
{
    size_t kept = 0;
    for (size_t i = 0; i < worker->share_count; i++)
        if (worker->shares[i].speed != NULL)
            worker->shares[kept++] = worker->shares[i];
    worker->share_count = kept;
}

/* Of the memory that is free everyone may take an equal part. */
static void share_memory(hb_group_worker *worker)
{
    size_t held = 0;
    size_t owned = 0;
    for (size_t i = 0; i < worker->share_count; i++) {
        hb_speed *const speed = worker->shares[i].speed;
        owned += speed != NULL;
        held += speed == NULL ? 0 : hb_speed_count(speed, 0).held;
    }
    const bool scarce = held > worker->memory;
    for (size_t i = 0; i < worker->share_count; i++) {
        hb_speed *const speed = worker->shares[i].speed;
        if (speed != NULL)
            hb_speed_set_memory(speed, scarce ? worker->memory / owned
                                              : hb_speed_count(speed, 0).held + (worker->memory - held) / owned);
    }
}

static void show_metrics(hb_group_worker *worker)
{
    const int64_t now_ms = hb_now_ms();
    hb_speed_counts all = worker->past;
    uint64_t lag = 0;
    size_t owned = 0;
    for (size_t i = 0; i < worker->share_count; i++) {
        const share *const one = &worker->shares[i];
        if (one->speed == NULL)
            continue;
        const hb_speed_counts counts = hb_speed_count(one->speed, now_ms);
        const uint64_t next = hb_speed_next(one->speed);
        hb_speed_counts_add(&all, &counts);
        lag += one->started && one->end > next ? one->end - next : 0;
        owned++;
    }
    hb_count_metrics_show(worker->counts, &all, now_ms);
    hb_metric_set(worker->partitions, (int64_t)owned);
    hb_metric_set(worker->lag, (int64_t)lag);
}

/* ---- Writing ---- */

static void answer_while_refused(hb_group_worker *worker);

/* Tells Kafka up to where the share is stored, for its tools to show. */
static void commit(hb_group_worker *worker, share *one)
{
    if (one->stored != one->committed)
        hb_log_group_commit(worker->log, one->partition, one->stored);
    one->committed = one->stored;
}

/* Not often: a commit that crosses a rebalance on its way makes the group take all from its sender. */
static void commit_when_due(hb_group_worker *worker)
{
    const int64_t now_ms = hb_monotonic_ms();
    if (now_ms < worker->next_commit_ms || worker->in_rebalance)
        return;
    worker->next_commit_ms = now_ms + COMMIT_MS;
    for (size_t i = 0; i < worker->share_count; i++)
        if (worker->shares[i].speed != NULL)
            commit(worker, &worker->shares[i]);
}

/* What was in hand is stored. */
static void note_stored(share *one)
{
    one->in_hand = false;
    one->stored = hb_speed_next(one->speed);
}

/* Until all that is in hand is stored. False: given up. */
static bool store_in_hand(hb_group_worker *worker)
{
    for (;;) {
        size_t count = 0;
        HB_RESERVE(worker->trying, worker->trying_capacity, worker->share_count);
        for (size_t i = 0; i < worker->share_count; i++)
            if (worker->shares[i].in_hand)
                worker->trying[count++] = worker->shares[i].changes;
        const hb_writer_result result =
            count == 0 ? HB_WRITER_STORED : hb_writer_try(worker->writer, worker->trying, count);
        worker->refused = result == HB_WRITER_REFUSED;
        worker->given_up |= result == HB_WRITER_GIVEN_UP;
        if (!worker->refused)
            break;
        hb_log_group_pause(worker->log, true);
        answer_while_refused(worker);
    }
    hb_log_group_pause(worker->log, false);
    for (size_t i = 0; i < worker->share_count && !worker->given_up; i++)
        if (worker->shares[i].in_hand)
            note_stored(&worker->shares[i]);
    return !worker->given_up;
}

/* Takes a share's changes in hand, if there are any. */
static bool take_in_hand(share *one, hb_speed_flush_kind kind)
{
    one->in_hand = one->speed != NULL && one->started && hb_speed_flush(one->speed, kind, hb_now_ms(), &one->changes);
    return one->in_hand;
}

/* One transaction of what all have to write; *more when there may be further ones. False: given up. */
static bool flush(hb_group_worker *worker, hb_speed_flush_kind kind, bool *more)
{
    *more = false;
    for (size_t i = 0; i < worker->share_count; i++)
        *more |= take_in_hand(&worker->shares[i], kind);
    const bool fine = store_in_hand(worker);
    share_memory(worker);
    show_metrics(worker);
    return fine;
}

static bool flush_when_due(hb_group_worker *worker, bool tight)
{
    bool more = false;
    const int64_t now_ms = hb_monotonic_ms();
    if (now_ms < worker->next_flush_ms && !tight)
        return true;
    worker->next_flush_ms = now_ms + FLUSH_MS;
    return flush(worker, HB_SPEED_FLUSH_ROWS, &more);
}

static void flush_all(hb_group_worker *worker, hb_speed_flush_kind kind)
{
    for (bool more = true; more;)
        if (!flush(worker, kind, &more))
            return;
}

/* ---- What the group says ---- */

static void take_assigned(hb_group_worker *worker, int32_t partition)
{
    hb_error error = {0};
    const hb_speed_options options = {
        .top = worker->top, .memory = worker->memory, .is_partition = true, .partition = partition};
    if (find_share(worker, partition) != NULL)
        return;
    hb_speed *speed = hb_speed_open(&options, &error);
    if (speed == NULL) {
        hb_writer_fail(worker->writer, &error);
        worker->given_up = true;
        return;
    }
    HB_RESERVE(worker->shares, worker->share_capacity, worker->share_count + 1);
    worker->shares[worker->share_count++] = (share){.partition = partition, .speed = speed};
}

/* Stores all of the share and gives it back. Not while the store refuses: the others in the group wait for that, and
 * the next owner can count again what is not stored. */
static void hand_over(hb_group_worker *worker, int32_t partition)
{
    share *const one = find_share(worker, partition);
    hb_writer_result result = worker->refused || worker->given_up ? HB_WRITER_REFUSED : HB_WRITER_STORED;
    while (one != NULL && result == HB_WRITER_STORED && take_in_hand(one, HB_SPEED_FLUSH_ALL)) {
        result = hb_writer_try(worker->writer, &one->changes, 1);
        worker->given_up |= result == HB_WRITER_GIVEN_UP;
        if (result == HB_WRITER_STORED)
            note_stored(one);
    }
    if (one != NULL) {
        commit(worker, one);
        forget_share(worker, one);
    }
    hb_log_group_release(worker->log, partition);
}

static void take_end(hb_group_worker *worker, const hb_log_news *news)
{
    share *const one = find_share(worker, news->partition);
    if (one == NULL)
        return;
    if (!one->at_end && news->next < hb_speed_start(one->speed))
        hb_say_warning(
            "partition %d of %s ends at %llu, before the %llu that were counted: if the topic was made anew, "
            "use another store or keyspace, or facts are passed over until that many have come",
            news->partition, worker->log_shown, (unsigned long long)news->next,
            (unsigned long long)hb_speed_start(one->speed));
    one->at_end = true;
    one->end = news->end;
    hb_speed_caught_up(one->speed);
}

/* Passes over lines that were taken before: what was fetched may come again after a pause. */
static uint64_t skip_taken(const share *one, uint64_t at, hb_bytes *lines)
{
    const uint64_t next = hb_speed_next(one->speed);
    hb_bytes line;
    while (at < next && hb_bytes_cut(lines, '\n', &line))
        at++;
    return at;
}

static void take_lines(hb_group_worker *worker, const hb_log_news *news)
{
    hb_bytes lines = news->lines;
    share *one = find_share(worker, news->partition);
    if (one == NULL)
        return;
    one->end = news->end;
    for (uint64_t at = skip_taken(one, news->at, &lines); one != NULL && lines.size > 0 && !worker->given_up;) {
        lines = hb_bytes_from(lines, hb_speed_take_records(one->speed, at, lines, hb_now_ms()));
        at = hb_speed_next(one->speed);
        if (lines.size > 0) { /* the group's until the next event, which may come while we store */
            hb_buffer kept = {0};
            hb_buffer_append(&kept, lines);
            hb_buffer_free(&worker->rest);
            worker->rest = kept;
            lines = hb_buffer_bytes(&worker->rest);
        }
        flush_when_due(worker, hb_speed_is_tight(one->speed));
        one = find_share(worker, news->partition);
    }
}

static void take_news(hb_group_worker *worker, const hb_log_news *news)
{
    const bool rebalances =
        news->event == HB_LOG_ASSIGNED || news->event == HB_LOG_REVOKED || news->event == HB_LOG_LOST;
    if (rebalances && !worker->in_rebalance)
        hb_metric_add(worker->rebalances, 1);
    worker->in_rebalance = rebalances;
    switch (news->event) {
    case HB_LOG_NOTHING:
        break;
    case HB_LOG_LINES:
        take_lines(worker, news);
        break;
    case HB_LOG_END:
        take_end(worker, news);
        break;
    case HB_LOG_ASSIGNED:
        take_assigned(worker, news->partition);
        break;
    case HB_LOG_REVOKED:
        hand_over(worker, news->partition);
        break;
    case HB_LOG_LOST:
        if (find_share(worker, news->partition) != NULL)
            forget_share(worker, find_share(worker, news->partition));
        break;
    }
}

/* Waits for the next event and answers it. *any: there was one. */
static void read_news(hb_group_worker *worker, int wait_ms, bool *any)
{
    hb_log_news news = {0};
    hb_error error = {0};
    *any = false;
    if (hb_log_group_read(worker->log, wait_ms, &news, &error)) {
        *any = news.event != HB_LOG_NOTHING;
        worker->read_failed &= !*any;
        take_news(worker, &news);
        return;
    }
    hb_metric_add(worker->log_read_errors, 1);
    if (worker->until_end) { /* there is no end to reach */
        hb_writer_fail(worker->writer, &error);
        worker->given_up = true;
        return;
    }
    if (!worker->read_failed)
        hb_say_error("%s; trying again until it works", error.text);
    worker->read_failed = true;
    hb_writer_wait(worker->writer, GROUP_RETRY_MS);
}

/* Stays in the group until the store is to be tried again. */
static void answer_while_refused(hb_group_worker *worker)
{
    const int64_t end_ms = hb_monotonic_ms() + HB_WRITER_RETRY_MS;
    while (hb_monotonic_ms() < end_ms && !hb_writer_wait(worker->writer, WAIT_MS)) {
        bool any = false;
        read_news(worker, 0, &any);
    }
}

/* ---- Beginning partitions ---- */

static bool is_new(const share *one)
{
    return one->speed != NULL && !one->started;
}

static bool has_new(const hb_group_worker *worker)
{
    for (size_t i = 0; i < worker->share_count; i++)
        if (is_new(&worker->shares[i]))
            return true;
    return false;
}

typedef struct restoring {
    hb_group_worker *worker;
    hb_layer layer;
} restoring;

static bool restore_part(void *context, const hb_progress *progress, int64_t at_s)
{
    const restoring *const restore = context;
    share *const one =
        find_share(restore->worker, (int32_t)(progress->part - hb_time_floor(progress->part, HB_HOUR_S)));
    (void)at_s;
    if (one != NULL && is_new(one))
        hb_speed_restore(one->speed, restore->layer, progress);
    return true;
}

/* Reads the store's progress once for all partitions that are new, and begins to read these. */
static bool start_new(hb_group_worker *worker, hb_error *error)
{
    hb_store *const store = hb_writer_store(worker->writer);
    restoring restore = {worker, HB_LAYER_BATCH};
    if (!hb_store_progress(store, HB_LAYER_BATCH, restore_part, &restore, error))
        return false;
    restore.layer = HB_LAYER_SPEED;
    if (!hb_store_progress(store, HB_LAYER_SPEED, restore_part, &restore, error))
        return false;
    for (size_t i = 0; i < worker->share_count; i++) {
        share *const one = &worker->shares[i];
        if (!is_new(one))
            continue;
        if (!hb_log_group_start(worker->log, one->partition, hb_speed_start(one->speed), error))
            return false;
        one->started = true;
    }
    share_memory(worker);
    show_metrics(worker);
    return true;
}

/* Starting again after a half is harmless: what was restored is restored once more. */
static void start_when_due(hb_group_worker *worker)
{
    hb_error error = {0};
    const int64_t now_ms = hb_monotonic_ms();
    if (worker->in_rebalance || now_ms < worker->next_start_ms || !has_new(worker))
        return;
    const bool good = start_new(worker, &error);
    if (!good && !worker->start_failed)
        hb_say_error("%s; the partitions that the group has given to this worker wait until it works", error.text);
    worker->start_failed = !good;
    worker->next_start_ms = good ? 0 : now_ms + HB_WRITER_RETRY_MS;
}

/* ---- The loop ---- */

static bool has_reached_end(const hb_group_worker *worker)
{
    for (size_t i = 0; i < worker->share_count; i++)
        if (!worker->shares[i].at_end)
            return false;
    return worker->share_count > 0;
}

void hb_group_worker_run(hb_group_worker *worker)
{
    bool ended = false;
    while (!worker->given_up && !ended && !hb_writer_is_stopped(worker->writer)) {
        bool any = false;
        read_news(worker, worker->in_rebalance ? 0 : WAIT_MS, &any);
        sweep_shares(worker);
        start_when_due(worker);
        ended = worker->until_end && has_reached_end(worker);
        if (worker->given_up || ended || !flush_when_due(worker, false))
            break;
        commit_when_due(worker);
        hb_writer_serve(worker->writer);
        if (!any)
            hb_writer_tend(worker->writer);
    }
    sweep_shares(worker);
    if (!worker->given_up)
        flush_all(worker, ended ? HB_SPEED_FLUSH_END : HB_SPEED_FLUSH_ALL);
    for (size_t i = 0; i < worker->share_count; i++)
        if (worker->shares[i].speed != NULL)
            commit(worker, &worker->shares[i]);
    hb_log_group_close(worker->log);
    worker->log = NULL;
}
