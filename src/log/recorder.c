/* recorder.c - the thread between the sockets and the log.
 *
 * The queue keeps what comes in while the log is slow; the log's own buffers keep what the disk refused, or a broker
 * has not confirmed. Both are bounded, so the worst that a full disk does is that new facts are dropped, counted and
 * told of. Compressing has a thread and a log handle of its own: it takes seconds, and appending must not wait for it.
 * A Kafka log has no files: nothing is compressed, and any number of recorders may write to it. */
#include "log/recorder.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/queue.h"
#include "base/say.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum {
    FLUSH_MS = 50,
    SYNC_MS = 1000,
    RETRY_MS = 200,          /* after a write that failed */
    LAST_TRIES_MS = 3000,    /* how long closing goes on trying to write */
    DROPS_SAID_MS = 10000,   /* at most this often */
    COMPRESS_EVERY_MS = 5000 /* how often it is looked whether an hour is to be compressed */
};

struct hb_recorder {
    int lock; /* DIR/.recorder */
    hb_log *log;
    hb_log *closing_log; /* of the compressing thread */
    hb_queue *queue;
    pthread_t writer;
    pthread_t compressor;
    bool writer_runs;
    bool compressor_runs;
    pthread_mutex_t ending_lock;
    pthread_cond_t ending;
    bool ends;
    _Atomic bool hurries; /* closing: a disk that refuses is not waited for much longer */
    hb_metric *dropped;
    hb_metric *queued;
    /* The writer's own. */
    bool refused; /* the last write failed, and that was said */
    int64_t refused_since_ms;
    int64_t give_up_ms;
    int64_t synced_ms;
    int64_t drops_said_ms;
    uint64_t drops_said;
    uint64_t unwritten; /* records given up on while closing */
    hb_error last_error;
};

/* ---- Writing ---- */

static void say_drops(hb_recorder *recorder, bool last)
{
    const int64_t now_ms = hb_monotonic_ms();
    const uint64_t dropped = hb_queue_dropped(recorder->queue);
    hb_metric_set(recorder->queued, (int64_t)hb_queue_held(recorder->queue));
    if (dropped == recorder->drops_said || (!last && now_ms - recorder->drops_said_ms < DROPS_SAID_MS))
        return;
    hb_say_warning("%" PRIu64 " facts were dropped (%" PRIu64 " in all): more came in than the log took, and the queue "
                   "is full",
                   dropped - recorder->drops_said, dropped);
    recorder->drops_said = dropped;
    recorder->drops_said_ms = now_ms;
}

/* Takes note of how a write went, and says it when that has changed. */
static bool noted(hb_recorder *recorder, bool written, const hb_error *error)
{
    const int64_t now_ms = hb_monotonic_ms();
    if (written && recorder->refused)
        hb_say_note("the log can be written again, after %" PRId64 " s", (now_ms - recorder->refused_since_ms) / 1000);
    if (!written) {
        recorder->last_error = *error;
        if (!recorder->refused) {
            hb_say_error("%s; trying again until it succeeds, facts wait in memory", error->text);
            recorder->refused_since_ms = now_ms;
        }
    }
    recorder->refused = !written;
    return written;
}

static bool flush(hb_recorder *recorder)
{
    hb_error error = {0};
    const bool written = hb_log_flush(recorder->log, &error);
    return noted(recorder, written, &error);
}

/* Whether closing has waited long enough for a disk that refuses. */
static bool gives_up(hb_recorder *recorder)
{
    if (!atomic_load(&recorder->hurries))
        return false;
    const int64_t now_ms = hb_monotonic_ms();
    if (recorder->give_up_ms == 0)
        recorder->give_up_ms = now_ms + LAST_TRIES_MS;
    return now_ms >= recorder->give_up_ms;
}

static void append(hb_recorder *recorder, const hb_queue_record *record)
{
    while (hb_log_append(recorder->log, record->bytes, record->time_ms) == HB_LOG_FULL) {
        say_drops(recorder, false);
        if (flush(recorder))
            continue;
        if (gives_up(recorder)) {
            recorder->unwritten++;
            return;
        }
        poll(NULL, 0, RETRY_MS);
    }
}

static void sync_if_due(hb_recorder *recorder)
{
    const int64_t now_ms = hb_monotonic_ms();
    hb_error error = {0};
    if (recorder->refused || now_ms - recorder->synced_ms < SYNC_MS)
        return;
    noted(recorder, hb_log_sync(recorder->log, &error), &error);
    recorder->synced_ms = now_ms;
}

static void *write_queue(void *context)
{
    hb_recorder *recorder = context;
    hb_buffer batch = {0};
    int64_t flushed_ms = 0;
    for (;;) {
        /* What comes in within 50 ms is written at once, however fast it comes. */
        const int64_t rest_ms = flushed_ms + FLUSH_MS - hb_monotonic_ms();
        if (rest_ms > 0)
            poll(NULL, 0, (int)rest_ms);
        if (!hb_queue_take(recorder->queue, FLUSH_MS, &batch))
            break;
        hb_queue_record record;
        for (size_t at = 0; hb_queue_next(&batch, &at, &record);)
            append(recorder, &record);
        say_drops(recorder, false);
        if (recorder->refused && hb_monotonic_ms() - flushed_ms < RETRY_MS)
            continue;
        flush(recorder);
        sync_if_due(recorder);
        flushed_ms = hb_monotonic_ms();
    }
    while (!flush(recorder) && !gives_up(recorder))
        poll(NULL, 0, RETRY_MS);
    say_drops(recorder, true);
    hb_buffer_free(&batch);
    return NULL;
}

