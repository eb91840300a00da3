/* top_source.c - both ways answer the same paths with the same JSON: the store is asked through the API that the server
 * answers with, so nothing here knows which it is. */
#include "cmd/top_source.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/api.h"
#include "twitch/http.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CALL_MS = 10000, ANSWER_MAX = 64 << 20, CHANNELS_MAX = HB_LIMIT_MAX, MINUTES_MAX = HB_LIMIT_MAX, RANKED = 100 };

/* One of the two. */
typedef struct asked {
    const char *server;
    hb_http *http;
    hb_api *api;
    hb_buffer answer;
    hb_buffer path;
} asked;

struct hb_top_source {
    asked asked;
    int every_ms;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    hb_top_wish wish;
    uint64_t wishes; /* made so far */
    bool closing;
    hb_top_news *news;
    int pipe[2]; /* a byte a piece of news */
};

/* ---- Asking ---- */

static bool open_asked(asked *to, const hb_top_place *place, hb_error *error)
{
    bool good = false;
    *to = (asked){.server = place->server};
    if (place->server == NULL) {
        to->api = hb_api_open(place->store, place->log, place->ignored);
        return true;
    }
    hb_http_url_is_open(place->server, &good);
    if (!good)
        return hb_fail(error, HB_ERROR_USAGE, "'%s' is no address such as http://127.0.0.1:8080", place->server);
    to->http = hb_http_open(NULL, CALL_MS, ANSWER_MAX, error);
    return to->http != NULL;
}

static void close_asked(asked *from)
{
    if (from->api != NULL)
        hb_api_close(from->api);
    hb_http_close(from->http);
    hb_buffer_free(&from->answer);
    hb_buffer_free(&from->path);
}

/* The path and query to ask for is in from->path: "channels?limit=10". */
static bool ask_server(asked *from, hb_error *error)
{
    hb_buffer url = {0};
    hb_http_outcome outcome;
    const hb_bytes base = hb_bytes_of(from->server);
    const bool slash = base.size > 0 && base.data[base.size - 1] == '/';
    hb_buffer_print(&url, "%s%sapi/v1/%.*s", from->server, slash ? "" : "/", HB_PRINT(hb_buffer_bytes(&from->path)));
    hb_buffer_append_char(&url, '\0');
    const hb_http_request call = {.url = url.data};
    hb_error reason;
    bool good = hb_http_call(from->http, &call, &outcome, &from->answer, &reason);
    hb_buffer_free(&url);
    if (!good)
        return hb_fail(error, reason.code, "no answer from %s: %s", from->server, reason.text);
    if (outcome.status != 200)
        hb_top_news_take_failure(hb_buffer_bytes(&from->answer), outcome.status, error);
    return outcome.status == 200;
}

static bool ask_store(asked *from, hb_error *error)
{
    const int64_t now_s = hb_now_ms() / 1000;
    hb_buffer path = {0};
    hb_request request;
    hb_bytes query = hb_buffer_bytes(&from->path);
    hb_bytes view;
    hb_bytes_cut(&query, '?', &view);
    hb_buffer_print(&path, "/api/v1/%.*s", HB_PRINT(view));
    from->answer.size = 0;
    const bool good = hb_request_parse(hb_buffer_bytes(&path), query, now_s, &request, error) &&
                      hb_api_answer(from->api, &request, now_s, &from->answer, error) == 200;
    hb_buffer_free(&path);
    return good;
}

typedef bool take_answer(hb_top_news *news, hb_bytes answer, hb_error *error);

static bool ask(asked *from, take_answer *take, hb_top_news *news, hb_error *error)
{
    return (from->http != NULL ? ask_server(from, error) : ask_store(from, error)) &&
           take(news, hb_buffer_bytes(&from->answer), error);
}

static bool ask_channel(asked *from, const hb_top_wish *wish, hb_top_news *news, hb_error *error)
{
    static const struct {
        const char *view;
        take_answer *take;
        unsigned limit;
    } views[] = {{"rate", hb_top_news_take_rate, MINUTES_MAX},
                 {"words", hb_top_news_take_words, RANKED},
                 {"users", hb_top_news_take_users, RANKED},
                 {"viewers", hb_top_news_take_viewers, 1},
                 {"moments", hb_top_news_take_moments, HB_TOP_MOMENTS}};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        from->path.size = 0;
        hb_buffer_print(&from->path, "channels/%s/%s?from=-%us&limit=%u", wish->channel, views[i].view, wish->range_s,
                        views[i].limit);
        if (views[i].take == hb_top_news_take_words)
            hb_buffer_print(&from->path, "&kind=%s", wish->kind);
        if (!ask(from, views[i].take, news, error))
            return false;
    }
    news->channel = hb_arena_copy(&news->texts, hb_bytes_of(wish->channel));
    return true;
}

