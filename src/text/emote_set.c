/* emote_set.c - a hash index made for chunks that are mostly not in it: a place holds 16 bits of the hash beside the
 * entry's number, so that nearly every other chunk costs one look at four bytes. A set of 1,000 names has 8 KiB of
 * places, which stay in the cache while a channel is counted. Most names are short, and are hashed with two products.
 */
#include "text/emote_set.h"

#include "base/map.h"
#include "text/utf8.h"

#include <stdlib.h>

enum { PLACES_MIN = 64, NUMBER_BITS = 16 };

static inline uint32_t hash_of(hb_bytes name)
{
    const uint64_t factor = 0x9e3779b97f4a7c15; /* 2^64 by the golden ratio */
    if (name.size > 16)
        return (uint32_t)hb_hash(name, 0);
    const size_t tail = name.size > 8 ? name.size - 8 : 0;
    const uint64_t hash = (hb_bytes_start(name) ^ name.size) * factor + hb_bytes_start(hb_bytes_from(name, tail));
    return (uint32_t)(hash * factor >> 32);
}

static inline uint32_t tag_of(uint32_t hash)
{
    return hash & ~((UINT32_C(1) << NUMBER_BITS) - 1);
}

/* The emote of this name, or NULL. */
static inline hb_emote *find(const hb_emote_set *set, hb_bytes name, uint32_t hash)
{
    for (uint32_t at = hash & set->mask; set->places[at] != 0; at = (at + 1) & set->mask) {
        if (tag_of(set->places[at] ^ hash) != 0)
            continue;
        hb_emote *const found = &set->emotes[(set->places[at] & ~tag_of(UINT32_MAX)) - 1];
        if (hb_bytes_equal((hb_bytes){set->names.data + found->start, found->size}, name))
            return found;
    }
    return NULL;
}

static void place(hb_emote_set *set, uint32_t hash, size_t number)
{
    uint32_t at = hash & set->mask;
    while (set->places[at] != 0)
        at = (at + 1) & set->mask;
    set->places[at] = tag_of(hash) | (uint32_t)(number + 1);
}

static hb_bytes name_of(const hb_emote_set *set, size_t number)
{
    return (hb_bytes){set->names.data + set->emotes[number].start, set->emotes[number].size};
}

static void grow(hb_emote_set *set)
{
    free(set->places);
    set->mask = set->mask * 2 + 1;
    set->places = hb_alloc((set->mask + 1) * sizeof *set->places);
    for (size_t i = 0; i < set->count; i++)
        place(set, hash_of(name_of(set, i)), i);
}

hb_emote_set *hb_emote_set_open(void)
{
    hb_emote_set *set = hb_alloc(sizeof *set);
    set->mask = PLACES_MIN - 1;
    set->places = hb_alloc(PLACES_MIN * sizeof *set->places);
    return set;
}

void hb_emote_set_close(hb_emote_set *set)
{
    if (set == NULL)
        return;
    hb_buffer_free(&set->names);
    free(set->emotes);
    free(set->places);
    free(set);
}

bool hb_emote_name_is_good(hb_bytes name)
{
    bool bad = name.size == 0 || name.size > HB_EMOTE_NAME_MAX;
    size_t at = 0;
    while (at < name.size && name.data[at] > ' ' && name.data[at] < 0x7f)
        at++;
    while (!bad && at < name.size) {
        const uint32_t code_point = hb_utf8_next(name, &at, &bad);
        bad = bad || code_point <= ' ' || (code_point >= 0x7f && code_point < 0xa0);
    }
    return !bad;
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static void note_start(hb_emote_set *set, hb_bytes name)
{
    const char first = lower(name.data[0]);
    /* Behind a chunk of one byte stands white space of any sort. */
    for (unsigned second = 0; second < (name.size == 1 ? 16 : 1); second++) {
        const uint32_t start = hb_emote_start(first, name.size == 1 ? (char)second : lower(name.data[1]));
        set->starts[start / 64] |= UINT64_C(1) << start % 64;
    }
}

/* False when the set is full. */
static bool add(hb_emote_set *set, hb_bytes name, uint32_t since_ms)
{
    const uint32_t hash = hash_of(name);
    hb_emote *const known = find(set, name, hash);
    if (known != NULL) {
        known->since_ms = since_ms < known->since_ms ? since_ms : known->since_ms;
        return true;
    }
    if (set->count == HB_EMOTES_MAX || set->names.size + name.size > HB_EMOTES_BYTES_MAX)
        return false;
    HB_RESERVE(set->emotes, set->capacity, set->count + 1);
    set->emotes[set->count++] = (hb_emote){(uint32_t)set->names.size, (uint32_t)name.size, since_ms};
    hb_buffer_append(&set->names, name);
    note_start(set, name);
    if (set->count * 10 > (size_t)set->mask * 7)
        grow(set);
    else
        place(set, hash, set->count - 1);
    return true;
}

size_t hb_emote_set_add(hb_emote_set *set, hb_bytes names, uint32_t since_ms)
{
    size_t left_out = 0;
    hb_bytes name;
    while (hb_bytes_cut(&names, ' ', &name))
        left_out += hb_emote_name_is_good(name) && !add(set, name, since_ms);
    return left_out;
}

size_t hb_emote_set_count(const hb_emote_set *set)
{
    return set->count;
}

size_t hb_emote_set_held(const hb_emote_set *set)
{
    return sizeof *set + (set->mask + 1) * sizeof *set->places + set->capacity * sizeof *set->emotes +
           set->names.capacity;
}

bool hb_emote_set_next(const hb_emote_set *set, size_t *at, hb_bytes *name, uint32_t *since_ms)
{
    if (*at >= set->count)
        return false;
    *name = name_of(set, *at);
    *since_ms = set->emotes[(*at)++].since_ms;
    return true;
}

bool hb_emote_set_has(const hb_emote_set *set, hb_bytes chunk, uint32_t at_ms)
{
    const hb_emote *const found = find(set, chunk, hash_of(chunk));
    return found != NULL && found->since_ms <= at_ms;
}
