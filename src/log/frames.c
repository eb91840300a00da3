/* frames.c - zstd frames and their trailers.
 *
 * Reading goes through a window of the file that is filled by pread, never through a memory map: a writer may cut a
 * torn tail off at any moment, and touching mapped bytes behind a file's end ends the process.
 *
 * Bytes behind the last whole frame may be an append in progress. They are told from damage by the file's end: a
 * trailer there, at a size that was asked for before reading, means that everything before it was written whole.
 *
 * Frames are small because a reader that looks for one channel's or user's lines (search.h) decodes those alone that
 * may hold some. It costs nothing: of chat's lines, 200 MiB take 26.4 MB in frames of 1 MiB, and 26.5 MB in frames of
 * 128 KiB. */
#include "log/frames.h"

#include <endian.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_MAGIC    0xFD2FB528u
#define TRAILER_MAGIC 0x184D2A5Au
#define SKIPPABLE     0x184D2A50u /* to 0x184D2A5F */

enum {
    LEVEL = 3,
    WINDOW = 256 * 1024, /* bytes read at a time, at least */
    HEADER = 18,         /* a frame header at most */
    TRAILER_DATA = 16,
    FRAME_MAX = HB_FRAME_LINES_MAX + HB_FRAME_LINES_MAX / 64 /* compressed; more than ZSTD_compressBound asks for */
};
#define OFFSET_MAX ((uint64_t)1 << 62) /* no file is that large: a number above it is damage */

typedef struct trailer {
    uint32_t magic;
    uint32_t data_size;
    uint32_t frame_size;
    uint32_t lines_size;
    uint64_t lines_end;
} trailer;

_Static_assert(sizeof(trailer) == HB_FRAME_TRAILER, "frames.h states the layout of a trailer");

static uint32_t number_at(const char *data)
{
    uint32_t number;
    memcpy(&number, data, sizeof number);
    return le32toh(number);
}

/* Reads a trailer; false when these bytes are none that a sane frame could have. */
static bool trailer_read(const char *data, trailer *out)
{
    memcpy(out, data, sizeof *out);
    out->magic = le32toh(out->magic);
    out->data_size = le32toh(out->data_size);
    out->frame_size = le32toh(out->frame_size);
    out->lines_size = le32toh(out->lines_size);
    out->lines_end = le64toh(out->lines_end);
    return out->magic == TRAILER_MAGIC && out->data_size == TRAILER_DATA && out->frame_size > 0 &&
           out->lines_size <= HB_FRAME_LINES_MAX && out->lines_end >= out->lines_size && out->lines_end < OFFSET_MAX;
}

/* ---- Making ---- */

struct hb_frame_maker {
    ZSTD_CCtx *context;
    hb_buffer frame; /* the last one, with room for its trailer */
    size_t lines_size;
};

