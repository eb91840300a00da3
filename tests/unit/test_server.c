/* test_server.c - the whole server, asked over sockets: with a store and a log, without, and by clients of all kinds.
 */
#include "http_client.h"

#include "base/error.h"
#include "log/log.h"
#include "serve/server.h"
#include "store/store.h"

#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/stat.h>

typedef struct test_place { /* a folder of its own with a store and a log */
    char folder[64];
    char store_path[96];
    char log_path[96];
    hb_store *store; /* open for writing, once there is one */
    hb_log *log;
    hb_server *server;
    uint16_t port;
    int64_t minute_s;
} test_place;

/* ---- Making a place ---- */

static void open_store(test_place *place)
{
    hb_error error;
    place->store = hb_store_open(place->store_path, HB_STORE_WRITE, &error);
    if (place->store == NULL)
        fail_msg("%s", error.text);
}

/* Writes one channel's current minute, with words, users and viewers. */
static void write_channel(test_place *place, const char *name, uint64_t messages)
{
    const hb_bytes channel = hb_bytes_of(name);
    const int64_t hour_s = hb_time_floor(place->minute_s, HB_HOUR_S);
    hb_error error;
    hb_minute_row minute = {.channel = channel,
                            .minute_s = place->minute_s,
                            .count = {.messages = messages,
                                      .words = messages * 3,
                                      .chatters = 2,
                                      .shared = 1,
                                      .viewers_sum = 250,
                                      .samples = 2,
                                      .game = HB_BYTES("Just <b>Chatting</b>"),
                                      .title = HB_BYTES("\"quoted\" \x1f\xff title")}};
    const hb_word_row words[] = {
        {.channel = channel, .hour_s = hour_s, .word = {HB_EMOTE, HB_BYTES("Kappa"), messages}},
        {.channel = channel, .hour_s = hour_s, .word = {HB_WORD, HB_BYTES("</script>"), messages + 1}}};
    const hb_user_row user = {
        .channel = channel,
        .hour_s = hour_s,
        .user = {.id = HB_BYTES("42"), .name = HB_BYTES("Some\"One"), .messages = messages, .words = 3}};
    const hb_channel_row row = {
        .channel = channel, .room_id = HB_BYTES("71"), .first_seen_s = place->minute_s, .last_seen_s = place->minute_s};
    const hb_changes changes = {.layer = HB_LAYER_SPEED,
                                .minutes = &minute,
                                .minute_count = 1,
                                .words = words,
                                .word_count = 2,
                                .users = &user,
                                .user_count = 1,
                                .channels = &row,
                                .channel_count = 1};
    if (!hb_store_apply(place->store, &changes, &error))
        fail_msg("%s", error.text);
}

