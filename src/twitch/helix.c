/* helix.c - one thread goes round: every channel once, a hundred a call, then it waits for the next round. What an
 * answer asks for next is decided in helix_plan.c; this file does it.
 *
 * A call that fails is tried again; after some tries the round goes on without its channels, so that one bad answer
 * does not cost the others their sample. A wait that the server asked for is never cut short, whatever the round. */
#include "twitch/helix.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "twitch/channel_name.h"
#include "twitch/helix_answer.h"
#include "twitch/helix_plan.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH = 100, /* logins a call, Twitch's limit; also of streams a page ("first"), whose default is 20 */
    TRIES = 3,   /* of one call in a round */
    BACKOFF_FACTOR = 60,
    SAY_AGAIN_MS = 600 * 1000,
    TOLD_MAX = 512,
    BODY_MAX = 4 << 20 /* bytes of an answer; 100 streams take some 100 KiB */
};

typedef struct login {
    char text[HB_LOGIN_MAX + 1];
} login;

struct hb_helix {
    hb_helix_options options; /* texts: own copies, or NULL */
    char *streams_url;
    char *token_url;
    hb_http *http;
    hb_helix_plan plan;
    char *token; /* NULL: none */
    int64_t token_until_ms;
    login *asked; /* the round's channels */
    size_t asked_count;
    bool seen[BATCH]; /* of the call in hand: which have a sample */
    size_t at;        /* the call in hand: from this channel ... */
    size_t size;      /* ... so many */
    hb_buffer url;
    hb_buffer body;
    hb_buffer line;
    char told[TOLD_MAX]; /* the trouble that there is; empty: none */
    int64_t said_ms;     /* when trouble was last said */
    bool well;           /* on_trouble has said so */
    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t lock; /* of the next three */
    login *wanted;
    size_t wanted_count;
    bool changed;
    hb_metrics *own_metrics; /* when the caller has none */
    hb_metric *calls;
    hb_metric *errors;
    hb_metric *missed;
    hb_metric *samples;
    hb_metric *tokens;
    hb_metric *last_answer;
    hb_metric *remaining;
};

/* ---- What the person is told ---- */

/* Trouble that only changes its reason is said seldom: the reason may hold how many milliseconds something took. */
static void tell_trouble(hb_helix *helix, const char *why, bool at_once)
{
    const int64_t now_ms = hb_monotonic_ms();
    const bool known = helix->told[0] != '\0' && now_ms - helix->said_ms < SAY_AGAIN_MS;
    helix->well = false;
    if (strcmp(why, helix->told) == 0)
        return;
    snprintf(helix->told, sizeof helix->told, "%s", why);
    if (at_once || !known) {
        hb_say_warning("%s", helix->told);
        helix->said_ms = now_ms;
    }
    if (helix->options.on_trouble != NULL)
        helix->options.on_trouble(helix->options.context, helix->told);
}

static void tell_well(hb_helix *helix)
{
    if (helix->well)
        return;
    helix->well = true;
    if (helix->told[0] != '\0')
        hb_say_note("viewers are counted again");
    helix->told[0] = '\0';
    if (helix->options.on_trouble != NULL)
        helix->options.on_trouble(helix->options.context, NULL);
}

/* What failed, in words: the connection, or what the server said. */
static void describe(const hb_helix *helix, const hb_http_outcome *outcome, const hb_error *error, char *out,
                     size_t size)
{
    char message[HB_HELIX_MESSAGE] = "";
    if (outcome->status == 0 || outcome->status == 200) {
        snprintf(out, size, "%.300s", error->text);
        return;
    }
    hb_helix_read_message(hb_buffer_bytes(&helix->body), message);
    snprintf(out, size, "HTTP %ld%s%s", outcome->status, message[0] == '\0' ? "" : ", ", message);
}

static void tell_failure(hb_helix *helix, const char *what, const char *url, const hb_http_outcome *outcome,
                         const hb_error *error)
{
    char reason[400];
    char text[TOLD_MAX];
    hb_metric_add(helix->errors, 1);
    if (helix->plan.backoff.failures < TRIES || hb_http_stopped(helix->http))
        return; /* what is over after a moment is for the metrics only */
    describe(helix, outcome, error, reason, sizeof reason);
    snprintf(text, sizeof text, "viewers are not counted: %s cannot be had from %s: %s; trying again", what, url,
             reason);
    tell_trouble(helix, text, false);
}

