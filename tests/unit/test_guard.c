/* test_guard.c - whom the server talks to and how it bears what it should not get: names, floods, nonsense. */
#include "served_place.h"

static void names_of_others_are_refused_on_loopback(void **state)
{
    test_place *place = *state;
    start_server(place, &(hb_server_settings){.allowed_hosts = "chat.example,other.example"});
    static const struct {
        const char *host;
        int status;
    } hosts[] = {{"Host: localhost:8080\r\n", 200},    {"Host: 127.0.0.1\r\n", 200},
                 {"Host: [::1]:80\r\n", 200},          {"Host: chat.example\r\n", 200},
                 {"Host: other.example:80\r\n", 200},  {"Host: evil.example\r\n", 403},
                 {"Host: chat.example.evil\r\n", 403}, {"Host:\r\n", 403}};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        client_reply reply = client_ask(place->port, "GET", "/api/v1/channels", hosts[i].host);
        if (reply.status != hosts[i].status)
            fail_msg("%s gets %d", hosts[i].host, reply.status);
        client_done(&reply);
    }
    client_reply reply = client_exchange(place->port, HB_BYTES("GET /healthz HTTP/1.0\r\n\r\n"));
    assert_int_equal(reply.status, 200);
    client_done(&reply);
}

static void the_port_is_told_and_may_be_busy(void **state)
{
    test_place *place = *state;
    hb_error error;
    hb_server_settings settings = {
        .host = "127.0.0.1", .port = place->port, .store = place->store_path, .log = place->log_path};
    char expected[80];
    assert_null(hb_server_open(&settings, &error));
    snprintf(expected, sizeof expected, "127.0.0.1:%u is in use; choose another address (--listen or --metrics)",
             place->port);
    assert_int_equal(error.code, HB_ERROR_BUSY);
    assert_string_equal(error.text, expected);
    settings.host = "no.such.host.invalid";
    assert_null(hb_server_open(&settings, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    settings.host = "192.0.2.1"; /* RFC 5737: nobody's */
    assert_null(hb_server_open(&settings, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
}

static void ipv6_and_all_addresses_work(void **state)
{
    static const char *const hosts[] = {"::1", ""};
    test_place *place = *state;
    for (size_t i = 0; i < 2; i++) {
        hb_error error;
        const hb_server_settings settings = {.host = hosts[i], .store = place->store_path, .log = place->log_path};
        hb_server *server = hb_server_open(&settings, &error);
        if (server == NULL && i == 0) /* a machine without IPv6 */
            skip();
        assert_non_null(server);
        const struct sockaddr_in6 address = {
            .sin6_family = AF_INET6, .sin6_port = htons(hb_server_port(server)), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        const int client = socket(AF_INET6, SOCK_STREAM, 0);
        assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
        hb_buffer text = {0};
        client_send(client, HB_BYTES("GET /healthz HTTP/1.1\r\nHost: any.example\r\n\r\n"));
        assert_true(client_wait_for(client, "\r\n\r\n", &text));
        assert_has(hb_buffer_bytes(&text), i == 0 ? "HTTP/1.1 403" : "HTTP/1.1 200");
        close(client);
        hb_server_close(server);
        hb_buffer_free(&text);
    }
}

static void connections_are_bounded_and_come_back(void **state)
{
    enum { MAX = 8 };
    test_place *place = *state;
    start_server(place, &(hb_server_settings){.connections_max = MAX});
    int clients[MAX];
    hb_buffer text = {0};
    for (int i = 0; i < MAX; i++)
        clients[i] = client_connect(place->port, 0); /* half of them never say a word */
    for (int i = 0; i < MAX; i += 2) {
        client_send(clients[i], HB_BYTES("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_true(client_wait_for(clients[i], "\"status\":\"ok\"", &text));
        text.size = 0;
    }
    client_reply reply = client_exchange(place->port, HB_BYTES(""));
    assert_int_equal(reply.status, 503);
    assert_has(reply.body, "too many connections");
    client_done(&reply);
    for (int i = 0; i < MAX; i++)
        close(clients[i]);
    for (int tries = 0; tries < 200; tries++) {
        reply = client_get(place->port, "/metrics");
        if (reply.status == 200)
            break;
        client_done(&reply);
        usleep(10000);
    }
    assert_int_equal(reply.status, 200);
    assert_false(client_has(reply.body, "\nhubbub_http_rejected_total 0\n"));
    client_done(&reply);
    hb_buffer_free(&text);
}

static void nonsense_is_answered_or_closed_and_harms_nobody(void **state)
{
    static const char *const nonsense[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    };
    const test_place *place = *state;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        const int client = client_connect(place->port, 0);
        hb_buffer text = {0};
        client_send(client, hb_bytes_of(nonsense[i]));
        shutdown(client, SHUT_WR);
        while (client_read(client, 2000, &text))
            ;
        assert_false(client_has(hb_buffer_bytes(&text), "HTTP/1.1 200"));
        close(client);
        hb_buffer_free(&text);
    }
    client_reply reply = client_get(place->port, "/healthz");
    assert_int_equal(reply.status, 200);
    client_done(&reply);
}

static void huge_headers_and_bodies_are_refused(void **state)
{
    const test_place *place = *state;
    hb_buffer request = {0};
    hb_buffer_print(&request, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ");
    for (int i = 0; i < 100000; i++)
        hb_buffer_append_char(&request, 'x');
    hb_buffer_print(&request, "\r\n\r\n");
    client_reply reply = client_exchange(place->port, hb_buffer_bytes(&request));
    assert_true(reply.status == 400 || reply.status == 413 || reply.status == 0);
    client_done(&reply);
    reply = client_exchange(place->port,
                            HB_BYTES("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc"));
    assert_int_equal(reply.status, 413);
    client_done(&reply);
    hb_buffer_free(&request);
}

static void requests_sent_at_once_are_answered_in_order(void **state)
{
    const test_place *place = *state;
    client_reply reply = client_exchange(
        place->port,
        HB_BYTES("GET /api/v1/channels HTTP/1.1\r\nHost: localhost\r\n\r\n"
                 "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                 "GET /api/v1/channels/xqc/rate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    const char *channels = memmem(reply.text.data, reply.text.size, "forsen", 6);
    const char *health = memmem(reply.text.data, reply.text.size, "\"status\":\"ok\"", 13);
    const char *rate = memmem(reply.text.data, reply.text.size, "{\"channel\":\"xqc\"", 16);
    assert_true(channels != NULL && health != NULL && rate != NULL);
    assert_true(channels < health);
    client_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_of_others_are_refused_on_loopback, make_place, clear_place),
        SERVED(the_port_is_told_and_may_be_busy),
        SERVED(ipv6_and_all_addresses_work),
        cmocka_unit_test_setup_teardown(connections_are_bounded_and_come_back, make_place, clear_place),
        SERVED(nonsense_is_answered_or_closed_and_harms_nobody),
        SERVED(huge_headers_and_bodies_are_refused),
        SERVED(requests_sent_at_once_are_answered_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
