/* group_worker.h - a processor's loop on a Kafka log: a worker of a consumer group, which counts the partitions that
 * the group gives to it, each in a speed layer of its own.
 *
 *     assigned   progress of the partition is read from the store, and lines from hb_speed_start on
 *     revoked    all that was counted of it is stored; then it is given back
 *     lost       it is another worker's already: what was counted of it and is not stored is forgotten
 *
 * While the store refuses writes nothing is read, but the worker stays in the group. If a partition is revoked then, it
 * is given back as it is: its next owner counts again what is not stored.
 *
 * The memory of all partitions together stays within the bound: what one does not need, others may take.
 *
 * Metrics, beside those of a processor: hubbub_group_partitions (owned now), hubbub_group_rebalances_total,
 * hubbub_log_lag_records (in the topic behind what was counted, of the partitions owned).
 */
#ifndef HB_CMD_GROUP_WORKER_H
#define HB_CMD_GROUP_WORKER_H

#include "cmd/count_metrics.h"
#include "cmd/moment_watch.h"
#include "cmd/processor.h"
#include "cmd/writer.h"

typedef struct hb_group_worker hb_group_worker;

/* Joins the group. Writer, watch and metrics must outlive it. NULL: what hb_log_group_open fails with. */
hb_group_worker *hb_group_worker_open(const hb_processor_options *options, hb_writer *writer, hb_moment_watch *watch,
                                      hb_count_metrics *counts, hb_metrics *metrics, hb_error *error);
void hb_group_worker_close(hb_group_worker *worker); /* NULL is fine */

/* Counts until the writer was told to stop, or, where the options say so, until all owned partitions were read to their
 * end; then stores all, and leaves the group. What went wrong: hb_writer_failure. On the thread that counts. */
void hb_group_worker_run(hb_group_worker *worker);

#endif
