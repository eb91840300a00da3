/* removals.c - a set of 64-bit hashes with times: of (channel, message id), (channel, user) or (channel).
 *
 * Only hashes are kept, 16 bytes a removal: that two different keys share one is less likely than a wrong bit in
 * memory, and all that would happen is that a message is marked. */
#include "log/removals.h"

#include "base/map.h"
#include "log/log.h"

#include <stdlib.h>

typedef struct removal {
    uint64_t hash;
    int64_t time_ms;
} removal;

struct hb_removals {
    removal *all;
    size_t count;
    size_t capacity;
    hb_map index; /* by hash */
};

typedef enum scope { SCOPE_MESSAGE = 1, SCOPE_USER, SCOPE_LOGIN, SCOPE_CHANNEL } scope;

hb_removals *hb_removals_open(void)
{
    return hb_alloc(sizeof(hb_removals));
}

void hb_removals_close(hb_removals *removals)
{
    if (removals == NULL)
        return;
    hb_map_free(&removals->index);
    free(removals->all);
    free(removals);
}

static uint64_t hash_of(hb_bytes channel, scope of, hb_bytes key)
{
    char lower[HB_LOGIN_MAX];
    return hb_hash(key, hb_hash(hb_bytes_lower(channel, lower), of));
}

static void add(hb_removals *removals, uint64_t hash, int64_t time_ms)
{
    if (removals->count >= HB_REMOVALS_MAX)
        return;
    HB_RESERVE(removals->all, removals->capacity, removals->count + 1);
    hb_map_insert(&removals->index, hash, (uint32_t)removals->count);
    removals->all[removals->count++] = (removal){hash, time_ms};
}

void hb_removals_add(hb_removals *removals, const hb_fact *fact)
{
    if (fact->kind == HB_FACT_CLEARMSG && fact->id.size > 0)
        add(removals, hash_of(fact->channel, SCOPE_MESSAGE, fact->id), fact->time_ms);
    else if (fact->kind == HB_FACT_CLEARCHAT && fact->user_id.size > 0)
        add(removals, hash_of(fact->channel, SCOPE_USER, fact->user_id), fact->time_ms);
    else if (fact->kind == HB_FACT_CLEARCHAT && fact->login.size > 0)
        add(removals, hash_of(fact->channel, SCOPE_LOGIN, fact->login), fact->time_ms);
    else if (fact->kind == HB_FACT_CLEARCHAT)
        add(removals, hash_of(fact->channel, SCOPE_CHANNEL, (hb_bytes){"", 0}), fact->time_ms);
}

void hb_removals_scan(hb_removals *removals, hb_bytes lines)
{
    hb_fact fact;
    hb_bytes line;
    while (hb_log_find_line(&lines, HB_BYTES(" CLEAR"), &line)) /* CLEARMSG, CLEARCHAT, and some texts */
        if (hb_fact_read(line, &fact) == HB_FACT_OK)
            hb_removals_add(removals, &fact);
}

static bool has(const hb_removals *removals, uint64_t hash, int64_t time_ms)
{
    for (uint32_t at = hb_map_first(&removals->index, hash); at != HB_MAP_END;
         at = hb_map_next(&removals->index, hash, at)) {
        const removal *one = &removals->all[hb_map_entry(&removals->index, at)];
        if (one->hash == hash && one->time_ms >= time_ms && one->time_ms - time_ms <= HB_REMOVALS_REACH_MS)
            return true;
    }
    return false;
}

bool hb_removals_hit(const hb_removals *removals, const hb_fact *message)
{
    const hb_bytes channel = message->channel;
    const int64_t time_ms = message->time_ms;
    if (removals->count == 0)
        return false;
    return (message->id.size > 0 && has(removals, hash_of(channel, SCOPE_MESSAGE, message->id), time_ms)) ||
           (message->user_id.size > 0 && has(removals, hash_of(channel, SCOPE_USER, message->user_id), time_ms)) ||
           (message->login.size > 0 && has(removals, hash_of(channel, SCOPE_LOGIN, message->login), time_ms)) ||
           has(removals, hash_of(channel, SCOPE_CHANNEL, (hb_bytes){"", 0}), time_ms);
}

void hb_removals_keep(hb_removals *removals, int64_t from_ms, int64_t to_ms)
{
    size_t kept = 0;
    hb_map_clear(&removals->index);
    for (size_t i = 0; i < removals->count; i++) {
        const removal one = removals->all[i];
        if (one.time_ms < from_ms || one.time_ms >= to_ms)
            continue;
        hb_map_insert(&removals->index, one.hash, (uint32_t)kept);
        removals->all[kept++] = one;
    }
    removals->count = kept;
}
