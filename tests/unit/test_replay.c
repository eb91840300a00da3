/* test_replay.c - recorded chat as a source: the same lines at the same pace, with the times of their sending. */
#include "unit.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/say.h"
#include "cmd/replay.h"
#include "twitch/chat_maker.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { MESSAGES = 3000 };

static const char plain_path[] = "replay-test.irc";
static const char gzip_path[] = "replay-test.irc.gz";
static const char zstd_path[] = "replay-test.irc.zst";

static void write_file(const char *path, hb_bytes bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

/* An archive's lines: chat, viewer samples, and lines that are no facts. */
static void make_archive(hb_buffer *lines)
{
    hb_error error = {0};
    const hb_chat_options options = {.seed = 4, .channels = 6, .rate = 20, .archive = true, .viewers = true};
    hb_chat_maker *maker = hb_chat_maker_open(&options, &error);
    const hb_chat_source chat = hb_chat_maker_source(maker);
    for (int messages = 0; messages < MESSAGES;) {
        hb_chat_line line;
        const int64_t time_ms = 1764000000000 + chat.due_us(chat.context) / 1000;
        if (messages % 7 == 0)
            hb_buffer_print(lines, "PING :tmi.twitch.tv\r\n");
        if (messages % 9 == 0)
            hb_buffer_print(lines, "no\1line\n");
        chat.next(chat.context, time_ms, lines, &line);
        hb_buffer_print(lines, messages % 2 == 0 ? "\r\n" : "\n");
        messages += line.is_message;
    }
    lines->size--; /* the last line has no end */
    hb_chat_maker_close(maker);
}

/* What a replay should send of an archive's line; false when nothing. Slow and plain: text for text. */
static bool expected_line(hb_bytes line, int64_t time_ms, hb_buffer *out)
{
    hb_fact fact;
    char was[64];
    out->size = 0;
    if (hb_fact_read(line, &fact) != HB_FACT_OK || fact.kind >= HB_FACT_STREAM)
        return false;
    if (fact.received_ms != 0) {
        snprintf(was, sizeof was, "@rm-received-ts=%lld;", (long long)fact.received_ms);
        assert_true(hb_bytes_start_with(line, hb_bytes_of(was)));
        hb_buffer_append_char(out, '@');
        line = hb_bytes_from(line, strlen(was));
    }
    snprintf(was, sizeof was, "tmi-sent-ts=%lld;", (long long)fact.time_ms);
    const char *at = memmem(line.data, line.size, was, strlen(was));
    if (at == NULL && fact.kind != HB_FACT_ROOMSTATE) { /* the last tag of a deletion */
        was[strlen(was) - 1] = ' ';
        at = memmem(line.data, line.size, was, strlen(was));
        assert_non_null(at);
    }
    if (at != NULL) {
        hb_buffer_append(out, (hb_bytes){line.data, (size_t)(at - line.data)});
        hb_buffer_print(out, "tmi-sent-ts=%lld", (long long)time_ms);
        line = hb_bytes_from(line, (size_t)(at - line.data) + strlen(was) - 1);
    }
    hb_buffer_append(out, line);
    return true;
}

static void check_round(hb_chat_source replayed, hb_bytes archive, double speed)
{
    hb_buffer expected = {0};
    hb_buffer found = {0};
    int64_t time_ms = 1777777777777;
    int64_t first_ms = 0;
    for (hb_bytes line; hb_bytes_cut(&archive, '\n', &line);) {
        hb_fact fact;
        hb_chat_line what;
        line.size -= line.size > 0 && line.data[line.size - 1] == '\r';
        if (!expected_line(line, ++time_ms, &expected))
            continue;
        assert_int_equal(hb_fact_read(line, &fact), HB_FACT_OK);
        if (first_ms == 0)
            first_ms = fact.time_ms;
        assert_int_equal(replayed.due_us(replayed.context),
                         (int64_t)((double)(fact.time_ms - first_ms) * 1000 / speed));
        found.size = 0;
        replayed.next(replayed.context, time_ms, &found, &what);
        hb_buffer_append_char(&expected, '\0');
        assert_bytes(hb_buffer_bytes(&found), expected.data);
        assert_int_equal(what.is_message, fact.kind == HB_FACT_MESSAGE);
        assert_true(hb_bytes_equal(replayed.channel(replayed.context, what.channel), fact.channel));
    }
    hb_buffer_free(&expected);
    hb_buffer_free(&found);
}

static void every_form_of_file_gives_its_lines(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_buffer archive = {0};
    make_archive(&archive);
    write_file(plain_path, hb_buffer_bytes(&archive));
    gzFile gzip = gzopen(gzip_path, "w");
    assert_int_equal(gzwrite(gzip, archive.data, (unsigned)archive.size), archive.size);
    gzclose(gzip);
    const size_t room = ZSTD_compressBound(archive.size);
    char *packed = hb_alloc(room);
    write_file(zstd_path, (hb_bytes){packed, ZSTD_compress(packed, room, archive.data, archive.size, 3)});
    free(packed);
    const char *const paths[] = {plain_path, gzip_path, zstd_path};
    for (size_t i = 0; i < 3; i++) {
        const double speed = (double)(i * i + 1) / 2;
        hb_replay *replay = hb_replay_open(paths[i], speed, false, &error);
        if (replay == NULL)
            fail_msg("%s", error.text);
        const hb_chat_source chat = hb_replay_source(replay);
        assert_int_equal(chat.channel_count, 6);
        assert_true(chat.room_id(chat.context, 5) > 0);
        check_round(chat, hb_buffer_bytes(&archive), speed);
        assert_true(chat.due_us(chat.context) == HB_CHAT_END);
        hb_replay_close(replay);
        unlink(paths[i]);
    }
    hb_buffer_free(&archive);
}

static void a_loop_goes_on_with_other_ids(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_buffer out = {0};
    write_file(
        plain_path,
        HB_BYTES("@id=01234567-89ab-4def-8123-456789abcdef;tmi-sent-ts=1764000000000;x=1 :a!a@a PRIVMSG #Ab :hi\n"
                 "@target-msg-id=01234567-89ab-4def-8123-456789abcdef;tmi-sent-ts=1764000005000 "
                 ":tmi.twitch.tv CLEARMSG #ab :hi\n"
                 "@id=short;rm-received-ts=1764000005500 :a!a@a PRIVMSG #ab :hi"));
    hb_replay *replay = hb_replay_open(plain_path, 1, true, &error);
    assert_non_null(replay);
    const hb_chat_source chat = hb_replay_source(replay);
    static const struct {
        int64_t due_us;
        const char *text;
    } expected[] = {
        {0, "@id=01234567-89ab-4def-8123-456789abcdef;tmi-sent-ts=1777777777777;x=1 :a!a@a PRIVMSG #Ab :hi"},
        {5000000, "@target-msg-id=01234567-89ab-4def-8123-456789abcdef;tmi-sent-ts=1777777777777 :tmi.twitch.tv "
                  "CLEARMSG #ab :hi"},
        {5500000, "@id=short :a!a@a PRIVMSG #ab :hi"},
        {5500000, "@id=01234567-89ab-4def-8123-456789000001;tmi-sent-ts=1777777777777;x=1 :a!a@a PRIVMSG #Ab :hi"},
        {10500000, "@target-msg-id=01234567-89ab-4def-8123-456789000001;tmi-sent-ts=1777777777777 :tmi.twitch.tv "
                   "CLEARMSG #ab :hi"},
        {11000000, "@id=short :a!a@a PRIVMSG #ab :hi"},
        {11000000, "@id=01234567-89ab-4def-8123-456789000002;tmi-sent-ts=1777777777777;x=1 :a!a@a PRIVMSG #Ab :hi"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        hb_chat_line line;
        assert_int_equal(chat.due_us(chat.context), expected[i].due_us);
        out.size = 0;
        chat.next(chat.context, 1777777777777, &out, &line);
        assert_bytes(hb_buffer_bytes(&out), expected[i].text);
        assert_int_equal(line.channel, 0);
    }
    assert_bytes(chat.channel(chat.context, 0), "ab");
    hb_replay_close(replay);
    hb_buffer_free(&out);
    unlink(plain_path);
}

static void a_file_that_changes_meanwhile_ends_the_replay(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_buffer out = {0};
    hb_chat_line line;
    write_file(plain_path, HB_BYTES("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #ab :hi\n"));
    hb_replay *replay = hb_replay_open(plain_path, 1, true, &error);
    const hb_chat_source chat = hb_replay_source(replay);
    write_file(plain_path, HB_BYTES("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #other :hi\n"));
    hb_say_up_to(HB_SAY_ERROR);
    chat.next(chat.context, 1, &out, &line);
    assert_int_equal(line.channel, 0);
    assert_true(chat.due_us(chat.context) == HB_CHAT_END);
    hb_replay_close(replay);
    hb_buffer_free(&out);
    unlink(plain_path);
}

static void what_cannot_be_replayed_is_refused(void **state)
{
    (void)state;
    hb_error error = {0};
    assert_null(hb_replay_open("/no/such/file", 1, false, &error));
    assert_int_equal(error.code, HB_ERROR_MISSING);
    assert_null(hb_replay_open("/no/such/file", 0, false, &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    assert_null(hb_replay_open("/", 1, false, &error));
    write_file(plain_path, HB_BYTES("PING :x\nnothing\n"));
    assert_null(hb_replay_open(plain_path, 1, false, &error));
    assert_int_equal(error.code, HB_ERROR_CORRUPT);
    write_file(plain_path, HB_BYTES("\x28\xb5\x2f\xfd\x04\x00garbage garbage garbage"));
    assert_null(hb_replay_open(plain_path, 1, false, &error));
    assert_int_equal(error.code, HB_ERROR_CORRUPT);
    int ends[2];
    char path[32];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    close(ends[1]);
    assert_null(hb_replay_open(path, 1, false, &error));
    assert_non_null(strstr(error.text, "not a pipe"));
    close(ends[0]);
    unlink(plain_path);
}

int main(void)
{
    char folder[] = "/tmp/hubbub-replay-XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_file_gives_its_lines),
        cmocka_unit_test(a_loop_goes_on_with_other_ids),
        cmocka_unit_test(a_file_that_changes_meanwhile_ends_the_replay),
        cmocka_unit_test(what_cannot_be_replayed_is_refused),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