static void tell_refused(hb_helix *helix, const hb_http_outcome *outcome)
{
    char reason[HB_HELIX_MESSAGE + 40];
    char text[TOLD_MAX];
    hb_metric_add(helix->errors, 1);
    describe(helix, outcome, NULL, reason, sizeof reason);
    snprintf(
        text, sizeof text,
        "viewers are not counted: TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET are not accepted (%s); compare them with "
        "those of the application at " HB_HELIX_CONSOLE ", and start hubbub again",
        reason);
    tell_trouble(helix, text, true);
}

/* ---- Calls ---- */

static bool call(hb_helix *helix, const hb_http_request *what, hb_http_outcome *outcome, hb_error *error)
{
    hb_metric_add(helix->calls, 1);
    const bool answered = hb_http_call(helix->http, what, outcome, &helix->body, error);
    if (outcome->remaining >= 0)
        hb_metric_set(helix->remaining, outcome->remaining);
    return answered;
}

static void drop_token(hb_helix *helix)
{
    free(helix->token);
    helix->token = NULL;
}

static void append_form(const char *key, const char *value, hb_buffer *form)
{
    char *const encoded = curl_easy_escape(NULL, value, 0);
    if (encoded == NULL)
        hb_out_of_memory(strlen(value));
    hb_buffer_print(form, "%s=%s&", key, encoded);
    curl_free(encoded);
}

static hb_helix_step ask_token(hb_helix *helix, int64_t *wait_ms)
{
    hb_buffer form = {0};
    hb_http_outcome outcome;
    hb_helix_token token;
    hb_error error = {0};
    append_form("client_id", helix->options.client_id, &form);
    append_form("client_secret", helix->options.client_secret, &form);
    hb_buffer_append(&form, (hb_bytes){"grant_type=client_credentials", sizeof "grant_type=client_credentials"});
    drop_token(helix);
    if (call(helix, &(hb_http_request){.url = helix->token_url, .form = form.data}, &outcome, &error) &&
        outcome.status == 200 && hb_helix_read_token(hb_buffer_bytes(&helix->body), &token, &error)) {
        helix->token = token.text;
        helix->token_until_ms =
            token.expires_in_s == 0 ? INT64_MAX : hb_monotonic_ms() + hb_helix_token_use_ms(token.expires_in_s);
        hb_metric_add(helix->tokens, 1);
    } else if (outcome.status == 200) {
        outcome.status = 0;
    }
    hb_buffer_free(&form);
    const hb_helix_step step = hb_helix_after_token(&helix->plan, &outcome, hb_now_ms(), hb_random(), wait_ms);
    if (step == HB_HELIX_REFUSED)
        tell_refused(helix, &outcome);
    else if (step != HB_HELIX_NEXT)
        tell_failure(helix, "a token", helix->token_url, &outcome, &error);
    return step;
}

/* Only channels that were asked for, and each once: whatever an answer holds, it adds nothing else to the log. */
static void take_sample(void *context, const hb_stream_sample *sample)
{
    hb_helix *helix = context;
    for (size_t i = 0; i < helix->size; i++)
        if (!helix->seen[i] && hb_bytes_equal(hb_bytes_of(helix->asked[helix->at + i].text), sample->login)) {
            helix->seen[i] = true;
            helix->line.size = 0;
            hb_stream_line_write(sample, 0, &helix->line);
            helix->options.on_sample(helix->options.context, hb_buffer_bytes(&helix->line), hb_now_ms());
            hb_metric_add(helix->samples, 1);
            return;
        }
}

static void print_url(hb_helix *helix)
{
    helix->url.size = 0;
    hb_buffer_print(&helix->url, "%s?first=%d", helix->streams_url, BATCH);
    for (size_t i = 0; i < helix->size; i++)
        hb_buffer_print(&helix->url, "&user_login=%s", helix->asked[helix->at + i].text);
    hb_buffer_append_char(&helix->url, '\0');
}

static hb_helix_step ask_streams(hb_helix *helix, int64_t *wait_ms)
{
    hb_http_outcome outcome;
    hb_helix_counts counts = {0};
    hb_error error = {0};
    memset(helix->seen, 0, sizeof helix->seen);
    print_url(helix);
    const hb_http_request what = {.url = helix->url.data, .client_id = helix->options.client_id, .token = helix->token};
    if (call(helix, &what, &outcome, &error) && outcome.status == 200 &&
        !hb_helix_read_streams(hb_buffer_bytes(&helix->body), take_sample, helix, &counts, &error))
        outcome.status = 0;
    hb_helix_step step = hb_helix_after_streams(&helix->plan, &outcome, hb_now_ms(), hb_random(), wait_ms);
    if (step == HB_HELIX_SPLIT && helix->size == 1 && !helix->well) {
        step = HB_HELIX_AGAIN; /* no call was ever understood: then it is not the channel's fault */
        *wait_ms = hb_backoff_next(&helix->plan.backoff, hb_random());
    }
    if (step == HB_HELIX_NEXT) {
        hb_metric_add(helix->errors, counts.malformed);
        hb_metric_set(helix->last_answer, hb_now_ms() / 1000);
        tell_well(helix);
    } else {
        tell_failure(helix, "streams", helix->streams_url, &outcome, &error);
    }
    return step;
}

