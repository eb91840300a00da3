/* process_metrics.h - what Prometheus wants to know of every process: memory, processor time, start. */
#ifndef HB_SERVE_PROCESS_METRICS_H
#define HB_SERVE_PROCESS_METRICS_H

#include "base/memory.h"

/* Appends process_resident_memory_bytes, process_cpu_seconds_total, process_start_time_seconds, process_open_fds. What
 * /proc does not tell is left out. */
void hb_process_metrics_print(hb_buffer *out);

#endif
