/* fake_twitch.h - a scripted chat server for tests, on the same event loop as the client under test.
 *
 * It logs clients in, confirms JOINs and answers PING as Twitch does, unless a test tells it not to. All that it
 * receives is kept as text. */
#ifndef HB_TESTS_FAKE_TWITCH_H
#define HB_TESTS_FAKE_TWITCH_H

#include "unit.h"

#include "base/clock.h"
#include "base/memory.h"
#include "twitch/irc_client.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { FAKE_GUESTS = 64 };

typedef struct fake_twitch fake_twitch;

typedef struct fake_guest { /* one connection, in the order in which they came */
    fake_twitch *server;
    struct bufferevent *stream; /* NULL once it is closed */
    hb_buffer received;         /* every line, ended by LF */
    char nick[64];
    bool logged_in;
} fake_guest;

struct fake_twitch {
    struct event_base *loop;
    struct evconnlistener *listener;
    uint16_t port;
    SSL_CTX *tls;
    size_t guest_count;
    fake_guest guests[FAKE_GUESTS];
    bool silent;           /* receives, and answers nothing at all */
    bool deaf;             /* does not answer PING */
    bool naks;             /* refuses twitch.tv/tags */
    const char *refusal;   /* a NOTICE instead of a welcome */
    const char *suspended; /* a channel ("#x") for which JOIN gets a NOTICE */
    const char *missing;   /* a channel for which JOIN gets no answer */
    void (*on_join)(fake_guest *guest, const char *channel);
};

static inline void fake_send(fake_guest *guest, const char *text)
{
    if (guest->stream != NULL)
        bufferevent_write(guest->stream, text, strlen(text));
}

static inline void fake_hang_up(fake_guest *guest)
{
    if (guest->stream != NULL)
        bufferevent_free(guest->stream);
    guest->stream = NULL;
}

static inline void fake_join(fake_guest *guest, const char *channel)
{
    fake_twitch *server = guest->server;
    char text[400];
    if (server->missing != NULL && strcmp(channel, server->missing) == 0)
        return;
    if (server->suspended != NULL && strcmp(channel, server->suspended) == 0)
        snprintf(text, sizeof text,
                 "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE %s :This channel does not exist or has been "
                 "suspended.\r\n",
                 channel);
    else
        snprintf(text, sizeof text,
                 ":%s!%s@%s.tmi.twitch.tv JOIN %s\r\n@room-id=1 :tmi.twitch.tv ROOMSTATE %s\r\n"
                 ":tmi.twitch.tv 366 %s %s :End of /NAMES list\r\n",
                 guest->nick, guest->nick, guest->nick, channel, channel, guest->nick, channel);
    fake_send(guest, text);
    if (server->on_join != NULL)
        server->on_join(guest, channel);
}

static inline void fake_take(fake_guest *guest, const char *line)
{
    fake_twitch *server = guest->server;
    char text[200];
    if (server->silent)
        return;
    if (strncmp(line, "CAP REQ :", 9) == 0) {
        const bool nak = server->naks && strcmp(line + 9, "twitch.tv/tags") == 0;
        snprintf(text, sizeof text, ":tmi.twitch.tv CAP * %s :%s\r\n", nak ? "NAK" : "ACK", line + 9);
        fake_send(guest, text);
    } else if (strncmp(line, "NICK ", 5) == 0 && server->refusal != NULL) {
        snprintf(text, sizeof text, ":tmi.twitch.tv NOTICE * :%s\r\n", server->refusal);
        fake_send(guest, text);
    } else if (strncmp(line, "NICK ", 5) == 0) {
        snprintf(guest->nick, sizeof guest->nick, "%s", line + 5);
        snprintf(text, sizeof text, ":tmi.twitch.tv 001 %s :Welcome, GLHF!\r\n:tmi.twitch.tv 376 %s :>\r\n",
                 guest->nick, guest->nick);
        guest->logged_in = true;
        fake_send(guest, text);
    } else if (strncmp(line, "JOIN ", 5) == 0) {
        fake_join(guest, line + 5);
    } else if (strncmp(line, "PING ", 5) == 0 && !server->deaf) {
        snprintf(text, sizeof text, ":tmi.twitch.tv PONG tmi.twitch.tv %s\r\n", line + 5);
        fake_send(guest, text);
    }
}

static inline void fake_on_readable(struct bufferevent *stream, void *context)
{
    fake_guest *guest = context;
    char *line = NULL;
    while (guest->stream != NULL &&
           (line = evbuffer_readln(bufferevent_get_input(stream), NULL, EVBUFFER_EOL_CRLF_STRICT)) != NULL) {
        hb_buffer_print(&guest->received, "%s\n", line);
        fake_take(guest, line);
        free(line);
    }
}

static inline void fake_on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        fake_hang_up(context);
}

