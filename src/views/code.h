/* code.h - what sheets and rankings are written down with: numbers and texts in a payload, and the seal around it.
 *
 *     three letters that tell the format, its version (1 byte)
 *     XXH3 (64 bits, little endian) of all that follows
 *     size of the plain payload (32 bits, little endian)
 *     the payload as one zstd frame
 *
 * Numbers in a payload are varints (7 bits a byte, the lowest first, the top bit on all bytes but the last). A text is
 * its size and its bytes. Reading takes nothing on trust: the checksum guards against torn writes, not against malice.
 */
#ifndef HB_VIEWS_CODE_H
#define HB_VIEWS_CODE_H

#include "base/memory.h"

typedef struct hb_code_format {
    char letters[3];
    unsigned char version;
    unsigned char oldest; /* version that can be read */
    const char *name;     /* "sheet", for messages */
    int level;            /* of zstd */
    size_t plain_max;     /* bytes of payload that are read at most */
} hb_code_format;

/* Seals a payload; *data is the caller's, to be freed with free(). */
void hb_code_seal(const hb_code_format *format, hb_bytes payload, char **data, size_t *size);

/* The version of what can be unsealed. */
static inline unsigned hb_code_version(hb_bytes data)
{
    return (unsigned char)data.data[3];
}

/* Opens the seal; *payload is the caller's, to be freed with free(). False: HB_ERROR_CORRUPT or HB_ERROR_VERSION. At
 * most plain_max bytes are taken, and no more than zstd could make of so many. */
bool hb_code_unseal(const hb_code_format *format, hb_bytes data, char **payload, size_t *size, hb_error *error);

#define HB_CODE_SENSELESS "what it holds makes no sense"

/* Fills *error: the bytes cannot be read; why. Returns false. */
bool hb_code_refuse(const hb_code_format *format, hb_error *error, const char *why);

/* ---- Writing ---- */

static inline void hb_code_put(hb_buffer *out, uint64_t number)
{
    char *room = hb_buffer_room(out, 10);
    size_t size = 0;
    for (; number >= 0x80; number >>= 7)
        room[size++] = (char)(number | 0x80);
    room[size++] = (char)number;
    out->size += size;
}

static inline void hb_code_put_signed(hb_buffer *out, int64_t number) /* zigzag */
{
    hb_code_put(out, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
}

static inline void hb_code_put_text(hb_buffer *out, hb_bytes text)
{
    hb_code_put(out, text.size);
    hb_buffer_append(out, text);
}

static inline void hb_code_put_fixed(char *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)(number >> (8 * i));
}

/* ---- Reading ---- */

typedef struct hb_code_reader {
    const char *data;
    size_t size;
    size_t at;
    bool bad; /* once set, everything reads as 0 */
} hb_code_reader;

static inline uint64_t hb_code_take_bad(hb_code_reader *in)
{
    in->bad = true;
    in->at = in->size;
    return 0;
}

static inline uint64_t hb_code_take(hb_code_reader *in)
{
    uint64_t number = 0;
    for (unsigned shift = 0; in->at < in->size && shift < 64; shift += 7) {
        const unsigned char byte = (unsigned char)in->data[in->at++];
        if (shift == 63 && byte > 1)
            break;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    return hb_code_take_bad(in);
}

static inline uint64_t hb_code_take_up_to(hb_code_reader *in, uint64_t most)
{
    const uint64_t number = hb_code_take(in);
    return number <= most ? number : hb_code_take_bad(in);
}

static inline int64_t hb_code_take_signed(hb_code_reader *in)
{
    const uint64_t number = hb_code_take(in);
    return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

static inline hb_bytes hb_code_take_bytes(hb_code_reader *in, size_t size)
{
    if (size > in->size - in->at) {
        hb_code_take_bad(in);
        return (hb_bytes){"", 0};
    }
    const hb_bytes bytes = {in->data + in->at, size};
    in->at += size;
    return bytes;
}

static inline uint64_t hb_code_take_fixed(const char *data, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = bytes; i-- > 0;)
        number = number << 8 | (unsigned char)data[i];
    return number;
}

/* A count of things that take at least `each` bytes, so that no bigger array is made than the payload allows. */
static inline size_t hb_code_take_count(hb_code_reader *in, size_t each, size_t most)
{
    const size_t left = (in->size - in->at) / each;
    return hb_code_take_up_to(in, left < most ? left : most);
}

#endif
