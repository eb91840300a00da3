/* test_log.c - the file log: appending, reading across compression, following, mending, every step that may be the
 * last before a kill. */
#include "scratch.h"
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

static char directory[SCRATCH_NAME];
static int64_t hour_of_test; /* taken once, so that no test sees the hour change */

static int make_directory(void **state)
{
    (void)state;
    hour_of_test = hb_time_floor(hb_now_ms() / 1000, HB_HOUR_S);
    return scratch_make(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return scratch_remove(directory) ? 0 : -1;
}

static int64_t this_hour(void)
{
    return hour_of_test;
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

/* ---- Mending ---- */

static void a_torn_line_is_cut_off(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, this_hour(), "whole", 0, 100);
    flush(log);
    const off_t whole = size_of(this_hour(), ".irc");
    add_bytes(this_hour(), ".irc", HB_BYTES("@rm-received-ts=17000"));
    hb_buffer text = {0};
    hb_log *reading = open_log(HB_LOG_READ);
    assert_int_equal(read_part(reading, this_hour(), 0, &text), 0);
    assert_int_equal(text.size, whole); /* a reader stops before it */
    close_log(reading);
    append_many(log, this_hour(), "whole", 100, 101); /* who appends next cuts it off: another process was killed */
    close_log(log);
    assert_holds(this_hour(), 101);

    const off_t longer = size_of(this_hour(), ".irc");
    hb_buffer zeros = {0};
    memset(hb_buffer_room(&zeros, 70000), 0, 70000);
    zeros.size = 70000;
    add_bytes(this_hour(), ".irc", hb_buffer_bytes(&zeros));
    close_log(open_log(HB_LOG_APPEND)); /* so does opening */
    assert_int_equal(size_of(this_hour(), ".irc"), longer);
    hb_buffer_free(&zeros);
    hb_buffer_free(&text);

    assert_int_equal(truncate(path_of(this_hour(), ".irc"), 10), 0); /* nothing but a torn line */
    log = open_log(HB_LOG_APPEND);
    assert_int_equal(size_of(this_hour(), ".irc"), 0);
    append_many(log, this_hour(), "anew", 0, 3);
    close_log(log);
    assert_holds(this_hour(), 3);
}

static void a_torn_frame_is_cut_off_wherever_it_is_torn(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, old_hour(), "first", 0, 50);
    flush(log);
    const off_t first = size_of(old_hour(), ".irc.zst");
    append_many(log, old_hour(), "second", 50, 60);
    close_log(log);
    hb_buffer whole = {0};
    slurp(path_of(old_hour(), ".irc.zst"), &whole);
    for (off_t torn = first + 1; torn < (off_t)whole.size; torn++) {
        assert_int_equal(truncate(path_of(old_hour(), ".irc.zst"), torn), 0);
        hb_buffer text = {0};
        hb_log *reading = open_log(HB_LOG_READ);
        assert_int_equal(read_part(reading, old_hour(), 0, &text), 0);
        /* A frame that is whole but for its trailer counts. */
        const size_t lines = torn >= (off_t)whole.size - HB_FRAME_TRAILER ? 60 : 50;
        assert_int_equal(lines_in(&text), lines);
        close_log(reading);
        log = open_log(HB_LOG_APPEND);
        append_many(log, old_hour(), "third", (int)lines, 70);
        close_log(log);
        assert_holds(old_hour(), 70);
        assert_int_equal(truncate(path_of(old_hour(), ".irc.zst"), first), 0);
        add_bytes(old_hour(), ".irc.zst", hb_bytes_from(hb_buffer_bytes(&whole), (size_t)first));
        hb_buffer_free(&text);
    }
    hb_buffer_free(&whole);
}

static void frames_made_by_hand_are_read_and_appended_to(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, this_hour(), "plain", 0, 5000);
    flush(log);
    hb_buffer plain = {0};
    hb_buffer frame = {0};
    slurp(path_of(this_hour(), ".irc"), &plain);
    const size_t bound = ZSTD_compressBound(plain.size);
    frame.size = ZSTD_compress(hb_buffer_room(&frame, bound), bound, plain.data, plain.size, 1);
    add_bytes(this_hour(), ".irc.zst", hb_buffer_bytes(&frame));
    append_many(log, this_hour(), "more", 5000, 5010); /* the compressed file counts; the plain one is a leftover */
    close_log(log);
    assert_true(exists(this_hour(), ".irc"));
    assert_holds(this_hour(), 5010);
    close_log(open_log(HB_LOG_APPEND));
    assert_false(exists(this_hour(), ".irc"));
    assert_holds(this_hour(), 5010);
    hb_buffer rest = {0};
    log = open_log(HB_LOG_READ);
    assert_int_equal(read_part(log, this_hour(), plain.size, &rest), 0);
    assert_int_equal(lines_in(&rest), 10);
    close_log(log);
    hb_buffer_free(&rest);
    hb_buffer_free(&plain);
    hb_buffer_free(&frame);
}

