/* utf8.c - decoding by the table of well-formed sequences (Unicode, table 3-7): the range of the second byte depends on
 * the first, all later ones are 80 to BF. So overlong forms, surrogates and what lies beyond U+10FFFF are never taken.
 */
#include "text/utf8.h"

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* How many bytes follow a first byte (1 to 3; 0 where it cannot begin a sequence), and what the second may be. */
static size_t sequence_of(unsigned char first, unsigned char *second_min, unsigned char *second_max)
{
    *second_min = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *second_max = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : 0;
}

uint32_t hb_utf8_next(hb_bytes text, size_t *at, bool *bad)
{
    const unsigned char first = (unsigned char)text.data[(*at)++];
    if (first < 0x80)
        return first;
    unsigned char second_min = 0;
    unsigned char second_max = 0;
    const size_t more = sequence_of(first, &second_min, &second_max);
    uint32_t code_point = first & (0x3fu >> more);
    for (size_t i = 0; i < more; i++) {
        const unsigned char c = *at < text.size ? (unsigned char)text.data[*at] : 0;
        if (i == 0 ? c < second_min || c > second_max : !is_continuation(c)) {
            *bad = true;
            return HB_UTF8_REPLACEMENT;
        }
        code_point = code_point << 6 | (c & 0x3fu);
        (*at)++;
    }
    if (more == 0) {
        *bad = true;
        return HB_UTF8_REPLACEMENT;
    }
    return code_point;
}

size_t hb_utf8_put(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    const size_t more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[more] | code_point >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (code_point >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

size_t hb_utf8_ascii(hb_bytes text)
{
    size_t at = 0;
    for (uint64_t eight; at + sizeof eight <= text.size; at += sizeof eight) {
        memcpy(&eight, text.data + at, sizeof eight);
        if ((eight & 0x8080808080808080u) != 0)
            break;
    }
    while (at < text.size && (unsigned char)text.data[at] < 0x80)
        at++;
    return at;
}

bool hb_utf8_valid(hb_bytes text)
{
    bool bad = false;
    for (size_t at = hb_utf8_ascii(text); at < text.size && !bad;)
        hb_utf8_next(text, &at, &bad);
    return !bad;
}

hb_bytes hb_utf8_repair(hb_bytes text, hb_buffer *room)
{
    if (hb_utf8_valid(text))
        return text;
    room->size = 0;
    bool bad = false;
    for (size_t at = 0; at < text.size;) {
        const uint32_t code_point = hb_utf8_next(text, &at, &bad);
        room->size += hb_utf8_put(code_point, hb_buffer_room(room, 4));
    }
    return hb_buffer_bytes(room);
}
