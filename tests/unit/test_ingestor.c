/* test_ingestor.c - from a chat server to the log: the ingestor on its own thread, the scripted server on this one. */
#include "fake_twitch.h"
#include "scratch.h"

#include "cmd/ingestor.h"
#include "log/log.h"

#include <pthread.h>
#include <sys/stat.h>

typedef struct place {
    char folder[SCRATCH_NAME];
    char log[60];
} place;

static place make_place(void)
{
    place made;
    assert_true(scratch_make(made.folder));
    snprintf(made.log, sizeof made.log, "%s/log", made.folder);
    return made;
}

static void remove_place(const place *made)
{
    assert_true(scratch_remove(made->folder));
}

static hb_ingestor_options options_of(const fake_twitch *server, const place *made)
{
    return (hb_ingestor_options){.irc = fake_options(server), .log = made->log, .queue_bytes = 1 << 20};
}

static size_t joined(const hb_ingestor *ingestor)
{
    size_t count = 0;
    size_t wanted = 0;
    hb_ingestor_joined(ingestor, &count, &wanted);
    return count;
}

/* How many lines of the log hold a text. */
static size_t count_in_log(const place *made, const char *text)
{
    hb_error error = {0};
    hb_log *log = hb_log_open(made->log, HB_LOG_READ, NULL, &error);
    hb_log_part *parts = NULL;
    size_t count = 0;
    size_t found = 0;
    assert_non_null(log);
    assert_true(hb_log_list(log, &parts, &count, &error));
    for (size_t i = 0; i < count; i++) {
        hb_log_cursor *cursor = hb_log_cursor_open(log, parts[i].part, 0, &error);
        hb_bytes lines = {0};
        hb_bytes line;
        uint64_t next = 0;
        while (hb_log_read(cursor, &lines, &next, &error) && lines.size > 0)
            while (hb_bytes_cut(&lines, '\n', &line))
                found += memmem(line.data, line.size, text, strlen(text)) != NULL;
        hb_log_cursor_close(cursor);
    }
    free(parts);
    assert_true(hb_log_close(log, &error));
    return found;
}

static void what_is_said_is_in_the_log(void **state)
{
    (void)state;
    const place made = make_place();
    fake_twitch *server = fake_open();
    const hb_ingestor_options options = options_of(server, &made);
    const char *channels[] = {"a", "b"};
    hb_error error = {0};
    hb_ingestor *ingestor = hb_ingestor_open(&options, channels, 2, NULL, &error);
    if (ingestor == NULL)
        fail_msg("%s", error.text);
    fake_until(server, joined(ingestor) == 2);
    for (int i = 0; i < 1000; i++) {
        char text[120];
        snprintf(text, sizeof text, "@id=m%d;tmi-sent-ts=%lld :u!u@u PRIVMSG #a :text\r\n", i, (long long)hb_now_ms());
        fake_send(&server->guests[0], text);
    }
    fake_send(&server->guests[0], "PING :last\r\n");
    fake_until(server, fake_count(&server->guests[0], "PONG :last") == 1);
    assert_true(hb_ingestor_close(ingestor, &error));
    assert_int_equal(count_in_log(&made, " PRIVMSG #a :text"), 1000);
    assert_int_equal(count_in_log(&made, "@rm-received-ts="), 1002); /* and two ROOMSTATE */
    assert_int_equal(count_in_log(&made, "PING"), 0);
    fake_close(server);
    remove_place(&made);
}

typedef struct change {
    hb_ingestor *ingestor;
    const char *name;
    bool fine;
    hb_error error;
} change;

static void *set_from_elsewhere(void *context)
{
    change *asked = context;
    asked->fine = hb_ingestor_set_channels(asked->ingestor, &asked->name, 1, &asked->error);
    return NULL;
}

static void channels_are_set_from_any_thread(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    const place made = make_place();
    fake_twitch *server = fake_open();
    const hb_ingestor_options options = options_of(server, &made);
    const char *first = "first";
    const char *wrong = "wr ng";
    hb_error error = {0};
    hb_ingestor *ingestor = hb_ingestor_open(&options, &first, 1, NULL, &error);
    assert_non_null(ingestor);
    fake_until(server, joined(ingestor) == 1);
    assert_false(hb_ingestor_set_channels(ingestor, &wrong, 1, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_non_null(strstr(error.text, "wr ng"));
    static const char *const names[THREADS] = {"one", "two", "three", "four"};
    change changes[THREADS] = {0};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        changes[i] = (change){.ingestor = ingestor, .name = names[i]};
        pthread_create(&threads[i], NULL, set_from_elsewhere, &changes[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(changes[i].fine);
    }
    fake_until(server, fake_count_all(server, "PART #first") == 1);
    assert_true(hb_ingestor_set_channels(ingestor, NULL, 0, &error));
    fake_until(server, joined(ingestor) == 0 && fake_open_count(server) == 0);
    assert_true(hb_ingestor_close(ingestor, &error));
    fake_close(server);
    remove_place(&made);
}

static void a_refused_login_can_be_asked_about(void **state)
{
    (void)state;
    const place made = make_place();
    fake_twitch *server = fake_open();
    hb_ingestor_options options = options_of(server, &made);
    const char *channel = "a";
    hb_error error = {0};
    options.irc.login = "bot";
    options.irc.token = "stale";
    server->refusal = "Login authentication failed";
    hb_ingestor *ingestor = hb_ingestor_open(&options, &channel, 1, NULL, &error);
    assert_non_null(ingestor);
    assert_false(hb_ingestor_failed(ingestor, &error));
    fake_until(server, hb_ingestor_failed(ingestor, &error));
    assert_int_equal(error.code, HB_ERROR_NETWORK);
    assert_non_null(strstr(error.text, "Login authentication failed"));
    assert_true(hb_ingestor_close(ingestor, &error));
    fake_close(server);
    remove_place(&made);
}

/* What is wrong with the channels is told before anything is made or anybody is called. */
static void wrong_channels_leave_no_trace(void **state)
{
    (void)state;
    const place made = make_place();
    fake_twitch *server = fake_open();
    hb_ingestor_options options = options_of(server, &made);
    const char *channels[] = {"a", "b", "no!"};
    struct stat info;
    hb_error error = {0};
    assert_null(hb_ingestor_open(&options, channels, 3, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    options.irc.channels_max = 1;
    assert_null(hb_ingestor_open(&options, channels, 2, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_LIMIT);
    assert_int_equal(stat(made.log, &info), -1);
    fake_run(server, 50);
    assert_int_equal(server->guest_count, 0);
    fake_close(server);
    remove_place(&made);
}

static void a_log_that_somebody_else_records_is_refused(void **state)
{
    (void)state;
    const place made = make_place();
    fake_twitch *server = fake_open();
    const hb_ingestor_options options = options_of(server, &made);
    const char *channel = "a";
    hb_error error = {0};
    hb_ingestor *ingestor = hb_ingestor_open(&options, &channel, 1, NULL, &error);
    assert_non_null(ingestor);
    assert_null(hb_ingestor_open(&options, &channel, 1, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_BUSY);
    assert_true(hb_ingestor_close(ingestor, &error));
    fake_close(server);
    remove_place(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_is_in_the_log),
        cmocka_unit_test(channels_are_set_from_any_thread),
        cmocka_unit_test(a_refused_login_can_be_asked_about),
        cmocka_unit_test(wrong_channels_leave_no_trace),
        cmocka_unit_test(a_log_that_somebody_else_records_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
