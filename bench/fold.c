/* fold.c - how many messages a second one thread reads and counts: bench_fold [MESSAGES [BATCH_KIB]], or
 * bench_fold FILE [BATCH_KIB] over lines as the log holds them. Generated lines are like Twitch's in size and in how
 * often channels, chatters and words come again (Zipf's law), of one hour. */
#include "views/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHANNELS = 1000, CHATTERS = 20000, WORDS = 50000 };

static uint64_t chance = 88172645463325252;

static double roll(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (double)(chance >> 11) / 9007199254740992.0;
}

/* Rank 0 to count - 1, the first the most frequent: count^u is close to Zipf's law. */
static unsigned zipf(unsigned count)
{
    return (unsigned)(pow(count + 1, roll()) - 1);
}

static void print_line(hb_buffer *out, unsigned number, unsigned count)
{
    const int64_t time_ms = 1764000000000 + (int64_t)number * 3600000 / count;
    const unsigned channel = zipf(CHANNELS);
    const unsigned chatter = channel * 7919 + zipf(CHATTERS);
    hb_buffer_print(out,
                    "@rm-received-ts=%lld;badge-info=subscriber/12;badges=subscriber/12,bits/1000;color=#1E90FF;"
                    "display-name=Chatter_%u;emotes=;first-msg=0;flags=;id=%08x-0000-4000-8000-%012x;mod=0;"
                    "returning-chatter=0;room-id=%u;subscriber=1;tmi-sent-ts=%lld;turbo=0;user-id=%u;user-type= "
                    ":chatter_%u!chatter_%u@chatter_%u.tmi.twitch.tv PRIVMSG #channel_%u :",
                    (long long)time_ms + 40, chatter, number * 2654435761u, number, 10000 + channel, (long long)time_ms,
                    1000000 + chatter, chatter, chatter, chatter, channel);
    for (unsigned words = 1 + zipf(14); words > 0; words--) {
        const unsigned word = zipf(WORDS);
        hb_buffer_print(out, word % 3 == 0 ? "word%u " : word % 3 == 1 ? "Pog%uChamp " : "lul%u ", word);
    }
    hb_buffer_append_char(out, '\n');
}

static bool read_file(const char *path, hb_buffer *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t size = 0;
    while ((size = fread(hb_buffer_room(out, 1 << 20), 1, 1 << 20, file)) > 0)
        out->size += size;
    return fclose(file) == 0;
}

/* Seconds of this process on a processor, so that what else the machine does counts little. */
static double spent(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void measure_sheets(hb_fold *fold)
{
    size_t cursor = 0;
    size_t entries = 0;
    size_t bytes = 0;
    size_t held = 0;
    const double start = spent();
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;) {
        char *data = NULL;
        size_t size = 0;
        hb_sheet_encode(sheet, &data, &size);
        hb_free(data);
        entries += sheet->word_count + sheet->user_count;
        held += hb_sheet_held(sheet);
        bytes += size;
    }
    printf("%zu sheets with %zu words and users: %.1f bytes each encoded in %.2f s, %.1f in memory\n", cursor, entries,
           (double)bytes / (double)entries, spent() - start, (double)held / (double)entries);
}

int main(int argc, char **argv)
{
    hb_buffer lines = {0};
    hb_error error;
    const size_t batch = (argc > 2 ? strtoul(argv[2], NULL, 10) : 32768) * 1024;
    uint64_t messages = 1000000;
    const bool from_file = argc > 1 && !hb_bytes_to_u64(hb_bytes_of(argv[1]), &messages);
    if (from_file && !read_file(argv[1], &lines)) {
        fprintf(stderr, "bench_fold: %s cannot be read\n", argv[1]);
        return 1;
    }
    for (unsigned i = 0; !from_file && i < messages; i++)
        print_line(&lines, i, (unsigned)messages);
    hb_fold *fold = hb_fold_open(&error);
    if (fold == NULL) {
        fprintf(stderr, "bench_fold: %s\n", error.text);
        return 1;
    }
    const double start = spent();
    for (hb_bytes rest = hb_buffer_bytes(&lines); rest.size > 0;) {
        hb_bytes piece = rest;
        if (piece.size > batch) {
            const char *end = memrchr(piece.data, '\n', batch);
            piece.size = end == NULL ? piece.size : (size_t)(end - piece.data) + 1;
        }
        hb_fold_lines(fold, piece);
        rest = hb_bytes_from(rest, piece.size);
    }
    const double seconds = spent() - start;
    const hb_fold_counts counts = hb_fold_count(fold);
    printf("%llu messages (%.0f bytes, %.1f words each) in %.2f s: %.0f a second, batches of %zu KiB\n",
           (unsigned long long)counts.messages, (double)lines.size / (double)counts.lines,
           (double)counts.words / (double)counts.messages, seconds, (double)counts.messages / seconds, batch / 1024);
    measure_sheets(fold);
    hb_fold_close(fold);
    hb_buffer_free(&lines);
    return 0;
}
