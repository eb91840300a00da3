/* lines.h - lines like Twitch's in size and in how often channels, chatters and words come again (Zipf's law); and the
 * clock that measurements go by. */
#ifndef HB_BENCH_LINES_H
#define HB_BENCH_LINES_H

#include "base/memory.h"

#include <math.h>
#include <time.h>

enum { CHANNELS = 1000, CHATTERS = 20000, WORDS = 50000 };

/* How many there are to choose from; chatters: of each channel. */
typedef struct variety {
    unsigned channels;
    unsigned chatters;
    unsigned words;
} variety;

static uint64_t chance = 88172645463325252;

static inline double roll(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (double)(chance >> 11) / 9007199254740992.0;
}

/* Rank 0 to count - 1, the first the most frequent: count^u is close to Zipf's law. */
static inline unsigned zipf(unsigned count)
{
    return (unsigned)(pow(count + 1, roll()) - 1);
}

/* One of `count` lines of an hour, ended by LF. */
static inline void print_line_of(hb_buffer *out, unsigned number, unsigned count, const variety *kinds)
{
    const int64_t time_ms = 1764000000000 + (int64_t)number * 3600000 / count;
    const unsigned channel = zipf(kinds->channels);
    const unsigned chatter = channel * 7919 + zipf(kinds->chatters);
    hb_buffer_print(out,
                    "@rm-received-ts=%lld;badge-info=subscriber/12;badges=subscriber/12,bits/1000;color=#1E90FF;"
                    "display-name=Chatter_%u;emotes=;first-msg=0;flags=;id=%08x-0000-4000-8000-%012x;mod=0;"
                    "returning-chatter=0;room-id=%u;subscriber=1;tmi-sent-ts=%lld;turbo=0;user-id=%u;user-type= "
                    ":chatter_%u!chatter_%u@chatter_%u.tmi.twitch.tv PRIVMSG #channel_%u :",
                    (long long)time_ms + 40, chatter, number * 2654435761u, number, 10000 + channel, (long long)time_ms,
                    1000000 + chatter, chatter, chatter, chatter, channel);
    for (unsigned words = 1 + zipf(14); words > 0; words--) {
        const unsigned word = zipf(kinds->words);
        hb_buffer_print(out, word % 3 == 0 ? "word%u " : word % 3 == 1 ? "Pog%uChamp " : "lul%u ", word);
    }
    hb_buffer_append_char(out, '\n');
}

static inline void print_line(hb_buffer *out, unsigned number, unsigned count)
{
    const variety usual = {.channels = CHANNELS, .chatters = CHATTERS, .words = WORDS};
    print_line_of(out, number, count, &usual);
}

/* Seconds of this process on a processor, so that what else the machine does counts little. */
static inline double spent(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

#endif