static void what_no_append_can_have_left_is_not_cut_off(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, old_hour(), "frame", 0, 100);
    flush(log);
    const off_t first = size_of(old_hour(), ".irc.zst");
    hb_buffer frame = {0};
    hb_buffer large = {0};
    memset(hb_buffer_room(&large, HB_FRAME_LINES_MAX + 1), 0x0a, HB_FRAME_LINES_MAX + 1);
    large.size = HB_FRAME_LINES_MAX + 1;
    const size_t bound = ZSTD_compressBound(large.size);
    frame.size = ZSTD_compress(hb_buffer_room(&frame, bound), bound, large.data, large.size, 1);
    add_bytes(old_hour(), ".irc.zst", hb_buffer_bytes(&frame)); /* larger than hubbub reads */
    append_many(log, old_hour(), "frame", 100, 200);
    close_log(log);
    assert_true(size_of(old_hour(), ".irc.zst") > first + (off_t)frame.size);
    hb_buffer text = {0};
    log = open_log(HB_LOG_READ);
    assert_true(read_part(log, old_hour(), 0, &text) > 0);
    assert_int_equal(lines_in(&text), 200);
    close_log(log);

    text.size = 0; /* zeros are what a power failure leaves: these go */
    memset(hb_buffer_room(&text, 100000), 0, 100000);
    text.size = 100000;
    const off_t whole = size_of(old_hour(), ".irc.zst");
    add_bytes(old_hour(), ".irc.zst", hb_buffer_bytes(&text));
    close_log(open_log(HB_LOG_APPEND));
    assert_int_equal(size_of(old_hour(), ".irc.zst"), whole);
    hb_buffer_free(&text);
    hb_buffer_free(&large);
    hb_buffer_free(&frame);
}

static void damage_is_told_and_passed_over(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    off_t ends[10];
    for (int i = 0; i < 10; i++) {
        append_many(log, old_hour(), "frame", i * 100, i * 100 + 100);
        flush(log);
        ends[i] = size_of(old_hour(), ".irc.zst");
    }
    close_log(log);
    hb_buffer whole = {0};
    hb_buffer clean = {0};
    slurp(path_of(old_hour(), ".irc.zst"), &whole);
    log = open_log(HB_LOG_READ);
    assert_int_equal(read_part(log, old_hour(), 0, &clean), 0);
    /* One byte of the fourth frame is altered, each in turn: only the lines of this frame (or none) may be missing, and
     * offsets behind it are what they were. */
    for (off_t at = ends[2]; at < ends[3]; at++) {
        const int file = open(path_of(old_hour(), ".irc.zst"), O_WRONLY);
        const char altered = (char)(whole.data[at] ^ 0x55);
        assert_int_equal(pwrite(file, &altered, 1, at), 1);
        hb_buffer text = {0};
        read_part(log, old_hour(), 0, &text);
        const size_t lines = lines_in(&text);
        if (lines != 900 && lines != 1000)
            fail_msg("byte %d of %d to %d: %zu lines", (int)at, (int)ends[2], (int)ends[3], lines);
        const size_t tail = clean.size / 2; /* behind the damage all is well */
        assert_true(memcmp(text.data + text.size - tail, clean.data + clean.size - tail, tail) == 0);
        hb_buffer rest = {0};
        size_t line = tail;
        while (clean.data[line - 1] != '\n')
            line++;
        assert_int_equal(read_part(log, old_hour(), line, &rest), 0);
        assert_int_equal(rest.size, clean.size - line);
        assert_int_equal(pwrite(file, &whole.data[at], 1, at), 1);
        close(file);
        hb_buffer_free(&text);
        hb_buffer_free(&rest);
    }
    hb_error error = {0};
    hb_bytes lines;
    uint64_t next = 0;
    const int file = open(path_of(old_hour(), ".irc.zst"), O_WRONLY);
    assert_int_equal(pwrite(file, "damaged!", 8, ends[2]), 8);
    close(file);
    hb_log_cursor *cursor = hb_log_cursor_open(log, old_hour(), 0, &error);
    for (int i = 0; i < 3; i++)
        assert_true(hb_log_read(cursor, &lines, &next, &error));
    assert_false(hb_log_read(cursor, &lines, &next, &error));
    char expected[256];
    snprintf(expected, sizeof expected, "%s is damaged from byte %d to byte %d", path_of(old_hour(), ".irc.zst"),
             (int)ends[2], (int)ends[3]);
    assert_string_equal(error.text, expected);
    assert_true(hb_log_read(cursor, &lines, &next, &error));
    assert_int_equal(hb_bytes_from(lines, lines.size - 4).data[0], '4'); /* "499\n" */
    hb_log_cursor_close(cursor);
    close_log(log);
    hb_buffer_free(&whole);
    hb_buffer_free(&clean);
}

