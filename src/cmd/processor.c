/* processor.c - a thread around the loop that counts a file log: read a piece, count it, write now and then. A Kafka
 * log's loop is group_worker.c.
 *
 * The layer decides what is written; here are files, the clock and patience. Nothing is read while a write is refused:
 * the layer's changes must be stored before it goes on, and the log keeps what comes meanwhile. */
#include "cmd/processor.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "cmd/count_metrics.h"
#include "cmd/group_worker.h"
#include "cmd/moment_watch.h"
#include "cmd/writer.h"
#include "log/log.h"
#include "views/speed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    FLUSH_MS = 500,
    WAIT_MS = 50,    /* for new lines */
    RETRY_MS = 1000, /* between reads that fail */
    MEMORY_MIN = 1 << 20
};

struct hb_processor {
    pthread_t thread;
    hb_writer *writer;
    hb_group_worker *worker; /* of a Kafka log: then what follows is unused */
    hb_moment_watch *watch;
    bool until_end;
    hb_log *log;
    hb_log_follower *follower;
    hb_speed *speed;
    hb_count_metrics *metrics;
    hb_metric *log_read_errors;
    int64_t next_flush_ms; /* monotonic */
    bool at_end;           /* has been, once */
    bool read_failed;      /* said */
};

static bool read_days(const hb_options *options, const char *name, uint32_t *days, hb_error *error)
{
    enum { DAYS_MAX = 1000000 };
    *days = 0;
    if (!hb_options_given(options, name))
        return true;
    const uint64_t number = hb_options_number(options, name);
    if (number < 1 || number > DAYS_MAX)
        return hb_fail(error, HB_ERROR_USAGE, "--%s must be 1 to %d days; leave it out to keep everything", name,
                       DAYS_MAX);
    *days = (uint32_t)number;
    return true;
}

bool hb_keep_options_read(const hb_options *options, hb_upkeep_options *keep, hb_error *error)
{
    keep->log = hb_options_log(options);
    if (hb_options_given(options, "keep-log") && hb_log_is_kafka(keep->log))
        return hb_fail(error, HB_ERROR_USAGE,
                       "--keep-log is for a log of files; how long a topic keeps facts is Kafka's "
                       "to say (its setting retention.ms)");
    return read_days(options, "keep-log", &keep->keep_log, error) &&
           read_days(options, "keep-views", &keep->keep_views, error);
}

bool hb_top_option_read(const hb_options *options, uint32_t *top, hb_error *error)
{
    uint64_t number = 0;
    const hb_bytes text = hb_bytes_of(hb_options_text(options, "top"));
    if (hb_bytes_equal(text, HB_BYTES("all")))
        number = HB_TOP_ALL;
    else if (!hb_bytes_to_u64(text, &number) || number == 0 || number >= HB_TOP_ALL)
        return hb_fail(error, HB_ERROR_USAGE, "--top %.*s makes no sense: a number from 1 up, or all", HB_PRINT(text));
    *top = (uint32_t)number;
    return true;
}

bool hb_processor_options_read(const hb_options *options, hb_processor_options *process, hb_error *error)
{
    uint32_t top = 0;
    const uint64_t memory = hb_options_number(options, "memory");
    if (!hb_top_option_read(options, &top, error))
        return false;
    if (memory < MEMORY_MIN)
        return hb_fail(error, HB_ERROR_USAGE, "--memory must be at least 1M");
    *process = (hb_processor_options){.log = hb_options_log(options),
                                      .store = hb_options_store(options),
                                      .top = top,
                                      .memory = memory,
                                      .group = hb_options_text(options, "group")};
    return hb_keep_options_read(options, &process->keep, error);
}

/* ---- Writing ---- */

/* One transaction; *more when there may be further ones. */
static bool flush(hb_processor *processor, hb_speed_flush_kind kind, bool *more)
{
    hb_changes changes;
    *more = hb_speed_flush(processor->speed, kind, hb_now_ms(), &changes);
    if (*more && !hb_writer_put(processor->writer, &changes, 1))
        return false;
    const hb_speed_counts counts = hb_speed_count(processor->speed, hb_now_ms());
    hb_count_metrics_show(processor->metrics, &counts, hb_now_ms());
    return true;
}

