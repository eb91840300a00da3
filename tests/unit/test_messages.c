/* test_messages.c - messages read back from the log are what a slow, plain search of all facts gives. */
#include "scratch.h"
#include "unit.h"

#include "base/clock.h"
#include "base/say.h"
#include "log/messages.h"
#include "log/removals.h"
#include "log/unpack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static char directory[SCRATCH_NAME];

static int make_directory(void **state)
{
    (void)state;
    return scratch_make(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return scratch_remove(directory) ? 0 : -1;
}

/* ---- The slow version ---- */

enum { FACTS = 6000, HOURS = 6, USERS = 12 };
#define FIRST_HOUR_S ((int64_t)1700000000 / 3600 * 3600)

typedef struct told { /* a fact, as the test made it */
    char kind;        /* m: message, i: message removed by id, u: by user id, l: by login, a: all removed */
    int channel;
    int user;
    int id; /* of a message, or of the one removed */
    int64_t time_ms;
} told;

static told facts[FACTS];

static const char *const channels[] = {"xqc", "xqcow", "x"};

static void tell(hb_log *log, const told *fact)
{
    char line[512];
    int size = 0;
    const long long time_ms = fact->time_ms;
    const char *channel = channels[fact->channel];
    switch (fact->kind) {
    case 'm':
        size =
            snprintf(line, sizeof line,
                     "@display-name=User%d;id=id%d;tmi-sent-ts=%lld;user-id=%d :user%d!u@u PRIVMSG #%s :said #x #xqc "
                     "CLEARCHAT %d",
                     fact->user, fact->id, time_ms, 1000 + fact->user, fact->user, channel, fact->id);
        break;
    case 'i':
        size = snprintf(line, sizeof line,
                        "@login=user%d;target-msg-id=id%d;tmi-sent-ts=%lld :tmi.twitch.tv CLEARMSG #%s :said",
                        fact->user, fact->id, time_ms, channel);
        break;
    case 'u':
        size = snprintf(line, sizeof line, "@target-user-id=%d;tmi-sent-ts=%lld :tmi.twitch.tv CLEARCHAT #%s :user%d",
                        1000 + fact->user, time_ms, channel, fact->user);
        break;
    case 'l':
        size = snprintf(line, sizeof line, "@tmi-sent-ts=%lld :tmi.twitch.tv CLEARCHAT #%s :user%d", time_ms, channel,
                        fact->user);
        break;
    default:
        size = snprintf(line, sizeof line, "@tmi-sent-ts=%lld :tmi.twitch.tv CLEARCHAT #%s", time_ms, channel);
        break;
    }
    assert_int_equal(hb_log_append(log, (hb_bytes){line, (size_t)size}, time_ms), HB_LOG_APPENDED);
}

static bool removed(const told *message)
{
    for (int i = 0; i < FACTS; i++) {
        const told *other = &facts[i];
        const int64_t after_ms = other->time_ms - message->time_ms;
        if (other->kind == 'm' || other->channel != message->channel || after_ms < 0 || after_ms > HB_REMOVALS_REACH_MS)
            continue;
        if (other->kind == 'a' || (other->kind == 'i' ? other->id == message->id : other->user == message->user))
            return true;
    }
    return false;
}

static int by_time(const void *a, const void *b)
{
    const told *const *one = a;
    const told *const *other = b;
    return ((*one)->time_ms > (*other)->time_ms) - ((*one)->time_ms < (*other)->time_ms);
}

/* Fills expected with the messages that a query should give; returns how many. */
static size_t search_slowly(int channel, int user, int64_t from_s, int64_t to_s, size_t limit, const told **expected)
{
    size_t count = 0;
    for (int i = 0; i < FACTS; i++)
        if (facts[i].kind == 'm' && facts[i].channel == channel && (user < 0 || facts[i].user == user) &&
            facts[i].time_ms >= from_s * 1000 && facts[i].time_ms < to_s * 1000)
            expected[count++] = &facts[i];
    qsort(expected, count, sizeof *expected, by_time);
    if (count <= limit)
        return count;
    memmove(expected, expected + (count - limit), limit * sizeof *expected);
    return limit;
}

static void a_query_gives_what_a_slow_search_gives(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_log *log = hb_log_open(directory, HB_LOG_APPEND, NULL, &error);
    srand(7);
    for (int i = 0; i < FACTS; i++) {
        const int die = rand() % 100;
        facts[i] = (told){
            .kind = die < 90   ? 'm'
                    : die < 95 ? 'i'
                    : die < 97 ? 'u'
                    : die < 99 ? 'l'
                               : 'a',
            .channel = rand() % 3,
            .user = rand() % USERS,
            .id = i,
            /* Times differ, so that their order is certain. */
            .time_ms = FIRST_HOUR_S * 1000 + (int64_t)(rand() % (HOURS * 3600)) * 1000 / 7 * 7 + i % 1000,
        };
        if (facts[i].kind == 'i' && i > 50) {
            const told *message = &facts[i - 1 - rand() % 50];
            facts[i].id = message->id;
            facts[i].channel = message->channel;
            facts[i].time_ms = message->time_ms + rand() % 7200;
        }
        if (facts[i].kind == 'a' && rand() % 4 != 0)
            facts[i].kind = 'u';
        tell(log, &facts[i]);
        if (facts[i].kind == 'm' && rand() % 20 == 0)
            tell(log, &facts[i]); /* received twice */
        if (rand() % 500 == 0)
            assert_true(hb_log_flush(log, &error));
    }
    assert_true(hb_log_close(log, &error));

    log = hb_log_open(directory, HB_LOG_READ, NULL, &error);
    const told **expected = hb_alloc(FACTS * sizeof *expected);
    size_t deleted = 0;
    size_t whole = 0;
    for (int round = 0; round < 200; round++) {
        const int channel = rand() % 3;
        const int user = rand() % 3 == 0 ? rand() % USERS : -1;
        const int64_t from_s = FIRST_HOUR_S + rand() % (HOURS * 3600) - 600;
        const int64_t to_s = from_s + rand() % (HOURS * 3600);
        const size_t limit = (size_t)(rand() % 2 == 0 ? 1 + rand() % 20 : rand() % 2000);
        char name[16];
        if (rand() % 2 == 0)
            snprintf(name, sizeof name, "User%d", user);
        else
            snprintf(name, sizeof name, "%d", 1000 + user);
        const hb_message_query query = {
            .channel = hb_bytes_of(rand() % 2 == 0 && channel == 0 ? "xQc" : channels[channel]),
            .user = user < 0 ? (hb_bytes){NULL, 0} : hb_bytes_of(name),
            .from_s = from_s,
            .to_s = to_s,
            .limit = limit,
        };
        const size_t count = search_slowly(channel, user, from_s, to_s, limit, expected);
        hb_messages *messages = hb_messages_open(log, &query, &error);
        assert_non_null(messages);
        assert_true(hb_messages_complete(messages));
        assert_int_equal(hb_messages_count(messages), count);
        for (size_t i = 0; i < count; i++) {
            char id[16];
            const hb_message *message = hb_messages_at(messages, i);
            snprintf(id, sizeof id, "id%d", expected[i]->id);
            assert_bytes(message->fact.id, id);
            assert_true(message->fact.time_ms == expected[i]->time_ms);
            assert_int_equal(message->deleted, removed(expected[i]));
            deleted += message->deleted;
        }
        whole += count;
        hb_messages_close(messages);
    }
    assert_true(deleted > 100 && deleted < whole - 100); /* the test tests something */
    free(expected);
    hb_log_close(log, &error);
}

static void a_wrong_query_is_refused(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_log_close(hb_log_open(directory, HB_LOG_APPEND, NULL, &error), &error);
    hb_log *log = hb_log_open(directory, HB_LOG_READ, NULL, &error);
    hb_message_query query = {.channel = HB_BYTES("x"), .from_s = 10, .to_s = 5, .limit = 5};
    assert_null(hb_messages_open(log, &query, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    query = (hb_message_query){.channel = HB_BYTES(""), .to_s = 5, .limit = 5};
    assert_null(hb_messages_open(log, &query, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    query.channel = HB_BYTES("nobody");
    hb_messages *messages = hb_messages_open(log, &query, &error);
    assert_int_equal(hb_messages_count(messages), 0);
    hb_messages_close(messages);
    hb_log_close(log, &error);
}

/* ---- Unpacking ---- */

static void append_zstd(hb_buffer *out, hb_bytes text)
{
    const size_t bound = ZSTD_compressBound(text.size);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    out->size += ZSTD_compress2(context, hb_buffer_room(out, bound), bound, text.data, text.size);
    ZSTD_freeCCtx(context);
}

static void append_gzip(hb_buffer *out, hb_bytes text)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    const size_t bound = deflateBound(&stream, text.size);
    stream.next_in = (Bytef *)text.data;
    stream.avail_in = (uInt)text.size;
    stream.next_out = (Bytef *)hb_buffer_room(out, bound);
    stream.avail_out = (uInt)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size += stream.total_out;
    deflateEnd(&stream);
}

/* Unpacks bytes that come out of a pipe in small writes; false when it ends with an error. */
static bool unpack(hb_bytes packed, hb_buffer *out, hb_error *error)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        close(ends[0]);
        for (size_t step = 1; packed.size > 0; step = step * 3 % 70001 + 1) {
            const size_t count = packed.size < step ? packed.size : step;
            if (write(ends[1], packed.data, count) != (ssize_t)count)
                break;
            packed = hb_bytes_from(packed, count);
        }
        _exit(0);
    }
    close(ends[1]);
    hb_unpack *from = hb_unpack_open(ends[0], "the test's pipe");
    bool more = true;
    bool read = true;
    out->size = 0;
    while (read && more)
        read = hb_unpack_read(from, out, &more, error);
    hb_unpack_close(from);
    close(ends[0]);
    return read;
}

static void packed_text_is_told_by_its_first_bytes(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_buffer text = {0};
    hb_buffer twice = {0};
    hb_buffer packed = {0};
    hb_buffer out = {0};
    for (int i = 0; text.size < 3000000; i++)
        hb_buffer_print(&text, "line %d %d\n", i, rand());
    const hb_bytes all = hb_buffer_bytes(&text);
    hb_buffer_append(&twice, all);
    hb_buffer_append(&twice, all);
    assert_true(unpack(all, &out, &error));
    assert_true(hb_bytes_equal(hb_buffer_bytes(&out), all));
    void (*const packers[])(hb_buffer *, hb_bytes) = {append_zstd, append_gzip};
    for (int first = 0; first < 2; first++) {
        packed.size = 0;
        packers[first](&packed, all);
        assert_true(unpack(hb_buffer_bytes(&packed), &out, &error));
        assert_true(hb_bytes_equal(hb_buffer_bytes(&out), all));
        const size_t one = packed.size;
        for (int second = 0; second < 2; second++) {
            packed.size = one;
            packers[second](&packed, all);
            assert_true(unpack(hb_buffer_bytes(&packed), &out, &error));
            assert_true(hb_bytes_equal(hb_buffer_bytes(&out), hb_buffer_bytes(&twice)));
        }
        packed.size -= 1000; /* cut off in the second one */
        assert_false(unpack(hb_buffer_bytes(&packed), &out, &error));
        assert_int_equal(error.code, HB_ERROR_CORRUPT);
        assert_non_null(strstr(error.text, "cut off"));
        assert_true(out.size > all.size && memcmp(out.data, twice.data, out.size) == 0);
        packed.size = one;
        hb_buffer_append(&packed, (hb_bytes){"\0\0\0\0\0\0\0\0\0\0", 10});
        assert_true(unpack(hb_buffer_bytes(&packed), &out, &error)); /* padding */
        hb_buffer_append(&packed, HB_BYTES("garbage"));
        assert_false(unpack(hb_buffer_bytes(&packed), &out, &error));
        packed.size = one;
        packed.data[one / 2] ^= 0x55;
        assert_false(unpack(hb_buffer_bytes(&packed), &out, &error));
        assert_int_equal(error.code, HB_ERROR_CORRUPT);
    }
    static const char *const tiny[] = {"", "a", "ab\n", "abc"};
    for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++) {
        assert_true(unpack(hb_bytes_of(tiny[i]), &out, &error));
        assert_bytes(hb_buffer_bytes(&out), tiny[i]);
    }
    hb_buffer_free(&text);
    hb_buffer_free(&twice);
    hb_buffer_free(&packed);
    hb_buffer_free(&out);
}

int main(void)
{
    hb_say_up_to(HB_SAY_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_query_gives_what_a_slow_search_gives, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_wrong_query_is_refused, make_directory, remove_directory),
        cmocka_unit_test(packed_text_is_told_by_its_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
