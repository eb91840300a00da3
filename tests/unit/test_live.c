/* test_live.c - live events and workers behind a bare libevent server: slow readers, bounds, coming and going. */
#include "http_client.h"

#include "base/error.h"
#include "serve/live.h"
#include "serve/workers.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/thread.h>
#include <pthread.h>

typedef struct test_bench {
    struct event_base *base;
    struct evhttp *http;
    struct event *stop;
    hb_metrics *metrics;
    hb_traffic traffic;
    hb_watch *watch;
    hb_live *live;
    hb_workers *workers;
    uint16_t port;
    pthread_t thread;
} test_bench;

static void on_request(struct evhttp_request *http, void *context)
{
    test_bench *bench = context;
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(http));
    if (strcmp(path, "/ask") == 0)
        hb_workers_take(bench->workers, http, &(hb_request){.route = HB_ROUTE_ANSWER});
    else
        hb_live_take(bench->live, http, path + 1);
}

static void on_stop(evutil_socket_t unused, short what, void *context)
{
    (void)unused;
    (void)what;
    event_base_loopbreak(((test_bench *)context)->base);
}

static void *run_loop(void *context)
{
    event_base_dispatch(((test_bench *)context)->base);
    return NULL;
}

enum { CLIENTS_MAX = 4, WAITING_MAX = 16 };

static void bench_open(test_bench *bench)
{
    hb_error error;
    *bench = (test_bench){0};
    evthread_use_pthreads();
    bench->base = event_base_new();
    bench->http = evhttp_new(bench->base);
    bench->stop = event_new(bench->base, -1, EV_PERSIST, on_stop, bench);
    bench->metrics = hb_metrics_open();
    hb_traffic_open(&bench->traffic, bench->metrics);
    bench->watch = hb_watch_open();
    bench->live = hb_live_open(bench->base, bench->watch, CLIENTS_MAX, &bench->traffic);
    bench->workers = hb_workers_open(bench->base, 0, WAITING_MAX, "none", "none", NULL, &bench->traffic,
                                     &error); /* nobody answers */
    evhttp_set_gencb(bench->http, on_request, bench);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(bench->http, "127.0.0.1", 0);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size), 0);
    bench->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&bench->thread, NULL, run_loop, bench), 0);
}

static void bench_close(test_bench *bench)
{
    event_active(bench->stop, 0, 0);
    pthread_join(bench->thread, NULL);
    hb_workers_close(bench->workers);
    hb_live_close(bench->live);
    evhttp_free(bench->http);
    event_free(bench->stop);
    event_base_free(bench->base);
    hb_watch_close(bench->watch);
    hb_metrics_close(bench->metrics);
}

static void put(test_bench *bench, hb_news *news)
{
    const hb_news_desk desk = hb_live_desk(bench->live);
    desk.put(desk.context, news);
}

static void put_event(test_bench *bench, hb_news_kind kind, const char *channel, const char *name, const char *data)
{
    put(bench, hb_news_make(kind, channel, hb_text_make_event(name, hb_bytes_of(data))));
}

static void wait_for_clients(test_bench *bench, int64_t count)
{
    for (int tries = 0; hb_metric_get(bench->traffic.live_clients) != count; tries++) {
        assert_true(tries < 1000);
        usleep(10000);
    }
}

static size_t count_of(const hb_buffer *text, const char *part)
{
    size_t count = 0;
    const char *at = text->data;
    while (at != NULL && (at = memmem(at, text->size - (size_t)(at - text->data), part, strlen(part))) != NULL) {
        at += strlen(part);
        count++;
    }
    return count;
}

