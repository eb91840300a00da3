/* json.c - see json.h. Besides what RFC 8259 demands, U+2028, U+2029 and DEL are escaped, and "</" too, so that an
 * answer stays harmless wherever somebody pastes it. */
#include "serve/json.h"

#include "text/utf8.h"

#include <inttypes.h>
#include <math.h>

/* A value or key that follows another needs a comma; one behind an opening bracket, a key's colon, or nothing does not.
 */
static void separate(hb_buffer *out)
{
    const char last = out->size == 0 ? '\n' : out->data[out->size - 1];
    if (strchr("[{:\n ", last) == NULL)
        hb_buffer_append_char(out, ',');
}

void hb_json_open(hb_buffer *out, char bracket)
{
    separate(out);
    hb_buffer_append_char(out, bracket);
}

void hb_json_close(hb_buffer *out, char bracket)
{
    hb_buffer_append_char(out, bracket);
}

void hb_json_key(hb_buffer *out, const char *key)
{
    separate(out);
    hb_buffer_print(out, "\"%s\":", key);
}

static void append_escaped(hb_buffer *out, uint32_t code_point, char before)
{
    static const char plain[] = "\b\f\n\r\t\"\\";
    static const char names[] = "bfnrt\"\\";
    const char *found = code_point != 0 && code_point < 0x80 ? strchr(plain, (int)code_point) : NULL;
    if (found != NULL)
        hb_buffer_print(out, "\\%c", names[found - plain]);
    else if (code_point < 0x20 || code_point == 0x7f || code_point == 0x2028 || code_point == 0x2029)
        hb_buffer_print(out, "\\u%04x", (unsigned)code_point);
    else if (code_point == '/' && before == '<')
        hb_buffer_append(out, HB_BYTES("\\/"));
    else
        out->size += hb_utf8_put(code_point, hb_buffer_room(out, 4));
}

void hb_json_text(hb_buffer *out, hb_bytes text)
{
    bool bad = false;
    separate(out);
    hb_buffer_append_char(out, '"');
    for (size_t at = 0; at < text.size;) {
        const char before = at == 0 ? '\0' : text.data[at - 1];
        append_escaped(out, hb_utf8_next(text, &at, &bad), before);
    }
    hb_buffer_append_char(out, '"');
}

void hb_json_number(hb_buffer *out, int64_t number)
{
    separate(out);
    hb_buffer_print(out, "%" PRId64, number);
}

void hb_json_unsigned(hb_buffer *out, uint64_t number)
{
    separate(out);
    hb_buffer_print(out, "%" PRIu64, number);
}

void hb_json_real(hb_buffer *out, double number, int decimals)
{
    separate(out);
    if (isfinite(number))
        hb_buffer_print(out, "%.*f", decimals, number);
    else
        hb_buffer_append(out, HB_BYTES("null"));
}

void hb_json_bool(hb_buffer *out, bool value)
{
    separate(out);
    hb_buffer_append(out, value ? HB_BYTES("true") : HB_BYTES("false"));
}

void hb_json_null(hb_buffer *out)
{
    separate(out);
    hb_buffer_append(out, HB_BYTES("null"));
}