static inline void fake_on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                                  int size, void *context)
{
    (void)listener;
    (void)address;
    (void)size;
    fake_twitch *server = context;
    assert_true(server->guest_count < FAKE_GUESTS);
    fake_guest *guest = &server->guests[server->guest_count++];
    guest->server = server;
    guest->stream =
        server->tls == NULL
            ? bufferevent_socket_new(server->loop, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
            : bufferevent_openssl_socket_new(server->loop, fd, SSL_new(server->tls), BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    bufferevent_setcb(guest->stream, fake_on_readable, NULL, fake_on_event, guest);
    bufferevent_enable(guest->stream, EV_READ | EV_WRITE);
}

/* port 0: any that is free. */
static inline void fake_listen(fake_twitch *server, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener =
        evconnlistener_new_bind(server->loop, fake_on_accept, server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 64,
                                (struct sockaddr *)&address, sizeof address);
    assert_non_null(server->listener);
    getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
}

static inline fake_twitch *fake_open(void)
{
    fake_twitch *server = hb_alloc(sizeof *server);
    signal(SIGPIPE, SIG_IGN); /* as main() does */
    server->loop = event_base_new();
    fake_listen(server, 0);
    return server;
}

static inline void fake_close(fake_twitch *server)
{
    for (size_t i = 0; i < server->guest_count; i++) {
        fake_hang_up(&server->guests[i]);
        hb_buffer_free(&server->guests[i].received);
    }
    if (server->listener != NULL)
        evconnlistener_free(server->listener);
    event_base_loop(server->loop, EVLOOP_NONBLOCK);
    event_base_free(server->loop);
    free(server);
}

/* How often a guest sent a line. */
static inline size_t fake_count(const fake_guest *guest, const char *line)
{
    hb_bytes rest = hb_buffer_bytes(&guest->received);
    hb_bytes one;
    size_t count = 0;
    while (hb_bytes_cut(&rest, '\n', &one))
        count += hb_bytes_equal(one, hb_bytes_of(line));
    return count;
}

/* How many lines a guest sent that begin with a text. */
static inline size_t fake_count_starts(const fake_guest *guest, const char *start)
{
    hb_bytes rest = hb_buffer_bytes(&guest->received);
    hb_bytes one;
    size_t count = 0;
    while (hb_bytes_cut(&rest, '\n', &one))
        count += hb_bytes_start_with(one, hb_bytes_of(start));
    return count;
}

static inline size_t fake_count_all(const fake_twitch *server, const char *start)
{
    size_t count = 0;
    for (size_t i = 0; i < server->guest_count; i++)
        count += fake_count_starts(&server->guests[i], start);
    return count;
}

static inline size_t fake_open_count(const fake_twitch *server)
{
    size_t count = 0;
    for (size_t i = 0; i < server->guest_count; i++)
        count += server->guests[i].stream != NULL;
    return count;
}

/* ---- The client under test ---- */

typedef struct fake_client {
    fake_twitch *server;
    hb_irc_client *client;
    hb_buffer lines; /* all that were handed over, ended by LF */
    size_t refusals;
    char refusal[512];
} fake_client;

static inline void fake_on_line(void *context, hb_bytes line, int64_t received_ms)
{
    fake_client *client = context;
    assert_true(received_ms > 1700000000000);
    hb_buffer_append(&client->lines, line);
    hb_buffer_append_char(&client->lines, '\n');
}

static inline void fake_on_refused(void *context, const char *reason)
{
    fake_client *client = context;
    client->refusals++;
    snprintf(client->refusal, sizeof client->refusal, "%s", reason);
}

/* What most tests want: no bounds, and waits of hundredths of a second. */
static inline hb_irc_options fake_options(const fake_twitch *server)
{
    return (hb_irc_options){
        .host = "127.0.0.1", .port = server->port, .channels_per_connection = 50, .silence_ms = 2000, .retry_ms = 10};
}

static inline bool fake_set(fake_client *client, const char *names, hb_error *error)
{
    const char *list[200];
    size_t count = 0;
    char *copy = hb_copy_text(hb_bytes_of(names));
    for (char *save = NULL, *name = strtok_r(copy, " ", &save); name != NULL; name = strtok_r(NULL, " ", &save))
        list[count++] = name;
    const bool fine = hb_irc_client_set_channels(client->client, list, count, error);
    free(copy);
    return fine;
}

static inline fake_client *fake_client_open(fake_twitch *server, hb_irc_options options, const char *channels)
{
    fake_client *client = hb_alloc(sizeof *client);
    hb_error error = {0};
    client->server = server;
    options.on_line = fake_on_line;
    options.on_refused = fake_on_refused;
    options.context = client;
    client->client = hb_irc_client_open(server->loop, &options, NULL, &error);
    if (client->client == NULL || !fake_set(client, channels, &error))
        fail_msg("%s", error.text);
    return client;
}

static inline void fake_client_close(fake_client *client)
{
    hb_irc_client_close(client->client);
    hb_buffer_free(&client->lines);
    free(client);
}

static inline size_t fake_joined(const fake_client *client)
{
    size_t joined = 0;
    size_t wanted = 0;
    hb_irc_client_joined(client->client, &joined, &wanted);
    return joined;
}

static inline bool fake_heard(const fake_client *client, const char *text)
{
    return client->lines.size > 0 && memmem(client->lines.data, client->lines.size, text, strlen(text)) != NULL;
}

static inline void fake_turn(fake_twitch *server)
{
    event_base_loop(server->loop, EVLOOP_NONBLOCK);
    usleep(500);
}

static inline void fake_run(fake_twitch *server, int span_ms)
{
    for (const int64_t end_ms = hb_monotonic_ms() + span_ms; hb_monotonic_ms() < end_ms;)
        fake_turn(server);
}

/* Runs the loop until the condition holds; fails the test when it does not within 10 s. */
#define fake_until(server, condition)                                                                                  \
    do {                                                                                                               \
        const int64_t end_ms = hb_monotonic_ms() + 10000;                                                              \
        while (!(condition)) {                                                                                         \
            if (hb_monotonic_ms() > end_ms)                                                                            \
                fail_msg("waited in vain: %s", #condition);                                                            \
            fake_turn(server);                                                                                         \
        }                                                                                                              \
    } while (0)

#endif
