/* irc_channels.c - which channel is joined on which shard, and when.
 *
 * A channel that is new is placed on the first shard with room, and stays there. JOINs go out in the channels' order,
 * whatever shard they are for, because the pace is the account's and not a connection's. A channel that could not be
 * joined (no answer, or a NOTICE) is tried again after ten seconds at first and ten minutes at last. */
#include "twitch/irc_roster.h"

#include "base/clock.h"
#include "base/error.h"
#include "twitch/channel_name.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Channels ---- */

irc_channel *hb_irc_find_channel(const hb_irc_client *client, hb_bytes name)
{
    char login[HB_LOGIN_MAX + 1];
    if (!hb_channel_name_read(name, login))
        return NULL;
    const uint64_t hash = hb_hash(hb_bytes_of(login), 0);
    for (uint32_t at = hb_map_first(&client->names, hash); at != HB_MAP_END;
         at = hb_map_next(&client->names, hash, at)) {
        irc_channel *found = client->channels[hb_map_entry(&client->names, at)];
        if (strcmp(found->name, login) == 0)
            return found;
    }
    return NULL;
}

static void send_channel(const irc_shard *at, const char *command, const irc_channel *channel)
{
    char parameter[HB_LOGIN_MAX + 2];
    snprintf(parameter, sizeof parameter, "#%s", channel->name);
    if (hb_irc_shard_is_up(at))
        hb_irc_connection_send(at->connection, command, parameter);
}

void hb_irc_channel_leave_former(irc_channel *channel)
{
    irc_shard *former = channel->former;
    channel->former = NULL;
    if (former != NULL && --former->former == 0)
        former->due_ms = hb_monotonic_ms() + LINGER * former->client->retry_ms;
}

void hb_irc_channel_refused(irc_channel *channel)
{
    channel->state = REFUSED;
    channel->due_ms = hb_monotonic_ms() + hb_backoff_next(&channel->backoff, hb_random());
}

void hb_irc_channel_joined(irc_channel *channel)
{
    channel->state = JOINED;
    channel->backoff.failures = 0;
    channel->told = false;
    channel->untold = false;
    hb_irc_channel_leave_former(channel);
}

static void drop_channel(irc_channel *channel)
{
    if (channel->state == ASKED || channel->state == JOINED)
        send_channel(channel->shard, "PART", channel);
    if (channel->former != NULL)
        send_channel(channel->former, "PART", channel);
    hb_irc_channel_leave_former(channel);
    channel->shard->channels--;
    free(channel);
}

/* ---- Shards ---- */

irc_shard *hb_irc_add_shard(hb_irc_client *client)
{
    irc_shard *added = hb_alloc(sizeof *added);
    added->client = client;
    added->due_ms = hb_monotonic_ms();
    added->backoff = (hb_backoff){.first_ms = client->retry_ms, .last_ms = STABLE * client->retry_ms};
    hb_reserve((void **)&client->shards, &client->shard_capacity, client->shard_count + 1, sizeof(void *));
    client->shards[client->shard_count++] = added;
    return added;
}

bool hb_irc_shard_is_up(const irc_shard *shard)
{
    return shard->connection != NULL && !shard->ended && hb_irc_connection_is_up(shard->connection);
}

static void place(hb_irc_client *client, irc_channel *channel)
{
    for (size_t i = 0; i < client->shard_count && channel->shard == NULL; i++)
        if (!client->shards[i]->retiring && client->shards[i]->channels < client->channels_per_connection)
            channel->shard = client->shards[i];
    if (channel->shard == NULL)
        channel->shard = hb_irc_add_shard(client);
    channel->shard->channels++;
}

/* Whether a JOIN has gone unanswered for too long, on a connection that did say something meanwhile. */
static bool is_unanswered(const irc_channel *channel, int64_t now_ms)
{
    return channel->state == ASKED && now_ms >= channel->due_ms && hb_irc_shard_is_up(channel->shard) &&
           hb_irc_connection_heard_ms(channel->shard->connection) >
               channel->due_ms - channel->shard->client->peer.silence_ms;
}

