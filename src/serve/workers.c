/* workers.c - a bounded list of calls between the loop and a few threads.
 *
 * The loop puts calls into `waiting`; a thread takes one, answers it with its own api, and puts it into `done`; the
 * loop, woken by an event, replies. libevent's requests are only ever touched by the loop.
 *
 * A stream goes round many times: a thread makes a bit of it, the loop sends that, and once the client has read it the
 * stream waits for a thread again. So a stream holds no thread while its client is slow, lets other requests pass
 * before its next bit, and never has more than one bit in memory. */
#include "serve/workers.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/api.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

enum {
    STREAMS_MAX = 64,    /* at a time: each holds some MiB and a few descriptors */
    WRITE_TIMEOUT_S = 30 /* without a byte read by the client */
};

typedef struct pending_call {
    struct pending_call *next;
    struct evhttp_request *http;
    hb_request request;
    int64_t arrived_us;
    hb_buffer body;
    hb_error error;
    int status;

    /* Of a stream: */
    LIST_ENTRY(pending_call) among_streams;
    hb_workers *workers;
    hb_transcript *transcript;
    bool listed;      /* in one of the lists, or with a thread; else its client is reading */
    bool started;     /* the reply's head is out */
    bool more;        /* after this bit */
    atomic_bool gone; /* its client */
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
    call_list waiting_streams; /* for their next bit: taken when nothing else waits */
    call_list done;
    LIST_HEAD(stream_list, pending_call) streams; /* the loop's */
    unsigned stream_count;
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

static bool is_stream(const pending_call *call)
{
    return call->request.route == HB_ROUTE_MESSAGES && call->request.format != HB_MESSAGES_JSON;
}

static void answer(hb_api *api, pending_call *call)
{
    const int64_t now_s = hb_now_ms() / 1000;
    if (is_stream(call))
        call->status = hb_api_read(api, &call->request, now_s, &call->gone, &call->transcript, &call->body, &call->more,
                                   &call->error);
    else
        call->status = hb_api_answer(api, &call->request, now_s, &call->body, &call->error);
}

static void *work(void *context)
{
    worker_thread *self = context;
    hb_workers *workers = self->workers;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (workers->waiting.count == 0 && workers->waiting_streams.count == 0 && !workers->stop)
            pthread_cond_wait(&workers->wake, &workers->lock);
        if (workers->stop)
            break;
        pending_call *call = take(workers->waiting.count > 0 ? &workers->waiting : &workers->waiting_streams);
        pthread_mutex_unlock(&workers->lock);
        answer(self->api, call);
        pthread_mutex_lock(&workers->lock);
        put(&workers->done, call);
        event_active(workers->answered, 0, 0);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

static void free_call(pending_call *call)
{
    hb_transcript_close(call->transcript);
    hb_buffer_free(&call->body);
    free(call);
}

/* ---- Streams ---- */

static void add_waiting(hb_workers *workers, pending_call *call)
{
    call->listed = true;
    pthread_mutex_lock(&workers->lock);
    put(is_stream(call) ? &workers->waiting_streams : &workers->waiting, call);
    pthread_cond_signal(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
}

/* The reply is complete, or its client has gone. */
static void end_stream(pending_call *call)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(call->http);
    if (connection != NULL)
        evhttp_connection_set_closecb(connection, NULL, NULL);
    LIST_REMOVE(call, among_streams);
    call->workers->stream_count--;
}

static void on_closed(struct evhttp_connection *connection, void *context)
{
    pending_call *call = context;
    (void)connection;
    atomic_store(&call->gone, true);
    if (call->listed) /* it comes back from its thread first */
        return;
    end_stream(call);
    /* libevent has parted it from its connection: it is ours to free. */
    if (evhttp_request_get_connection(call->http) == NULL)
        evhttp_request_free(call->http);
    free_call(call);
}

static void on_drained(struct evhttp_connection *connection, void *context)
{
    pending_call *call = context;
    (void)connection;
    if (!call->listed && !call->gone)
        add_waiting(call->workers, call);
}

static void start_reply(pending_call *call)
{
    static const struct timeval write_timeout = {.tv_sec = WRITE_TIMEOUT_S};
    struct evhttp_connection *connection = evhttp_request_get_connection(call->http);
    call->started = true;
    hb_traffic_count(call->workers->traffic, 200);
    hb_reply_common_headers(call->http, HB_AUDIENCE_PROGRAM);
    hb_reply_header(call->http, "Content-Type", hb_transcript_content_type(call->request.format));
    hb_reply_header(call->http, "Connection", "close");
    if (evhttp_request_get_command(call->http) == EVHTTP_REQ_HEAD)
        return;
    /* It only listens from now on: no reading within a time is no fault. */
    bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), NULL, &write_timeout);
    evhttp_send_reply_start(call->http, 200, "OK");
}

