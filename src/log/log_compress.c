/* log_compress.c - from an hour's plain lines to frames; and an hour's end.
 *
 * The new file is written beside the old one, under a name that readers pass over, while others may still append to the
 * plain file. Only the last step needs the lock: what was appended meanwhile is added, the new file is brought to the
 * disk, renamed, and the plain file removed. Killed before the renaming, the hour is plain and the unfinished file is
 * written anew; killed after it, the compressed file counts and the plain one is removed by the next who opens to
 * append. The unfinished file is locked while somebody works on it, so two processes do not compress the same hour.
 *
 * The hour's index is made of the same lines, and written once the hour is compressed. */
#include "log/log_file.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "log/hour_index.h"
#include "log/kafka_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct compression {
    hb_log *log;
    int64_t hour;
    char from_name[HB_LOG_NAME];
    char to_name[HB_LOG_NAME]; /* the unfinished file's */
    int from;
    int to;
    uint64_t done;  /* bytes of lines */
    uint64_t wrote; /* bytes of frames */
    hb_buffer lines;
    hb_index_maker *index;
} compression;

/* Compresses whole lines up to the present end of the plain file. */
static bool compress_to_end(compression *work, hb_error *error)
{
    for (;;) {
        char *out = hb_buffer_room(&work->lines, HB_FRAME_LINES);
        const ssize_t got = pread(work->from, out, HB_FRAME_LINES, (off_t)work->done);
        if (got < 0)
            return hb_fail_errno(error, "cannot read %s/%s", work->log->directory, work->from_name);
        hb_bytes lines = hb_frame_cut((hb_bytes){out, (size_t)got});
        if (lines.size == 0 && got < HB_FRAME_LINES)
            return true;       /* all, or a line that is not whole yet (or was torn) */
        if (lines.size == 0) { /* damage: no line is that long. It is kept, with a line end of its own */
            out[HB_FRAME_LINES - 1] = '\n';
            lines = (hb_bytes){out, HB_FRAME_LINES};
        }
        const hb_bytes frame = hb_frame_make(work->log->maker, lines);
        hb_frame_place(work->log->maker, work->done);
        if (!hb_log_write_whole(work->to, frame))
            return hb_fail_errno(error, "cannot write %s/%s", work->log->directory, work->to_name);
        hb_index_maker_add(work->index, work->wrote, work->done, lines);
        work->done += lines.size;
        work->wrote += frame.size;
    }
}

/* The last steps; the lock is held. */
static bool replace_plain(compression *work, hb_error *error)
{
    const hb_log *log = work->log;
    char name[HB_LOG_NAME];
    uint64_t size = 0;
    hb_log_name(work->hour, HB_LOG_CLOSED, name);
    if (!hb_log_mend(log, work->from, work->hour, HB_LOG_PLAIN, &size, &size, error) || !compress_to_end(work, error))
        return false;
    if (fsync(work->to) != 0)
        return hb_fail_errno(error, "cannot bring %s/%s to the disk", log->directory, work->to_name);
    /* Somebody who compressed it as well may have been killed before removing the plain file. */
    const bool closed = hb_log_exists(log, work->hour, HB_LOG_CLOSED);
    if (closed ? unlinkat(log->folder, work->to_name, 0) != 0
               : renameat(log->folder, work->to_name, log->folder, name) != 0 || fsync(log->folder) != 0)
        return hb_fail_errno(error, "cannot rename %s/%s to %s", log->directory, work->to_name, name);
    if (unlinkat(log->folder, work->from_name, 0) != 0)
        return hb_fail_errno(error, "cannot remove %s/%s, which is compressed", log->directory, work->from_name);
    return true;
}

/* Opens the unfinished file, empty and locked. *busy: somebody else works on this hour. */
static bool open_unfinished(compression *work, bool *busy, hb_error *error)
{
    struct stat opened;
    struct stat named;
    *busy = false;
    work->to = hb_log_open_hour(work->log, work->hour, HB_LOG_UNFINISHED, O_RDWR | O_CREAT);
    if (work->to < 0)
        return hb_fail_errno(error, "cannot write %s/%s", work->log->directory, work->to_name);
    if (flock(work->to, LOCK_EX | LOCK_NB) != 0) {
        *busy = true;
        return errno == EWOULDBLOCK || hb_fail_errno(error, "cannot lock %s/%s", work->log->directory, work->to_name);
    }
    /* Between opening and locking it, another process may have finished: then it has its last name already. */
    *busy = fstat(work->to, &opened) != 0 || fstatat(work->log->folder, work->to_name, &named, 0) != 0 ||
            opened.st_ino != named.st_ino;
    return *busy || ftruncate(work->to, 0) == 0 ||
           hb_fail_errno(error, "cannot write %s/%s", work->log->directory, work->to_name);
}

