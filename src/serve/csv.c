/* csv.c - quotes stand around what holds a comma, a quote or a line end; a quote inside is doubled. */
#include "serve/csv.h"

void hb_csv_text(hb_buffer *out, hb_bytes text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        quoted = quoted || c == ',' || c == '"' || c == '\r' || c == '\n';
    }
    if (!quoted) {
        hb_buffer_append(out, text);
        return;
    }
    hb_buffer_append_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            hb_buffer_append_char(out, '"');
        hb_buffer_append_char(out, text.data[i]);
    }
    hb_buffer_append_char(out, '"');
}
