/* csv.h - text as CSV (RFC 4180). */
#ifndef HB_SERVE_CSV_H
#define HB_SERVE_CSV_H

#include "base/memory.h"

/* Appends a text, in quotes where that is needed. */
void hb_csv_text(hb_buffer *out, hb_bytes text);

#endif
