/* helix_plan.c - Twitch gives each client points (800 a minute; a call takes one), tells with every answer how many are
 * left and when all are there again, and says 429 when there are none ("Twitch API: Rate Limits"). So: no call without
 * a point; and whatever else goes wrong is tried again, later each time. */
#include "twitch/helix_plan.h"

/* Until the points are there again, and up to a second more by chance; 0 when that time is over or not told. */
static int64_t until_reset(const hb_http_outcome *outcome, int64_t now_ms, uint32_t random)
{
    const int64_t most_s = (now_ms + HB_HELIX_RESET_MAX_MS) / 1000;
    const int64_t reset_s = outcome->reset_s > most_s ? most_s : outcome->reset_s;
    return reset_s * 1000 <= now_ms ? 0 : reset_s * 1000 - now_ms + (int64_t)(random % 1000);
}

static hb_helix_step again(hb_helix_plan *plan, const hb_http_outcome *outcome, int64_t now_ms, uint32_t random,
                           int64_t *wait_ms)
{
    const int64_t back_ms = hb_backoff_next(&plan->backoff, random);
    const bool empty = outcome->status == 429 || outcome->remaining == 0;
    const int64_t reset_ms = empty ? until_reset(outcome, now_ms, random) : 0;
    *wait_ms = reset_ms > back_ms ? reset_ms : back_ms;
    return HB_HELIX_AGAIN;
}

static hb_helix_step next(hb_helix_plan *plan, const hb_http_outcome *outcome, int64_t now_ms, uint32_t random,
                          int64_t *wait_ms)
{
    plan->backoff.failures = 0;
    *wait_ms = outcome->remaining == 0 ? until_reset(outcome, now_ms, random) : 0;
    return HB_HELIX_NEXT;
}

hb_helix_step hb_helix_after_streams(hb_helix_plan *plan, const hb_http_outcome *outcome, int64_t now_ms,
                                     uint32_t random, int64_t *wait_ms)
{
    const bool renewed = plan->renewed;
    plan->renewed = false;
    *wait_ms = 0;
    switch (outcome->status) {
    case 200:
        return next(plan, outcome, now_ms, random, wait_ms);
    case 400:
        return HB_HELIX_SPLIT;
    case 401:
        if (renewed) /* not even a new one is taken: that is no matter of its age */
            again(plan, outcome, now_ms, random, wait_ms);
        return HB_HELIX_RENEW;
    default:
        return again(plan, outcome, now_ms, random, wait_ms);
    }
}

hb_helix_step hb_helix_after_token(hb_helix_plan *plan, const hb_http_outcome *outcome, int64_t now_ms, uint32_t random,
                                   int64_t *wait_ms)
{
    *wait_ms = 0;
    switch (outcome->status) {
    case 200: /* failures are forgotten only once the token is taken */
        plan->renewed = true;
        return HB_HELIX_NEXT;
    case 400: /* "invalid client" */
    case 401:
    case 403: /* "invalid client secret" */
        *wait_ms = HB_HELIX_REFUSED_MS;
        return HB_HELIX_REFUSED;
    default:
        return again(plan, outcome, now_ms, random, wait_ms);
    }
}

int64_t hb_helix_token_use_ms(int64_t expires_in_s)
{
    const int64_t life_ms = expires_in_s * 1000;
    const int64_t early_ms = life_ms / 10 < 600 * 1000 ? life_ms / 10 : 600 * 1000;
    return life_ms - early_ms;
}
