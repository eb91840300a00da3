/* test_simulator.c - the simulated Twitch over real sockets: the dialogue, exact counts, slow readers, bad input, TLS.
 */
#include "unit.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/say.h"
#include "twitch/chat_maker.h"
#include "twitch/simulator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 15000, CHANNELS = 5 };

/* ---- A simulator and clients ---- */

typedef struct twitch {
    hb_chat_maker *maker;
    hb_simulator *simulator;
    hb_chat_source chat;
} twitch;

static twitch serve(hb_chat_options chat, hb_simulator_options how)
{
    hb_error error = {0};
    twitch server = {.maker = hb_chat_maker_open(&chat, &error)};
    assert_non_null(server.maker);
    server.chat = how.chat = hb_chat_maker_source(server.maker);
    how.host = "127.0.0.1";
    server.simulator = hb_simulator_open(&how, &error);
    if (server.simulator == NULL)
        fail_msg("%s", error.text);
    return server;
}

static void shut(twitch *server)
{
    hb_simulator_close(server->simulator);
    hb_chat_maker_close(server->maker);
}

static const hb_chat_options quiet_chat = {.seed = 3, .channels = CHANNELS, .rate = 1};
static const hb_simulator_options never = {.wait_joins = SIZE_MAX}; /* no chat at all */

static int connect_to(const twitch *server)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(hb_simulator_port(server->simulator)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say_bytes(int fd, hb_bytes bytes)
{
    while (bytes.size > 0) {
        const ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent < 0)
            return; /* the simulator has hung up: the test looks at that */
        bytes = hb_bytes_from(bytes, (size_t)sent);
    }
}

static void say(int fd, const char *text)
{
    say_bytes(fd, hb_bytes_of(text));
}

/* Appends what comes until text is among it, or the simulator closes; false when it closes. */
static bool hear_until(int fd, hb_buffer *heard, const char *text)
{
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    size_t looked_at = 0;
    const size_t size = strlen(text);
    for (;;) {
        const size_t from = looked_at > size ? looked_at - size : 0;
        if (size > 0 && heard->size > from && memmem(heard->data + from, heard->size - from, text, size) != NULL)
            return true;
        looked_at = heard->size;
        struct pollfd waiting = {fd, POLLIN, 0};
        if (hb_monotonic_ms() > end_ms || poll(&waiting, 1, PATIENCE_MS) != 1)
            fail_msg("waited in vain for '%s'; heard %.*s", text, HB_PRINT(hb_buffer_bytes(heard)));
        char *room = hb_buffer_room(heard, 1 << 16);
        const ssize_t got = recv(fd, room, 1 << 16, 0);
        if (got <= 0)
            return false;
        heard->size += (size_t)got;
    }
}

static bool has(const hb_buffer *heard, const char *text)
{
    return heard->size > 0 && memmem(heard->data, heard->size, text, strlen(text)) != NULL;
}

/* Not by memmem: the thread sanitizer looks at all of its text each time. */
static size_t count_of(const hb_buffer *heard, const char *text)
{
    size_t count = 0;
    const hb_bytes wanted = hb_bytes_of(text);
    hb_bytes rest = hb_buffer_bytes(heard);
    for (const char *at; rest.size > 0 && (at = memchr(rest.data, *text, rest.size)) != NULL;) {
        rest = hb_bytes_from(rest, (size_t)(at - rest.data));
        const bool found = hb_bytes_start_with(rest, wanted);
        count += found;
        rest = hb_bytes_from(rest, found ? wanted.size : 1);
    }
    return count;
}

/* "JOIN #a,#b" of all channels */
static void join_all(int fd, const twitch *server)
{
    hb_buffer line = {0};
    for (size_t i = 0; i < server->chat.channel_count; i++)
        hb_buffer_print(&line, "%s#%.*s", i == 0 ? "JOIN " : ",",
                        HB_PRINT(server->chat.channel(server->chat.context, i)));
    hb_buffer_print(&line, "\r\n");
    say_bytes(fd, hb_buffer_bytes(&line));
    hb_buffer_free(&line);
}

static void wait_for(bool (*condition)(const hb_simulator_counts *counts), const twitch *server)
{
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        const hb_simulator_counts counts = hb_simulator_count(server->simulator);
        if (condition(&counts))
            return;
        assert_true(hb_monotonic_ms() < end_ms);
        usleep(2000);
    }
}

