/* shown.h - text from chat as a terminal may see it. */
#ifndef HB_TEXT_SHOWN_H
#define HB_TEXT_SHOWN_H

#include "base/memory.h"

/* Appends text, at most `columns` columns of it: what is longer is cut and ends with "…". Returns how many columns it
 * takes. Control characters, line ends and what turns the direction of writing come out as '?', so that nothing can
 * move the cursor or dress up as something else; bytes that are not UTF-8 as U+FFFD. */
unsigned hb_shown_append(hb_buffer *out, hb_bytes text, unsigned columns);

/* Appends one character that is filled from below to this share (0 or less: not at all; 1 or more: all of it), in
 * eighths; what is over 0 is seen. ascii: with a character of ASCII. */
void hb_shown_append_bar(hb_buffer *out, double share, bool ascii);

#endif
