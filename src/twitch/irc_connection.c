/* irc_connection.c - a bufferevent (plain or TLS) and what Twitch expects of a client on it.
 *
 * Lines are split where they were received. libevent 2.1 reads a plain socket in pieces of 4 KiB, two system calls
 * each; so once it says that there is something, the rest is read straight from the socket in large pieces. Chat lines,
 * nearly all, are told by their command's first letters and not parsed here.
 *
 * An ended connection keeps its bufferevent, switched off, until its owner closes it: lines that are being handed over
 * point into its buffers. */
#include "twitch/irc_connection.h"

#include "base/clock.h"
#include "base/error.h"
#include "twitch/line_splitter.h"
#include "twitch/tls.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes that wait to be sent at most: a server that pings without ever reading is given up. */
enum { UNSENT_MAX = 4 << 20 };

/* Read straight from the socket before other connections get their turn. */
enum { READ_AT_ONCE = 4 * HB_IRC_ROOM };

typedef enum state { CONNECTING, LOGGING_IN, UP, ENDED } state;

struct hb_irc_connection {
    const hb_irc_peer *peer;
    void *owner;
    struct bufferevent *stream;
    hb_addresses addresses;
    size_t address; /* the one being tried */
    state state;
    int64_t heard_ms; /* when something last came, or this state began: monotonic */
    bool pinged;
    int64_t received_ms; /* of the chunk that is being split: wall clock */
    hb_line_splitter splitter;
    uint64_t lines; /* split since the metrics were last told */
};

static void end(hb_irc_connection *connection, hb_irc_end how, const char *reason)
{
    if (connection->state == ENDED)
        return;
    connection->state = ENDED;
    if (connection->stream != NULL)
        bufferevent_disable(connection->stream, EV_READ | EV_WRITE);
    connection->peer->on_end(connection->owner, how, reason);
}

static void enter(hb_irc_connection *connection, state next)
{
    connection->state = next;
    connection->heard_ms = hb_monotonic_ms();
    connection->pinged = false;
}

/* ---- Sending ---- */

static void send_text(hb_irc_connection *connection, hb_bytes text)
{
    if (connection->stream == NULL)
        return;
    struct evbuffer *out = bufferevent_get_output(connection->stream);
    if (evbuffer_get_length(out) + text.size > UNSENT_MAX)
        end(connection, HB_IRC_LOST, "it does not read what it is sent");
    else if (connection->state != ENDED)
        evbuffer_add(out, text.data, text.size);
}

void hb_irc_connection_send(hb_irc_connection *connection, const char *command, const char *parameter)
{
    if (connection->state != UP)
        return;
    char text[128];
    const int size = snprintf(text, sizeof text, "%s %s\r\n", command, parameter);
    send_text(connection, (hb_bytes){text, (size_t)size});
}

static void log_in(hb_irc_connection *connection)
{
    const hb_irc_peer *peer = connection->peer;
    hb_buffer text = {0};
    /* Asked for one by one, so that a refusal of one does not lose the other. */
    hb_buffer_print(&text, "CAP REQ :twitch.tv/tags\r\nCAP REQ :twitch.tv/commands\r\n");
    if (peer->token != NULL)
        hb_buffer_print(&text, "PASS oauth:%s\r\n", peer->token);
    hb_buffer_print(&text, "NICK %s\r\n", peer->nick);
    enter(connection, LOGGING_IN);
    send_text(connection, hb_buffer_bytes(&text));
    if (peer->token != NULL)
        OPENSSL_cleanse(text.data, text.size);
    hb_buffer_free(&text);
}

/* PONG with the parameter of the PING, whatever it is: the line holds until return, and is sent as it came. */
static void answer_ping(hb_irc_connection *connection, const hb_line *line)
{
    send_text(connection, HB_BYTES("PONG :"));
    if (line->param_count > 0)
        send_text(connection, line->params[line->param_count - 1]);
    send_text(connection, HB_BYTES("\r\n"));
}

/* ---- Lines ---- */

