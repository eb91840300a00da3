/* simulator.h - a Twitch chat server of its own, for demos, tests and load: it speaks Twitch's side of IRC and sends
 * chat from a source (chat_source.h) to whoever joined its channels.
 *
 * What it knows of Twitch: CAP LS, REQ and END for twitch.tv/tags, twitch.tv/commands and twitch.tv/membership; PASS
 * and NICK, 001 to 004, 375, 372, 376; JOIN with ROOMSTATE, 353 and 366; PART; PING and PONG both ways; RECONNECT;
 * NOTICE for a login that fails and for a suspended channel (a name that starts with "suspended_"). A JOIN of a channel
 * that does not exist is not answered at all, as Twitch does. Lines carry tags only for connections with
 * twitch.tv/tags; all but PRIVMSG goes only to those with twitch.tv/commands. Source: Twitch's "Chat & Chatbots"
 * documentation.
 */
#ifndef HB_TWITCH_SIMULATOR_H
#define HB_TWITCH_SIMULATOR_H

#include "twitch/chat_source.h"

typedef struct hb_simulator hb_simulator;

typedef struct hb_simulator_options {
    const char *host;     /* where to listen: "127.0.0.1" */
    uint16_t port;        /* 0: any that is free */
    hb_chat_source chat;  /* used by the simulator's thread from open to close */
    uint64_t count;       /* so many messages (PRIVMSG), then it stays connected, idle; 0: as many as chat has */
    size_t wait_joins;    /* chat begins once so many channels are joined; 0: at once */
    const char *token;    /* the OAuth token that is accepted, without "oauth:"; NULL: any */
    const char *tls_cert; /* PEM files: the server speaks TLS; NULL: it does not */
    const char *tls_key;  /* NULL: it is in tls_cert */
    size_t buffer_bytes;  /* what may wait for a connection that reads slowly; 0: 64 MiB */
    int ping_ms;          /* its own PING; a connection that does not answer until the next is closed; 0: 60,000 */
    int reconnect_ms;     /* how long after RECONNECT the connections are closed; 0: 30,000 */
    bool talks;           /* tells on stderr who comes, goes and how many messages they got */
} hb_simulator_options;

/* Listens, and starts the thread. Copies the options' texts. NULL: HB_ERROR_BUSY (the port), HB_ERROR_USAGE (an address
 * or certificate that is none), HB_ERROR_SYSTEM. */
hb_simulator *hb_simulator_open(const hb_simulator_options *options, hb_error *error);

/* Closes all connections and the port, and frees. */
void hb_simulator_close(hb_simulator *simulator);

uint16_t hb_simulator_port(const hb_simulator *simulator);

/* Sends RECONNECT to every connection, and closes it reconnect_ms later. Any thread; also in a signal handler. */
void hb_simulator_reconnect(hb_simulator *simulator);

/* Closes every connection at once, without a word. Any thread; also in a signal handler. */
void hb_simulator_drop(hb_simulator *simulator);

/* All only grow, but for connections. Messages are PRIVMSGs. */
typedef struct hb_simulator_counts {
    uint64_t lines;       /* of chat, made so far */
    uint64_t messages;    /* of them messages */
    uint64_t unheard;     /* messages in channels that nobody had joined */
    uint64_t sent;        /* messages handed to a connection; one in a channel that two joined counts twice */
    uint64_t dropped;     /* messages not sent because a connection's buffer was full */
    uint64_t refused;     /* lines from clients that were no IRC, or too long */
    uint64_t late_ms;     /* by how much chat fell behind its rate in all */
    uint64_t connections; /* now */
    uint64_t joined;      /* channels that somebody has joined now */
    bool done;            /* all messages are made */
} hb_simulator_counts;

/* Any thread. */
hb_simulator_counts hb_simulator_count(hb_simulator *simulator);

#endif
