/* chat_dice.h - chance that a seed decides, the same on every machine: whole numbers only, no floating point.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood 2014). */
#ifndef HB_TWITCH_CHAT_DICE_H
#define HB_TWITCH_CHAT_DICE_H

#include "base/memory.h"

typedef struct hb_dice {
    uint64_t state;
} hb_dice;

/* A number that looks random but always is the same for the same number. */
static inline uint64_t hb_dice_mix(uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

static inline uint64_t hb_dice_roll(hb_dice *dice)
{
    dice->state += 0x9e3779b97f4a7c15u;
    return hb_dice_mix(dice->state);
}

/* 0 to below - 1 */
static inline uint32_t hb_dice_below(hb_dice *dice, uint32_t below)
{
    return (uint32_t)(((hb_dice_roll(dice) >> 32) * below) >> 32);
}

/* True in so many cases of 10,000. */
static inline bool hb_dice_chance(hb_dice *dice, uint32_t in_10000)
{
    return hb_dice_below(dice, 10000) < in_10000;
}

/* A rank from 0 to 2^high - 2^low - 1; each octave of 2^low + rank is as likely as any other, so that rank r comes up
 * about 1 / (2^low + r) times as often: Zipf's law with Mandelbrot's offset, without a table. */
static inline uint32_t hb_dice_rank(hb_dice *dice, uint32_t low, uint32_t high)
{
    const uint32_t octave = 1u << (low + hb_dice_below(dice, high - low));
    return octave + hb_dice_below(dice, octave) - (1u << low);
}

/* A loaded die (Vose's alias method). Zero-initialise. */
typedef struct hb_loaded {
    uint32_t *keep; /* the side that was rolled counts when a further roll is below this */
    uint32_t *other;
    uint32_t count;
} hb_loaded;

/* Loads the die with count weights, each at most 2^26 / (rank + 1) or so: their sum times 2^32 has to fit 64 bits, as
 * has the greatest times count. */
void hb_loaded_set(hb_loaded *loaded, const uint64_t *weights, uint32_t count);
void hb_loaded_free(hb_loaded *loaded);

static inline uint32_t hb_loaded_roll(const hb_loaded *loaded, hb_dice *dice)
{
    const uint64_t roll = hb_dice_roll(dice);
    const uint32_t side = (uint32_t)(((roll >> 32) * loaded->count) >> 32);
    return (uint32_t)roll < loaded->keep[side] ? side : loaded->other[side];
}

#endif
