/* test_request.c - what the server makes of paths, queries, hosts and its own answers, without a server. */
#include "unit.h"

#include "base/memory.h"
#include "serve/pages.h"
#include "serve/request.h"
#include "serve/rows.h"
#include "serve/watch.h"

#include <dirent.h>
#include <stdlib.h>

enum { NOW_S = 1764000000 };

static bool parse(const char *target, hb_request *request, hb_error *error)
{
    hb_bytes query = hb_bytes_of(target);
    hb_bytes path;
    hb_bytes_cut(&query, '?', &path);
    return hb_request_parse(path, query, NOW_S, request, error);
}

static void assert_refused(const char *target, hb_code code, const char *part_of_text)
{
    hb_request request;
    hb_error error;
    if (parse(target, &request, &error))
        fail_msg("%s was taken", target);
    assert_int_equal(error.code, code);
    if (strstr(error.text, part_of_text) == NULL)
        fail_msg("%s: '%s' does not say '%s'", target, error.text, part_of_text);
}

static void each_path_has_its_question(void **state)
{
    static const struct {
        const char *path;
        hb_route route;
        hb_question_kind kind;
        uint32_t limit;
        const char *channel;
    } known[] = {
        {"/api/v1/channels", HB_ROUTE_ANSWER, HB_ASK_CHANNELS, 100, ""},
        {"/api/v1/channels/xqc/rate", HB_ROUTE_ANSWER, HB_ASK_RATE, 1440, "xqc"},
        {"/api/v1/channels/XQC/words", HB_ROUTE_ANSWER, HB_ASK_WORDS, 100, "xqc"},
        {"/api/v1/channels/a_1/users", HB_ROUTE_ANSWER, HB_ASK_USERS, 100, "a_1"},
        {"/api/v1/channels/%23%78qc/viewers", HB_ROUTE_ANSWER, HB_ASK_VIEWERS, 1440, "xqc"},
        {"/api/v1/channels/xqc/streams", HB_ROUTE_ANSWER, HB_ASK_STREAMS, 100, "xqc"},
        {"/api/v1/channels/xqc/moments", HB_ROUTE_ANSWER, HB_ASK_MOMENTS, 100, "xqc"},
        {"/api/v1/moments", HB_ROUTE_ANSWER, HB_ASK_MOMENTS, 100, ""},
        {"/api/v1/channels/xqc/messages", HB_ROUTE_MESSAGES, HB_ASK_RATE, 100, "xqc"},
        {"/api/v1/live", HB_ROUTE_LIVE, HB_ASK_CHANNELS, 100, ""},
        {"/metrics", HB_ROUTE_METRICS, HB_ASK_CHANNELS, 0, ""},
        {"/healthz", HB_ROUTE_HEALTH, HB_ASK_CHANNELS, 0, ""},
        {"/", HB_ROUTE_PAGE, HB_ASK_CHANNELS, 0, ""},
        {"/app.js", HB_ROUTE_PAGE, HB_ASK_CHANNELS, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        hb_request request;
        hb_error error;
        if (!parse(known[i].path, &request, &error))
            fail_msg("%s: %s", known[i].path, error.text);
        const hb_question question = hb_request_question(&request);
        assert_int_equal(request.route, known[i].route);
        assert_int_equal(question.kind, known[i].kind);
        assert_int_equal(question.limit, known[i].limit);
        assert_bytes(question.channel, known[i].channel);
    }
}

static void parameters_are_taken(void **state)
{
    (void)state;
    hb_request request;
    hb_error error;
    assert_true(
        parse("/api/v1/channels/xqc/words?from=1763990000&to=1763999999&limit=10000&kind=emote", &request, &error));
    assert_int_equal(request.question.from_s, 1763990000);
    assert_int_equal(request.question.to_s, 1763999999);
    assert_int_equal(request.question.limit, 10000);
    assert_int_equal(request.question.word_kind, HB_EMOTE);
    assert_true(parse("/api/v1/channels/xqc/rate?from=2025-11-24T15%3A00%3A00%2B01:00&&to=now", &request, &error));
    assert_int_equal(request.question.from_s, 1763992800);
    assert_int_equal(request.question.to_s, NOW_S);
    assert_true(parse("/api/v1/channels/xqc/messages?user=Some_One&deleted=1", &request, &error));
    assert_string_equal(request.user, "some_one");
    assert_true(request.deleted);
    assert_true(!request.paged && request.format == HB_MESSAGES_JSON && request.text[0] == '\0');
    assert_true(
        parse("/api/v1/channels/xqc/messages?text=%C3%84%20b+c&before=1763990000123-4567&limit=3", &request, &error));
    assert_string_equal(request.text, "Ä b c");
    assert_true(request.paged);
    assert_int_equal(request.before.time_ms, 1763990000123);
    assert_int_equal(request.before.at, 4567);
    hb_buffer cursor = {0};
    hb_request_print_cursor(&cursor, request.before);
    assert_bytes(hb_buffer_bytes(&cursor), "1763990000123-4567");
    hb_buffer_free(&cursor);
    assert_true(parse("/api/v1/channels/xqc/messages?format=jsonl", &request, &error));
    assert_int_equal(request.format, HB_MESSAGES_LINES);
    assert_true(parse("/api/v1/live?channel=XQC", &request, &error));
    assert_string_equal(request.channel, "xqc");
    assert_true(parse("/api/v1/channels/xqc/users?bots=1", &request, &error));
    assert_true(request.bots);
    assert_true(parse("/api/v1/channels/xqc/users?bots=0", &request, &error));
    assert_false(request.bots);
}

static void the_last_hour_is_the_default(void **state)
{
    (void)state;
    hb_request request;
    hb_error error;
    assert_true(parse("/api/v1/channels", &request, &error));
    assert_int_equal(request.question.to_s, NOW_S);
    assert_int_equal(request.question.from_s, NOW_S - 3600);
    assert_int_equal(request.question.word_kind, HB_KINDS);
    /* An end alone is the end of an hour. */
    assert_true(parse("/api/v1/channels?to=1763990000", &request, &error));
    assert_int_equal(request.question.from_s, 1763986400);
    assert_true(parse("/api/v1/channels?to=60", &request, &error));
    assert_int_equal(request.question.from_s, 0);
}

static void what_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    assert_refused("/api/v1/channels/xqc/rate?step=90", HB_ERROR_USAGE, "step is '90'");
    assert_refused("/api/v1/channels/xqc/rate?step=0", HB_ERROR_USAGE, "step is '0'");
    assert_refused("/api/v1/channels/xqc/words?step=60", HB_ERROR_USAGE, "no parameter 'step'");
    assert_refused("/api/v1/channels?limit=0", HB_ERROR_USAGE, "limit is '0'");
    assert_refused("/api/v1/channels?limit=10001", HB_ERROR_USAGE, "1 to 10000");
    assert_refused("/api/v1/channels?limit=", HB_ERROR_USAGE, "limit");
    assert_refused("/api/v1/channels?limit=1&limit=2", HB_ERROR_USAGE, "limit is there twice");
    assert_refused("/api/v1/channels?form=-1h", HB_ERROR_USAGE, "'form'");
    assert_refused("/api/v1/channels?kind=word", HB_ERROR_USAGE, "'kind'");
    assert_refused("/api/v1/live?limit=1", HB_ERROR_USAGE, "'limit'");
    assert_refused("/api/v1/live?channel=", HB_ERROR_USAGE, "channel is ''");
    assert_refused("/api/v1/channels/xqc/words?kind=verb", HB_ERROR_USAGE, "kind is 'verb'");
    assert_refused("/api/v1/channels/xqc/rate?from=yesterday", HB_ERROR_USAGE, "from is 'yesterday'");
    assert_refused("/api/v1/channels/xqc/rate?from=now&to=-1h", HB_ERROR_USAGE, "from is after to");
    assert_refused("/api/v1/channels/xqc/rate?from=%2", HB_ERROR_USAGE, "percent-encoding");
    assert_refused("/api/v1/channels/xqc/rate?from=%zz", HB_ERROR_USAGE, "percent-encoding");
    assert_refused("/api/v1/channels/xqc/messages?user=a%00b", HB_ERROR_USAGE, "user");
    assert_refused("/api/v1/channels/xqc/messages?deleted=perhaps", HB_ERROR_USAGE, "deleted");
    assert_refused("/api/v1/channels/xqc/users?bots=some", HB_ERROR_USAGE, "bots");
    assert_refused("/api/v1/channels/xqc/words?bots=1", HB_ERROR_USAGE, "bots");
    assert_refused("/api/v1/channels/xqc/messages?text=", HB_ERROR_USAGE, "text");
    assert_refused("/api/v1/channels/xqc/messages?text=a%00b", HB_ERROR_USAGE, "text");
    assert_refused("/api/v1/channels/xqc/messages?before=1763990000123", HB_ERROR_USAGE, "before is");
    assert_refused("/api/v1/channels/xqc/messages?before=-1", HB_ERROR_USAGE, "before is");
    assert_refused("/api/v1/channels/xqc/messages?format=xml", HB_ERROR_USAGE, "format is 'xml'");
    assert_refused("/api/v1/channels/xqc/messages?format=raw&limit=5", HB_ERROR_USAGE, "limit and before");
    assert_refused("/api/v1/channels/xqc/messages?format=raw&before=1-1", HB_ERROR_USAGE, "limit and before");
    assert_refused("/api/v1/channels/xqc/words?text=a", HB_ERROR_USAGE, "'text'");
    assert_refused("/api/v1/channels/x%2Fc/rate", HB_ERROR_USAGE, "no channel's name");
    assert_refused("/api/v1/channels//rate", HB_ERROR_USAGE, "channel");
    assert_refused("/api/v1/channels/xqc", HB_ERROR_MISSING, "/openapi.json");
    assert_refused("/api/v1/channels/xqc/rate/", HB_ERROR_MISSING, "nothing is at");
    assert_refused("/api/v1/", HB_ERROR_MISSING, "nothing is at");
    assert_refused("/api/v2/channels", HB_ERROR_MISSING, "/api/v1/");
    char long_query[1000] = "/api/v1/channels?";
    memset(long_query + strlen(long_query), 'x', HB_REQUEST_TEXT_MAX + 1);
    assert_refused(long_query, HB_ERROR_USAGE, "too long");
    assert_refused("/api/v1/channels/a23456789_123456789_123456789_123456789_123456789_1/rate", HB_ERROR_USAGE,
                   "1 to 50");
}

