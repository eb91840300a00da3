/* frames.h - an hour at rest: standard zstd, in independent frames that can be found without decoding.
 *
 * Each frame holds whole lines, 128 KiB of them at most, with its content's size and checksum. Behind it stands a
 * skippable frame (RFC 8878, section 3.1.2), which zstd passes over: the frame's trailer, all numbers little-endian:
 *
 *     4 bytes  0x184D2A5A     8 bytes of data follow their own count:
 *     4 bytes  16
 *     4 bytes  size of the frame before it, compressed
 *     4 bytes  size of its lines
 *     8 bytes  where its lines end, counted in bytes of lines from the start of the file
 *
 * So the last 24 bytes tell whether a file ends with a whole frame and how many bytes of lines it holds, and a reader
 * finds an offset by stepping back from trailer to trailer. A file without trailers (compressed by hand) is read all
 * the same, if its frames hold at most HB_FRAME_LINES_MAX bytes each.
 */
#ifndef HB_LOG_FRAMES_H
#define HB_LOG_FRAMES_H

#include "base/memory.h"

enum {
    HB_FRAME_LINES = 128 << 10,   /* lines that one frame is made of, at most; see frames.c */
    HB_FRAME_LINES_MAX = 4 << 20, /* what a frame may hold to be read */
    HB_FRAME_TRAILER = 24
};

/* ---- Making frames ---- */

typedef struct hb_frame_maker hb_frame_maker;

hb_frame_maker *hb_frame_maker_open(void);
void hb_frame_maker_close(hb_frame_maker *maker);

/* Compresses lines (1 to HB_FRAME_LINES bytes) to a frame with room for its trailer. It belongs to the maker, until the
 * next call. */
hb_bytes hb_frame_make(hb_frame_maker *maker, hb_bytes lines);

/* Fills in the trailer of the frame made last: lines_before are the bytes of lines that stand before it. */
void hb_frame_place(hb_frame_maker *maker, uint64_t lines_before);

/* The front part of text that makes one frame: whole lines, at most HB_FRAME_LINES bytes of them. Empty when there is
 * no line end within that. */
hb_bytes hb_frame_cut(hb_bytes text);

/* ---- Reading frames ---- */

typedef struct hb_frames hb_frames;

typedef enum hb_frames_status {
    HB_FRAMES_OK,
    HB_FRAMES_END,   /* no further whole frame for now */
    HB_FRAMES_BAD,   /* what stands here is no frame, and it is no append in progress either */
    HB_FRAMES_FAILED /* the operating system refused to read: errno */
} hb_frames_status;

typedef struct hb_frame {
    uint64_t at;        /* in the file */
    uint64_t lines_at;  /* of its first line, in bytes of lines from the file's start */
    uint64_t lines_end; /* behind its last line */
    hb_bytes data;      /* compressed, without trailer; the reader's, until the next call */
} hb_frame;

/* Reads frames of an open file, from its start. Does not close the file. */
hb_frames *hb_frames_open(int file);
void hb_frames_close(hb_frames *frames);

/* Finds the next frame that holds lines. */
hb_frames_status hb_frames_next(hb_frames *frames, hb_frame *frame);

/* Undoes a frame into lines (cleared first). False when its bytes are damaged or its last line has no end. */
bool hb_frames_decode(hb_frames *frames, const hb_frame *frame, hb_buffer *lines);

/* After HB_FRAMES_BAD (then undecodable is NULL), or after a frame that could not be decoded: goes on at the next place
 * behind it that looks like a frame, or at the file's end. Returns that place. The size that damaged bytes claim to
 * have is not believed. */
uint64_t hb_frames_skip(hb_frames *frames, const hb_frame *undecodable);

/* Makes the next frame the one that holds the byte at an offset of the lines, or the one behind the last. */
hb_frames_status hb_frames_seek(hb_frames *frames, uint64_t offset);

/* Goes to a frame that is known to begin at `at` in the file, and at lines_at in bytes of lines; size: of the frame
 * with its trailer, as far as that is known (else 0), so that no more is read. */
void hb_frames_go(hb_frames *frames, uint64_t at, uint64_t lines_at, uint64_t size);

/* Where the next frame begins, in the file and in bytes of lines. */
void hb_frames_tell(const hb_frames *frames, uint64_t *at, uint64_t *lines_at);

/* Reads the trailer that ends at file_size: false when there is none (the file is torn, or was not made by hubbub). */
bool hb_frames_tail(int file, uint64_t file_size, uint64_t *lines_end);

#endif
