/* demo.c - a simulated Twitch of a size that a person can follow: some channels, from a busy one to quiet ones. */
#include "cmd/demo.h"

#include "base/clock.h"
#include "base/error.h"
#include "twitch/chat_maker.h"
#include "twitch/simulator.h"
#include "twitch/simulator_helix.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    DEMO_CHANNELS = 16,
    DEMO_RATE = 60,
    DEMO_BURSTS = 4, /* minutes */
    DEMO_SEED = 11,
    DEMO_SPEED = 4, /* channels go live and offline so many times as fast as they would, for somebody to see it */
    DEMO_VIEWERS_MS = 10000
};

struct hb_demo {
    hb_chat_maker *maker;
    hb_simulator *simulator;
    hb_simulator_helix *helix;
    char helix_url[40];
};

static void point_irc(const hb_demo *demo, hb_irc_options *irc)
{
    irc->host = "127.0.0.1";
    irc->port = hb_simulator_port(demo->simulator);
    irc->tls = false;
    irc->login = irc->token = NULL;
    irc->joins_per_10_s = irc->channels_max = 0;
}

static void point_helix(hb_demo *demo, hb_helix_options *helix)
{
    if (helix->every_ms == 0)
        return; /* no viewers are wanted */
    helix->url = demo->helix_url;
    helix->client_id = helix->client_secret = "demo";
    if (helix->every_ms > DEMO_VIEWERS_MS)
        helix->every_ms = DEMO_VIEWERS_MS;
}

static void point_emotes(const hb_demo *demo, hb_emotes_options *emotes)
{
    for (size_t i = 0; i < HB_EMOTE_SERVICES; i++)
        emotes->urls[i] = demo->helix_url;
    emotes->pause_ms = 0;
}

bool hb_demo_asked(const hb_options *options)
{
    return hb_options_flag(options, "demo");
}

bool hb_demo_keeps(const hb_options *options)
{
    return hb_demo_asked(options) && !hb_options_given(options, "data") && !hb_options_given(options, "log") &&
           !hb_options_given(options, "store");
}

bool hb_demo_gather(hb_channel_list *channels, const hb_options *options, hb_error *error)
{
    if (!hb_demo_asked(options))
        return hb_channel_list_gather(channels, options, error);
    if (hb_options_argument_count(options) > 0 || hb_options_text(options, "channels-file") != NULL)
        return hb_fail(error, HB_ERROR_USAGE, "--demo has channels of its own; leave out --demo to listen to others");
    return true;
}

hb_demo *hb_demo_open(hb_irc_options *irc, hb_helix_options *helix, hb_emotes_options *emotes,
                      hb_channel_list *channels, hb_error *error)
{
    /* A demo that goes on with data that is there must not repeat its messages' ids: they would not count again. */
    const hb_chat_options chat = {.seed = DEMO_SEED,
                                  .run = (uint64_t)hb_now_ms(),
                                  .channels = DEMO_CHANNELS,
                                  .rate = DEMO_RATE,
                                  .bursts = DEMO_BURSTS};
    hb_demo *demo = hb_alloc(sizeof *demo);
    demo->maker = hb_chat_maker_open(&chat, error);
    if (demo->maker != NULL) {
        const hb_simulator_options options = {.host = "127.0.0.1", .chat = hb_chat_maker_source(demo->maker)};
        demo->simulator = hb_simulator_open(&options, error);
    }
    if (demo->simulator != NULL) {
        const hb_simulator_helix_options options = {
            .host = "127.0.0.1", .chat = hb_chat_maker_source(demo->maker), .seed = DEMO_SEED, .speed = DEMO_SPEED};
        demo->helix = hb_simulator_helix_open(&options, error);
    }
    if (demo->helix == NULL) {
        hb_demo_close(demo);
        return NULL;
    }
    const hb_chat_source source = hb_chat_maker_source(demo->maker);
    for (size_t i = 0; i < source.channel_count; i++)
        hb_channel_list_add(channels, source.channel(source.context, i));
    point_irc(demo, irc);
    snprintf(demo->helix_url, sizeof demo->helix_url, "http://127.0.0.1:%u", hb_simulator_helix_port(demo->helix));
    point_helix(demo, helix);
    if (emotes != NULL)
        point_emotes(demo, emotes);
    return demo;
}

void hb_demo_close(hb_demo *demo)
{
    if (demo == NULL)
        return;
    hb_simulator_helix_close(demo->helix);
    hb_simulator_close(demo->simulator);
    hb_chat_maker_close(demo->maker);
    free(demo);
}
