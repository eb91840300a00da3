/* writer.c - one store handle, used by the thread that counts alone; others hand their changes over and wait. */
#include "cmd/writer.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    UPKEEP_MS = 5000,  /* between looks whether there is anything to tend */
    LAST_ATTEMPTS = 3, /* of a write when we are to stop */
};

struct hb_writer {
    pthread_mutex_t lock;
    pthread_cond_t stop_news;  /* on the monotonic clock */
    bool stop;                 /* under the lock */
    const hb_changes *visitor; /* changes that another thread hands over; under the lock, as are the next four */
    pthread_cond_t visitor_news;
    bool visitor_done;
    bool visitor_fine;
    hb_error visitor_error;
    atomic_bool ended;
    hb_store *store;
    hb_upkeep *upkeep;
    int64_t next_upkeep_ms; /* monotonic */
    bool upkeep_failed;     /* said */
    bool write_failed;      /* said */
    int last_attempts;
    void (*told)(void *context, const hb_changes *changes);
    void *told_context;
    bool failed; /* stopped with something unwritten; *error says why */
    hb_error error;
    hb_metric *store_errors;
    hb_metric *flushes;
    hb_metric *flush_ms;
};

hb_writer *hb_writer_open(const char *store, const hb_upkeep_options *keep, hb_metrics *metrics, hb_error *error)
{
    pthread_condattr_t monotonic;
    hb_store *opened = hb_store_open(store, HB_STORE_WRITE, error);
    if (opened == NULL)
        return NULL;
    hb_writer *writer = hb_alloc(sizeof *writer);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->stop_news, &monotonic);
    pthread_cond_init(&writer->visitor_news, NULL);
    pthread_condattr_destroy(&monotonic);
    writer->store = opened;
    writer->upkeep = hb_upkeep_open(opened, keep);
    writer->store_errors = hb_metrics_counter(metrics, "hubbub_store_errors_total", "Writes that the store refused.");
    writer->flushes = hb_metrics_counter(metrics, "hubbub_flushes_total", "Transactions of the speed layer.");
    writer->flush_ms = hb_metrics_gauge(metrics, "hubbub_flush_milliseconds", "How long the last transaction took.");
    return writer;
}

void hb_writer_close(hb_writer *writer)
{
    if (writer == NULL)
        return;
    hb_upkeep_close(writer->upkeep);
    hb_store_close(writer->store);
    pthread_cond_destroy(&writer->visitor_news);
    pthread_cond_destroy(&writer->stop_news);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

void hb_writer_tell(hb_writer *writer, void (*told)(void *context, const hb_changes *changes), void *context)
{
    writer->told = told;
    writer->told_context = context;
}

hb_store *hb_writer_store(hb_writer *writer)
{
    return writer->store;
}

/* ---- Stopping ---- */

bool hb_writer_wait(hb_writer *writer, int wait_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += wait_ms / 1000;
    end.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&writer->lock);
    while (!writer->stop && pthread_cond_timedwait(&writer->stop_news, &writer->lock, &end) == 0)
        ;
    const bool stop = writer->stop;
    pthread_mutex_unlock(&writer->lock);
    return stop;
}

void hb_writer_stop(hb_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    pthread_cond_signal(&writer->stop_news);
    pthread_mutex_unlock(&writer->lock);
}

bool hb_writer_is_stopped(hb_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    const bool stop = writer->stop;
    pthread_mutex_unlock(&writer->lock);
    return stop;
}

void hb_writer_end(hb_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    atomic_store(&writer->ended, true);
    pthread_cond_broadcast(&writer->visitor_news);
    pthread_mutex_unlock(&writer->lock);
}

bool hb_writer_has_ended(const hb_writer *writer)
{
    return atomic_load(&writer->ended);
}

void hb_writer_fail(hb_writer *writer, const hb_error *error)
{
    writer->failed = true;
    writer->error = *error;
}

bool hb_writer_failure(const hb_writer *writer, hb_error *error)
{
    if (writer->failed)
        *error = writer->error;
    return writer->failed;
}

/* ---- Visitors ---- */