static void append(test_place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends one line to the log, received now. */
static void append(test_place *place, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_int_equal(hb_log_append(place->log, hb_bytes_of(line), hb_now_ms()), HB_LOG_APPENDED);
}

static void flush(test_place *place)
{
    hb_error error;
    assert_true(hb_log_flush(place->log, &error));
}

/* Three messages, of which the second was removed. */
static void write_messages(test_place *place)
{
    const long long time_ms = (long long)place->minute_s * 1000;
    append(place, "@id=1;user-id=7;display-name=Ann;tmi-sent-ts=%lld :ann!a@a PRIVMSG #xqc :good day", time_ms + 1);
    append(place, "@id=2;user-id=8;tmi-sent-ts=%lld :bob!b@b PRIVMSG #xqc :bad day", time_ms + 2);
    append(place, "@id=3;user-id=7;display-name=Ann;tmi-sent-ts=%lld :ann!a@a PRIVMSG #xqc :so long", time_ms + 3);
    append(place, "@login=bob;target-msg-id=2;tmi-sent-ts=%lld :tmi.twitch.tv CLEARMSG #xqc :bad day", time_ms + 4);
    flush(place);
}

static void start_server(test_place *place, const hb_server_settings *more)
{
    hb_error error;
    hb_server_settings settings = more == NULL ? (hb_server_settings){0} : *more;
    if (settings.host == NULL)
        settings.host = "127.0.0.1";
    settings.store = place->store_path;
    settings.log = place->log_path;
    place->server = hb_server_open(&settings, &error);
    if (place->server == NULL)
        fail_msg("%s", error.text);
    place->port = hb_server_port(place->server);
}

static void make_folder(test_place *place)
{
    *place = (test_place){.minute_s = hb_time_floor(hb_now_ms() / 1000 - 1, HB_MINUTE_S)};
    strcpy(place->folder, "/tmp/hubbub-test-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->store_path, sizeof place->store_path, "%s/hubbub.db", place->folder);
    snprintf(place->log_path, sizeof place->log_path, "%s/log", place->folder);
}

static void remove_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (unlink(path) != 0)
            remove_folder(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(folder);
}

static int make_place(void **state)
{
    test_place *place = hb_alloc(sizeof *place);
    hb_error error;
    make_folder(place);
    open_store(place);
    write_channel(place, "xqc", 10);
    write_channel(place, "forsen", 20);
    place->log = hb_log_open(place->log_path, HB_LOG_APPEND, NULL, &error);
    assert_non_null(place->log);
    write_messages(place);
    *state = place;
    return 0;
}

static int make_served_place(void **state)
{
    make_place(state);
    start_server(*state, NULL);
    return 0;
}

static int make_empty_place(void **state)
{
    *state = hb_alloc(sizeof(test_place));
    make_folder(*state);
    start_server(*state, NULL);
    return 0;
}

static int clear_place(void **state)
{
    test_place *place = *state;
    hb_error error;
    hb_server_close(place->server);
    hb_store_close(place->store);
    if (place->log != NULL)
        hb_log_close(place->log, &error);
    remove_folder(place->folder);
    free(place);
    return 0;
}

/* ---- Pages and the plain endpoints ---- */

static void pages_are_served_with_their_types_and_guards(void **state)
{
    const test_place *place = *state;
    client_reply reply = client_get(place->port, "/");
    assert_int_equal(reply.status, 200);
    assert_has(reply.head, "Content-Type: text/html; charset=utf-8\r\n");
    assert_has(reply.head, "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                           "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                           "frame-ancestors 'none'\r\n");
    assert_has(reply.head, "X-Content-Type-Options: nosniff\r\n");
    assert_false(client_has(reply.head, "Access-Control"));
    assert_has(reply.body, "<!doctype html>");

    char condition[80];
    const char *tag = memmem(reply.head.data, reply.head.size, "ETag: ", 6);
    assert_non_null(tag);
    snprintf(condition, sizeof condition, "If-None-Match: %.18s\r\n", tag + 6);
    client_done(&reply);
    reply = client_ask(place->port, "GET", "/", condition);
    assert_int_equal(reply.status, 304);
    assert_int_equal(reply.body.size, 0);
    client_done(&reply);
    reply = client_get(place->port, "/app.js");
    assert_int_equal(reply.status, 200);
    assert_has(reply.head, "Content-Type: text/javascript; charset=utf-8\r\n");
    client_done(&reply);
}

static void metrics_and_health_tell(void **state)
{
    const test_place *place = *state;
    client_reply reply = client_get(place->port, "/healthz");
    assert_int_equal(reply.status, 200);
    assert_has(reply.body, "{\"status\":\"ok\",\"version\":\"" HB_VERSION "\"");
    client_done(&reply);
    reply = client_get(place->port, "/nowhere");
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels");
    client_done(&reply);
    reply = client_get(place->port, "/metrics");
    assert_int_equal(reply.status, 200);
    assert_has(reply.head, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    assert_has(reply.body, "\nhubbub_http_responses_2xx_total 2\n");
    assert_has(reply.body, "\nhubbub_http_responses_4xx_total 1\n");
    assert_has(reply.body, "\nhubbub_http_answer_seconds_count 1\n");
    assert_has(reply.body, "\nhubbub_live_clients 0\n");
    assert_has(reply.body, "\nprocess_resident_memory_bytes ");
    assert_has(reply.body, "\nprocess_cpu_seconds_total ");
    assert_has(reply.body, "\nprocess_start_time_seconds ");
    client_done(&reply);
}

static void errors_are_json(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        int status;
        const char *text;
    } wrong[] = {
        {"GET", "/nowhere", 404, "{\"error\":{\"code\":\"missing\",\"message\":\"nothing is at /nowhere\"}}"},
        {"GET", "/api/v1/nothing", 404, "{\"error\":{\"code\":\"missing\""},
        {"GET", "/api/v1/channels/nobody/rate", 404, "nobody"},
        {"GET", "/api/v1/channels/nobody/words", 404, "nobody"},
        {"GET", "/api/v1/channels/no%20body/rate", 400, "{\"error\":{\"code\":\"usage\""},
        {"GET", "/api/v1/channels?limit=1e3", 400, "limit is '1e3'"},
        {"GET", "/api/v1/channels?limit=%22%3Cb%3E%0A", 400, "limit is '\\\"<b>\\n'"},
        {"GET", "/api/v1/live?channel=a%2Fb", 400, "channel is 'a/b'"},
        {"POST", "/api/v1/channels", 405, "only GET and HEAD"},
        {"DELETE", "/", 405, "only GET and HEAD"},
        {"OPTIONS", "/api/v1/channels", 405, "only GET and HEAD"},
    };
    const test_place *place = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        client_reply reply = client_ask(place->port, wrong[i].method, wrong[i].target, "");
        json_error_t problem;
        json_t *parsed = json_loadb(reply.body.data, reply.body.size, 0, &problem);
        assert_int_equal(reply.status, wrong[i].status);
        assert_has(reply.head, "Content-Type: application/json\r\n");
        assert_has(reply.head, "X-Content-Type-Options: nosniff\r\n");
        assert_has(reply.body, wrong[i].text);
        assert_true(json_is_string(json_object_get(json_object_get(parsed, "error"), "message")));
        if (wrong[i].status == 405)
            assert_has(reply.head, "Allow: GET, HEAD\r\n");
        json_decref(parsed);
        client_done(&reply);
    }
}

static void head_has_the_length_and_no_body(void **state)
{
    static const char *const targets[] = {"/", "/metrics", "/healthz", "/api/v1/channels", "/nowhere", "/api/v1/live"};
    const test_place *place = *state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        client_reply reply = client_ask(place->port, "HEAD", targets[i], "");
        assert_int_equal(reply.status, i == 4 ? 404 : 200);
        assert_int_equal(reply.body.size, 0);
        if (i < 5)
            assert_has(reply.head, "Content-Length: ");
        client_done(&reply);
    }
}

