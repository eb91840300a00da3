/* line_splitter.c - lines that lie whole in a chunk, nearly all, are handed over where they are; only a line that is
 * cut by a chunk's end is put together in a buffer, which stays and never exceeds HB_LINE_MAX by much. */
#include "twitch/line_splitter.h"

static void keep(hb_line_splitter *splitter, hb_bytes part)
{
    if (splitter->skipping)
        return;
    if (splitter->kept.size + part.size > HB_LINE_MAX) {
        splitter->skipping = true;
        splitter->too_long++;
        splitter->kept.size = 0;
        return;
    }
    hb_buffer_append(&splitter->kept, part);
}

/* Puts the end of a line to its kept beginning. False when the line is to be skipped. */
static bool complete(hb_line_splitter *splitter, hb_bytes *line)
{
    if (splitter->kept.size > 0 || splitter->skipping || line->size > HB_LINE_MAX) {
        keep(splitter, *line);
        *line = hb_buffer_bytes(&splitter->kept);
    }
    const bool whole = !splitter->skipping;
    splitter->skipping = false;
    splitter->kept.size = 0; /* its bytes stay until the next chunk's end */
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return whole && line->size > 0;
}

bool hb_line_splitter_feed(hb_line_splitter *splitter, hb_bytes chunk, hb_line_taker take, void *context)
{
    while (chunk.size > 0) {
        const char *end = memchr(chunk.data, '\n', chunk.size);
        if (end == NULL) {
            keep(splitter, chunk);
            return true;
        }
        hb_bytes line = {chunk.data, (size_t)(end - chunk.data)};
        chunk = hb_bytes_from(chunk, line.size + 1);
        if (complete(splitter, &line) && !take(context, line))
            return false;
    }
    return true;
}

void hb_line_splitter_free(hb_line_splitter *splitter)
{
    hb_buffer_free(&splitter->kept);
}
