/* simulator_helix.h - the API of the simulated Twitch, over HTTP: tokens at /oauth2/token, streams at /helix/streams,
 * channels' emotes where BetterTTV, FrankerFaceZ and 7TV have them, and at /control what a test wants to go wrong.
 *
 * What it knows of Twitch: the client credentials grant (forms and errors of "Getting OAuth Access Tokens"), tokens
 * that expire, user_login up to 100 times and first up to 100 (20 without), 400, 401 and 429 with Twitch's bodies, and
 * the rate limit as a bucket of 800 points that fills in a minute, told in the Ratelimit headers.
 *
 * /control takes, each time by itself or together, and answers how often it was called since the start:
 *   token-life=SECONDS      what tokens are good for that are given from now on
 *   revoke=1                no token given so far is taken any more
 *   points=N                what is left in the bucket now
 *   client=ID               the only client id that is taken
 *   answer=WHAT&times=N     the next N calls for streams are answered so: an HTTP status (429 with Ratelimit-Reset in
 *   [&reset-after=SECONDS]  so many seconds), "malformed", "huge" (more than any client should take), or "silence"
 *   token-answer=WHAT&times=N  the same for calls for tokens
 *   emotes-answer=WHAT&times=N and for calls for emotes
 *   emotes-season=N         channels' emotes of another season (simulator_emotes.h)
 */
#ifndef HB_TWITCH_SIMULATOR_HELIX_H
#define HB_TWITCH_SIMULATOR_HELIX_H

#include "twitch/chat_source.h"

typedef struct hb_simulator_helix hb_simulator_helix;

typedef struct hb_simulator_helix_options {
    const char *host;    /* where to listen: "127.0.0.1" */
    uint16_t port;       /* 0: any that is free */
    hb_chat_source chat; /* only its channels are asked for */
    uint64_t seed;       /* of viewers, games and titles */
    double speed;        /* so many seconds of streaming a second */
} hb_simulator_helix_options;

/* Listens, and starts the thread. NULL: HB_ERROR_BUSY (the port), HB_ERROR_SYSTEM. */
hb_simulator_helix *hb_simulator_helix_open(const hb_simulator_helix_options *options, hb_error *error);
void hb_simulator_helix_close(hb_simulator_helix *helix);

uint16_t hb_simulator_helix_port(const hb_simulator_helix *helix);

#endif
