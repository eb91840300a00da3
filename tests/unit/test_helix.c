/* test_helix.c - viewers: answers read into facts, what is decided after each, streams that are made up, and the poller
 * against the simulated Twitch's API. */
#include "unit.h"

#include "base/clock.h"
#include "base/memory.h"
#include "twitch/chat_maker.h"
#include "twitch/helix.h"
#include "twitch/helix_answer.h"
#include "twitch/helix_plan.h"
#include "twitch/http.h"
#include "twitch/simulator_helix.h"
#include "twitch/stream_maker.h"

#include "http_client.h"

#include <pthread.h>

/* ---- Answers ---- */

static void append_line(void *context, const hb_stream_sample *sample)
{
    hb_buffer *lines = context;
    hb_stream_line_write(sample, 1764000000000, lines);
    hb_buffer_append_char(lines, '\n');
}

static hb_helix_counts read_all(const char *body, hb_buffer *lines)
{
    hb_helix_counts counts;
    hb_error error = {0};
    lines->size = 0;
    if (!hb_helix_read_streams(hb_bytes_of(body), append_line, lines, &counts, &error))
        fail_msg("%s: %s", body, error.text);
    return counts;
}

static void streams_become_facts(void **state)
{
    (void)state;
    hb_buffer lines = {0};
    const hb_helix_counts counts =
        read_all("{\"data\":[{\"user_id\":\"71092938\",\"user_login\":\"xQc\",\"game_name\":\"Just Chatting\","
                 "\"type\":\"live\",\"title\":\"a; b \\\\ c\\r\\nd\\u0000\\ud83d\\ude00\",\"viewer_count\":45123},"
                 "{\"user_login\":\"b\",\"type\":\"live\",\"viewer_count\":0}],\"pagination\":{}}",
                 &lines);
    hb_bytes rest = hb_buffer_bytes(&lines);
    hb_bytes line;
    assert_int_equal(counts.streams, 2);
    assert_int_equal(counts.malformed, 0);
    assert_true(hb_bytes_cut(&rest, '\n', &line));
    assert_bytes(line, "@rm-received-ts=1764000000000;room-id=71092938;game-name=Just\\sChatting;"
                       "title=a\\:\\sb\\s\\\\\\sc\\r\\nd\xf0\x9f\x98\x80 :hubbub STREAM #xqc 45123");
    hb_fact fact;
    assert_int_equal(hb_fact_read(line, &fact), HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_STREAM);
    assert_bytes(fact.channel, "xqc");
    assert_bytes(fact.room_id, "71092938");
    assert_int_equal(fact.viewers, 45123);
    char plain[100];
    assert_bytes(((hb_bytes){plain, hb_tag_unescape(fact.title, plain)}), "a; b \\ c\r\nd\xf0\x9f\x98\x80");
    assert_true(hb_bytes_cut(&rest, '\n', &line));
    assert_bytes(line, "@rm-received-ts=1764000000000;room-id=;game-name=;title= :hubbub STREAM #b 0");
    hb_buffer_free(&lines);
}

/* What an entry holds in place of what it should, it cannot break the others or the line. */
static void bad_entries_are_counted_and_skipped(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "7",
        "null",
        "[]",
        "{}",
        "{\"user_login\":\"c\",\"type\":\"live\"}",
        "{\"user_login\":\"c\",\"type\":\"live\",\"viewer_count\":\"7\"}",
        "{\"user_login\":\"c\",\"type\":\"live\",\"viewer_count\":-7}",
        "{\"user_login\":\"c\",\"type\":\"live\",\"viewer_count\":7.5}",
        "{\"user_login\":\"c\",\"type\":\"live\",\"viewer_count\":9223372036854775807}",
        "{\"user_login\":\"c d\",\"type\":\"live\",\"viewer_count\":7}",
        "{\"user_login\":\"#c\",\"type\":\"live\",\"viewer_count\":7}",
        "{\"user_login\":\"c\\u0000\",\"type\":\"live\",\"viewer_count\":7}",
        "{\"user_login\":\"\",\"type\":\"live\",\"viewer_count\":7}",
        "{\"user_login\":{},\"type\":\"live\",\"viewer_count\":7}",
    };
    hb_buffer lines = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hb_buffer body = {0};
        hb_buffer_print(&body,
                        "{\"data\":[%s,{\"user_login\":\"a\",\"user_id\":\"1 2\",\"title\":[],\"type\":\"live\","
                        "\"viewer_count\":3}]}%c",
                        bad[i], '\0');
        const hb_helix_counts counts = read_all(body.data, &lines);
        assert_int_equal(counts.malformed, 1);
        assert_int_equal(counts.streams, 1);
        assert_bytes(hb_buffer_bytes(&lines),
                     "@rm-received-ts=1764000000000;room-id=;game-name=;title= :hubbub STREAM #a 3\n");
        hb_buffer_free(&body);
    }
    const hb_helix_counts offline =
        read_all("{\"data\":[{\"user_login\":\"a\",\"type\":\"\",\"viewer_count\":3}]}", &lines);
    assert_int_equal(offline.streams + offline.malformed, 0);
    assert_int_equal(lines.size, 0);
    hb_buffer_free(&lines);
}