/* ---- Killed while compressing ---- */

static void killed_between_any_two_steps_an_hour_is_whole_and_there_once(void **state)
{
    (void)state;
    hb_buffer plain = {0};
    hb_buffer closed = {0};
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, this_hour(), "kill", 0, 6000);
    close_log(log);
    slurp(path_of(this_hour(), ".irc"), &plain);
    close_hours_at(this_hour() + 2 * HB_HOUR_S);
    slurp(path_of(this_hour(), ".irc.zst"), &closed);
    /* Step 0: the unfinished file is empty; 1: half written; 2: whole; 3: renamed, the plain file is still there;
     * 4: done. In each state somebody reads, appends, and compresses again. */
    for (int step = 0; step <= 4; step++) {
        remove_directory(state);
        assert_int_equal(mkdir(directory, 0777), 0);
        const size_t written = step == 0 ? 0 : step == 1 ? closed.size / 2 : closed.size;
        if (step < 4)
            add_bytes(this_hour(), ".irc", hb_buffer_bytes(&plain));
        add_bytes(this_hour(), step < 3 ? ".irc.zst.new" : ".irc.zst", (hb_bytes){closed.data, written});
        assert_holds(this_hour(), 6000);
        log = open_log(HB_LOG_APPEND);
        append_many(log, this_hour(), "after", 6000, 6010);
        flush(log);
        assert_false(exists(this_hour(), ".irc.zst.new"));
        assert_true(exists(this_hour(), ".irc") == (step < 3));
        assert_holds(this_hour(), 6010);
        close_hours_at(this_hour() + 2 * HB_HOUR_S);
        assert_false(exists(this_hour(), ".irc"));
        append_many(log, this_hour(), "after", 6010, 6020);
        close_log(log);
        assert_holds(this_hour(), 6020);
    }
    hb_buffer_free(&plain);
    hb_buffer_free(&closed);
}

static void an_hour_that_another_process_compresses_is_left_alone(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, this_hour(), "busy", 0, 10);
    close_log(log);
    add_bytes(this_hour(), ".irc.zst.new", HB_BYTES("half"));
    const int file = open(path_of(this_hour(), ".irc.zst.new"), O_RDWR);
    assert_int_equal(flock(file, LOCK_EX), 0);
    close_hours_at(this_hour() + 2 * HB_HOUR_S);
    assert_int_equal(size_of(this_hour(), ".irc.zst.new"), 4);
    assert_true(exists(this_hour(), ".irc"));
    close(file);
    close_hours_at(this_hour() + 2 * HB_HOUR_S);
    assert_false(exists(this_hour(), ".irc"));
    assert_holds(this_hour(), 10);
}

/* ---- Several processes ---- */

/* Checks that the hour holds each of `count` numbers from each of `writers` writers once, a writer's in order. */
static void assert_holds_writers(hb_bytes rest, int writers, int count)
{
    int *next = hb_alloc((size_t)writers * sizeof *next);
    hb_bytes line;
    while (hb_bytes_cut(&rest, '\n', &line)) {
        int writer = -1;
        int number = -1;
        char text[512] = {0};
        const char *said = memmem(line.data, line.size, ":writer", 7);
        assert_non_null(said);
        memcpy(text, said, (size_t)(line.data + line.size - said));
        assert_int_equal(sscanf(text, ":writer%d %d", &writer, &number), 2);
        assert_int_equal(number, next[writer]++);
    }
    for (int i = 0; i < writers; i++)
        assert_int_equal(next[i], count);
    free(next);
}

