/* simulator_helix.c - libevent's HTTP server on a thread of its own; every request is answered within it, so there are
 * no locks. A request that is to be met with silence is simply never answered: libevent frees it with its connection.
 */
#include "twitch/simulator_helix.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "twitch/channel_name.h"
#include "twitch/chat_speech.h"
#include "twitch/simulator_emotes.h"
#include "twitch/stream_maker.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/thread.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    POINTS = 800, /* Twitch's, for an app access token */
    REFILL_MS = 60 * 1000,
    TOKEN_LIFE_S = 5000000, /* about Twitch's: 58 days */
    TOKENS = 64,            /* that are remembered */
    TOKEN_SIZE = 31,
    LOGINS = 100,
    LOGIN_MAX = 25, /* Twitch's; a longer one is no login to it */
    FIRST = 20,
    HUGE_BYTES = 9 << 20,
    BODY_MAX = 64 << 10,
    TEXT = 64
};

typedef struct fault {
    char answer[TEXT];
    uint64_t times;
    uint64_t reset_after_s;
} fault;

typedef struct given {
    char token[TOKEN_SIZE];
    int64_t until_ms; /* monotonic */
} given;

struct hb_simulator_helix {
    hb_simulator_helix_options options;
    struct event_base *loop;
    struct evhttp *http;
    struct event *stop;
    uint16_t port;
    pthread_t thread;
    bool thread_runs;
    hb_speech *speech;
    hb_map logins;
    int64_t start_ms;
    hb_dice dice; /* of tokens */
    given tokens[TOKENS];
    size_t token_count; /* given in all; the last TOKENS are known */
    uint64_t token_life_s;
    char client[TEXT]; /* empty: any */
    double points;
    int64_t points_ms; /* when there were so many */
    fault streams_fault;
    fault token_fault;
    fault emotes_fault;
    uint64_t emotes_season;
    uint64_t emotes_calls;
    uint64_t streams_calls;
    uint64_t streams_answered; /* with 200 */
    uint64_t streams_listed;
    uint64_t token_calls;
};

/* ---- Answers ---- */

static void set_header(struct evhttp_request *request, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    evhttp_add_header(evhttp_request_get_output_headers(request), name, text);
}

/* Takes over the answer. */
static void reply(struct evhttp_request *request, int status, json_t *answer)
{
    char *const text = answer == NULL ? NULL : json_dumps(answer, JSON_COMPACT);
    struct evbuffer *const body = evhttp_request_get_output_buffer(request);
    json_decref(answer);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
    if (text != NULL)
        evbuffer_add(body, text, strlen(text));
    free(text);
    evhttp_send_reply(request, status, NULL, NULL);
}

static void reply_error(struct evhttp_request *request, int status, const char *message)
{
    const char *const name = status == 400   ? "Bad Request"
                             : status == 401 ? "Unauthorized"
                             : status == 403 ? "Forbidden"
                             : status == 429 ? "Too Many Requests"
                                             : "Internal Server Error";
    reply(request, status, json_pack("{s:s, s:i, s:s}", "error", name, "status", status, "message", message));
}

static void reply_huge(struct evhttp_request *request)
{
    struct evbuffer *const body = evhttp_request_get_output_buffer(request);
    char *const spaces = hb_alloc(HUGE_BYTES);
    memset(spaces, ' ', HUGE_BYTES);
    evbuffer_add(body, spaces, HUGE_BYTES);
    free(spaces);
    evhttp_send_reply(request, 200, NULL, NULL);
}

static void set_rate_headers(struct evhttp_request *request, uint64_t remaining, uint64_t after_s)
{
    set_header(request, "Ratelimit-Limit", POINTS);
    set_header(request, "Ratelimit-Remaining", remaining);
    set_header(request, "Ratelimit-Reset", (uint64_t)hb_now_ms() / 1000 + after_s);
}

/* Does what /control asked to go wrong with this call, if anything. */
static bool go_wrong(struct evhttp_request *request, fault *what)
{
    uint64_t status = 0;
    if (what->times == 0)
        return false;
    what->times--;
    if (strcmp(what->answer, "silence") == 0)
        return true;
    if (strcmp(what->answer, "huge") == 0) {
        reply_huge(request);
    } else if (strcmp(what->answer, "malformed") == 0) {
        struct evbuffer *const body = evhttp_request_get_output_buffer(request);
        evbuffer_add_printf(body, "{\"data\":[{\"user_login\":\"");
        evhttp_send_reply(request, 200, NULL, NULL);
    } else if (hb_bytes_to_u64(hb_bytes_of(what->answer), &status) && status >= 400 && status < 600) {
        if (status == 429)
            set_rate_headers(request, 0, what->reset_after_s);
        reply_error(request, (int)status, "this was asked for");
    } else {
        return false;
    }
    return true;
}

