/* irc_client.c - which channels are joined on which connection, and what is done when that changes.
 *
 * A shard is a connection and the channels that are joined on it. A timer ticks several times a second and does all
 * that is due: starts connections, sends JOINs as the pace allows, gives up what was not answered, closes what is no
 * longer needed, tells the person. Callbacks from connections only change states, so nothing is freed under a caller.
 *
 * When the server says RECONNECT, a new shard takes the old one's channels over; the old one goes on delivering and is
 * closed some seconds after the last of its channels is joined anew (lines may still be on their way). What comes
 * twice meanwhile has the same id. */
#include "twitch/irc_roster.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "twitch/channel_name.h"
#include "twitch/tls.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

/* A login that has worked is refused this often in a row before it is given up: Twitch has bad minutes. */
enum { REFUSALS_MAX = 5 };

/* ---- Shards ---- */

static void free_shard(irc_shard *shard)
{
    hb_irc_connection_close(shard->connection);
    free(shard);
}

/* When to connect again: at once when it stood long enough, else as the back-off says. */
static int next_try_ms(irc_shard *shard, int64_t now_ms, bool at_once)
{
    if (shard->up_ms != 0 && now_ms - shard->up_ms >= STABLE * (int64_t)shard->client->retry_ms) {
        shard->backoff.failures = 0;
        if (at_once)
            return 0;
    }
    return hb_backoff_next(&shard->backoff, hb_random());
}

/* ---- What connections tell ---- */

static void on_up(void *owner)
{
    irc_shard *shard = owner;
    hb_irc_client *client = shard->client;
    shard->up_ms = hb_monotonic_ms();
    shard->told = false;
    client->login_worked = true;
    client->refusals = 0;
    if (!client->told_connected)
        hb_say_note("connected to %s:%u as %s%s", client->peer.host, client->peer.port, client->peer.nick,
                    client->peer.token == NULL ? " (anonymous)" : "");
    client->told_connected = true;
    hb_irc_join_due(client);
}

static void stop_for_good(hb_irc_client *client, const char *reason)
{
    char text[500];
    client->stopped = true;
    snprintf(text, sizeof text, "%s:%u does not take the login %s%s: %s%s", client->peer.host, client->peer.port,
             client->peer.nick, client->peer.token == NULL ? " (anonymous)" : "", reason,
             client->peer.token == NULL ? "" : "; check TWITCH_LOGIN and TWITCH_TOKEN (it needs the scope chat:read)");
    if (client->on_refused != NULL)
        client->on_refused(client->peer.context, text);
}

static void on_end(void *owner, hb_irc_end end, const char *reason)
{
    irc_shard *shard = owner;
    hb_irc_client *client = shard->client;
    const int64_t now_ms = hb_monotonic_ms();
    shard->ended = true;
    for (size_t i = 0; i < client->channel_count; i++) {
        irc_channel *channel = client->channels[i];
        if (channel->former == shard)
            hb_irc_channel_leave_former(channel);
        if (channel->shard == shard && channel->state != REFUSED)
            channel->state = WAITING;
    }
    if (shard->retiring)
        return;
    const int wait_ms = next_try_ms(shard, now_ms, false);
    shard->due_ms = now_ms + wait_ms;
    shard->up_ms = 0;
    if (end == HB_IRC_REFUSED && !client->stopped && (!client->login_worked || ++client->refusals >= REFUSALS_MAX))
        stop_for_good(client, reason);
    else
        hb_irc_note_loss(shard, reason, wait_ms);
}

/* The server is about to close this connection: another one takes its channels over. */
static void on_reconnect(irc_shard *shard)
{
    hb_irc_client *client = shard->client;
    const int64_t now_ms = hb_monotonic_ms();
    if (shard->retiring)
        return;
    irc_shard *next = hb_irc_add_shard(client);
    next->due_ms = now_ms + next_try_ms(shard, now_ms, true);
    next->backoff = shard->backoff;
    next->again = true;
    for (size_t i = 0; i < client->channel_count; i++) {
        irc_channel *channel = client->channels[i];
        if (channel->shard != shard)
            continue;
        channel->shard = next;
        if (channel->state == JOINED) {
            hb_irc_channel_leave_former(channel);
            channel->former = shard;
            shard->former++;
        }
        if (channel->state != REFUSED)
            channel->state = WAITING;
    }
    next->channels = shard->channels;
    shard->channels = 0;
    shard->retiring = true;
    shard->due_ms = now_ms;
    client->moved++;
}

