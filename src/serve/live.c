/* live.c - clients and what they look at.
 *
 * A topic is what lasts of one channel (or of all of them, for the channel ""): the latest event of each kind, and who
 * looks at it. A new client is one that missed everything; the same code serves it and one that fell behind. Event
 * texts are shared by reference between topics and output buffers, so 200 clients cost little more than one.
 */
#include "serve/live.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/json.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
    WAITING_MAX = 256 * 1024,    /* bytes in a client's output buffer above which nothing more is put there */
    MESSAGES_WAITING_MAX = 4096, /* messages on the way from the threads to the loop */
    BEAT_S = 15,                 /* seconds between comments, which keep proxies from closing a quiet stream */
    WRITE_TIMEOUT_S = 30
};

typedef struct live_client {
    LIST_ENTRY(live_client) among_all;
    LIST_ENTRY(live_client) in_topic;
    hb_live *live;
    struct live_topic *topic; /* NULL: looks at the list of channels alone */
    struct evhttp_request *http;
    struct evhttp_connection *connection;
    unsigned missed; /* bit per hb_news_kind: the latest of it has not been sent */
    uint64_t skipped;
} live_client;

typedef LIST_HEAD(client_list, live_client) client_list;

typedef struct live_topic {
    LIST_ENTRY(live_topic) next;
    char channel[HB_LOGIN_MAX + 1];
    hb_text *latest[HB_NEWS_LASTING];
    client_list clients;
} live_topic;

struct hb_live {
    hb_watch *watch;
    hb_traffic *traffic;
    uint32_t clients_max;
    uint32_t client_count;
    client_list clients;
    hb_text *channels; /* the latest list of all channels */
    LIST_HEAD(topic_list, live_topic) topics;
    hb_text *why_not_ready; /* NULL when ready */
    struct event *arrived;
    struct event *second;
    unsigned seconds;
    pthread_mutex_t lock; /* over the inbox */
    hb_news *inbox;
    hb_news **inbox_end;
    size_t messages_waiting;
};

/* ---- Sending ---- */

static void drop_text(const void *data, size_t size, void *text)
{
    (void)data;
    (void)size;
    hb_text_drop(text);
}

static void catch_up(live_client *client);

static void on_drained(struct evhttp_connection *connection, void *context)
{
    (void)connection;
    catch_up(context);
}

static bool has_room(const live_client *client)
{
    struct bufferevent *bufferevent = evhttp_connection_get_bufferevent(client->connection);
    return evbuffer_get_length(bufferevent_get_output(bufferevent)) < WAITING_MAX;
}

/* False when the client reads too slowly; nothing was sent then. */
static bool send_text(live_client *client, hb_text *text)
{
    if (!has_room(client))
        return false;
    struct evbuffer *chunk = evbuffer_new();
    if (chunk == NULL)
        return false;
    text->references++;
    if (evbuffer_add_reference(chunk, text->data, text->size, drop_text, text) != 0)
        hb_text_drop(text);
    evhttp_send_reply_chunk_with_cb(client->http, chunk, on_drained, client);
    evbuffer_free(chunk);
    return true;
}

static bool send_event(live_client *client, const char *name, hb_bytes data)
{
    hb_text *text = hb_text_make_event(name, data);
    const bool sent = send_text(client, text);
    hb_text_drop(text);
    return sent;
}

static hb_text *latest_of(const live_client *client, unsigned kind)
{
    if (kind == HB_NEWS_CHANNELS)
        return client->live->channels;
    return client->topic == NULL ? NULL : client->topic->latest[kind];
}

/* Sends the latest of all that the client missed, as far as there is room. */
static void catch_up(live_client *client)
{
    for (unsigned kind = 0; kind < HB_NEWS_LASTING; kind++) {
        hb_text *text = latest_of(client, kind);
        if ((client->missed & 1u << kind) != 0 && text != NULL) {
            if (!send_text(client, text))
                return;
            client->missed &= ~(1u << kind);
        }
    }
}

static void say_hello(live_client *client)
{
    const hb_live *live = client->live;
    char now[HB_TIME_TEXT];
    hb_buffer data = {0};
    hb_time_print(hb_now_ms() / 1000, now);
    hb_json_open(&data, '{');
    hb_json_key(&data, "version");
    hb_json_text(&data, HB_BYTES(HB_VERSION));
    hb_json_key(&data, "now");
    hb_json_text(&data, hb_bytes_of(now));
    hb_json_key(&data, "ready");
    hb_json_bool(&data, live->why_not_ready == NULL);
    if (live->why_not_ready != NULL) {
        hb_json_key(&data, "reason");
        hb_json_text(&data, (hb_bytes){live->why_not_ready->data, live->why_not_ready->size});
    }
    hb_json_close(&data, '}');
    send_event(client, "hello", hb_buffer_bytes(&data));
    hb_buffer_free(&data);
}

/* ---- News ---- */

static void skip(live_client *client, uint64_t count)
{
    client->skipped += count;
    hb_metric_add(client->live->traffic->live_skipped, count);
}