static void processes_append_while_others_compress_and_read(void **state)
{
    (void)state;
    enum { WRITERS = 3, LINES = 3000 };
    pid_t children[WRITERS];
    close_log(open_log(HB_LOG_APPEND));
    hb_log *reading = open_log(HB_LOG_READ);
    hb_error error = {0};
    hb_log_follower *follower = hb_log_follower_open(reading, HB_LOG_FROM_START, NULL, 0, &error);
    assert_non_null(follower);
    const int64_t hour = this_hour();
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        char name[32];
        snprintf(name, sizeof name, "writer%d", i);
        hb_log *log = hb_log_open(directory, HB_LOG_APPEND, NULL, &error);
        for (int number = 0; log != NULL && number < LINES; number++) {
            char room[512];
            hb_log_append(log, line_of(room, hour * 1000, name, number), hour * 1000);
            if (number % 10 == 9 && !hb_log_flush(log, &error))
                _exit(1);
        }
        _exit(log == NULL || !hb_log_close(log, &error));
    }
    hb_buffer text = {0};
    int alive = WRITERS;
    for (;;) {
        hb_log_piece piece;
        assert_true(hb_log_follower_read(follower, &piece, &error));
        hb_buffer_append(&text, piece.lines);
        if (piece.lines.size > 0)
            assert_true(piece.part == hour && piece.next == text.size);
        if (lines_in(&text) > WRITERS * LINES / 2 && exists(hour, ".irc"))
            close_hours_at(hour + 2 * HB_HOUR_S);
        if (piece.lines.size > 0)
            continue;
        if (alive == 0)
            break;
        hb_log_follower_wait(follower, 10);
        int status = 0;
        while (alive > 0 && waitpid(-1, &status, WNOHANG) > 0) {
            assert_int_equal(status, 0);
            alive--;
        }
    }
    assert_true(exists(hour, ".irc.zst") && !exists(hour, ".irc"));
    assert_holds_writers(hb_buffer_bytes(&text), WRITERS, LINES);
    text.size = 0;
    assert_int_equal(read_part(reading, hour, 0, &text), 0);
    assert_holds_writers(hb_buffer_bytes(&text), WRITERS, LINES);
    hb_log_follower_close(follower);
    close_log(reading);
    hb_buffer_free(&text);
}

/* ---- Following ---- */

static size_t follow(hb_log_follower *follower, int64_t *last_part)
{
    size_t count = 0;
    for (;;) {
        hb_error error = {0};
        hb_log_piece piece;
        assert_true(hb_log_follower_read(follower, &piece, &error));
        for (size_t i = 0; i < piece.lines.size; i++)
            count += piece.lines.data[i] == '\n';
        if (piece.lines.size == 0)
            return count;
        *last_part = piece.part;
    }
}

static void a_follower_sees_every_part(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_log *log = open_log(HB_LOG_APPEND);
    append_many(log, old_hour(), "old", 0, 100);
    append_many(log, this_hour(), "new", 0, 100);
    flush(log);
    const uint64_t half = (uint64_t)size_of(this_hour(), ".irc") / 100 * 100 / 2;
    hb_log *reading = open_log(HB_LOG_READ);
    int64_t part = 0;

    hb_log_follower *from_start = hb_log_follower_open(reading, HB_LOG_FROM_START, NULL, 0, &error);
    hb_log_follower *from_end = hb_log_follower_open(reading, HB_LOG_FROM_END, NULL, 0, &error);
    const hb_log_position positions[] = {{this_hour(), half}, {old_hour() - 7 * HB_HOUR_S, 12345}};
    hb_log_follower *from_half = hb_log_follower_open(reading, HB_LOG_FROM_END, positions, 2, &error);
    assert_int_equal(follow(from_start, &part), 200);
    assert_true(part == this_hour());
    assert_int_equal(follow(from_end, &part), 0);
    const size_t rest = follow(from_half, &part);
    assert_true(rest >= 49 && rest <= 50);

    append_many(log, old_hour(), "late", 100, 150);                 /* a closed hour */
    append_many(log, this_hour() - 24 * HB_HOUR_S, "older", 0, 10); /* an hour that is new */
    flush(log);
    hb_log_follower *const all[] = {from_start, from_end, from_half};
    for (size_t i = 0; i < 3; i++) {
        hb_log_follower_wait(all[i], 10000); /* returns at once: there is news */
        assert_int_equal(follow(all[i], &part), 60);
        assert_int_equal(follow(all[i], &part), 0);
    }
    close_hours_at(this_hour() + 2 * HB_HOUR_S);
    assert_int_equal(follow(from_start, &part), 0);
    append_many(log, this_hour(), "after", 100, 103);
    flush(log);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(follow(all[i], &part), 3);
        hb_log_follower_close(all[i]);
    }
    close_log(log);
    close_log(reading);
}

