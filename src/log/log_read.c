/* log_read.c - reading a part, from plain lines or frames, without a lock.
 *
 * A cursor on a plain file that has read all there is looks whether the compressed file is there: if so it goes on in
 * that, at the same offset. It cannot miss lines in between, because the compressed file holds all of the plain one.
 *
 * An offset can lie where no line begins: after a power failure the store may know of lines that the log has lost. Then
 * reading begins with the next line; an offset behind the end counts as the end. */
#include "log/log_file.h"

#include "base/error.h"
#include "log/kafka_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20 };

struct hb_log_cursor {
    const hb_log *log;
    int64_t part;
    char name[HB_LOG_NAME]; /* of the file that is open */
    int file;
    uint64_t offset;
    bool within_line;  /* what stands at offset belongs to a line that is passed over */
    hb_frames *frames; /* NULL while the part is plain */
    hb_buffer lines;
};

/* Opens whichever of the part's files counts. */
static bool open_part(hb_log_cursor *cursor, hb_error *error)
{
    static const hb_log_form forms[] = {HB_LOG_CLOSED, HB_LOG_PLAIN,
                                        HB_LOG_CLOSED}; /* it may be compressed meanwhile */
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        hb_log_name(cursor->part, forms[i], cursor->name);
        cursor->file = hb_log_open_hour(cursor->log, cursor->part, forms[i], O_RDONLY);
        if (cursor->file >= 0) {
            cursor->frames = forms[i] == HB_LOG_CLOSED ? hb_frames_open(cursor->file) : NULL;
            return true;
        }
        if (errno != ENOENT)
            return hb_fail_errno(error, "cannot open %s/%s", cursor->log->directory, cursor->name);
    }
    hb_log_name(cursor->part, HB_LOG_PLAIN, cursor->name);
    return hb_fail(error, HB_ERROR_MISSING, "the log %s has no %s, compressed or plain", cursor->log->directory,
                   cursor->name);
}

/* Goes to an offset that somebody remembers, and finds out whether a line begins there. */
static bool seek(hb_log_cursor *cursor, hb_error *error)
{
    struct stat state;
    char before = '\n';
    if (cursor->frames != NULL) {
        if (hb_frames_seek(cursor->frames, cursor->offset) == HB_FRAMES_OK)
            return true;
        return hb_fail_errno(error, "cannot read %s/%s", cursor->log->directory, cursor->name);
    }
    if (fstat(cursor->file, &state) != 0)
        return hb_fail_errno(error, "cannot read %s/%s", cursor->log->directory, cursor->name);
    if (cursor->offset > (uint64_t)state.st_size)
        cursor->offset = (uint64_t)state.st_size;
    if (cursor->offset > 0 && pread(cursor->file, &before, 1, (off_t)cursor->offset - 1) != 1)
        return hb_fail_errno(error, "cannot read %s/%s", cursor->log->directory, cursor->name);
    cursor->within_line = before != '\n';
    return true;
}

hb_log_cursor *hb_log_cursor_open(hb_log *log, int64_t part, uint64_t offset, hb_error *error)
{
    if (log->kafka != NULL) {
        hb_kafka_log_refuse(log->kafka, error);
        return NULL;
    }
    hb_log_cursor *cursor = hb_alloc(sizeof *cursor);
    cursor->log = log;
    cursor->part = part;
    cursor->offset = offset;
    cursor->file = -1;
    if (open_part(cursor, error) && seek(cursor, error))
        return cursor;
    hb_log_cursor_close(cursor);
    return NULL;
}

void hb_log_cursor_close(hb_log_cursor *cursor)
{
    if (cursor == NULL)
        return;
    hb_frames_close(cursor->frames);
    if (cursor->file >= 0)
        close(cursor->file);
    hb_buffer_free(&cursor->lines);
    free(cursor);
}

/* Passes over the rest of a line whose beginning was not read. */
static hb_bytes pass_rest_of_line(hb_log_cursor *cursor, hb_bytes text)
{
    if (!cursor->within_line || text.size == 0)
        return text;
    const char *end = memchr(text.data, '\n', text.size);
    const size_t rest = end == NULL ? text.size : (size_t)(end - text.data) + 1;
    cursor->within_line = end == NULL;
    cursor->offset += rest;
    return hb_bytes_from(text, rest);
}

static bool read_plain(hb_log_cursor *cursor, hb_bytes *lines, hb_error *error)
{
    cursor->lines.size = 0;
    char *out = hb_buffer_room(&cursor->lines, READ_BYTES);
    const ssize_t got = pread(cursor->file, out, READ_BYTES, (off_t)cursor->offset);
    if (got < 0)
        return hb_fail_errno(error, "cannot read %s/%s", cursor->log->directory, cursor->name);
    *lines = pass_rest_of_line(cursor, (hb_bytes){out, (size_t)got});
    const char *end = lines->size == 0 ? NULL : memrchr(lines->data, '\n', lines->size);
    lines->size = end == NULL ? 0 : (size_t)(end - lines->data) + 1;
    if (end == NULL && !cursor->within_line && got == READ_BYTES) {
        const uint64_t from = cursor->offset;
        cursor->offset += READ_BYTES;
        cursor->within_line = true;
        return hb_fail(error, HB_ERROR_CORRUPT, "%s/%s holds no line end from byte %" PRIu64 " on for %d bytes",
                       cursor->log->directory, cursor->name, from, READ_BYTES);
    }
    cursor->offset += lines->size;
    return true;
}

