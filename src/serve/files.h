/* files.h - the files that the program holds: name, path over HTTP, file below web/ or src/serve/, content type. Read
 * by files.S (the bytes) and pages.c (the table). A new file needs a line here and one in meson.build. */
#ifndef HB_SERVE_FILES_H
#define HB_SERVE_FILES_H

#define HB_HTML   "text/html; charset=utf-8"
#define HB_SCRIPT "text/javascript; charset=utf-8"
#define HB_STYLE  "text/css; charset=utf-8"
#define HB_JSON   "application/json"

/* clang-format off */
#define HB_FILES(FILE)                                                              \
    FILE(index_html, "/", "index.html", HB_HTML)                                    \
    FILE(app_js, "/app.js", "app.js", HB_SCRIPT)                                    \
    FILE(style_css, "/style.css", "style.css", HB_STYLE)                            \
    FILE(uplot_js, "/vendor/uPlot.iife.min.js", "vendor/uPlot.iife.min.js", HB_SCRIPT) \
    FILE(uplot_css, "/vendor/uPlot.min.css", "vendor/uPlot.min.css", HB_STYLE)      \
    FILE(openapi_json, "/openapi.json", "openapi.json", HB_JSON)
/* clang-format on */

#endif
