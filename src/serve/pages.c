/* pages.c - a table over the bytes that files.S puts into the program. */
#include "serve/pages.h"

#include "base/map.h"

#include <inttypes.h>
#include <stdio.h>

#define EMBEDDED(name) extern const char hb_file_##name[], hb_file_##name##_end[]
EMBEDDED(index_html);
EMBEDDED(app_js);
EMBEDDED(style_css);
EMBEDDED(uplot_js);
EMBEDDED(uplot_css);
EMBEDDED(openapi_json);

#define HTML   "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE  "text/css; charset=utf-8"

static const struct {
    const char *path;
    const char *content_type;
    const char *start;
    const char *end;
} files[] = {
    {"/", HTML, hb_file_index_html, hb_file_index_html_end},
    {"/index.html", HTML, hb_file_index_html, hb_file_index_html_end},
    {"/app.js", SCRIPT, hb_file_app_js, hb_file_app_js_end},
    {"/style.css", STYLE, hb_file_style_css, hb_file_style_css_end},
    {"/vendor/uPlot.iife.min.js", SCRIPT, hb_file_uplot_js, hb_file_uplot_js_end},
    {"/vendor/uPlot.min.css", STYLE, hb_file_uplot_css, hb_file_uplot_css_end},
    {"/openapi.json", "application/json", hb_file_openapi_json, hb_file_openapi_json_end},
};

bool hb_page_find(hb_bytes path, hb_page *page)
{
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
