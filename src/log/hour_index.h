/* hour_index.h - which frames of a compressed hour can hold what somebody looks for. Not a door: log/search.h is.
 *
 * An index stands beside its hour: LOG/2026-11-24T13.index. For each frame it holds where it begins, which event times
 * are in it, and a Bloom filter of keys: channels, users, and channels with removals. Frames are read only when all
 * keys that are looked for may be in them; that a frame is read in vain costs time alone. The index covers the frames
 * that were there when it was made; those appended later are always read.
 *
 * An index is a copy of what the hour itself tells. It may be deleted at any time. One that is damaged, or was made of
 * another file, is noticed (checksums over all that is used; the end of what it covers) and counts as missing. */
#ifndef HB_LOG_HOUR_INDEX_H
#define HB_LOG_HOUR_INDEX_H

#include "log/log_file.h"

typedef struct hb_index_frame {
    uint64_t at;       /* in the hour's file */
    uint64_t lines_at; /* in bytes of lines */
    int64_t first_ms;  /* event times of its facts; first_ms > last_ms where it holds none */
    int64_t last_ms;
} hb_index_frame;

typedef enum hb_index_scope {
    HB_INDEX_CHANNEL,  /* of a channel's login: any fact */
    HB_INDEX_USER,     /* of a user's id or login: any fact */
    HB_INDEX_REMOVALS, /* of a channel's login, or of nothing for any channel: CLEARMSG and CLEARCHAT */
} hb_index_scope;

/* The key of a login or id in any case. text: at most HB_LOGIN_MAX bytes; longer ones are in no index. */
uint64_t hb_index_key(hb_index_scope scope, hb_bytes text);

/* ---- Making ---- */

typedef struct hb_index_maker hb_index_maker;

hb_index_maker *hb_index_maker_open(int64_t hour);
void hb_index_maker_close(hb_index_maker *maker);

/* Adds the next frame, which begins at `at` in the hour's file and at lines_at in bytes of lines. */
void hb_index_maker_add(hb_index_maker *maker, uint64_t at, uint64_t lines_at, hb_bytes lines);

/* The index as bytes, the maker's. It covers the first `end` bytes of the hour's file, which are lines_end bytes of
 * lines. False and errno when the file cannot be read. */
bool hb_index_maker_finish(hb_index_maker *maker, int file, uint64_t end, uint64_t lines_end, hb_bytes *index);

/* Writes an index beside its hour. False when that was not possible: the index is then missing, nothing else. */
bool hb_index_write(const hb_log *log, int64_t hour, hb_bytes index);

/* Makes and writes the index of a compressed hour, of which `file` is open. False when the hour cannot be read to its
 * end, or the index not written. */
bool hb_index_make(const hb_log *log, int64_t hour, int file);

/* ---- Reading ---- */

typedef struct hb_index hb_index;

/* Opens the index of an hour whose compressed file is open. NULL when there is none that fits. */
hb_index *hb_index_open(const hb_log *log, int64_t hour, int file);
void hb_index_close(hb_index *index);

/* The same for an index that is open already, wherever it is; takes the descriptor over. For tests. */
hb_index *hb_index_open_file(int index_file, int64_t hour, int file);

uint64_t hb_index_end(const hb_index *index);       /* of what it covers, in the hour's file */
uint64_t hb_index_lines_end(const hb_index *index); /* the same in bytes of lines */

/* Finds the frames whose filters hold all keys, in the order of the file; without keys, all. *frames is the caller's,
 * to be freed with free(), whatever comes back. False when the index turns out to be damaged. */
bool hb_index_find(const hb_index *index, const uint64_t *keys, size_t key_count, hb_index_frame **frames,
                   size_t *count);

/* Where the frame behind this one begins, trailer passed over. */
uint64_t hb_index_frame_end(const hb_index *index, const hb_index_frame *frame);

#endif
