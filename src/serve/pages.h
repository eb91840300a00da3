/* pages.h - the dashboard's files and the API's description, held in the program itself: one binary serves everything,
 * with no internet and no files beside it. */
#ifndef HB_SERVE_PAGES_H
#define HB_SERVE_PAGES_H

#include "base/bytes.h"

typedef struct hb_page {
    const char *path; /* "/app.js" */
    const char *content_type;
    hb_bytes content;
    hb_bytes zipped; /* the same in gzip */
    char tag[24];    /* the ETag: a quoted hash of the content; weak, since it stands for both */
} hb_page;

/* Finds the page at a path ("/" is the dashboard itself); false when there is none. */
bool hb_page_find(hb_bytes path, hb_page *page);

/* Whether an Accept-Encoding header (RFC 9110 section 12.5.3) takes gzip. */
bool hb_page_takes_gzip(hb_bytes accept_encoding);

/* Whether an If-None-Match header (RFC 9110 section 13.1.2) names the tag. */
bool hb_page_tag_matches(hb_bytes if_none_match, const char *tag);

#endif
