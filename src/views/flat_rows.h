/* flat_rows.h - a layer's changes as one run of bytes, in the form that hubbub.h describes under "Rows". For engines
 * that call the layers from another language; a store in this program takes hb_changes as they are. */
#ifndef HB_VIEWS_FLAT_ROWS_H
#define HB_VIEWS_FLAT_ROWS_H

#include "base/memory.h"
#include "views/changes.h"
#include "views/top.h"

/* Appends the changes to *out: first the progress (whoever writes rows needs its position; he writes it last), then the
 * replacement, then rows, each sheet followed by its ranks. */
void hb_flat_rows_write(const hb_changes *changes, hb_top_room *room, hb_buffer *out);

#endif
