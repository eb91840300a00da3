/* demo.h - what `hubbub run --demo` and `hubbub ingest --demo` listen to: a simulated Twitch inside this process, on
 * loopback. */
#ifndef HB_CMD_DEMO_H
#define HB_CMD_DEMO_H

#include "cmd/channels_file.h"
#include "cmd/options.h"
#include "twitch/emotes.h"
#include "twitch/helix.h"
#include "twitch/irc_client.h"

typedef struct hb_demo hb_demo;

/* Where the demo keeps its data, so that made-up chat never mixes with real chat. */
#define HB_DEMO_DATA  "./hubbub-data-demo"
#define HB_DEMO_LOG   "./hubbub-data-demo/log"
#define HB_DEMO_STORE "./hubbub-data-demo/hubbub.db"

#define HB_OPTION_DEMO                                                                                                 \
    {                                                                                                                  \
        "demo", HB_OPTION_FLAG, "", NULL, "listen to a simulated Twitch (data: ./hubbub-data-demo)"                    \
    }

/* For commands with HB_OPTION_DEMO and HB_OPTIONS_INGEST: whether the demo is asked for. */
bool hb_demo_asked(const hb_options *options);

/* Whether the demo keeps its data in the places above: it is asked for, and no other place is named. */
bool hb_demo_keeps(const hb_options *options);

/* Gathers the channels as hb_channel_list_gather does; for the demo, which has its own, makes sure that none are named
 * (HB_ERROR_USAGE) and leaves the list to hb_demo_open. */
bool hb_demo_gather(hb_channel_list *channels, const hb_options *options, hb_error *error);

/* Opens the simulator, points irc, helix and emotes (may be NULL) at it and adds its channels to the list. URLs point
 * into the demo. NULL: as hb_simulator_open. */
hb_demo *hb_demo_open(hb_irc_options *irc, hb_helix_options *helix, hb_emotes_options *emotes,
                      hb_channel_list *channels, hb_error *error);
void hb_demo_close(hb_demo *demo);

#endif
