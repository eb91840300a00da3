/* ingestor.c - one thread runs the chat connections' event loop and puts what they hand over into the recorder's queue;
 * it never waits for the disk. The poller of viewers (helix.h) puts its samples there too; facts of emotes (emotes.h)
 * are put by the loop's thread, before the messages that they are for. Other threads reach the loop through an eventfd:
 * they leave a request, wake the loop, and wait for the answer. The loop itself needs no locks. */
#include "cmd/ingestor.h"

#include "base/error.h"
#include "base/say.h"
#include "cmd/channels_file.h"
#include "cmd/signals.h"
#include "log/recorder.h"
#include "twitch/lookup.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 500 }; /* how often to ask whether the login was refused */

struct hb_ingestor {
    struct event_base *loop;
    struct event *woken;
    int wake; /* eventfd */
    hb_irc_client *client;
    hb_recorder *recorder;
    hb_helix *helix;   /* NULL: viewers are not asked for */
    hb_emotes *emotes; /* NULL: neither are emotes */
    hb_ingestor_options options;
    pthread_t thread;
    pthread_mutex_t callers; /* held by the one that has a request */
    pthread_mutex_t lock;    /* of all below */
    pthread_cond_t answered;
    const char *const *channels; /* the request; NULL: none */
    size_t channel_count;
    hb_error *request_error;
    bool request_fine;
    bool stop;
    char refusal[512]; /* why the login is refused; empty: it is not */
};

/* ---- On the loop's thread ---- */

/* Any thread. What the recorder has to drop it counts and says. */
static bool put(void *context, hb_bytes line, int64_t received_ms)
{
    const hb_ingestor *ingestor = context;
    return hb_recorder_put(ingestor->recorder, line, received_ms);
}

static void on_line(void *context, hb_bytes line, int64_t received_ms)
{
    hb_ingestor *ingestor = context;
    if (ingestor->emotes != NULL)
        hb_emotes_see(ingestor->emotes, line, received_ms, put, ingestor);
    put(ingestor, line, received_ms);
}

static void on_refused(void *context, const char *reason)
{
    hb_ingestor *ingestor = context;
    pthread_mutex_lock(&ingestor->lock);
    snprintf(ingestor->refusal, sizeof ingestor->refusal, "%s", reason);
    pthread_mutex_unlock(&ingestor->lock);
}

/* On the poller's thread, as the next one. */
static void on_sample(void *context, hb_bytes line, int64_t received_ms)
{
    put(context, line, received_ms);
}

static void on_trouble(void *context, const char *why)
{
    const hb_ingestor *ingestor = context;
    if (ingestor->options.on_viewers != NULL)
        ingestor->options.on_viewers(ingestor->options.viewers_context, why);
}

static void on_wake(evutil_socket_t wake, short what, void *context)
{
    (void)what;
    hb_ingestor *ingestor = context;
    uint64_t count = 0;
    (void)!read(wake, &count, sizeof count); /* level-triggered: a wake-up too many does no harm */
    pthread_mutex_lock(&ingestor->lock);
    if (ingestor->channels != NULL) {
        ingestor->request_fine = hb_irc_client_set_channels(ingestor->client, ingestor->channels,
                                                            ingestor->channel_count, ingestor->request_error);
        ingestor->channels = NULL;
        pthread_cond_signal(&ingestor->answered);
    }
    if (ingestor->stop)
        event_base_loopbreak(ingestor->loop);
    pthread_mutex_unlock(&ingestor->lock);
}

static void *run(void *context)
{
    hb_ingestor *ingestor = context;
    event_base_dispatch(ingestor->loop);
    return NULL;
}

static void wake_up(const hb_ingestor *ingestor)
{
    const uint64_t one = 1;
    (void)!write(ingestor->wake, &one, sizeof one); /* fails only when so many are waiting that it is awake */
}

/* ---- Options ---- */

static bool read_bound(const hb_options *options, const char *name, unsigned fallback, unsigned *bound, hb_error *error)
{
    enum { MOST = 50000 };
    const uint64_t given = hb_options_given(options, name) ? hb_options_number(options, name) : fallback;
    *bound = (unsigned)given;
    return given <= MOST || hb_fail(error, HB_ERROR_USAGE, "--%s can be at most %d", name, MOST);
}