/* ---- Tokens ---- */

static void reply_token(hb_simulator_helix *helix, struct evhttp_request *request)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    given *const token = &helix->tokens[helix->token_count++ % TOKENS];
    for (size_t i = 0; i < TOKEN_SIZE - 1; i++)
        token->token[i] = letters[hb_dice_below(&helix->dice, sizeof letters - 1)];
    token->until_ms = hb_monotonic_ms() + (int64_t)helix->token_life_s * 1000;
    reply(request, 200,
          json_pack("{s:s, s:I, s:s}", "access_token", token->token, "expires_in", (json_int_t)helix->token_life_s,
                    "token_type", "bearer"));
}

static const char *value_of(struct evkeyvalq *form, const char *key)
{
    const char *const value = evhttp_find_header(form, key);
    return value == NULL ? "" : value;
}

static void on_token(struct evhttp_request *request, void *context)
{
    hb_simulator_helix *helix = context;
    struct evbuffer *const body = evhttp_request_get_input_buffer(request);
    struct evkeyvalq form;
    helix->token_calls++;
    if (go_wrong(request, &helix->token_fault))
        return;
    evbuffer_add(body, "", 1);
    if (evhttp_parse_query_str((const char *)evbuffer_pullup(body, -1), &form) != 0) {
        reply_error(request, 400, "missing client id");
        return;
    }
    if (*value_of(&form, "client_id") == '\0')
        reply_error(request, 400, "missing client id");
    else if (helix->client[0] != '\0' && strcmp(value_of(&form, "client_id"), helix->client) != 0)
        reply_error(request, 400, "invalid client");
    else if (*value_of(&form, "client_secret") == '\0')
        reply_error(request, 400, "missing client secret");
    else if (strcmp(value_of(&form, "grant_type"), "client_credentials") != 0)
        reply_error(request, 400, "unsupported grant type");
    else
        reply_token(helix, request);
    evhttp_clear_headers(&form);
}

static bool is_let_in(const hb_simulator_helix *helix, struct evhttp_request *request)
{
    struct evkeyvalq *const headers = evhttp_request_get_input_headers(request);
    const hb_bytes bearer = HB_BYTES("Bearer ");
    const hb_bytes token = hb_bytes_of(value_of(headers, "Authorization"));
    if (*value_of(headers, "Client-Id") == '\0' || !hb_bytes_start_with(token, bearer))
        return false;
    for (size_t i = 0; i < TOKENS && i < helix->token_count; i++)
        if (hb_bytes_equal(hb_bytes_from(token, bearer.size), hb_bytes_of(helix->tokens[i].token)))
            return hb_monotonic_ms() < helix->tokens[i].until_ms;
    return false;
}

/* ---- Streams ---- */

/* Fills the bucket up to now, and takes a point; false when there is none. */
static bool take_point(hb_simulator_helix *helix)
{
    const int64_t now_ms = hb_monotonic_ms();
    helix->points += (double)(now_ms - helix->points_ms) * POINTS / REFILL_MS;
    helix->points_ms = now_ms;
    if (helix->points > POINTS)
        helix->points = POINTS;
    if (helix->points < 1)
        return false;
    helix->points--;
    return true;
}

static json_t *describe(const hb_simulator_helix *helix, size_t number, const hb_stream *stream, int64_t start_s)
{
    const hb_chat_source *const chat = &helix->options.chat;
    const hb_bytes login = chat->channel(chat->context, number);
    char id[24];
    char user_id[24];
    char game_id[24];
    char since[HB_TIME_TEXT];
    hb_speech_text game;
    hb_speech_text title;
    hb_speech_clear(&game);
    hb_speech_clear(&title);
    hb_speech_game(helix->speech, stream->game, &game);
    hb_speech_title(helix->speech, stream->title, &title);
    snprintf(id, sizeof id, "%" PRIu64, stream->id);
    snprintf(user_id, sizeof user_id, "%" PRIu64, chat->room_id(chat->context, number));
    snprintf(game_id, sizeof game_id, "%" PRIu64, hb_hash((hb_bytes){game.bytes, game.size}, 0) % 1000000);
    hb_time_print(start_s + (int64_t)((double)stream->since_s / helix->options.speed), since);
    return json_pack("{s:s, s:s, s:s%, s:s%, s:s, s:s%, s:s, s:s%, s:[], s:I, s:s, s:s, s:b}", "id", id, "user_id",
                     user_id, "user_login", login.data, login.size, "user_name", login.data, login.size, "game_id",
                     game_id, "game_name", game.bytes, game.size, "type", "live", "title", title.bytes, title.size,
                     "tags", "viewer_count", (json_int_t)stream->viewers, "started_at", since, "language", "en",
                     "is_mature", 0);
}

