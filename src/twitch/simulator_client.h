/* simulator_client.h - one connection to the simulated Twitch: what it asked for, and what it gets. All functions are
 * for the simulator's thread. */
#ifndef HB_TWITCH_SIMULATOR_CLIENT_H
#define HB_TWITCH_SIMULATOR_CLIENT_H

#include "twitch/chat_source.h"

struct bufferevent;

typedef struct hb_client hb_client;

/* What the simulator offers its clients. */
typedef struct hb_client_shared {
    void *context;
    const hb_chat_source *chat;
    const char *token; /* the only one accepted, or NULL */
    size_t buffer_bytes;
    int ping_ms;
    int leave_ms;
    bool talks;
    bool (*find_channel)(void *context, hb_bytes login, size_t *number); /* login in lower case */
    void (*join)(void *context, hb_client *client, size_t number);
    void (*part)(void *context, hb_client *client, size_t number);
    void (*over)(void *context); /* a client is over: hb_client_is_over will say so of it */
    void (*refused)(void *context);
} hb_client_shared;

/* Takes over the stream. number tells connections apart in what is said of them. */
hb_client *hb_client_open(const hb_client_shared *shared, struct bufferevent *stream, uint64_t number);

/* Parts its channels, closes the connection and frees. */
void hb_client_close(hb_client *client);

/* Takes one line of chat (without line end) for the next flush, without tags if the client did not ask for them. False
 * when it has too much unread; what it did not ask for counts as taken. */
bool hb_client_send(hb_client *client, hb_bytes line, bool is_message);
void hb_client_flush(hb_client *client);

/* Tells the client to reconnect, and makes it be over at a time (monotonic, ms). */
void hb_client_reconnect(hb_client *client, int64_t until_ms);

/* Whether to close it now: it is gone, did not answer a PING, or did not log in until the first. Also sends its PING
 * when it is time for that. */
bool hb_client_is_over(hb_client *client, int64_t now_ms);

/* Says how many messages it got. */
void hb_client_report(const hb_client *client);

#endif
