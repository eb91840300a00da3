/* connections.h - how many clients may be connected at a time. Loop thread only. */
#ifndef HB_SERVE_CONNECTIONS_H
#define HB_SERVE_CONNECTIONS_H

#include "serve/reply.h"

struct event_base;
struct evhttp;

typedef struct hb_connections hb_connections;

/* Makes http count its connections: one above max is told 503 and closed. Raises the process's limit of open files as
 * far as this needs; where the system does not allow it, max is lowered, and that is said. */
hb_connections *hb_connections_open(struct event_base *base, struct evhttp *http, uint32_t max, hb_traffic *traffic);

/* To be called once the loop has ended, before evhttp_free. */
void hb_connections_close(hb_connections *connections);

#endif
