/* words_link.c - the host of a link, and what else words ask of code points.
 *
 * A chunk is a link where it begins with `http://`, `https://` or `www.` and a host follows. The host is read as a
 * browser would (WHATWG URL Standard) where that makes sense in chat, in which links are followed by anything:
 * - behind a scheme, what ends at the first `/`, `?`, `#` or `\` is looked at, and what stands before its last `@` is
 *   user info and passed over;
 * - the host is the run of letters, digits and combining marks of any script, `-`, `_` and `.` (so a port, a comma or
 *   a bracket end it), or an IPv6 address in brackets, which are kept;
 * - dots at its end are dropped; it must begin with a letter or digit (after `www.` too), else the chunk is no link.
 */
#include "text/words_paths.h"

#include "text/utf8.h"

#include <unicode/uchar.h>

static bool is_in_host(uint32_t code_point)
{
    if (code_point < 0x80)
        return (code_point >= 'a' && code_point <= 'z') || (code_point >= '0' && code_point <= '9') ||
               code_point == '-' || code_point == '_' || code_point == '.';
    return (U_GET_GC_MASK((UChar32)code_point) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK)) != 0 &&
           !u_hasBinaryProperty((UChar32)code_point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static bool starts_with(hb_bytes text, uint32_t categories)
{
    if (text.size == 0)
        return false;
    size_t at = 0;
    bool bad = false;
    return (U_GET_GC_MASK((UChar32)hb_utf8_next(text, &at, &bad)) & categories) != 0;
}

bool hb_words_starts_with_letter(hb_bytes text)
{
    return starts_with(text, U_GC_L_MASK);
}

bool hb_words_invisible(hb_bytes text)
{
    bool bad = false;
    for (size_t at = 0; at < text.size;)
        if ((unsigned char)text.data[at] < 0x80 ||
            !u_hasBinaryProperty((UChar32)hb_utf8_next(text, &at, &bad), UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
            return false;
    return true;
}

hb_bytes hb_words_lower(hb_bytes text, hb_arena *room)
{
    if (hb_utf8_ascii(text) == text.size)
        return text;
    char *lower = hb_arena_alloc(room, text.size * 2); /* no code point's lower case takes over twice its bytes */
    size_t size = 0;
    bool bad = false;
    for (size_t at = 0; at < text.size;)
        size += hb_utf8_put((uint32_t)u_tolower((UChar32)hb_utf8_next(text, &at, &bad)), lower + size);
    return (hb_bytes){lower, size};
}

static bool ends_authority(char c)
{
    return c == '/' || c == '?' || c == '#' || c == '\\';
}

/* What is between a scheme and the path, without user info. */
static hb_bytes authority_of(hb_bytes rest)
{
    size_t start = 0;
    size_t end = 0;
    for (; end < rest.size && !ends_authority(rest.data[end]); end++)
        if (rest.data[end] == '@')
            start = end + 1;
    return (hb_bytes){rest.data + start, end - start};
}

static hb_bytes ipv6_of(hb_bytes authority)
{
    bool colon = false;
    for (size_t i = 1; i < authority.size; i++) {
        const char c = authority.data[i];
        if (c == ']')
            return (hb_bytes){authority.data, colon ? i + 1 : 0};
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.'))
            break;
        colon = colon || c == ':';
    }
    return (hb_bytes){0};
}

static hb_bytes host_of(hb_bytes authority)
{
    if (hb_bytes_start_with(authority, HB_BYTES("[")))
        return ipv6_of(authority);
    if (!starts_with(authority, U_GC_L_MASK | U_GC_N_MASK))
        return (hb_bytes){0};
    bool bad = false;
    size_t size = 0;
    for (size_t at = 0; at < authority.size && is_in_host(hb_utf8_next(authority, &at, &bad));)
        size = at;
    while (size > 0 && authority.data[size - 1] == '.')
        size--;
    return (hb_bytes){authority.data, size};
}

hb_bytes hb_words_link_host(hb_bytes chunk)
{
    const hb_bytes http = HB_BYTES("http://");
    const hb_bytes https = HB_BYTES("https://");
    const hb_bytes www = HB_BYTES("www.");
    if (hb_bytes_start_with(chunk, http))
        return host_of(authority_of(hb_bytes_from(chunk, http.size)));
    if (hb_bytes_start_with(chunk, https))
        return host_of(authority_of(hb_bytes_from(chunk, https.size)));
    if (!hb_bytes_start_with(chunk, www) || !starts_with(hb_bytes_from(chunk, www.size), U_GC_L_MASK | U_GC_N_MASK))
        return (hb_bytes){0};
    const hb_bytes host = host_of(chunk);
    return host.size > www.size ? host : (hb_bytes){0};
}
