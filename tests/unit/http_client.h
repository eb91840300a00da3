/* http_client.h - as much of an HTTP client as tests need: sockets to this machine, with a time limit on everything. */
#ifndef HB_TESTS_HTTP_CLIENT_H
#define HB_TESTS_HTTP_CLIENT_H

#include "unit.h"

#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_TIMEOUT_MS = 10000 };

/* receive_buffer: bytes that the kernel may hold for a reader that does not read; 0: as usual. */
static inline int client_connect(uint16_t port, int receive_buffer)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    if (receive_buffer > 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

static inline void client_send(int descriptor, hb_bytes bytes)
{
    while (bytes.size > 0) {
        const ssize_t sent = send(descriptor, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent <= 0) /* the server may close early: what it has to say is read afterwards */
            return;
        bytes = hb_bytes_from(bytes, (size_t)sent);
    }
}

/* Reads more into the buffer; false at the end of the stream, or when nothing comes within wait_ms. */
static inline bool client_read(int descriptor, int wait_ms, hb_buffer *into)
{
    struct pollfd poller = {.fd = descriptor, .events = POLLIN};
    if (poll(&poller, 1, wait_ms) != 1)
        return false;
    const ssize_t size = recv(descriptor, hb_buffer_room(into, 65536), 65536, 0);
    if (size <= 0)
        return false;
    into->size += (size_t)size;
    return true;
}

/* Reads until the text is there; false when it does not come in time. */
static inline bool client_wait_for(int descriptor, const char *text, hb_buffer *into)
{
    const int64_t until = hb_monotonic_ms() + CLIENT_TIMEOUT_MS;
    while (into->size == 0 || memmem(into->data, into->size, text, strlen(text)) == NULL) {
        const int64_t left = until - hb_monotonic_ms();
        if (left <= 0 || !client_read(descriptor, (int)left, into))
            return false;
    }
    return true;
}

typedef struct client_reply {
    int status; /* 0: nothing came back */
    hb_buffer text;
    hb_bytes head; /* with the status line; slices of text */
    hb_bytes body;
} client_reply;

static inline void client_split(client_reply *reply)
{
    const char *end = reply->text.size == 0 ? NULL : memmem(reply->text.data, reply->text.size, "\r\n\r\n", 4);
    reply->status = 0;
    if (end == NULL)
        return;
    reply->head = (hb_bytes){reply->text.data, (size_t)(end - reply->text.data) + 2};
    reply->body = hb_bytes_from(hb_buffer_bytes(&reply->text), reply->head.size + 2);
    if (hb_bytes_start_with(reply->head, HB_BYTES("HTTP/1.")) && reply->head.size > 12)
        reply->status = atoi(reply->head.data + 9);
}

/* Sends bytes and reads until the server closes. */
static inline client_reply client_exchange(uint16_t port, hb_bytes request)
{
    client_reply reply = {0};
    const int descriptor = client_connect(port, 0);
    client_send(descriptor, request);
    while (client_read(descriptor, CLIENT_TIMEOUT_MS, &reply.text))
        ;
    close(descriptor);
    client_split(&reply);
    return reply;
}

/* headers: whole lines with their CR LF, or "". */
static inline client_reply client_ask(uint16_t port, const char *method, const char *target, const char *headers)
{
    hb_buffer request = {0};
    hb_buffer_print(&request, "%s %s HTTP/1.1\r\nConnection: close\r\n%s%s\r\n", method, target,
                    strstr(headers, "Host:") == NULL ? "Host: localhost\r\n" : "", headers);
    const client_reply reply = client_exchange(port, hb_buffer_bytes(&request));
    hb_buffer_free(&request);
    return reply;
}

static inline client_reply client_get(uint16_t port, const char *target)
{
    return client_ask(port, "GET", target, "");
}

static inline void client_done(client_reply *reply)
{
    hb_buffer_free(&reply->text);
}

static inline bool client_has(hb_bytes text, const char *part)
{
    return text.data != NULL && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

#define assert_has(text, part)                                                                                         \
    do {                                                                                                               \
        if (!client_has((text), (part))) {                                                                             \
            print_error("'%s' is not in:\n%.*s\n", (part), HB_PRINT(text));                                            \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)

/* Starts to follow a stream; the reply's head and events are read with client_wait_for. */
static inline int client_stream(uint16_t port, const char *target, int receive_buffer)
{
    hb_buffer request = {0};
    const int descriptor = client_connect(port, receive_buffer);
    hb_buffer_print(&request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    client_send(descriptor, hb_buffer_bytes(&request));
    hb_buffer_free(&request);
    return descriptor;
}

#endif