void hb_irc_join_due(hb_irc_client *client)
{
    const int64_t now_ms = hb_monotonic_ms();
    bool paced = false;
    for (size_t i = 0; i < client->channel_count; i++) {
        irc_channel *channel = client->channels[i];
        if (is_unanswered(channel, now_ms)) {
            hb_irc_channel_refused(channel);
            channel->untold = !channel->told;
        }
        const bool due = channel->state == WAITING || (channel->state == REFUSED && now_ms >= channel->due_ms);
        if (!due || paced || !hb_irc_shard_is_up(channel->shard))
            continue;
        paced = !hb_pace_take(&client->joins, now_ms);
        if (paced)
            continue;
        channel->state = ASKED;
        channel->due_ms = now_ms + client->peer.silence_ms;
        send_channel(channel->shard, "JOIN", channel);
    }
}

/* ---- The list of channels ---- */

/* Reads names into logins, each once. False with *error when one is none or they are too many. */
static bool read_names(const hb_irc_client *client, const char *const *names, size_t count,
                       char (*logins)[HB_LOGIN_MAX + 1], size_t *login_count, hb_error *error)
{
    hb_map seen = {0};
    bool fine = true;
    *login_count = 0;
    for (size_t i = 0; i < count && fine; i++) {
        char *login = logins[*login_count];
        fine =
            hb_channel_name_read(hb_bytes_of(names[i]), login) ||
            hb_fail(error, HB_ERROR_USAGE, "'%s' is no channel's name: that is 1 to %d letters, digits and underscores",
                    names[i], HB_LOGIN_MAX);
        const uint64_t hash = fine ? hb_hash(hb_bytes_of(login), 0) : 0;
        uint32_t at = fine ? hb_map_first(&seen, hash) : HB_MAP_END;
        while (at != HB_MAP_END && strcmp(logins[hb_map_entry(&seen, at)], login) != 0)
            at = hb_map_next(&seen, hash, at);
        if (fine && at == HB_MAP_END)
            hb_map_insert(&seen, hash, (uint32_t)(*login_count)++);
    }
    hb_map_free(&seen);
    if (fine && client->channels_max > 0 && *login_count > client->channels_max)
        fine =
            hb_fail(error, HB_ERROR_LIMIT,
                    "%zu channels are too many: since May 2024 Twitch lets an account listen to %u at once; "
                    "--channels-max N (0: no bound) is for accounts that moderate their channels, which do not count",
                    *login_count, client->channels_max);
    return fine;
}

/* Drops the channels that are not wanted, and numbers the others anew. */
static void drop_unwanted(hb_irc_client *client)
{
    size_t kept = 0;
    hb_map_clear(&client->names);
    for (size_t i = 0; i < client->channel_count; i++) {
        irc_channel *channel = client->channels[i];
        if (!channel->wanted) {
            drop_channel(channel);
            continue;
        }
        channel->wanted = false;
        client->channels[kept] = channel;
        hb_map_insert(&client->names, hb_hash(hb_bytes_of(channel->name), 0), (uint32_t)kept++);
    }
    client->channel_count = kept;
}

static void add_channel(hb_irc_client *client, const char *login)
{
    irc_channel *added = hb_alloc(sizeof *added);
    snprintf(added->name, sizeof added->name, "%s", login);
    added->backoff =
        (hb_backoff){.first_ms = CHANNEL_FIRST * client->retry_ms, .last_ms = CHANNEL_LAST * client->retry_ms};
    hb_reserve((void **)&client->channels, &client->channel_capacity, client->channel_count + 1, sizeof(void *));
    hb_map_insert(&client->names, hb_hash(hb_bytes_of(login), 0), (uint32_t)client->channel_count);
    client->channels[client->channel_count++] = added;
    place(client, added);
}

bool hb_irc_client_set_channels(hb_irc_client *client, const char *const *channels, size_t count, hb_error *error)
{
    char(*logins)[HB_LOGIN_MAX + 1] = hb_alloc((count + 1) * sizeof *logins);
    size_t login_count = 0;
    const bool fine = read_names(client, channels, count, logins, &login_count, error);
    for (size_t i = 0; i < login_count && fine; i++) {
        irc_channel *known = hb_irc_find_channel(client, hb_bytes_of(logins[i]));
        if (known != NULL)
            known->wanted = true;
    }
    if (fine) {
        drop_unwanted(client);
        for (size_t i = 0; i < login_count; i++)
            if (hb_irc_find_channel(client, hb_bytes_of(logins[i])) == NULL)
                add_channel(client, logins[i]);
        client->changed = true;
        atomic_store(&client->wanted, client->channel_count);
    }
    free(logins);
    return fine;
}