static void half_a_character_costs_nobody_a_sample(void **state)
{
    (void)state;
    hb_buffer lines = {0};
    read_all("{\"data\":[{\"user_login\":\"a\",\"type\":\"live\",\"viewer_count\":3,"
             "\"title\":\"\\ud83d \\ude00 \\\\ud83d \\ud83d\\ud83d\\ude00 \\ud83d\\u0041\"}]}",
             &lines);
    assert_bytes(hb_buffer_bytes(&lines),
                 "@rm-received-ts=1764000000000;room-id=;game-name=;title=\xef\xbf\xbd\\s\xef\xbf\xbd\\s\\\\ud83d\\s"
                 "\xef\xbf\xbd\xf0\x9f\x98\x80\\s\xef\xbf\xbd"
                 "A :hubbub STREAM #a 3\n");
    hb_buffer_free(&lines);
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "{", "[]", "{}", "{\"data\":{}}", "{\"data\":[{\"user_login\":\"", "7", "{\"data\":[]} trailing"};
    hb_buffer lines = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hb_helix_counts counts;
        hb_helix_token token;
        hb_error error = {0};
        assert_false(hb_helix_read_streams(hb_bytes_of(bad[i]), append_line, &lines, &counts, &error));
        assert_int_equal(error.code, HB_ERROR_CORRUPT);
        error.code = HB_ERROR_NONE;
        assert_false(hb_helix_read_token(hb_bytes_of(bad[i]), &token, &error));
        assert_int_equal(error.code, HB_ERROR_CORRUPT);
    }
    assert_int_equal(lines.size, 0);
}

static void long_texts_are_cut_at_a_character(void **state)
{
    (void)state;
    hb_buffer title = {0};
    hb_buffer line = {0};
    while (title.size < 3000)
        hb_buffer_append(&title, HB_BYTES("\xe2\x82\xac")); /* three bytes; 1024 is no multiple of them */
    const hb_stream_sample sample = {.login = HB_BYTES("a"), .title = hb_buffer_bytes(&title)};
    hb_stream_line_write(&sample, 0, &line);
    const hb_bytes start = HB_BYTES("@room-id=;game-name=;title=");
    assert_true(hb_bytes_start_with(hb_buffer_bytes(&line), start));
    assert_int_equal(strcspn(line.data + start.size, " "), HB_STREAM_TITLE_MAX / 3 * 3);
    hb_buffer_free(&title);
    hb_buffer_free(&line);
}

static void tokens_and_messages_are_read(void **state)
{
    (void)state;
    hb_helix_token token;
    hb_error error = {0};
    char message[HB_HELIX_MESSAGE];
    assert_true(hb_helix_read_token(
        HB_BYTES("{\"access_token\":\"abc1\",\"expires_in\":5011271,\"token_type\":\"bearer\"}"), &token, &error));
    assert_string_equal(token.text, "abc1");
    assert_int_equal(token.expires_in_s, 5011271);
    free(token.text);
    assert_true(hb_helix_read_token(HB_BYTES("{\"access_token\":\"a\",\"expires_in\":-3}"), &token, &error));
    assert_int_equal(token.expires_in_s, 0);
    free(token.text);
    assert_false(hb_helix_read_token(HB_BYTES("{\"access_token\":\"a\\r\\nX-More: 1\"}"), &token, &error));
    assert_false(hb_helix_read_token(HB_BYTES("{\"access_token\":\"\"}"), &token, &error));
    hb_helix_read_message(HB_BYTES("{\"status\":400,\"message\":\"invalid\\u001b client\"}"), message);
    assert_string_equal(message, "invalid? client");
    hb_helix_read_message(HB_BYTES("<html>"), message);
    assert_string_equal(message, "");
}

