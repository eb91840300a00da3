/* test_irc_client.c - the chat client against a scripted server: joining, pacing, silence, reconnects, bad input. */
#include "fake_twitch.h"

static void it_logs_in_joins_and_hands_lines_over_as_received(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    fake_client *client = fake_client_open(server, fake_options(server), "XQC #shroud xqc");
    fake_until(server, fake_joined(client) == 2);
    assert_int_equal(server->guest_count, 1);
    fake_guest *guest = &server->guests[0];
    assert_true(hb_bytes_start_with(hb_buffer_bytes(&guest->received),
                                    HB_BYTES("CAP REQ :twitch.tv/tags\nCAP REQ :twitch.tv/commands\nNICK justinfan")));
    assert_int_equal(fake_count(guest, "JOIN #xqc"), 1);
    assert_int_equal(fake_count(guest, "JOIN #shroud"), 1);
    assert_int_equal(fake_count_starts(guest, "PASS"), 0);
    fake_send(guest, "@id=1;tmi-sent-ts=5 :a!a@a PRIVMSG #xqc :h\xC3\xA9 \xFF :)  \r\n");
    fake_send(guest, "PING :are you there\r\n");
    fake_until(server, fake_count(guest, "PONG :are you there") == 1);
    assert_true(fake_heard(client, "\n@id=1;tmi-sent-ts=5 :a!a@a PRIVMSG #xqc :h\xC3\xA9 \xFF :)  \n"));
    fake_client_close(client);
    fake_until(server, fake_open_count(server) == 0);
    fake_close(server);
}

static void an_account_logs_in_with_its_token(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.login = "MyBot";
    options.token = "s3cret";
    fake_client *client = fake_client_open(server, options, "a");
    fake_until(server, fake_joined(client) == 1);
    assert_int_equal(fake_count(&server->guests[0], "PASS oauth:s3cret"), 1);
    assert_int_equal(fake_count(&server->guests[0], "NICK mybot"), 1);
    fake_client_close(client);
    fake_close(server);
}