/* ---- Compressing ---- */

static bool wait_for_end(hb_recorder *recorder, int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    pthread_mutex_lock(&recorder->ending_lock);
    while (!recorder->ends && pthread_cond_timedwait(&recorder->ending, &recorder->ending_lock, &until) != ETIMEDOUT) {
    }
    const bool ends = recorder->ends;
    pthread_mutex_unlock(&recorder->ending_lock);
    return ends;
}

static void *compress_hours(void *context)
{
    hb_recorder *recorder = context;
    bool said = false;
    do {
        hb_error error = {0};
        const bool closed = hb_log_close_hours(recorder->closing_log, hb_now_ms(), &error);
        if (!closed && !said)
            hb_say_warning("an hour stays uncompressed for now: %s", error.text);
        said = !closed;
    } while (!wait_for_end(recorder, COMPRESS_EVERY_MS));
    return NULL;
}

/* ---- The door ---- */

static bool take_lock(hb_recorder *recorder, const char *address, hb_error *error)
{
    hb_buffer path = {0};
    if (hb_log_is_kafka(address))
        return true;
    hb_buffer_print(&path, "%s/.recorder", address);
    hb_buffer_append_char(&path, '\0');
    recorder->lock = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    hb_buffer_free(&path);
    if (recorder->lock < 0)
        return hb_fail_errno(error, "cannot write to the log %s", address);
    if (flock(recorder->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return hb_fail_errno(error, "cannot lock %s/.recorder", address);
    return hb_fail(error, HB_ERROR_BUSY,
                   "another hubbub records to %s already: stop it, or give this one another directory with --data",
                   address);
}

static bool start_threads(hb_recorder *recorder, hb_error *error)
{
    int reason = pthread_create(&recorder->writer, NULL, write_queue, recorder);
    recorder->writer_runs = reason == 0;
    if (reason == 0 && recorder->closing_log != NULL) {
        reason = pthread_create(&recorder->compressor, NULL, compress_hours, recorder);
        recorder->compressor_runs = reason == 0;
    }
    errno = reason;
    return reason == 0 || hb_fail_errno(error, "cannot start a thread");
}

hb_recorder *hb_recorder_open(const char *address, size_t queue_bytes, hb_metrics *metrics, hb_error *error)
{
    static hb_metric unused; /* without metrics, counts go nowhere */
    hb_recorder *recorder = hb_alloc(sizeof *recorder);
    hb_error further = {0};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&recorder->ending, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&recorder->ending_lock, NULL);
    recorder->dropped = recorder->queued = &unused;
    recorder->lock = -1;
    recorder->queue = hb_queue_open(queue_bytes);
    if (metrics != NULL) {
        recorder->dropped = hb_metrics_counter(metrics, "hubbub_facts_dropped_total",
                                               "Facts dropped because the log was too slow or full.");
        recorder->queued =
            hb_metrics_gauge(metrics, "hubbub_log_queue_bytes", "Bytes of facts that wait to be written to the log.");
    }
    recorder->log = hb_log_open(address, HB_LOG_APPEND, metrics, error);
    if (recorder->log != NULL && take_lock(recorder, address, error)) {
        const bool compresses = !hb_log_is_kafka(address);
        if (compresses)
            recorder->closing_log = hb_log_open(address, HB_LOG_APPEND, NULL, error);
        if ((recorder->closing_log != NULL || !compresses) && start_threads(recorder, error))
            return recorder;
    }
    hb_recorder_close(recorder, &further);
    return NULL;
}

bool hb_recorder_put(hb_recorder *recorder, hb_bytes line, int64_t received_ms)
{
    if (hb_queue_put(recorder->queue, received_ms, line))
        return true;
    hb_metric_add(recorder->dropped, 1);
    return false;
}

bool hb_recorder_close(hb_recorder *recorder, hb_error *error)
{
    if (recorder == NULL)
        return true;
    hb_error further = {0};
    atomic_store(&recorder->hurries, true);
    hb_queue_end(recorder->queue);
    pthread_mutex_lock(&recorder->ending_lock);
    recorder->ends = true;
    pthread_cond_signal(&recorder->ending);
    pthread_mutex_unlock(&recorder->ending_lock);
    if (recorder->writer_runs)
        pthread_join(recorder->writer, NULL);
    if (recorder->compressor_runs)
        pthread_join(recorder->compressor, NULL);
    bool written = hb_log_close(recorder->log, error);
    if (recorder->unwritten > 0) {
        hb_fail(error, recorder->last_error.code,
                "%" PRIu64 " facts from the queue could not be written, and what was buffered: %s", recorder->unwritten,
                recorder->last_error.text);
        written = false;
    }
    hb_log_close(recorder->closing_log, &further);
    if (recorder->lock >= 0)
        close(recorder->lock);
    hb_queue_close(recorder->queue);
    pthread_cond_destroy(&recorder->ending);
    pthread_mutex_destroy(&recorder->ending_lock);
    free(recorder);
    return written;
}
