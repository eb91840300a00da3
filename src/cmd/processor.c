/* processor.c - the loop around the speed layer: read a piece, count it, write now and then.
 *
 * The layer decides what is written; here are files, the clock and patience. Nothing is read while a write is refused:
 * the layer's changes must be stored before it goes on, and the log keeps what comes meanwhile. */
#include "cmd/processor.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "log/log.h"
#include "store/store.h"
#include "views/speed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    FLUSH_MS = 500,
    WAIT_MS = 50,      /* for new lines */
    UPKEEP_MS = 5000,  /* between looks whether there is anything to tend */
    RETRY_MS = 1000,   /* between writes that the store refuses */
    LAST_ATTEMPTS = 3, /* of a write when we are to stop */
    MEMORY_MIN = 1 << 20
};

typedef struct processor_metrics {
    hb_metric *facts;
    hb_metric *messages;
    hb_metric *words;
    hb_metric *shared;
    hb_metric *duplicates;
    hb_metric *late;
    hb_metric *bad_utf8;
    hb_metric *bad_timestamps;
    hb_metric *malformed;
    hb_metric *untaken;
    hb_metric *ids_forgotten;
    hb_metric *log_read_errors;
    hb_metric *store_errors;
    hb_metric *flushes;
    hb_metric *lag_ms;
    hb_metric *sheets;
    hb_metric *memory;
    hb_metric *flush_ms;
} processor_metrics;

struct hb_processor {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_news;  /* on the monotonic clock */
    bool stop;                 /* under the lock */
    const hb_changes *visitor; /* changes that another thread hands over; under the lock, as are the next four */
    pthread_cond_t visitor_news;
    bool visitor_done;
    bool visitor_fine;
    hb_error visitor_error;
    atomic_bool ended;
    bool until_end;
    hb_log *log;
    hb_log_follower *follower;
    hb_store *store;
    hb_speed *speed;
    hb_upkeep *upkeep;
    int64_t next_upkeep_ms; /* monotonic */
    bool upkeep_failed;     /* said */
    processor_metrics metrics;
    int64_t next_flush_ms; /* monotonic */
    bool at_end;           /* has been, once */
    bool read_failed;      /* said */
    bool write_failed;     /* said */
    bool left_out;         /* said */
    bool failed;           /* stopped with something unwritten; *error says why */
    hb_error error;
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
    *process = (hb_processor_options){
        .log = hb_options_log(options), .store = hb_options_store(options), .top = top, .memory = memory};
    return hb_keep_options_read(options, &process->keep, error);
}

/* ---- Metrics ---- */

static void open_metrics(processor_metrics *m, hb_metrics *all)
{
    m->facts = hb_metrics_counter(all, "hubbub_facts_total", "Facts read from the log.");
    m->messages = hb_metrics_counter(all, "hubbub_messages_total", "Messages counted.");
    m->words = hb_metrics_counter(all, "hubbub_words_total", "Words counted, of all kinds.");
    m->shared = hb_metrics_counter(all, "hubbub_shared_total", "Copies by Shared Chat counted.");
    m->duplicates = hb_metrics_counter(all, "hubbub_duplicates_total", "Facts passed over since their id was known.");
    m->late = hb_metrics_counter(all, "hubbub_late_total", "Facts left to the batch layer.");
    m->bad_utf8 = hb_metrics_counter(all, "hubbub_bad_utf8_total", "Messages in which bytes had to be replaced.");
    m->bad_timestamps =
        hb_metrics_counter(all, "hubbub_bad_timestamps_total", "Facts that go by their time of receipt.");
    m->malformed = hb_metrics_counter(all, "hubbub_malformed_total", "Lines in the log that are no facts.");
    m->untaken =
        hb_metrics_counter(all, "hubbub_untaken_total", "New words and chatters in totals only, since memory ran out.");
    m->ids_forgotten = hb_metrics_counter(all, "hubbub_ids_forgotten_total", "Ids forgotten since memory ran out.");
    m->log_read_errors = hb_metrics_counter(all, "hubbub_log_read_errors_total", "Reads from the log that failed.");
    m->store_errors = hb_metrics_counter(all, "hubbub_store_errors_total", "Writes that the store refused.");
    m->flushes = hb_metrics_counter(all, "hubbub_flushes_total", "Transactions of the speed layer.");
    m->lag_ms = hb_metrics_gauge(all, "hubbub_speed_lag_milliseconds",
                                 "From the newest event time in the store's rows to now.");
    m->sheets = hb_metrics_gauge(all, "hubbub_speed_sheets", "Channels times open hours.");
    m->memory = hb_metrics_gauge(all, "hubbub_speed_memory_bytes", "What the speed layer holds.");
    m->flush_ms = hb_metrics_gauge(all, "hubbub_flush_milliseconds", "How long the last transaction took.");
}