/* With a refusal, answers that. */
static void serve_visitor(hb_writer *writer, const hb_error *refusal)
{
    pthread_mutex_lock(&writer->lock);
    const hb_changes *const changes = writer->visitor_done ? NULL : writer->visitor;
    pthread_mutex_unlock(&writer->lock);
    if (changes == NULL)
        return;
    hb_error error = refusal == NULL ? (hb_error){0} : *refusal;
    const bool fine = refusal == NULL && hb_store_apply(writer->store, changes, &error);
    pthread_mutex_lock(&writer->lock);
    writer->visitor_done = true;
    writer->visitor_fine = fine;
    writer->visitor_error = error;
    pthread_cond_broadcast(&writer->visitor_news);
    pthread_mutex_unlock(&writer->lock);
}

void hb_writer_serve(hb_writer *writer)
{
    serve_visitor(writer, NULL);
}

bool hb_writer_apply(hb_writer *writer, const hb_changes *changes, hb_error *error)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->visitor != NULL) /* another visitor */
        pthread_cond_wait(&writer->visitor_news, &writer->lock);
    writer->visitor = changes;
    writer->visitor_done = false;
    while (!writer->visitor_done && !atomic_load(&writer->ended))
        pthread_cond_wait(&writer->visitor_news, &writer->lock);
    const bool done = writer->visitor_done;
    const bool fine = done && writer->visitor_fine;
    if (!done)
        hb_fail(error, HB_ERROR_BUSY, "the thread that writes to the store has stopped");
    else if (!fine)
        *error = writer->visitor_error;
    writer->visitor = NULL;
    pthread_cond_broadcast(&writer->visitor_news);
    pthread_mutex_unlock(&writer->lock);
    return fine;
}

/* ---- Writing ---- */

static bool apply_all(hb_store *store, const hb_changes *changes, size_t count, hb_error *error)
{
    bool good = hb_store_begin(store, error);
    for (size_t i = 0; i < count && good; i++)
        good = hb_store_put(store, &changes[i], error);
    return good && hb_store_commit(store, error);
}

hb_writer_result hb_writer_try(hb_writer *writer, const hb_changes *changes, size_t count)
{
    hb_error error = {0};
    const int64_t start_ms = hb_monotonic_ms();
    if (apply_all(writer->store, changes, count, &error)) {
        if (writer->write_failed)
            hb_say_note("the store takes writes again");
        writer->write_failed = false;
        hb_metric_add(writer->flushes, 1);
        hb_metric_set(writer->flush_ms, hb_monotonic_ms() - start_ms);
        for (size_t i = 0; i < count && writer->told != NULL; i++)
            writer->told(writer->told_context, &changes[i]);
        return HB_WRITER_STORED;
    }
    hb_metric_add(writer->store_errors, 1);
    if (!writer->write_failed)
        hb_say_error("%s; trying again until it works, nothing is lost meanwhile", error.text);
    writer->write_failed = true;
    serve_visitor(writer, &error);
    if (!hb_writer_is_stopped(writer) || ++writer->last_attempts < LAST_ATTEMPTS)
        return HB_WRITER_REFUSED;
    hb_writer_fail(writer, &error);
    return HB_WRITER_GIVEN_UP;
}

bool hb_writer_put(hb_writer *writer, const hb_changes *changes, size_t count)
{
    hb_writer_result result;
    while ((result = hb_writer_try(writer, changes, count)) == HB_WRITER_REFUSED)
        hb_writer_wait(writer, HB_WRITER_RETRY_MS);
    return result == HB_WRITER_STORED;
}

bool hb_writer_tend(hb_writer *writer)
{
    bool more = false;
    hb_error error = {0};
    const int64_t start_ms = hb_monotonic_ms();
    if (start_ms < writer->next_upkeep_ms)
        return false;
    const bool good = hb_upkeep_step(writer->upkeep, hb_now_ms() / 1000, &more, &error);
    if (!good && !writer->upkeep_failed)
        hb_say_warning("%s; days, weeks and months are not made, nor old hours removed, until this works", error.text);
    writer->upkeep_failed = !good;
    if (!good || !more)
        writer->next_upkeep_ms = start_ms + UPKEEP_MS;
    return good && more;
}
