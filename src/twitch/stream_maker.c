/* stream_maker.c - a channel's life is a row of equal cycles, most of each on air. What it does at a time is worked out
 * from that time alone, so nothing has to be kept, and any order of questions gives the same. Whole numbers only, so
 * that every machine agrees.
 *
 * A channel that ends its stream may raid its neighbour, whose viewers then jump and fade: to know of it one has to
 * look at one other channel only. */
#include "twitch/stream_maker.h"

#include "twitch/chat_dice.h"

enum {
    CYCLE_MIN_S = 40 * 60,
    CYCLE_SPREAD_S = 120 * 60,
    LIVE_PERCENT = 85,
    STARTED_PERCENT = 80, /* how far into its cycle a channel may be at the start */
    RISE_S = 12 * 60,     /* until a new stream has found its viewers */
    FALL_S = 10 * 60,     /* before the end, when they leave */
    RAID_S = 15 * 60,     /* until those of a raid have left */
    WANDER_S = 5 * 60,
    TITLE_S = 45 * 60,
    GAME_S = 70 * 60
};

typedef struct cycle {
    int64_t number;
    int64_t at_s;   /* since it began */
    int64_t long_s; /* on air and off */
    int64_t live_s; /* on air */
} cycle;

/* A number that looks random, for something of a channel. */
static uint64_t trait(uint64_t seed, uint64_t channel, uint64_t what)
{
    return hb_dice_mix(hb_dice_mix(seed * 0x9e3779b97f4a7c15u + channel) + what);
}

static cycle cycle_at(uint64_t seed, uint64_t channel, int64_t time_s)
{
    cycle found = {.long_s = CYCLE_MIN_S + (int64_t)(trait(seed, channel, 1) % CYCLE_SPREAD_S)};
    const int64_t before_s = (int64_t)(trait(seed, channel, 2) % (uint64_t)(found.long_s * STARTED_PERCENT / 100));
    found.number = (time_s + before_s) / found.long_s;
    found.at_s = (time_s + before_s) % found.long_s;
    found.live_s = found.long_s * LIVE_PERCENT / 100;
    return found;
}

/* Per mille: up and down from one knot to the next. */
static uint64_t wander(uint64_t seed, uint64_t channel, int64_t time_s)
{
    const uint64_t knot = (uint64_t)time_s / WANDER_S;
    const uint64_t between = (uint64_t)time_s % WANDER_S;
    const uint64_t from = 850 + trait(seed, channel, 1000 + knot) % 300;
    const uint64_t to = 850 + trait(seed, channel, 1001 + knot) % 300;
    return (from * (WANDER_S - between) + to * between) / WANDER_S;
}

/* How many the channel has of its own, at a time of a cycle when it is live. */
static uint64_t own_viewers(uint64_t seed, uint64_t channel, const cycle *now)
{
    const int64_t left_s = now->live_s - now->at_s;
    const uint64_t usual = 60000 / (channel + 1) + 20; /* Zipf's law */
    const uint64_t rise = now->at_s < RISE_S ? 300 + 700 * (uint64_t)now->at_s / RISE_S : 1000;
    const uint64_t fall = left_s < FALL_S ? 700 + 300 * (uint64_t)left_s / FALL_S : 1000;
    const uint64_t day = 70 + trait(seed, channel, 3 + (uint64_t)now->number * 8) % 61;
    return usual * day / 100 * rise / 1000 * fall / 1000 * wander(seed, channel, now->at_s) / 1000;
}

/* Those who stay of the neighbour's last raid, if there was one. */
static uint64_t raiders(uint64_t seed, uint64_t channel, int64_t time_s)
{
    const uint64_t neighbour = channel ^ 1;
    cycle last = cycle_at(seed, neighbour, time_s);
    int64_t ago_s = last.at_s - last.live_s;
    if (ago_s < 0) { /* it is live: its last end was in the cycle before */
        ago_s += last.long_s;
        last.number--;
    }
    last.at_s = last.live_s;
    if (ago_s >= RAID_S || last.number < 0 || trait(seed, neighbour, 4 + (uint64_t)last.number * 8) % 3 == 0)
        return 0;
    return own_viewers(seed, neighbour, &last) * 6 / 10 * (uint64_t)(RAID_S - ago_s) / RAID_S;
}

hb_stream hb_stream_at(uint64_t seed, uint64_t channel, int64_t time_s)
{
    const cycle now = cycle_at(seed, channel, time_s);
    const uint64_t number = (uint64_t)now.number * 64;
    if (now.at_s >= now.live_s)
        return (hb_stream){0};
    return (hb_stream){
        .live = true,
        .viewers = own_viewers(seed, channel, &now) + raiders(seed, channel, time_s),
        .id = trait(seed, channel, 5 + number) >> 24,
        .since_s = time_s - now.at_s,
        .game = trait(seed, channel, 6 + number + (uint64_t)now.at_s / GAME_S * 8),
        .title = trait(seed, channel, 7 + number + (uint64_t)now.at_s / TITLE_S * 8),
    };
}
