/* rows.c - finds where rows begin and end. The JSON is hubbub's own, so braces and strings are all there is to look at.
 */
#include "serve/rows.h"

hb_bytes hb_rows_of(hb_bytes answer)
{
    const hb_bytes key = HB_BYTES("\"rows\":");
    const char *start = answer.size < key.size ? NULL : memmem(answer.data, answer.size, key.data, key.size);
    if (start == NULL || answer.data[answer.size - 1] != '}')
        return (hb_bytes){NULL, 0};
    const hb_bytes rows = hb_bytes_from(answer, (size_t)(start - answer.data) + key.size);
    return (hb_bytes){rows.data, rows.size - 1};
}

bool hb_rows_next(hb_bytes *rows, hb_bytes *row)
{
    const char *start = rows->size == 0 ? NULL : memchr(rows->data, '{', rows->size);
    unsigned depth = 0;
    bool in_text = false;
    if (start == NULL)
        return false;
    const hb_bytes rest = hb_bytes_from(*rows, (size_t)(start - rows->data));
    for (size_t i = 0; i < rest.size; i++) {
        const char c = rest.data[i];
        if (in_text) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            *row = (hb_bytes){rest.data, i + 1};
            *rows = hb_bytes_from(rest, i + 1);
            return true;
        }
    }
    return false;
}