static void only_this_machine_has_loopback_names(void **state)
{
    static const char *const own[] = {"localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:8080",
                                      "127.8.9.1", "[::1]:8080",     "[::1]",     "hubbub.localhost:80"};
    static const char *const others[] = {
        "",        "evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "128.0.0.1", "127.0.0.256",
        "127.0.0", "[::2]",    ".localhost",         "evillocalhost:80",   "[::1",      "0127.0.0.1.1"};
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!hb_host_is_loopback(hb_bytes_of(own[i])))
            fail_msg("%s is not taken for loopback", own[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (hb_host_is_loopback(hb_bytes_of(others[i])))
            fail_msg("%s is taken for loopback", others[i]);
    assert_true(hb_host_is(HB_BYTES("Chat.Example:443"), HB_BYTES("chat.example")));
    assert_false(hb_host_is(HB_BYTES("chat.example.org"), HB_BYTES("chat.example")));
}

static void rows_are_found_whatever_they_hold(void **state)
{
    (void)state;
    hb_bytes rows = hb_rows_of(HB_BYTES("{\"channel\":\"a\",\"rows\":[{\"w\":\"}{\\\"],\"},{\"n\":{\"m\":1}},{}]}"));
    hb_bytes row;
    assert_bytes(rows, "[{\"w\":\"}{\\\"],\"},{\"n\":{\"m\":1}},{}]");
    assert_true(hb_rows_next(&rows, &row));
    assert_bytes(row, "{\"w\":\"}{\\\"],\"}");
    assert_true(hb_rows_next(&rows, &row));
    assert_bytes(row, "{\"n\":{\"m\":1}}");
    assert_true(hb_rows_next(&rows, &row));
    assert_bytes(row, "{}");
    assert_false(hb_rows_next(&rows, &row));
    rows = hb_rows_of(HB_BYTES("{\"rows\":[]}"));
    assert_bytes(rows, "[]");
    assert_false(hb_rows_next(&rows, &row));
    assert_int_equal(hb_rows_of(HB_BYTES("{}")).size, 0);
}

static void pages_have_types_and_tags(void **state)
{
    (void)state;
    hb_page page;
    hb_page same;
    assert_true(hb_page_find(HB_BYTES("/"), &page));
    assert_string_equal(page.content_type, "text/html; charset=utf-8");
    assert_true(hb_bytes_start_with(page.content, HB_BYTES("<!doctype html>")));
    assert_true(hb_page_find(HB_BYTES("/"), &same));
    assert_string_equal(page.tag, same.tag);
    assert_false(hb_page_find(HB_BYTES("/../etc/passwd"), &page));
    assert_false(hb_page_find(HB_BYTES("/vendor/"), &page));
    assert_true(page.zipped.size < page.content.size / 2);
    assert_true(hb_page_takes_gzip(HB_BYTES("br, gzip;q=0.5")));
    assert_true(hb_page_takes_gzip(HB_BYTES("deflate,gzip , br")));
    assert_false(hb_page_takes_gzip(HB_BYTES("gzip;q=0")));
    assert_false(hb_page_takes_gzip(HB_BYTES("br, x-gzip")));
    assert_false(hb_page_takes_gzip(HB_BYTES("")));
    assert_true(hb_page_tag_matches(HB_BYTES("W/\"b\""), "W/\"b\""));
    assert_true(hb_page_tag_matches(HB_BYTES("\"a\", W/\"b\""), "\"b\""));
    assert_true(hb_page_tag_matches(HB_BYTES("*"), "\"b\""));
    assert_false(hb_page_tag_matches(HB_BYTES("\"bb\""), "\"b\""));
    assert_false(hb_page_tag_matches(HB_BYTES(""), "\"b\""));
}

static void read_whole(const char *path, hb_buffer *into)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (size_t size = 1; size > 0; into->size += size)
        size = fread(hb_buffer_room(into, 65536), 1, 65536, file);
    fclose(file);
}