/* ---- Decisions ---- */

#define NOW_MS 1764000000000
#define NOW_S  (NOW_MS / 1000)

static hb_helix_plan fresh_plan(void)
{
    return (hb_helix_plan){.backoff = {1000, 60000, 0}};
}

static void calls_wait_for_points(void **state)
{
    (void)state;
    hb_helix_plan plan = fresh_plan();
    int64_t wait_ms = -1;
    hb_http_outcome outcome = {200, 799, NOW_S + 1};
    assert_int_equal(hb_helix_after_streams(&plan, &outcome, NOW_MS, 0, &wait_ms), HB_HELIX_NEXT);
    assert_int_equal(wait_ms, 0);
    outcome = (hb_http_outcome){200, 0, NOW_S + 30};
    assert_int_equal(hb_helix_after_streams(&plan, &outcome, NOW_MS, 0, &wait_ms), HB_HELIX_NEXT);
    assert_int_equal(wait_ms, 30000);
    outcome = (hb_http_outcome){200, 0, 0}; /* not told when */
    assert_int_equal(hb_helix_after_streams(&plan, &outcome, NOW_MS, 0, &wait_ms), HB_HELIX_NEXT);
    assert_int_equal(wait_ms, 0);
    for (uint32_t random = 0; random < 100000; random += 777) {
        plan = fresh_plan();
        outcome = (hb_http_outcome){429, 0, NOW_S + 30};
        assert_int_equal(hb_helix_after_streams(&plan, &outcome, NOW_MS, random, &wait_ms), HB_HELIX_AGAIN);
        assert_in_range(wait_ms, 30000, 30999);
        outcome.reset_s = NOW_S + 100000000; /* a wrong clock */
        assert_int_equal(hb_helix_after_streams(&plan, &outcome, NOW_MS, random, &wait_ms), HB_HELIX_AGAIN);
        assert_in_range(wait_ms, HB_HELIX_RESET_MAX_MS - 1000, HB_HELIX_RESET_MAX_MS + 1000);
    }
    plan = fresh_plan();
    outcome = (hb_http_outcome){429, -1, NOW_S - 10}; /* over: then back off */
    assert_int_equal(hb_helix_after_streams(&plan, &outcome, NOW_MS, 0, &wait_ms), HB_HELIX_AGAIN);
    assert_in_range(wait_ms, 750, 1250);
}

static void failures_back_off_and_a_success_forgets_them(void **state)
{
    (void)state;
    static const long failures[] = {500, 502, 503, 0, 404, 302};
    hb_helix_plan plan = fresh_plan();
    int64_t wait_ms = 0;
    for (unsigned i = 0; i < 12; i++) {
        const hb_http_outcome outcome = {failures[i % 6], -1, 0};
        const int64_t about_ms = i > 5 ? 60000 : 1000 << i;
        assert_int_equal(hb_helix_after_streams(&plan, &outcome, NOW_MS, i * 0x15555555u, &wait_ms), HB_HELIX_AGAIN);
        assert_in_range(wait_ms, about_ms * 3 / 4, about_ms * 5 / 4);
    }
    const hb_http_outcome well = {200, 700, NOW_S + 10};
    const hb_http_outcome bad = {500, 700, NOW_S + 10};
    assert_int_equal(hb_helix_after_streams(&plan, &well, NOW_MS, 0, &wait_ms), HB_HELIX_NEXT);
    assert_int_equal(hb_helix_after_streams(&plan, &bad, NOW_MS, 0, &wait_ms), HB_HELIX_AGAIN);
    assert_int_equal(wait_ms, 750);
}

