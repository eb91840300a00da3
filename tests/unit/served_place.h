/* served_place.h - a folder with a store and a log, and a server over them: what tests of the server start from. */
#ifndef HB_TESTS_SERVED_PLACE_H
#define HB_TESTS_SERVED_PLACE_H

#include "http_client.h"
#include "scratch.h"

#include "base/error.h"
#include "log/log.h"
#include "serve/server.h"
#include "store/store.h"

#include <stdarg.h>

typedef struct test_place { /* a folder of its own with a store and a log */
    char folder[SCRATCH_NAME];
    char store_path[96];
    char log_path[96];
    hb_store *store; /* open for writing, once there is one */
    hb_log *log;
    hb_server *server;
    uint16_t port;
    int64_t minute_s;
} test_place;

static inline void open_store(test_place *place)
{
    hb_error error;
    place->store = hb_store_open(place->store_path, HB_STORE_WRITE, &error);
    if (place->store == NULL)
        fail_msg("%s", error.text);
}

/* Writes one channel's current minute, with words, users and viewers. */
static inline void write_channel(test_place *place, const char *name, uint64_t messages)
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

static inline void append(test_place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends one line to the log, received now. */
static inline void append(test_place *place, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_int_equal(hb_log_append(place->log, hb_bytes_of(line), hb_now_ms()), HB_LOG_APPENDED);
}

static inline void flush(test_place *place)
{
    hb_error error;
    assert_true(hb_log_flush(place->log, &error));
}

/* Three messages, of which the second was removed. */
static inline void write_messages(test_place *place)
{
    const long long time_ms = (long long)place->minute_s * 1000;
    append(place, "@id=1;user-id=7;display-name=Ann;tmi-sent-ts=%lld :ann!a@a PRIVMSG #xqc :good day", time_ms + 1);
    append(place, "@id=2;emotes=9:0-2;user-id=8;tmi-sent-ts=%lld :bob!b@b PRIVMSG #xqc :bad day", time_ms + 2);
    append(place, "@id=3;user-id=7;display-name=Ann;tmi-sent-ts=%lld :ann!a@a PRIVMSG #xqc :so long", time_ms + 3);
    append(place, "@login=bob;target-msg-id=2;tmi-sent-ts=%lld :tmi.twitch.tv CLEARMSG #xqc :bad day", time_ms + 4);
    flush(place);
}

static inline void start_server(test_place *place, const hb_server_settings *more)
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

static inline void make_folder(test_place *place)
{
    *place = (test_place){.minute_s = hb_time_floor(hb_now_ms() / 1000 - 1, HB_MINUTE_S)};
    assert_true(scratch_make(place->folder));
    snprintf(place->store_path, sizeof place->store_path, "%s/hubbub.db", place->folder);
    snprintf(place->log_path, sizeof place->log_path, "%s/log", place->folder);
}

static inline int make_place(void **state)
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

static inline int make_served_place(void **state)
{
    make_place(state);
    start_server(*state, NULL);
    return 0;
}

static inline int make_empty_place(void **state)
{
    *state = hb_alloc(sizeof(test_place));
    make_folder(*state);
    start_server(*state, NULL);
    return 0;
}

static inline int clear_place(void **state)
{
    test_place *place = *state;
    hb_error error;
    hb_server_close(place->server);
    hb_store_close(place->store);
    if (place->log != NULL)
        hb_log_close(place->log, &error);
    scratch_remove(place->folder);
    free(place);
    return 0;
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, make_served_place, clear_place)

#endif