static bool read_account(const hb_options *options, hb_irc_options *irc, hb_error *error)
{
    irc->login = hb_options_environment(options, "TWITCH_LOGIN");
    irc->token = hb_options_environment(options, "TWITCH_TOKEN");
    if ((irc->login == NULL) != (irc->token == NULL))
        return hb_fail(error, HB_ERROR_USAGE,
                       "%s is set but %s is not; set both to listen with an account, or neither to listen anonymously",
                       irc->login != NULL ? "TWITCH_LOGIN" : "TWITCH_TOKEN",
                       irc->login != NULL ? "TWITCH_TOKEN" : "TWITCH_LOGIN");
    if (irc->token != NULL && strncmp(irc->token, "oauth:", strlen("oauth:")) == 0)
        irc->token += strlen("oauth:");
    if (irc->token != NULL && !irc->tls && !hb_lookup_is_loopback(irc->host))
        return hb_fail(error, HB_ERROR_USAGE,
                       "--no-tls would send TWITCH_TOKEN to %s for all to read; leave out one of the two", irc->host);
    return true;
}

static bool read_helix(const hb_options *options, hb_ingestor_options *ingest, hb_error *error)
{
    enum { LEAST_MS = 50, DAY_S = 86400 };
    hb_helix_options *helix = &ingest->helix;
    const double every_s = hb_options_real(options, "viewers-every");
    helix->url = hb_options_text(options, "helix");
    helix->client_id = hb_options_environment(options, "TWITCH_CLIENT_ID");
    helix->client_secret = hb_options_environment(options, "TWITCH_CLIENT_SECRET");
    helix->tls_ca_file = hb_options_text(options, "tls-ca");
    helix->every_ms = (int)((every_s > DAY_S ? DAY_S : every_s) * 1000);
    helix->timeout_ms = 10 * 1000;
    helix->retry_ms = 1000;
    if ((helix->client_id == NULL) != (helix->client_secret == NULL))
        return hb_fail(error, HB_ERROR_USAGE, "%s is set but %s is not; set both to have viewers counted, or neither",
                       helix->client_id != NULL ? "TWITCH_CLIENT_ID" : "TWITCH_CLIENT_SECRET",
                       helix->client_id != NULL ? "TWITCH_CLIENT_SECRET" : "TWITCH_CLIENT_ID");
    if (every_s > 0 && helix->every_ms < LEAST_MS)
        helix->every_ms = LEAST_MS;
    if (every_s > 0 && helix->client_id != NULL)
        return true;
    ingest->no_viewers =
        every_s == 0 ? "viewers are not counted: --viewers-every is 0"
                     : "viewers are not counted: for that, register an application at " HB_HELIX_CONSOLE
                       ", put TWITCH_CLIENT_ID=... and TWITCH_CLIENT_SECRET=... into .env, and start hubbub again";
    helix->client_id = helix->client_secret = NULL;
    return true;
}

/* A service that was not named is asked at its own place, but only for channels of the real Twitch. */
static bool read_emotes(const hb_options *options, hb_ingestor_options *ingest, hb_error *error)
{
    static const char *const urls[HB_EMOTE_SERVICES] = {HB_EMOTES_BTTV_URL, HB_EMOTES_FFZ_URL, HB_EMOTES_7TV_URL};
    enum { DAY_MS = 24 * 3600 * 1000 };
    const hb_bytes twitch = HB_BYTES(".twitch.tv");
    const hb_bytes host = hb_bytes_of(ingest->irc.host);
    const bool real = host.size > twitch.size && hb_bytes_equal(hb_bytes_from(host, host.size - twitch.size), twitch);
    hb_emotes_options *const emotes = &ingest->emotes;
    size_t at = 0;
    *emotes = (hb_emotes_options){.data = hb_options_text(options, "data"),
                                  .tls_ca_file = hb_options_text(options, "tls-ca"),
                                  .timeout_ms = 10 * 1000,
                                  .retry_ms = 1000,
                                  .pause_ms = real ? 100 : 0,
                                  .refresh_ms = DAY_MS};
    ingest->no_emotes = hb_options_flag(options, "no-emotes");
    for (size_t i = 0; i < HB_EMOTE_SERVICES && real && !ingest->no_emotes; i++)
        emotes->urls[i] = urls[i];
    for (const char *setting; (setting = hb_options_next_setting(options, "emotes", &at)) != NULL;) {
        hb_bytes value = hb_bytes_of(setting);
        hb_bytes name;
        size_t i = 0;
        hb_bytes_cut(&value, '=', &name);
        while (i < HB_EMOTE_SERVICES && !hb_bytes_equal(name, hb_bytes_of(hb_emote_service_name((hb_emote_service)i))))
            i++;
        if (i == HB_EMOTE_SERVICES)
            return hb_fail(error, HB_ERROR_USAGE, "--emotes is '%s', but must be bttv=URL, ffz=URL or 7tv=URL",
                           setting);
        if (!ingest->no_emotes)
            emotes->urls[i] = hb_bytes_equal(value, HB_BYTES("off")) ? NULL : value.data;
    }
    return true;
}

