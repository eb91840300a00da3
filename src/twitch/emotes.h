/* emotes.h - asks BetterTTV, FrankerFaceZ and 7TV which emotes the channels have, and has the log told of them. A
 * thread of its own asks; what it knows is kept on the disk, and asked again a day later. What cannot be had is told
 * once, and what is known goes on to count. */
#ifndef HB_TWITCH_EMOTES_H
#define HB_TWITCH_EMOTES_H

#include "base/metrics.h"
#include "twitch/emote_answer.h"

typedef struct hb_emotes hb_emotes;

#define HB_EMOTES_BTTV_URL "https://api.betterttv.net"
#define HB_EMOTES_FFZ_URL  "https://api.frankerfacez.com"
#define HB_EMOTES_7TV_URL  "https://7tv.io"

typedef struct hb_emotes_options {       /* copied */
    const char *urls[HB_EMOTE_SERVICES]; /* where each API is; NULL: it is not asked */
    const char *data;                    /* answers are kept in DATA/emotes (emote_cache.h); NULL: nowhere */
    const char *tls_ca_file;             /* as in hb_helix_options */
    int timeout_ms;                      /* of one call: 10,000 */
    int retry_ms;                        /* as in hb_irc_options: 1,000 */
    int pause_ms;                        /* between two calls: 100 */
    int64_t refresh_ms;                  /* how long an answer is good for: a day */
} hb_emotes_options;

/* Starts the thread. NULL: HB_ERROR_USAGE (an URL that is none), HB_ERROR_SYSTEM. metrics may be NULL. */
hb_emotes *hb_emotes_open(const hb_emotes_options *options, hb_metrics *metrics, hb_error *error);
void hb_emotes_close(hb_emotes *emotes);

/* Puts a fact into the log; false when it was dropped. */
typedef bool hb_emotes_put(void *context, hb_bytes line, int64_t received_ms);

/* Sees a line of chat before it is put into the log, and puts there what has to stand before it. One thread at a time;
 * waits for nothing. */
void hb_emotes_see(hb_emotes *emotes, hb_bytes line, int64_t received_ms, hb_emotes_put *put, void *context);

#endif