static bool bad_frame(hb_log_cursor *cursor, uint64_t from, uint64_t to, hb_error *error)
{
    uint64_t at = 0;
    hb_frames_tell(cursor->frames, &at, &cursor->offset);
    return hb_fail(error, HB_ERROR_CORRUPT, "%s/%s is damaged from byte %" PRIu64 " to byte %" PRIu64,
                   cursor->log->directory, cursor->name, from, to);
}

static bool read_frame(hb_log_cursor *cursor, hb_bytes *lines, hb_error *error)
{
    hb_frame frame;
    uint64_t from = 0;
    uint64_t lines_at = 0;
    hb_frames_tell(cursor->frames, &from, &lines_at);
    switch (hb_frames_next(cursor->frames, &frame)) {
    case HB_FRAMES_FAILED:
        return hb_fail_errno(error, "cannot read %s/%s", cursor->log->directory, cursor->name);
    case HB_FRAMES_END:
        *lines = (hb_bytes){"", 0};
        hb_frames_tell(cursor->frames, &from, &lines_at);
        if (cursor->offset > lines_at)
            cursor->offset = lines_at;
        return true;
    case HB_FRAMES_BAD:
        hb_frames_tell(cursor->frames, &from, &lines_at);
        return bad_frame(cursor, from, hb_frames_skip(cursor->frames, NULL), error);
    case HB_FRAMES_OK:
        break;
    }
    if (!hb_frames_decode(cursor->frames, &frame, &cursor->lines))
        return bad_frame(cursor, frame.at, hb_frames_skip(cursor->frames, &frame), error);
    *lines = hb_buffer_bytes(&cursor->lines);
    if (cursor->offset > frame.lines_at && cursor->offset < frame.lines_end) {
        const size_t known = (size_t)(cursor->offset - frame.lines_at);
        cursor->within_line = lines->data[known - 1] != '\n';
        *lines = pass_rest_of_line(cursor, hb_bytes_from(*lines, known));
    }
    cursor->within_line = false; /* a frame begins with a line */
    cursor->offset = frame.lines_end;
    return true;
}

bool hb_log_read(hb_log_cursor *cursor, hb_bytes *lines, uint64_t *next, hb_error *error)
{
    bool read = true;
    *lines = (hb_bytes){"", 0};
    if (cursor->file < 0) /* the last call could not open the compressed file */
        read = open_part(cursor, error) && seek(cursor, error);
    else if (cursor->frames == NULL) {
        read = read_plain(cursor, lines, error);
        if (read && lines->size == 0 && hb_log_exists(cursor->log, cursor->part, HB_LOG_CLOSED)) {
            close(cursor->file);
            cursor->file = -1;
            read = open_part(cursor, error) && seek(cursor, error);
        }
    }
    while (read && lines->size == 0 && cursor->frames != NULL) {
        uint64_t before = 0;
        uint64_t after = 0;
        hb_frames_tell(cursor->frames, &before, next);
        read = read_frame(cursor, lines, error);
        hb_frames_tell(cursor->frames, &after, next);
        if (before == after)
            break; /* the end; otherwise nothing but the rest of a line was in this frame */
    }
    *next = cursor->offset;
    if (!read)
        *lines = (hb_bytes){"", 0};
    return read;
}

bool hb_log_end(hb_log *log, int64_t part, uint64_t *end, hb_error *error)
{
    hb_bytes lines = {0};
    hb_log_cursor *cursor = hb_log_cursor_open(log, part, INT64_MAX, error); /* an offset behind the end is the end */
    bool good = cursor != NULL;
    for (bool more = good; more;) {
        good = hb_log_read(cursor, &lines, end, error);
        more = good ? lines.size > 0 : error->code == HB_ERROR_CORRUPT; /* the next call goes on behind it */
    }
    hb_log_cursor_close(cursor);
    return good;
}

bool hb_log_find_line(hb_bytes *rest, hb_bytes text, hb_bytes *line)
{
    const char *found = rest->size == 0 ? NULL : memmem(rest->data, rest->size, text.data, text.size);
    if (found == NULL)
        return false;
    const size_t at = (size_t)(found - rest->data);
    const char *before = memrchr(rest->data, '\n', at);
    const char *behind = memchr(found, '\n', rest->size - at);
    const char *start = before == NULL ? rest->data : before + 1;
    const char *end = behind == NULL ? rest->data + rest->size : behind;
    *line = (hb_bytes){start, (size_t)(end - start)};
    *rest = hb_bytes_from(*rest, (size_t)(end - rest->data) + (behind != NULL));
    return true;
}
