/* progress.c - one line that is drawn over itself. */
#include "base/progress.h"

#include "base/clock.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DRAW_MS = 200, CELLS = 24, SETTLE_MS = 2000 };

struct hb_progress_bar {
    const char *what;
    const char *unit;
    uint64_t total;
    bool terminal;
    int64_t started_ms;
    int64_t drawn_ms;
};

hb_progress_bar *hb_progress_bar_open(const char *what, const char *unit, uint64_t total)
{
    hb_progress_bar *bar = hb_alloc(sizeof *bar);
    *bar = (hb_progress_bar){what, unit, total, isatty(STDERR_FILENO) == 1, hb_monotonic_ms(), hb_monotonic_ms()};
    return bar;
}

const char *hb_number_print(uint64_t number, char out[32])
{
    char digits[24];
    const int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t used = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

static void print_time_left(hb_buffer *line, double left_s)
{
    const uint64_t seconds = left_s > 359999 ? 359999 : (uint64_t)left_s;
    if (seconds >= HB_HOUR_S)
        hb_buffer_print(line, "  %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left", seconds / HB_HOUR_S,
                        seconds / HB_MINUTE_S % 60, seconds % 60);
    else
        hb_buffer_print(line, "  %" PRIu64 ":%02" PRIu64 " left", seconds / HB_MINUTE_S, seconds % 60);
}

static void print_share(hb_buffer *line, const hb_progress_bar *bar, uint64_t done, int64_t passed_ms)
{
    const double share = done >= bar->total ? 1 : (double)done / (double)bar->total;
    hb_buffer_append(line, HB_BYTES("  ["));
    for (int i = 0; i < CELLS; i++)
        hb_buffer_append_char(line, i < (int)(share * (double)CELLS) ? '#' : '.');
    hb_buffer_print(line, "] %d %%", (int)(share * 100));
    if (share > 0 && passed_ms >= SETTLE_MS)
        print_time_left(line, (double)passed_ms / 1000 * (1 - share) / share);
}

void hb_progress_bar_show(hb_progress_bar *bar, uint64_t count, uint64_t done)
{
    if (!bar->terminal)
        return;
    const int64_t now_ms = hb_monotonic_ms();
    if (now_ms - bar->drawn_ms < DRAW_MS)
        return;
    bar->drawn_ms = now_ms;
    const int64_t passed_ms = now_ms - bar->started_ms;
    char number[32];
    char rate[32];
    hb_buffer line = {0};
    hb_number_print(count, number);
    hb_number_print((uint64_t)((double)count * 1000 / (double)passed_ms), rate);
    hb_buffer_print(&line, "\r%s  %s %s  %s/s", bar->what, number, bar->unit, rate);
    if (bar->total > 0)
        print_share(&line, bar, done, passed_ms);
    hb_buffer_append(&line, HB_BYTES("\x1b[K"));
    /* Nothing can be done about a terminal that is gone. */
    (void)!write(STDERR_FILENO, line.data, line.size);
    hb_buffer_free(&line);
}

void hb_progress_bar_close(hb_progress_bar *bar)
{
    if (bar == NULL)
        return;
    if (bar->terminal)
        (void)!write(STDERR_FILENO, "\r\x1b[K", 4);
    free(bar);
}