/* ---- Rounds ---- */

/* Takes over the channels if they are others. */
static void take_wanted(hb_helix *helix)
{
    pthread_mutex_lock(&helix->lock);
    if (helix->changed) {
        free(helix->asked);
        helix->asked = helix->wanted;
        helix->asked_count = helix->wanted_count;
        helix->wanted = NULL;
        helix->changed = false;
    }
    pthread_mutex_unlock(&helix->lock);
}

static bool is_changed(hb_helix *helix)
{
    pthread_mutex_lock(&helix->lock);
    const bool changed = helix->changed;
    pthread_mutex_unlock(&helix->lock);
    return changed;
}

static void rest(hb_helix *helix, int64_t wait_ms)
{
    const int64_t until_ms = hb_monotonic_ms() + wait_ms;
    for (int64_t now_ms; !hb_http_stopped(helix->http) && (now_ms = hb_monotonic_ms()) < until_ms;)
        hb_http_wait(helix->http, until_ms - now_ms);
}

/* Twitch takes the call for none of its own because of this one name: nobody else is to go without a sample for it. */
static void leave_out(hb_helix *helix)
{
    login *const bad = &helix->asked[helix->at];
    hb_say_warning("the viewers of '%s' cannot be asked for: Twitch takes that for no channel's name", bad->text);
    helix->asked_count--;
    memmove(bad, bad + 1, (helix->asked_count - helix->at) * sizeof *bad);
}

static void ask_all(hb_helix *helix, int64_t until_ms)
{
    size_t most = BATCH;
    unsigned tries = 0;
    helix->at = 0;
    while (helix->at < helix->asked_count && !hb_http_stopped(helix->http) && hb_monotonic_ms() < until_ms) {
        int64_t wait_ms = 0;
        helix->size = helix->asked_count - helix->at < most ? helix->asked_count - helix->at : most;
        const bool has_token = helix->token != NULL && hb_monotonic_ms() < helix->token_until_ms;
        const hb_helix_step step = has_token ? ask_streams(helix, &wait_ms) : ask_token(helix, &wait_ms);
        if (step == HB_HELIX_RENEW)
            drop_token(helix);
        if (step == HB_HELIX_SPLIT && helix->size == 1)
            leave_out(helix);
        const bool gives_up = has_token && step == HB_HELIX_AGAIN && ++tries == TRIES;
        if (gives_up)
            hb_metric_add(helix->missed, helix->size);
        if (has_token && (step == HB_HELIX_NEXT || gives_up)) {
            helix->at += helix->size;
            tries = 0;
        }
        most = step == HB_HELIX_SPLIT && helix->size > 1 ? (helix->size + 1) / 2
               : step == HB_HELIX_AGAIN                  ? most
                                                         : BATCH;
        rest(helix, wait_ms);
    }
    if (!hb_http_stopped(helix->http))
        hb_metric_add(helix->missed, helix->asked_count - helix->at);
}

/* Rounds keep their distance, so that every minute has its sample; one that took too long puts the next ones off. */
static void *run(void *context)
{
    hb_helix *helix = context;
    int64_t due_ms = hb_monotonic_ms();
    while (!hb_http_stopped(helix->http)) {
        const int64_t every_ms = helix->options.every_ms;
        int64_t now_ms = hb_monotonic_ms();
        due_ms = due_ms + every_ms > now_ms ? due_ms + every_ms : now_ms + every_ms;
        take_wanted(helix);
        ask_all(helix, due_ms);
        while (!hb_http_stopped(helix->http) && (now_ms = hb_monotonic_ms()) < due_ms) {
            if (is_changed(helix)) {
                due_ms = now_ms - every_ms; /* other channels are asked for at once */
                break;
            }
            hb_http_wait(helix->http, due_ms - now_ms);
        }
    }
    return NULL;
}

/* ---- The door ---- */

static bool check_text(const char *name, const char *text, hb_error *error)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return hb_fail(error, HB_ERROR_USAGE, "%s holds a character that no client id or secret has", name);
    return true;
}

