/* bytes.h - what one does with a slice (hb_bytes, see hubbub.h). Nothing here allocates. */
#ifndef HB_BASE_BYTES_H
#define HB_BASE_BYTES_H

#include <endian.h>
#include <hubbub.h>
#include <string.h>

/* A slice of a string literal, without its NUL. */
#define HB_BYTES(literal) ((hb_bytes){(literal), sizeof(literal) - 1})

/* printf("%.*s", HB_PRINT(bytes)): at most INT_MAX bytes are printed. */
#define HB_PRINT(bytes) (int)((bytes).size > 0x7fffffff ? 0x7fffffff : (bytes).size), ((bytes).data ? (bytes).data : "")

static inline hb_bytes hb_bytes_of(const char *text)
{
    return (hb_bytes){text, strlen(text)};
}

static inline bool hb_bytes_equal(hb_bytes a, hb_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool hb_bytes_start_with(hb_bytes text, hb_bytes start)
{
    return text.size >= start.size && (start.size == 0 || memcmp(text.data, start.data, start.size) == 0);
}

/* Orders as memcmp does, a prefix before what it begins: <0, 0, >0. */
static inline int hb_bytes_compare(hb_bytes a, hb_bytes b)
{
    const size_t shared = a.size < b.size ? a.size : b.size;
    const int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The first eight bytes as a number, the first of them its lowest byte; zeros stand for those that are not there. */
static inline uint64_t hb_bytes_start(hb_bytes text)
{
    uint64_t eight = 0;
    uint32_t four[2];
    if (text.size >= sizeof eight) {
        memcpy(&eight, text.data, sizeof eight);
        return le64toh(eight);
    }
    if (text.size >= sizeof *four) { /* two that overlap */
        memcpy(&four[0], text.data, sizeof *four);
        memcpy(&four[1], text.data + text.size - sizeof *four, sizeof *four);
        return le32toh(four[0]) | (uint64_t)le32toh(four[1]) << (8 * (text.size - sizeof *four));
    }
    if (text.size == 0)
        return 0;
    const unsigned char *const bytes = (const unsigned char *)text.data;
    const size_t middle = text.size / 2; /* of one to three bytes: the first, the last, or that between them */
    const size_t last = text.size - 1;
    return bytes[0] | (uint64_t)bytes[middle] << (8 * middle) | (uint64_t)bytes[last] << (8 * last);
}

/* The part from offset start (at most size) to the end. */
static inline hb_bytes hb_bytes_from(hb_bytes text, size_t start)
{
    return (hb_bytes){text.data + start, text.size - start};
}

/* Takes the part before the next separator off *rest, and the separator; false when *rest is empty. */
bool hb_bytes_cut(hb_bytes *rest, char separator, hb_bytes *part);

/* The text without blanks, tabs and CRs at its ends. */
hb_bytes hb_bytes_trim(hb_bytes text);

/* Reads an unsigned decimal number that fills all of text; false when it does not, or is over 64 bits. */
bool hb_bytes_to_u64(hb_bytes text, uint64_t *number);

/* Copies text in lower case (ASCII only) to out, which has room for text.size bytes; returns the copy. */
hb_bytes hb_bytes_lower(hb_bytes text, char *out);

#endif