static void send_bit(pending_call *call)
{
    struct evbuffer *bit = evbuffer_new();
    if (bit != NULL) {
        evbuffer_add(bit, call->body.data, call->body.size);
        if (call->more)
            evhttp_send_reply_chunk_with_cb(call->http, bit, on_drained, call);
        else
            evhttp_send_reply_chunk(call->http, bit);
        evbuffer_free(bit);
    }
    call->body.size = 0;
}

/* A reply that has begun can only be cut off: without its last chunk the client knows that it is not whole. */
static void cut_off(pending_call *call)
{
    struct bufferevent *bufferevent = evhttp_connection_get_bufferevent(evhttp_request_get_connection(call->http));
    shutdown(bufferevent_getfd(bufferevent), SHUT_RDWR);
}

static void reply_to_stream(pending_call *call)
{
    const bool is_head = evhttp_request_get_command(call->http) == EVHTTP_REQ_HEAD;
    call->listed = false;
    if (call->gone || evhttp_request_get_connection(call->http) == NULL) {
        end_stream(call);
        if (evhttp_request_get_connection(call->http) == NULL)
            evhttp_request_free(call->http);
        free_call(call);
    } else if (!call->started && call->status != 200) {
        end_stream(call);
        hb_reply_error(call->workers->traffic, call->http, call->status, &call->error);
        free_call(call);
    } else if (call->started && call->status != 200 && call->status != 404) {
        cut_off(call);
    } else if (call->body.size == 0 && call->more) {
        add_waiting(call->workers, call);
    } else {
        if (!call->started)
            start_reply(call);
        if (call->body.size > 0 && !is_head)
            send_bit(call);
        if (call->more && !is_head)
            return;
        end_stream(call);
        if (is_head)
            evhttp_send_reply(call->http, 200, "OK", NULL);
        else
            evhttp_send_reply_end(call->http);
        free_call(call);
    }
}

/* ---- Replies ---- */

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
        if (is_stream(done)) {
            reply_to_stream(done);
            continue;
        }
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
                            const char *log, const hb_ignored *ignored, hb_traffic *traffic, hb_error *error)
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
        worker->api = hb_api_open(store, log, ignored);
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
    struct stream_list ended;
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
    LIST_INIT(&ended);
    for (pending_call *call; (call = LIST_FIRST(&workers->streams)) != NULL;) {
        end_stream(call);
        if (!call->listed)
            LIST_INSERT_HEAD(&ended, call, among_streams);
    }
    for (pending_call *call; (call = LIST_FIRST(&ended)) != NULL;) {
        LIST_REMOVE(call, among_streams);
        free_call(call);
    }
    drop(&workers->waiting);
    drop(&workers->waiting_streams);
    drop(&workers->done);
    event_free(workers->answered);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    free(workers->list);
    free(workers);
}

static void refuse(hb_workers *workers, struct evhttp_request *http, unsigned count, const char *what)
{
    hb_error error;
    hb_fail(&error, HB_ERROR_BUSY, "%u %s already; try again in a while", count, what);
    hb_metric_add(workers->traffic->rejected, 1);
    hb_reply_error(workers->traffic, http, 503, &error);
}

void hb_workers_take(hb_workers *workers, struct evhttp_request *http, const hb_request *request)
{
    pthread_mutex_lock(&workers->lock);
    const bool full = workers->waiting.count >= workers->waiting_max;
    pthread_mutex_unlock(&workers->lock);
    if (full) {
        refuse(workers, http, workers->waiting_max, "requests wait for an answer");
        return;
    }
    pending_call *call = hb_alloc(sizeof *call);
    call->http = http;
    call->request = *request;
    call->arrived_us = now_us();
    call->workers = workers;
    if (is_stream(call)) {
        if (workers->stream_count >= STREAMS_MAX) {
            free_call(call);
            refuse(workers, http, STREAMS_MAX, "long lists of messages are being sent");
            return;
        }
        workers->stream_count++;
        LIST_INSERT_HEAD(&workers->streams, call, among_streams);
        evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_closed, call);
    }
    add_waiting(workers, call);
}
