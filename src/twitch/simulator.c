/* simulator.c - one thread with a libevent loop: a listener, a timer that sends the chat that is due, and connections.
 *
 * Every TICK_MS the timer takes from the chat all lines that are due and appends each to a buffer of every connection
 * that joined its channel; at the end of the tick each buffer goes to its connection in one piece. What a connection
 * does not read is bounded: beyond that, messages are dropped and counted, so that the counts say exactly what was
 * sent. Closing is done in one place only (sweep), never while connections are stepped through. */
#include "twitch/simulator.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/say.h"
#include "twitch/simulator_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TICK_MS = 5,
    WORK_MS = 20,     /* a tick's share of the time at most, so that connections are served too */
    BEHIND_MS = 1000, /* chat that is further behind than this gives up the time it lost */
    SWEEP_MS = 100,
    LEAVE_MS = 2000, /* how long a connection that is told to go may take to read why */
    CONNECTIONS = 4096,
    BUFFER_BYTES = 64 << 20,
    PING_MS = 60000,
    RECONNECT_MS = 30000
};

/* What other threads ask for. */
enum { ASK_STOP = 1, ASK_RECONNECT = 2, ASK_DROP = 4 };

typedef struct reader {
    hb_client *client;
} reader;

typedef struct listened {
    reader *readers;
    size_t reader_count;
    size_t reader_capacity;
} listened;

struct hb_simulator {
    hb_simulator_options options;
    hb_client_shared shared; /* what clients need to know */
    struct event_base *loop;
    struct evconnlistener *listener;
    struct event *tick;
    struct event *sweep;
    struct event *asked;
    SSL_CTX *tls;
    int ask_fd;
    atomic_uint asks;
    pthread_t thread;
    bool thread_runs;
    uint16_t port;
    listened *channels;
    hb_map logins; /* of channels */
    reader *clients;
    size_t client_count;
    size_t client_capacity;
    uint64_t client_number; /* of the next one */
    hb_buffer line;
    bool started;
    int64_t start_ms; /* monotonic */
    _Atomic uint64_t lines;
    _Atomic uint64_t messages;
    _Atomic uint64_t unheard;
    _Atomic uint64_t sent;
    _Atomic uint64_t dropped;
    _Atomic uint64_t refused;
    _Atomic uint64_t late_ms;
    _Atomic uint64_t connections;
    _Atomic uint64_t joined;
    atomic_bool done;
};

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* ---- Channels ---- */

static bool find_channel(void *context, hb_bytes login, size_t *number)
{
    const hb_simulator *simulator = context;
    return hb_chat_find_channel(&simulator->options.chat, &simulator->logins, login, number);
}

static void join(void *context, hb_client *client, size_t number)
{
    hb_simulator *simulator = context;
    listened *channel = &simulator->channels[number];
    HB_RESERVE(channel->readers, channel->reader_capacity, channel->reader_count + 1);
    channel->readers[channel->reader_count++].client = client;
    if (channel->reader_count == 1)
        count(&simulator->joined, 1);
}

static void part(void *context, hb_client *client, size_t number)
{
    hb_simulator *simulator = context;
    listened *channel = &simulator->channels[number];
    for (size_t i = 0; i < channel->reader_count; i++)
        if (channel->readers[i].client == client) {
            channel->readers[i] = channel->readers[--channel->reader_count];
            if (channel->reader_count == 0)
                atomic_fetch_sub_explicit(&simulator->joined, 1, memory_order_relaxed);
            return;
        }
}

/* ---- Sending chat ---- */

static void deliver(hb_simulator *simulator, const hb_chat_line *line)
{
    const listened *channel = &simulator->channels[line->channel];
    const hb_bytes text = hb_buffer_bytes(&simulator->line);
    count(&simulator->lines, 1);
    if (line->is_message) {
        count(&simulator->messages, 1);
        if (channel->reader_count == 0)
            count(&simulator->unheard, 1);
    }
    for (size_t i = 0; i < channel->reader_count; i++) {
        const bool sent = hb_client_send(channel->readers[i].client, text, line->is_message);
        if (line->is_message)
            count(sent ? &simulator->sent : &simulator->dropped, 1);
    }
}

static void finish(hb_simulator *simulator)
{
    atomic_store(&simulator->done, true);
    if (simulator->options.talks)
        hb_say_note("all %" PRIu64 " messages are sent (%" PRIu64 " to nobody, %" PRIu64
                    " dropped); connections stay open, idle",
                    atomic_load(&simulator->messages), atomic_load(&simulator->unheard),
                    atomic_load(&simulator->dropped));
}