static void a_new_client_gets_what_was_told_before(void **state)
{
    test_bench bench;
    hb_buffer first = {0};
    hb_buffer second = {0};
    (void)state;
    bench_open(&bench);
    put(&bench, hb_news_make(HB_NEWS_STATE, "", NULL));
    const int a = client_stream(bench.port, "/xqc", 0);
    assert_true(client_wait_for(a, "event: hello", &first));
    assert_has(hb_buffer_bytes(&first), "Content-Type: text/event-stream");
    assert_has(hb_buffer_bytes(&first), "retry: 1000");
    assert_true(client_wait_for(a, "\"ready\":true}", &first));

    hb_news *channels =
        hb_news_make(HB_NEWS_CHANNELS, "", hb_text_make_event("channels", HB_BYTES("{\"rows\":[1,2]}")));
    channels->changed = hb_text_make_event("channels", HB_BYTES("{\"rows\":[2]}"));
    put(&bench, channels);
    put_event(&bench, HB_NEWS_RATE, "xqc", "rate", "{\"r\":1}");
    put_event(&bench, HB_NEWS_RATE, "other", "rate", "{\"r\":2}");
    assert_true(client_wait_for(a, "{\"r\":1}", &first));
    /* It knew nothing yet, so it got the whole list rather than the difference. */
    assert_has(hb_buffer_bytes(&first), "{\"rows\":[1,2]}");

    const int b = client_stream(bench.port, "/xqc", 0);
    assert_true(client_wait_for(b, "{\"r\":1}", &second));
    assert_has(hb_buffer_bytes(&second), "{\"rows\":[1,2]}");

    channels = hb_news_make(HB_NEWS_CHANNELS, "", hb_text_make_event("channels", HB_BYTES("{\"rows\":[3,4]}")));
    channels->changed = hb_text_make_event("channels", HB_BYTES("{\"rows\":[4]}"));
    put(&bench, channels);
    assert_true(client_wait_for(a, "{\"rows\":[4]}", &first));
    assert_true(client_wait_for(b, "{\"rows\":[4]}", &second));
    assert_false(client_has(hb_buffer_bytes(&first), "{\"r\":2}"));

    close(a);
    close(b);
    wait_for_clients(&bench, 0);
    bench_close(&bench);
    hb_buffer_free(&first);
    hb_buffer_free(&second);
}

static void messages_go_to_those_who_look_at_their_channel(void **state)
{
    test_bench bench;
    hb_buffer one = {0};
    hb_buffer all = {0};
    (void)state;
    bench_open(&bench);
    const int looking = client_stream(bench.port, "/xqc", 0);
    const int listing = client_stream(bench.port, "/", 0);
    wait_for_clients(&bench, 2);
    put_event(&bench, HB_NEWS_MESSAGE, "xqc", "message", "{\"text\":\"hello\"}");
    hb_news *skipped = hb_news_make(HB_NEWS_SKIPPED, "xqc", NULL);
    skipped->count = 7;
    put(&bench, skipped);
    put_event(&bench, HB_NEWS_STATE, "", "unused", "gone");
    assert_true(client_wait_for(looking, "{\"text\":\"hello\"}", &one));
    assert_true(client_wait_for(looking, "event: skipped\ndata: {\"count\":7}\n\n", &one));
    assert_true(client_wait_for(listing, "\"ready\":false,\"reason\":\"event: unused", &all));
    assert_false(client_has(hb_buffer_bytes(&all), "hello\"}"));
    close(looking);
    close(listing);
    wait_for_clients(&bench, 0);
    bench_close(&bench);
    hb_buffer_free(&one);
    hb_buffer_free(&all);
}

/* 0 under AddressSanitizer, which keeps freed memory for a while. */
static int64_t resident_bytes(void)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    return 0;
#endif
#elif defined(__SANITIZE_ADDRESS__)
    return 0;
#endif
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void put_large_list(test_bench *bench, int number, size_t size)
{
    hb_buffer data = {0};
    hb_buffer_print(&data, "{\"number\":%d,\"rows\":\"", number);
    memset(hb_buffer_room(&data, size), 'x', size);
    data.size += size;
    hb_buffer_append(&data, HB_BYTES("\"}"));
    put(bench, hb_news_make(HB_NEWS_CHANNELS, "", hb_text_make_event("channels", hb_buffer_bytes(&data))));
    hb_buffer_free(&data);
}

static void a_client_that_does_not_read_costs_a_bounded_amount_and_gets_the_latest(void **state)
{
    enum { LISTS = 300, SIZE = 1024 * 1024 };
    test_bench bench;
    hb_buffer quick = {0};
    hb_buffer slow = {0};
    (void)state;
    bench_open(&bench);
    const int sleeper = client_stream(bench.port, "/", 4096);
    const int reader = client_stream(bench.port, "/", 0);
    wait_for_clients(&bench, 2);
    const int64_t before = resident_bytes();
    for (int i = 0; i < LISTS; i++) {
        char wanted[40];
        put_large_list(&bench, i, SIZE);
        snprintf(wanted, sizeof wanted, "{\"number\":%d,", i);
        if (i % 50 == 49) { /* the loop keeps up: so does a client that reads, from time to time */
            assert_true(client_wait_for(reader, wanted, &quick));
            quick.size = 0;
        }
    }
    /* One list of a megabyte is kept, and some may be on the way; 300 would be 300 MB. */
    assert_true(resident_bytes() - before < 100 * 1024 * 1024);
    assert_true(hb_metric_get(bench.traffic.live_skipped) >= LISTS / 2);

    char last[40];
    snprintf(last, sizeof last, "{\"number\":%d,", LISTS - 1);
    assert_true(client_wait_for(sleeper, last, &slow));
    assert_true(count_of(&slow, "event: channels") < 20);
    close(sleeper);
    close(reader);
    wait_for_clients(&bench, 0);
    bench_close(&bench);
    hb_buffer_free(&quick);
    hb_buffer_free(&slow);
}

