/* test_log.c - the file log: appending, reading across compression, following, mending, every step that may be the
 * last before a kill. */
#include "unit.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "log/frames.h"
#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

/* ---- Common ground ---- */

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/hubbub-log-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static int64_t this_hour(void)
{
    return hb_time_floor(hb_now_ms() / 1000, HB_HOUR_S);
}

/* An hour that is over: its lines go to frames. */
static int64_t old_hour(void)
{
    return this_hour() - 48 * HB_HOUR_S;
}

static hb_log *open_log(hb_log_mode mode)
{
    hb_error error = {0};
    hb_log *log = hb_log_open(directory, mode, NULL, &error);
    if (log == NULL)
        print_error("%s\n", error.text);
    assert_non_null(log);
    return log;
}

static void close_log(hb_log *log)
{
    hb_error error = {0};
    assert_true(hb_log_close(log, &error));
}

static void flush(hb_log *log)
{
    hb_error error = {0};
    assert_true(hb_log_flush(log, &error));
}

/* "text number" said at a time, as Twitch sends it. */
static hb_bytes line_of(char out[512], int64_t time_ms, const char *text, int number)
{
    const int size = snprintf(out, 512,
                              "@display-name=Ann;id=%08d;room-id=1;tmi-sent-ts=%" PRId64
                              ";user-id=7 :ann!ann@ann.tmi.twitch.tv PRIVMSG #xqc :%s %d",
                              number, time_ms, text, number);
    return (hb_bytes){out, (size_t)size};
}

static void append(hb_log *log, int64_t hour, const char *text, int number)
{
    char room[512];
    const int64_t time_ms = hour * 1000 + number % 3600000;
    assert_int_equal(hb_log_append(log, line_of(room, time_ms, text, number), time_ms + 5), HB_LOG_APPENDED);
}

static void append_many(hb_log *log, int64_t hour, const char *text, int from, int to)
{
    for (int i = from; i < to; i++)
        append(log, hour, text, i);
}

/* Where a file of the hour is. */
static const char *path_of(int64_t hour, const char *suffix)
{
    static char path[128];
    char name[HB_TIME_TEXT];
    hb_time_print_hour(hour, name);
    snprintf(path, sizeof path, "%s/%s%s", directory, name, suffix);
    return path;
}

static bool exists(int64_t hour, const char *suffix)
{
    return access(path_of(hour, suffix), F_OK) == 0;
}

static off_t size_of(int64_t hour, const char *suffix)
{
    struct stat status;
    assert_int_equal(stat(path_of(hour, suffix), &status), 0);
    return status.st_size;
}

static void add_bytes(int64_t hour, const char *suffix, hb_bytes bytes)
{
    const int file = open(path_of(hour, suffix), O_WRONLY | O_APPEND | O_CREAT, 0666);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes.data, bytes.size), bytes.size);
    close(file);
}

/* Reads a file whole into a buffer of the caller's. */
static void slurp(const char *path, hb_buffer *out)
{
    const int file = open(path, O_RDONLY);
    assert_true(file >= 0);
    ssize_t got = 0;
    do {
        got = read(file, hb_buffer_room(out, 1 << 20), 1 << 20);
        assert_true(got >= 0);
        out->size += (size_t)got;
    } while (got > 0);
    close(file);
}

/* Reads on until there is no more; damage is passed over and counted. */
static size_t read_on(hb_log_cursor *cursor, hb_buffer *out, uint64_t *next)
{
    size_t damaged = 0;
    for (;;) {
        hb_error error = {0};
        hb_bytes lines;
        if (!hb_log_read(cursor, &lines, next, &error)) {
            assert_int_equal(error.code, HB_ERROR_CORRUPT);
            damaged++;
            assert_true(damaged < 100000);
            continue;
        }
        if (lines.size == 0)
            return damaged;
        assert_int_equal(lines.data[lines.size - 1], '\n');
        hb_buffer_append(out, lines);
    }
}

static size_t read_part(hb_log *log, int64_t hour, uint64_t offset, hb_buffer *out)
{
    hb_error error = {0};
    uint64_t next = 0;
    hb_log_cursor *cursor = hb_log_cursor_open(log, hour, offset, &error);
    assert_non_null(cursor);
    const size_t damaged = read_on(cursor, out, &next);
    hb_log_cursor_close(cursor);
    return damaged;
}

static size_t lines_in(const hb_buffer *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->size; i++)
        count += text->data[i] == '\n';
    return count;
}