/* Sends what is due; false when the tick's time is up. */
static bool send_due(hb_simulator *simulator, int64_t now_ms)
{
    const hb_chat_source *chat = &simulator->options.chat;
    const int64_t elapsed_us = (now_ms - simulator->start_ms) * 1000;
    const int64_t stamp_ms = hb_now_ms();
    for (uint32_t made = 1;; made++) {
        const int64_t due_us = chat->due_us(chat->context);
        if (due_us == HB_CHAT_END ||
            (simulator->options.count > 0 &&
             atomic_load_explicit(&simulator->messages, memory_order_relaxed) >= simulator->options.count)) {
            finish(simulator);
            return true;
        }
        if (due_us > elapsed_us)
            return true;
        if (made % 64 == 0 && hb_monotonic_ms() - now_ms >= WORK_MS)
            return false;
        hb_chat_line line;
        simulator->line.size = 0;
        chat->next(chat->context, stamp_ms, &simulator->line, &line);
        deliver(simulator, &line);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    hb_simulator *simulator = context;
    const int64_t now_ms = hb_monotonic_ms();
    if (atomic_load(&simulator->done))
        return;
    if (!simulator->started) {
        if (atomic_load(&simulator->joined) < simulator->options.wait_joins)
            return;
        simulator->started = true;
        simulator->start_ms = now_ms;
    }
    if (!send_due(simulator, now_ms)) {
        const hb_chat_source *chat = &simulator->options.chat;
        const int64_t behind_ms = now_ms - simulator->start_ms - chat->due_us(chat->context) / 1000;
        if (behind_ms > BEHIND_MS) {
            simulator->start_ms += behind_ms;
            count(&simulator->late_ms, (uint64_t)behind_ms);
        }
    }
    for (size_t i = 0; i < simulator->client_count; i++)
        hb_client_flush(simulator->clients[i].client);
}

/* ---- Connections ---- */

static void remove_client(hb_simulator *simulator, size_t index)
{
    hb_client *client = simulator->clients[index].client;
    if (simulator->options.talks)
        hb_client_report(client);
    simulator->clients[index] = simulator->clients[--simulator->client_count];
    atomic_fetch_sub(&simulator->connections, 1);
    hb_client_close(client);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    hb_simulator *simulator = context;
    evconnlistener_enable(simulator->listener);
    const int64_t now_ms = hb_monotonic_ms();
    for (size_t i = simulator->client_count; i-- > 0;)
        if (hb_client_is_over(simulator->clients[i].client, now_ms))
            remove_client(simulator, i);
}

static void wake_sweep(void *context)
{
    event_active(((hb_simulator *)context)->sweep, EV_TIMEOUT, 1);
}

static void refused(void *context)
{
    count(&((hb_simulator *)context)->refused, 1);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
                      void *context)
{
    (void)listener;
    (void)address;
    (void)size;
    hb_simulator *simulator = context;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct bufferevent *stream = NULL;
    SSL *session = NULL;
    if (simulator->client_count < CONNECTIONS) {
        if (simulator->tls == NULL)
            stream = bufferevent_socket_new(simulator->loop, fd, BEV_OPT_CLOSE_ON_FREE);
        else if ((session = SSL_new(simulator->tls)) != NULL)
            stream = bufferevent_openssl_socket_new(simulator->loop, fd, session, BUFFEREVENT_SSL_ACCEPTING,
                                                    BEV_OPT_CLOSE_ON_FREE);
    }
    if (stream == NULL) {
        SSL_free(session);
        evutil_closesocket(fd);
        hb_say_warning("a connection to the simulated Twitch was refused: there are %zu already",
                       simulator->client_count);
        return;
    }
    HB_RESERVE(simulator->clients, simulator->client_capacity, simulator->client_count + 1);
    simulator->clients[simulator->client_count++].client =
        hb_client_open(&simulator->shared, stream, ++simulator->client_number);
    count(&simulator->connections, 1);
}

/* Out of file descriptors, most likely: the listener rests until the next sweep, rather than try without end. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    (void)context;
    evconnlistener_disable(listener);
}

/* ---- What other threads ask for ---- */

static void ask(hb_simulator *simulator, unsigned what)
{
    const uint64_t one = 1;
    const int saved = errno; /* this may run in a signal handler */
    atomic_fetch_or(&simulator->asks, what);
    if (write(simulator->ask_fd, &one, sizeof one) < 0)
        errno = saved; /* the counter is full: the loop is awake already */
    errno = saved;
}

static void on_asked(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    hb_simulator *simulator = context;
    uint64_t times = 0;
    if (read(fd, &times, sizeof times) < 0 && errno == EAGAIN)
        return;
    const unsigned asks = atomic_exchange(&simulator->asks, 0);
    const int64_t now_ms = hb_monotonic_ms();
    for (size_t i = 0; i < simulator->client_count && (asks & ASK_RECONNECT) != 0; i++)
        hb_client_reconnect(simulator->clients[i].client, now_ms + simulator->options.reconnect_ms);
    while (simulator->client_count > 0 && (asks & ASK_DROP) != 0)
        remove_client(simulator, simulator->client_count - 1);
    if (simulator->options.talks && (asks & ASK_RECONNECT) != 0)
        hb_say_note("told %zu connections to reconnect", simulator->client_count);
    if ((asks & ASK_STOP) != 0)
        event_base_loopbreak(simulator->loop);
}

void hb_simulator_reconnect(hb_simulator *simulator)
{
    ask(simulator, ASK_RECONNECT);
}

void hb_simulator_drop(hb_simulator *simulator)
{
    ask(simulator, ASK_DROP);
}

hb_simulator_counts hb_simulator_count(hb_simulator *simulator)
{
    return (hb_simulator_counts){
        .done = atomic_load(&simulator->done), /* first: what follows is then complete */
        .lines = atomic_load(&simulator->lines),
        .messages = atomic_load(&simulator->messages),
        .unheard = atomic_load(&simulator->unheard),
        .sent = atomic_load(&simulator->sent),
        .dropped = atomic_load(&simulator->dropped),
        .refused = atomic_load(&simulator->refused),
        .late_ms = atomic_load(&simulator->late_ms),
        .connections = atomic_load(&simulator->connections),
        .joined = atomic_load(&simulator->joined),
    };
}

uint16_t hb_simulator_port(const hb_simulator *simulator)
{
    return simulator->port;
}

/* ---- Opening ---- */

static bool open_tls(hb_simulator *simulator, hb_error *error)
{
    const hb_simulator_options *options = &simulator->options;
    const char *key = options->tls_key == NULL ? options->tls_cert : options->tls_key;
    simulator->tls = SSL_CTX_new(TLS_server_method());
    if (simulator->tls == NULL)
        return hb_fail(error, HB_ERROR_SYSTEM, "TLS could not be set up");
    if (SSL_CTX_use_certificate_chain_file(simulator->tls, options->tls_cert) != 1)
        return hb_fail(error, HB_ERROR_USAGE, "%s is no certificate in PEM form that can be read", options->tls_cert);
    if (SSL_CTX_use_PrivateKey_file(simulator->tls, key, SSL_FILETYPE_PEM) != 1)
        return hb_fail(error, HB_ERROR_USAGE, "%s is no private key in PEM form of the certificate %s", key,
                       options->tls_cert);
    return true;
}

static bool note_port(hb_simulator *simulator, hb_error *error)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.v6 = {0}};
    socklen_t size = sizeof bound;
    if (getsockname(evconnlistener_get_fd(simulator->listener), &bound.any, &size) != 0)
        return hb_fail_errno(error, "the simulated Twitch's port could not be asked for");
    simulator->port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    return true;
}

