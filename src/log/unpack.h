/* unpack.h - a file or pipe of text that may be compressed: plain, zstd or gzip, told apart by its first bytes.
 *
 * Several compressed files put behind one another (cat a.gz b.zst) are read as one text. */
#ifndef HB_LOG_UNPACK_H
#define HB_LOG_UNPACK_H

#include "base/memory.h"

typedef struct hb_unpack hb_unpack;

/* Reads from an open descriptor; name is what messages call it (copied). Does not close the descriptor. */
hb_unpack *hb_unpack_open(int file, const char *name);
void hb_unpack_close(hb_unpack *unpack);

/* Reads the next bytes from the descriptor (one read: it may wait) and appends what they unpack to, about 1 MiB at
 * most; the rest follows with the next calls, which then read nothing. *more is false at the end. False:
 * HB_ERROR_CORRUPT (damaged, or it ends before its end; what was appended before is good), HB_ERROR_LIMIT (zstd with a
 * window over 128 MiB), HB_ERROR_SYSTEM. */
bool hb_unpack_read(hb_unpack *unpack, hb_buffer *out, bool *more, hb_error *error);

/* Whether the next hb_unpack_read will read from the descriptor. */
bool hb_unpack_hungry(const hb_unpack *unpack);

/* Bytes read from the descriptor so far. */
uint64_t hb_unpack_taken(const hb_unpack *unpack);

#endif
