/* speed.h - the speed layer: follows the log's end and keeps the store's rows current. Pure state: lines and the time
 * go in, changes for the store come out; files, sockets, threads and SQL are its owner's business (cmd/processor.c).
 *
 * A part of the log is an hour. The layer goes through four stages with each:
 *
 *   open     its facts are counted. Once the log's end has been reached for the first time (hb_speed_caught_up), its
 *            changed rows are written at each flush and its changed sheets within a minute. The first write of an hour
 *            replaces whatever an earlier run had written of it; so what is seen never goes backwards.
 *   closing  the watermark (event time - 2 minutes, see hb_fold_time_ms) has passed its end: its facts are late from
 * now on, and its sheets are written a last time done     that is written, in one transaction with `done` in progress;
 * all but a few numbers is forgotten late     facts of an hour that closes or is done are only counted, and left to the
 * batch layer
 *
 * After a restart, hours that are not done are read again from their start: the counts come out the same, duplicates
 * are told by the same ids, and nothing of an earlier run is added to. An hour that lies behind the watermark when its
 * first facts come (an import) is opened too; it closes when nothing more has come for a minute.
 */
#ifndef HB_VIEWS_SPEED_H
#define HB_VIEWS_SPEED_H

#include "views/changes.h"
#include "views/top.h"

typedef struct hb_speed hb_speed;

typedef struct hb_speed_options {
    uint32_t top;  /* rows kept of each channel, hour and kind, and of its users; HB_TOP_ALL */
    size_t memory; /* bytes that counting may take. When they run short: sheets that rest are kept encoded; then ids
                      older than the last such moment are forgotten; at last, new channels, words and users are left to
                      the batch layer. hb_speed_counts tells. */
} hb_speed_options;

/* NULL and *error as hb_words_open. */
hb_speed *hb_speed_open(const hb_speed_options *options, hb_error *error);
void hb_speed_close(hb_speed *speed);

/* Tells what the store has as progress of the speed layer. Before the first lines. */
void hb_speed_restore(hb_speed *speed, const hb_progress *progress);

/* Where to read a part on: an offset. */
uint64_t hb_speed_position(const hb_speed *speed, int64_t part);

/* Takes the next lines of a part; next is the offset behind them, and offsets are bytes. Returns how many bytes were
 * taken: fewer than all when memory is short, for a flush would set some free (hb_speed_is_tight): then flush, and
 * offer the rest again.
 * Parts are to be read in ascending order, each to its end for now before the next. */
size_t hb_speed_take(hb_speed *speed, int64_t part, hb_bytes lines, uint64_t next, int64_t now_ms);

/* Whether memory is so short that one should flush before going on. */
bool hb_speed_is_tight(const hb_speed *speed);

/* Tells that all that the log holds for now has been taken; to be called each time that it is so. From the first time
 * on, rows of open hours are written. */
void hb_speed_caught_up(hb_speed *speed);

typedef enum hb_speed_flush_kind {
    HB_SPEED_FLUSH_ROWS, /* changed rows, and of the sheets what is due; about once a second */
    HB_SPEED_FLUSH_ALL,  /* all that has changed, sheets too: before stopping */
    HB_SPEED_FLUSH_END   /* the same, and nothing more is to come: hours behind the watermark close at once */
} hb_speed_flush_kind;

/* Collects the next transaction for the store. False when there is nothing to write. To be called again until then;
 * but between two calls it is good to go on reading. What it hands over is written from the layer's point of view: the
 * owner tries until the store has taken it, or stops for good. */
bool hb_speed_flush(hb_speed *speed, hb_speed_flush_kind kind, int64_t now_ms, hb_changes *changes);

typedef struct hb_speed_counts {
    hb_fold_counts fold;    /* of this run: after a restart, open hours are counted again */
    uint64_t late;          /* facts left to the batch layer: their hour was closed (or memory ran out) */
    uint64_t ids_forgotten; /* their duplicates would be counted twice */
    uint64_t open_sheets;
    uint64_t held;   /* bytes */
    int64_t time_ms; /* hb_fold_time_ms; 0 before the first fact */
} hb_speed_counts;

hb_speed_counts hb_speed_count(const hb_speed *speed, int64_t now_ms);

#endif
