/* shown.c - counts columns as terminals do: two for wide characters (UAX #11) and emoji, none for marks that combine
 * with what is before them. */
#include "text/shown.h"

#include "text/utf8.h"

#include <unicode/uchar.h>

static bool is_unsafe(uint32_t code_point)
{
    const int category = u_charType((UChar32)code_point);
    return category == U_CONTROL_CHAR || category == U_LINE_SEPARATOR || category == U_PARAGRAPH_SEPARATOR ||
           u_hasBinaryProperty((UChar32)code_point, UCHAR_BIDI_CONTROL);
}

/* Columns that a terminal gives a code point. */
static unsigned width_of(uint32_t code_point)
{
    if (code_point < 0x300)
        return 1;
    const int category = u_charType((UChar32)code_point);
    if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR)
        return 0;
    const int width = u_getIntPropertyValue((UChar32)code_point, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

unsigned hb_shown_append(hb_buffer *out, hb_bytes text, unsigned columns)
{
    unsigned width = 0;
    size_t cut_size = out->size; /* where the text ends if it must be cut, with one column left for the mark */
    unsigned cut_width = 0;
    bool bad = false;
    if (columns == 0)
        return 0;
    for (size_t at = 0; at < text.size;) {
        uint32_t code_point = hb_utf8_next(text, &at, &bad);
        if (is_unsafe(code_point))
            code_point = '?';
        const unsigned more = width_of(code_point);
        if (width + more > columns || out->size - cut_size > (size_t)16 * columns) {
            out->size = cut_size;
            hb_buffer_append(out, HB_BYTES("\xe2\x80\xa6")); /* … */
            return cut_width + 1;
        }
        out->size += hb_utf8_put(code_point, hb_buffer_room(out, 4));
        width += more;
        if (width < columns) {
            cut_size = out->size;
            cut_width = width;
        }
    }
    return width;
}

void hb_shown_append_bar(hb_buffer *out, double share, bool ascii)
{
    static const char plain[] = " ._-=+*%#";
    const unsigned eighths = share <= 0 ? 0 : share >= 1 ? 8 : 1 + (unsigned)(share * 8 * (1 - 1e-9));
    if (ascii || eighths == 0)
        hb_buffer_append_char(out, plain[eighths]);
    else
        out->size += hb_utf8_put(0x2580 + eighths, hb_buffer_room(out, 4)); /* ▁ to █ */
}