static bool listen_on(hb_simulator *simulator, hb_error *error)
{
    const char *host = simulator->options.host;
    const unsigned port = simulator->options.port;
    char port_text[8];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    snprintf(port_text, sizeof port_text, "%u", port);
    const int code = getaddrinfo(host == NULL || *host == '\0' ? NULL : host, port_text, &hints, &found);
    if (code != 0)
        return hb_fail(error, HB_ERROR_USAGE, "cannot listen on %s:%u: %s", host, port, gai_strerror(code));
    simulator->listener = evconnlistener_new_bind(simulator->loop, on_accept, simulator,
                                                  LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC,
                                                  128, found->ai_addr, (int)found->ai_addrlen);
    const int why = errno;
    freeaddrinfo(found);
    if (simulator->listener != NULL) {
        evconnlistener_set_error_cb(simulator->listener, on_accept_error);
        return note_port(simulator, error);
    }
    errno = why;
    if (why == EADDRINUSE)
        return hb_fail(error, HB_ERROR_BUSY, "cannot listen on %s:%u: the port is in use; choose another with --listen",
                       host, port);
    return hb_fail_errno(error, "cannot listen on %s:%u", host, port);
}

static bool add_timer(hb_simulator *simulator, struct event **timer, event_callback_fn callback, int every_ms)
{
    const struct timeval every = {0, every_ms * 1000};
    *timer = event_new(simulator->loop, -1, EV_PERSIST, callback, simulator);
    return *timer != NULL && event_add(*timer, &every) == 0;
}

