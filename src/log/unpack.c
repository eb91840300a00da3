/* unpack.c - a small machine: between compressed files (members) it looks at the next bytes and decides how to read
 * on; within one it hands bytes to zstd or zlib. */
#include "log/unpack.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    READ_BYTES = 256 * 1024,
    OUT_BYTES = 1 << 20,
    MAGIC_BYTES = 4,
    GZIP_WINDOW = 15 + 16 /* zlib's way to ask for gzip */
};

typedef enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_ZSTD, FORM_GZIP, FORM_PADDING } form;

struct hb_unpack {
    int file;
    char *name;
    form form; /* FORM_UNKNOWN: between members */
    uint64_t members;
    bool ended; /* the descriptor has no more */
    uint64_t taken;
    hb_buffer in;
    size_t used;  /* of in */
    bool pending; /* the decoder may hold more that it could not hand out */
    ZSTD_DStream *zstd;
    z_stream gzip;
    bool gzip_open;
};

hb_unpack *hb_unpack_open(int file, const char *name)
{
    hb_unpack *unpack = hb_alloc(sizeof *unpack);
    unpack->file = file;
    unpack->name = hb_copy_text(hb_bytes_of(name));
    return unpack;
}

void hb_unpack_close(hb_unpack *unpack)
{
    if (unpack == NULL)
        return;
    ZSTD_freeDStream(unpack->zstd);
    if (unpack->gzip_open)
        inflateEnd(&unpack->gzip);
    hb_buffer_free(&unpack->in);
    free(unpack->name);
    free(unpack);
}

uint64_t hb_unpack_taken(const hb_unpack *unpack)
{
    return unpack->taken;
}

static size_t left(const hb_unpack *unpack)
{
    return unpack->in.size - unpack->used;
}

/* Enough is here to go on with: bytes, or something that the decoder still holds. */
bool hb_unpack_hungry(const hb_unpack *unpack)
{
    const size_t least = unpack->form == FORM_UNKNOWN ? MAGIC_BYTES : 1;
    return !unpack->ended && !unpack->pending && left(unpack) < least;
}

static bool read_more(hb_unpack *unpack, hb_error *error)
{
    hb_buffer_drop_front(&unpack->in, unpack->used);
    unpack->used = 0;
    const ssize_t got = read(unpack->file, hb_buffer_room(&unpack->in, READ_BYTES), READ_BYTES);
    if (got < 0)
        return errno == EINTR || hb_fail_errno(error, "cannot read %s", unpack->name);
    unpack->ended = got == 0;
    unpack->in.size += (size_t)got;
    unpack->taken += (size_t)got;
    return true;
}

static bool start_zstd(hb_unpack *unpack, hb_error *error)
{
    if (unpack->zstd == NULL)
        unpack->zstd = ZSTD_createDStream();
    if (unpack->zstd == NULL || ZSTD_isError(ZSTD_initDStream(unpack->zstd)))
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot start to unpack %s: out of memory", unpack->name);
    return true;
}

static bool start_gzip(hb_unpack *unpack, hb_error *error)
{
    const int status = unpack->gzip_open ? inflateReset(&unpack->gzip) : inflateInit2(&unpack->gzip, GZIP_WINDOW);
    if (status != Z_OK)
        return hb_fail(error, HB_ERROR_SYSTEM, "cannot start to unpack %s: out of memory", unpack->name);
    unpack->gzip_open = true;
    return true;
}

/* Looks at the first bytes of a member. */
static bool start_member(hb_unpack *unpack, hb_error *error)
{
    const char *at = unpack->in.data + unpack->used;
    const bool first = unpack->members++ == 0;
    if (left(unpack) >= MAGIC_BYTES && (memcmp(at, "\x28\xb5\x2f\xfd", 4) == 0 ||
                                        ((at[0] & 0xf0) == 0x50 && memcmp(at + 1, "\x2a\x4d\x18", 3) == 0))) {
        unpack->form = FORM_ZSTD;
        return start_zstd(unpack, error);
    }
    if (left(unpack) >= 2 && memcmp(at, "\x1f\x8b", 2) == 0) {
        unpack->form = FORM_GZIP;
        return start_gzip(unpack, error);
    }
    unpack->form = first ? FORM_PLAIN : FORM_PADDING;
    return true;
}

