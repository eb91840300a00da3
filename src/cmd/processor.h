/* processor.h - log -> speed layer -> store, on a thread of its own.
 *
 * Follows all parts of a file log, or of a Kafka log those partitions that its consumer group gives to it
 * (group_worker.h), and writes what changed about twice a second. While the log rests, it makes days, weeks and months
 * out of hours and removes what is too old (store/upkeep.h). Beside it, moments are found (moment_watch.h). While the
 * store refuses writes (a full disk) it keeps trying the same, says so once and again when it is over; facts wait in
 * the log meanwhile.
 *
 * Metrics: hubbub_facts_total, _messages_, _words_, _shared_, _duplicates_, _late_, _bad_utf8_, _bad_timestamps_,
 * _malformed_, _untaken_, _ids_forgotten_, _log_read_errors_, _store_errors_, _flushes_total (all of this run; open
 * hours are counted again after a restart); hubbub_speed_lag_milliseconds (from the newest event time in the store's
 * rows to now), hubbub_speed_sheets, hubbub_speed_memory_bytes, hubbub_flush_milliseconds (the last one).
 */
#ifndef HB_CMD_PROCESSOR_H
#define HB_CMD_PROCESSOR_H

#include "base/metrics.h"
#include "cmd/options.h"
#include "store/upkeep.h"
#include "views/changes.h"

typedef struct hb_processor hb_processor;

typedef struct hb_processor_options {
    const char *log;
    const char *store;
    uint32_t top;           /* see hb_speed_options */
    size_t memory;          /* likewise */
    bool until_end;         /* stop once all that the log holds is counted and written */
    hb_upkeep_options keep; /* its log is the one above */
    const char *group;      /* of a Kafka log: the consumer group */
} hb_processor_options;

/* How long to keep what; see hb_keep_options_read. */
#define HB_OPTIONS_KEEP                                                                                                \
    {"keep-log", HB_OPTION_NUMBER, "DAYS", NULL,                                                                       \
     "remove hours of the log that are older, once batch has counted them"},                                           \
    {                                                                                                                  \
        "keep-views", HB_OPTION_NUMBER, "DAYS", NULL, "remove days of the counts that are older"                       \
    }

/* Reads them into what hb_upkeep_open takes; without them all is kept for ever. False: HB_ERROR_USAGE. */
bool hb_keep_options_read(const hb_options *options, hb_upkeep_options *keep, hb_error *error);

/* The options that commands with a processor share, beside HB_OPTIONS_PLACES. */
#define HB_OPTIONS_PROCESS                                                                                             \
    {"top", HB_OPTION_TEXT, "N|all", "100", "words of a kind, and users, kept in rows for each channel and hour"},     \
        {"memory", HB_OPTION_SIZE, "SIZE", "1G", "what counting may hold in memory, at least 1M"},                     \
        {"group", HB_OPTION_TEXT, "NAME", "hubbub", "the consumer group that shares the reading of a Kafka log"},      \
        HB_OPTIONS_KEEP

/* Reads the option --top. False: HB_ERROR_USAGE. */
bool hb_top_option_read(const hb_options *options, uint32_t *top, hb_error *error);

/* Reads HB_OPTIONS_PLACES and HB_OPTIONS_PROCESS. Texts belong to options. False: HB_ERROR_USAGE. */
bool hb_processor_options_read(const hb_options *options, hb_processor_options *process, hb_error *error);

/* Opens log and store, and starts the thread. NULL: what hb_log_open, hb_log_group_open, hb_store_open and
 * hb_words_open fail with. */
hb_processor *hb_processor_open(const hb_processor_options *options, hb_metrics *metrics, hb_error *error);

/* Has the processor's thread apply changes of another layer to the store, between two of its own writes: a store has
 * one writer. Waits until that is done. Any thread, before hb_processor_close. False: the store refuses, now or since a
 * while; HB_ERROR_BUSY: the processor has come to its end. */
bool hb_processor_apply(hb_processor *processor, const hb_changes *changes, hb_error *error);

/* Whether the thread has come to its end by itself (until_end). Any thread. */
bool hb_processor_ended(const hb_processor *processor);

/* Writes out what was counted, stops, frees. False when that could not be written: the next start counts it again. */
bool hb_processor_close(hb_processor *processor, hb_error *error);

#endif