static bool check_options(const hb_helix_options *options, hb_error *error)
{
    bool good = true;
    if (options->url != NULL && hb_http_url_is_open(options->url, &good))
        return hb_fail(error, HB_ERROR_USAGE,
                       "--helix %s would send TWITCH_CLIENT_SECRET for all to read; give it an https URL",
                       options->url);
    if (!good)
        return hb_fail(error, HB_ERROR_USAGE, "--helix is '%s', but must be a URL such as http://127.0.0.1:8090",
                       options->url);
    return check_text("TWITCH_CLIENT_ID", options->client_id, error) &&
           check_text("TWITCH_CLIENT_SECRET", options->client_secret, error);
}

static void set_options(hb_helix *helix, const hb_helix_options *options)
{
    helix->options = *options;
    helix->options.url = NULL; /* it is part of these two */
    helix->streams_url = hb_http_url(options->url == NULL ? "https://api.twitch.tv" : options->url, "/helix/streams");
    helix->token_url = hb_http_url(options->url == NULL ? "https://id.twitch.tv" : options->url, "/oauth2/token");
    helix->options.client_id = hb_copy_text_or_null(options->client_id);
    helix->options.client_secret = hb_copy_text_or_null(options->client_secret);
    helix->options.tls_ca_file = hb_copy_text_or_null(options->tls_ca_file);
    helix->plan.backoff = (hb_backoff){options->retry_ms, options->retry_ms * BACKOFF_FACTOR, 0};
}

static void set_metrics(hb_helix *helix, hb_metrics *metrics)
{
    if (metrics == NULL)
        metrics = helix->own_metrics = hb_metrics_open();
    helix->calls = hb_metrics_counter(metrics, "hubbub_helix_calls_total", "Calls to Twitch's API, tokens included.");
    helix->errors = hb_metrics_counter(metrics, "hubbub_helix_errors_total",
                                       "Calls that failed, and entries of answers that could not be read.");
    helix->missed = hb_metrics_counter(metrics, "hubbub_helix_missed_total",
                                       "Channels of which a round could not tell whether they are live.");
    helix->samples = hb_metrics_counter(metrics, "hubbub_helix_samples_total", "Viewer samples taken.");
    helix->tokens = hb_metrics_counter(metrics, "hubbub_helix_tokens_total", "App access tokens got.");
    helix->last_answer = hb_metrics_gauge(metrics, "hubbub_helix_last_answer_timestamp_seconds",
                                          "When streams were last answered; 0: never.");
    helix->remaining = hb_metrics_gauge(metrics, "hubbub_helix_ratelimit_remaining",
                                        "Points that are left of Twitch's rate limit, as last told; -1: not told yet.");
    hb_metric_set(helix->remaining, -1);
}

hb_helix *hb_helix_open(const hb_helix_options *options, hb_metrics *metrics, hb_error *error)
{
    if (!check_options(options, error))
        return NULL;
    hb_helix *helix = hb_alloc(sizeof *helix);
    pthread_mutex_init(&helix->lock, NULL);
    set_options(helix, options);
    set_metrics(helix, metrics);
    helix->http = hb_http_open(helix->options.tls_ca_file, options->timeout_ms, BODY_MAX, error);
    if (helix->http != NULL) {
        const int code = pthread_create(&helix->thread, NULL, run, helix);
        helix->thread_runs = code == 0;
        errno = code;
        if (helix->thread_runs)
            return helix;
        hb_fail_errno(error, "no thread can be had to ask for viewers");
    }
    hb_helix_close(helix);
    return NULL;
}

void hb_helix_set_channels(hb_helix *helix, const char *const *channels, size_t count)
{
    login *const wanted = hb_alloc((count + 1) * sizeof *wanted);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += hb_channel_name_read(hb_bytes_of(channels[i]), wanted[used].text);
    pthread_mutex_lock(&helix->lock);
    free(helix->wanted);
    helix->wanted = wanted;
    helix->wanted_count = used;
    helix->changed = true;
    pthread_mutex_unlock(&helix->lock);
    hb_http_wake(helix->http);
}

void hb_helix_close(hb_helix *helix)
{
    if (helix == NULL)
        return;
    if (helix->thread_runs) {
        hb_http_stop(helix->http);
        pthread_join(helix->thread, NULL);
    }
    hb_http_close(helix->http);
    pthread_mutex_destroy(&helix->lock);
    hb_metrics_close(helix->own_metrics);
    drop_token(helix);
    free(helix->asked);
    free(helix->wanted);
    free(helix->streams_url);
    free(helix->token_url);
    free((void *)helix->options.client_id);
    free((void *)helix->options.client_secret);
    free((void *)helix->options.tls_ca_file);
    hb_buffer_free(&helix->url);
    hb_buffer_free(&helix->body);
    hb_buffer_free(&helix->line);
    free(helix);
}
