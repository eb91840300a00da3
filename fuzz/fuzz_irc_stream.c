/* fuzz_irc_stream.c - what a chat server may send, in any pieces, before and after the login: the client keeps its
 * books right (ASan), and its line splitter within its bound. The socket is a real one, so that what the client sends
 * goes somewhere; what it receives is fed in. */
#include "base/clock.h"
#include "base/say.h"
#include "twitch/irc_roster.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *loop;
static int listener = -1;
static hb_addresses addresses;

static void set_up(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-fuzz-%d", (int)getpid()); /* abstract */
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    loop = event_base_new();
    if (loop == NULL || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0)
        abort();
    memcpy(&addresses.list[0].address, &address, sizeof address);
    addresses.list[0].size = sizeof address;
    addresses.count = 1;
    signal(SIGPIPE, SIG_IGN);
    hb_say_up_to(HB_SAY_ERROR);
}

static void on_line(void *context, hb_bytes line, int64_t received_ms)
{
    (void)received_ms;
    if (line.size == 0 || line.size > 64 * 1024 || memchr(line.data, '\n', line.size) != NULL)
        abort();
    *(size_t *)context += line.size;
}

static void feed(hb_irc_client *client, hb_bytes chunk)
{
    irc_shard *shard = client->shards[0];
    char *copy = malloc(chunk.size == 0 ? 1 : chunk.size); /* of its own, so that ASan sees a read past it */
    if (chunk.size > 0)
        memcpy(copy, chunk.data, chunk.size);
    if (!shard->ended)
        hb_irc_connection_feed(shard->connection, (hb_bytes){copy, chunk.size});
    free(copy);
    hb_irc_join_due(client);
    hb_irc_tell(client);
}

static void check(const hb_irc_client *client)
{
    size_t channels = 0;
    size_t former = 0;
    for (size_t i = 0; i < client->shard_count; i++) {
        channels += client->shards[i]->channels;
        former += client->shards[i]->former;
    }
    for (size_t i = 0; i < client->channel_count; i++)
        former -= client->channels[i]->former != NULL;
    if (channels != client->channel_count || former != 0)
        abort();
}

/* The first byte says whether the login comes first; each piece then begins with its size. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "b", "xqc"};
    if (listener < 0)
        set_up();
    size_t received = 0;
    hb_error error = {0};
    const hb_irc_options options = {.host = "localhost",
                                    .channels_per_connection = 50,
                                    .silence_ms = 10000,
                                    .retry_ms = 1000,
                                    .on_line = on_line,
                                    .context = &received};
    hb_irc_client *client = hb_irc_client_open(loop, &options, NULL, &error);
    if (client == NULL || !hb_irc_client_set_channels(client, names, 3, &error))
        abort();
    client->shards[0]->connection = hb_irc_connection_open(&client->peer, &addresses, client->shards[0]);
    const int other = accept(listener, NULL, NULL);
    event_base_loop(loop, EVLOOP_NONBLOCK);
    if (size > 0 && data[0] % 4 != 0)
        feed(client, HB_BYTES(":tmi.twitch.tv 001 justinfan1 :Welcome\r\n"));
    for (size_t at = 1; at < size;) {
        const size_t left = size - at - 1;
        const size_t piece = data[at] < left ? data[at] : left;
        feed(client, (hb_bytes){(const char *)data + at + 1, piece});
        at += 1 + piece;
    }
    check(client);
    if (size > 0 && data[0] % 8 == 1 && !hb_irc_client_set_channels(client, names + 1, 1, &error))
        abort();
    check(client);
    hb_irc_client_close(client);
    event_base_loop(loop, EVLOOP_NONBLOCK);
    close(other);
    return 0;
}