/* Checks that the hour holds messages numbered from 0 to count, each once, in order. */
static void assert_holds(int64_t hour, int count)
{
    hb_log *log = open_log(HB_LOG_READ);
    hb_buffer text = {0};
    assert_int_equal(read_part(log, hour, 0, &text), 0);
    hb_bytes rest = hb_buffer_bytes(&text);
    hb_bytes line;
    int number = 0;
    for (; hb_bytes_cut(&rest, '\n', &line); number++) {
        char end[32];
        snprintf(end, sizeof end, " %d", number);
        const size_t size = strlen(end);
        assert_true(line.size > size && memcmp(line.data + line.size - size, end, size) == 0);
    }
    assert_int_equal(number, count);
    hb_buffer_free(&text);
    close_log(log);
}

static void close_hours_at(int64_t now_s)
{
    hb_error error = {0};
    hb_log *log = open_log(HB_LOG_APPEND);
    if (!hb_log_close_hours(log, now_s * 1000, &error))
        fail_msg("%s", error.text);
    close_log(log);
}

/* ---- Appending ---- */

static void a_line_is_kept_with_its_time_of_receipt_in_front(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t received_ms;
        const char *kept;
    } cases[] = {
        {"@id=a;tmi-sent-ts=1700000000000 :a!a@a PRIVMSG #x :hi\r\n", 1700000000123,
         "@rm-received-ts=1700000000123;id=a;tmi-sent-ts=1700000000000 :a!a@a PRIVMSG #x :hi"},
        {"@id=a;rm-received-ts=5;tmi-sent-ts=1700000000000 :a!a@a PRIVMSG #x :hi", 1700000000123,
         "@rm-received-ts=1700000000123;id=a;tmi-sent-ts=1700000000000 :a!a@a PRIVMSG #x :hi"},
        {"@rm-received-ts=5 :a!a@a PRIVMSG #x :rm-received-ts=9", 1700000000123,
         "@rm-received-ts=1700000000123 :a!a@a PRIVMSG #x :rm-received-ts=9"},
        {":a!a@a PRIVMSG #x :hi", 1700000000123, "@rm-received-ts=1700000000123 :a!a@a PRIVMSG #x :hi"},
        {"@tmi-sent-ts=1700000000000;rm-received-ts=1700000000007;id=a :a!a@a PRIVMSG #x :hi", 0,
         "@rm-received-ts=1700000000007;tmi-sent-ts=1700000000000;id=a :a!a@a PRIVMSG #x :hi"},
        {"@rm-received-ts=1700000000007;tmi-sent-ts=1700000000000;id=a :a!a@a PRIVMSG #x :hi", 0,
         "@rm-received-ts=1700000000007;tmi-sent-ts=1700000000000;id=a :a!a@a PRIVMSG #x :hi"},
        {"@tmi-sent-ts=1700000000000;id=a :a!a@a PRIVMSG #x :hi", 0,
         "@rm-received-ts=1700000000000;tmi-sent-ts=1700000000000;id=a :a!a@a PRIVMSG #x :hi"},
    };
    hb_log *log = open_log(HB_LOG_APPEND);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(hb_log_append(log, hb_bytes_of(cases[i].line), cases[i].received_ms), HB_LOG_APPENDED);
    flush(log);
    hb_buffer text = {0};
    assert_int_equal(read_part(log, 1700000000 / 3600 * 3600, 0, &text), 0);
    hb_bytes rest = hb_buffer_bytes(&text);
    hb_bytes line;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(hb_bytes_cut(&rest, '\n', &line));
        assert_bytes(line, cases[i].kept);
    }
    assert_int_equal(rest.size, 0);
    hb_buffer_free(&text);
    close_log(log);
}

static void what_is_no_fact_is_refused(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    static const char with_nul[] = "@tmi-sent-ts=1700000000000 :a!a@a PRIVMSG #x :h\0i";
    const int64_t now = hb_now_ms();
    assert_int_equal(hb_log_append(log, HB_BYTES("PING :tmi.twitch.tv"), now), HB_LOG_NO_FACT);
    assert_int_equal(hb_log_append(log, HB_BYTES(":a!a@a PRIVMSG #x :no time at all"), 0), HB_LOG_NO_FACT);
    assert_int_equal(hb_log_append(log, HB_BYTES(""), now), HB_LOG_MALFORMED);
    assert_int_equal(hb_log_append(log, HB_BYTES("@"), now), HB_LOG_MALFORMED);
    assert_int_equal(hb_log_append(log, HB_BYTES("\r\n"), 0), HB_LOG_MALFORMED);
    assert_int_equal(hb_log_append(log, (hb_bytes){with_nul, sizeof with_nul - 1}, now), HB_LOG_MALFORMED);
    assert_int_equal(hb_log_append(log, HB_BYTES(":a!a@a PRIVMSG #x :one\n:a!a@a PRIVMSG #x :two"), now),
                     HB_LOG_MALFORMED);
    assert_int_equal(hb_log_append(log, HB_BYTES(":a!a@a PRIVMSG #x :one\rtwo"), now), HB_LOG_MALFORMED);
    hb_buffer longest = {0};
    hb_buffer_append(&longest, HB_BYTES(":a!a@a PRIVMSG #x :"));
    while (longest.size < HB_LOG_LINE_BYTES)
        hb_buffer_append_char(&longest, 'x');
    assert_int_equal(hb_log_append(log, hb_buffer_bytes(&longest), now), HB_LOG_APPENDED);
    hb_buffer_append_char(&longest, 'x');
    assert_int_equal(hb_log_append(log, hb_buffer_bytes(&longest), now), HB_LOG_OVERLONG);
    hb_buffer_free(&longest);
    close_log(log);
}

