/* irc_roster.h - inside of irc_client: its shards and channels, and what its three files do with them.
 *
 * irc_client.c opens and closes connections and takes what they tell; irc_channels.c decides which channel is joined
 * where, and when; irc_tell.c tells the person.
 */
#ifndef HB_TWITCH_IRC_ROSTER_H
#define HB_TWITCH_IRC_ROSTER_H

#include "base/map.h"
#include "twitch/irc_client.h"
#include "twitch/irc_connection.h"
#include "twitch/pace.h"

#include <stdatomic.h>

struct event;

/* In units of retry_ms, a second but in tests. */
enum {
    STABLE = 60,        /* a connection that stood so long begins its back-off anew */
    LINGER = 2,         /* an old connection stays so long after its channels are joined elsewhere */
    ADDRESSES_AGE = 30, /* a host is looked up again after this long */
    QUIET = 5,          /* between two lines about lost connections */
    REPEAT = 60,        /* before the same trouble is told again */
    PROGRESS = 10,      /* between two lines about channels joined while joining goes on */
    CHANNEL_FIRST = 10, /* a channel that could not be joined is tried again after this long at first ... */
    CHANNEL_LAST = 600  /* ... and this long at last */
};

typedef struct irc_shard {
    hb_irc_client *client;
    hb_irc_connection *connection; /* NULL while none is open */
    size_t channels;               /* whose shard this is */
    size_t former;                 /* channels that are joined here still, until they are joined on their new shard */
    bool ended;                    /* connection is to be closed at the next tick */
    bool retiring;                 /* the server asked for a new connection: another shard has taken over */
    bool told;                     /* its being down was counted for the person */
    bool again;                    /* its next connection is not its first */
    int64_t due_ms;                /* when to connect, or when a retiring one that nobody needs is closed */
    int64_t up_ms;                 /* since when it is up; 0: not */
    hb_backoff backoff;
} irc_shard;

typedef enum channel_state {
    WAITING, /* for its shard to be up, and for the pace */
    ASKED,   /* JOIN sent */
    JOINED,
    REFUSED /* not joined; tried again when due */
} channel_state;

typedef struct irc_channel {
    char name[HB_LOGIN_MAX + 1];
    irc_shard *shard;
    irc_shard *former; /* where it is joined still, or NULL */
    channel_state state;
    int64_t due_ms; /* ASKED: when given up; REFUSED: when tried again */
    hb_backoff backoff;
    bool wanted; /* while the list is being changed */
    bool told;   /* the person knows that it could not be joined */
    bool untold; /* ... is to be told */
} irc_channel;

struct hb_irc_client {
    hb_irc_peer peer;
    unsigned channels_per_connection;
    unsigned channels_max;
    int retry_ms;
    void (*on_refused)(void *context, const char *reason);
    struct event *tick;
    hb_lookup *lookup;
    hb_addresses addresses;
    int64_t addresses_ms; /* when they were looked up; 0: never */
    hb_pace joins;
    hb_pace logins;
    irc_shard **shards;
    size_t shard_count;
    size_t shard_capacity;
    irc_channel **channels;
    size_t channel_count;
    size_t channel_capacity;
    hb_map names; /* -> channels */
    unsigned refusals;
    bool login_worked;
    bool stopped; /* the login is refused for good */
    _Atomic size_t joined;
    _Atomic size_t wanted;
    hb_metrics *own_metrics; /* when the caller has none */
    hb_metric *connections;
    hb_metric *channels_wanted;
    hb_metric *channels_joined;
    hb_metric *reconnects;
    /* What the person is still to be told, and when what was told. */
    size_t lost;
    size_t moved;
    char reason[300];
    char told_reason[300];
    int64_t lost_ms; /* when the first of those was lost */
    int64_t retry_at_ms;
    int64_t told_lost_ms;
    int64_t told_joined_ms;
    size_t told_joined;
    size_t told_wanted;
    bool told_connected;
    bool told_tags; /* that the server does not offer them */
    bool told_commands;
    bool trouble; /* something was lost since the person last read that all is well */
    bool changed; /* channels were set since */
};

/* ---- irc_channels.c ---- */

/* The channel of a name as it comes in a line ("#xqc"), or NULL. */
irc_channel *hb_irc_find_channel(const hb_irc_client *client, hb_bytes name);

/* What became of a channel: joined where it should be; not to be had for now; no longer received on its old shard. */
void hb_irc_channel_joined(irc_channel *channel);
void hb_irc_channel_refused(irc_channel *channel);
void hb_irc_channel_leave_former(irc_channel *channel);

/* Adds a shard that is due now and has no channels. */
irc_shard *hb_irc_add_shard(hb_irc_client *client);

/* Whether commands can be sent on a shard. */
bool hb_irc_shard_is_up(const irc_shard *shard);

/* Sends the JOINs that are due, as many as the pace allows. */
void hb_irc_join_due(hb_irc_client *client);

/* ---- irc_tell.c ---- */

/* Counts a lost connection for the person: once each time that one goes down, and again when the reason is a new one.
 */
void hb_irc_note_loss(irc_shard *shard, const char *reason, int64_t wait_ms);

/* Counts what is joined, and tells the person what has changed. */
void hb_irc_tell(hb_irc_client *client);

#endif
