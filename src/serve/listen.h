/* listen.h - a socket that listens, and where. */
#ifndef HB_SERVE_LISTEN_H
#define HB_SERVE_LISTEN_H

#include "base/bytes.h"

typedef struct hb_listener {
    int descriptor; /* the caller's */
    uint16_t port;
    bool loopback;     /* only this machine can reach it */
    char address[300]; /* "http://127.0.0.1:8080/" */
} hb_listener;

/* Listens on a host (a name, an address; empty: all of this machine's addresses, IPv6 and IPv4) and a port (0: any). Of
 * a name with several addresses the first that works is taken. Errors as hb_server_open. */
bool hb_listen(const char *host, uint16_t port, hb_listener *listener, hb_error *error);

#endif
