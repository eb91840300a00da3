/* chat_dice.c - loading a die: sides that are too light are filled up with parts of those that are too heavy, until
 * each side weighs the same and belongs to at most two. */
#include "twitch/chat_dice.h"

#include <stdlib.h>

void hb_loaded_set(hb_loaded *loaded, const uint64_t *weights, uint32_t count)
{
    uint64_t *left = hb_alloc(count * sizeof *left);
    uint32_t *stack = hb_alloc(count * sizeof *stack); /* light sides from the front, heavy ones from the back */
    uint32_t light = 0;
    uint32_t heavy = count;
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += weights[i];
    loaded->keep = hb_resize(loaded->keep, count, sizeof *loaded->keep);
    loaded->other = hb_resize(loaded->other, count, sizeof *loaded->other);
    loaded->count = count;
    for (uint32_t i = 0; i < count; i++) {
        left[i] = weights[i] * count;
        loaded->keep[i] = UINT32_MAX;
        loaded->other[i] = i;
        if (left[i] < total)
            stack[light++] = i;
        else
            stack[--heavy] = i;
    }
    while (light > 0 && heavy < count) {
        const uint32_t small = stack[--light];
        const uint32_t large = stack[heavy];
        loaded->keep[small] = (uint32_t)((left[small] << 32) / total);
        loaded->other[small] = large;
        left[large] -= total - left[small];
        if (left[large] < total) {
            heavy++;
            stack[light++] = large;
        }
    }
    free(left);
    free(stack);
}

void hb_loaded_free(hb_loaded *loaded)
{
    free(loaded->keep);
    free(loaded->other);
    *loaded = (hb_loaded){0};
}