/* ---- Answers as the description declares them ---- */

static void check_value(json_t *description, json_t *schema, json_t *value, const char *place)
{
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    if (reference != NULL) {
        const char *name = strrchr(reference, '/') + 1;
        schema = json_object_get(json_object_get(json_object_get(description, "components"), "schemas"), name);
        assert_non_null(schema);
    }
    json_t *type = json_object_get(schema, "type");
    const char *name = json_string_value(json_is_array(type) ? json_array_get(type, 0) : type);
    if (json_is_array(type) && json_is_null(value))
        return;
    const bool right = strcmp(name, "object") == 0    ? json_is_object(value)
                       : strcmp(name, "array") == 0   ? json_is_array(value)
                       : strcmp(name, "string") == 0  ? json_is_string(value)
                       : strcmp(name, "integer") == 0 ? json_is_integer(value)
                       : strcmp(name, "number") == 0  ? json_is_number(value)
                                                      : json_is_boolean(value);
    if (!right)
        fail_msg("%s is no %s", place, name);
    size_t index;
    json_t *item;
    const char *key;
    json_array_foreach(json_object_get(schema, "required"), index,
                       item) if (json_object_get(value, json_string_value(item)) == NULL)
        fail_msg("%s lacks %s", place, json_string_value(item));
    json_t *properties = json_object_get(schema, "properties");
    if (properties != NULL)
        json_object_foreach(value, key, item)
        {
            if (json_object_get(properties, key) == NULL)
                fail_msg("%s has %s, which is not declared", place, key);
            check_value(description, json_object_get(properties, key), item, key);
        }
    json_array_foreach(value, index, item) check_value(description, json_object_get(schema, "items"), item, place);
}

