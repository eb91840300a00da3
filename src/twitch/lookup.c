/* lookup.c - getaddrinfo in a thread of its own, one a lookup.
 *
 * getaddrinfo follows all that the system is set up with (resolv.conf as it is now, nsswitch, search domains), which
 * libevent's own resolver does not; but it cannot be cancelled. So the lookup belongs to both the thread and the loop,
 * and goes when both have let go of it. The answer wakes the loop through an eventfd, which needs no locks in it. */
#include "twitch/lookup.h"

#include "base/error.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct hb_lookup {
    _Atomic int holders;
    int wake; /* eventfd */
    struct event *event;
    char *host;
    char service[8];
    hb_lookup_done done;
    void *context;
    hb_addresses addresses;
    char reason[200];
};

static void let_go(hb_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) > 1)
        return;
    close(lookup->wake);
    free(lookup->host);
    free(lookup);
}

static void look_up(hb_lookup *lookup)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const int code = getaddrinfo(lookup->host, lookup->service, &hints, &found);
    if (code != 0) {
        char text[100];
        const char *why = code == EAI_SYSTEM ? strerror_r(errno, text, sizeof text) : gai_strerror(code);
        snprintf(lookup->reason, sizeof lookup->reason, "its name cannot be looked up: %s", why);
        return;
    }
    for (const struct addrinfo *at = found; at != NULL && lookup->addresses.count < HB_ADDRESSES_MAX; at = at->ai_next)
        if (at->ai_addrlen <= sizeof(struct sockaddr_storage)) {
            memcpy(&lookup->addresses.list[lookup->addresses.count].address, at->ai_addr, at->ai_addrlen);
            lookup->addresses.list[lookup->addresses.count++].size = at->ai_addrlen;
        }
    freeaddrinfo(found);
}

static void *run(void *context)
{
    hb_lookup *lookup = context;
    look_up(lookup);
    const uint64_t one = 1;
    (void)!write(lookup->wake, &one, sizeof one); /* an eventfd at 0 takes a 1 */
    let_go(lookup);
    return NULL;
}

static void on_wake(evutil_socket_t wake, short what, void *context)
{
    (void)what;
    hb_lookup *lookup = context;
    uint64_t count = 0;
    if (read(wake, &count, sizeof count) != sizeof count)
        return;
    if (lookup->addresses.count > 0)
        lookup->done(lookup->context, &lookup->addresses, NULL);
    else
        lookup->done(lookup->context, NULL, lookup->reason[0] == '\0' ? "its name has no address" : lookup->reason);
}

hb_lookup *hb_lookup_open(struct event_base *loop, const char *host, uint16_t port, hb_lookup_done done, void *context,
                          hb_error *error)
{
    const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) {
        hb_fail_errno(error, "looking up %s failed", host);
        return NULL;
    }
    hb_lookup *lookup = hb_alloc(sizeof *lookup);
    lookup->wake = wake;
    lookup->host = hb_copy_text(hb_bytes_of(host));
    snprintf(lookup->service, sizeof lookup->service, "%u", port);
    lookup->done = done;
    lookup->context = context;
    lookup->event = event_new(loop, wake, EV_READ, on_wake, lookup);
    atomic_store(&lookup->holders, 1);
    pthread_t thread;
    int code = lookup->event == NULL || event_add(lookup->event, NULL) != 0 ? ENOMEM : 0;
    if (code == 0) {
        atomic_store(&lookup->holders, 2);
        code = pthread_create(&thread, NULL, run, lookup);
        if (code != 0)
            atomic_store(&lookup->holders, 1);
    }
    if (code != 0) {
        errno = code;
        hb_fail_errno(error, "looking up %s failed", host);
        hb_lookup_close(lookup);
        return NULL;
    }
    pthread_detach(thread);
    return lookup;
}

void hb_lookup_close(hb_lookup *lookup)
{
    if (lookup == NULL)
        return;
    if (lookup->event != NULL)
        event_free(lookup->event);
    lookup->event = NULL;
    let_go(lookup);
}

bool hb_lookup_is_loopback(const char *host)
{
    struct in_addr address;
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}
