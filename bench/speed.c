/* speed.c - what the speed layer costs in an hour of chat: bench_speed [MESSAGES_PER_S [SECONDS]]. Lines come in steps
 * of 50 ms and rows are made twice a second, as in hubbub process; no log and no store. Told every ten seconds of chat:
 * how much of one processor it took, and the longest pause for a flush. */
#include "lines.h"

#include "views/speed.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS_PER_S = 20 };

typedef struct totals {
    double flushing;
    double longest;
    size_t rows;
    size_t sheets;
} totals;

static void flush(hb_speed *speed, int64_t now_ms, totals *sum)
{
    hb_changes changes;
    const double start = spent();
    if (hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, now_ms, &changes)) {
        sum->rows += changes.minute_count + changes.word_count + changes.user_count + changes.channel_count;
        sum->sheets += changes.sheet_count;
    }
    const double took = spent() - start;
    sum->flushing += took;
    sum->longest = took > sum->longest ? took : sum->longest;
}

int main(int argc, char **argv)
{
    const unsigned rate = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
    const unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 60;
    const int64_t start_ms = 1764000000000;
    hb_error error;
    hb_speed *speed = hb_speed_open(&(hb_speed_options){100, (size_t)1 << 30}, &error);
    if (speed == NULL) {
        fprintf(stderr, "bench_speed: %s\n", error.text);
        return 1;
    }
    hb_buffer lines = {0};
    uint64_t position = 0;
    unsigned number = 0;
    double taking = 0;
    totals sum = {0};
    hb_speed_caught_up(speed);
    for (unsigned step = 1; step <= seconds * STEPS_PER_S; step++) {
        const int64_t now_ms = start_ms + (int64_t)step * 1000 / STEPS_PER_S;
        lines.size = 0;
        for (unsigned i = 0; i < rate / STEPS_PER_S; i++)
            print_line(&lines, number++, rate * 3600);
        position += lines.size;
        const double start = spent();
        hb_speed_take(speed, 1764000000, hb_buffer_bytes(&lines), position, now_ms);
        taking += spent() - start;
        if (step % (STEPS_PER_S / 2) == 0)
            flush(speed, now_ms, &sum);
        if (step % (STEPS_PER_S * 10) != 0)
            continue;
        printf("%3u s: counting %.1f %%, flushing %.1f %% of a processor, longest flush %.0f ms; %.0f rows and %.0f "
               "sheets a second; %.0f MB held\n",
               step / STEPS_PER_S, taking * 10, sum.flushing * 10, sum.longest * 1000, (double)sum.rows / 10,
               (double)sum.sheets / 10, (double)hb_speed_count(speed, now_ms).held / 1e6);
        taking = 0;
        sum = (totals){0};
    }
    hb_buffer_free(&lines);
    hb_speed_close(speed);
    return 0;
}
