/* lines.c - chat for bench/scale on standard output, an hour of it: bench_lines MESSAGES CHANNELS WORDS. The
 * simulator's (hubbub simulate) is more like Twitch's, but knows at most 10,000 channels, and the words that it knows.
 */
#include "lines.h"

#include <stdio.h>

enum { WRITE_BYTES = 1 << 20 };

static bool write_out(hb_buffer *lines)
{
    const bool good = fwrite(lines->data, 1, lines->size, stdout) == lines->size;
    lines->size = 0;
    return good;
}

int main(int argc, char **argv)
{
    uint64_t numbers[3] = {0};
    for (int i = 0; i < 3; i++) {
        if (argc != 4 || !hb_bytes_to_u64(hb_bytes_of(argv[i + 1]), &numbers[i]) || numbers[i] < 1 ||
            numbers[i] > 100 * 1000 * 1000) {
            fprintf(stderr, "usage: bench_lines MESSAGES CHANNELS WORDS, each from 1 to 100,000,000\n");
            return 2;
        }
    }
    const variety kinds = {.channels = (unsigned)numbers[1], .chatters = CHATTERS, .words = (unsigned)numbers[2]};
    hb_buffer lines = {0};
    bool good = true;
    for (unsigned i = 0; good && i < numbers[0]; i++) {
        print_line_of(&lines, i, (unsigned)numbers[0], &kinds);
        if (lines.size >= WRITE_BYTES)
            good = write_out(&lines);
    }
    good = good && write_out(&lines) && fflush(stdout) == 0;
    hb_buffer_free(&lines);
    if (!good)
        perror("bench_lines: standard output could not be written");
    return good ? 0 : 1;
}