static void show_metrics(hb_processor *processor, int64_t now_ms)
{
    const processor_metrics *const m = &processor->metrics;
    const hb_speed_counts counts = hb_speed_count(processor->speed, now_ms);
    hb_metric_set(m->facts, (int64_t)counts.fold.facts);
    hb_metric_set(m->messages, (int64_t)counts.fold.messages);
    hb_metric_set(m->words, (int64_t)counts.fold.words);
    hb_metric_set(m->shared, (int64_t)counts.fold.shared);
    hb_metric_set(m->duplicates, (int64_t)counts.fold.duplicates);
    hb_metric_set(m->late, (int64_t)counts.late);
    hb_metric_set(m->bad_utf8, (int64_t)counts.fold.bad_utf8);
    hb_metric_set(m->bad_timestamps, (int64_t)counts.fold.bad_timestamps);
    hb_metric_set(m->malformed, (int64_t)(counts.fold.malformed + counts.fold.others));
    hb_metric_set(m->untaken, (int64_t)counts.fold.untaken);
    hb_metric_set(m->ids_forgotten, (int64_t)counts.ids_forgotten);
    hb_metric_set(m->lag_ms, counts.time_ms == 0 ? 0 : now_ms - counts.time_ms);
    hb_metric_set(m->sheets, (int64_t)counts.open_sheets);
    hb_metric_set(m->memory, (int64_t)counts.held);
    if (!processor->left_out && counts.fold.untaken > 0) {
        processor->left_out = true;
        hb_say_warning("counting has used up --memory: new words and chatters are in totals only until the batch layer "
                       "recomputes the hour");
    }
}

/* ---- Writing ---- */

/* Waits unless told to stop meanwhile; true when told. */
static bool wait_for_stop(hb_processor *processor, int wait_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += wait_ms / 1000;
    end.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&processor->lock);
    while (!processor->stop && pthread_cond_timedwait(&processor->stop_news, &processor->lock, &end) == 0)
        ;
    const bool stop = processor->stop;
    pthread_mutex_unlock(&processor->lock);
    return stop;
}

static bool is_stopped(hb_processor *processor)
{
    pthread_mutex_lock(&processor->lock);
    const bool stop = processor->stop;
    pthread_mutex_unlock(&processor->lock);
    return stop;
}

/* Takes what another thread has handed over; with a refusal, answers that. */
static void serve_visitor(hb_processor *processor, const hb_error *refusal)
{
    pthread_mutex_lock(&processor->lock);
    const hb_changes *const changes = processor->visitor_done ? NULL : processor->visitor;
    pthread_mutex_unlock(&processor->lock);
    if (changes == NULL)
        return;
    hb_error error = refusal == NULL ? (hb_error){0} : *refusal;
    const bool fine = refusal == NULL && hb_store_apply(processor->store, changes, &error);
    pthread_mutex_lock(&processor->lock);
    processor->visitor_done = true;
    processor->visitor_fine = fine;
    processor->visitor_error = error;
    pthread_cond_broadcast(&processor->visitor_news);
    pthread_mutex_unlock(&processor->lock);
}

