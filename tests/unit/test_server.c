/* test_server.c - the whole server, asked over sockets: pages, answers, live events, and stores that come and go. */
#include "served_place.h"

#include <jansson.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* ---- Pages and the plain endpoints ---- */

static void pages_are_served_with_their_types_and_guards(void **state)
{
    const test_place *place = *state;
    client_reply reply = client_get(place->port, "/");
    assert_int_equal(reply.status, 200);
    assert_has(reply.head, "Content-Type: text/html; charset=utf-8\r\n");
    assert_has(reply.head, "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                           "connect-src 'self'; img-src 'self' data: https://static-cdn.jtvnw.net; "
                           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n");
    assert_has(reply.head, "X-Content-Type-Options: nosniff\r\n");
    assert_false(client_has(reply.head, "Access-Control"));
    assert_has(reply.body, "<!doctype html>");

    char condition[80];
    const char *tag = memmem(reply.head.data, reply.head.size, "ETag: ", 6);
    assert_non_null(tag);
    snprintf(condition, sizeof condition, "If-None-Match: %.20s\r\n", tag + 6);
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
    assert_int_equal(with_rows, 7);
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
        {"?text=DAY&deleted=1", "Ann:good day,false bob:bad day,true "},
        {"?text=good+so", ""},
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

static void pages_lead_back(void **state)
{
    const test_place *place = *state;
    char target[128] = "/api/v1/channels/xqc/messages?limit=1";
    for (int id = 3; id >= 1; id--) {
        json_error_t problem;
        client_reply reply = client_get(place->port, target);
        json_t *answer = json_loadb(reply.body.data, reply.body.size, 0, &problem);
        const json_t *rows = json_object_get(answer, "rows");
        assert_int_equal(json_array_size(rows), 1);
        assert_int_equal(atoi(json_string_value(json_object_get(json_array_get(rows, 0), "id"))), id);
        snprintf(target, sizeof target, "/api/v1/channels/xqc/messages?limit=1&before=%s",
                 json_string_value(json_object_get(answer, "next")));
        json_decref(answer);
        client_done(&reply);
    }
    client_reply reply = client_get(place->port, target);
    assert_has(reply.body, "\"rows\":[]");
    assert_false(client_has(reply.body, "\"next\""));
    client_done(&reply);
}

/* ---- Streams of messages ---- */

static void messages_stream_in_three_forms(void **state)
{
    const test_place *place = *state;
    client_reply reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=jsonl");
    assert_int_equal(reply.status, 200);
    assert_has(reply.head, "Content-Type: application/x-ndjson; charset=utf-8\r\n");
    assert_has(reply.head, "Transfer-Encoding: chunked\r\n");
    assert_has(reply.head, "Access-Control-Allow-Origin: *\r\n");
    assert_has(reply.body, "\"text\":\"good day\",\"action\":false,\"shared\":false,\"deleted\":false}\n{\"time\":");
    assert_has(reply.body, "\"text\":\"\",\"action\":false,\"shared\":false,\"deleted\":true}\n");
    assert_has(reply.body, "\r\n0\r\n\r\n");
    assert_false(client_has(reply.body, "emotes")); /* of a text that is hidden */
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=jsonl&deleted=1");
    assert_has(reply.body, "\"text\":\"bad day\",\"emotes\":[{\"id\":\"9\",\"begin\":0,\"end\":3}],\"action\":false");
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=text&user=BOB");
    assert_has(reply.head, "Content-Type: text/plain; charset=utf-8\r\n");
    assert_has(reply.body, " #xqc bob: [deleted]\n");
    assert_false(client_has(reply.body, "Ann"));
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=raw");
    assert_has(reply.body, " PRIVMSG #xqc :good day\n@");
    assert_has(reply.body, " CLEARMSG #xqc ");
    assert_false(client_has(reply.body, "PRIVMSG #xqc :bad day"));
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=raw&deleted=1&text=bad%20d");
    assert_has(reply.body, "PRIVMSG #xqc :bad day\n");
    assert_false(client_has(reply.body, "so long"));
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels/nobody/messages?format=text");
    assert_int_equal(reply.status, 404);
    client_done(&reply);
    reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=text&text=nowhere");
    assert_int_equal(reply.status, 200);
    assert_bytes(reply.body, "0\r\n\r\n");
    client_done(&reply);
    reply = client_ask(place->port, "HEAD", "/api/v1/channels/xqc/messages?format=text", "");
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.size, 0);
    client_done(&reply);
}

/* Streams that nobody reads hold up nobody else; those whose clients have gone make room for others; what is read is
 * whole. */
static void streams_end_with_their_clients(void **state)
{
    enum { MESSAGES = 40000, STREAMS = 100 };
    static const char target[] = "/api/v1/channels/xqc/messages?format=raw&from=-2h";
    test_place *place = *state;
    hb_buffer text = {0};
    size_t lines = 0;
    for (int i = 0; i < MESSAGES; i++)
        append(place, "@id=m%d;tmi-sent-ts=%lld;user-id=9 :many!m@m PRIVMSG #xqc :%0200d", i,
               (long long)place->minute_s * 1000 + i % 1000, i);
    flush(place);
    int streams[STREAMS];
    int served = 0;
    for (int i = 0; i < STREAMS; i++) {
        text.size = 0;
        streams[i] = client_stream(place->port, target, 4096);
        assert_true(client_wait_for(streams[i], "\r\n\r\n", &text));
        served += client_has(hb_buffer_bytes(&text), "200 OK");
        assert_true(client_has(hb_buffer_bytes(&text), "200 OK") || client_has(hb_buffer_bytes(&text), "503 "));
    }
    assert_true(served >= 8 && served < STREAMS); /* others are told to come back */
    client_reply reply = client_get(place->port, "/api/v1/channels/xqc/rate");
    assert_int_equal(reply.status, 200);
    client_done(&reply);
    for (int i = 0; i < STREAMS; i++)
        close(streams[i]);
    const int64_t until_ms = hb_monotonic_ms() + CLIENT_TIMEOUT_MS;
    do {
        reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=raw&text=so+long");
        served = reply.status == 200;
        client_done(&reply);
    } while (!served && hb_monotonic_ms() < until_ms);
    assert_true(served);
    text.size = 0;
    const int whole = client_stream(place->port, target, 0);
    while (client_read(whole, CLIENT_TIMEOUT_MS, &text)) {
    }
    close(whole);
    for (hb_bytes rest = hb_buffer_bytes(&text), line; hb_bytes_cut(&rest, '\n', &line);)
        lines += line.size > 200;
    assert_true(lines >= MESSAGES - MESSAGES / 100 && lines <= MESSAGES); /* a few are split by chunks */
    assert_true(memmem(text.data + text.size - 7, 7, "\r\n0\r\n\r\n", 7) != NULL);
    hb_buffer_free(&text);
}

/* What fails when the reply has begun already cuts it off. */
static void a_stream_that_fails_is_cut_off(void **state)
{
    enum { MESSAGES = 2000 };
    test_place *place = *state;
    const int64_t hour_s = hb_time_floor(place->minute_s, HB_HOUR_S);
    char hour[HB_TIME_TEXT];
    char path[400];
    char target[128];
    for (int i = 0; i < MESSAGES; i++)
        append(place, "@id=m%d;tmi-sent-ts=%lld;user-id=9 :many!m@m PRIVMSG #xqc :%0200d", i,
               (long long)place->minute_s * 1000 + i % 1000, i);
    flush(place);
    hb_time_print_hour(hour_s + 5 * HB_HOUR_S, hour);
    snprintf(path, sizeof path, "%s/%s.irc", place->log_path, hour); /* a directory cannot be read */
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(target, sizeof target, "/api/v1/channels/xqc/messages?format=text&from=-2h&to=%lld",
             (long long)hour_s + 8 * HB_HOUR_S);
    for (int i = 0; i < 3; i++) {
        hb_buffer text = {0};
        const int64_t start_ms = hb_monotonic_ms();
        const int client = client_stream(place->port, target, 0);
        while (client_read(client, CLIENT_TIMEOUT_MS, &text)) {
        }
        close(client);
        assert_true(hb_monotonic_ms() - start_ms < CLIENT_TIMEOUT_MS);
        assert_has(hb_buffer_bytes(&text), "200 OK");
        assert_false(client_has(hb_bytes_from(hb_buffer_bytes(&text), text.size - 7), "\r\n0\r\n\r\n"));
        hb_buffer_free(&text);
    }
    client_reply reply = client_get(place->port, "/api/v1/channels/xqc/messages?format=text");
    assert_int_equal(reply.status, 200);
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
           "@id=m2;user-id=42;room-id=71;emotes=25:0-3;display-name=Some\\sOne;tmi-sent-ts=%lld "
           ":someone!x@x PRIVMSG #xqc :\x01"
           "ACTION says <script>\"hi\"\x01",
           (long long)now_ms);
    flush(place);
    assert_true(client_wait_for(client, "event: message\ndata: {\"time\":\"", &text));
    assert_true(client_wait_for(client,
                                "\"id\":\"m2\",\"user_id\":\"42\",\"login\":\"someone\",\"user_name\":\"Some One\","
                                "\"text\":\"says "
                                "<script>\\\"hi\\\"\",\"emotes\":[{\"id\":\"25\",\"begin\":0,\"end\":4}],\"action\":"
                                "true,\"shared\":false,\"deleted\":false}",
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(pages_are_served_with_their_types_and_guards),
        SERVED(metrics_and_health_tell),
        SERVED(errors_are_json),
        SERVED(head_has_the_length_and_no_body),
        SERVED(every_path_answers_as_described),
        SERVED(messages_are_read_back),
        SERVED(pages_lead_back),
        SERVED(messages_stream_in_three_forms),
        SERVED(streams_end_with_their_clients),
        SERVED(a_stream_that_fails_is_cut_off),
        SERVED(any_page_may_read_the_api_only),
        SERVED(news_is_live_within_a_second),
        SERVED(messages_are_live_and_filtered),
        SERVED(many_ask_while_others_follow),
        cmocka_unit_test_setup_teardown(without_a_store_it_waits_and_says_so, make_empty_place, clear_place),
        SERVED(a_store_of_a_newer_hubbub_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
