/* irc_client.h - connections to Twitch chat: joins channels, hands over every line as it was received.
 *
 * Source of the protocol and its limits: Twitch's "Chat & Chatbots" documentation (IRC): TLS on
 * irc.chat.twitch.tv:6697, capabilities twitch.tv/tags and twitch.tv/commands, anonymous login as justinfan + digits,
 * 20 JOINs in 10 s, and since May 2024 at most 100 channels at once an account. Runs on the caller's libevent loop, in
 * one thread.
 */
#ifndef HB_TWITCH_IRC_CLIENT_H
#define HB_TWITCH_IRC_CLIENT_H

#include "base/memory.h"
#include "base/metrics.h"

struct event_base;

typedef struct hb_irc_client hb_irc_client;

typedef struct hb_irc_options {
    const char *host;                 /* irc.chat.twitch.tv */
    uint16_t port;                    /* 6697 */
    bool tls;                         /* certificate and host name are verified */
    const char *tls_ca_file;          /* further trusted certificates (PEM), or NULL: the system's */
    const char *login;                /* with token; NULL: anonymous */
    const char *token;                /* OAuth token without "oauth:"; NULL: anonymous */
    unsigned joins_per_10_s;          /* 20 */
    unsigned channels_per_connection; /* 50 */
    unsigned channels_max;            /* 100; 0: no bound */
    int silence_ms; /* own PING after this long without a line (10,000); given up after 2.5 times that: within 30 s */
    int retry_ms;   /* about how long to wait before a first second try (1,000); doubles up to 60 times that, and is
                       back at the first once a connection has stood for 60 times that */
    /* Called for each whole line, without CR LF, as received. received_ms: wall clock. The line holds until return. */
    void (*on_line)(void *context, hb_bytes line, int64_t received_ms);
    /* Called once when the server does not take the login: the client has stopped trying. May be NULL. */
    void (*on_refused)(void *context, const char *reason);
    void *context;
} hb_irc_options;

/* Prepares a client (copies the options' strings); connects once channels are set. NULL: HB_ERROR_USAGE (a login or
 * token that is none), HB_ERROR_SYSTEM (TLS set-up). metrics may be NULL. Tells the person (hb_say) what a person has
 * to know: joined, lost, back, channels that cannot be joined. */
hb_irc_client *hb_irc_client_open(struct event_base *loop, const hb_irc_options *options, hb_metrics *metrics,
                                  hb_error *error);

/* Makes these the channels: joins what is new, parts what is gone. Logins in any case, with or without '#'. Nothing
 * changes on failure: HB_ERROR_USAGE (a name that is none, named), HB_ERROR_LIMIT (more than channels_max; says why).
 */
bool hb_irc_client_set_channels(hb_irc_client *client, const char *const *channels, size_t count, hb_error *error);

/* How many channels are joined, of how many wanted. Any thread; at most a tenth of a second old. */
void hb_irc_client_joined(const hb_irc_client *client, size_t *joined, size_t *wanted);

/* Closes all connections at once, and frees. Not from inside its callbacks. */
void hb_irc_client_close(hb_irc_client *client);

#endif