/* Appends the channel's stream, if it is live, and there is room. False for a login that is none. */
static bool list_stream(hb_simulator_helix *helix, const char *text, uint64_t first, json_t *list)
{
    char login[HB_LOGIN_MAX + 1];
    size_t number = 0;
    if (strlen(text) > LOGIN_MAX || text[0] == '#' || !hb_channel_name_read(hb_bytes_of(text), login))
        return false;
    const int64_t after_ms = hb_monotonic_ms() - helix->start_ms;
    if (json_array_size(list) >= first ||
        !hb_chat_find_channel(&helix->options.chat, &helix->logins, hb_bytes_of(login), &number))
        return true;
    const hb_stream stream =
        hb_stream_at(helix->options.seed, number, (int64_t)((double)after_ms * helix->options.speed) / 1000);
    if (stream.live)
        json_array_append_new(list, describe(helix, number, &stream, (hb_now_ms() - after_ms) / 1000));
    return true;
}

static void reply_streams(hb_simulator_helix *helix, struct evhttp_request *request, struct evkeyvalq *query)
{
    json_t *const list = json_array();
    uint64_t first = FIRST;
    size_t logins = 0;
    bool good = evhttp_find_header(query, "first") == NULL ||
                (hb_bytes_to_u64(hb_bytes_of(value_of(query, "first")), &first) && first >= 1 && first <= LOGINS);
    for (const struct evkeyval *pair = query->tqh_first; good && pair != NULL; pair = pair->next.tqe_next)
        if (strcmp(pair->key, "user_login") == 0)
            good = ++logins <= LOGINS && list_stream(helix, pair->value, first, list);
    if (!good) {
        json_decref(list);
        reply_error(request, 400, "Malformed query params.");
        return;
    }
    helix->streams_answered++;
    helix->streams_listed += json_array_size(list);
    reply(request, 200, json_pack("{s:o, s:{}}", "data", list, "pagination"));
}

static void on_streams(struct evhttp_request *request, void *context)
{
    hb_simulator_helix *helix = context;
    const char *const query_text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
    struct evkeyvalq query;
    helix->streams_calls++;
    if (go_wrong(request, &helix->streams_fault))
        return;
    if (!is_let_in(helix, request)) {
        reply_error(request, 401, "Invalid OAuth token");
        return;
    }
    const bool has_point = take_point(helix);
    set_rate_headers(request, (uint64_t)helix->points,
                     (uint64_t)((POINTS - helix->points) * REFILL_MS / POINTS / 1000) + 1);
    if (!has_point) {
        reply_error(request, 429, "Too Many Requests");
        return;
    }
    if (evhttp_parse_query_str(query_text == NULL ? "" : query_text, &query) != 0) {
        reply_error(request, 400, "Malformed query params.");
        return;
    }
    reply_streams(helix, request, &query);
    evhttp_clear_headers(&query);
}

/* ---- Control ---- */

static bool read_number(struct evkeyvalq *query, const char *key, uint64_t *number)
{
    return hb_bytes_to_u64(hb_bytes_of(value_of(query, key)), number);
}

static void read_fault(struct evkeyvalq *query, const char *key, fault *what)
{
    if (evhttp_find_header(query, key) == NULL)
        return;
    *what = (fault){.times = 1};
    snprintf(what->answer, sizeof what->answer, "%s", value_of(query, key));
    read_number(query, "times", &what->times);
    read_number(query, "reset-after", &what->reset_after_s);
}

static void follow(hb_simulator_helix *helix, struct evkeyvalq *query)
{
    uint64_t points = 0;
    read_number(query, "token-life", &helix->token_life_s);
    if (evhttp_find_header(query, "revoke") != NULL)
        helix->token_count = 0;
    if (read_number(query, "points", &points)) {
        helix->points = points > POINTS ? POINTS : (double)points;
        helix->points_ms = hb_monotonic_ms();
    }
    if (evhttp_find_header(query, "client") != NULL)
        snprintf(helix->client, sizeof helix->client, "%s", value_of(query, "client"));
    read_fault(query, "answer", &helix->streams_fault);
    read_fault(query, "token-answer", &helix->token_fault);
    read_fault(query, "emotes-answer", &helix->emotes_fault);
    read_number(query, "emotes-season", &helix->emotes_season);
}

static void on_control(struct evhttp_request *request, void *context)
{
    hb_simulator_helix *helix = context;
    const char *const query_text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
    struct evkeyvalq query;
    if (evhttp_parse_query_str(query_text == NULL ? "" : query_text, &query) == 0) {
        follow(helix, &query);
        evhttp_clear_headers(&query);
    }
    reply(request, 200,
          json_pack("{s:I, s:I, s:I, s:I, s:I}", "streams_calls", (json_int_t)helix->streams_calls, "streams_answered",
                    (json_int_t)helix->streams_answered, "streams_listed", (json_int_t)helix->streams_listed,
                    "token_calls", (json_int_t)helix->token_calls, "emotes_calls", (json_int_t)helix->emotes_calls));
}

