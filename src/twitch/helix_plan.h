/* helix_plan.h - what to do after each answer of Twitch's API, and when: no clock, no connection, no thread, so that
 * every decision can be tested. Times are Unix milliseconds where they have to do with Ratelimit-Reset. */
#ifndef HB_TWITCH_HELIX_PLAN_H
#define HB_TWITCH_HELIX_PLAN_H

#include "twitch/http.h"
#include "twitch/pace.h"

typedef struct hb_helix_plan {
    hb_backoff backoff;
    bool renewed; /* the token is new, and no call has been answered with it yet */
} hb_helix_plan;

typedef enum hb_helix_step {
    HB_HELIX_NEXT,   /* all is well: the next call */
    HB_HELIX_AGAIN,  /* the same call again */
    HB_HELIX_RENEW,  /* another token, then the same call again */
    HB_HELIX_SPLIT,  /* the call is not understood: ask for fewer channels, to find the one that it is about */
    HB_HELIX_REFUSED /* the client id or its secret is wrong: a person has to see to it */
} hb_helix_step;

/* What comes after a call for streams, and after one for a token. *wait_ms: how long to wait before it. random: 32
 * random bits. */
hb_helix_step hb_helix_after_streams(hb_helix_plan *plan, const hb_http_outcome *outcome, int64_t now_ms,
                                     uint32_t random, int64_t *wait_ms);
hb_helix_step hb_helix_after_token(hb_helix_plan *plan, const hb_http_outcome *outcome, int64_t now_ms, uint32_t random,
                                   int64_t *wait_ms);

/* How long a token may be used (ms): a tenth of its life less, at most ten minutes less. 0: its life is not known. */
int64_t hb_helix_token_use_ms(int64_t expires_in_s);

/* A wait for Ratelimit-Reset is at most this, so that a wrong clock, here or there, cannot stop the calls. */
enum { HB_HELIX_RESET_MAX_MS = 120 * 1000, HB_HELIX_REFUSED_MS = 600 * 1000 };

#endif
