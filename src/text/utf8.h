/* utf8.h - code points out of bytes that may be anything (RFC 3629; errors as the WHATWG Encoding Standard treats
 * them).
 */
#ifndef HB_TEXT_UTF8_H
#define HB_TEXT_UTF8_H

#include "base/memory.h"

enum { HB_UTF8_REPLACEMENT = 0xfffd };

/* Takes the code point at text.data[*at] (*at < text.size) and moves *at behind it. Bytes that are not UTF-8 give
 * HB_UTF8_REPLACEMENT, one for each maximal part of a sequence that could have become valid ("maximal subpart", Unicode
 * section 3.9), and *bad is set; otherwise *bad stays as it was. */
uint32_t hb_utf8_next(hb_bytes text, size_t *at, bool *bad);

/* Writes a code point (0 to 0x10ffff, no surrogate) to out, which has room for 4 bytes; returns how many were written.
 */
size_t hb_utf8_put(uint32_t code_point, char out[4]);

/* How many bytes at the front are ASCII. */
size_t hb_utf8_ascii(hb_bytes text);

bool hb_utf8_valid(hb_bytes text);

/* The same text as valid UTF-8: text itself when it is valid, else a copy in room (cleared first) with each bad part
 * replaced by U+FFFD. */
hb_bytes hb_utf8_repair(hb_bytes text, hb_buffer *room);

#endif
