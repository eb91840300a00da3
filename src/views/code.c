/* code.c - the seal around a payload. */
#include "views/code.h"

#include "base/error.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

enum {
    HEAD = 16,
    ZSTD_RATIO_MAX = 1 << 15 /* a block of 128 KiB takes 4 bytes at least (RFC 8878, 3.1.1.2) */
};

void hb_code_seal(const hb_code_format *format, hb_bytes payload, char **data, size_t *size)
{
    const size_t bound = ZSTD_compressBound(payload.size);
    char *out = hb_resize(NULL, HEAD + bound, 1);
    /* Cannot fail: there is room for the worst, and the level is one that exists. */
    const size_t packed = ZSTD_compress(out + HEAD, bound, payload.data, payload.size, format->level);
    *size = HEAD + (ZSTD_isError(packed) ? 0 : packed);
    memcpy(out, format->letters, sizeof format->letters);
    out[3] = (char)format->version;
    hb_code_put_fixed(out + 12, payload.size, 4);
    hb_code_put_fixed(out + 4, XXH3_64bits(out + 12, *size - 12), 8);
    *data = hb_resize(out, *size, 1);
}

bool hb_code_refuse(const hb_code_format *format, hb_error *error, const char *why)
{
    return hb_fail(error, HB_ERROR_CORRUPT, "the %s cannot be read: %s", format->name, why);
}

bool hb_code_unseal(const hb_code_format *format, hb_bytes data, char **payload, size_t *size, hb_error *error)
{
    if (data.size < HEAD || memcmp(data.data, format->letters, sizeof format->letters) != 0) {
        hb_buffer why = {0};
        hb_buffer_print(&why, "its bytes are no %s's%c", format->name, '\0');
        hb_code_refuse(format, error, why.data);
        hb_buffer_free(&why);
        return false;
    }
    if (hb_code_version(data) > format->version)
        return hb_fail(error, HB_ERROR_VERSION,
                       "the %s cannot be read: it has version %d, and this hubbub knows up to %d", format->name,
                       (int)hb_code_version(data), format->version);
    if (hb_code_version(data) < format->oldest ||
        hb_code_take_fixed(data.data + 4, 8) != XXH3_64bits(data.data + 12, data.size - 12))
        return hb_code_refuse(format, error, "its checksum is wrong, so it is torn or was altered");
    *size = hb_code_take_fixed(data.data + 12, 4);
    if (*size > format->plain_max || *size / ZSTD_RATIO_MAX > data.size)
        return hb_code_refuse(format, error, "it claims an impossible size");
    *payload = hb_resize(NULL, *size, 1);
    if (ZSTD_decompress(*payload, *size, data.data + HEAD, data.size - HEAD) == *size)
        return true;
    free(*payload);
    return hb_code_refuse(format, error, HB_CODE_SENSELESS);
}
