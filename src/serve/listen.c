/* listen.c - getaddrinfo, socket, bind, listen; with errors that say what to do. */
#include "serve/listen.h"

#include "base/error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int try_address(const struct addrinfo *address, bool all_addresses)
{
    const int on = 1;
    const int only_v6 = !all_addresses;
    const int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return -1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (address->ai_family != AF_INET6 ||
         setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6) == 0) &&
        bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 && listen(descriptor, BACKLOG) == 0)
        return descriptor;
    const int kept = errno;
    close(descriptor);
    errno = kept;
    return -1;
}

typedef union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} socket_address;

static bool describe(const char *host, hb_listener *listener, hb_error *error)
{
    socket_address address = {.v6 = {0}};
    socklen_t size = sizeof address;
    if (getsockname(listener->descriptor, &address.any, &size) != 0)
        return hb_fail_errno(error, "cannot tell the port of %s", host);
    if (address.any.sa_family == AF_INET6) {
        listener->port = ntohs(address.v6.sin6_port);
        listener->loopback = IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
    } else {
        listener->port = ntohs(address.v4.sin_port);
        listener->loopback = ntohl(address.v4.sin_addr.s_addr) >> 24 == 127;
    }
    const char *shown = *host == '\0' ? "localhost" : host;
    snprintf(listener->address, sizeof listener->address, strchr(shown, ':') ? "http://[%s]:%u/" : "http://%s:%u/",
             shown, listener->port);
    return true;
}

static bool fail(const char *host, uint16_t port, hb_error *error)
{
    char place[300];
    snprintf(place, sizeof place, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    if (errno == EADDRINUSE)
        return hb_fail(error, HB_ERROR_BUSY, "%s is in use; choose another address (--listen or --metrics)", place);
    if (errno == EADDRNOTAVAIL)
        return hb_fail(error, HB_ERROR_USAGE, "cannot listen on %s: this machine does not have that address", place);
    return hb_fail_errno(error, "cannot listen on %s", place);
}

bool hb_listen(const char *host, uint16_t port, hb_listener *listener, hb_error *error)
{
    const bool all_addresses = *host == '\0';
    struct addrinfo hints = {.ai_family = all_addresses ? AF_INET6 : AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    const int failure = getaddrinfo(all_addresses ? NULL : host, service, &hints, &addresses);
    if (failure != 0)
        return hb_fail(error, HB_ERROR_USAGE, "cannot listen on %s: %s", host, gai_strerror(failure));
    *listener = (hb_listener){.descriptor = -1};
    for (const struct addrinfo *address = addresses; address != NULL && listener->descriptor < 0;
         address = address->ai_next)
        listener->descriptor = try_address(address, all_addresses);
    freeaddrinfo(addresses);
    if (listener->descriptor < 0 && all_addresses && errno != EADDRINUSE)
        return hb_listen("0.0.0.0", port, listener, error); /* a machine without IPv6 */
    if (listener->descriptor < 0)
        return fail(host, port, error);
    if (describe(host, listener, error))
        return true;
    close(listener->descriptor);
    return false;
}