bool hb_ingestor_options_read(const hb_options *options, hb_ingestor_options *ingest, hb_error *error)
{
    *ingest = (hb_ingestor_options){.log = hb_options_log(options), .queue_bytes = hb_options_number(options, "queue")};
    hb_irc_options *irc = &ingest->irc;
    hb_options_address(options, "twitch-irc", &irc->host, &irc->port);
    if (irc->host[0] == '\0' || irc->port == 0)
        return hb_fail(error, HB_ERROR_USAGE, "--twitch-irc is '%s', but must be HOST:PORT",
                       hb_options_text(options, "twitch-irc"));
    const bool bounded = !hb_lookup_is_loopback(irc->host);
    irc->tls = !hb_options_flag(options, "no-tls");
    irc->tls_ca_file = hb_options_text(options, "tls-ca");
    irc->silence_ms = 10 * 1000;
    irc->retry_ms = 1000;
    if (!read_bound(options, "joins-per-10s", bounded ? 20 : 0, &irc->joins_per_10_s, error) ||
        !read_bound(options, "channels-max", bounded ? 100 : 0, &irc->channels_max, error) ||
        !read_bound(options, "channels-per-connection", 50, &irc->channels_per_connection, error))
        return false;
    if (irc->channels_per_connection == 0)
        return hb_fail(error, HB_ERROR_USAGE, "--channels-per-connection must be at least 1");
    if (ingest->queue_bytes < 1 << 20)
        return hb_fail(error, HB_ERROR_USAGE, "--queue must be at least 1M");
    return read_account(options, irc, error) && read_helix(options, ingest, error) &&
           read_emotes(options, ingest, error);
}

/* ---- The door ---- */

/* Frees all but the recorder. */
static void free_ingestor(hb_ingestor *ingestor)
{
    hb_helix_close(ingestor->helix);
    hb_emotes_close(ingestor->emotes);
    hb_irc_client_close(ingestor->client);
    if (ingestor->woken != NULL)
        event_free(ingestor->woken);
    if (ingestor->loop != NULL)
        event_base_free(ingestor->loop);
    if (ingestor->wake >= 0)
        close(ingestor->wake);
    pthread_cond_destroy(&ingestor->answered);
    pthread_mutex_destroy(&ingestor->lock);
    pthread_mutex_destroy(&ingestor->callers);
    free(ingestor);
}

static bool set_up_loop(hb_ingestor *ingestor, hb_error *error)
{
    ingestor->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ingestor->loop = event_base_new();
    if (ingestor->wake >= 0 && ingestor->loop != NULL)
        ingestor->woken = event_new(ingestor->loop, ingestor->wake, EV_READ | EV_PERSIST, on_wake, ingestor);
    return (ingestor->woken != NULL && event_add(ingestor->woken, NULL) == 0) ||
           hb_fail_errno(error, "no event loop can be had for the chat connections");
}

static bool start(hb_ingestor *ingestor, hb_error *error)
{
    const int code = pthread_create(&ingestor->thread, NULL, run, ingestor);
    errno = code;
    return code == 0 || hb_fail_errno(error, "no thread can be had for the chat connections");
}

/* Asks for viewers, or tells why not. */
static bool open_helix(hb_ingestor *ingestor, const char *const *channels, size_t count, hb_metrics *metrics,
                       hb_error *error)
{
    hb_helix_options helix = ingestor->options.helix;
    helix.on_sample = on_sample;
    helix.on_trouble = on_trouble;
    helix.context = ingestor;
    if (helix.client_id == NULL) {
        if (ingestor->options.no_viewers != NULL) {
            hb_say_note("%s", ingestor->options.no_viewers);
            on_trouble(ingestor, ingestor->options.no_viewers);
        }
        return true;
    }
    ingestor->helix = hb_helix_open(&helix, metrics, error);
    if (ingestor->helix != NULL)
        hb_helix_set_channels(ingestor->helix, channels, count);
    return ingestor->helix != NULL;
}

/* Asks for emotes, if there is somebody to ask. */
static bool open_emotes(hb_ingestor *ingestor, hb_metrics *metrics, hb_error *error)
{
    bool any = false;
    for (size_t i = 0; i < HB_EMOTE_SERVICES; i++)
        any = any || ingestor->options.emotes.urls[i] != NULL;
    ingestor->emotes = any ? hb_emotes_open(&ingestor->options.emotes, metrics, error) : NULL;
    return !any || ingestor->emotes != NULL;
}