/* One that still misses the one before gets the latest as a whole, or nothing again. */
static void tell_lasting(live_client *client, const hb_news *news)
{
    const unsigned bit = 1u << news->kind;
    if ((client->missed & bit) != 0)
        catch_up(client);
    else if (!send_text(client, news->changed != NULL ? news->changed : news->whole))
        client->missed |= bit;
    if ((client->missed & bit) != 0)
        hb_metric_add(client->live->traffic->live_skipped, 1);
}

static void keep_latest(hb_text **latest, hb_text *text)
{
    text->references++;
    hb_text_drop(*latest);
    *latest = text;
}

static live_topic *find_topic(hb_live *live, const char *channel)
{
    live_topic *topic;
    LIST_FOREACH(topic, &live->topics, next)
    if (strcmp(topic->channel, channel) == 0)
        return topic;
    return NULL;
}

static void tell_topic(hb_live *live, const hb_news *news)
{
    live_topic *topic = find_topic(live, news->channel);
    live_client *client;
    if (topic == NULL) /* its last client has gone meanwhile */
        return;
    if (news->kind < HB_NEWS_LASTING)
        keep_latest(&topic->latest[news->kind], news->whole);
    LIST_FOREACH(client, &topic->clients, in_topic)
    {
        if (news->kind < HB_NEWS_LASTING)
            tell_lasting(client, news);
        else if (news->kind == HB_NEWS_SKIPPED)
            skip(client, news->count);
        else if (!send_text(client, news->whole))
            skip(client, 1);
    }
}

static void tell(hb_live *live, const hb_news *news)
{
    live_client *client;
    switch (news->kind) {
    case HB_NEWS_CHANNELS:
        if (live->client_count > 0)
            keep_latest(&live->channels, news->whole);
        LIST_FOREACH(client, &live->clients, among_all)
        tell_lasting(client, news);
        break;
    case HB_NEWS_STATE:
        hb_text_drop(live->why_not_ready);
        live->why_not_ready = news->whole;
        if (news->whole != NULL)
            news->whole->references++;
        LIST_FOREACH(client, &live->clients, among_all)
        say_hello(client);
        break;
    case HB_NEWS_RATE:
    case HB_NEWS_WORDS:
    case HB_NEWS_USERS:
    case HB_NEWS_MESSAGE:
    case HB_NEWS_SKIPPED:
        tell_topic(live, news);
        break;
    }
}

static void on_arrived(evutil_socket_t unused, short what, void *context)
{
    hb_live *live = context;
    (void)unused;
    (void)what;
    pthread_mutex_lock(&live->lock);
    hb_news *news = live->inbox;
    live->inbox = NULL;
    live->inbox_end = &live->inbox;
    live->messages_waiting = 0;
    pthread_mutex_unlock(&live->lock);
    for (hb_news *next; news != NULL; news = next) {
        next = news->next;
        tell(live, news);
        hb_news_free(news);
    }
}

/* Any thread. A message above the bound becomes a count. */
static void put_news(void *context, hb_news *news)
{
    hb_live *live = context;
    pthread_mutex_lock(&live->lock);
    if (news->kind == HB_NEWS_MESSAGE && ++live->messages_waiting > MESSAGES_WAITING_MAX) {
        news->kind = HB_NEWS_SKIPPED;
        news->count = 1;
        hb_text_drop(news->whole);
        news->whole = NULL;
    }
    news->next = NULL;
    *live->inbox_end = news;
    live->inbox_end = &news->next;
    pthread_mutex_unlock(&live->lock);
    event_active(live->arrived, 0, 0);
}

hb_news_desk hb_live_desk(hb_live *live)
{
    return (hb_news_desk){put_news, live};
}

static void on_second(evutil_socket_t unused, short what, void *context)
{
    hb_live *live = context;
    live_client *client;
    (void)unused;
    (void)what;
    const bool beat = ++live->seconds % BEAT_S == 0;
    hb_text *comment = hb_text_make(HB_BYTES(":\n\n"));
    LIST_FOREACH(client, &live->clients, among_all)
    {
        char data[48];
        const int size = snprintf(data, sizeof data, "{\"count\":%llu}", (unsigned long long)client->skipped);
        if (client->skipped > 0 && send_event(client, "skipped", (hb_bytes){data, (size_t)size}))
            client->skipped = 0;
        if (beat)
            send_text(client, comment);
    }
    hb_text_drop(comment);
}

/* ---- Coming and going ---- */

static live_topic *join_topic(hb_live *live, const char *channel)
{
    live_topic *found = find_topic(live, channel);
    hb_watch_add(live->watch, channel);
    if (found != NULL)
        return found;
    live_topic *new = hb_alloc(sizeof *new);
    snprintf(new->channel, sizeof new->channel, "%s", channel);
    LIST_INIT(&new->clients);
    LIST_INSERT_HEAD(&live->topics, new, next);
    return new;
}