static void waiting_ends_when_something_is_appended(void **state)
{
    (void)state;
    hb_log *log = open_log(HB_LOG_APPEND);
    hb_log *reading = open_log(HB_LOG_READ);
    hb_log_wait(reading, 10000); /* the first call returns at once */
    const int64_t from_ms = hb_monotonic_ms();
    hb_log_wait(reading, 60);
    assert_true(hb_monotonic_ms() - from_ms >= 55);
    append(log, this_hour(), "news", 1);
    flush(log);
    hb_log_wait(reading, 10000);
    assert_true(hb_monotonic_ms() - from_ms < 9000);
    close_log(log);
    close_log(reading);
}

/* ---- What is refused ---- */

static void a_newer_or_foreign_log_is_refused(void **state)
{
    (void)state;
    hb_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/.version", directory);
    close_log(open_log(HB_LOG_APPEND));
    static const struct {
        const char *text;
        hb_code code;
    } cases[] = {{"2\n", HB_ERROR_VERSION},
                 {"99", HB_ERROR_VERSION},
                 {"0\n", HB_ERROR_CORRUPT},
                 {"something else", HB_ERROR_CORRUPT},
                 {"", HB_ERROR_CORRUPT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int file = open(path, O_WRONLY | O_TRUNC);
        assert_int_equal(write(file, cases[i].text, strlen(cases[i].text)), strlen(cases[i].text));
        close(file);
        assert_null(hb_log_open(directory, HB_LOG_READ, NULL, &error));
        assert_int_equal(error.code, cases[i].code);
        assert_null(hb_log_open(directory, HB_LOG_APPEND, NULL, &error));
        assert_int_equal(error.code, cases[i].code);
    }
    assert_null(hb_log_open("/tmp/hubbub-no-such-log", HB_LOG_READ, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_MISSING);
    assert_null(hb_log_open("/proc/hubbub/log", HB_LOG_APPEND, NULL, &error));
    assert_int_equal(error.code, HB_ERROR_SYSTEM);
    assert_null(hb_log_open("", HB_LOG_APPEND, NULL, &error));
}

/* RLIMIT_FSIZE makes writes fail as a full disk does, in the middle of a write too. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_disk_that_refuses_loses_nothing_that_was_accepted(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    const int64_t hours[] = {this_hour(), old_hour()}; /* plain lines, and frames */
    for (size_t i = 0; i < 2; i++) {
        hb_error error = {0};
        hb_log *log = open_log(HB_LOG_APPEND);
        int number = 0;
        for (rlim_t bytes = 1000; bytes < 300000; bytes = bytes * 3 / 2) {
            limit_files(bytes);
            append_many(log, hours[i], "full", number, number + 200);
            number += 200;
            assert_false(hb_log_flush(log, &error) && number > 20000);
        }
        hb_log_append_status status = HB_LOG_APPENDED;
        while (status == HB_LOG_APPENDED) { /* until the buffers are full */
            char room[512];
            status = hb_log_append(log, line_of(room, hours[i] * 1000, "full", number), hours[i] * 1000);
            number += status == HB_LOG_APPENDED;
        }
        assert_int_equal(status, HB_LOG_FULL);
        assert_false(hb_log_flush(log, &error));
        assert_int_equal(error.code, HB_ERROR_SYSTEM);
        assert_non_null(strstr(error.text, directory));
        limit_files(RLIM_INFINITY);
        flush(log);
        append_many(log, hours[i], "full", number, number + 1);
        close_log(log);
        assert_holds(hours[i], number + 1);
    }
    signal(SIGXFSZ, SIG_DFL);
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
        cmocka_unit_test_setup_teardown(a_torn_line_is_cut_off, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_torn_frame_is_cut_off_wherever_it_is_torn, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(frames_made_by_hand_are_read_and_appended_to, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(what_no_append_can_have_left_is_not_cut_off, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(damage_is_told_and_passed_over, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(killed_between_any_two_steps_an_hour_is_whole_and_there_once, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(an_hour_that_another_process_compresses_is_left_alone, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(processes_append_while_others_compress_and_read, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_follower_sees_every_part, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(waiting_ends_when_something_is_appended, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_newer_or_foreign_log_is_refused, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_disk_that_refuses_loses_nothing_that_was_accepted, make_directory,
                                        remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
