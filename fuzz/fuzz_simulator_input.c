/* fuzz_simulator_input.c - any bytes from a client of the simulated Twitch, in chunks: no harm, and every channel that
 * was joined is parted when the connection closes. */
#include "base/memory.h"
#include "base/say.h"
#include "twitch/simulator_client.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANNELS = 3 };

static const char *const logins[CHANNELS] = {"a", "bb", "some_channel"};
static int joined[CHANNELS];

static bool find_channel(void *context, hb_bytes login, size_t *number)
{
    (void)context;
    for (size_t i = 0; i < CHANNELS; i++)
        if (hb_bytes_equal(login, hb_bytes_of(logins[i]))) {
            *number = i;
            return true;
        }
    return false;
}

static void join(void *context, hb_client *client, size_t number)
{
    (void)context;
    (void)client;
    if (++joined[number] != 1)
        abort();
}

static void part(void *context, hb_client *client, size_t number)
{
    (void)context;
    (void)client;
    if (--joined[number] != 0)
        abort();
}

static void ignore(void *context)
{
    (void)context;
}

static uint64_t room_id(void *context, size_t number)
{
    (void)context;
    return number + 1;
}

/* The first byte says how large the chunks are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_base *loop = NULL;
    static const hb_chat_source chat = {.channel_count = CHANNELS, .room_id = room_id};
    static const hb_client_shared shared = {NULL,  &chat,        "token", 1 << 14, 60000,  1000,
                                            false, find_channel, join,    part,    ignore, ignore};
    struct bufferevent *ends[2];
    if (loop == NULL)
        loop = event_base_new();
    if (size == 0 || bufferevent_pair_new(loop, 0, ends) != 0)
        return 0;
    hb_say_up_to(HB_SAY_ERROR);
    bufferevent_enable(ends[0], EV_WRITE); /* it reads nothing: the bound on what waits is met, too */
    hb_client *client = hb_client_open(&shared, ends[1], 1);
    const size_t chunk = (size_t)data[0] * 16 + 1;
    for (size_t at = 1; at < size; at += chunk) {
        bufferevent_write(ends[0], data + at, size - at < chunk ? size - at : chunk);
        event_base_loop(loop, EVLOOP_NONBLOCK);
    }
    hb_client_send(client, HB_BYTES("@id=1 :a!a@a PRIVMSG #a :hi"), true);
    hb_client_flush(client);
    hb_client_is_over(client, 1);
    hb_client_close(client);
    bufferevent_free(ends[0]);
    event_base_loop(loop, EVLOOP_NONBLOCK);
    for (size_t i = 0; i < CHANNELS; i++)
        if (joined[i] != 0)
            abort();
    return 0;
}
