/* queue.h - a bounded queue of byte records between threads: what is received while the disk is slow waits here.
 *
 * Any number of threads may put, one may take. A record never splits. When the queue is full, putting fails at once and
 * the record is counted as dropped: the producer reads from sockets and must never wait.
 */
#ifndef HB_BASE_QUEUE_H
#define HB_BASE_QUEUE_H

#include "base/memory.h"

typedef struct hb_queue hb_queue;

/* capacity: bytes held at most, records' 12-byte heads included. */
hb_queue *hb_queue_open(size_t capacity);
void hb_queue_close(hb_queue *queue);

/* Puts one record: a time (ms) and bytes. False when there is no room. */
bool hb_queue_put(hb_queue *queue, int64_t time_ms, hb_bytes bytes);

/* No more will be put: a waiting taker returns once the queue is empty. */
void hb_queue_end(hb_queue *queue);

typedef struct hb_queue_record {
    int64_t time_ms;
    hb_bytes bytes;
} hb_queue_record;

/* Waits up to wait_ms for records and moves all that are there into *batch (cleared first); step through it with
 * hb_queue_next. Returns false when the queue has ended and is empty; an empty batch otherwise means time is up. */
bool hb_queue_take(hb_queue *queue, int wait_ms, hb_buffer *batch);

/* Takes the first record off a batch: start with *at = 0. Slices point into the batch. */
bool hb_queue_next(const hb_buffer *batch, size_t *at, hb_queue_record *record);

size_t hb_queue_held(hb_queue *queue);      /* bytes waiting */
uint64_t hb_queue_dropped(hb_queue *queue); /* records refused so far */

#endif
