/* workers.c - a bounded list of calls between the loop and a few threads.
 *
 * The loop puts calls into `waiting`; a thread takes one, answers it with its own api, and puts it into `done`; the
 * loop, woken by an event, replies. libevent's requests are only ever touched by the loop. */
#include "serve/workers.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/api.h"

#include <event2/event.h>
#include <event2/http.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct pending_call {
    struct pending_call *next;
    struct evhttp_request *http;
    hb_request request;
    int64_t arrived_us;
    hb_buffer body;
    hb_error error;
    int status;
} pending_call;

typedef struct call_list {
    pending_call *first;
    pending_call **end;
    unsigned count;
} call_list;

typedef struct worker_thread {
    hb_workers *workers;
    hb_api *api;
    pthread_t thread;
} worker_thread;

struct hb_workers {
    hb_traffic *traffic;
    struct event *answered;
    pthread_mutex_t lock; /* over all below */
    pthread_cond_t wake;
    call_list waiting;
    call_list done;
    bool stop;
    worker_thread *list;
    unsigned count;
    unsigned waiting_max;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void put(call_list *list, pending_call *call)
{
    call->next = NULL;
    *(list->count == 0 ? &list->first : list->end) = call;
    list->end = &call->next;
    list->count++;
}

static pending_call *take(call_list *list)
{
    pending_call *call = list->first;
    list->first = call->next;
    list->count--;
    return call;
}

static void *work(void *context)
{
    worker_thread *self = context;
    hb_workers *workers = self->workers;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (workers->waiting.count == 0 && !workers->stop)
            pthread_cond_wait(&workers->wake, &workers->lock);
        if (workers->stop)
            break;
        pending_call *call = take(&workers->waiting);
        pthread_mutex_unlock(&workers->lock);
        call->status = hb_api_answer(self->api, &call->request, hb_now_ms() / 1000, &call->body, &call->error);
        pthread_mutex_lock(&workers->lock);
        put(&workers->done, call);
        event_active(workers->answered, 0, 0);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

static void free_call(pending_call *call)
{
    hb_buffer_free(&call->body);
    free(call);
}

static void reply(evutil_socket_t unused, short what, void *context)
{
    hb_workers *workers = context;
    (void)unused;
    (void)what;
    pthread_mutex_lock(&workers->lock);
    pending_call *done = workers->done.count == 0 ? NULL : workers->done.first;
    workers->done = (call_list){0};
    pthread_mutex_unlock(&workers->lock);
    for (pending_call *next; done != NULL; done = next) {
        next = done->next;
        atomic_fetch_add_explicit(&workers->traffic->answers, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&workers->traffic->answer_us, now_us() - done->arrived_us, memory_order_relaxed);
        if (done->status == 200)
            hb_reply_send(workers->traffic, done->http, 200, HB_AUDIENCE_PROGRAM, "application/json",
                          hb_buffer_bytes(&done->body));
        else
            hb_reply_error(workers->traffic, done->http, done->status, &done->error);
        free_call(done);
    }
}

hb_workers *hb_workers_open(struct event_base *base, unsigned count, unsigned waiting_max, const char *store,
                            const char *log, hb_traffic *traffic, hb_error *error)
{
    hb_workers *workers = hb_alloc(sizeof *workers);
    workers->traffic = traffic;
    workers->waiting_max = waiting_max;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->wake, NULL);
    workers->answered = event_new(base, -1, EV_PERSIST, reply, workers);
    workers->list = hb_alloc(count * sizeof *workers->list);
    for (; workers->count < count; workers->count++) {
        worker_thread *worker = &workers->list[workers->count];
        worker->workers = workers;
        worker->api = hb_api_open(store, log);
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            hb_api_close(worker->api);
            hb_workers_close(workers);
            hb_fail(error, HB_ERROR_SYSTEM, "cannot start a thread that answers HTTP requests");
            return NULL;
        }
    }
    return workers;
}

/* A request whose client has gone belongs to nobody else; one that still has its client is freed by evhttp_free. */
static void drop(call_list *list)
{
    while (list->count > 0) {
        pending_call *call = take(list);
        if (evhttp_request_get_connection(call->http) == NULL)
            evhttp_request_free(call->http);
        free_call(call);
    }
}

void hb_workers_close(hb_workers *workers)
{
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stop = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->count; i++) {
        pthread_join(workers->list[i].thread, NULL);
        hb_api_close(workers->list[i].api);
    }
    drop(&workers->waiting);
    drop(&workers->done);
    event_free(workers->answered);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    free(workers->list);
    free(workers);
}

void hb_workers_take(hb_workers *workers, struct evhttp_request *http, const hb_request *request)
{
    pthread_mutex_lock(&workers->lock);
    const bool full = workers->waiting.count >= workers->waiting_max;
    if (!full) {
        pending_call *call = hb_alloc(sizeof *call);
        call->http = http;
        call->request = *request;
        call->arrived_us = now_us();
        put(&workers->waiting, call);
        pthread_cond_signal(&workers->wake);
    }
    pthread_mutex_unlock(&workers->lock);
    if (full) {
        hb_error error;
        hb_fail(&error, HB_ERROR_BUSY, "%u requests wait for an answer already; try again in a while",
                workers->waiting_max);
        hb_metric_add(workers->traffic->rejected, 1);
        hb_reply_error(workers->traffic, http, 503, &error);
    }
}
