/* helix.h - how many watch: asks Twitch's API (Helix) for the channels' streams, again and again, and hands over each
 * answer as viewer samples. A thread of its own.
 *
 * Source: Twitch, "API Reference", "Get Streams": up to 100 logins a call, an app access token by client credentials,
 * and "Twitch API: Rate Limits". Answers are cached by Twitch for a minute or so: asking more often tells nothing new.
 */
#ifndef HB_TWITCH_HELIX_H
#define HB_TWITCH_HELIX_H

#include "base/memory.h"
#include "base/metrics.h"

typedef struct hb_helix hb_helix;

/* Where a person gets what the API needs; for messages. */
#define HB_HELIX_CONSOLE "dev.twitch.tv/console/apps"

typedef struct hb_helix_options { /* copied */
    /* The API is at URL/helix/streams and tokens are at URL/oauth2/token; NULL: Twitch's own two places. */
    const char *url;
    const char *client_id;
    const char *client_secret;
    const char *tls_ca_file; /* further trusted certificates (PEM), or NULL: the system's */
    int every_ms;            /* from one round over all channels to the next: 60,000 */
    int timeout_ms;          /* of one call: 10,000 */
    int retry_ms;            /* as in hb_irc_options: 1,000 */
    /* Called on the poller's thread for each channel that is live: a fact without rm-received-ts, and the wall clock.
     * The line holds until return. A channel that is offline has no sample. */
    void (*on_sample)(void *context, hb_bytes line, int64_t received_ms);
    /* Called on the poller's thread when it changes why there are no viewers: a sentence, or NULL once they come. May
     * be NULL. */
    void (*on_trouble)(void *context, const char *why);
    void *context;
} hb_helix_options;

/* Starts the thread; asks once channels are set. NULL: HB_ERROR_USAGE (an URL that is none, or over which the secret
 * could be read; an id or secret that cannot be one), HB_ERROR_SYSTEM. metrics may be NULL. Tells the person (hb_say)
 * what a person has to know: credentials that are not accepted, viewers that do not come, and when they do again. */
hb_helix *hb_helix_open(const hb_helix_options *options, hb_metrics *metrics, hb_error *error);

/* Makes these the channels, from the next round on, which begins at once. Names in any case, with or without '#';
 * what is no name is left out. Any thread. */
void hb_helix_set_channels(hb_helix *helix, const char *const *channels, size_t count);

/* Breaks off the call in hand, and frees. Not from inside its callbacks. */
void hb_helix_close(hb_helix *helix);

#endif