hb_ingestor *hb_ingestor_open(const hb_ingestor_options *ingest, const char *const *channels, size_t count,
                              hb_metrics *metrics, hb_error *error)
{
    hb_ingestor *ingestor = hb_alloc(sizeof *ingestor);
    hb_irc_options irc = ingest->irc;
    irc.on_line = on_line;
    irc.on_refused = on_refused;
    irc.context = ingestor;
    ingestor->options = *ingest;
    pthread_mutex_init(&ingestor->callers, NULL);
    pthread_mutex_init(&ingestor->lock, NULL);
    pthread_cond_init(&ingestor->answered, NULL);
    bool fine = set_up_loop(ingestor, error);
    ingestor->client = fine ? hb_irc_client_open(ingestor->loop, &irc, metrics, error) : NULL;
    fine = ingestor->client != NULL && hb_irc_client_set_channels(ingestor->client, channels, count, error);
    ingestor->recorder = fine ? hb_recorder_open(ingest->log, ingest->queue_bytes, metrics, error) : NULL;
    if (ingestor->recorder != NULL && open_emotes(ingestor, metrics, error) &&
        open_helix(ingestor, channels, count, metrics, error) && start(ingestor, error))
        return ingestor;
    hb_error second = {0}; /* the first tells what matters */
    hb_recorder *const recorder = ingestor->recorder;
    free_ingestor(ingestor);
    hb_recorder_close(recorder, &second);
    return NULL;
}

bool hb_ingestor_set_channels(hb_ingestor *ingestor, const char *const *channels, size_t count, hb_error *error)
{
    static const char *const none[] = {NULL};
    pthread_mutex_lock(&ingestor->callers);
    pthread_mutex_lock(&ingestor->lock);
    ingestor->channels = count == 0 ? none : channels;
    ingestor->channel_count = count;
    ingestor->request_error = error;
    wake_up(ingestor);
    while (ingestor->channels != NULL)
        pthread_cond_wait(&ingestor->answered, &ingestor->lock);
    const bool fine = ingestor->request_fine;
    pthread_mutex_unlock(&ingestor->lock);
    if (fine && ingestor->helix != NULL)
        hb_helix_set_channels(ingestor->helix, channels, count);
    pthread_mutex_unlock(&ingestor->callers);
    return fine;
}

void hb_ingestor_reload(hb_ingestor *ingestor, const hb_options *options)
{
    hb_channel_list list = {0};
    hb_error error = {0};
    size_t joined = 0;
    size_t wanted = 0;
    const bool fine = hb_channel_list_gather(&list, options, &error) &&
                      hb_ingestor_set_channels(ingestor, list.names, list.count, &error);
    hb_ingestor_joined(ingestor, &joined, &wanted);
    if (fine)
        hb_say_note("read the channels again: there are %zu", wanted);
    else
        hb_say_error("the channels stay as they were: %s", error.text);
    hb_channel_list_free(&list);
}

void hb_ingestor_joined(const hb_ingestor *ingestor, size_t *joined, size_t *wanted)
{
    hb_irc_client_joined(ingestor->client, joined, wanted);
}

bool hb_ingestor_failed(hb_ingestor *ingestor, hb_error *error)
{
    pthread_mutex_lock(&ingestor->lock);
    const bool failed = ingestor->refusal[0] != '\0';
    if (failed)
        hb_fail(error, HB_ERROR_NETWORK, "%s", ingestor->refusal);
    pthread_mutex_unlock(&ingestor->lock);
    return failed;
}

bool hb_ingestor_wait(hb_ingestor *ingestor, const hb_options *options, hb_error *error)
{
    for (;;) {
        const int number = hb_signals_wait(LOOK_MS);
        if (number == SIGINT || number == SIGTERM)
            return true;
        if (number == SIGHUP && options != NULL)
            hb_ingestor_reload(ingestor, options);
        if (hb_ingestor_failed(ingestor, error))
            return false;
    }
}

bool hb_ingestor_close(hb_ingestor *ingestor, hb_error *error)
{
    pthread_mutex_lock(&ingestor->lock);
    ingestor->stop = true;
    wake_up(ingestor);
    pthread_mutex_unlock(&ingestor->lock);
    pthread_join(ingestor->thread, NULL);
    hb_recorder *recorder = ingestor->recorder;
    free_ingestor(ingestor);
    return hb_recorder_close(recorder, error);
}