static void every_path_answers_as_described(void **state)
{
    const test_place *place = *state;
    json_error_t problem;
    client_reply described = client_get(place->port, "/openapi.json");
    json_t *description = json_loadb(described.body.data, described.body.size, JSON_REJECT_DUPLICATES, &problem);
    const char *path;
    json_t *item;
    size_t with_rows = 0;
    assert_non_null(description);
    assert_string_equal(json_string_value(json_object_get(description, "openapi")), "3.1.0");
    json_object_foreach(json_object_get(description, "paths"), path, item)
    {
        char target[128];
        const char *open = strchr(path, '{');
        if (strcmp(path, "/api/v1/live") == 0) /* has no end; other tests read it */
            continue;
        snprintf(target, sizeof target, "%s", path);
        if (open != NULL)
            snprintf(target, sizeof target, "%.*sxqc%s", (int)(open - path), path, strchr(open, '}') + 1);
        client_reply reply = client_get(place->port, target);
        json_t *schema = json_object_get(json_object_get(item, "get"), "responses");
        assert_int_equal(reply.status, 200);
        schema = json_object_get(json_object_get(json_object_get(schema, "200"), "content"), "application/json");
        if (schema != NULL) {
            json_t *answer = json_loadb(reply.body.data, reply.body.size, JSON_REJECT_DUPLICATES, &problem);
            if (answer == NULL)
                fail_msg("%s: %s", target, problem.text);
            check_value(description, json_object_get(schema, "schema"), answer, target);
            with_rows += json_array_size(json_object_get(answer, "rows")) > 0;
            json_decref(answer);
        }
        client_done(&reply);
    }
    assert_int_equal(with_rows, 6);
    json_decref(description);
    client_done(&described);
}

static void messages_are_read_back(void **state)
{
    static const struct {
        const char *query;
        const char *rows; /* "user_name":"text", "deleted" of each */
    } asked[] = {
        {"", "Ann:good day,false bob:,true Ann:so long,false "},
        {"?deleted=1", "Ann:good day,false bob:bad day,true Ann:so long,false "},
        {"?limit=1", "Ann:so long,false "},
        {"?user=Ann", "Ann:good day,false Ann:so long,false "},
        {"?user=8", "bob:,true "},
        {"?to=-30m", ""},
    };
    const test_place *place = *state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char target[80];
        hb_buffer rows = {0};
        json_error_t problem;
        size_t index;
        json_t *row;
        snprintf(target, sizeof target, "/api/v1/channels/XQC/messages%s", asked[i].query);
        client_reply reply = client_get(place->port, target);
        assert_int_equal(reply.status, 200);
        json_t *answer = json_loadb(reply.body.data, reply.body.size, 0, &problem);
        assert_string_equal(json_string_value(json_object_get(answer, "channel")), "xqc");
        assert_true(json_is_true(json_object_get(answer, "exact")));
        json_array_foreach(json_object_get(answer, "rows"), index, row)
            hb_buffer_print(&rows, "%s:%s,%s ", json_string_value(json_object_get(row, "user_name")),
                            json_string_value(json_object_get(row, "text")),
                            json_is_true(json_object_get(row, "deleted")) ? "true" : "false");
        assert_bytes(hb_buffer_bytes(&rows), asked[i].rows);
        json_decref(answer);
        hb_buffer_free(&rows);
        client_done(&reply);
    }
    client_reply reply = client_get(place->port, "/api/v1/channels/xqc/messages");
    assert_has(reply.body, ".001Z\",\"id\":\"1\",\"user_id\":\"7\",\"login\":\"ann\"");
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels/nobody/messages");
    assert_int_equal(reply.status, 404);
    client_done(&reply);
}

static void any_page_may_read_the_api_only(void **state)
{
    const test_place *place = *state;
    client_reply reply = client_get(place->port, "/api/v1/channels");
    assert_has(reply.head, "Access-Control-Allow-Origin: *\r\n");
    client_done(&reply);
    reply = client_get(place->port, "/metrics");
    assert_false(client_has(reply.head, "Access-Control"));
    client_done(&reply);
}

/* ---- Whom the server talks to ---- */

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
    snprintf(expected, sizeof expected, "127.0.0.1:%u is in use; choose another with --listen", place->port);
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

/* ---- Live ---- */

