/* ingestor.h - Twitch -> log: chat connections on a thread of their own, the poller of viewers and that of emotes on
 * others, and the recorder that they fill. */
#ifndef HB_CMD_INGESTOR_H
#define HB_CMD_INGESTOR_H

#include "base/metrics.h"
#include "cmd/options.h"
#include "twitch/emotes.h"
#include "twitch/helix.h"
#include "twitch/irc_client.h"

typedef struct hb_ingestor hb_ingestor;

/* The options that commands with an ingestor share, beside HB_OPTIONS_PLACES. */
#define HB_OPTIONS_INGEST                                                                                              \
    {"channels-file", HB_OPTION_TEXT, "FILE", NULL, "channels, one a line; read again on SIGHUP"},                     \
        {"twitch-irc", HB_OPTION_ADDRESS, "HOST:PORT", "irc.chat.twitch.tv:6697", "the chat server"},                  \
        {"no-tls", HB_OPTION_FLAG, "", NULL, "connect without TLS"},                                                   \
        {"tls-ca", HB_OPTION_TEXT, "FILE", NULL, "trust these certificates (PEM) as well"},                            \
        {"joins-per-10s", HB_OPTION_NUMBER, "N", NULL,                                                                 \
         "JOINs in 10 s at most, 0: no bound (default: 20, Twitch's limit; none on loopback)"},                        \
        {"channels-max", HB_OPTION_NUMBER, "N", NULL,                                                                  \
         "channels at most, 0: no bound (default: 100, Twitch's limit; none on loopback)"},                            \
        {"channels-per-connection", HB_OPTION_NUMBER, "N", "50", "channels on one connection at most"},                \
        {"helix", HB_OPTION_TEXT, "URL", NULL, "where to ask for viewers, and for tokens, instead of Twitch"},         \
        {"viewers-every", HB_OPTION_REAL, "SECONDS", "60", "how often to ask for viewers; 0: never"},                  \
        {"emotes", HB_OPTION_SETTING, "SERVICE=URL", NULL,                                                             \
         "where to ask bttv, ffz or 7tv for channels' emotes; off: nowhere"},                                          \
        {"no-emotes", HB_OPTION_FLAG, "", NULL, "do not ask for emotes of BetterTTV, FrankerFaceZ and 7TV"},           \
    {                                                                                                                  \
        "queue", HB_OPTION_SIZE, "SIZE", "64M", "what may wait in memory while the disk is slow"                       \
    }

typedef struct hb_ingestor_options {
    hb_irc_options irc; /* on_line, on_refused and context are the ingestor's to set */
    hb_helix_options
        helix; /* on_sample, on_trouble and context are the ingestor's; client_id NULL: viewers are not asked for */
    const char *no_viewers; /* then: why not, and what to do about it */
    /* Called when it changes why there are no viewers, as hb_helix_options.on_trouble; also from hb_ingestor_open. May
     * be NULL. */
    void (*on_viewers)(void *context, const char *why);
    void *viewers_context;
    hb_emotes_options emotes; /* nobody is asked where no URL is set */
    bool no_emotes;           /* not even a demo's */
    const char *log;
    size_t queue_bytes;
} hb_ingestor_options;

/* Reads HB_OPTIONS_INGEST, --data, and TWITCH_LOGIN, TWITCH_TOKEN, TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET from the
 * environment or .env. Texts belong to options. False: HB_ERROR_USAGE. */
bool hb_ingestor_options_read(const hb_options *options, hb_ingestor_options *ingest, hb_error *error);

/* Checks the channels, opens the recorder, starts the thread and, on it, to connect. NULL: HB_ERROR_USAGE or
 * HB_ERROR_LIMIT (channels, before anything else is touched), and what hb_irc_client_open and hb_recorder_open fail
, hb_helix_open
 * and hb_emotes_open fail with. */
hb_ingestor *hb_ingestor_open(const hb_ingestor_options *ingest, const char *const *channels, size_t count,
                              hb_metrics *metrics, hb_error *error);

/* As hb_irc_client_set_channels, from any thread but the ingestor's own; viewers are then asked of these, too. */
bool hb_ingestor_set_channels(hb_ingestor *ingestor, const char *const *channels, size_t count, hb_error *error);

/* What a SIGHUP asks for: gathers the channels anew (hb_channel_list_gather) and sets them; says how it went. When
 * something is wrong the old list stays. */
void hb_ingestor_reload(hb_ingestor *ingestor, const hb_options *options);

/* How many channels are joined, of how many wanted. Any thread. */
void hb_ingestor_joined(const hb_ingestor *ingestor, size_t *joined, size_t *wanted);

/* True, with why, when nothing more will be received because the login is refused (HB_ERROR_NETWORK). To be asked now
 * and then. Any thread. */
bool hb_ingestor_failed(hb_ingestor *ingestor, hb_error *error);

/* Waits, as a command's main thread, until SIGINT or SIGTERM says stop; a SIGHUP reloads. options NULL: nothing can be
 * reloaded. False: hb_ingestor_failed. hb_signals_block must have been called. */
bool hb_ingestor_wait(hb_ingestor *ingestor, const hb_options *options, hb_error *error);

/* Disconnects, and writes out what was received. False when facts could not be written. */
bool hb_ingestor_close(hb_ingestor *ingestor, hb_error *error);

#endif
