/* readback.c - how long it takes to read a channel or a chatter back from a log, and how much of it is decoded:
 * bench_readback LOG channel NAME | user NAME. The first time makes missing indexes. */
#include "lines.h"

#include "log/history.h"

#include <stdio.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool measure(hb_log *log, const hb_history_query *query, hb_error *error)
{
    const double start = now();
    const double start_spent = spent();
    hb_history *history = hb_history_open(log, query, error);
    hb_bytes lines = {"", 1};
    hb_history_fact found;
    size_t facts = 0;
    while (history != NULL && lines.size > 0) {
        if (!hb_history_read(history, &lines, error))
            break;
        for (hb_bytes rest = lines; hb_history_next(history, &rest, &found);)
            facts++;
    }
    if (history != NULL)
        printf("%zu facts, %.1f MB of lines decoded, %.0f ms (%.0f ms of a processor)\n", facts,
               (double)hb_history_taken(history) / 1e6, (now() - start) * 1e3, (spent() - start_spent) * 1e3);
    const bool whole = history != NULL && lines.size == 0;
    hb_history_close(history);
    return whole;
}

int main(int count, char **arguments)
{
    hb_error error = {0};
    if (count != 4) {
        fprintf(stderr, "bench_readback LOG channel|user NAME\n");
        return 2;
    }
    hb_log *log = hb_log_open(arguments[1], HB_LOG_READ, NULL, &error);
    hb_history_query query = {.to_s = INT64_MAX / 1000};
    *(strcmp(arguments[2], "user") == 0 ? &query.user : &query.channel) = hb_bytes_of(arguments[3]);
    bool measured = log != NULL;
    for (int round = 0; measured && round < 3; round++)
        measured = measure(log, &query, &error);
    if (!measured)
        fprintf(stderr, "%s\n", error.text);
    hb_log_close(log, &error);
    return measured ? 0 : 1;
}
