/* moment_poll.c - an hour has a part in each partition; what all of them say of it is one number, which changes when
 * any of them does. */
#include "cmd/moment_poll.h"

#include "base/map.h"
#include "cmd/moment_finder.h"
#include "views/moments.h"

#include <stdlib.h>

typedef struct known_hour {
    int64_t hour_s;
    uint64_t sum;   /* of what its parts' progress says now */
    uint64_t seen;  /* the same, when it was looked at last, */
    uint64_t begun; /* and in the beginning */
    bool done;      /* all of its parts are */
} known_hour;

struct hb_moment_poll {
    char *log_address;
    char *store_address;
    hb_layer layer;
    hb_moment_finder *finder;
    hb_store *reader;
    hb_store *writer;
    known_hour *hours;
    size_t count;
    size_t capacity;
    hb_map index;
};

hb_moment_poll *hb_moment_poll_open(const char *log, const char *store, hb_layer layer)
{
    hb_moment_poll *poll = hb_alloc(sizeof *poll);
    poll->log_address = hb_copy_text(hb_bytes_of(log));
    poll->store_address = hb_copy_text(hb_bytes_of(store));
    poll->layer = layer;
    poll->finder = hb_moment_finder_open(log, store, 1);
    return poll;
}

static void close_stores(hb_moment_poll *poll)
{
    hb_store_close(poll->reader);
    hb_store_close(poll->writer);
    poll->reader = poll->writer = NULL;
}

void hb_moment_poll_close(hb_moment_poll *poll)
{
    if (poll == NULL)
        return;
    close_stores(poll);
    hb_moment_finder_close(poll->finder);
    hb_map_free(&poll->index);
    free(poll->hours);
    free(poll->log_address);
    free(poll->store_address);
    free(poll);
}

static uint64_t hash_of(const void *data, size_t size)
{
    return hb_hash((hb_bytes){data, size}, 0);
}

static known_hour *get_hour(hb_moment_poll *poll, int64_t hour_s)
{
    const uint64_t hash = hash_of(&hour_s, sizeof hour_s);
    for (uint32_t at = hb_map_first(&poll->index, hash); at != HB_MAP_END; at = hb_map_next(&poll->index, hash, at))
        if (poll->hours[hb_map_entry(&poll->index, at)].hour_s == hour_s)
            return &poll->hours[hb_map_entry(&poll->index, at)];
    HB_RESERVE(poll->hours, poll->capacity, poll->count + 1);
    hb_map_insert(&poll->index, hash, (uint32_t)poll->count);
    poll->hours[poll->count] = (known_hour){.hour_s = hour_s, .done = true};
    return &poll->hours[poll->count++];
}

static bool take_part(void *context, const hb_progress *progress, int64_t at_s)
{
    hb_moment_poll *const poll = context;
    known_hour *const hour = get_hour(poll, hb_time_floor(progress->part, HB_HOUR_S));
    /* The batch layer's position may be what it was before: then the time tells. */
    const uint64_t facts[] = {(uint64_t)progress->part, progress->position, progress->done,
                              poll->layer == HB_LAYER_BATCH ? (uint64_t)at_s : 0};
    hour->sum += hash_of(facts, sizeof facts);
    hour->done &= progress->done;
    return true;
}

static bool read_progress(hb_moment_poll *poll, bool *there, hb_error *error)
{
    if (poll->reader == NULL)
        poll->reader = hb_store_open(poll->store_address, HB_STORE_READ, error);
    *there = poll->reader != NULL;
    if (!*there)
        return error->code == HB_ERROR_MISSING;
    for (size_t i = 0; i < poll->count; i++) {
        poll->hours[i].sum = 0;
        poll->hours[i].done = true;
    }
    return hb_store_progress(poll->reader, poll->layer, take_part, poll, error);
}

bool hb_moment_poll_begin(hb_moment_poll *poll, hb_error *error)
{
    bool there = false;
    if (!read_progress(poll, &there, error))
        return false;
    for (size_t i = 0; i < poll->count; i++)
        poll->hours[i].seen = poll->hours[i].begun = poll->hours[i].sum;
    return true;
}

/* Opened once there is something to write: the job makes the tables. */
static bool apply(void *context, const hb_changes *changes, hb_error *error)
{
    hb_moment_poll *const poll = context;
    if (poll->writer == NULL)
        poll->writer = hb_store_open(poll->store_address, HB_STORE_WRITE, error);
    return poll->writer != NULL && hb_store_apply(poll->writer, changes, error);
}

/* Of an hour that the speed layer counts: with what depends on it before and behind, as far as that is there. */
static bool look_at(hb_moment_poll *poll, const known_hour *hour, bool ended, hb_error *error)
{
    const int64_t from_s = hour->hour_s - HB_MOMENT_NEAR * HB_MINUTE_S;
    const int64_t to_s = hour->hour_s + HB_HOUR_S + HB_MOMENT_REACH_S + HB_MOMENT_NEAR * HB_MINUTE_S;
    const hb_moment_range range = {.from_s = from_s,
                                   .to_s = to_s,
                                   .own_from_s = from_s,
                                   .own_to_s = to_s,
                                   .goes_on = !hour->done && !ended,
                                   .anew = hour->done || ended};
    return hb_moment_finder_run(poll->finder, &range, apply, poll, error);
}

static bool look_at_hours(hb_moment_poll *poll, bool ended, hb_error *error)
{
    bool good = true;
    for (size_t i = 0; good && i < poll->count; i++) {
        known_hour *const hour = &poll->hours[i];
        if (hour->sum == (ended ? hour->begun : hour->seen))
            continue;
        good = poll->layer == HB_LAYER_BATCH
                   ? hb_moment_finder_settle(poll->finder, &(int64_t){hour->hour_s}, 1, apply, poll, error)
                   : look_at(poll, hour, ended, error);
        if (good)
            hour->seen = hour->sum;
    }
    return good;
}

bool hb_moment_poll_look(hb_moment_poll *poll, bool ended, hb_error *error)
{
    bool there = false;
    const bool good = read_progress(poll, &there, error) && (!there || look_at_hours(poll, ended, error));
    if (!good)
        close_stores(poll);
    return good;
}
