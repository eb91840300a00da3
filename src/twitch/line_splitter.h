/* line_splitter.h - a stream of bytes, in chunks of any size, into lines. */
#ifndef HB_TWITCH_LINE_SPLITTER_H
#define HB_TWITCH_LINE_SPLITTER_H

#include "base/memory.h"

/* Bytes before a line's LF. Twitch's longest lines (tags 8,191, the rest 512, some of its own make more) are far below;
 * what is longer is no chat, and is skipped up to its end. */
enum { HB_LINE_MAX = 64 * 1024 };

typedef struct hb_line_splitter { /* zero-initialise; free with hb_line_splitter_free */
    hb_buffer kept;               /* the beginning of a line whose end has not come yet */
    bool skipping;                /* inside a line that is too long */
    uint64_t too_long;            /* lines skipped so far */
} hb_line_splitter;

/* Takes one line, without LF or CR LF, never empty; it holds until return. False: no more lines are wanted. */
typedef bool (*hb_line_taker)(void *context, hb_bytes line);

/* Hands over the lines that end in this chunk, and keeps what is behind the last one. The lines do not depend on how
 * the stream is cut into chunks. False when the taker wanted no more; the rest of the chunk is then forgotten. */
bool hb_line_splitter_feed(hb_line_splitter *splitter, hb_bytes chunk, hb_line_taker take, void *context);

void hb_line_splitter_free(hb_line_splitter *splitter);

#endif