bool hb_processor_apply(hb_processor *processor, const hb_changes *changes, hb_error *error)
{
    pthread_mutex_lock(&processor->lock);
    while (processor->visitor != NULL) /* another visitor */
        pthread_cond_wait(&processor->visitor_news, &processor->lock);
    processor->visitor = changes;
    processor->visitor_done = false;
    while (!processor->visitor_done && !atomic_load(&processor->ended))
        pthread_cond_wait(&processor->visitor_news, &processor->lock);
    const bool done = processor->visitor_done;
    const bool fine = done && processor->visitor_fine;
    if (!done)
        hb_fail(error, HB_ERROR_BUSY, "the thread that writes to the store has stopped");
    else if (!fine)
        *error = processor->visitor_error;
    processor->visitor = NULL;
    pthread_cond_broadcast(&processor->visitor_news);
    pthread_mutex_unlock(&processor->lock);
    return fine;
}

/* Until the store has taken the changes. False when it refuses and we are to stop. */
static bool store_changes(hb_processor *processor, const hb_changes *changes)
{
    hb_error error = {0};
    int last_attempts = 0;
    while (!hb_store_apply(processor->store, changes, &error)) {
        hb_metric_add(processor->metrics.store_errors, 1);
        if (!processor->write_failed)
            hb_say_error("%s; trying again until it works, nothing is lost meanwhile", error.text);
        processor->write_failed = true;
        serve_visitor(processor, &error);
        if (wait_for_stop(processor, RETRY_MS) && ++last_attempts >= LAST_ATTEMPTS) {
            processor->failed = true;
            processor->error = error;
            return false;
        }
    }
    if (processor->write_failed)
        hb_say_note("the store takes writes again");
    processor->write_failed = false;
    hb_metric_add(processor->metrics.flushes, 1);
    return true;
}

/* One transaction; *more when there may be further ones. */
static bool flush(hb_processor *processor, hb_speed_flush_kind kind, bool *more)
{
    hb_changes changes;
    const int64_t start_ms = hb_monotonic_ms();
    *more = hb_speed_flush(processor->speed, kind, hb_now_ms(), &changes);
    if (*more) {
        if (!store_changes(processor, &changes))
            return false;
        hb_metric_set(processor->metrics.flush_ms, hb_monotonic_ms() - start_ms);
    }
    show_metrics(processor, hb_now_ms());
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
        hb_metric_add(processor->metrics.log_read_errors, 1);
        if (!processor->read_failed || error.code == HB_ERROR_CORRUPT)
            hb_say_error("%s", error.text);
        processor->read_failed = true;
        /* A bad place is passed over by the next read; anything else may take its time. */
        return error.code == HB_ERROR_CORRUPT || (!wait_for_stop(processor, RETRY_MS) && flush_when_due(processor));
    }
    processor->read_failed = false;
    *at_end = piece.lines.size == 0;
    return take_piece(processor, &piece);
}

/* Takes a step of upkeep, when there is one to take; false when there is none for now. */
static bool tend(hb_processor *processor)
{
    bool more = false;
    hb_error error = {0};
    const int64_t start_ms = hb_monotonic_ms();
    if (start_ms < processor->next_upkeep_ms)
        return false;
    const bool good = hb_upkeep_step(processor->upkeep, hb_now_ms() / 1000, &more, &error);
    if (!good && !processor->upkeep_failed)
        hb_say_warning("%s; days, weeks and months are not made, nor old hours removed, until this works", error.text);
    processor->upkeep_failed = !good;
    if (!good || !more)
        processor->next_upkeep_ms = start_ms + UPKEEP_MS;
    return good && more;
}

/* Until told to stop, or to the log's end. */
static bool follow(hb_processor *processor)
{
    while (!is_stopped(processor)) {
        bool at_end = false;
        if (!read_piece(processor, &at_end))
            return false;
        if (at_end) {
            hb_speed_caught_up(processor->speed);
            processor->at_end = true;
            if (processor->until_end)
                return true;
        }
        if (!flush_when_due(processor))
            return false;
        serve_visitor(processor, NULL);
        if (at_end && !tend(processor))
            hb_log_follower_wait(processor->follower, WAIT_MS);
    }
    return true;
}

