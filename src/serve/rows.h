/* rows.h - the rows inside an answer's JSON, as text: live events send them on, and compare them with those before. */
#ifndef HB_SERVE_ROWS_H
#define HB_SERVE_ROWS_H

#include "base/bytes.h"

/* The answer's rows with their brackets ("[{…},{…}]"); rows are the last that an answer holds. Empty when there are
 * none. */
hb_bytes hb_rows_of(hb_bytes answer);

/* Takes the next row ("{…}") off rows; false at the end. Start with what hb_rows_of gave. */
bool hb_rows_next(hb_bytes *rows, hb_bytes *row);

#endif