static void news_is_live_within_a_second(void **state)
{
    test_place *place = *state;
    hb_buffer text = {0};
    const int client = client_stream(place->port, "/api/v1/live?channel=XQC", 0);
    assert_true(client_wait_for(client, "event: users\ndata: {\"channel\":\"xqc\",\"rows\":[{", &text));
    assert_has(hb_buffer_bytes(&text), "event: hello\ndata: {\"version\":\"" HB_VERSION "\",\"now\":\"");
    assert_has(hb_buffer_bytes(&text), "\"ready\":true}");
    assert_has(hb_buffer_bytes(&text), "event: channels\ndata: {\"rows\":[{\"channel\":\"");
    assert_has(hb_buffer_bytes(&text), "event: rate\ndata: {\"channel\":\"xqc\",\"rows\":[{");
    assert_has(hb_buffer_bytes(&text), "event: words\ndata: {\"channel\":\"xqc\",\"rows\":[{");

    usleep(1200 * 1000); /* the list of channels may come once a second */
    text.size = 0;
    const int64_t start_ms = hb_monotonic_ms();
    write_channel(place, "xqc", 4711);
    assert_true(client_wait_for(client, "\"messages\":4711", &text));
    assert_true(hb_monotonic_ms() - start_ms < 1000);
    close(client);
    hb_buffer_free(&text);
}

static void messages_are_live_and_filtered(void **state)
{
    test_place *place = *state;
    hb_buffer text = {0};
    const int client = client_stream(place->port, "/api/v1/live?channel=xqc", 0);
    assert_true(client_wait_for(client, "event: users", &text));
    usleep(300 * 1000); /* it follows the log from its end: let it find the end */
    const int64_t now_ms = hb_now_ms();
    append(place, "@id=m1;user-id=42;tmi-sent-ts=%lld :someone!x@x PRIVMSG #forsen :not for here", (long long)now_ms);
    append(place,
           "@id=m2;user-id=42;room-id=71;display-name=Some\\sOne;tmi-sent-ts=%lld "
           ":someone!x@x PRIVMSG #xqc :\x01"
           "ACTION says <script>\"hi\"\x01",
           (long long)now_ms);
    flush(place);
    assert_true(client_wait_for(client, "event: message\ndata: {\"time\":\"", &text));
    assert_true(
        client_wait_for(client,
                        "\"id\":\"m2\",\"user_id\":\"42\",\"login\":\"someone\",\"user_name\":\"Some One\","
                        "\"text\":\"says <script>\\\"hi\\\"\",\"action\":true,\"shared\":false,\"deleted\":false}",
                        &text));
    assert_false(client_has(hb_buffer_bytes(&text), "not for here"));
    assert_true(hb_now_ms() - now_ms < 1000);

    /* A flood is cut to about 50, and the rest is counted. */
    for (int i = 0; i < 500; i++)
        append(place, "@id=f%d;user-id=1;tmi-sent-ts=%lld :a!a@a PRIVMSG #xqc :flood", i, (long long)now_ms);
    flush(place);
    assert_true(client_wait_for(client, "event: skipped\ndata: {\"count\":4", &text));
    close(client);
    hb_buffer_free(&text);
}

typedef struct test_asker {
    uint16_t port;
    int right;
} test_asker;

static void *ask_again_and_again(void *context)
{
    static const char *const targets[] = {"/api/v1/channels", "/api/v1/channels/xqc/rate", "/metrics", "/"};
    test_asker *asker = context;
    for (int i = 0; i < 100; i++) {
        client_reply reply = client_get(asker->port, targets[i % 4]);
        asker->right += reply.status == 200;
        client_done(&reply);
    }
    return NULL;
}

static void many_ask_while_others_follow(void **state)
{
    enum { FOLLOWERS = 20, ASKERS = 6 };
    test_place *place = *state;
    int followers[FOLLOWERS];
    pthread_t threads[ASKERS];
    test_asker askers[ASKERS];
    hb_buffer text = {0};
    for (int i = 0; i < FOLLOWERS; i++)
        followers[i] = client_stream(place->port, i % 2 == 0 ? "/api/v1/live?channel=xqc" : "/api/v1/live", 0);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (test_asker){.port = place->port};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_again_and_again, &askers[i]), 0);
    }
    for (uint64_t i = 0; i < 20; i++) {
        write_channel(place, "xqc", 1000 + i);
        usleep(20000);
        if (i % 5 == 4) /* some come and go */
            close(followers[i]);
    }
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].right, 100);
    }
    for (int i = 0; i < FOLLOWERS; i++)
        if (i % 5 != 4) {
            text.size = 0;
            assert_true(client_wait_for(followers[i], i % 2 == 0 ? "\"messages\":1019" : "event: channels", &text));
            close(followers[i]);
        }
    hb_buffer_free(&text);
}

/* ---- A store that comes, goes, or is none ---- */