static void *process(void *context)
{
    hb_processor *const processor = context;
    follow(processor);
    if (!processor->failed)
        flush_all(processor);
    while (!processor->failed && processor->until_end && !is_stopped(processor) && tend(processor))
        ;
    pthread_mutex_lock(&processor->lock);
    atomic_store(&processor->ended, true);
    pthread_cond_broadcast(&processor->visitor_news);
    pthread_mutex_unlock(&processor->lock);
    return NULL;
}

/* ---- Opening and closing ---- */

typedef struct restoring {
    hb_speed *speed;
    hb_log_position *positions;
    size_t count;
    size_t capacity;
} restoring;

static bool restore_part(void *context, const hb_progress *progress, int64_t at_s)
{
    restoring *const restore = context;
    (void)at_s;
    hb_speed_restore(restore->speed, progress);
    HB_RESERVE(restore->positions, restore->capacity, restore->count + 1);
    restore->positions[restore->count++] =
        (hb_log_position){progress->part, hb_speed_position(restore->speed, progress->part)};
    return true;
}

static bool open_all(hb_processor *processor, const hb_processor_options *options, hb_metrics *metrics, hb_error *error)
{
    processor->log = hb_log_open(options->log, HB_LOG_READ, metrics, error);
    if (processor->log == NULL)
        return false;
    processor->store = hb_store_open(options->store, HB_STORE_WRITE, error);
    if (processor->store == NULL)
        return false;
    processor->speed = hb_speed_open(&(hb_speed_options){options->top, options->memory}, error);
    if (processor->speed == NULL)
        return false;
    hb_upkeep_options keep = options->keep;
    keep.log = options->log;
    processor->upkeep = hb_upkeep_open(processor->store, &keep);
    restoring restore = {.speed = processor->speed};
    /* An hour that the batch layer has replaced is closed: what has come since is late. Where the speed layer knows
     * more of it, that counts. */
    if (hb_store_progress(processor->store, HB_LAYER_BATCH, restore_part, &restore, error) &&
        hb_store_progress(processor->store, HB_LAYER_SPEED, restore_part, &restore, error))
        processor->follower =
            hb_log_follower_open(processor->log, HB_LOG_FROM_START, restore.positions, restore.count, error);
    free(restore.positions);
    return processor->follower != NULL;
}

static void close_all(hb_processor *processor)
{
    hb_error error = {0};
    hb_log_follower_close(processor->follower);
    hb_speed_close(processor->speed);
    hb_upkeep_close(processor->upkeep);
    hb_store_close(processor->store);
    if (processor->log != NULL)
        hb_log_close(processor->log, &error); /* only read: nothing to lose */
    pthread_cond_destroy(&processor->visitor_news);
    pthread_cond_destroy(&processor->stop_news);
    pthread_mutex_destroy(&processor->lock);
    free(processor);
}

hb_processor *hb_processor_open(const hb_processor_options *options, hb_metrics *metrics, hb_error *error)
{
    pthread_condattr_t monotonic;
    hb_processor *processor = hb_alloc(sizeof *processor);
    pthread_mutex_init(&processor->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&processor->stop_news, &monotonic);
    pthread_cond_init(&processor->visitor_news, NULL);
    pthread_condattr_destroy(&monotonic);
    processor->until_end = options->until_end;
    open_metrics(&processor->metrics, metrics);
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
    return processor;
}

bool hb_processor_ended(const hb_processor *processor)
{
    return atomic_load(&processor->ended);
}

bool hb_processor_close(hb_processor *processor, hb_error *error)
{
    pthread_mutex_lock(&processor->lock);
    processor->stop = true;
    pthread_cond_signal(&processor->stop_news);
    pthread_mutex_unlock(&processor->lock);
    pthread_join(processor->thread, NULL);
    const bool fine = !processor->failed;
    if (!fine)
        *error = processor->error;
    close_all(processor);
    return fine;
}