static void leave_topic(live_client *client)
{
    live_topic *topic = client->topic;
    LIST_REMOVE(client, in_topic);
    hb_watch_remove(client->live->watch, topic->channel);
    if (!LIST_EMPTY(&topic->clients))
        return;
    LIST_REMOVE(topic, next);
    for (size_t kind = 0; kind < HB_NEWS_LASTING; kind++)
        hb_text_drop(topic->latest[kind]);
    free(topic);
}

static void remove_client(live_client *client)
{
    hb_live *live = client->live;
    if (client->topic != NULL)
        leave_topic(client);
    LIST_REMOVE(client, among_all);
    evhttp_connection_set_closecb(client->connection, NULL, NULL);
    hb_watch_remove(live->watch, "");
    hb_metric_set(live->traffic->live_clients, --live->client_count);
    if (live->client_count == 0) { /* would be out of date when the next one comes */
        hb_text_drop(live->channels);
        live->channels = NULL;
    }
    free(client);
}

static void on_closed(struct evhttp_connection *connection, void *context)
{
    live_client *client = context;
    struct evhttp_request *http = client->http;
    (void)connection;
    remove_client(client);
    /* libevent has parted it from its connection: it is ours to free. */
    if (evhttp_request_get_connection(http) == NULL)
        evhttp_request_free(http);
}

static bool start_stream(hb_live *live, struct evhttp_request *http)
{
    hb_traffic_count(live->traffic, 200);
    hb_reply_common_headers(http, HB_AUDIENCE_PROGRAM);
    hb_reply_header(http, "Content-Type", "text/event-stream");
    hb_reply_header(http, "X-Accel-Buffering", "no"); /* asks a proxy (nginx) to pass events on at once */
    if (evhttp_request_get_command(http) == EVHTTP_REQ_HEAD) {
        evhttp_send_reply(http, 200, "OK", NULL);
        return false;
    }
    evhttp_send_reply_start(http, 200, "OK");
    return true;
}

void hb_live_take(hb_live *live, struct evhttp_request *http, const char *channel)
{
    static const struct timeval write_timeout = {.tv_sec = WRITE_TIMEOUT_S};
    if (live->client_count >= live->clients_max) {
        hb_error error;
        hb_fail(&error, HB_ERROR_BUSY, "%u clients follow live events already; try again in a while",
                live->client_count);
        hb_metric_add(live->traffic->rejected, 1);
        hb_reply_error(live->traffic, http, 503, &error);
        return;
    }
    if (!start_stream(live, http))
        return;
    live_client *new = hb_alloc(sizeof *new);
    new->live = live;
    new->http = http;
    new->connection = evhttp_request_get_connection(http);
    new->missed = (1u << HB_NEWS_LASTING) - 1;
    LIST_INSERT_HEAD(&live->clients, new, among_all);
    hb_metric_set(live->traffic->live_clients, ++live->client_count);
    hb_watch_add(live->watch, "");
    if (*channel != '\0') {
        new->topic = join_topic(live, channel);
        LIST_INSERT_HEAD(&new->topic->clients, new, in_topic);
    }
    evhttp_connection_set_closecb(new->connection, on_closed, new);
    /* It only listens from now on: no reading within a time is no fault. */
    bufferevent_set_timeouts(evhttp_connection_get_bufferevent(new->connection), NULL, &write_timeout);
    hb_text *retry = hb_text_make(HB_BYTES("retry: 1000\n\n"));
    send_text(new, retry);
    hb_text_drop(retry);
    say_hello(new);
    catch_up(new);
}

bool hb_live_ready(const hb_live *live, hb_bytes *why_not)
{
    if (live->why_not_ready == NULL)
        return true;
    *why_not = (hb_bytes){live->why_not_ready->data, live->why_not_ready->size};
    return false;
}

hb_live *hb_live_open(struct event_base *base, hb_watch *watch, uint32_t clients_max, hb_traffic *traffic)
{
    static const struct timeval second = {.tv_sec = 1};
    hb_live *live = hb_alloc(sizeof *live);
    live->watch = watch;
    live->traffic = traffic;
    live->clients_max = clients_max;
    live->inbox_end = &live->inbox;
    live->why_not_ready = hb_text_make(HB_BYTES("the store has not been looked at yet"));
    pthread_mutex_init(&live->lock, NULL);
    live->arrived = event_new(base, -1, EV_PERSIST, on_arrived, live);
    live->second = event_new(base, -1, EV_PERSIST, on_second, live);
    event_add(live->second, &second);
    return live;
}

void hb_live_close(hb_live *live)
{
    if (live == NULL)
        return;
    for (live_client *client = LIST_FIRST(&live->clients), *next; client != NULL; client = next) {
        next = LIST_NEXT(client, among_all);
        remove_client(client);
    }
    for (hb_news *news = live->inbox, *next; news != NULL; news = next) {
        next = news->next;
        hb_news_free(news);
    }
    hb_text_drop(live->why_not_ready);
    hb_text_drop(live->channels);
    event_free(live->arrived);
    event_free(live->second);
    pthread_mutex_destroy(&live->lock);
    free(live);
}