static bool flush_when_due(hb_processor *processor)
{
    bool more = false;
    const int64_t start_ms = hb_monotonic_ms();
    if (start_ms < processor->next_flush_ms && !hb_speed_is_tight(processor->speed))
        return true;
    processor->next_flush_ms = start_ms + FLUSH_MS;
    return flush(processor, HB_SPEED_FLUSH_ROWS, &more);
}

static void flush_all(hb_processor *processor)
{
    const bool ended = processor->until_end && processor->at_end;
    for (bool more = true; more;)
        if (!flush(processor, ended ? HB_SPEED_FLUSH_END : HB_SPEED_FLUSH_ALL, &more))
            return;
}

/* ---- Reading ---- */

static bool take_piece(hb_processor *processor, const hb_log_piece *piece)
{
    hb_bytes lines = piece->lines;
    while (lines.size > 0) {
        const size_t taken = hb_speed_take(processor->speed, piece->part, lines, piece->next, hb_now_ms());
        lines = hb_bytes_from(lines, taken);
        if (!flush_when_due(processor))
            return false;
    }
    return true;
}

/* Reads and counts one piece; *at_end when there is none for now. False when we must stop. */
static bool read_piece(hb_processor *processor, bool *at_end)
{
    hb_log_piece piece = {0};
    hb_error error = {0};
    *at_end = false;
    if (!hb_log_follower_read(processor->follower, &piece, &error)) {
        hb_metric_add(processor->log_read_errors, 1);
        if (!processor->read_failed || error.code == HB_ERROR_CORRUPT)
            hb_say_error("%s", error.text);
        processor->read_failed = true;
        /* A bad place is passed over by the next read; anything else may take its time. */
        return error.code == HB_ERROR_CORRUPT ||
               (!hb_writer_wait(processor->writer, RETRY_MS) && flush_when_due(processor));
    }
    processor->read_failed = false;
    *at_end = piece.lines.size == 0;
    return take_piece(processor, &piece);
}

/* Until told to stop, or to the log's end, or a write was given up. */
static void follow(hb_processor *processor)
{
    while (!hb_writer_is_stopped(processor->writer)) {
        bool at_end = false;
        if (!read_piece(processor, &at_end))
            return;
        if (at_end) {
            hb_speed_caught_up(processor->speed);
            processor->at_end = true;
            if (processor->until_end)
                return;
        }
        if (!flush_when_due(processor))
            return;
        hb_writer_serve(processor->writer);
        if (at_end && !hb_writer_tend(processor->writer))
            hb_log_follower_wait(processor->follower, WAIT_MS);
    }
}

static void note_changes(void *context, const hb_changes *changes)
{
    hb_moment_watch_note(context, changes);
}

/* From the watch's thread; where all is counted up to an end there is none, and it is the thread that counts. */
static bool apply_moments(void *context, const hb_changes *changes, hb_error *error)
{
    hb_processor *const processor = context;
    if (!processor->until_end)
        return hb_writer_apply(processor->writer, changes, error);
    return hb_writer_put(processor->writer, changes, 1) || !hb_writer_failure(processor->writer, error);
}

static void find_last_moments(hb_processor *processor)
{
    hb_error error = {0};
    if (!hb_moment_watch_finish(processor->watch, &error))
        hb_say_warning("moments are not found: %s", error.text);
}

static void *process(void *context)
{
    hb_processor *const processor = context;
    hb_writer *const writer = processor->writer;
    hb_error unwritten;
    if (processor->worker != NULL) {
        hb_group_worker_run(processor->worker);
    } else {
        follow(processor);
        if (!hb_writer_failure(writer, &unwritten))
            flush_all(processor);
    }
    if (processor->until_end && !hb_writer_failure(writer, &unwritten) && !hb_writer_is_stopped(writer))
        find_last_moments(processor);
    while (processor->until_end && !hb_writer_failure(writer, &unwritten) && !hb_writer_is_stopped(writer) &&
           hb_writer_tend(writer))
        ;
    hb_writer_end(writer);
    return NULL;
}

/* ---- Opening and closing ---- */

typedef struct restoring {
    hb_speed *speed;
    hb_layer layer;
    hb_log_position *positions;
    size_t count;
    size_t capacity;
} restoring;