static void tokens_are_renewed_but_not_without_end(void **state)
{
    (void)state;
    const hb_http_outcome refused = {401, -1, 0};
    const hb_http_outcome well = {200, -1, 0};
    hb_helix_plan plan = fresh_plan();
    int64_t wait_ms = -1;
    assert_int_equal(hb_helix_after_token(&plan, &well, NOW_MS, 0, &wait_ms), HB_HELIX_NEXT);
    assert_int_equal(hb_helix_after_streams(&plan, &well, NOW_MS, 0, &wait_ms), HB_HELIX_NEXT);
    assert_int_equal(hb_helix_after_streams(&plan, &refused, NOW_MS, 0, &wait_ms), HB_HELIX_RENEW);
    assert_int_equal(wait_ms, 0); /* it was worn out: at once */
    int64_t last_ms = 0;
    for (int i = 0; i < 5; i++) { /* not even new ones are taken: later each time */
        assert_int_equal(hb_helix_after_token(&plan, &well, NOW_MS, 0, &wait_ms), HB_HELIX_NEXT);
        assert_int_equal(hb_helix_after_streams(&plan, &refused, NOW_MS, 0, &wait_ms), HB_HELIX_RENEW);
        assert_true(wait_ms > last_ms);
        last_ms = wait_ms;
    }
    for (long status = 400; status <= 403; status += status == 401 ? 2 : 1) {
        const hb_http_outcome wrong = {status, -1, 0};
        assert_int_equal(hb_helix_after_token(&plan, &wrong, NOW_MS, 0, &wait_ms), HB_HELIX_REFUSED);
        assert_int_equal(wait_ms, HB_HELIX_REFUSED_MS);
    }
    assert_int_equal(hb_helix_token_use_ms(5000000), 5000000000 - 600000);
    assert_int_equal(hb_helix_token_use_ms(100), 90000);
    assert_int_equal(hb_helix_token_use_ms(0), 0);
}

static void urls_that_could_be_read_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool open;
        bool good;
    } urls[] = {
        {"https://api.twitch.tv", false, true}, {"http://127.0.0.1:8090", false, true},
        {"http://[::1]:8090/x", false, true},   {"http://localhost", false, true},
        {"http://api.twitch.tv", true, true},   {"http://127.0.0.1.example.org", true, true},
        {"ftp://127.0.0.1", false, false},      {"file:///etc/passwd", false, false},
        {"127.0.0.1:8090", false, false},       {"", false, false},
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        bool good = !urls[i].good;
        if (hb_http_url_is_open(urls[i].url, &good) != urls[i].open || good != urls[i].good)
            fail_msg("%s", urls[i].url);
    }
}

/* ---- Made-up streams ---- */

static void channels_live_and_rest(void **state)
{
    (void)state;
    enum { CHANNELS = 40, MINUTES = 24 * 60 };
    size_t live = 0;
    size_t starts = 0;
    size_t titles = 0;
    size_t games = 0;
    size_t jumps = 0;
    for (uint64_t channel = 0; channel < CHANNELS; channel++) {
        hb_stream before = hb_stream_at(7, channel, 0);
        assert_true(before.live); /* all are at the start */
        for (int64_t minute = 0; minute < MINUTES; minute++) {
            const hb_stream now = hb_stream_at(7, channel, minute * 60);
            const hb_stream again = hb_stream_at(7, channel, minute * 60);
            assert_int_equal(now.live, again.live);
            live += now.live;
            if (now.live) {
                assert_int_equal(now.viewers, again.viewers);
                assert_true(now.viewers > 0 && now.viewers < 200000);
                assert_true(now.since_s <= minute * 60);
                starts += !before.live;
                titles += before.live && now.title != before.title;
                games += before.live && now.game != before.game;
                jumps += before.live && now.viewers > before.viewers * 5 / 4 + 10;
                if (before.live)
                    assert_true(now.id == before.id && now.since_s == before.since_s);
            }
            before = now;
        }
    }
    assert_in_range(live, CHANNELS * MINUTES * 80 / 100, CHANNELS * MINUTES * 90 / 100);
    assert_in_range(starts, CHANNELS * 8, CHANNELS * 36);
    assert_true(titles > CHANNELS && games > CHANNELS / 2 && jumps > CHANNELS / 2);
    assert_true(hb_stream_at(7, 3, 600).viewers != hb_stream_at(8, 3, 600).viewers);
}

/* ---- The poller ---- */

enum { CHANNELS = 250 };

