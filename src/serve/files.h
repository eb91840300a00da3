/* files.h - the files that the program holds: name, path over HTTP, file below web/ or src/serve/, content type. Read
 * by files.S (the bytes) and pages.c (the table). A new file needs a line here and one in meson.build. */
#ifndef HB_SERVE_FILES_H
#define HB_SERVE_FILES_H

#define HB_HTML   "text/html; charset=utf-8"
#define HB_SCRIPT "text/javascript; charset=utf-8"
#define HB_STYLE  "text/css; charset=utf-8"
#define HB_JSON   "application/json"
#define HB_TEXT   "text/plain; charset=utf-8"

/* clang-format off */
#define HB_FILES(FILE)                                                                  \
    FILE(index_html, "/index.html", "index.html", HB_HTML)                              \
    FILE(style_css, "/style.css", "style.css", HB_STYLE)                                \
    FILE(app_js, "/app.js", "app.js", HB_SCRIPT)                                        \
    FILE(api_js, "/api.js", "api.js", HB_SCRIPT)                                        \
    FILE(channel_js, "/channel.js", "channel.js", HB_SCRIPT)                            \
    FILE(chart_js, "/chart.js", "chart.js", HB_SCRIPT)                                  \
    FILE(dom_js, "/dom.js", "dom.js", HB_SCRIPT)                                        \
    FILE(feed_js, "/feed.js", "feed.js", HB_SCRIPT)                                     \
    FILE(format_js, "/format.js", "format.js", HB_SCRIPT)                               \
    FILE(live_js, "/live.js", "live.js", HB_SCRIPT)                                     \
    FILE(overview_js, "/overview.js", "overview.js", HB_SCRIPT)                         \
    FILE(table_js, "/table.js", "table.js", HB_SCRIPT)                                  \
    FILE(theme_js, "/theme.js", "theme.js", HB_SCRIPT)                                  \
    FILE(viewers_js, "/viewers.js", "viewers.js", HB_SCRIPT)                            \
    FILE(change_js, "/change.js", "change.js", HB_SCRIPT)                               \
    FILE(compare_js, "/compare.js", "compare.js", HB_SCRIPT)                            \
    FILE(emotes_js, "/emotes.js", "emotes.js", HB_SCRIPT)                               \
    FILE(engagement_js, "/engagement.js", "engagement.js", HB_SCRIPT)                   \
    FILE(moments_js, "/moments.js", "moments.js", HB_SCRIPT)                            \
    FILE(pan_js, "/pan.js", "pan.js", HB_SCRIPT)                                        \
    FILE(picker_js, "/picker.js", "picker.js", HB_SCRIPT)                               \
    FILE(ranges_js, "/ranges.js", "ranges.js", HB_SCRIPT)                               \
    FILE(search_js, "/search.js", "search.js", HB_SCRIPT)                               \
    FILE(spark_js, "/spark.js", "spark.js", HB_SCRIPT)                                  \
    FILE(uplot_js, "/vendor/uPlot.iife.min.js", "vendor/uPlot.iife.min.js", HB_SCRIPT)  \
    FILE(uplot_css, "/vendor/uPlot.min.css", "vendor/uPlot.min.css", HB_STYLE)          \
    FILE(uplot_licence, "/vendor/uPlot.LICENSE", "vendor/uPlot.LICENSE", HB_TEXT)       \
    FILE(openapi_json, "/openapi.json", "openapi.json", HB_JSON)
/* clang-format on */

#endif