static bool open_loop(hb_simulator *simulator, hb_error *error)
{
    simulator->ask_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (simulator->ask_fd < 0)
        return hb_fail_errno(error, "the simulated Twitch's event descriptor could not be made");
    simulator->loop = event_base_new();
    if (simulator->loop == NULL)
        return hb_fail(error, HB_ERROR_SYSTEM, "the simulated Twitch's event loop could not be made");
    simulator->asked = event_new(simulator->loop, simulator->ask_fd, EV_READ | EV_PERSIST, on_asked, simulator);
    if (simulator->asked == NULL || event_add(simulator->asked, NULL) != 0 ||
        !add_timer(simulator, &simulator->tick, on_tick, TICK_MS) ||
        !add_timer(simulator, &simulator->sweep, on_sweep, SWEEP_MS))
        return hb_fail(error, HB_ERROR_SYSTEM, "the simulated Twitch's timers could not be made");
    return true;
}

static void *run(void *context)
{
    hb_simulator *simulator = context;
    event_base_dispatch(simulator->loop);
    return NULL;
}

static bool start_thread(hb_simulator *simulator, hb_error *error)
{
    const int code = pthread_create(&simulator->thread, NULL, run, simulator);
    if (code != 0) {
        errno = code;
        return hb_fail_errno(error, "the simulated Twitch's thread could not be started");
    }
    simulator->thread_runs = true;
    return true;
}

static void set_options(hb_simulator *simulator, const hb_simulator_options *options)
{
    simulator->options = *options;
    if (options->buffer_bytes == 0)
        simulator->options.buffer_bytes = BUFFER_BYTES;
    if (options->ping_ms == 0)
        simulator->options.ping_ms = PING_MS;
    if (options->reconnect_ms == 0)
        simulator->options.reconnect_ms = RECONNECT_MS;
    const hb_chat_source *chat = &options->chat;
    simulator->channels = hb_alloc(chat->channel_count * sizeof *simulator->channels);
    hb_chat_index_channels(chat, &simulator->logins);
    simulator->shared = (hb_client_shared){
        .context = simulator,
        .chat = chat,
        .token = hb_copy_text_or_null(options->token),
        .buffer_bytes = simulator->options.buffer_bytes,
        .ping_ms = simulator->options.ping_ms,
        .leave_ms = LEAVE_MS,
        .talks = options->talks,
        .find_channel = find_channel,
        .join = join,
        .part = part,
        .over = wake_sweep,
        .refused = refused,
    };
    simulator->shared.chat = &simulator->options.chat;
}

hb_simulator *hb_simulator_open(const hb_simulator_options *options, hb_error *error)
{
    hb_simulator *simulator = hb_alloc(sizeof *simulator);
    simulator->ask_fd = -1;
    set_options(simulator, options);
    if (!open_loop(simulator, error) || (options->tls_cert != NULL && !open_tls(simulator, error)) ||
        !listen_on(simulator, error) || !start_thread(simulator, error)) {
        hb_simulator_close(simulator);
        return NULL;
    }
    return simulator;
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

void hb_simulator_close(hb_simulator *simulator)
{
    if (simulator == NULL)
        return;
    if (simulator->thread_runs) {
        ask(simulator, ASK_STOP);
        pthread_join(simulator->thread, NULL);
    }
    while (simulator->client_count > 0)
        remove_client(simulator, simulator->client_count - 1);
    if (simulator->listener != NULL)
        evconnlistener_free(simulator->listener);
    free_event(simulator->tick);
    free_event(simulator->sweep);
    free_event(simulator->asked);
    if (simulator->loop != NULL)
        event_base_free(simulator->loop);
    if (simulator->ask_fd >= 0)
        close(simulator->ask_fd);
    SSL_CTX_free(simulator->tls);
    for (size_t i = 0; i < simulator->options.chat.channel_count; i++)
        free(simulator->channels[i].readers);
    free(simulator->channels);
    free(simulator->clients);
    free((void *)simulator->shared.token);
    hb_map_free(&simulator->logins);
    hb_buffer_free(&simulator->line);
    free(simulator);
}
