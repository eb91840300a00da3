/* log.h - the master dataset: an append-only log of facts, in parts: a directory of files, or a topic of Kafka.
 *
 * A part of the file log is an hour of event time (Unix seconds, a multiple of 3600); an offset counts bytes of plain
 * lines from the part's start, the same before and after the hour's file is compressed. Each line carries its time of
 * receipt in the tag rm-received-ts and ends with LF.
 *
 *     DIR/2026-11-24T13.irc       an hour in progress: plain lines in the order of receipt
 *     DIR/2026-11-24T13.irc.zst   5 minutes after its end: standard zstd, independent frames of 128 KiB
 *     DIR/.lock                   held (flock) for the moment of each append and each compression's last step, so that
 *                                 several processes may append: hubbub run and hubbub import, say
 *     DIR/.version                the format's version, a number; a newer one is refused (HB_ERROR_VERSION)
 *
 * Reading needs no lock: a reader stops at the last whole line or frame and finds more there later.
 *
 * A Kafka log, kafka://HOST:PORT[,HOST:PORT]/TOPIC, is a topic with one line in each record: without its LF, the
 * channel's login in lower case for a key, the event time for a timestamp. What is said below of the disk holds for the
 * broker. Workers of a group read it through log_kafka.h; facts are found again in it through history.h and messages.h,
 * and a batch goes over a copy (spool.h). What has no meaning there says so below.
 */
#ifndef HB_LOG_LOG_H
#define HB_LOG_LOG_H

#include "base/memory.h"
#include "base/metrics.h"

typedef struct hb_log hb_log;

/* ---- Appending ---- */

typedef enum hb_log_mode { HB_LOG_READ, HB_LOG_APPEND } hb_log_mode;

/* Opens the log at an address: a directory (made if mode is HB_LOG_APPEND). Opening to append cuts a torn last line or
 * frame off, and says so (hb_say_warning). Errors: HB_ERROR_VERSION, HB_ERROR_SYSTEM (not writable), HB_ERROR_MISSING
 * (reading what is not there). metrics may be NULL. One thread at a time; other processes and handles are free. */
hb_log *hb_log_open(const char *address, hb_log_mode mode, hb_metrics *metrics, hb_error *error);

/* Whether an address is a Kafka log's. To open one also fails with HB_ERROR_USAGE (the address, a setting; no secret is
 * in the text) and HB_ERROR_NETWORK (no broker answers). Opened to append, the topic is made if it is missing. */
bool hb_log_is_kafka(const char *address);

/* Writes out what is buffered, syncs, closes. False when that failed (facts not on the disk are then counted). */
bool hb_log_close(hb_log *log, hb_error *error);

enum { HB_LOG_LINE_BYTES = 64 * 1024 }; /* a line at most, as given; IRC with tags allows 8,703 */

typedef enum hb_log_append_status {
    HB_LOG_APPENDED,
    HB_LOG_NO_FACT,   /* not a fact (hb_fact_read), or no time at all: nothing was kept */
    HB_LOG_MALFORMED, /* not IRC */
    HB_LOG_OVERLONG,  /* longer than HB_LOG_LINE_BYTES */
    HB_LOG_FULL       /* buffers are full because the disk refuses writes, or because Kafka has not confirmed enough
                         yet; call hb_log_flush and try again */
} hb_log_append_status;

/* Accepts one line (with or without line end). received_ms is written into it as its first tag rm-received-ts; with
 * received_ms = 0 the line's own rm-received-ts is kept, and where it has none its event time is taken. The line goes
 * to a buffer; it reaches the operating system with the next hb_log_flush (or when the buffer has grown to 128 KiB). */
hb_log_append_status hb_log_append(hb_log *log, hb_bytes line, int64_t received_ms);

/* Hands buffered lines to the operating system. On failure (a full disk) they stay buffered and *error says why; call
 * again later. To be called at least every 50 ms while lines come in. A Kafka log sends by itself, and again for as
 * long as it takes: where there is no room it waits for some, a moment at most. False then: HB_ERROR_NETWORK (nothing
 * is taken, and there is no room), HB_ERROR_SYSTEM (the client cannot go on). */
bool hb_log_flush(hb_log *log, hb_error *error);

/* fsync of what was written since the last call. To be called about once a second. Nothing to do for a Kafka log. */
bool hb_log_sync(hb_log *log, hb_error *error);

