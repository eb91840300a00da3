/* json.h - writing JSON (RFC 8259) straight into a buffer: answers and events are written far more often than read, and
 * need no tree. Reading JSON is jansson's work.
 *
 *     hb_json_open(out, '{');  hb_json_key(out, "rank");  hb_json_number(out, 1);  hb_json_close(out, '}');
 *
 * Commas are set from what stands in the buffer before, so callers never count. */
#ifndef HB_SERVE_JSON_H
#define HB_SERVE_JSON_H

#include "base/memory.h"

void hb_json_open(hb_buffer *out, char bracket); /* '{' or '[' */
void hb_json_close(hb_buffer *out, char bracket);
void hb_json_key(hb_buffer *out, const char *key); /* a literal without characters to escape */
void hb_json_text(hb_buffer *out, hb_bytes text);  /* any bytes; what is not UTF-8 becomes U+FFFD */
void hb_json_number(hb_buffer *out, int64_t number);
void hb_json_unsigned(hb_buffer *out, uint64_t number);
void hb_json_real(hb_buffer *out, double number, int decimals); /* null when not finite */
void hb_json_bool(hb_buffer *out, bool value);
void hb_json_null(hb_buffer *out);

#endif