/* Source: Twitch's "Authenticating with the Twitch IRC server" and the notices that it sends in practice. */
static bool refuses_login(hb_bytes text)
{
    static const char *const refusals[] = {"Login authentication failed", "Login unsuccessful",
                                           "Improperly formatted auth", "Invalid NICK"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (hb_bytes_start_with(text, hb_bytes_of(refusals[i])))
            return true;
    return false;
}

static void take_message(hb_irc_connection *connection, const hb_line *line)
{
    hb_bytes last = line->param_count > 0 ? line->params[line->param_count - 1] : (hb_bytes){0};
    char reason[200];
    if (hb_bytes_equal(line->command, HB_BYTES("PING"))) {
        answer_ping(connection, line);
    } else if (connection->state == LOGGING_IN && hb_bytes_equal(line->command, HB_BYTES("001"))) {
        enter(connection, UP);
        connection->peer->on_up(connection->owner);
    } else if (connection->state == LOGGING_IN && hb_bytes_equal(line->command, HB_BYTES("NOTICE"))) {
        last.size = last.size < 100 ? last.size : 100;
        snprintf(reason, sizeof reason, "it says \"%.*s\"", HB_PRINT(last));
        if (refuses_login(last))
            end(connection, HB_IRC_REFUSED, reason);
    } else if (connection->state == UP || hb_bytes_equal(line->command, HB_BYTES("CAP"))) {
        connection->peer->on_message(connection->owner, line);
    }
}

/* Whether a line's command is PRIVMSG, without parsing the line. */
static bool is_chat(hb_bytes line)
{
    for (int skipped = 0; skipped < 2 && line.size > 0 && (line.data[0] == '@' || line.data[0] == ':'); skipped++) {
        const char *space = memchr(line.data, ' ', line.size);
        if (space == NULL)
            return false;
        line = hb_bytes_from(line, (size_t)(space - line.data) + 1);
    }
    return hb_bytes_start_with(line, HB_BYTES("PRIVMSG "));
}

static bool take_line(void *context, hb_bytes line)
{
    hb_irc_connection *connection = context;
    const hb_irc_peer *peer = connection->peer;
    hb_line parsed;
    connection->lines++;
    peer->on_line(peer->context, line, connection->received_ms);
    if (is_chat(line))
        return true;
    if (hb_line_parse(line, &parsed))
        take_message(connection, &parsed);
    else
        hb_metric_add(peer->lines_malformed, 1);
    return connection->state != ENDED;
}

bool hb_irc_connection_feed(hb_irc_connection *connection, hb_bytes chunk)
{
    const uint64_t too_long = connection->splitter.too_long;
    if (connection->state == ENDED)
        return false;
    connection->received_ms = hb_now_ms();
    connection->heard_ms = hb_monotonic_ms();
    connection->pinged = false;
    hb_line_splitter_feed(&connection->splitter, chunk, take_line, connection);
    hb_metric_add(connection->peer->bytes, chunk.size);
    hb_metric_add(connection->peer->lines, connection->lines);
    hb_metric_add(connection->peer->lines_too_long, connection->splitter.too_long - too_long);
    connection->lines = 0;
    return connection->state != ENDED;
}

/* ---- Receiving ---- */

/* What follows in the socket what libevent has read of it, about as much as asked for. The socket's end is left for
 * libevent to see. */
static void read_on(hb_irc_connection *connection, size_t most)
{
    for (size_t total = 0; total < most;) {
        const ssize_t size = recv(bufferevent_getfd(connection->stream), connection->peer->room, HB_IRC_ROOM, 0);
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            end(connection, HB_IRC_LOST, evutil_socket_error_to_string(errno));
        if (size <= 0 || !hb_irc_connection_feed(connection, (hb_bytes){connection->peer->room, (size_t)size}))
            return;
        total += (size_t)size;
        if (size < HB_IRC_ROOM)
            return;
    }
}

static void read_all(hb_irc_connection *connection, size_t most)
{
    struct evbuffer *in = bufferevent_get_input(connection->stream);
    struct evbuffer_iovec piece;
    while (evbuffer_get_length(in) > 0 && evbuffer_peek(in, -1, NULL, &piece, 1) > 0) {
        if (!hb_irc_connection_feed(connection, (hb_bytes){piece.iov_base, piece.iov_len}))
            return;
        evbuffer_drain(in, piece.iov_len);
    }
    if (connection->peer->tls == NULL)
        read_on(connection, most);
}

static void on_readable(struct bufferevent *stream, void *context)
{
    (void)stream;
    read_all(context, READ_AT_ONCE);
}

/* ---- Connecting ---- */

static void on_event(struct bufferevent *stream, short what, void *context);

/* Connects to the next address that can be tried at all. */
static void connect_next(hb_irc_connection *connection, const char *reason)
{
    const hb_irc_peer *peer = connection->peer;
    for (; connection->address < connection->addresses.count; connection->address++) {
        hb_error error = {0};
        SSL *session = peer->tls == NULL ? NULL : hb_tls_session(peer->tls, peer->host, &error);
        if (connection->stream != NULL)
            bufferevent_free(connection->stream);
        connection->stream =
            session == NULL ? bufferevent_socket_new(peer->loop, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
                            : bufferevent_openssl_socket_new(peer->loop, -1, session, BUFFEREVENT_SSL_CONNECTING,
                                                             BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        if ((peer->tls != NULL && session == NULL) || connection->stream == NULL) {
            end(connection, HB_IRC_LOST, error.text[0] != '\0' ? error.text : "no socket can be had");
            return;
        }
        if (session != NULL)
            bufferevent_openssl_set_allow_dirty_shutdown(connection->stream, 1);
        bufferevent_setcb(connection->stream, on_readable, NULL, on_event, connection);
        bufferevent_set_max_single_read(connection->stream, HB_IRC_ROOM);
        enter(connection, CONNECTING);
        if (bufferevent_enable(connection->stream, EV_READ | EV_WRITE) == 0 &&
            bufferevent_socket_connect(connection->stream,
                                       (struct sockaddr *)&connection->addresses.list[connection->address].address,
                                       (int)connection->addresses.list[connection->address].size) == 0)
            return;
        reason = evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());
    }
    end(connection, HB_IRC_LOST, reason);
}

/* Why the stream broke, in words. */
static void reason_of(hb_irc_connection *connection, short what, char *out, size_t size)
{
    const int code = EVUTIL_SOCKET_ERROR();
    const SSL *session = connection->peer->tls == NULL ? NULL : bufferevent_openssl_get_ssl(connection->stream);
    if (session != NULL && hb_tls_reason(session, bufferevent_get_openssl_error(connection->stream), out, size))
        return;
    if ((what & BEV_EVENT_EOF) != 0 || code == 0)
        snprintf(out, size, "the server closed the connection");
    else
        snprintf(out, size, "%s", evutil_socket_error_to_string(code));
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    hb_irc_connection *connection = context;
    if (connection->state == ENDED || stream != connection->stream)
        return;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        log_in(connection);
        return;
    }
    char reason[300];
    reason_of(connection, what, reason, sizeof reason);
    if (connection->state == CONNECTING) {
        connection->address++;
        connect_next(connection, reason);
    } else {
        read_all(connection, SIZE_MAX); /* when sending failed, what was received before may still wait */
        end(connection, HB_IRC_LOST, reason);
    }
}

/* ---- The door ---- */

hb_irc_connection *hb_irc_connection_open(const hb_irc_peer *peer, const hb_addresses *addresses, void *owner)
{
    hb_irc_connection *connection = hb_alloc(sizeof *connection);
    connection->peer = peer;
    connection->owner = owner;
    connection->addresses = *addresses;
    connect_next(connection, "it cannot be connected to");
    return connection;
}

void hb_irc_connection_close(hb_irc_connection *connection)
{
    if (connection == NULL)
        return;
    if (connection->stream != NULL) {
        bufferevent_setcb(connection->stream, NULL, NULL, NULL, NULL);
        bufferevent_free(connection->stream);
    }
    hb_line_splitter_free(&connection->splitter);
    free(connection);
}

bool hb_irc_connection_is_up(const hb_irc_connection *connection)
{
    return connection->state == UP;
}

int64_t hb_irc_connection_heard_ms(const hb_irc_connection *connection)
{
    return connection->heard_ms;
}

void hb_irc_connection_check(hb_irc_connection *connection)
{
    const int64_t silent_ms = hb_monotonic_ms() - connection->heard_ms;
    const int silence_ms = connection->peer->silence_ms;
    char reason[80];
    if (connection->state == CONNECTING && silent_ms >= silence_ms) {
        connection->address++;
        connect_next(connection, "it does not answer");
    } else if (connection->state == LOGGING_IN && silent_ms >= silence_ms) {
        end(connection, HB_IRC_LOST, "it does not answer the login");
    } else if (connection->state == UP && 2 * silent_ms >= 5 * (int64_t)silence_ms) {
        snprintf(reason, sizeof reason, "nothing came for %.3g s", (double)silent_ms / 1000);
        end(connection, HB_IRC_LOST, reason);
    } else if (connection->state == UP && silent_ms >= silence_ms && !connection->pinged) {
        connection->pinged = true;
        hb_irc_connection_send(connection, "PING", ":hubbub");
    }
}