static bool restore_part(void *context, const hb_progress *progress, int64_t at_s)
{
    restoring *const restore = context;
    (void)at_s;
    hb_speed_restore(restore->speed, restore->layer, progress);
    HB_RESERVE(restore->positions, restore->capacity, restore->count + 1);
    restore->positions[restore->count++] =
        (hb_log_position){progress->part, hb_speed_position(restore->speed, progress->part)};
    return true;
}

static bool restore_layer(hb_processor *processor, hb_layer layer, restoring *part, hb_error *error)
{
    part->layer = layer;
    return hb_store_progress(hb_writer_store(processor->writer), layer, restore_part, part, error);
}

static bool open_file_log(hb_processor *processor, const hb_processor_options *options, hb_error *error)
{
    processor->speed = hb_speed_open(&(hb_speed_options){.top = options->top, .memory = options->memory}, error);
    if (processor->speed == NULL)
        return false;
    restoring parts = {.speed = processor->speed};
    if (restore_layer(processor, HB_LAYER_BATCH, &parts, error) &&
        restore_layer(processor, HB_LAYER_SPEED, &parts, error))
        processor->follower =
            hb_log_follower_open(processor->log, HB_LOG_FROM_START, parts.positions, parts.count, error);
    free(parts.positions);
    return processor->follower != NULL;
}

static bool open_all(hb_processor *processor, const hb_processor_options *options, hb_metrics *metrics, hb_error *error)
{
    const bool kafka = hb_log_is_kafka(options->log);
    hb_upkeep_options keep = options->keep;
    keep.log = options->log;
    if (!kafka) {
        processor->log = hb_log_open(options->log, HB_LOG_READ, metrics, error);
        if (processor->log == NULL)
            return false;
    }
    processor->writer = hb_writer_open(options->store, &keep, metrics, error);
    if (processor->writer == NULL)
        return false;
    processor->until_end = options->until_end;
    processor->watch = hb_moment_watch_open(
        &(hb_moment_watch_options){options->log, options->store, apply_moments, processor}, metrics);
    hb_writer_tell(processor->writer, note_changes, processor->watch);
    processor->metrics = hb_count_metrics_open(metrics);
    processor->log_read_errors =
        hb_metrics_counter(metrics, "hubbub_log_read_errors_total", "Reads from the log that failed.");
    if (!kafka)
        return open_file_log(processor, options, error);
    processor->worker =
        hb_group_worker_open(options, processor->writer, processor->watch, processor->metrics, metrics, error);
    return processor->worker != NULL;
}

static void close_all(hb_processor *processor)
{
    hb_error error = {0};
    hb_moment_watch_close(processor->watch);
    hb_group_worker_close(processor->worker);
    hb_log_follower_close(processor->follower);
    hb_speed_close(processor->speed);
    hb_count_metrics_close(processor->metrics);
    hb_writer_close(processor->writer);
    if (processor->log != NULL)
        hb_log_close(processor->log, &error); /* only read: nothing to lose */
    free(processor);
}

hb_processor *hb_processor_open(const hb_processor_options *options, hb_metrics *metrics, hb_error *error)
{
    hb_processor *processor = hb_alloc(sizeof *processor);
    if (!open_all(processor, options, metrics, error)) {
        close_all(processor);
        return NULL;
    }
    const int code = pthread_create(&processor->thread, NULL, process, processor);
    if (code != 0) {
        errno = code;
        hb_fail_errno(error, "the thread that counts cannot be started");
        close_all(processor);
        return NULL;
    }
    if (processor->until_end || hb_moment_watch_start(processor->watch, error))
        return processor;
    hb_error second = {0};
    hb_processor_close(processor, &second);
    return NULL;
}

bool hb_processor_apply(hb_processor *processor, const hb_changes *changes, hb_error *error)
{
    return hb_writer_apply(processor->writer, changes, error);
}

bool hb_processor_ended(const hb_processor *processor)
{
    return hb_writer_has_ended(processor->writer);
}

bool hb_processor_close(hb_processor *processor, hb_error *error)
{
    hb_moment_watch_stop(processor->watch);
    hb_writer_stop(processor->writer);
    pthread_join(processor->thread, NULL);
    const bool fine = !hb_writer_failure(processor->writer, error);
    close_all(processor);
    return fine;
}