/* ---- The door ---- */

/* Emotes, or nothing that is there. */
static void on_other(struct evhttp_request *request, void *context)
{
    hb_simulator_helix *helix = context;
    const char *const path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    helix->emotes_calls++;
    if (go_wrong(request, &helix->emotes_fault))
        return;
    json_t *const emotes = path == NULL ? NULL
                                        : hb_simulator_emotes_answer(&helix->options.chat, helix->options.seed,
                                                                     helix->emotes_season, path);
    if (emotes != NULL)
        reply(request, 200, emotes);
    else
        reply(request, 404, json_pack("{s:s, s:i, s:s}", "error", "Not Found", "status", 404, "message", ""));
}

static void on_stop(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    event_base_loopbreak(((hb_simulator_helix *)context)->loop);
}

static void *run(void *context)
{
    event_base_dispatch(((hb_simulator_helix *)context)->loop);
    return NULL;
}

static bool listen_on(hb_simulator_helix *helix, hb_error *error)
{
    const char *const host = helix->options.host;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.v6 = {0}};
    socklen_t size = sizeof bound;
    errno = 0;
    struct evhttp_bound_socket *const socket = evhttp_bind_socket_with_handle(
        helix->http, host == NULL || *host == '\0' ? "0.0.0.0" : host, helix->options.port);
    if (socket == NULL && errno == EADDRINUSE)
        return hb_fail(error, HB_ERROR_BUSY,
                       "cannot listen on %s:%u: the port is in use; choose another with --helix-listen", host,
                       helix->options.port);
    if (socket == NULL || getsockname(evhttp_bound_socket_get_fd(socket), &bound.any, &size) != 0)
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot listen on %s:%u for calls of the simulated Twitch's API", host,
                       helix->options.port);
    helix->port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    return true;
}

static bool open_http(hb_simulator_helix *helix, hb_error *error)
{
    if (evthread_use_pthreads() != 0 || (helix->loop = event_base_new()) == NULL ||
        (helix->http = evhttp_new(helix->loop)) == NULL ||
        (helix->stop = event_new(helix->loop, -1, EV_PERSIST, on_stop, helix)) == NULL)
        return hb_fail(error, HB_ERROR_SYSTEM, "the simulated Twitch's API could not be set up");
    evhttp_set_max_body_size(helix->http, BODY_MAX);
    evhttp_set_max_headers_size(helix->http, BODY_MAX);
    evhttp_set_cb(helix->http, "/oauth2/token", on_token, helix);
    evhttp_set_cb(helix->http, "/helix/streams", on_streams, helix);
    evhttp_set_cb(helix->http, "/control", on_control, helix);
    evhttp_set_gencb(helix->http, on_other, helix);
    return listen_on(helix, error);
}

static bool start_thread(hb_simulator_helix *helix, hb_error *error)
{
    const int code = pthread_create(&helix->thread, NULL, run, helix);
    helix->thread_runs = code == 0;
    errno = code;
    return helix->thread_runs || hb_fail_errno(error, "the thread of the simulated Twitch's API could not be started");
}

hb_simulator_helix *hb_simulator_helix_open(const hb_simulator_helix_options *options, hb_error *error)
{
    hb_simulator_helix *helix = hb_alloc(sizeof *helix);
    const hb_chat_source *const chat = &options->chat;
    helix->options = *options;
    helix->speech = hb_speech_open(options->seed);
    helix->dice.state = options->seed;
    helix->start_ms = helix->points_ms = hb_monotonic_ms();
    helix->points = POINTS;
    helix->token_life_s = TOKEN_LIFE_S;
    hb_chat_index_channels(chat, &helix->logins);
    if (open_http(helix, error) && start_thread(helix, error))
        return helix;
    hb_simulator_helix_close(helix);
    return NULL;
}

void hb_simulator_helix_close(hb_simulator_helix *helix)
{
    if (helix == NULL)
        return;
    if (helix->thread_runs) {
        event_active(helix->stop, 0, 0);
        pthread_join(helix->thread, NULL);
    }
    if (helix->http != NULL)
        evhttp_free(helix->http);
    if (helix->stop != NULL)
        event_free(helix->stop);
    if (helix->loop != NULL)
        event_base_free(helix->loop);
    hb_speech_close(helix->speech);
    hb_map_free(&helix->logins);
    free(helix);
}

uint16_t hb_simulator_helix_port(const hb_simulator_helix *helix)
{
    return helix->port;
}
