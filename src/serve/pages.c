/* pages.c - a table over the bytes that files.S puts into the program. They are zipped once, when the first is asked
 * for: a third of the bytes go over the line. */
#include "serve/pages.h"

#include "base/map.h"
#include "base/memory.h"
#include "serve/files.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#define ZLIB_CONST
#include <zlib.h>

#define DECLARE(name, path, file, type) extern const char hb_file_##name[], hb_file_##name##_end[];
HB_FILES(DECLARE)

static const struct {
    const char *path;
    const char *content_type;
    const char *start;
    const char *end;
} files[] = {
#define ENTRY(name, path, file, type) {path, type, hb_file_##name, hb_file_##name##_end},
    HB_FILES(ENTRY)};

enum { FILES = sizeof files / sizeof *files, GZIP_WINDOW = 15 + 16 };

static hb_bytes zipped[FILES];
static pthread_once_t zipped_once = PTHREAD_ONCE_INIT;

static hb_bytes zip(hb_bytes content)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        hb_out_of_memory(content.size);
    const size_t room = deflateBound(&stream, content.size);
    char *const out = hb_alloc(room);
    stream.next_in = (const Bytef *)content.data;
    stream.avail_in = (uInt)content.size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    deflate(&stream, Z_FINISH); /* cannot fail: there is room for all of it */
    const hb_bytes result = {out, stream.total_out};
    deflateEnd(&stream);
    return result;
}

static void zip_all(void)
{
    for (size_t i = 0; i < FILES; i++)
        zipped[i] = zip((hb_bytes){files[i].start, (size_t)(files[i].end - files[i].start)});
}

bool hb_page_find(hb_bytes path, hb_page *page)
{
    if (hb_bytes_equal(path, HB_BYTES("/")))
        path = HB_BYTES("/index.html");
    pthread_once(&zipped_once, zip_all);
    for (size_t i = 0; i < FILES; i++)
        if (hb_bytes_equal(hb_bytes_of(files[i].path), path)) {
            page->path = files[i].path;
            page->content_type = files[i].content_type;
            page->content = (hb_bytes){files[i].start, (size_t)(files[i].end - files[i].start)};
            page->zipped = zipped[i];
            snprintf(page->tag, sizeof page->tag, "W/\"%016" PRIx64 "\"", hb_hash(page->content, 0));
            return true;
        }
    return false;
}

bool hb_page_takes_gzip(hb_bytes accept_encoding)
{
    hb_bytes item;
    while (hb_bytes_cut(&accept_encoding, ',', &item)) {
        hb_bytes name = {NULL, 0};
        hb_bytes_cut(&item, ';', &name);
        if (hb_bytes_equal(hb_bytes_trim(name), HB_BYTES("gzip")))
            return !hb_bytes_start_with(hb_bytes_trim(item), HB_BYTES("q=0")) ||
                   memchr(item.data, '.', item.size) != NULL;
    }
    return false;
}

/* Compares weakly (section 8.8.3.2). */
bool hb_page_tag_matches(hb_bytes if_none_match, const char *tag)
{
    if (strncmp(tag, "W/", 2) == 0)
        tag += 2;
    hb_bytes item;
    while (hb_bytes_cut(&if_none_match, ',', &item)) {
        while (item.size > 0 && (item.data[0] == ' ' || item.data[0] == '\t'))
            item = hb_bytes_from(item, 1);
        while (item.size > 0 && (item.data[item.size - 1] == ' ' || item.data[item.size - 1] == '\t'))
            item.size--;
        if (hb_bytes_start_with(item, HB_BYTES("W/")))
            item = hb_bytes_from(item, 2);
        if (hb_bytes_equal(item, HB_BYTES("*")) || hb_bytes_equal(item, hb_bytes_of(tag)))
            return true;
    }
    return false;
}
