/* irc_tell.c - one line each for what a person has to know, however many connections it happens to at once: events
 * are counted as they come, and told together at the next tick. */
#include "twitch/irc_roster.h"

#include "base/clock.h"
#include "base/say.h"

#include <stdio.h>

void hb_irc_note_loss(irc_shard *shard, const char *reason, int64_t wait_ms)
{
    hb_irc_client *client = shard->client;
    const int64_t now_ms = hb_monotonic_ms();
    const bool repeated =
        strcmp(reason, client->told_reason) == 0 && now_ms - client->told_lost_ms < REPEAT * (int64_t)client->retry_ms;
    if (shard->told && repeated)
        return;
    shard->told = true;
    if (client->lost++ == 0) {
        snprintf(client->reason, sizeof client->reason, "%s", reason);
        client->retry_at_ms = now_ms + wait_ms;
        client->lost_ms = now_ms;
    }
    client->trouble = true;
}

static void tell_moves(hb_irc_client *client)
{
    if (client->moved == 0)
        return;
    hb_say_note("%s:%u asked for new connections: %zu of %zu will be replaced, with nothing lost meanwhile",
                client->peer.host, client->peer.port, client->moved, client->shard_count - client->moved);
    client->moved = 0;
}

static void tell_losses(hb_irc_client *client, int64_t now_ms)
{
    /* What breaks, breaks for many connections within moments: half a second gathers them. */
    if (client->lost == 0 || now_ms - client->lost_ms < client->retry_ms / 2 ||
        (client->told_lost_ms != 0 && now_ms - client->told_lost_ms < QUIET * (int64_t)client->retry_ms))
        return;
    const double wait_s = client->retry_at_ms > now_ms ? (double)(client->retry_at_ms - now_ms) / 1000 : 0;
    const char *what = client->login_worked ? "lost" : "not made";
    if (client->lost == 1)
        hb_say_warning("the connection to %s:%u is %s: %s; trying again in %.1f s", client->peer.host,
                       client->peer.port, what, client->reason, wait_s);
    else
        hb_say_warning("%zu connections to %s:%u are %s: %s; trying again in %.1f s", client->lost, client->peer.host,
                       client->peer.port, what, client->reason, wait_s);
    memcpy(client->told_reason, client->reason, sizeof client->told_reason);
    client->told_lost_ms = now_ms;
    client->lost = 0;
}

/* Channels whose JOIN was not answered, in one line. */
static void tell_unanswered(hb_irc_client *client)
{
    enum { NAMED = 10 };
    hb_buffer names = {0};
    size_t count = 0;
    for (size_t i = 0; i < client->channel_count; i++) {
        irc_channel *channel = client->channels[i];
        if (!channel->untold)
            continue;
        channel->untold = false;
        channel->told = true;
        if (count++ < NAMED)
            hb_buffer_print(&names, "%s#%s", names.size == 0 ? "" : ", ", channel->name);
    }
    if (count > NAMED)
        hb_buffer_print(&names, " and %zu more", count - NAMED);
    if (count > 0)
        hb_say_warning(
            "not joined, because %s does not confirm it: %.*s (does the channel exist?); hubbub keeps trying",
            client->peer.host, HB_PRINT(hb_buffer_bytes(&names)));
    hb_buffer_free(&names);
}

static void tell_joined(hb_irc_client *client, size_t joined, bool settled, int64_t now_ms)
{
    const bool news = joined != client->told_joined || client->channel_count != client->told_wanted;
    const bool long_ago = now_ms - client->told_joined_ms >= PROGRESS * (int64_t)client->retry_ms;
    if (settled ? !(news || client->trouble || client->changed) : !(news && joined > 0 && long_ago))
        return;
    hb_say_note("joined %zu of %zu channels%s", joined, client->channel_count,
                settled && client->trouble && client->told_joined > 0 ? " again" : "");
    client->told_joined = joined;
    client->told_wanted = client->channel_count;
    client->told_joined_ms = now_ms;
    if (settled)
        client->trouble = client->changed = false;
}

void hb_irc_tell(hb_irc_client *client)
{
    const int64_t now_ms = hb_monotonic_ms();
    size_t joined = 0;
    size_t up = 0;
    bool settled = true;
    for (size_t i = 0; i < client->channel_count; i++) {
        const irc_channel *channel = client->channels[i];
        joined += channel->state == JOINED || channel->former != NULL;
        settled = settled && (channel->state == JOINED || channel->state == REFUSED);
    }
    for (size_t i = 0; i < client->shard_count; i++)
        up += hb_irc_shard_is_up(client->shards[i]);
    atomic_store(&client->joined, joined);
    atomic_store(&client->wanted, client->channel_count);
    hb_metric_set(client->channels_joined, (int64_t)joined);
    hb_metric_set(client->channels_wanted, (int64_t)client->channel_count);
    hb_metric_set(client->connections, (int64_t)up);
    tell_moves(client);
    if (settled || client->stopped)
        client->lost = 0; /* it is back before it was told: that is told below */
    tell_losses(client, now_ms);
    tell_unanswered(client);
    if (client->channel_count > 0 && client->login_worked)
        tell_joined(client, joined, settled, now_ms);
}
