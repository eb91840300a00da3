/* queue.c - two buffers that change places.
 *
 * Producers append to one buffer; the taker swaps it for its own empty one and works through it without the lock. So
 * the lock is held for a copy of one record or a swap of pointers, whatever the load. */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct record_head {
    int64_t time_ms;
    uint32_t size;
} __attribute__((packed)) record_head;

_Static_assert(sizeof(record_head) == 12, "hb_queue_open's comment states the size of a record's head");

struct hb_queue {
    pthread_mutex_t lock;
    pthread_cond_t news;
    hb_buffer waiting;
    size_t capacity;
    size_t taken; /* bytes of the batch that the taker works on: they count as held until it comes back */
    uint64_t dropped;
    bool ended;
};

hb_queue *hb_queue_open(size_t capacity)
{
    hb_queue *queue = hb_alloc(sizeof *queue);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->news, &attributes);
    pthread_condattr_destroy(&attributes);
    queue->capacity = capacity;
    return queue;
}

void hb_queue_close(hb_queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->news);
    pthread_mutex_destroy(&queue->lock);
    hb_buffer_free(&queue->waiting);
    free(queue);
}

bool hb_queue_put(hb_queue *queue, int64_t time_ms, hb_bytes bytes)
{
    const record_head head = {time_ms, (uint32_t)bytes.size};
    const size_t size = sizeof head + bytes.size;
    pthread_mutex_lock(&queue->lock);
    const bool fits =
        !queue->ended && bytes.size <= UINT32_MAX && size <= queue->capacity - queue->waiting.size - queue->taken;
    if (fits) {
        hb_buffer_append(&queue->waiting, (hb_bytes){(const char *)&head, sizeof head});
        hb_buffer_append(&queue->waiting, bytes);
        pthread_cond_signal(&queue->news);
    } else {
        queue->dropped++;
    }
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

void hb_queue_end(hb_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    pthread_cond_signal(&queue->news);
    pthread_mutex_unlock(&queue->lock);
}

bool hb_queue_take(hb_queue *queue, int wait_ms, hb_buffer *batch)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t nanoseconds = until.tv_nsec + (int64_t)wait_ms * 1000000;
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;

    batch->size = 0;
    pthread_mutex_lock(&queue->lock);
    queue->taken = 0;
    while (queue->waiting.size == 0 && !queue->ended)
        if (pthread_cond_timedwait(&queue->news, &queue->lock, &until) == ETIMEDOUT)
            break;
    const hb_buffer full = queue->waiting;
    queue->waiting = *batch;
    *batch = full;
    queue->taken = full.size;
    const bool more = full.size > 0 || !queue->ended;
    pthread_mutex_unlock(&queue->lock);
    return more;
}

bool hb_queue_next(const hb_buffer *batch, size_t *at, hb_queue_record *record)
{
    record_head head;
    if (*at >= batch->size)
        return false;
    memcpy(&head, batch->data + *at, sizeof head);
    *record = (hb_queue_record){head.time_ms, {batch->data + *at + sizeof head, head.size}};
    *at += sizeof head + head.size;
    return true;
}

size_t hb_queue_held(hb_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const size_t held = queue->waiting.size + queue->taken;
    pthread_mutex_unlock(&queue->lock);
    return held;
}

uint64_t hb_queue_dropped(hb_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const uint64_t dropped = queue->dropped;
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}