/* Every file below web/ is in the program, as it is. */
static void compare_folder(const char *folder, const char *below, size_t *count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", folder, below);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[512];
        hb_page page;
        hb_buffer content = {0};
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.md") == 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", below, entry->d_name);
        if (entry->d_type == DT_DIR) {
            compare_folder(folder, name, count);
            continue;
        }
        if (!hb_page_find(hb_bytes_of(name), &page))
            fail_msg("web%s is not in the program: it lacks a line in src/serve/files.h", name);
        snprintf(path, sizeof path, "%s%s", folder, name);
        read_whole(path, &content);
        if (!hb_bytes_equal(page.content, hb_buffer_bytes(&content)))
            fail_msg("web%s is in the program as it was: it lacks a line in src/serve/meson.build", name);
        hb_buffer_free(&content);
        ++*count;
    }
    closedir(directory);
}

static void the_whole_dashboard_is_in_the_program(void **state)
{
    char folder[3000];
    size_t count = 0;
    (void)state;
    assert_non_null(getenv("HUBBUB_SOURCE"));
    snprintf(folder, sizeof folder, "%s/web", getenv("HUBBUB_SOURCE"));
    compare_folder(folder, "", &count);
    assert_true(count >= 5);
}

static void a_watch_counts_and_orders_channels(void **state)
{
    (void)state;
    hb_watch *watch = hb_watch_open();
    hb_watch_list copy = {0};
    hb_watch_add(watch, "b");
    hb_watch_add(watch, "");
    hb_watch_add(watch, "a");
    hb_watch_add(watch, "b");
    assert_true(hb_watch_wait(watch, 0, &copy));
    assert_int_equal(copy.count, 3);
    assert_string_equal(copy.list[0].channel, "");
    assert_string_equal(copy.list[1].channel, "a");
    assert_int_equal(hb_watch_find(&copy, HB_BYTES("b"))->watchers, 2);
    assert_null(hb_watch_find(&copy, HB_BYTES("c")));
    const uint64_t serial = hb_watch_find(&copy, HB_BYTES("b"))->serial;

    hb_watch_remove(watch, "b");
    hb_watch_remove(watch, "unknown");
    assert_true(hb_watch_wait(watch, 0, &copy));
    assert_int_equal(copy.count, 3);
    hb_watch_remove(watch, "b");
    assert_true(hb_watch_wait(watch, -1, &copy));
    assert_int_equal(copy.count, 2);
    hb_watch_add(watch, "b");
    assert_true(hb_watch_wait(watch, -1, &copy));
    assert_true(hb_watch_find(&copy, HB_BYTES("b"))->serial > serial);

    hb_watch_stop(watch);
    assert_false(hb_watch_wait(watch, -1, &copy));
    free(copy.list);
    hb_watch_close(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_has_its_question),
        cmocka_unit_test(parameters_are_taken),
        cmocka_unit_test(the_last_hour_is_the_default),
        cmocka_unit_test(what_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(only_this_machine_has_loopback_names),
        cmocka_unit_test(rows_are_found_whatever_they_hold),
        cmocka_unit_test(pages_have_types_and_tags),
        cmocka_unit_test(the_whole_dashboard_is_in_the_program),
        cmocka_unit_test(a_watch_counts_and_orders_channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