/* Source: Twitch's "IRC Concepts", NOTICE msg-ids; these mean that a channel cannot be listened to. */
static bool refuses_channel(hb_bytes id)
{
    static const char *const refusals[] = {"msg_channel_suspended", "msg_banned", "msg_room_not_found", "tos_ban",
                                           "msg_channel_blocked"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (hb_bytes_equal(id, hb_bytes_of(refusals[i])))
            return true;
    return false;
}

static void on_notice(const irc_shard *shard, irc_channel *channel, const hb_line *line)
{
    hb_bytes id = {0};
    hb_bytes text = line->params[line->param_count - 1];
    hb_line_tag(line, HB_BYTES("msg-id"), &id);
    if (channel->shard != shard || channel->state == REFUSED || !refuses_channel(id))
        return;
    hb_irc_channel_refused(channel);
    hb_irc_channel_leave_former(channel);
    text.size = text.size < 200 ? text.size : 200;
    if (!channel->told)
        hb_say_warning("#%s cannot be joined: %s says \"%.*s\" (%.*s); hubbub keeps trying", channel->name,
                       shard->client->peer.host, HB_PRINT(text), HB_PRINT(id));
    channel->told = true;
    channel->untold = false;
}

static bool is_own(const hb_irc_client *client, hb_bytes source)
{
    hb_bytes nick;
    return hb_bytes_cut(&source, '!', &nick) && hb_bytes_equal(nick, hb_bytes_of(client->peer.nick));
}

static void on_capability(hb_irc_client *client, const hb_line *line)
{
    const hb_bytes last = line->params[line->param_count - 1];
    bool *told = hb_bytes_start_with(last, HB_BYTES("twitch.tv/tags")) ? &client->told_tags : &client->told_commands;
    if (line->param_count < 3 || !hb_bytes_equal(line->params[1], HB_BYTES("NAK")) || *told)
        return;
    hb_say_warning("%s does not offer the capability %.*s: messages come without what it adds", client->peer.host,
                   HB_PRINT(last));
    *told = true;
}

static void on_message(void *owner, const hb_line *line)
{
    irc_shard *shard = owner;
    hb_irc_client *client = shard->client;
    if (hb_bytes_equal(line->command, HB_BYTES("RECONNECT"))) {
        on_reconnect(shard);
        return;
    }
    if (line->param_count > 0 && hb_bytes_equal(line->command, HB_BYTES("CAP"))) {
        on_capability(client, line);
        return;
    }
    const bool names_end = hb_bytes_equal(line->command, HB_BYTES("366"));
    const size_t at = names_end ? 1 : 0;
    irc_channel *channel = line->param_count > at ? hb_irc_find_channel(client, line->params[at]) : NULL;
    if (channel == NULL)
        return;
    if (names_end || (hb_bytes_equal(line->command, HB_BYTES("JOIN")) && is_own(client, line->source))) {
        if (channel->shard == shard)
            hb_irc_channel_joined(channel);
    } else if (hb_bytes_equal(line->command, HB_BYTES("NOTICE"))) {
        on_notice(shard, channel, line);
    } else if (hb_bytes_equal(line->command, HB_BYTES("PART")) && is_own(client, line->source) &&
               channel->shard == shard && channel->state == JOINED) {
        hb_irc_channel_refused(channel);
        channel->untold = !channel->told;
    }
}

/* ---- What is due ---- */

static void on_addresses(void *context, const hb_addresses *addresses, const char *reason)
{
    hb_irc_client *client = context;
    const int64_t now_ms = hb_monotonic_ms();
    if (addresses != NULL) {
        client->addresses = *addresses;
        client->addresses_ms = now_ms;
    }
    for (size_t i = 0; i < client->shard_count && addresses == NULL; i++)
        if (client->shards[i]->connection == NULL && now_ms >= client->shards[i]->due_ms)
            on_end(client->shards[i], HB_IRC_LOST, reason);
    hb_lookup_close(client->lookup); /* addresses and reason are the lookup's: last */
    client->lookup = NULL;
}

/* Whether the host's addresses are there; if not, they are being looked up. */
static bool have_addresses(hb_irc_client *client, int64_t now_ms)
{
    if (client->addresses_ms != 0 && now_ms - client->addresses_ms < ADDRESSES_AGE * (int64_t)client->retry_ms)
        return true;
    hb_error error = {0};
    if (client->lookup != NULL)
        return false;
    client->lookup =
        hb_lookup_open(client->peer.loop, client->peer.host, client->peer.port, on_addresses, client, &error);
    if (client->lookup == NULL)
        on_addresses(client, NULL, error.text);
    return false;
}

static void connect_shard(irc_shard *shard)
{
    hb_irc_client *client = shard->client;
    if (shard->again)
        hb_metric_add(client->reconnects, 1);
    shard->again = true;
    shard->connection = hb_irc_connection_open(&client->peer, &client->addresses, shard);
}

static void close_shard(hb_irc_client *client, size_t index)
{
    free_shard(client->shards[index]);
    client->shards[index] = client->shards[--client->shard_count];
}

static void tend_shards(hb_irc_client *client)
{
    const int64_t now_ms = hb_monotonic_ms();
    for (size_t i = client->shard_count; i-- > 0;) {
        irc_shard *shard = client->shards[i];
        if (shard->connection != NULL && !shard->ended)
            hb_irc_connection_check(shard->connection);
        if (shard->ended) {
            hb_irc_connection_close(shard->connection);
            shard->connection = NULL;
            shard->ended = false;
            shard->up_ms = 0;
        }
        if (shard->retiring ? shard->former == 0 && (shard->connection == NULL || now_ms >= shard->due_ms)
                            : shard->channels == 0)
            close_shard(client, i);
    }
    for (size_t i = 0; i < client->shard_count && !client->stopped; i++) {
        irc_shard *shard = client->shards[i];
        if (shard->connection != NULL || shard->retiring || now_ms < shard->due_ms)
            continue;
        if (!have_addresses(client, now_ms) || !hb_pace_take(&client->logins, now_ms))
            return;
        connect_shard(shard);
    }
}

static void on_tick(evutil_socket_t nothing, short what, void *context)
{
    (void)nothing;
    (void)what;
    hb_irc_client *client = context;
    tend_shards(client);
    hb_irc_join_due(client);
    hb_irc_tell(client);
}

/* ---- The door ---- */

static bool check_login(const hb_irc_options *options, hb_error *error)
{
    char login[HB_LOGIN_MAX + 1];
    if ((options->login == NULL) != (options->token == NULL))
        return hb_fail(error, HB_ERROR_USAGE,
                       "a login and a token go together: set both for an account, or neither to "
                       "listen anonymously");
    if (options->login != NULL &&
        (options->login[0] == '#' || !hb_channel_name_read(hb_bytes_of(options->login), login)))
        return hb_fail(error, HB_ERROR_USAGE, "'%s' is no login", options->login);
    for (const char *c = options->token == NULL ? "x" : options->token; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return hb_fail(error, HB_ERROR_USAGE, "the OAuth token holds characters that no token has");
    return options->token == NULL || options->token[0] != '\0' ||
           hb_fail(error, HB_ERROR_USAGE, "the OAuth token is empty");
}

static void set_metrics(hb_irc_client *client, hb_metrics *metrics)
{
    if (metrics == NULL)
        metrics = client->own_metrics = hb_metrics_open();
    client->connections = hb_metrics_gauge(metrics, "hubbub_irc_connections", "Chat connections that are logged in.");
    client->channels_wanted = hb_metrics_gauge(metrics, "hubbub_irc_channels_wanted", "Channels to listen to.");
    client->channels_joined = hb_metrics_gauge(metrics, "hubbub_irc_channels_joined", "Channels that are joined.");
    client->reconnects = hb_metrics_counter(metrics, "hubbub_irc_reconnects_total",
                                            "Connections made anew after a loss or at the server's wish.");
    client->peer.lines = hb_metrics_counter(metrics, "hubbub_irc_lines_total", "Lines received from chat servers.");
    client->peer.bytes = hb_metrics_counter(metrics, "hubbub_irc_bytes_total", "Bytes received from chat servers.");
    client->peer.lines_too_long =
        hb_metrics_counter(metrics, "hubbub_irc_lines_too_long_total", "Lines over 64 KiB, which are skipped.");
    client->peer.lines_malformed =
        hb_metrics_counter(metrics, "hubbub_irc_lines_malformed_total", "Lines received that are no IRC.");
}

static void set_peer(hb_irc_client *client, struct event_base *loop, const hb_irc_options *options)
{
    char nick[HB_LOGIN_MAX + 1];
    snprintf(nick, sizeof nick, "justinfan%u", 10000 + hb_random() % 90000000);
    if (options->login != NULL)
        hb_channel_name_read(hb_bytes_of(options->login), nick);
    client->peer.loop = loop;
    client->peer.host = hb_copy_text(hb_bytes_of(options->host));
    client->peer.port = options->port;
    client->peer.nick = hb_copy_text(hb_bytes_of(nick));
    client->peer.token = hb_copy_text_or_null(options->token);
    client->peer.silence_ms = options->silence_ms;
    client->peer.room = hb_alloc(HB_IRC_ROOM);
    client->peer.on_line = options->on_line;
    client->peer.context = options->context;
    client->peer.on_up = on_up;
    client->peer.on_message = on_message;
    client->peer.on_end = on_end;
}

/* Several times in each of the spans that matter, and at most ten times a second otherwise. */
static bool start_ticking(hb_irc_client *client, hb_error *error)
{
    const int shorter_ms = client->retry_ms < client->peer.silence_ms ? client->retry_ms : client->peer.silence_ms;
    const int tick_ms = shorter_ms < 20 ? 1 : shorter_ms > 1000 ? 100 : shorter_ms / 10;
    const struct timeval span = {0, tick_ms * 1000};
    client->tick = event_new(client->peer.loop, -1, EV_PERSIST, on_tick, client);
    return (client->tick != NULL && event_add(client->tick, &span) == 0) ||
           hb_fail(error, HB_ERROR_SYSTEM, "no timer can be had for the chat connections");
}

hb_irc_client *hb_irc_client_open(struct event_base *loop, const hb_irc_options *options, hb_metrics *metrics,
                                  hb_error *error)
{
    if (!check_login(options, error))
        return NULL;
    SSL_CTX *tls = options->tls ? hb_tls_open(options->tls_ca_file, error) : NULL;
    if (options->tls && tls == NULL)
        return NULL;
    hb_irc_client *client = hb_alloc(sizeof *client);
    set_peer(client, loop, options);
    set_metrics(client, metrics);
    client->peer.tls = tls;
    client->channels_per_connection = options->channels_per_connection == 0 ? 1 : options->channels_per_connection;
    client->channels_max = options->channels_max;
    client->retry_ms = options->retry_ms;
    client->on_refused = options->on_refused;
    client->told_joined_ms = hb_monotonic_ms();
    hb_pace_open(&client->joins, options->joins_per_10_s);
    hb_pace_open(&client->logins, options->joins_per_10_s); /* Twitch allows as many logins as JOINs */
    if (!start_ticking(client, error)) {
        hb_irc_client_close(client);
        return NULL;
    }
    return client;
}

void hb_irc_client_joined(const hb_irc_client *client, size_t *joined, size_t *wanted)
{
    *joined = atomic_load(&client->joined);
    *wanted = atomic_load(&client->wanted);
}

void hb_irc_client_close(hb_irc_client *client)
{
    if (client == NULL)
        return;
    if (client->tick != NULL)
        event_free(client->tick);
    hb_lookup_close(client->lookup);
    for (size_t i = 0; i < client->shard_count; i++)
        free_shard(client->shards[i]);
    for (size_t i = 0; i < client->channel_count; i++)
        free(client->channels[i]);
    hb_map_free(&client->names);
    hb_pace_close(&client->joins);
    hb_pace_close(&client->logins);
    SSL_CTX_free(client->peer.tls);
    if (client->peer.token != NULL)
        OPENSSL_cleanse(client->peer.token, strlen(client->peer.token));
    free(client->peer.token);
    free(client->peer.host);
    free(client->peer.nick);
    free(client->peer.room);
    free(client->shards);
    free(client->channels);
    hb_metric_set(client->connections, 0);
    hb_metric_set(client->channels_joined, 0);
    hb_metrics_close(client->own_metrics);
    free(client);
}
