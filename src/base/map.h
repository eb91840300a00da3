/* map.h - a hash index: from a 64-bit hash to the number of an entry in the caller's own array.
 *
 * The map stores no keys: the caller compares. Look up:
 *
 *     for (uint32_t at = hb_map_first(&map, hash); at != HB_MAP_END; at = hb_map_next(&map, hash, at))
 *         if (same key as entries[hb_map_entry(&map, at)]) found;
 *     hb_map_insert(&map, hash, number of the new entry);
 *
 * Open addressing with linear probing, at most 70 % full. Slots keep 32 bits of the hash, so that growing needs no keys
 * and most other entries are passed over without a look at them. Entries are never removed one by one.
 */
#ifndef HB_BASE_MAP_H
#define HB_BASE_MAP_H

#include "base/bytes.h"

#define HB_MAP_END UINT32_MAX

typedef struct hb_map_slot {
    uint32_t hash;
    uint32_t entry; /* number + 1; 0 where the slot is free */
} hb_map_slot;

typedef struct hb_map { /* zero-initialise */
    hb_map_slot *slots;
    uint32_t mask; /* slots - 1; slots is a power of two, or 0 */
    uint32_t count;
} hb_map;

uint64_t hb_hash(hb_bytes bytes, uint64_t seed); /* XXH3, 64 bits */

void hb_map_insert(hb_map *map, uint64_t hash, uint32_t entry);
void hb_map_clear(hb_map *map); /* forgets the entries, keeps the slots */
void hb_map_free(hb_map *map);
size_t hb_map_held(const hb_map *map); /* bytes */

/* To be called some time before the look-up. */
static inline void hb_map_prefetch(const hb_map *map, uint64_t hash)
{
    if (map->slots != NULL)
        __builtin_prefetch(&map->slots[hash & map->mask]);
}

static inline uint32_t hb_map_step(const hb_map *map, uint32_t hash, uint32_t at)
{
    for (;; at = (at + 1) & map->mask) {
        if (map->slots[at].entry == 0)
            return HB_MAP_END;
        if (map->slots[at].hash == hash)
            return at;
    }
}

static inline uint32_t hb_map_first(const hb_map *map, uint64_t hash)
{
    return map->slots == NULL ? HB_MAP_END : hb_map_step(map, (uint32_t)hash, (uint32_t)hash & map->mask);
}

static inline uint32_t hb_map_next(const hb_map *map, uint64_t hash, uint32_t at)
{
    return hb_map_step(map, (uint32_t)hash, (at + 1) & map->mask);
}

static inline uint32_t hb_map_entry(const hb_map *map, uint32_t at)
{
    return map->slots[at].entry - 1;
}

#endif
