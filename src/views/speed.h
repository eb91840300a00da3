/* speed.h - the speed layer: follows the log's end and keeps the store's rows current. Pure state: lines and the time
 * go in, changes for the store come out; files, sockets, threads and SQL are its owner's business (cmd/processor.c).
 *
 * It goes through these stages with each hour:
 *
 *   open     its facts are counted. Once the log's end has been reached for the first time (hb_speed_caught_up), its
 *            changed rows are written at each flush and its changed sheets within a minute. The first write of an hour
 *            replaces whatever an earlier run had written of it; so what is seen never goes backwards.
 *   closing  the watermark (event time - 2 minutes, see hb_fold_time_ms) has passed its end: its facts are late from
 *            now on, which means that they are only told, and left to the batch layer. Its sheets are written a last
 *            time, and all but a few numbers is forgotten.
 *   done     all that is written: so it says, from the next flush on, in the store's progress.
 *
 * After a restart, hours that are not done are read again from their start: the counts come out the same, duplicates
 * are told by the same ids, and nothing of an earlier run is added to. An hour that lies behind the watermark when its
 * first facts come (an import) is opened too; it closes when nothing more has come for a minute.
 *
 * A file log is counted by one layer: its parts are hours. Of a Kafka log, each partition has a layer of its own, which
 * may move to another worker at any time: that one restores what the store has as progress, and reads on from
 * hb_speed_start. Lines of all hours come in one stream, so that a part is an hour of the partition, numbered
 * hour + partition. All its rows are of the partition's position then; up to there all facts of the hour are counted.
 * A position tells what is counted, so the rows that two workers write of one hour and position are the same, and those
 * of the later position are the newer ones, in whichever order a store without transactions gets to see them. (Only a
 * shortage of memory can spoil that.) An hour of a partition also closes when the clock has passed its end by two
 * minutes and nothing more has come for one.
 */
#ifndef HB_VIEWS_SPEED_H
#define HB_VIEWS_SPEED_H

#include "views/changes.h"
#include "views/top.h"

typedef struct hb_speed hb_speed;

typedef struct hb_speed_options {
    uint32_t top;      /* rows kept of each channel, hour and kind, and of its users; HB_TOP_ALL */
    size_t memory;     /* bytes that counting may take. When they run short: sheets that rest are kept encoded; then ids
                          older than the last such moment are forgotten; at last, new channels, words and users are left to
                          the batch layer. hb_speed_counts tells. */
    bool is_partition; /* of a Kafka log */
    int32_t partition;
} hb_speed_options;

/* NULL and *error as hb_words_open. */
hb_speed *hb_speed_open(const hb_speed_options *options, hb_error *error);
void hb_speed_close(hb_speed *speed);

/* Tells what the store has as progress of a layer: all of the batch layer's, then all of the speed layer's. An hour
 * that the batch layer has replaced is closed: what has come since is late; where the speed layer knows more of it,
 * that counts. Other partitions' is passed over. Before the first lines. */
void hb_speed_restore(hb_speed *speed, hb_layer layer, const hb_progress *progress);

/* Changes the memory that counting may take. */
void hb_speed_set_memory(hb_speed *speed, size_t memory);

/* ---- Lines of a file log ---- */

/* Where to read a part on: an offset. */
uint64_t hb_speed_position(const hb_speed *speed, int64_t part);

/* Takes the next lines of a part; next is the offset behind them, and offsets are bytes. Returns how many bytes were
 * taken: fewer than all when memory is short, for a flush would set some free (hb_speed_is_tight): then flush, and
 * offer the rest again.
 * Parts are to be read in ascending order, each to its end for now before the next. */
size_t hb_speed_take(hb_speed *speed, int64_t part, hb_bytes lines, uint64_t next, int64_t now_ms);

/* ---- Lines of a partition ---- */

/* Where to begin, once all progress is restored: at the first fact of those hours that are not done; without such
 * hours, where all is counted up to; 0 when nothing was counted yet. Of hours that are done, facts below their position
 * are passed over. */
uint64_t hb_speed_start(const hb_speed *speed);

/* Takes the next lines: line i of them has the offset at + i. Returns how many bytes were taken, as hb_speed_take. When
 * the first ones lie behind hb_speed_start, what was before is gone from the topic: hours that began there stay as the
 * store has them, and what comes behind their position is late. */
size_t hb_speed_take_records(hb_speed *speed, uint64_t at, hb_bytes lines, int64_t now_ms);

/* The offset behind the last line that was taken; hb_speed_start before. */
uint64_t hb_speed_next(const hb_speed *speed);

/* ---- Both ---- */

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

/* ---- Keeping it elsewhere ---- */

/* Writes down all that the layer holds of a partition, for an engine that keeps the state itself (Spark), between two
 * pieces of the log: only after hb_speed_flush has said that there is nothing more to write. Sheets are frozen by it;
 * one may go on with the layer all the same. The bytes replace what *out held. */
void hb_speed_save(hb_speed *speed, hb_buffer *out);

/* Makes a layer of what hb_speed_save has written; it goes on exactly as the other would. options: as hb_speed_open,
 * and of the same partition. NULL: HB_ERROR_CORRUPT, HB_ERROR_VERSION, HB_ERROR_USAGE (another partition's), or as
 * hb_words_open. */
hb_speed *hb_speed_load(const hb_speed_options *options, hb_bytes state, hb_error *error);

#endif
