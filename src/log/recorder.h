/* recorder.h - the hand-over from sockets to the log: a bounded queue and one thread that appends.
 *
 * The thread flushes every 50 ms, syncs every second, and has hours compressed by a second thread. While the disk (or
 * Kafka) refuses writes it keeps trying, says so once and again when it is over; what overflows the queue is counted
 * (hubbub_facts_dropped_total) and said at most every 10 s.
 */
#ifndef HB_LOG_RECORDER_H
#define HB_LOG_RECORDER_H

#include "log/log.h"

typedef struct hb_recorder hb_recorder;

/* Opens the log at address to append and starts the threads. queue_bytes bounds what waits. Another recorder on the
 * same file log, in any process, is refused with HB_ERROR_BUSY (flock on DIR/.recorder). */
hb_recorder *hb_recorder_open(const char *address, size_t queue_bytes, hb_metrics *metrics, hb_error *error);

/* Takes one line as received; never waits. False when it had to be dropped. Any thread. */
bool hb_recorder_put(hb_recorder *recorder, hb_bytes line, int64_t received_ms);

/* Writes out all that was taken, stops the threads. False when facts could not be written. */
bool hb_recorder_close(hb_recorder *recorder, hb_error *error);

#endif