static bool damaged(const hb_unpack *unpack, const char *why, hb_error *error)
{
    return hb_fail(error, HB_ERROR_CORRUPT, "%s is damaged before byte %" PRIu64 ": %s", unpack->name,
                   unpack->taken - left(unpack), why);
}

static bool step_zstd(hb_unpack *unpack, hb_buffer *out, hb_error *error)
{
    ZSTD_inBuffer in = {unpack->in.data, unpack->in.size, unpack->used};
    ZSTD_outBuffer room = {hb_buffer_room(out, OUT_BYTES), OUT_BYTES, 0};
    const size_t status = ZSTD_decompressStream(unpack->zstd, &room, &in);
    unpack->used = in.pos;
    out->size += room.pos;
    if (ZSTD_isError(status) && ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
        return hb_fail(
            error, HB_ERROR_LIMIT,
            "%s needs more than 128 MiB of memory to unpack: use 'zstd -dc --long=31 FILE | hubbub import -'",
            unpack->name);
    if (ZSTD_isError(status))
        return damaged(unpack, ZSTD_getErrorName(status), error);
    unpack->pending = status != 0 && room.pos == room.size;
    if (status == 0)
        unpack->form = FORM_UNKNOWN;
    return true;
}

static bool step_gzip(hb_unpack *unpack, hb_buffer *out, hb_error *error)
{
    z_stream *gzip = &unpack->gzip;
    gzip->next_in = (Bytef *)unpack->in.data + unpack->used;
    gzip->avail_in = (uInt)left(unpack);
    gzip->next_out = (Bytef *)hb_buffer_room(out, OUT_BYTES);
    gzip->avail_out = OUT_BYTES;
    const int status = inflate(gzip, Z_NO_FLUSH);
    unpack->used = unpack->in.size - gzip->avail_in;
    out->size += OUT_BYTES - gzip->avail_out;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return damaged(unpack, gzip->msg == NULL ? "not gzip" : gzip->msg, error);
    unpack->pending = status == Z_OK && gzip->avail_out == 0;
    if (status == Z_STREAM_END)
        unpack->form = FORM_UNKNOWN;
    return true;
}

static bool step_plain(hb_unpack *unpack, hb_buffer *out, hb_error *error)
{
    const hb_bytes rest = {unpack->in.data + unpack->used, left(unpack)};
    if (unpack->form == FORM_PLAIN)
        hb_buffer_append(out, rest);
    else /* tar and tapes fill up with zeros; anything else is not ours to guess at */
        for (size_t i = 0; i < rest.size; i++)
            if (rest.data[i] != '\0')
                return damaged(unpack, "what follows its end is neither zstd nor gzip", error);
    unpack->used = unpack->in.size;
    return true;
}

bool hb_unpack_read(hb_unpack *unpack, hb_buffer *out, bool *more, hb_error *error)
{
    *more = true;
    if (hb_unpack_hungry(unpack)) {
        if (!read_more(unpack, error))
            return false;
        if (hb_unpack_hungry(unpack))
            return true; /* too little to tell what it is */
    }
    if (left(unpack) == 0 && !unpack->pending) {
        *more = false;
        if (unpack->form == FORM_ZSTD || unpack->form == FORM_GZIP)
            return hb_fail(error, HB_ERROR_CORRUPT, "%s is cut off: it ends in the middle of a %s file", unpack->name,
                           unpack->form == FORM_ZSTD ? "zstd" : "gzip");
        return true;
    }
    if (unpack->form == FORM_UNKNOWN && !start_member(unpack, error))
        return false;
    switch (unpack->form) {
    case FORM_ZSTD:
        return step_zstd(unpack, out, error);
    case FORM_GZIP:
        return step_gzip(unpack, out, error);
    case FORM_PLAIN:
    case FORM_PADDING:
    case FORM_UNKNOWN:
        break;
    }
    return step_plain(unpack, out, error);
}