/* An index that could not be written is made by the first reader who misses it. */
static void write_index(const compression *work)
{
    hb_bytes index;
    if (hb_index_maker_finish(work->index, work->to, work->wrote, work->done, &index))
        hb_index_write(work->log, work->hour, index);
}

static bool compress_hour(compression *work, hb_error *error)
{
    bool busy = false;
    if (!open_unfinished(work, &busy, error) || busy)
        return busy;
    work->from = hb_log_open_hour(work->log, work->hour, HB_LOG_PLAIN, O_RDWR);
    if (work->from < 0) { /* compressed or deleted since it was listed */
        unlinkat(work->log->folder, work->to_name, 0);
        return errno == ENOENT || hb_fail_errno(error, "cannot open %s/%s", work->log->directory, work->from_name);
    }
    /* Most of the work, and of the waiting for the disk, is done before others have to wait for the lock. */
    bool done = compress_to_end(work, error);
    if (done && fsync(work->to) != 0)
        done = hb_fail_errno(error, "cannot bring %s/%s to the disk", work->log->directory, work->to_name);
    if (done && (done = hb_log_lock(work->log, error))) {
        done = replace_plain(work, error);
        hb_log_unlock(work->log);
        if (done && work->done > HB_FRAME_LINES) /* in one frame there is nothing to choose */
            write_index(work);
    }
    if (!done) /* a full disk: give the room back at once */
        unlinkat(work->log->folder, work->to_name, 0);
    return done;
}

static bool close_hour(hb_log *log, int64_t hour, hb_error *error)
{
    compression work = {.log = log, .hour = hour, .from = -1, .to = -1};
    hb_log_name(hour, HB_LOG_PLAIN, work.from_name);
    hb_log_name(hour, HB_LOG_UNFINISHED, work.to_name);
    work.index = hb_index_maker_open(hour);
    const bool done = compress_hour(&work, error);
    hb_index_maker_close(work.index);
    if (work.from >= 0)
        close(work.from);
    if (work.to >= 0)
        close(work.to);
    hb_buffer_free(&work.lines);
    return done;
}

bool hb_log_close_hours(hb_log *log, int64_t now_ms, hb_error *error)
{
    hb_log_part *parts = NULL;
    size_t count = 0;
    if (log->mode != HB_LOG_APPEND)
        return hb_fail(error, HB_ERROR_USAGE, "the log %s is open for reading only", log->directory);
    if (!hb_log_list(log, &parts, &count, error))
        return false;
    bool closed = true;
    for (size_t i = 0; i < count; i++) {
        hb_error own = {0};
        if (parts[i].closed || now_ms / 1000 < parts[i].part + HB_HOUR_S + HB_LOG_CLOSE_AFTER_S)
            continue;
        if (!close_hour(log, parts[i].part, &own)) {
            *error = own; /* the other hours are tried all the same */
            closed = false;
        }
    }
    free(parts);
    return closed;
}

/* ---- Removing ---- */

bool hb_log_remove(hb_log *log, int64_t part, uint64_t end, bool *removed, hb_error *error)
{
    char name[HB_LOG_NAME];
    uint64_t size = 0;
    uint64_t lines_end = 0;
    *removed = false;
    if (log->kafka != NULL)
        return hb_kafka_log_refuse(log->kafka, error);
    if (log->mode != HB_LOG_APPEND)
        return hb_fail(error, HB_ERROR_USAGE, "the log %s is open for reading only", log->directory);
    hb_log_name(part, HB_LOG_CLOSED, name);
    if (!hb_log_lock(log, error))
        return false;
    const int file = hb_log_open_hour(log, part, HB_LOG_CLOSED, O_RDWR);
    bool good = file >= 0 || errno == ENOENT || hb_fail_errno(error, "cannot open %s/%s", log->directory, name);
    if (file >= 0) {
        good = hb_log_mend(log, file, part, HB_LOG_CLOSED, &size, &lines_end, error);
        if (good && lines_end == end) {
            *removed = unlinkat(log->folder, name, 0) == 0;
            good = *removed || hb_fail_errno(error, "cannot remove %s/%s", log->directory, name);
            hb_log_name(part, HB_LOG_INDEX, name);
            if (good && unlinkat(log->folder, name, 0) != 0 && errno != ENOENT) /* who opens to append tries again */
                hb_say_warning("%s/%s cannot be removed: its hour is gone", log->directory, name);
        }
        close(file);
    }
    hb_log_unlock(log);
    return good;
}