static void channels_are_spread_over_connections(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.channels_per_connection = 3;
    fake_client *client = fake_client_open(server, options, "a b c d e f g h");
    fake_until(server, fake_joined(client) == 8);
    assert_int_equal(server->guest_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(fake_count_starts(&server->guests[i], "JOIN") <= 3);
    assert_int_equal(fake_count_all(server, "JOIN"), 8);
    fake_client_close(client);
    fake_close(server);
}

static void joins_keep_the_pace_over_all_connections(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.channels_per_connection = 2;
    options.joins_per_10_s = 5;
    fake_client *client = fake_client_open(server, options, "a b c d e f g h");
    fake_until(server, fake_joined(client) == 5);
    fake_run(server, 300);
    assert_int_equal(fake_count_all(server, "JOIN"), 5);
    fake_client_close(client);
    fake_close(server);
}

static void silence_is_asked_about_and_then_given_up(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.silence_ms = 100;
    fake_client *client = fake_client_open(server, options, "a");
    fake_until(server, fake_joined(client) == 1);
    fake_until(server, fake_count(&server->guests[0], "PING :hubbub") >= 4); /* answered: it stands */
    assert_int_equal(server->guest_count, 1);
    server->deaf = true;
    const int64_t start_ms = hb_monotonic_ms();
    fake_until(server, server->guest_count == 2);
    const int64_t took_ms = hb_monotonic_ms() - start_ms;
    assert_true(took_ms >= 120 && took_ms < 1000);
    fake_until(server, fake_count(&server->guests[1], "JOIN #a") == 1);
    fake_client_close(client);
    fake_close(server);
}

static void a_server_that_never_answers_is_given_up(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.silence_ms = 50;
    server->silent = true;
    fake_client *client = fake_client_open(server, options, "a");
    fake_until(server, server->guest_count >= 3);
    assert_int_equal(fake_joined(client), 0);
    server->silent = false;
    fake_until(server, fake_joined(client) == 1);
    fake_client_close(client);
    fake_close(server);
}

/* ---- RECONNECT ---- */

/* Says message `number` on each connection that has joined the channel, as Twitch would. */
static void say_everywhere(fake_twitch *server, int number)
{
    char text[100];
    snprintf(text, sizeof text, "@id=m%d :a!a@a PRIVMSG #a :x\r\n", number);
    for (size_t i = 0; i < server->guest_count; i++)
        if (fake_count(&server->guests[i], "JOIN #a") > 0)
            fake_send(&server->guests[i], text);
}

static void a_reconnect_overlaps_and_loses_nothing(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    fake_client *client = fake_client_open(server, fake_options(server), "a b c");
    fake_until(server, fake_joined(client) == 3);
    int number = 0;
    for (; number < 100; number++)
        say_everywhere(server, number);
    fake_send(&server->guests[0], ":tmi.twitch.tv RECONNECT\r\n");
    for (; server->guests[0].stream != NULL && number < 100000; number++) {
        say_everywhere(server, number);
        assert_int_equal(fake_joined(client), 3); /* nothing is missed for a moment */
        fake_turn(server);
    }
    assert_int_equal(server->guest_count, 2);
    assert_int_equal(fake_count_starts(&server->guests[1], "JOIN"), 3);
    for (const int end = number + 50; number < end; number++)
        say_everywhere(server, number);
    char last[40];
    snprintf(last, sizeof last, "@id=m%d ", number - 1);
    fake_until(server, fake_heard(client, last));
    /* Each message is there, and what is new comes in order. */
    hb_bytes rest = hb_buffer_bytes(&client->lines);
    hb_bytes line;
    int next = 0;
    while (hb_bytes_cut(&rest, '\n', &line)) {
        int id = 0;
        if (!hb_bytes_start_with(line, HB_BYTES("@id=m")))
            continue;
        id = atoi(line.data + 5);
        assert_true(id <= next);
        next += id == next;
    }
    assert_int_equal(next, number);
    fake_client_close(client);
    fake_close(server);
}

static void a_reconnect_holds_on_to_the_old_while_the_new_fails(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    fake_client *client = fake_client_open(server, fake_options(server), "a");
    fake_until(server, fake_joined(client) == 1);
    server->missing = "#a";
    fake_send(&server->guests[0], ":tmi.twitch.tv RECONNECT\r\n");
    fake_until(server, server->guest_count == 2 && fake_count(&server->guests[1], "JOIN #a") == 1);
    fake_hang_up(&server->guests[1]);
    fake_until(server, server->guest_count == 3);
    fake_run(server, 100);
    assert_non_null(server->guests[0].stream);
    assert_int_equal(fake_joined(client), 1);
    fake_hang_up(&server->guests[0]); /* as the server had announced */
    fake_until(server, fake_joined(client) == 0);
    server->missing = NULL;
    fake_hang_up(&server->guests[2]);
    fake_until(server, fake_joined(client) == 1);
    fake_client_close(client);
    fake_close(server);
}

/* ---- Channels that cannot be joined ---- */

static void a_suspended_channel_is_not_asked_for_in_a_loop(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    server->suspended = "#gone";
    fake_client *client = fake_client_open(server, fake_options(server), "a gone b");
    fake_until(server, fake_joined(client) == 2);
    fake_run(server, 60); /* the first second try comes after 75 ms at the earliest */
    assert_int_equal(fake_count(&server->guests[0], "JOIN #gone"), 1);
    fake_until(server, fake_count(&server->guests[0], "JOIN #gone") == 3);
    server->suspended = NULL;
    fake_until(server, fake_joined(client) == 3);
    fake_client_close(client);
    fake_close(server);
}

static void a_join_without_an_answer_is_tried_again(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.silence_ms = 200;
    server->missing = "#lost";
    fake_client *client = fake_client_open(server, options, "lost a");
    fake_until(server, fake_count(&server->guests[0], "JOIN #lost") == 2);
    assert_int_equal(fake_joined(client), 1);
    server->missing = NULL;
    fake_until(server, fake_joined(client) == 2);
    fake_client_close(client);
    fake_close(server);
}

/* ---- Logins ---- */

static void a_bad_token_is_an_error_and_no_endless_loop(void **state)
{
    (void)state;
    static const char *const refusals[] = {"Login authentication failed", "Improperly formatted auth",
                                           "Login unsuccessful"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        fake_twitch *server = fake_open();
        hb_irc_options options = fake_options(server);
        options.login = "bot";
        options.token = "wrong";
        options.channels_per_connection = 1;
        server->refusal = refusals[i];
        fake_client *client = fake_client_open(server, options, "a b c");
        fake_until(server, client->refusals > 0);
        const size_t guests = server->guest_count;
        fake_run(server, 100);
        assert_int_equal(client->refusals, 1);
        assert_int_equal(server->guest_count, guests);
        assert_non_null(strstr(client->refusal, refusals[i]));
        assert_non_null(strstr(client->refusal, "TWITCH_TOKEN"));
        assert_null(strstr(client->refusal, "wrong"));
        fake_client_close(client);
        fake_close(server);
    }
}

static void a_login_that_worked_is_refused_some_times_before_it_counts(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    fake_client *client = fake_client_open(server, fake_options(server), "a");
    fake_until(server, fake_joined(client) == 1);
    server->refusal = "Login authentication failed";
    fake_hang_up(&server->guests[0]);
    fake_until(server, server->guest_count == 3);
    assert_int_equal(client->refusals, 0);
    server->refusal = NULL;
    fake_until(server, fake_joined(client) == 1);
    server->refusal = "Login authentication failed";
    fake_hang_up(&server->guests[server->guest_count - 1]);
    fake_until(server, client->refusals == 1);
    fake_client_close(client);
    fake_close(server);
}

static void logins_and_tokens_are_checked(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    static const struct {
        const char *login;
        const char *token;
    } bad[] = {{"bot", NULL}, {NULL, "token"}, {"b t", "token"}, {"bot", "to\r\nken"}, {"bot", ""}, {"", "token"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hb_irc_options options = fake_options(server);
        hb_error error = {0};
        options.login = bad[i].login;
        options.token = bad[i].token;
        assert_null(hb_irc_client_open(server->loop, &options, NULL, &error));
        assert_int_equal(error.code, HB_ERROR_USAGE);
    }
    fake_close(server);
}

static void a_missing_capability_does_not_stop_it(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    server->naks = true;
    fake_client *client = fake_client_open(server, fake_options(server), "a");
    fake_until(server, fake_joined(client) == 1);
    fake_client_close(client);
    fake_close(server);
}

/* ---- Changing the list ---- */

static void the_difference_is_joined_and_parted(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_error error = {0};
    hb_irc_options options = fake_options(server);
    options.channels_max = 4;
    options.channels_per_connection = 2;
    fake_client *client = fake_client_open(server, options, "a b c");
    fake_until(server, fake_joined(client) == 3);
    assert_true(fake_set(client, "#B c D e", &error));
    fake_until(server, fake_joined(client) == 4);
    assert_int_equal(fake_count_all(server, "JOIN"), 5);
    assert_int_equal(fake_count_all(server, "PART"), 1);
    assert_int_equal(fake_count_all(server, "PART #a"), 1);
    assert_int_equal(server->guest_count, 2);
    assert_false(fake_set(client, "b c d e f", &error));
    assert_int_equal(error.code, HB_ERROR_LIMIT);
    assert_non_null(strstr(error.text, "5 channels"));
    assert_false(fake_set(client, "x b!d y", &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_non_null(strstr(error.text, "'b!d'"));
    fake_run(server, 50);
    assert_int_equal(fake_joined(client), 4); /* nothing has changed */
    assert_int_equal(fake_count_all(server, "PART"), 1);
    assert_true(fake_set(client, "", &error));
    fake_until(server, fake_open_count(server) == 0);
    assert_true(fake_set(client, "z", &error));
    fake_until(server, fake_joined(client) == 1);
    fake_client_close(client);
    fake_close(server);
}

/* Random changes while the server hangs up and asks for reconnects: in the end all that is wanted is joined. */
static void any_changes_end_with_what_is_wanted(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_error error = {0};
    hb_irc_options options = fake_options(server);
    options.channels_per_connection = 3;
    options.retry_ms = 2;
    fake_client *client = fake_client_open(server, options, "a");
    srand(7);
    size_t wanted = 1;
    for (int round = 0; round < 60 && server->guest_count < FAKE_GUESTS - 20; round++) {
        hb_buffer names = {0};
        wanted = 0;
        for (char name = 'a'; name < 'm'; name++)
            if (rand() % 2 == 0) {
                hb_buffer_print(&names, "%c ", name);
                wanted++;
            }
        hb_buffer_append_char(&names, '\0');
        assert_true(fake_set(client, names.data, &error));
        hb_buffer_free(&names);
        fake_guest *guest = server->guest_count == 0 ? NULL : &server->guests[(size_t)rand() % server->guest_count];
        if (guest != NULL && rand() % 4 == 0)
            fake_hang_up(guest);
        else if (guest != NULL && rand() % 4 == 0)
            fake_send(guest, ":tmi.twitch.tv RECONNECT\r\n");
        fake_run(server, rand() % 15);
    }
    fake_run(server, 20);
    fake_until(server, fake_joined(client) == wanted);
    fake_client_close(client);
    fake_close(server);
}

/* ---- Bad servers ---- */

static void garbage_is_passed_over(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    fake_client *client = fake_client_open(server, fake_options(server), "a");
    fake_until(server, fake_joined(client) == 1);
    struct bufferevent *stream = server->guests[0].stream;
    srand(11);
    for (int i = 0; i < 200000; i++)
        bufferevent_write(stream, &(char){(char)rand()}, 1);
    fake_send(&server->guests[0], "\r\n");
    char *endless = hb_alloc(300001);
    memset(endless, 'y', 300000);
    fake_send(&server->guests[0], endless);
    fake_send(&server->guests[0],
              "\r\nNOTICE\r\nJOIN\r\n366\r\nPART #\r\nNOTICE #a\r\n:x NOTICE #a :\r\nPING\r\n001\r\n:\r\n"
              "@ \r\n@id=good :a!a@a PRIVMSG #a :x\r\n");
    fake_until(server, fake_heard(client, "@id=good :a!a@a PRIVMSG #a :x\n"));
    assert_int_equal(fake_count(&server->guests[0], "PONG :"), 1);
    assert_false(fake_heard(client, "yyyyyyyyyyyyyyyyyyyyyyyyyy"));
    assert_int_equal(server->guest_count, 1);
    free(endless);
    fake_client_close(client);
    fake_close(server);
}

static void half_a_line_is_not_handed_over(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    fake_client *client = fake_client_open(server, fake_options(server), "a");
    fake_until(server, fake_joined(client) == 1);
    fake_send(&server->guests[0], "@id=1 :a!a@a PRIVMSG #a :whole\r\n@id=2 :a!a@a PRIVMSG #a :ha");
    fake_until(server, fake_heard(client, "whole"));
    fake_hang_up(&server->guests[0]);
    fake_until(server, server->guest_count == 2 && fake_joined(client) == 1);
    fake_send(&server->guests[1], "lf\r\n@id=3 :a!a@a PRIVMSG #a :next\r\n");
    fake_until(server, fake_heard(client, "next"));
    assert_false(fake_heard(client, "PRIVMSG #a :ha"));
    fake_client_close(client);
    fake_close(server);
}

static void what_was_sent_before_the_end_is_received(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    fake_client *client = fake_client_open(server, fake_options(server), "a");
    fake_until(server, fake_joined(client) == 1);
    for (int i = 0; i < 50000; i++) {
        char text[80];
        snprintf(text, sizeof text, "@id=m%d :a!a@a PRIVMSG #a :text\r\n", i);
        fake_send(&server->guests[0], text);
    }
    fake_until(server, evbuffer_get_length(bufferevent_get_output(server->guests[0].stream)) == 0);
    fake_hang_up(&server->guests[0]);
    fake_until(server, server->guest_count == 2);
    assert_true(fake_heard(client, "@id=m0 ") && fake_heard(client, "@id=m49999 "));
    size_t count = 0;
    for (const char *at = client->lines.data;
         (at = memmem(at, client->lines.size - (size_t)(at - client->lines.data), "PRIVMSG", 7)) != NULL; at++)
        count++;
    assert_int_equal(count, 50000);
    fake_client_close(client);
    fake_close(server);
}

static void a_server_that_is_down_is_tried_until_it_is_back(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    evconnlistener_free(server->listener);
    server->listener = NULL;
    fake_client *client = fake_client_open(server, fake_options(server), "a b");
    fake_run(server, 100);
    assert_int_equal(fake_joined(client), 0);
    fake_listen(server, server->port);
    fake_until(server, fake_joined(client) == 2);
    fake_client_close(client);
    fake_close(server);
}

static void the_back_off_grows_and_begins_anew_after_a_stable_time(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.retry_ms = 8;
    fake_client *client = fake_client_open(server, options, "a");
    const int64_t start_ms = hb_monotonic_ms();
    for (size_t i = 0; i < 8; i++) {
        fake_until(server, server->guest_count == i + 1 && server->guests[i].logged_in);
        fake_hang_up(&server->guests[i]);
    }
    /* waits of 8, 16, 32, 64, 128, 256 and 512 ms, each 25 % less at most */
    assert_true(hb_monotonic_ms() - start_ms >= 1016 * 3 / 4);
    fake_until(server, fake_joined(client) == 1);
    fake_run(server, 60 * options.retry_ms + 50);
    fake_hang_up(&server->guests[8]);
    const int64_t lost_ms = hb_monotonic_ms();
    fake_until(server, server->guest_count == 10);
    assert_true(hb_monotonic_ms() - lost_ms < 700); /* not 768 or more, as it would be without a new beginning */
    fake_client_close(client);
    fake_close(server);
}

static void a_name_that_cannot_be_looked_up_is_no_end(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.host = "no-such-host.invalid";
    fake_client *client = fake_client_open(server, options, "a");
    fake_run(server, 300);
    assert_int_equal(fake_joined(client), 0);
    fake_client_close(client);
    fake_close(server);
}

/* ---- What the person reads ---- */

static void many_losses_are_one_line(void **state)
{
    (void)state;
    fake_twitch *server = fake_open();
    hb_irc_options options = fake_options(server);
    options.channels_per_connection = 1;
    options.retry_ms = 200;
    char path[] = "/tmp/hubbub-said-XXXXXX";
    const int file = mkstemp(path);
    const int kept = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    server->suspended = "#gone";
    fake_client *client = fake_client_open(server, options, "a b c d e f gone");
    fake_until(server, fake_joined(client) == 6);
    fake_run(server, 100);
    for (size_t i = 0; i < 7; i++)
        fake_hang_up(&server->guests[i]);
    fake_until(server, server->guest_count == 14 && fake_joined(client) == 6);
    fake_run(server, 100);
    dup2(kept, STDERR_FILENO);
    char text[8192] = {0};
    assert_true(pread(file, text, sizeof text - 1, 0) > 0);
    close(file);
    close(kept);
    unlink(path);
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_non_null(strstr(text, "#gone cannot be joined"));
    assert_non_null(strstr(text, "joined 6 of 7 channels\n"));
    assert_non_null(strstr(text, "7 connections to 127.0.0.1:"));
    assert_non_null(strstr(text, "joined 6 of 7 channels again\n"));
    if (lines != 5)
        fail_msg("%zu lines:\n%s", lines, text);
    fake_client_close(client);
    fake_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_logs_in_joins_and_hands_lines_over_as_received),
        cmocka_unit_test(an_account_logs_in_with_its_token),
        cmocka_unit_test(channels_are_spread_over_connections),
        cmocka_unit_test(joins_keep_the_pace_over_all_connections),
        cmocka_unit_test(silence_is_asked_about_and_then_given_up),
        cmocka_unit_test(a_server_that_never_answers_is_given_up),
        cmocka_unit_test(a_reconnect_overlaps_and_loses_nothing),
        cmocka_unit_test(a_reconnect_holds_on_to_the_old_while_the_new_fails),
        cmocka_unit_test(a_suspended_channel_is_not_asked_for_in_a_loop),
        cmocka_unit_test(a_join_without_an_answer_is_tried_again),
        cmocka_unit_test(a_bad_token_is_an_error_and_no_endless_loop),
        cmocka_unit_test(a_login_that_worked_is_refused_some_times_before_it_counts),
        cmocka_unit_test(logins_and_tokens_are_checked),
        cmocka_unit_test(a_missing_capability_does_not_stop_it),
        cmocka_unit_test(the_difference_is_joined_and_parted),
        cmocka_unit_test(any_changes_end_with_what_is_wanted),
        cmocka_unit_test(garbage_is_passed_over),
        cmocka_unit_test(half_a_line_is_not_handed_over),
        cmocka_unit_test(what_was_sent_before_the_end_is_received),
        cmocka_unit_test(a_server_that_is_down_is_tried_until_it_is_back),
        cmocka_unit_test(the_back_off_grows_and_begins_anew_after_a_stable_time),
        cmocka_unit_test(a_name_that_cannot_be_looked_up_is_no_end),
        cmocka_unit_test(many_losses_are_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