typedef struct polling {
    hb_chat_maker *maker;
    hb_chat_source chat;
    hb_simulator_helix *simulator;
    hb_metrics *metrics;
    hb_helix *helix;
    char url[40];
    char names[CHANNELS][HB_LOGIN_MAX + 1];
    const char *channels[CHANNELS];
    pthread_mutex_t lock; /* of all below */
    uint64_t samples;
    uint64_t of_first;
    uint64_t wells;
    char trouble[512];
} polling;

static void on_sample(void *context, hb_bytes line, int64_t received_ms)
{
    polling *poll = context;
    hb_fact fact;
    char timed[4096];
    assert_true(received_ms > 0);
    snprintf(timed, sizeof timed, "@rm-received-ts=%lld;%.*s", (long long)received_ms, (int)line.size - 1,
             line.data + 1);
    assert_int_equal(hb_fact_read(hb_bytes_of(timed), &fact), HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_STREAM);
    pthread_mutex_lock(&poll->lock);
    poll->samples++;
    poll->of_first += hb_bytes_equal(fact.channel, hb_bytes_of(poll->names[0]));
    pthread_mutex_unlock(&poll->lock);
}

static void on_trouble(void *context, const char *why)
{
    polling *poll = context;
    pthread_mutex_lock(&poll->lock);
    poll->wells += why == NULL;
    snprintf(poll->trouble, sizeof poll->trouble, "%s", why == NULL ? "" : why);
    pthread_mutex_unlock(&poll->lock);
}

/* Asks /control; *value is the number of this name in its answer. */
static uint64_t control(const polling *poll, const char *query, const char *name)
{
    hb_buffer text = {0};
    hb_buffer answer = {0};
    hb_buffer_print(&text, "GET /control?%s HTTP/1.0\r\n\r\n", query);
    const int socket = client_connect(hb_simulator_helix_port(poll->simulator), 0);
    client_send(socket, hb_buffer_bytes(&text));
    while (client_read(socket, CLIENT_TIMEOUT_MS, &answer))
        continue;
    close(socket);
    hb_buffer_append_char(&answer, '\0');
    const char *found = strstr(answer.data, name);
    assert_non_null(found);
    const uint64_t value = strtoull(found + strlen(name) + 2, NULL, 10);
    hb_buffer_free(&text);
    hb_buffer_free(&answer);
    return value;
}

static polling *start_polling(int every_ms, int timeout_ms, const char *before)
{
    const hb_chat_options chat = {.seed = 5, .channels = CHANNELS, .rate = 1};
    hb_error error = {0};
    polling *poll = hb_alloc(sizeof *poll);
    pthread_mutex_init(&poll->lock, NULL);
    poll->maker = hb_chat_maker_open(&chat, &error);
    poll->chat = hb_chat_maker_source(poll->maker);
    const hb_simulator_helix_options simulated = {.host = "127.0.0.1", .chat = poll->chat, .seed = 5, .speed = 1};
    poll->simulator = hb_simulator_helix_open(&simulated, &error);
    if (poll->simulator == NULL)
        fail_msg("%s", error.text);
    control(poll, before, "token_calls");
    for (size_t i = 0; i < CHANNELS; i++) {
        const hb_bytes name = poll->chat.channel(poll->chat.context, i);
        memcpy(poll->names[i], name.data, name.size);
        poll->channels[i] = poll->names[i];
    }
    snprintf(poll->url, sizeof poll->url, "http://127.0.0.1:%u/", hb_simulator_helix_port(poll->simulator));
    poll->metrics = hb_metrics_open();
    const hb_helix_options options = {
        .url = poll->url,
        .client_id = "an&id",
        .client_secret = "a%secret",
        .every_ms = every_ms,
        .timeout_ms = timeout_ms,
        .retry_ms = 20,
        .on_sample = on_sample,
        .on_trouble = on_trouble,
        .context = poll,
    };
    poll->helix = hb_helix_open(&options, poll->metrics, &error);
    if (poll->helix == NULL)
        fail_msg("%s", error.text);
    return poll;
}

static void stop_polling(polling *poll)
{
    hb_helix_close(poll->helix);
    hb_simulator_helix_close(poll->simulator);
    hb_chat_maker_close(poll->maker);
    hb_metrics_close(poll->metrics);
    pthread_mutex_destroy(&poll->lock);
    free(poll);
}