hb_frame_maker *hb_frame_maker_open(void)
{
    hb_frame_maker *maker = hb_alloc(sizeof *maker);
    maker->context = ZSTD_createCCtx();
    if (maker->context == NULL)
        abort(); /* as when memory runs out elsewhere */
    ZSTD_CCtx_setParameter(maker->context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(maker->context, ZSTD_c_checksumFlag, 1);
    return maker;
}

void hb_frame_maker_close(hb_frame_maker *maker)
{
    if (maker == NULL)
        return;
    ZSTD_freeCCtx(maker->context);
    hb_buffer_free(&maker->frame);
    free(maker);
}

hb_bytes hb_frame_make(hb_frame_maker *maker, hb_bytes lines)
{
    maker->frame.size = 0;
    const size_t bound = ZSTD_compressBound(lines.size);
    char *out = hb_buffer_room(&maker->frame, bound + HB_FRAME_TRAILER);
    const size_t size = ZSTD_compress2(maker->context, out, bound, lines.data, lines.size);
    if (ZSTD_isError(size))
        abort(); /* the output has the room that zstd asks for: only memory can have run out */
    maker->frame.size = size + HB_FRAME_TRAILER;
    maker->lines_size = lines.size;
    return hb_buffer_bytes(&maker->frame);
}

void hb_frame_place(hb_frame_maker *maker, uint64_t lines_before)
{
    const size_t size = maker->frame.size - HB_FRAME_TRAILER;
    const trailer end = {htole32(TRAILER_MAGIC), htole32(TRAILER_DATA), htole32((uint32_t)size),
                         htole32((uint32_t)maker->lines_size), htole64(lines_before + maker->lines_size)};
    memcpy(maker->frame.data + size, &end, sizeof end);
}

hb_bytes hb_frame_cut(hb_bytes text)
{
    if (text.size > HB_FRAME_LINES)
        text.size = HB_FRAME_LINES;
    const char *end = text.size == 0 ? NULL : memrchr(text.data, '\n', text.size);
    return (hb_bytes){text.data, end == NULL ? 0 : (size_t)(end - text.data) + 1};
}

/* ---- Reading ---- */

struct hb_frames {
    int file;
    uint64_t at;        /* in the file: what is to be read next */
    uint64_t lines_at;  /* the same place in bytes of lines */
    uint64_t file_size; /* as asked for at the beginning of the present call */
    hb_buffer window;   /* bytes of the file from window_at on */
    uint64_t window_at;
    size_t expected; /* bytes of the next frame and its trailer, where somebody knows; else 0 */
    ZSTD_DCtx *context;
};

hb_frames *hb_frames_open(int file)
{
    hb_frames *frames = hb_alloc(sizeof *frames);
    frames->file = file;
    frames->context = ZSTD_createDCtx();
    if (frames->context == NULL)
        abort(); /* as when memory runs out elsewhere */
    return frames;
}

void hb_frames_close(hb_frames *frames)
{
    if (frames == NULL)
        return;
    ZSTD_freeDCtx(frames->context);
    hb_buffer_free(&frames->window);
    free(frames);
}

static bool ask_size(hb_frames *frames)
{
    struct stat state;
    if (fstat(frames->file, &state) != 0)
        return false;
    frames->file_size = (uint64_t)state.st_size;
    return true;
}

/* Brings `want` bytes from frames->at on into the window if the file has them; *have tells how many are there. */
static bool need(hb_frames *frames, size_t want, const char **data, size_t *have)
{
    hb_buffer *window = &frames->window;
    if (frames->at < frames->window_at || frames->at > frames->window_at + window->size) {
        window->size = 0;
        frames->window_at = frames->at;
    }
    size_t passed = (size_t)(frames->at - frames->window_at);
    if (window->size - passed < want) {
        hb_buffer_drop_front(window, passed);
        frames->window_at = frames->at;
        passed = 0;
    }
    while (window->size - passed < want) {
        const size_t missing = want - window->size;
        const size_t more = missing < WINDOW ? WINDOW : missing;
        const ssize_t got =
            pread(frames->file, hb_buffer_room(window, more), more, (off_t)(frames->window_at + window->size));
        if (got < 0)
            return false;
        if (got == 0)
            break;
        window->size += (size_t)got;
    }
    *data = window->data + passed;
    *have = window->size - passed;
    return true;
}

bool hb_frames_tail(int file, uint64_t file_size, uint64_t *lines_end)
{
    char data[HB_FRAME_TRAILER];
    trailer end;
    if (file_size < HB_FRAME_TRAILER ||
        pread(file, data, sizeof data, (off_t)(file_size - HB_FRAME_TRAILER)) != (ssize_t)sizeof data ||
        !trailer_read(data, &end) || end.frame_size > file_size - HB_FRAME_TRAILER)
        return false;
    *lines_end = end.lines_end;
    return true;
}

/* What is here would need bytes behind the file's end: an append in progress, unless the file ends with a trailer. */
static hb_frames_status incomplete(const hb_frames *frames)
{
    uint64_t lines_end = 0;
    return frames->at < frames->file_size && hb_frames_tail(frames->file, frames->file_size, &lines_end)
               ? HB_FRAMES_BAD
               : HB_FRAMES_END;
}

/* Passes over one skippable frame, of which 8 bytes stand in the window. */
static hb_frames_status pass_skippable(hb_frames *frames, const char *data, size_t have)
{
    const uint64_t size = 8 + (uint64_t)number_at(data + 4);
    trailer end;
    if (frames->at + size > frames->file_size)
        return incomplete(frames);
    if (have >= HB_FRAME_TRAILER && trailer_read(data, &end) && end.lines_end > frames->lines_at)
        frames->lines_at = end.lines_end;
    frames->at += size;
    return HB_FRAMES_OK;
}

/* Brings the whole frame at frames->at into the window. */
static hb_frames_status load_frame(hb_frames *frames, const char **data, size_t *size)
{
    size_t have = 0;
    size_t want = frames->expected > 0 ? frames->expected : WINDOW;
    frames->expected = 0;
    for (;;) {
        if (!need(frames, want, data, &have))
            return HB_FRAMES_FAILED;
        *size = ZSTD_findFrameCompressedSize(*data, have);
        if (!ZSTD_isError(*size))
            return *size <= FRAME_MAX ? HB_FRAMES_OK : HB_FRAMES_BAD;
        if (ZSTD_getErrorCode(*size) != ZSTD_error_srcSize_wrong || have > FRAME_MAX)
            return HB_FRAMES_BAD;
        if (have < want)
            return incomplete(frames);
        want = have * 2;
    }
}

/* Describes the frame of `size` bytes at the front of the window, and goes behind it and its trailer. */
static hb_frames_status take_frame(hb_frames *frames, size_t size, hb_frame *frame)
{
    const char *data = NULL;
    size_t have = 0;
    trailer end;
    if (!need(frames, size + HB_FRAME_TRAILER, &data, &have))
        return HB_FRAMES_FAILED;
    const unsigned long long lines = ZSTD_getFrameContentSize(data, have);
    if (lines > HB_FRAME_LINES_MAX) /* the two values for "not known" are larger still */
        return HB_FRAMES_BAD;
    const bool with_trailer = have >= size + HB_FRAME_TRAILER && trailer_read(data + size, &end) &&
                              end.frame_size == size && end.lines_size == lines;
    /* Behind damage the trailer knows better than the count so far where these lines stand. */
    if (with_trailer && end.lines_end - lines > frames->lines_at)
        frames->lines_at = end.lines_end - lines;
    *frame = (hb_frame){frames->at, frames->lines_at, frames->lines_at + lines, {data, size}};
    frames->at += size + (with_trailer ? HB_FRAME_TRAILER : 0);
    frames->lines_at += lines;
    return HB_FRAMES_OK;
}

static hb_frames_status find_frame(hb_frames *frames, hb_frame *frame)
{
    if (!ask_size(frames))
        return HB_FRAMES_FAILED;
    for (;;) {
        const char *data = NULL;
        size_t have = 0;
        size_t size = 0;
        hb_frames_status status = HB_FRAMES_OK;
        if (!need(frames, HB_FRAME_TRAILER, &data, &have))
            return HB_FRAMES_FAILED;
        if (have < 8)
            return incomplete(frames);
        if ((number_at(data) & 0xFFFFFFF0u) == SKIPPABLE) {
            status = pass_skippable(frames, data, have);
        } else if (number_at(data) != ZSTD_MAGIC) {
            return HB_FRAMES_BAD;
        } else {
            status = load_frame(frames, &data, &size);
            if (status == HB_FRAMES_OK)
                status = take_frame(frames, size, frame);
            if (status == HB_FRAMES_OK && frame->lines_end > frame->lines_at)
                return HB_FRAMES_OK;
        }
        if (status != HB_FRAMES_OK)
            return status;
    }
}

hb_frames_status hb_frames_next(hb_frames *frames, hb_frame *frame)
{
    hb_frames_status status = find_frame(frames, frame);
    if (status == HB_FRAMES_BAD || status == HB_FRAMES_END)
        frames->window.size = 0; /* a torn tail in it may be cut off and written anew */
    if (status == HB_FRAMES_BAD)
        status = find_frame(frames, frame);
    return status;
}

bool hb_frames_decode(hb_frames *frames, const hb_frame *frame, hb_buffer *lines)
{
    const size_t size = (size_t)(frame->lines_end - frame->lines_at);
    lines->size = 0;
    char *out = hb_buffer_room(lines, size);
    const size_t got = ZSTD_decompressDCtx(frames->context, out, size, frame->data.data, frame->data.size);
    if (ZSTD_isError(got) || got != size || out[size - 1] != '\n')
        return false;
    lines->size = size;
    return true;
}

static const char *find_frame_magic(const char *data, size_t size)
{
    return memmem(data, size, "\x28\xB5\x2F\xFD", 4);
}

/* The first place in data (not at its start) that a frame or a trailer may begin at; NULL when there is none. */
static const char *find_magic(const char *data, size_t size)
{
    static const char end[] = "\x5A\x2A\x4D\x18\x10\0\0";
    const char *first = memmem(data + 1, size - 1, end, sizeof end);
    const char *other = find_frame_magic(data + 1, size - 1);
    return first == NULL || (other != NULL && other < first) ? other : first;
}

uint64_t hb_frames_skip(hb_frames *frames, const hb_frame *undecodable)
{
    const char *data = NULL;
    size_t have = 0;
    trailer end;
    if (undecodable != NULL) {
        frames->at = undecodable->at;
        frames->lines_at = undecodable->lines_at;
    }
    while (need(frames, WINDOW, &data, &have) && have > HEADER) {
        const char *found = find_magic(data, have);
        frames->at += found == NULL ? have - HEADER : (size_t)(found - data);
        if (found == NULL)
            continue;
        if (!need(frames, HB_FRAME_TRAILER + 3, &data, &have) || have < HEADER)
            break;
        if (have >= HB_FRAME_TRAILER && trailer_read(data, &end)) {
            /* Half a trailer with a frame behind it, which was appended after a crash, is no trailer. */
            if (find_frame_magic(data, have < HB_FRAME_TRAILER + 3 ? have : HB_FRAME_TRAILER + 3) != NULL)
                continue;
            if (end.lines_end > frames->lines_at)
                frames->lines_at = end.lines_end;
            frames->at += HB_FRAME_TRAILER;
            return frames->at;
        }
        if (number_at(data) == ZSTD_MAGIC && ZSTD_getFrameContentSize(data, have) <= HB_FRAME_LINES_MAX)
            return frames->at;
    }
    if (frames->at < frames->file_size)
        frames->at = frames->file_size;
    return frames->at;
}

/* Steps back from trailer to trailer until a frame begins at or before offset; false when the chain breaks. */
static bool seek_back(hb_frames *frames, uint64_t offset)
{
    uint64_t at = frames->file_size;
    uint64_t lines_at = 0;
    if (!hb_frames_tail(frames->file, at, &lines_at))
        return false;
    while (offset < lines_at) {
        char data[HB_FRAME_TRAILER];
        trailer end;
        uint64_t before = 0;
        if (pread(frames->file, data, sizeof data, (off_t)(at - sizeof data)) != (ssize_t)sizeof data ||
            !trailer_read(data, &end) || end.lines_end != lines_at || end.frame_size > at - sizeof data)
            return false;
        at -= sizeof data + end.frame_size;
        lines_at -= end.lines_size;
        if (at == 0 ? lines_at != 0 : !hb_frames_tail(frames->file, at, &before) || before != lines_at)
            return false;
    }
    frames->at = at;
    frames->lines_at = lines_at;
    return true;
}

hb_frames_status hb_frames_seek(hb_frames *frames, uint64_t offset)
{
    hb_frame frame;
    hb_frames_status status = HB_FRAMES_OK;
    frames->window.size = 0;
    frames->at = 0;
    frames->lines_at = 0;
    if (!ask_size(frames))
        return HB_FRAMES_FAILED;
    if (offset == 0 || seek_back(frames, offset))
        return HB_FRAMES_OK;
    for (;;) {
        const uint64_t at = frames->at;
        const uint64_t lines_at = frames->lines_at;
        status = hb_frames_next(frames, &frame);
        if (status == HB_FRAMES_BAD) {
            hb_frames_skip(frames, NULL);
        } else if (status != HB_FRAMES_OK) {
            return status == HB_FRAMES_END ? HB_FRAMES_OK : status;
        } else if (frame.lines_end > offset) {
            frames->at = at;
            frames->lines_at = lines_at;
            return HB_FRAMES_OK;
        }
    }
}

void hb_frames_go(hb_frames *frames, uint64_t at, uint64_t lines_at, uint64_t size)
{
    frames->window.size = 0;
    frames->window_at = at;
    frames->at = at;
    frames->lines_at = lines_at;
    frames->expected = 0;
    if (size < HB_FRAME_TRAILER || size > FRAME_MAX + HB_FRAME_TRAILER)
        return;
    char *out = hb_buffer_room(&frames->window, (size_t)size);
    const ssize_t got = pread(frames->file, out, (size_t)size, (off_t)at);
    if (got == (ssize_t)size) /* otherwise reading goes its usual way, and tells why */
        frames->window.size = frames->expected = (size_t)size;
}

void hb_frames_tell(const hb_frames *frames, uint64_t *at, uint64_t *lines_at)
{
    *at = frames->at;
    *lines_at = frames->lines_at;
}
