/* fuzz_log_frames.c - any bytes as a closed hour, or (first byte odd) as an hour in progress: reading ends, hands out
 * whole lines at growing offsets, and gives the same from any offset that it told. Opening to append mends it, and a
 * line appended then is read back. */
#include "base/say.h"
#include "log/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOUR 1699999200

static char directory[64];

#define check(right)                                                                                                   \
    do {                                                                                                               \
        if (!(right)) {                                                                                                \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #right);                                                \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    check(file >= 0 && write(file, data, size) == (ssize_t)size);
    close(file);
}

static void forget(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
}

static size_t damaged; /* places that the last read_from passed over */

/* Reads from an offset on; returns how many bytes of lines there were. *middle: an offset told on the way. */
static size_t read_from(hb_log *log, uint64_t offset, uint64_t *middle, hb_bytes expected_end)
{
    damaged = 0;
    hb_error error = {0};
    hb_log_cursor *cursor = hb_log_cursor_open(log, HOUR, offset, &error);
    check(cursor != NULL);
    size_t total = 0;
    uint64_t last = 0;
    hb_buffer end = {0};
    for (size_t round = 0;; round++) {
        hb_bytes lines;
        uint64_t next = 0;
        check(round < 100000);
        const bool read = hb_log_read(cursor, &lines, &next, &error);
        check(next >= last || next < offset);
        last = next;
        if (!read) {
            check(error.code == HB_ERROR_CORRUPT);
            damaged++;
            continue;
        }
        if (lines.size == 0)
            break;
        check(lines.data[lines.size - 1] == '\n');
        if (total == 0)
            *middle = next;
        total += lines.size;
        end.size = 0;
        hb_buffer_append(&end, lines);
    }
    check(end.size >= expected_end.size);
    check(expected_end.size == 0 ||
          memcmp(end.data + end.size - expected_end.size, expected_end.data, expected_end.size) == 0);
    hb_buffer_free(&end);
    hb_log_cursor_close(cursor);
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char line[] = "@rm-received-ts=1700000000000 :a!a@a PRIVMSG #x :hi";
    hb_error error = {0};
    uint64_t middle = 0;
    uint64_t unused = 0;
    if (size == 0)
        return 0;
    if (directory[0] == '\0') {
        hb_say_up_to(HB_SAY_ERROR);
        /* Memory, where there is such a place: what is tested syncs to the disk again and again. */
        strcpy(directory, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz-log-XXXXXX" : "/tmp/fuzz-log-XXXXXX");
        check(mkdtemp(directory) != NULL);
    }
    put(data[0] % 2 == 0 ? "2023-11-14T22.irc.zst" : "2023-11-14T22.irc", data + 1, size - 1);
    hb_log *log = hb_log_open(directory, HB_LOG_READ, NULL, &error);
    check(log != NULL);
    const size_t all = read_from(log, 0, &middle, (hb_bytes){"", 0});
    /* Behind damage, half a frame may claim what is appended later. */
    const hb_bytes last = damaged > 0 ? (hb_bytes){"", 0} : (hb_bytes){"PRIVMSG #x :hi\n", 15};
    check(read_from(log, middle, &unused, (hb_bytes){"", 0}) <= all);
    read_from(log, size / 2, &unused, (hb_bytes){"", 0});
    hb_log_close(log, &error);

    log = hb_log_open(directory, HB_LOG_APPEND, NULL, &error);
    check(log != NULL);
    check(hb_log_append(log, (hb_bytes){line, sizeof line - 1}, 0) == HB_LOG_APPENDED);
    check(hb_log_flush(log, &error));
    read_from(log, 0, &unused, last);
    check(hb_log_close_hours(log, (HOUR + 7200) * (int64_t)1000, &error));
    read_from(log, 0, &unused, last);
    hb_log_close(log, &error);
    forget("2023-11-14T22.irc.zst");
    forget("2023-11-14T22.irc");
    return 0;
}
