/* irc_connection.h - one connection to a chat server: from connecting to the last line. Inside of irc_client.
 *
 * Logs in, answers PING, notices silence; which channels it is for is its owner's business. Nothing here frees a
 * connection but hb_irc_connection_close, so its owner may be called back at any moment. Runs on one libevent loop, in
 * one thread.
 */
#ifndef HB_TWITCH_IRC_CONNECTION_H
#define HB_TWITCH_IRC_CONNECTION_H

#include "base/memory.h"
#include "base/metrics.h"
#include "twitch/lookup.h"

#include <openssl/ssl.h>

struct event_base;

typedef struct hb_irc_connection hb_irc_connection;

/* Why a connection ended, as far as it matters to what comes next. */
typedef enum hb_irc_end {
    HB_IRC_LOST,   /* the network or the server; worth another try */
    HB_IRC_REFUSED /* the server does not take this login */
} hb_irc_end;

/* What all connections of a client share; belongs to the client, and outlives them. */
typedef struct hb_irc_peer {
    struct event_base *loop;
    char *host;
    uint16_t port;
    SSL_CTX *tls; /* NULL: plain */
    char *nick;
    char *token;    /* NULL: anonymous */
    int silence_ms; /* see hb_irc_options */
    char *room;     /* HB_IRC_ROOM bytes to read into */
    hb_metric *lines;
    hb_metric *bytes;
    hb_metric *lines_too_long;
    hb_metric *lines_malformed;
    /* Every line. */
    void (*on_line)(void *context, hb_bytes line, int64_t received_ms);
    void *context;
    /* To the connection's owner: logged in; a parsed line that is not chat and that the connection did not deal with
     * (before the login: only CAP); the end, with a reason in words (once, and nothing after it). */
    void (*on_up)(void *owner);
    void (*on_message)(void *owner, const hb_line *line);
    void (*on_end)(void *owner, hb_irc_end end, const char *reason);
} hb_irc_peer;

enum { HB_IRC_ROOM = 256 * 1024 };

/* Starts to connect, to one address after the other (copied). */
hb_irc_connection *hb_irc_connection_open(const hb_irc_peer *peer, const hb_addresses *addresses, void *owner);

/* Closes at once, and frees; on_end is not called. Not from inside the peer's callbacks. */
void hb_irc_connection_close(hb_irc_connection *connection);

/* Whether the login is done and the connection has not ended. */
bool hb_irc_connection_is_up(const hb_irc_connection *connection);

/* When something was last received, or its present state began: hb_monotonic_ms. */
int64_t hb_irc_connection_heard_ms(const hb_irc_connection *connection);

/* Sends one command, given without CR LF; does nothing when the connection is not up. */
void hb_irc_connection_send(hb_irc_connection *connection, const char *command, const char *parameter);

/* Looks at the time; to be called several times in each silence_ms. */
void hb_irc_connection_check(hb_irc_connection *connection);

/* Takes bytes as if they had been received. False when the connection has ended. */
bool hb_irc_connection_feed(hb_irc_connection *connection, hb_bytes chunk);

#endif