static void lines_go_to_the_hour_of_their_event(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    for (int i = 0; i < 300; i++) {
        append(log, this_hour(), "now", i);
        append(log, this_hour() - HB_HOUR_S * (10 + i % 3), "old", i / 3);
    }
    close_log(log);
    assert_holds(this_hour(), 300);
    log = open_log(HB_LOG_READ);
    hb_log_part *parts = NULL;
    size_t count = 0;
    hb_error error = {0};
    assert_true(hb_log_list(log, &parts, &count, &error));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 3; i++) {
        assert_true(parts[i].part == this_hour() - HB_HOUR_S * (12 - (int64_t)i));
        assert_true(parts[i].closed);
        assert_int_equal(parts[i].file_size, size_of(parts[i].part, ".irc.zst"));
        assert_holds(parts[i].part, 100);
    }
    assert_true(parts[3].part == this_hour() && !parts[3].closed);
    assert_true(parts[3].changed_ms > hb_now_ms() - 60000 && parts[3].changed_ms <= hb_now_ms() + 1000);
    free(parts);
    close_log(log);
}

/* ---- Reading ---- */

static void a_reader_goes_on_across_compression(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    hb_log *reading = open_log(HB_LOG_READ);
    hb_error error = {0};
    hb_buffer text = {0};
    hb_buffer plain = {0};
    uint64_t next = 0;
    append_many(log, this_hour(), "one", 0, 4000);
    flush(log);
    hb_log_cursor *cursor = hb_log_cursor_open(reading, this_hour(), 0, &error);
    assert_non_null(cursor);
    assert_int_equal(read_on(cursor, &text, &next), 0);
    assert_int_equal(lines_in(&text), 4000);
    append_many(log, this_hour(), "one", 4000, 9000);
    flush(log);
    slurp(path_of(this_hour(), ".irc"), &plain);
    close_hours_at(this_hour() + HB_HOUR_S + 299);
    assert_true(exists(this_hour(), ".irc"));
    close_hours_at(this_hour() + HB_HOUR_S + 300);
    assert_false(exists(this_hour(), ".irc"));
    assert_true(exists(this_hour(), ".irc.zst"));
    append_many(log, this_hour(), "late", 9000, 9100);
    flush(log);
    append_many(log, this_hour(), "later", 9100, 9101);
    flush(log);
    assert_int_equal(read_on(cursor, &text, &next), 0);
    assert_int_equal(lines_in(&text), 9101);
    assert_true(text.size > plain.size && memcmp(text.data, plain.data, plain.size) == 0);
    assert_true(next == text.size);
    hb_log_cursor_close(cursor);

    /* Any offset at which a line begins gives what stands behind it; any other the next line. */
    for (size_t at = 0; at <= text.size; at += 1 + (size_t)rand() % (text.size / 40)) {
        hb_buffer rest = {0};
        size_t line = at;
        while (line > 0 && line < text.size && text.data[line - 1] != '\n')
            line++;
        assert_int_equal(read_part(reading, this_hour(), at, &rest), 0);
        assert_int_equal(rest.size, text.size - line);
        assert_true(rest.size == 0 || memcmp(rest.data, text.data + line, rest.size) == 0);
        hb_buffer_free(&rest);
    }
    hb_buffer rest = {0};
    assert_int_equal(read_part(reading, this_hour(), text.size + 1000, &rest), 0);
    assert_int_equal(rest.size, 0);
    hb_buffer_free(&text);
    hb_buffer_free(&plain);
    close_log(log);
    close_log(reading);
    assert_holds(this_hour(), 9101);
}

static void a_closed_hour_is_what_zstd_reads(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, old_hour(), "frames", 0, 30000);
    close_log(log);
    char command[256];
    snprintf(command, sizeof command, "zstd -qdc %s | wc -l | grep -qx 30000", path_of(old_hour(), ".irc.zst"));
    if (system("command -v zstd >/dev/null") != 0)
        skip();
    assert_int_equal(system(command), 0);
    assert_holds(old_hour(), 30000);
}

int main(void)
{
    hb_say_up_to(HB_SAY_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_kept_with_its_time_of_receipt_in_front, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(what_is_no_fact_is_refused, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(lines_go_to_the_hour_of_their_event, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_reader_goes_on_across_compression, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_closed_hour_is_what_zstd_reads, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