static void without_a_store_it_waits_and_says_so(void **state)
{
    test_place *place = *state;
    hb_buffer text = {0};
    client_reply reply = client_get(place->port, "/healthz");
    assert_int_equal(reply.status, 503);
    assert_has(reply.body, "\"status\":\"waiting\"");
    assert_has(reply.body, "\"reason\":\"");
    client_done(&reply);
    reply = client_get(place->port, "/");
    assert_int_equal(reply.status, 200);
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels");
    assert_int_equal(reply.status, 503);
    assert_has(reply.body, "{\"error\":{\"code\":\"missing\"");
    client_done(&reply);
    const int client = client_stream(place->port, "/api/v1/live", 0);
    assert_true(client_wait_for(client, "\"ready\":false,\"reason\":\"", &text));

    open_store(place);
    write_channel(place, "xqc", 10);
    assert_true(client_wait_for(client, "\"ready\":true}", &text));
    assert_true(client_wait_for(client, "event: channels\ndata: {\"rows\":[{\"channel\":\"xqc\"", &text));
    reply = client_get(place->port, "/healthz");
    assert_int_equal(reply.status, 200);
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels");
    assert_int_equal(reply.status, 200);
    client_done(&reply);
    close(client);
    hb_buffer_free(&text);
}

static void replace_store(test_place *place, const char *statement)
{
    sqlite3 *database = NULL;
    char path[128];
    hb_store_close(place->store);
    place->store = NULL;
    snprintf(path, sizeof path, "%s/new.db", place->folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, statement, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    assert_int_equal(rename(path, place->store_path), 0);
    /* What SQLite keeps beside the old one would be taken for the new one's. */
    snprintf(path, sizeof path, "%s-wal", place->store_path);
    unlink(path);
    snprintf(path, sizeof path, "%s-shm", place->store_path);
    unlink(path);
}

static void wait_for_health(const test_place *place, int status, const char *part)
{
    for (int tries = 0; tries < 500; tries++) {
        client_reply reply = client_get(place->port, "/healthz");
        const bool there = reply.status == status && client_has(reply.body, part);
        client_done(&reply);
        if (there)
            return;
        usleep(10000);
    }
    fail_msg("/healthz never said %d, %s", status, part);
}

static void a_store_of_a_newer_hubbub_is_told(void **state)
{
    test_place *place = *state;
    wait_for_health(place, 200, "ok");
    /* store_sqlite.c: application_id is "hbub", user_version is the format. */
    replace_store(place, "PRAGMA application_id=1751283042; PRAGMA user_version=99; CREATE TABLE t(x)");
    wait_for_health(place, 503, "newer");
    client_reply reply = client_get(place->port, "/api/v1/channels");
    assert_int_equal(reply.status, 500);
    assert_has(reply.body, "{\"error\":{\"code\":\"version\"");
    client_done(&reply);
    /* And back again. */
    unlink(place->store_path);
    open_store(place);
    write_channel(place, "xqc", 5);
    wait_for_health(place, 200, "ok");
    reply = client_get(place->port, "/api/v1/channels");
    assert_int_equal(reply.status, 200);
    client_done(&reply);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, make_served_place, clear_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(pages_are_served_with_their_types_and_guards),
        SERVED(metrics_and_health_tell),
        SERVED(errors_are_json),
        SERVED(head_has_the_length_and_no_body),
        SERVED(every_path_answers_as_described),
        SERVED(messages_are_read_back),
        SERVED(any_page_may_read_the_api_only),
        cmocka_unit_test_setup_teardown(names_of_others_are_refused_on_loopback, make_place, clear_place),
        SERVED(the_port_is_told_and_may_be_busy),
        SERVED(ipv6_and_all_addresses_work),
        cmocka_unit_test_setup_teardown(connections_are_bounded_and_come_back, make_place, clear_place),
        SERVED(nonsense_is_answered_or_closed_and_harms_nobody),
        SERVED(huge_headers_and_bodies_are_refused),
        SERVED(requests_sent_at_once_are_answered_in_order),
        SERVED(news_is_live_within_a_second),
        SERVED(messages_are_live_and_filtered),
        SERVED(many_ask_while_others_follow),
        cmocka_unit_test_setup_teardown(without_a_store_it_waits_and_says_so, make_empty_place, clear_place),
        SERVED(a_store_of_a_newer_hubbub_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