static bool is_done(const hb_simulator_counts *counts)
{
    return counts->done;
}

static bool is_empty(const hb_simulator_counts *counts)
{
    return counts->connections == 0 && counts->joined == 0;
}

/* ---- The dialogue ---- */

static void a_client_is_welcomed_and_joins(void **state)
{
    (void)state;
    twitch server = serve(quiet_chat, never);
    hb_buffer heard = {0};
    const hb_bytes name = server.chat.channel(server.chat.context, 2);
    const int fd = connect_to(&server);
    say(fd, "CAP LS 302\r\nCAP REQ :twitch.tv/tags twitch.tv/commands\r\nPASS SCHMOOPIIE\r\nNICK JustinFan42\r\n");
    assert_true(hear_until(fd, &heard, ":tmi.twitch.tv 376 justinfan42 :>\r\n"));
    assert_true(has(&heard, ":tmi.twitch.tv CAP * LS :twitch.tv/commands twitch.tv/membership twitch.tv/tags\r\n"));
    assert_true(has(&heard, ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands\r\n"));
    assert_true(has(&heard, ":tmi.twitch.tv 001 justinfan42 :Welcome, GLHF!\r\n"));
    for (const char *number = "002\000003\000004\000375\000372\000376\0"; *number != '\0'; number += 4) {
        char text[32];
        snprintf(text, sizeof text, ":tmi.twitch.tv %s justinfan42 ", number);
        assert_int_equal(count_of(&heard, text), 1);
    }
    heard.size = 0;
    hb_buffer line = {0};
    hb_buffer_print(&line, "join #NoSuchChannel,#%.*s,#%.*s\r\nPING :x y\r\n", HB_PRINT(name), HB_PRINT(name));
    say_bytes(fd, hb_buffer_bytes(&line));
    assert_true(hear_until(fd, &heard, ":tmi.twitch.tv PONG tmi.twitch.tv :x y\r\n"));
    line.size = 0;
    hb_buffer_print(
        &line,
        ":justinfan42!justinfan42@justinfan42.tmi.twitch.tv JOIN #%.*s\r\n"
        ":justinfan42.tmi.twitch.tv 353 justinfan42 = #%.*s :justinfan42\r\n"
        ":justinfan42.tmi.twitch.tv 366 justinfan42 #%.*s :End of /NAMES list\r\n"
        "@emote-only=0;followers-only=-1;r9k=0;room-id=%llu;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #%.*s\r\n"
        ":tmi.twitch.tv PONG tmi.twitch.tv :x y\r\n",
        HB_PRINT(name), HB_PRINT(name), HB_PRINT(name), (unsigned long long)server.chat.room_id(server.chat.context, 2),
        HB_PRINT(name));
    hb_buffer_append_char(&line, '\0');
    assert_bytes(hb_buffer_bytes(&heard), line.data); /* joined once, and not a word about the channel that is none */
    heard.size = line.size = 0;
    hb_buffer_print(&line, "PART #%.*s\r\n", HB_PRINT(name));
    say_bytes(fd, hb_buffer_bytes(&line));
    assert_true(hear_until(fd, &heard, " PART #"));
    assert_int_equal(hb_simulator_count(server.simulator).joined, 0);
    close(fd);
    wait_for(is_empty, &server);
    hb_buffer_free(&line);
    hb_buffer_free(&heard);
    shut(&server);
}

static void capabilities_are_all_or_nothing(void **state)
{
    (void)state;
    twitch server = serve(quiet_chat, never);
    hb_buffer heard = {0};
    const int fd = connect_to(&server);
    say(fd, "CAP REQ :twitch.tv/tags twitch.tv/nothing\r\nNICK justinfan1\r\n");
    join_all(fd, &server);
    say(fd, "PING\r\n");
    assert_true(hear_until(fd, &heard, "PONG"));
    assert_true(has(&heard, ":tmi.twitch.tv CAP * NAK :twitch.tv/tags twitch.tv/nothing\r\n"));
    assert_false(has(&heard, "ROOMSTATE"));
    assert_int_equal(count_of(&heard, " JOIN #"), CHANNELS);
    close(fd);
    hb_buffer_free(&heard);
    shut(&server);
}

/* What a client with these first lines hears until it is closed or welcomed; true when it is welcomed. */
static bool welcomed(const char *token, const char *lines, const char *expect)
{
    hb_simulator_options how = never;
    how.token = token;
    twitch server = serve(quiet_chat, how);
    hb_buffer heard = {0};
    const int fd = connect_to(&server);
    say(fd, lines);
    const bool good = hear_until(fd, &heard, " 376 ");
    assert_true(has(&heard, expect));
    close(fd);
    hb_buffer_free(&heard);
    shut(&server);
    return good;
}

static void a_bad_token_is_told_and_closed(void **state)
{
    (void)state;
    const char *failed = ":tmi.twitch.tv NOTICE * :Login authentication failed\r\n";
    assert_false(welcomed("good", "PASS oauth:bad\r\nNICK somebody\r\nJOIN #a\r\n", failed));
    assert_false(welcomed("good", "PASS oauth:\r\nNICK somebody\r\n", failed));
    assert_false(welcomed(NULL, "PASS other\r\nNICK somebody\r\n", failed));
    assert_false(welcomed(NULL, "NICK somebody\r\n", ":tmi.twitch.tv NOTICE * :Improperly formatted auth\r\n"));
    assert_false(welcomed(NULL, "NICK some-body\r\n", failed));
    assert_true(welcomed("good", "PASS oauth:good\r\nNICK somebody\r\n", " 001 somebody :"));
    assert_true(welcomed(NULL, "PASS oauth:any\r\nNICK somebody\r\n", " 001 somebody :"));
    assert_true(welcomed("good", "PASS oauth:bad\r\nNICK justinfan5\r\n", " 001 justinfan5 :"));
}

static void a_suspended_channel_is_told(void **state)
{
    (void)state;
    twitch server = serve(quiet_chat, never);
    hb_buffer heard = {0};
    const int fd = connect_to(&server);
    say(fd, "CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan1\r\nJOIN #Suspended_somebody\r\n");
    assert_true(hear_until(fd, &heard,
                           "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #suspended_somebody :This channel does "
                           "not exist or has been suspended.\r\n"));
    close(fd);
    hb_buffer_free(&heard);
    shut(&server);
}

static void reconnect_is_told_and_then_the_connection_ends(void **state)
{
    (void)state;
    hb_simulator_options how = never;
    how.reconnect_ms = 300;
    twitch server = serve(quiet_chat, how);
    hb_buffer heard = {0};
    const int fd = connect_to(&server);
    say(fd, "CAP REQ :twitch.tv/commands\r\nNICK justinfan1\r\n");
    assert_true(hear_until(fd, &heard, " 376 "));
    const int64_t told_ms = hb_monotonic_ms();
    hb_simulator_reconnect(server.simulator);
    assert_true(hear_until(fd, &heard, ":tmi.twitch.tv RECONNECT\r\n"));
    const int later = connect_to(&server);
    say(later, "NICK justinfan2\r\n");
    assert_false(hear_until(fd, &heard, "nothing more"));
    assert_true(hb_monotonic_ms() - told_ms >= 300);
    heard.size = 0;
    assert_true(hear_until(later, &heard, " 376 ")); /* who came after it stays */
    hb_simulator_drop(server.simulator);
    assert_false(hear_until(later, &heard, "nothing more"));
    close(fd);
    close(later);
    hb_buffer_free(&heard);
    shut(&server);
}

static void who_does_not_answer_a_ping_is_closed(void **state)
{
    (void)state;
    hb_simulator_options how = never;
    how.ping_ms = 250;
    twitch server = serve(quiet_chat, how);
    hb_buffer heard = {0};
    const int fd = connect_to(&server);
    say(fd, "NICK justinfan1\r\n");
    for (int i = 0; i < 3; i++) {
        heard.size = 0;
        assert_true(hear_until(fd, &heard, "PING :tmi.twitch.tv\r\n"));
        say(fd, "PONG :tmi.twitch.tv\r\n");
    }
    assert_false(hear_until(fd, &heard, "nothing more"));
    close(fd);
    hb_buffer_free(&heard);
    shut(&server);
}

/* ---- Chat ---- */

static void exactly_so_many_messages_come_and_then_silence(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    const hb_chat_options chat = {.seed = 9, .channels = CHANNELS, .rate = 40000};
    twitch server = serve(chat, (hb_simulator_options){.count = COUNT, .wait_joins = CHANNELS});
    hb_buffer with = {0};
    hb_buffer without = {0};
    const int full = connect_to(&server);
    const int plain = connect_to(&server);
    say(plain, "NICK justinfan2\r\n");
    say(full, "CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan1\r\n");
    hb_buffer first = {0};
    hb_buffer_print(&first, "JOIN #%.*s\r\n", HB_PRINT(server.chat.channel(server.chat.context, 0)));
    say_bytes(plain, hb_buffer_bytes(&first));
    assert_true(hear_until(plain, &without, " 366 "));
    join_all(full, &server);
    /* The same chat once more, without a simulator. */
    hb_error error = {0};
    hb_chat_maker *maker = hb_chat_maker_open(&chat, &error);
    const hb_chat_source same = hb_chat_maker_source(maker);
    size_t lines = 0;
    size_t in_first = 0;
    for (size_t messages = 0; messages < COUNT; lines++) {
        hb_chat_line line;
        same.next(same.context, 1764000000000, &first, &line);
        messages += line.is_message;
        in_first += line.is_message && line.channel == 0;
    }
    wait_for(is_done, &server);
    say(full, "PING :end\r\n");
    say(plain, "PING :end\r\n");
    assert_true(hear_until(full, &with, "PONG tmi.twitch.tv :end"));
    assert_true(hear_until(plain, &without, "PONG tmi.twitch.tv :end"));
    assert_int_equal(count_of(&with, " PRIVMSG #"), COUNT);
    assert_int_equal(count_of(&with, "\r\n@"), lines + CHANNELS);
    assert_int_equal(count_of(&without, " PRIVMSG #"), in_first);
    assert_false(has(&without, "\n@"));
    assert_false(has(&without, "USERNOTICE") || has(&without, "CLEARCHAT") || has(&without, "ROOMSTATE"));
    const hb_simulator_counts counts = hb_simulator_count(server.simulator);
    assert_int_equal(counts.messages, COUNT);
    assert_int_equal(counts.lines, lines);
    assert_int_equal(counts.sent, COUNT + in_first);
    assert_int_equal(counts.dropped + counts.unheard + counts.refused, 0);
    assert_int_equal(counts.connections, 2);
    close(full);
    close(plain);
    hb_chat_maker_close(maker);
    hb_buffer_free(&with);
    hb_buffer_free(&without);
    hb_buffer_free(&first);
    shut(&server);
}

static void times_are_now(void **state)
{
    (void)state;
    const hb_chat_options chat = {.seed = 1, .channels = 1, .rate = 500};
    twitch server = serve(chat, (hb_simulator_options){.wait_joins = 1});
    hb_buffer heard = {0};
    const int fd = connect_to(&server);
    say(fd, "CAP REQ :twitch.tv/tags\r\nNICK justinfan1\r\n");
    join_all(fd, &server);
    const int64_t start_ms = hb_now_ms();
    for (int i = 0; count_of(&heard, " PRIVMSG #") < 400; i++) {
        char text[32];
        snprintf(text, sizeof text, "PING :%d.\r\n", i);
        usleep(20000);
        say(fd, text);
        snprintf(text, sizeof text, "PONG tmi.twitch.tv :%d.", i);
        assert_true(hear_until(fd, &heard, text));
    }
    const int64_t end_ms = hb_now_ms();
    assert_true(end_ms - start_ms >= 600); /* 400 at 500 a second */
    hb_bytes rest = hb_buffer_bytes(&heard);
    int64_t last_ms = 0;
    for (hb_bytes text; hb_bytes_cut(&rest, '\n', &text) && rest.size > 0;) {
        hb_fact fact;
        if (hb_fact_read((hb_bytes){text.data, text.size - 1}, &fact) != HB_FACT_OK)
            continue;
        assert_true(fact.time_ms >= start_ms - 50 && fact.time_ms <= end_ms && fact.time_ms >= last_ms);
        last_ms = fact.time_ms;
    }
    assert_true(last_ms > 0);
    close(fd);
    hb_buffer_free(&heard);
    shut(&server);
}

static void what_a_slow_reader_misses_is_counted(void **state)
{
    (void)state;
    enum { COUNT = 60000 };
    const hb_chat_options chat = {.seed = 2, .channels = 3, .rate = 100000};
    twitch server = serve(chat, (hb_simulator_options){.count = COUNT, .wait_joins = 3, .buffer_bytes = 1 << 20});
    hb_buffer heard = {0};
    const int fd = connect_to(&server);
    say(fd, "CAP REQ :twitch.tv/tags\r\nNICK justinfan1\r\n");
    join_all(fd, &server);
    wait_for(is_done, &server); /* nothing was read so far */
    const hb_simulator_counts counts = hb_simulator_count(server.simulator);
    assert_int_equal(counts.sent + counts.dropped, COUNT);
    assert_true(counts.dropped > COUNT / 10 && counts.sent > 1000);
    say(fd, "PING :end\r\n");
    assert_true(hear_until(fd, &heard, "PONG tmi.twitch.tv :end"));
    assert_int_equal(count_of(&heard, " PRIVMSG #"), counts.sent);
    close(fd);
    hb_buffer_free(&heard);
    shut(&server);
}

static void channels_that_nobody_joined_are_counted(void **state)
{
    (void)state;
    const hb_chat_options chat = {.seed = 2, .channels = 3, .rate = 50000};
    twitch server = serve(chat, (hb_simulator_options){.count = 2000});
    wait_for(is_done, &server);
    assert_int_equal(hb_simulator_count(server.simulator).unheard, 2000);
    assert_int_equal(hb_simulator_count(server.simulator).sent, 0);
    shut(&server);
}

/* ---- Bad input ---- */

static void bad_input_is_refused_and_harms_nobody(void **state)
{
    (void)state;
    twitch server = serve(quiet_chat, (hb_simulator_options){.wait_joins = SIZE_MAX, .buffer_bytes = 1 << 16});
    hb_buffer heard = {0};
    hb_buffer line = {0};
    const int good = connect_to(&server);
    say(good, "NICK justinfan1\r\n");
    assert_true(hear_until(good, &heard, " 376 "));

    const int garbage = connect_to(&server); /* is passed over */
    say_bytes(garbage,
              HB_BYTES("\0\xff\n\r\n:\r\n@;= :\r\n ::: \n\x01\x02\r\nJOIN\r\nCAP\r\nNICK\r\nPASS\r\nCAP REQ\r\n"
                       "JOIN #before,#login\r\nNICK justinfan3\r\nJOIN #,##,,#a#b,x\r\nBOO\r\n"));
    heard.size = 0;
    assert_true(hear_until(garbage, &heard, "421 justinfan3 BOO :Unknown command\r\n"));
    assert_false(has(&heard, " JOIN #"));

    const int endless = connect_to(&server); /* is closed */
    for (int i = 0; i < 20000; i++)
        hb_buffer_append_char(&line, 'x');
    say_bytes(endless, hb_buffer_bytes(&line));
    heard.size = 0;
    assert_false(hear_until(endless, &heard, "nothing"));

    const int joiner = connect_to(&server); /* gets each channel once */
    line.size = 0;
    hb_buffer_print(&line, "NICK justinfan4\r\n");
    for (int i = 0; i < 10000; i++)
        hb_buffer_print(&line, "JOIN #channel%d,#%.*s\r\n", i,
                        HB_PRINT(server.chat.channel(server.chat.context, (size_t)i % CHANNELS)));
    hb_buffer_print(&line, "PING :end\r\n");
    say_bytes(joiner, hb_buffer_bytes(&line));
    heard.size = 0;
    assert_true(hear_until(joiner, &heard, "PONG tmi.twitch.tv :end"));
    assert_int_equal(count_of(&heard, " JOIN #"), CHANNELS);
    assert_int_equal(hb_simulator_count(server.simulator).joined, CHANNELS);

    const int deaf = connect_to(&server); /* asks without end and reads nothing: is closed */
    line.size = 0;
    for (int i = 0; i < 1000; i++)
        hb_buffer_print(&line, "PING :%0400d\r\n", i);
    say(deaf, "NICK justinfan5\r\n");
    struct timeval patience = {PATIENCE_MS / 1000, 0};
    setsockopt(deaf, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    bool open = true;
    for (int i = 0; open && i < 1000; i++)
        open = send(deaf, line.data, line.size, MSG_NOSIGNAL) >= 0;
    assert_false(open);
    assert_true(errno == EPIPE || errno == ECONNRESET);

    heard.size = 0;
    say(good, "PING :still\r\n");
    assert_true(hear_until(good, &heard, "PONG tmi.twitch.tv :still"));
    assert_true(hb_simulator_count(server.simulator).refused >= 3);
    const int all[] = {good, garbage, endless, joiner, deaf};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        close(all[i]);
    wait_for(is_empty, &server);
    hb_buffer_free(&heard);
    hb_buffer_free(&line);
    shut(&server);
}

static void addresses_that_are_none_are_refused(void **state)
{
    (void)state;
    hb_error error = {0};
    twitch server = serve(quiet_chat, never);
    hb_simulator_options how = never;
    how.chat = server.chat;
    how.host = "127.0.0.1";
    how.port = hb_simulator_port(server.simulator);
    assert_null(hb_simulator_open(&how, &error));
    assert_int_equal(error.code, HB_ERROR_BUSY);
    assert_non_null(strstr(error.text, "--listen"));
    how.host = "no such host";
    assert_null(hb_simulator_open(&how, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    how.host = "127.0.0.1";
    how.port = 0;
    how.tls_cert = "/no/such/file";
    assert_null(hb_simulator_open(&how, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_non_null(strstr(error.text, "/no/such/file"));
    shut(&server);
}

/* ---- TLS ---- */

/* A key and a certificate that it signed itself, one behind the other in a file. */
static void write_certificate(const char *path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    FILE *file = fopen(path, "w");
    assert_true(key != NULL && certificate != NULL && file != NULL);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"127.0.0.1", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void it_speaks_tls(void **state)
{
    (void)state;
    char path[] = "/tmp/hubbub-test-XXXXXX";
    const int made = mkstemp(path);
    assert_true(made >= 0);
    close(made);
    write_certificate(path);
    hb_simulator_options how = never;
    how.tls_cert = path;
    twitch server = serve(quiet_chat, how);
    const int fd = connect_to(&server);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *session = SSL_new(context);
    SSL_set_fd(session, fd);
    assert_int_equal(SSL_connect(session), 1);
    assert_true(SSL_write(session, "NICK justinfan1\r\n", 17) == 17);
    hb_buffer heard = {0};
    while (!has(&heard, " 376 ")) {
        const int got = SSL_read(session, hb_buffer_room(&heard, 4096), 4096);
        assert_true(got > 0);
        heard.size += (size_t)got;
    }
    const int plain = connect_to(&server); /* not TLS: is closed, and nobody else is */
    hb_buffer nothing = {0};
    say(plain, "NICK justinfan1\r\nNICK justinfan1\r\n");
    assert_false(hear_until(plain, &nothing, " 376 "));
    assert_true(SSL_write(session, "PING :x\r\n", 9) == 9);
    assert_true(SSL_read(session, heard.data, 100) > 0);
    SSL_free(session);
    SSL_CTX_free(context);
    close(fd);
    close(plain);
    hb_buffer_free(&heard);
    hb_buffer_free(&nothing);
    shut(&server);
    unlink(path);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    hb_say_up_to(HB_SAY_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_welcomed_and_joins),
        cmocka_unit_test(capabilities_are_all_or_nothing),
        cmocka_unit_test(a_bad_token_is_told_and_closed),
        cmocka_unit_test(a_suspended_channel_is_told),
        cmocka_unit_test(reconnect_is_told_and_then_the_connection_ends),
        cmocka_unit_test(who_does_not_answer_a_ping_is_closed),
        cmocka_unit_test(exactly_so_many_messages_come_and_then_silence),
        cmocka_unit_test(times_are_now),
        cmocka_unit_test(what_a_slow_reader_misses_is_counted),
        cmocka_unit_test(channels_that_nobody_joined_are_counted),
        cmocka_unit_test(bad_input_is_refused_and_harms_nobody),
        cmocka_unit_test(addresses_that_are_none_are_refused),
        cmocka_unit_test(it_speaks_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
