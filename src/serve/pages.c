/* pages.c - a table over the bytes that files.S puts into the program. */
#include "serve/pages.h"

#include "base/map.h"
#include "serve/files.h"

#include <inttypes.h>
#include <stdio.h>

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

bool hb_page_find(hb_bytes path, hb_page *page)
{
    if (hb_bytes_equal(path, HB_BYTES("/")))
        path = HB_BYTES("/index.html");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (hb_bytes_equal(hb_bytes_of(files[i].path), path)) {
            page->path = files[i].path;
            page->content_type = files[i].content_type;
            page->content = (hb_bytes){files[i].start, (size_t)(files[i].end - files[i].start)};
            snprintf(page->tag, sizeof page->tag, "\"%016" PRIx64 "\"", hb_hash(page->content, 0));
            return true;
        }
    return false;
}

bool hb_page_tag_matches(hb_bytes if_none_match, const char *tag)
{
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