/* Compresses hours whose end is more than 5 minutes before now_ms. May take seconds for a large hour; call it from a
 * thread and a handle that do not append. Killed at any moment, it leaves the hour readable, whole and once. The file
 * log's only. */
bool hb_log_close_hours(hb_log *log, int64_t now_ms, hb_error *error);

/* Removes a compressed part for good, provided that it ends at this offset: that nothing was appended since. *removed
 * tells; false with it also when there is no such part. May wait for those who append. False: HB_ERROR_SYSTEM. */
bool hb_log_remove(hb_log *log, int64_t part, uint64_t end, bool *removed, hb_error *error);

/* ---- Reading ---- */

typedef struct hb_log_part {
    int64_t part;       /* the file log: the hour */
    bool closed;        /* compressed */
    uint64_t file_size; /* bytes at rest: changes when and only when the part changes or is compressed */
    int64_t changed_ms; /* wall clock of the last change */
} hb_log_part;

/* Lists parts in ascending order. *parts is the caller's, to be freed with free(). */
bool hb_log_list(hb_log *log, hb_log_part **parts, size_t *count, hb_error *error);

typedef struct hb_log_cursor hb_log_cursor;

/* Starts to read a part at an offset (0, or one that hb_log_read returned). NULL: HB_ERROR_MISSING, HB_ERROR_SYSTEM. */
hb_log_cursor *hb_log_cursor_open(hb_log *log, int64_t part, uint64_t offset, hb_error *error);
void hb_log_cursor_close(hb_log_cursor *cursor);

/* Reads the next whole lines, up to about 1 MiB; *lines (the cursor's until the next call) is empty when there are none
 * for now. *next is the offset behind them. Goes on seamlessly when the part is compressed meanwhile. False:
 * HB_ERROR_CORRUPT with the place (a bad frame; the next call goes on behind it), HB_ERROR_SYSTEM. */
bool hb_log_read(hb_log_cursor *cursor, hb_bytes *lines, uint64_t *next, hb_error *error);

/* Where a part ends now: the offset behind its last line. False: HB_ERROR_MISSING, HB_ERROR_SYSTEM. */
bool hb_log_end(hb_log *log, int64_t part, uint64_t *end, hb_error *error);

/* Takes lines off *rest up to the next one that contains a text (" #channel"); false when there is none. Far faster
 * than to parse each line: what it finds is then parsed. */
bool hb_log_find_line(hb_bytes *rest, hb_bytes text, hb_bytes *line);

/* Waits until something in the log may have changed, or wait_ms have passed. The first call returns at once. */
void hb_log_wait(hb_log *log, int wait_ms);

/* ---- Following: every part at once, those that are yet to come included ---- */

typedef struct hb_log_position {
    int64_t part;
    uint64_t offset;
} hb_log_position;

typedef enum hb_log_start {
    HB_LOG_FROM_START, /* read what is there already */
    HB_LOG_FROM_END    /* only what comes from now on */
} hb_log_start;

typedef struct hb_log_follower hb_log_follower;

/* Follows the log: the parts named in positions (in any order; copied) from there, the parts that the log holds besides
 * from their start or end, and parts that appear later from their start. Position and part may be gone from the log
 * (retention). The log must stay open as long, and one thread at a time may use either. NULL: HB_ERROR_SYSTEM. */
hb_log_follower *hb_log_follower_open(hb_log *log, hb_log_start start, const hb_log_position *positions, size_t count,
                                      hb_error *error);
void hb_log_follower_close(hb_log_follower *follower);

typedef struct hb_log_piece {
    int64_t part;
    hb_bytes lines; /* whole lines, up to about 1 MiB; the follower's until its next call */
    uint64_t next;  /* offset behind them: where to start another time */
} hb_log_piece;

/* Reads the next piece. Parts take turns in ascending order, each up to its end. Lines are empty when everything that
 * was appended before the call has been read. False: HB_ERROR_CORRUPT or HB_ERROR_SYSTEM as hb_log_read; the next call
 * goes on. */
bool hb_log_follower_read(hb_log_follower *follower, hb_log_piece *piece, hb_error *error);

/* Waits until there may be more to read, or wait_ms have passed. Costs nothing while the log rests. */
void hb_log_follower_wait(hb_log_follower *follower, int wait_ms);

#endif