static void messages_for_a_client_that_does_not_read_become_a_count(void **state)
{
    enum { MESSAGES = 4000 };
    test_bench bench;
    hb_buffer text = {0};
    char data[8192] = "{\"text\":\"";
    (void)state;
    memset(data + strlen(data), 'y', 8000);
    bench_open(&bench);
    const int client = client_stream(bench.port, "/xqc", 65536);
    wait_for_clients(&bench, 1);
    for (int i = 0; i < MESSAGES; i++)
        put_event(&bench, HB_NEWS_MESSAGE, "xqc", "message", data);
    /* What was left out is told, and together with what came it is everything. */
    size_t told = 0;
    size_t messages = 0;
    const int64_t until = hb_monotonic_ms() + CLIENT_TIMEOUT_MS;
    while (messages + told < MESSAGES && hb_monotonic_ms() < until) {
        client_read(client, 100, &text);
        messages = count_of(&text, "event: message");
        told = 0;
        hb_buffer_append_char(&text, '\0');
        text.size--;
        const char *at = text.data;
        while (at != NULL && (at = strstr(at, "data: {\"count\":")) != NULL)
            told += strtoul(at += strlen("data: {\"count\":"), NULL, 10);
    }
    assert_int_equal(messages + told, MESSAGES);
    assert_true(told > 0);
    close(client);
    wait_for_clients(&bench, 0);
    bench_close(&bench);
    hb_buffer_free(&text);
}

static void clients_and_waiting_requests_are_bounded(void **state)
{
    test_bench bench;
    int clients[CLIENTS_MAX];
    hb_buffer text = {0};
    (void)state;
    bench_open(&bench);
    for (int i = 0; i < CLIENTS_MAX; i++)
        clients[i] = client_stream(bench.port, "/xqc", 0);
    wait_for_clients(&bench, CLIENTS_MAX);
    client_reply reply = client_get(bench.port, "/xqc");
    assert_int_equal(reply.status, 503);
    assert_has(reply.head, "Retry-After: 1");
    assert_has(reply.body, "{\"error\":{\"code\":\"busy\",\"message\":\"4 clients follow");
    client_done(&reply);
    close(clients[0]);
    wait_for_clients(&bench, CLIENTS_MAX - 1);
    clients[0] = client_stream(bench.port, "/other", 0);
    wait_for_clients(&bench, CLIENTS_MAX);
    assert_true(client_wait_for(clients[0], "event: hello", &text));

    /* One too many: nobody answers, so whoever comes last is told. */
    struct pollfd askers[WAITING_MAX + 1];
    for (int i = 0; i <= WAITING_MAX; i++)
        askers[i] = (struct pollfd){.fd = client_stream(bench.port, "/ask", 0), .events = POLLIN};
    assert_int_equal(poll(askers, WAITING_MAX + 1, CLIENT_TIMEOUT_MS), 1);
    for (int i = 0; i <= WAITING_MAX; i++) {
        text.size = 0;
        if (askers[i].revents != 0) {
            assert_true(client_wait_for(askers[i].fd, "16 requests wait", &text));
            assert_has(hb_buffer_bytes(&text), "HTTP/1.1 503");
        }
        close(askers[i].fd);
    }
    bench_close(&bench);
    for (int i = 0; i < CLIENTS_MAX; i++)
        close(clients[i]);
    hb_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_client_gets_what_was_told_before),
        cmocka_unit_test(messages_go_to_those_who_look_at_their_channel),
        cmocka_unit_test(a_client_that_does_not_read_costs_a_bounded_amount_and_gets_the_latest),
        cmocka_unit_test(messages_for_a_client_that_does_not_read_become_a_count),
        cmocka_unit_test(clients_and_waiting_requests_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
