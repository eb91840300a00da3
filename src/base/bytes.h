/* bytes.h - what one does with a slice (hb_bytes, see hubbub.h). Nothing here allocates. */
#ifndef HB_BASE_BYTES_H
#define HB_BASE_BYTES_H

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
