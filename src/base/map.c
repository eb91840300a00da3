/* map.c - growing and filling the hash index. XXH3 is inlined here: chat's keys are short, and a call costs more. */
#include "base/map.h"

#include "base/memory.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hb_hash(hb_bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.size == 0 ? "" : bytes.data, bytes.size, seed);
}

static void place(hb_map *map, hb_map_slot slot)
{
    uint32_t at = slot.hash & map->mask;
    while (map->slots[at].entry != 0)
        at = (at + 1) & map->mask;
    map->slots[at] = slot;
}

static void grow(hb_map *map)
{
    const hb_map old = *map;
    const uint32_t slots = old.slots == NULL ? 16 : (old.mask + 1) * 2;
    map->slots = hb_alloc((size_t)slots * sizeof *map->slots);
    map->mask = slots - 1;
    for (uint32_t at = 0; old.slots != NULL && at <= old.mask; at++)
        if (old.slots[at].entry != 0)
            place(map, old.slots[at]);
    free(old.slots);
}

void hb_map_insert(hb_map *map, uint64_t hash, uint32_t entry)
{
    if (map->slots == NULL || (uint64_t)(map->count + 1) * 10 > ((uint64_t)map->mask + 1) * 7)
        grow(map);
    place(map, (hb_map_slot){(uint32_t)hash, entry + 1});
    map->count++;
}

void hb_map_clear(hb_map *map)
{
    if (map->slots != NULL)
        memset(map->slots, 0, ((size_t)map->mask + 1) * sizeof *map->slots);
    map->count = 0;
}

void hb_map_free(hb_map *map)
{
    free(map->slots);
    *map = (hb_map){0};
}

size_t hb_map_held(const hb_map *map)
{
    return map->slots == NULL ? 0 : ((size_t)map->mask + 1) * sizeof *map->slots;
}
