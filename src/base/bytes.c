/* bytes.c - the slice functions that are too long to be inline. */
#include "base/bytes.h"

bool hb_bytes_cut(hb_bytes *rest, char separator, hb_bytes *part)
{
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->data, separator, rest->size);
    *part = (hb_bytes){rest->data, end == NULL ? rest->size : (size_t)(end - rest->data)};
    *rest = hb_bytes_from(*rest, end == NULL ? rest->size : part->size + 1);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

hb_bytes hb_bytes_trim(hb_bytes text)
{
    while (text.size > 0 && is_blank(text.data[0]))
        text = hb_bytes_from(text, 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

bool hb_bytes_to_u64(hb_bytes text, uint64_t *number)
{
    enum { SURE_DIGITS = 19 }; /* so many digits always fit */
    uint64_t value = 0;
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const unsigned digit = (unsigned)((unsigned char)text.data[i] - '0');
        if (digit > 9 || (i >= SURE_DIGITS && value > (UINT64_MAX - digit) / 10))
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

hb_bytes hb_bytes_lower(hb_bytes text, char *out)
{
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return (hb_bytes){out, text.size};
}
