/* fuzz_hour_index.c - any bytes as an hour's index, or a good one with bytes changed: a search ends, and finds what a
 * scan of the hour finds. With the head's hash set right afterwards (first byte's lowest bit) it may be a forgery, so
 * then it only has to end. */
#include "base/say.h"
#include "log/hour_index.h"
#include "log/search.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 56 }; /* see hour_index.c */
#define HOUR 1699999200

#define check(right)                                                                                                   \
    do {                                                                                                               \
        if (!(right)) {                                                                                                \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #right);                                                \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static char directory[64];
static char path[128];
static hb_buffer good;
static hb_log *reader;
static size_t expected;

static void make_hour(void)
{
    hb_error error;
    hb_log *log = hb_log_open(directory, HB_LOG_APPEND, NULL, &error);
    check(log != NULL);
    for (int i = 0; i < 200; i++) {
        char line[200];
        const int count = snprintf(line, sizeof line, "@id=%d;tmi-sent-ts=%lld;user-id=%d :u%d!u@u PRIVMSG #c%d :%d", i,
                                   HOUR * 1000LL + i * 10000, i % 50, i % 50, i % 7, i);
        check(hb_log_append(log, (hb_bytes){line, (size_t)count}, HOUR * 1000LL) == HB_LOG_APPENDED);
        check(i % 10 != 0 || hb_log_flush(log, &error));
    }
    check(hb_log_close(log, &error));
    reader = hb_log_open(directory, HB_LOG_READ, NULL, &error);
    const int file = hb_log_open_hour(reader, HOUR, HB_LOG_CLOSED, O_RDONLY);
    check(hb_index_make(reader, HOUR, file));
    close(file);
    const int index = open(path, O_RDONLY);
    good.size = (size_t)read(index, hb_buffer_room(&good, 1 << 20), 1 << 20);
    close(index);
}

static size_t find(void)
{
    const hb_log_filter filter = {.channel = HB_BYTES("c3"), .user = HB_BYTES("u31"), .to_ms = INT64_MAX};
    hb_error error;
    hb_log_search *search = hb_log_search_open(reader, HOUR, &filter, &error);
    hb_log_lines piece = {.lines = {"", 1}};
    size_t found = 0;
    check(search != NULL);
    while (piece.lines.size > 0) {
        hb_bytes line;
        check(hb_log_search_read(search, &piece, &error));
        for (hb_bytes rest = piece.lines; hb_bytes_cut(&rest, '\n', &line);)
            found += memmem(line.data, line.size, ":u31!u@u PRIVMSG #c3 ", 21) != NULL;
    }
    hb_log_search_close(search);
    return found;
}

static void remove_directory(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    (void)!system(command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hb_buffer bytes;
    if (directory[0] == '\0') {
        hb_say_up_to(HB_SAY_ERROR);
        strcpy(directory, "/tmp/hubbub-fuzz-XXXXXX");
        check(mkdtemp(directory) != NULL);
        atexit(remove_directory);
        snprintf(path, sizeof path, "%s/2023-11-14T22.index", directory);
        make_hour();
        expected = find();
        check(expected > 0);
    }
    if (size == 0)
        return 0;
    const bool forged = (data[0] & 1) != 0;
    bytes.size = 0;
    if ((data[0] & 2) != 0) {
        hb_buffer_append(&bytes, (hb_bytes){(const char *)data + 1, size - 1});
    } else {
        hb_buffer_append(&bytes, hb_buffer_bytes(&good));
        for (size_t i = 1; i + 2 < size; i += 3) /* place (16 bits), bits to turn */
            bytes.data[((size_t)data[i] << 8 | data[i + 1]) % bytes.size] ^= (char)data[i + 2];
    }
    if (forged && bytes.size >= HEAD) {
        const uint64_t hash = hb_hash((hb_bytes){bytes.data, HEAD - 8}, 0);
        memcpy(bytes.data + HEAD - 8, &hash, sizeof hash);
    }
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    check(file >= 0 && write(file, bytes.data, bytes.size) == (ssize_t)bytes.size);
    close(file);
    const size_t found = find();
    check(forged || found == expected);
    return 0;
}
