/* recompute.h - runs the batch layer over a list of hours, with a bar on the terminal: for hubbub batch and verify.
 *
 * The hours of a Kafka log are copied into files first (spooled.h). Small hours are recomputed side by side, a thread
 * each; a large one by all threads together. What comes out is handed to the owner, one hour at a time. */
#ifndef HB_CMD_RECOMPUTE_H
#define HB_CMD_RECOMPUTE_H

#include "cmd/hours.h"
#include "cmd/options.h"
#include "cmd/spooled.h"
#include "views/batch.h"

typedef struct hb_recompute {
    const char *what; /* the work in a word */
    const char *log;
    const char *spool_directory; /* NULL: $TMPDIR, else /tmp */
    uint32_t top;
    unsigned jobs;
    /* Takes an hour's result: compares, stores. One thread at a time. False stops everything. */
    bool (*take)(void *context, const hb_hour *hour, const hb_batch_result *result, hb_error *error);
    /* May be NULL. Takes the pieces of a large hour's changes before its result (see hb_batch_options); there is no
     * other hour in between. */
    bool (*piece)(void *context, const hb_changes *changes, hb_error *error);
    void *context;
    hb_spooled *spooled; /* of a Kafka log: made by hb_recompute_find */
} hb_recompute;

/* The options of commands that recompute, beside HB_OPTIONS_PLACES. */
#define HB_OPTIONS_RECOMPUTE                                                                                           \
    {"from", HB_OPTION_TIME, "TIME", NULL, "only hours from here on"},                                                 \
        {"to", HB_OPTION_TIME, "TIME", NULL, "only hours that begin before"},                                          \
        {"jobs", HB_OPTION_NUMBER, "N", NULL, "threads (default: one for each core)"},                                 \
        {"spool", HB_OPTION_TEXT, "DIR", NULL, "where to copy hours of a Kafka log to meanwhile (default: TMPDIR)"},   \
    {                                                                                                                  \
        "top", HB_OPTION_TEXT, "N|all", "100", "words of a kind, and users, kept in rows for each channel and hour"    \
    }

/* Reads log, spool_directory, top and jobs. False: HB_ERROR_USAGE. */
bool hb_recompute_options_read(const hb_options *options, hb_recompute *recompute, hb_error *error);

typedef struct hb_recompute_wish {
    hb_spooled_choice choice;
    int64_t from_s;
    int64_t to_s;
    bool (*ready)(const hb_hour *hour, int64_t now_ms); /* may be NULL: of hours that are due, which to take now */
} hb_recompute_wish;

/* Reads --from and --to. False: HB_ERROR_USAGE. */
bool hb_recompute_wish_read(const hb_options *options, hb_recompute_wish *wish, hb_error *error);

/* Lists the hours that are meant, as hb_hours_list; those of a Kafka log are copied. *stopped: a signal told to stop.
 * To be followed by hb_recompute_done, whatever comes back. */
bool hb_recompute_find(hb_recompute *recompute, const hb_recompute_wish *wish, hb_store *store, hb_hours *hours,
                       bool *stopped, hb_error *error);

/* Removes the copies. */
void hb_recompute_done(hb_recompute *recompute);

/* Recomputes the hours, until done or told to stop by a signal: then the hours in hand are finished, and *stopped is
 * true. Signals must be blocked (hb_signals_block). False when an hour failed; those before it are done. */
bool hb_recompute_hours(const hb_recompute *recompute, const hb_hours *hours, bool *stopped, hb_error *error);

#endif
