/* watch.c - a sorted list under a lock; there are never more entries than live clients, and one more. */
#include "serve/watch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct hb_watch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    hb_watch_list all;
    uint64_t serial;
    bool stopped;
};

hb_watch *hb_watch_open(void)
{
    hb_watch *watch = hb_alloc(sizeof *watch);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&watch->lock, NULL);
    watch->all.version = 1;
    return watch;
}

void hb_watch_close(hb_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch->all.list);
    free(watch);
}

/* Where the channel is, or would be. */
static size_t place_of(const hb_watch_list *all, hb_bytes channel, bool *found)
{
    size_t low = 0;
    size_t high = all->count;
    *found = false;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = hb_bytes_compare(hb_bytes_of(all->list[middle].channel), channel);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
        *found |= order == 0;
    }
    return low;
}

const hb_watched *hb_watch_find(const hb_watch_list *copy, hb_bytes channel)
{
    bool found = false;
    const size_t place = place_of(copy, channel, &found);
    return found ? &copy->list[place] : NULL;
}

void hb_watch_add(hb_watch *watch, const char *channel)
{
    pthread_mutex_lock(&watch->lock);
    hb_watch_list *all = &watch->all;
    bool found = false;
    const size_t place = place_of(all, hb_bytes_of(channel), &found);
    if (!found) {
        HB_RESERVE(all->list, all->capacity, all->count + 1);
        memmove(&all->list[place + 1], &all->list[place], (all->count - place) * sizeof *all->list);
        all->list[place] = (hb_watched){.serial = ++watch->serial};
        snprintf(all->list[place].channel, sizeof all->list[place].channel, "%s", channel);
        all->count++;
        all->version++;
        pthread_cond_broadcast(&watch->changed);
    }
    all->list[place].watchers++;
    pthread_mutex_unlock(&watch->lock);
}

void hb_watch_remove(hb_watch *watch, const char *channel)
{
    pthread_mutex_lock(&watch->lock);
    hb_watch_list *all = &watch->all;
    bool found = false;
    const size_t place = place_of(all, hb_bytes_of(channel), &found);
    if (found && --all->list[place].watchers == 0) {
        all->count--;
        memmove(&all->list[place], &all->list[place + 1], (all->count - place) * sizeof *all->list);
        all->version++;
        pthread_cond_broadcast(&watch->changed);
    }
    pthread_mutex_unlock(&watch->lock);
}

void hb_watch_stop(hb_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->stopped = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

static struct timespec after(int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return until;
}

bool hb_watch_wait(hb_watch *watch, int wait_ms, hb_watch_list *copy)
{
    const struct timespec until = after(wait_ms < 0 ? 0 : wait_ms);
    pthread_mutex_lock(&watch->lock);
    while (!watch->stopped && copy->version == watch->all.version) {
        if (wait_ms < 0)
            pthread_cond_wait(&watch->changed, &watch->lock);
        else if (pthread_cond_timedwait(&watch->changed, &watch->lock, &until) != 0)
            break;
    }
    if (copy->version != watch->all.version) {
        HB_RESERVE(copy->list, copy->capacity, watch->all.count);
        if (watch->all.count > 0)
            memcpy(copy->list, watch->all.list, watch->all.count * sizeof *copy->list);
        copy->count = watch->all.count;
        copy->version = watch->all.version;
    }
    const bool goes_on = !watch->stopped;
    pthread_mutex_unlock(&watch->lock);
    return goes_on;
}