static int64_t metric(const polling *poll, const char *name)
{
    return hb_metric_get(hb_metrics_counter(poll->metrics, name, ""));
}

static uint64_t samples_of(polling *poll)
{
    pthread_mutex_lock(&poll->lock);
    const uint64_t samples = poll->samples;
    pthread_mutex_unlock(&poll->lock);
    return samples;
}

static bool is_troubled(polling *poll, const char *text)
{
    pthread_mutex_lock(&poll->lock);
    const bool troubled = poll->trouble[0] != '\0' && strstr(poll->trouble, text) != NULL;
    pthread_mutex_unlock(&poll->lock);
    return troubled;
}

static bool is_well(polling *poll)
{
    pthread_mutex_lock(&poll->lock);
    const bool well = poll->wells > 0 && poll->trouble[0] == '\0';
    pthread_mutex_unlock(&poll->lock);
    return well;
}

#define poll_until(condition)                                                                                          \
    do {                                                                                                               \
        const int64_t until_ms = hb_monotonic_ms() + 20000;                                                            \
        while (!(condition)) {                                                                                         \
            if (hb_monotonic_ms() > until_ms)                                                                          \
                fail_msg("waited in vain: %s", #condition);                                                            \
            usleep(5000);                                                                                              \
        }                                                                                                              \
    } while (0)

static void a_round_takes_three_calls(void **state)
{
    (void)state;
    polling *poll = start_polling(60000, 5000, "");
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(samples_of(poll) == CHANNELS);
    poll_until(is_well(poll));
    assert_int_equal(control(poll, "", "streams_calls"), 3);
    assert_int_equal(control(poll, "", "streams_listed"), CHANNELS);
    assert_int_equal(metric(poll, "hubbub_helix_calls_total"), 4);
    assert_int_equal(metric(poll, "hubbub_helix_samples_total"), CHANNELS);
    assert_int_equal(metric(poll, "hubbub_helix_tokens_total"), 1);
    assert_int_equal(metric(poll, "hubbub_helix_errors_total"), 0);
    assert_in_range(metric(poll, "hubbub_helix_ratelimit_remaining"), 797, 799);
    /* Other channels are asked for at once, and only these. */
    const char *two[] = {"#"
                         "nobody_at_all",
                         poll->names[7], "no name!"};
    hb_helix_set_channels(poll->helix, two, 3);
    poll_until(samples_of(poll) == CHANNELS + 1);
    assert_int_equal(control(poll, "", "streams_calls"), 4);
    stop_polling(poll);
}

static void failures_are_overcome(void **state)
{
    (void)state;
    static const char *const failures[] = {"answer=500&times=2",
                                           "answer=503",
                                           "answer=401",
                                           "answer=malformed&times=2",
                                           "answer=huge",
                                           "answer=silence",
                                           "answer=429",
                                           "token-answer=500&times=2&revoke=1",
                                           "token-answer=malformed&revoke=1",
                                           "revoke=1"};
    polling *poll = start_polling(300, 250, "");
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(samples_of(poll) >= CHANNELS);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        const int64_t errors = metric(poll, "hubbub_helix_errors_total");
        control(poll, failures[i], "token_calls");
        poll_until(metric(poll, "hubbub_helix_errors_total") > errors);
        const uint64_t samples = samples_of(poll);
        poll_until(samples_of(poll) >= samples + 2 * CHANNELS);
    }
    assert_true(is_well(poll)); /* none of these lasted long enough to be told */
    stop_polling(poll);
}

static void a_reset_is_waited_for(void **state)
{
    (void)state;
    polling *poll = start_polling(100, 5000, "");
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(samples_of(poll) >= CHANNELS);
    const int64_t errors = metric(poll, "hubbub_helix_errors_total");
    control(poll, "answer=429&reset-after=3", "token_calls");
    poll_until(metric(poll, "hubbub_helix_errors_total") > errors);
    const uint64_t calls = control(poll, "", "streams_calls");
    usleep(1500000); /* the reset is told in whole seconds: two of the three are sure */
    assert_int_equal(control(poll, "", "streams_calls"), calls);
    poll_until(control(poll, "", "streams_calls") > calls);
    stop_polling(poll);
}

