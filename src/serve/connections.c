/* connections.c - libevent 2.1 has no bound on connections and tells about a connection's end only after its first
 * request. So each accepted socket is remembered by descriptor and inode: as long as the descriptor leads to the same
 * inode, the connection lives. Ended ones are swept out when the list is full, which costs nothing before that.
 *
 * The bufferevent is made before it gets its socket, so it is looked at a moment later, by an event that runs within
 * the same round of the loop; a reference keeps it until then. Its read buffer is bounded as well: a client may go on
 * sending while its reply is on the way.
 */
#include "serve/connections.h"

#include "base/say.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
    READ_AHEAD_MAX = 64 * 1024, /* bytes read from a client and not yet looked at; more than a request's headers */
    OTHER_FILES = 200           /* descriptors that the rest of the process may need */
};

typedef struct connection {
    int descriptor;
    ino_t inode;
} connection;

typedef struct fresh_connection {
    struct bufferevent *bufferevent;
} fresh_connection;

struct hb_connections {
    struct event_base *base;
    struct event *accepted;
    hb_traffic *traffic;
    uint32_t max;
    connection *open;
    size_t open_count;
    fresh_connection *fresh; /* made, but not yet looked at */
    size_t fresh_count;
    size_t fresh_capacity;
};

static bool inode_of(int descriptor, ino_t *inode)
{
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return false;
    *inode = status.st_ino;
    return true;
}

static void sweep(hb_connections *connections)
{
    size_t kept = 0;
    for (size_t i = 0; i < connections->open_count; i++) {
        ino_t inode;
        if (inode_of(connections->open[i].descriptor, &inode) && inode == connections->open[i].inode)
            connections->open[kept++] = connections->open[i];
    }
    connections->open_count = kept;
}

/* Tells the client why, and ends the connection: libevent sees that as the client's own doing. */
static void turn_away(hb_connections *connections, int descriptor)
{
    static const char reply[] =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
        "Content-Type: application/json\r\nContent-Length: 80\r\n\r\n"
        "{\"error\":{\"code\":\"busy\",\"message\":\"too many connections; try again in a while\"}}";
    _Static_assert(
        sizeof "{\"error\":{\"code\":\"busy\",\"message\":\"too many connections; try again in a while\"}}" - 1 == 80,
        "Content-Length in the reply above");
    (void)!send(descriptor, reply, sizeof reply - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(descriptor, SHUT_RDWR);
    hb_metric_add(connections->traffic->rejected, 1);
    hb_traffic_count(connections->traffic, 503);
}

static void look_at_accepted(evutil_socket_t unused, short what, void *context)
{
    hb_connections *connections = context;
    (void)unused;
    (void)what;
    for (size_t i = 0; i < connections->fresh_count; i++) {
        struct bufferevent *bufferevent = connections->fresh[i].bufferevent;
        connection new = {.descriptor = bufferevent_getfd(bufferevent)};
        if (inode_of(new.descriptor, &new.inode)) {
            if (connections->open_count == connections->max)
                sweep(connections);
            if (connections->open_count == connections->max)
                turn_away(connections, new.descriptor);
            else
                connections->open[connections->open_count++] = new;
        }
        bufferevent_decref(bufferevent);
    }
    connections->fresh_count = 0;
}

static struct bufferevent *make_bufferevent(struct event_base *base, void *context)
{
    hb_connections *connections = context;
    struct bufferevent *bufferevent = bufferevent_socket_new(base, -1, 0);
    if (bufferevent == NULL)
        return NULL;
    bufferevent_setwatermark(bufferevent, EV_READ, 0, READ_AHEAD_MAX);
    bufferevent_incref(bufferevent);
    HB_RESERVE(connections->fresh, connections->fresh_capacity, connections->fresh_count + 1);
    connections->fresh[connections->fresh_count++].bufferevent = bufferevent;
    event_active(connections->accepted, 0, 0);
    return bufferevent;
}

static uint32_t allowed_by_system(uint32_t max)
{
    const rlim_t wanted = (rlim_t)max + OTHER_FILES;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted)
        return max;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return max;
    const uint32_t allowed = limit.rlim_cur > 2 * OTHER_FILES ? (uint32_t)limit.rlim_cur - OTHER_FILES : OTHER_FILES;
    hb_say_warning("the system allows %llu open files, so at most %u HTTP connections are taken, not %u; "
                   "'ulimit -n' raises it",
                   (unsigned long long)limit.rlim_cur, allowed, max);
    return allowed;
}

hb_connections *hb_connections_open(struct event_base *base, struct evhttp *http, uint32_t max, hb_traffic *traffic)
{
    hb_connections *connections = hb_alloc(sizeof *connections);
    connections->base = base;
    connections->traffic = traffic;
    connections->max = allowed_by_system(max);
    connections->open = hb_alloc((connections->max + 1) * sizeof *connections->open);
    connections->accepted = event_new(base, -1, EV_PERSIST, look_at_accepted, connections);
    evhttp_set_bevcb(http, make_bufferevent, connections);
    return connections;
}

void hb_connections_close(hb_connections *connections)
{
    if (connections == NULL)
        return;
    for (size_t i = 0; i < connections->fresh_count; i++)
        bufferevent_decref(connections->fresh[i].bufferevent);
    event_free(connections->accepted);
    free(connections->fresh);
    free(connections->open);
    free(connections);
}