static bool ask_all(asked *from, const hb_top_wish *wish, hb_top_news *news, hb_error *error)
{
    from->path.size = 0;
    hb_buffer_print(&from->path, "channels?limit=%d", CHANNELS_MAX);
    return ask(from, hb_top_news_take_channels, news, error) &&
           (wish->channel[0] == '\0' || ask_channel(from, wish, news, error));
}

hb_top_news *hb_top_ask(const hb_top_place *place, const hb_top_wish *wish, hb_error *error)
{
    asked from;
    hb_top_news *news = hb_top_news_open();
    if (!open_asked(&from, place, error) || !ask_all(&from, wish, news, error)) {
        hb_top_news_close(news);
        news = NULL;
    }
    close_asked(&from);
    return news;
}

/* ---- The thread ---- */

/* To be called with the mutex held, and returns so. */
static void wait_for_turn(hb_top_source *source, uint64_t wishes, int64_t from_ms)
{
    for (;;) {
        const int64_t left_ms = from_ms + source->every_ms - hb_monotonic_ms();
        if (source->closing || source->wishes != wishes || left_ms <= 0)
            return;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        const int64_t end_ns = until.tv_nsec + left_ms % 1000 * 1000000;
        until.tv_sec += left_ms / 1000 + end_ns / 1000000000;
        until.tv_nsec = end_ns % 1000000000;
        pthread_cond_timedwait(&source->changed, &source->mutex, &until);
    }
}

static void tell(hb_top_source *source, hb_top_news *news)
{
    hb_top_news_close(source->news);
    source->news = news;
    const char byte = 0;
    const ssize_t ignored = write(source->pipe[1], &byte, 1); /* full: it is readable already */
    (void)ignored;
}

static void *keep_asking(void *context)
{
    hb_top_source *const source = context;
    pthread_mutex_lock(&source->mutex);
    while (!source->closing) {
        const hb_top_wish wish = source->wish;
        const uint64_t wishes = source->wishes;
        const int64_t start_ms = hb_monotonic_ms();
        pthread_mutex_unlock(&source->mutex);
        hb_error error;
        hb_top_news *const news = hb_top_news_open();
        if (!ask_all(&source->asked, &wish, news, &error))
            hb_buffer_append(&news->error, hb_bytes_of(error.text));
        pthread_mutex_lock(&source->mutex);
        tell(source, news);
        wait_for_turn(source, wishes, start_ms);
    }
    pthread_mutex_unlock(&source->mutex);
    return NULL;
}

static void free_source(hb_top_source *source)
{
    close_asked(&source->asked);
    hb_top_news_close(source->news);
    for (int i = 0; i < 2; i++)
        if (source->pipe[i] >= 0)
            close(source->pipe[i]);
    pthread_cond_destroy(&source->changed);
    pthread_mutex_destroy(&source->mutex);
    free(source);
}

hb_top_source *hb_top_source_open(const hb_top_place *place, int *descriptor, hb_error *error)
{
    hb_top_source *const source = hb_alloc(sizeof *source);
    pthread_condattr_t monotonic;
    source->every_ms = place->every_ms;
    source->pipe[0] = source->pipe[1] = -1;
    pthread_mutex_init(&source->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&source->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    bool good = open_asked(&source->asked, place, error) &&
                (pipe2(source->pipe, O_CLOEXEC | O_NONBLOCK) == 0 || hb_fail_errno(error, "cannot make a pipe"));
    *descriptor = source->pipe[0];
    if (good && pthread_create(&source->thread, NULL, keep_asking, source) != 0)
        good = hb_fail(error, HB_ERROR_SYSTEM, "cannot start a thread");
    if (good)
        return source;
    free_source(source);
    return NULL;
}

void hb_top_source_close(hb_top_source *source)
{
    if (source == NULL)
        return;
    pthread_mutex_lock(&source->mutex);
    source->closing = true;
    pthread_cond_signal(&source->changed);
    pthread_mutex_unlock(&source->mutex);
    if (source->asked.http != NULL)
        hb_http_stop(source->asked.http);
    pthread_join(source->thread, NULL);
    free_source(source);
}

void hb_top_source_wish(hb_top_source *source, const hb_top_wish *wish)
{
    pthread_mutex_lock(&source->mutex);
    const hb_top_wish *const before = &source->wish;
    if (strcmp(before->channel, wish->channel) != 0 || strcmp(before->kind, wish->kind) != 0 ||
        before->range_s != wish->range_s) {
        source->wish = *wish;
        source->wishes++;
        pthread_cond_signal(&source->changed);
    }
    pthread_mutex_unlock(&source->mutex);
}

hb_top_news *hb_top_source_take(hb_top_source *source)
{
    char bytes[64];
    while (read(source->pipe[0], bytes, sizeof bytes) > 0)
        ;
    pthread_mutex_lock(&source->mutex);
    hb_top_news *const news = source->news;
    source->news = NULL;
    pthread_mutex_unlock(&source->mutex);
    return news;
}