static void tokens_are_renewed_before_they_end(void **state)
{
    (void)state;
    polling *poll = start_polling(100, 5000, "token-life=1");
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(metric(poll, "hubbub_helix_tokens_total") >= 3);
    assert_int_equal(metric(poll, "hubbub_helix_errors_total"), 0); /* no 401 was needed for that */
    stop_polling(poll);
}

static void wrong_credentials_are_told(void **state)
{
    (void)state;
    polling *poll = start_polling(50, 5000, "client=another");
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(is_troubled(poll, "TWITCH_CLIENT_ID"));
    assert_true(is_troubled(poll, "invalid client") && is_troubled(poll, HB_HELIX_CONSOLE));
    usleep(200000);
    assert_int_equal(control(poll, "", "token_calls"), 1); /* no hammering */
    assert_int_equal(samples_of(poll), 0);
    stop_polling(poll);
}

static void lasting_trouble_is_told_until_it_is_over(void **state)
{
    (void)state;
    polling *poll = start_polling(50, 5000, "answer=500&times=6");
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(is_troubled(poll, "HTTP 500"));
    poll_until(is_well(poll));
    assert_true(metric(poll, "hubbub_helix_missed_total") > 0);
    stop_polling(poll);
}

/* Twitch takes a call with one impossible name for malformed as a whole. */
static void one_bad_name_costs_nobody_else_a_sample(void **state)
{
    (void)state;
    polling *poll = start_polling(60000, 5000, "");
    poll->channels[77] = "a_name_that_twitch_would_never_have_given";
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(samples_of(poll) == CHANNELS - 1);
    poll->channels[77] = poll->names[77];
    hb_helix_set_channels(poll->helix, poll->channels + 77, 1);
    poll_until(samples_of(poll) == CHANNELS);
    stop_polling(poll);
}

static void closing_does_not_wait_for_an_answer(void **state)
{
    (void)state;
    polling *poll = start_polling(60000, 30000, "answer=silence&times=9");
    hb_helix_set_channels(poll->helix, poll->channels, CHANNELS);
    poll_until(control(poll, "", "streams_calls") == 1);
    const int64_t began_ms = hb_monotonic_ms();
    stop_polling(poll);
    assert_true(hb_monotonic_ms() - began_ms < 2000);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    hb_helix_options options = {.url = "http://example.org",
                                .client_id = "a",
                                .client_secret = "b",
                                .every_ms = 1000,
                                .timeout_ms = 100,
                                .retry_ms = 10,
                                .on_sample = on_sample};
    hb_error error = {0};
    assert_null(hb_helix_open(&options, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_non_null(strstr(error.text, "https"));
    options.url = "nowhere";
    assert_null(hb_helix_open(&options, NULL, &error));
    assert_non_null(strstr(error.text, "nowhere"));
    options.url = NULL;
    options.client_id = "a\r\nX: 1";
    assert_null(hb_helix_open(&options, NULL, &error));
    assert_non_null(strstr(error.text, "TWITCH_CLIENT_ID"));
    options.client_id = "a";
    hb_helix *helix = hb_helix_open(&options, NULL, &error); /* asks for nothing as long as it has no channels */
    assert_non_null(helix);
    hb_helix_close(helix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_become_facts),
        cmocka_unit_test(bad_entries_are_counted_and_skipped),
        cmocka_unit_test(half_a_character_costs_nobody_a_sample),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(long_texts_are_cut_at_a_character),
        cmocka_unit_test(tokens_and_messages_are_read),
        cmocka_unit_test(calls_wait_for_points),
        cmocka_unit_test(failures_back_off_and_a_success_forgets_them),
        cmocka_unit_test(tokens_are_renewed_but_not_without_end),
        cmocka_unit_test(urls_that_could_be_read_are_known),
        cmocka_unit_test(channels_live_and_rest),
        cmocka_unit_test(a_round_takes_three_calls),
        cmocka_unit_test(failures_are_overcome),
        cmocka_unit_test(a_reset_is_waited_for),
        cmocka_unit_test(tokens_are_renewed_before_they_end),
        cmocka_unit_test(wrong_credentials_are_told),
        cmocka_unit_test(lasting_trouble_is_told_until_it_is_over),
        cmocka_unit_test(one_bad_name_costs_nobody_else_a_sample),
        cmocka_unit_test(closing_does_not_wait_for_an_answer),
        cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
