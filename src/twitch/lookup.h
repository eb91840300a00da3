/* lookup.h - a host's addresses, without keeping a libevent loop waiting. */
#ifndef HB_TWITCH_LOOKUP_H
#define HB_TWITCH_LOOKUP_H

#include "base/bytes.h"

#include <sys/socket.h>

struct event_base;

enum { HB_ADDRESSES_MAX = 8 };

typedef struct hb_addresses {
    size_t count;
    struct {
        struct sockaddr_storage address;
        socklen_t size;
    } list[HB_ADDRESSES_MAX]; /* in the order in which to try them */
} hb_addresses;

typedef struct hb_lookup hb_lookup;

/* Gets the answer on the loop's thread: addresses, or NULL and why there are none. May close the lookup. */
typedef void (*hb_lookup_done)(void *context, const hb_addresses *addresses, const char *reason);

/* Starts to look up a name or a numeric address. NULL: HB_ERROR_SYSTEM. */
hb_lookup *hb_lookup_open(struct event_base *loop, const char *host, uint16_t port, hb_lookup_done done, void *context,
                          hb_error *error);

/* Forgets the lookup, answered or not: done is not called any more. */
void hb_lookup_close(hb_lookup *lookup);

/* Whether a host, as people write it, is this machine, without looking it up. */
bool hb_lookup_is_loopback(const char *host);

#endif
