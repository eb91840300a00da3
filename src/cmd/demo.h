/* demo.h - what `hubbub run --demo` listens to: a simulated Twitch inside this process, on loopback. */
#ifndef HB_CMD_DEMO_H
#define HB_CMD_DEMO_H

#include "cmd/channels_file.h"
#include "twitch/helix.h"
#include "twitch/irc_client.h"

typedef struct hb_demo hb_demo;

/* Where the demo keeps its data, so that made-up chat never mixes with real chat. */
#define HB_DEMO_LOG   "./hubbub-data-demo/log"
#define HB_DEMO_STORE "./hubbub-data-demo/hubbub.db"

/* Opens the simulator, points irc and helix at it and adds its channels to the list. helix->url points into the demo.
 * NULL: as hb_simulator_open. */
hb_demo *hb_demo_open(hb_irc_options *irc, hb_helix_options *helix, hb_channel_list *channels, hb_error *error);
void hb_demo_close(hb_demo *demo);

#endif
