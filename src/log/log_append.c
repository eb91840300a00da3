/* log_append.c - accepting lines, and handing them to the operating system.
 *
 * Lines wait in a buffer for each hour. A flush takes each hour's lines in chunks that make one frame at most, and
 * writes a chunk with one append under the lock. So a reader sees a chunk's lines appear in order, a compressed hour
 * gets large frames however scattered an import is, and others who append never wait long. Compressing is done before
 * the lock is taken wherever it can be foreseen.
 *
 * What a failed write has put into the file stays there as far as it makes whole lines (or the frame): a reader may
 * have seen them. The rest is cut off and stays buffered. */
#include "log/log_file.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "log/kafka_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECEIVED "rm-received-ts="

/* ---- Accepting ---- */

/* Appends the tags without any rm-received-ts, each followed by ';' but the last. */
static void append_other_tags(hb_buffer *out, hb_bytes tags)
{
    const bool none = memmem(tags.data, tags.size, RECEIVED, sizeof RECEIVED - 1) == NULL;
    hb_bytes tag;
    if (none) {
        hb_buffer_append_char(out, ';');
        hb_buffer_append(out, tags);
        return;
    }
    while (hb_bytes_cut(&tags, ';', &tag)) {
        if (hb_bytes_start_with(tag, HB_BYTES(RECEIVED)))
            continue;
        hb_buffer_append_char(out, ';');
        hb_buffer_append(out, tag);
    }
}

/* Writes the line in the form in which it is kept, without LF: the time of receipt in front of its other tags. */
static void rewrite(hb_buffer *out, hb_bytes line, int64_t received_ms)
{
    out->size = 0;
    hb_buffer_print(out, "@" RECEIVED "%" PRId64, received_ms);
    const char *space = line.size > 1 && line.data[0] == '@' ? memchr(line.data, ' ', line.size) : NULL;
    if (space != NULL) {
        const size_t tags = (size_t)(space - line.data);
        if (tags > 1)
            append_other_tags(out, (hb_bytes){line.data + 1, tags - 1});
        line = hb_bytes_from(line, tags);
    } else {
        hb_buffer_append_char(out, ' ');
    }
    hb_buffer_append(out, line);
}

static bool is_kept_form(hb_bytes line)
{
    const hb_bytes start = HB_BYTES("@" RECEIVED);
    return hb_bytes_start_with(line, start) &&
           memmem(line.data + start.size, line.size - start.size, RECEIVED, sizeof RECEIVED - 1) == NULL;
}

static hb_log_append_status status_of(hb_fact_status status)
{
    return status == HB_FACT_OK ? HB_LOG_APPENDED : status == HB_FACT_MALFORMED ? HB_LOG_MALFORMED : HB_LOG_NO_FACT;
}

/* Brings the line into the form in which it is kept, and reads it. */
static hb_log_append_status accept_line(hb_log *log, hb_bytes *line, int64_t received_ms, hb_fact *fact)
{
    hb_fact_status status = HB_FACT_OK;
    if (received_ms == 0) {
        status = hb_fact_read(*line, fact);
        if (status != HB_FACT_OK)
            return status_of(status);
        if (fact->received_ms > 0 && is_kept_form(*line))
            return HB_LOG_APPENDED;
        rewrite(&log->line, *line, fact->received_ms > 0 ? fact->received_ms : fact->time_ms);
    } else {
        rewrite(&log->line, *line, received_ms);
        /* Which hour it goes to follows from the line as it is kept. */
        status = hb_fact_read(hb_buffer_bytes(&log->line), fact);
        if (status != HB_FACT_OK)
            return status_of(status);
    }
    *line = hb_buffer_bytes(&log->line);
    return HB_LOG_APPENDED;
}

static uint64_t hour_hash(int64_t hour)
{
    return hb_hash((hb_bytes){(const char *)&hour, sizeof hour}, 0);
}

static hb_log_hour *find_or_make_hour(hb_log *log, int64_t hour)
{
    if (log->last < log->hour_count && log->hours[log->last].hour == hour)
        return &log->hours[log->last];
    const uint64_t hash = hour_hash(hour);
    for (uint32_t at = hb_map_first(&log->hour_index, hash); at != HB_MAP_END;
         at = hb_map_next(&log->hour_index, hash, at)) {
        const uint32_t entry = hb_map_entry(&log->hour_index, at);
        if (log->hours[entry].hour == hour) {
            log->last = entry;
            return &log->hours[entry];
        }
    }
    HB_RESERVE(log->hours, log->hour_capacity, log->hour_count + 1);
    log->last = log->hour_count++;
    hb_map_insert(&log->hour_index, hash, (uint32_t)log->last);
    log->hours[log->last] = (hb_log_hour){.hour = hour};
    return &log->hours[log->last];
}

static void forget_hours(hb_log *log)
{
    for (size_t i = 0; i < log->hour_count; i++)
        hb_buffer_free(&log->hours[i].lines);
    log->hour_count = 0;
    hb_map_clear(&log->hour_index);
}

void hb_log_free_hours(hb_log *log)
{
    forget_hours(log);
    hb_map_free(&log->hour_index);
    free(log->hours);
    hb_buffer_free(&log->line);
}

/* ---- Mending ---- */

static bool cut(const hb_log *log, int file, const char *name, uint64_t from, uint64_t to, const char *what,
                hb_error *error)
{
    if (ftruncate(file, (off_t)to) != 0)
        return hb_fail_errno(error, "cannot cut a torn %s off the end of %s/%s", what, log->directory, name);
    hb_say_warning("cut a torn %s of %" PRIu64 " bytes off the end of %s/%s: hubbub or the machine was stopped while "
                   "it was written",
                   what, from - to, log->directory, name);
    return true;
}

static bool mend_plain(const hb_log *log, int file, const char *name, uint64_t *size, hb_error *error)
{
    char block[4096];
    const uint64_t whole = *size;
    uint64_t end = whole;
    while (end > 0) {
        const size_t count = end < sizeof block ? (size_t)end : end == whole ? 1 : sizeof block;
        if (pread(file, block, count, (off_t)(end - count)) != (ssize_t)count)
            return hb_fail_errno(error, "cannot read %s/%s", log->directory, name);
        const char *last = memrchr(block, '\n', count);
        end -= count;
        if (last != NULL) {
            end += (uint64_t)(last - block) + 1;
            break;
        }
    }
    *size = end;
    return end == whole || cut(log, file, name, whole, end, "line", error);
}

/* Whether the file holds nothing but zeros from there on: what some file systems leave of a write after a power
 * failure.
 */
static bool is_zero_from(int file, uint64_t at, uint64_t size)
{
    char block[4096];
    while (at < size) {
        const ssize_t got = pread(file, block, sizeof block, (off_t)at);
        if (got <= 0)
            return false;
        for (ssize_t i = 0; i < got; i++)
            if (block[i] != 0)
                return false;
        at += (uint64_t)got;
    }
    return true;
}

/* Finds where the last whole frame ends. *torn: what follows is a frame (or trailer) that is not whole. */
static bool find_last_frame(int file, uint64_t size, uint64_t *end, uint64_t *lines_end, bool *torn)
{
    hb_frames *frames = hb_frames_open(file);
    hb_frame frame;
    hb_frames_status status = HB_FRAMES_OK;
    *end = 0;
    do {
        const bool behind_damage = status == HB_FRAMES_BAD;
        status = hb_frames_next(frames, &frame);
        *torn = status == HB_FRAMES_END && !behind_damage;
        if (status == HB_FRAMES_OK || *torn)
            hb_frames_tell(frames, end, lines_end);
    } while (status == HB_FRAMES_OK || (status == HB_FRAMES_BAD && hb_frames_skip(frames, NULL) < size));
    hb_frames_close(frames);
    return status != HB_FRAMES_FAILED;
}

static bool mend_closed(const hb_log *log, int file, const char *name, uint64_t *size, uint64_t *lines_end,
                        hb_error *error)
{
    const uint64_t whole = *size;
    uint64_t end = 0;
    bool torn = false;
    if (whole == 0 || hb_frames_tail(file, whole, lines_end))
        return true;
    if (!find_last_frame(file, whole, &end, lines_end, &torn))
        return hb_fail_errno(error, "cannot read %s/%s", log->directory, name);
    if (end == whole)
        return true;
    if (torn || is_zero_from(file, end, whole)) {
        *size = end;
        return cut(log, file, name, whole, end, "frame", error);
    }
    /* No append leaves this behind: it stays as it is, for whoever can repair it, and readers pass over it. */
    hb_say_warning("%s/%s is damaged from byte %" PRIu64 " on", log->directory, name, end);
    return true;
}

bool hb_log_mend(const hb_log *log, int file, int64_t hour, hb_log_form form, uint64_t *size, uint64_t *lines_end,
                 hb_error *error)
{
    char name[HB_LOG_NAME];
    struct stat state;
    hb_log_name(hour, form, name);
    if (fstat(file, &state) != 0)
        return hb_fail_errno(error, "cannot read %s/%s", log->directory, name);
    *size = (uint64_t)state.st_size;
    *lines_end = 0;
    if (form == HB_LOG_CLOSED)
        return mend_closed(log, file, name, size, lines_end, error);
    const bool mended = mend_plain(log, file, name, size, error);
    *lines_end = *size;
    return mended;
}

/* ---- Writing ---- */

/* Writes data at the file's end. On failure *kept tells how much of it stays there (whole lines, or the whole frame of
 * frame_size bytes); the rest is cut off again. */
static bool write_end(int file, uint64_t end, hb_bytes data, size_t frame_size, size_t *kept)
{
    size_t done = 0;
    while (done < data.size) {
        const ssize_t wrote = pwrite(file, data.data + done, data.size - done, (off_t)(end + done));
        if (wrote > 0) {
            done += (size_t)wrote;
        } else if (wrote == 0 || errno != EINTR) {
            const int reason = wrote == 0 ? ENOSPC : errno;
            const char *last = frame_size == 0 && done > 0 ? memrchr(data.data, '\n', done) : NULL;
            *kept = frame_size > 0 ? (done >= frame_size ? frame_size : 0)
                    : last == NULL ? 0
                                   : (size_t)(last - data.data) + 1;
            /* If this fails too, the next one to append mends it. */
            (void)!ftruncate(file, (off_t)(end + *kept));
            errno = reason;
            return false;
        }
    }
    *kept = data.size;
    return true;
}

static void note_touched(hb_log *log, int64_t hour)
{
    for (size_t i = log->touched_count; i-- > 0;)
        if (log->touched[i] == hour)
            return;
    if (log->touched_count < HB_LOG_TOUCHED)
        log->touched[log->touched_count++] = hour;
    else
        log->touched_more = true;
}

uint64_t hb_log_count_lines(hb_bytes lines)
{
    uint64_t count = 0;
    for (const char *at = lines.data, *end = lines.data + lines.size; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            break;
        count++;
    }
    return count;
}

/* Appends a chunk to an hour's file, which is in the given form. *kept: bytes of the chunk that are in the file now.
 * The lock is held. */
static bool append_to(hb_log *log, int64_t hour, hb_log_form form, hb_bytes chunk, hb_bytes *frame, size_t *kept,
                      hb_error *error)
{
    char name[HB_LOG_NAME];
    uint64_t size = 0;
    uint64_t lines_end = 0;
    hb_log_name(hour, form, name);
    const bool fresh = !hb_log_exists(log, hour, form);
    const int file = hb_log_open_hour(log, hour, form, O_RDWR | O_CREAT);
    if (file < 0)
        return hb_fail_errno(error, "cannot write to %s/%s", log->directory, name);
    log->folder_touched |= fresh;
    bool written = hb_log_mend(log, file, hour, form, &size, &lines_end, error);
    if (written && form == HB_LOG_PLAIN) {
        written = write_end(file, size, chunk, 0, kept);
        if (!written)
            hb_fail_errno(error, "cannot write to %s/%s", log->directory, name);
    } else if (written) {
        if (frame->size == 0)
            *frame = hb_frame_make(log->maker, chunk);
        hb_frame_place(log->maker, lines_end);
        size_t frame_kept = 0;
        written = write_end(file, size, *frame, frame->size - HB_FRAME_TRAILER, &frame_kept);
        *kept = frame_kept > 0 ? chunk.size : 0;
        if (!written)
            hb_fail_errno(error, "cannot write to %s/%s", log->directory, name);
    }
    close(file);
    return written;
}

/* Whether lines for this hour, which has no file yet, go to a compressed one straight away. */
static bool is_over(int64_t hour)
{
    return hb_now_ms() / 1000 >= hour + HB_HOUR_S + HB_LOG_CLOSE_AFTER_S;
}

static bool append_chunk(hb_log *log, int64_t hour, hb_bytes chunk, size_t *kept, hb_error *error)
{
    hb_bytes frame = {0};
    *kept = 0;
    if (is_over(hour) && !hb_log_exists(log, hour, HB_LOG_PLAIN))
        frame = hb_frame_make(log->maker, chunk);
    if (!hb_log_lock(log, error))
        return false;
    const bool closed =
        hb_log_exists(log, hour, HB_LOG_CLOSED) || (is_over(hour) && !hb_log_exists(log, hour, HB_LOG_PLAIN));
    const bool written = append_to(log, hour, closed ? HB_LOG_CLOSED : HB_LOG_PLAIN, chunk, &frame, kept, error);
    hb_log_unlock(log);
    return written;
}

static bool flush_hour(hb_log *log, hb_log_hour *hour, hb_error *error)
{
    size_t done = 0;
    bool written = true;
    while (written && done < hour->lines.size) {
        size_t kept = 0;
        const hb_bytes chunk = hb_frame_cut(hb_bytes_from(hb_buffer_bytes(&hour->lines), done));
        written = append_chunk(log, hour->hour, chunk, &kept, error);
        if (kept > 0) {
            const uint64_t lines = hb_log_count_lines((hb_bytes){chunk.data, kept});
            note_touched(log, hour->hour);
            if (log->facts != NULL) {
                hb_metric_add(log->facts, lines);
                hb_metric_add(log->bytes, kept);
            }
        }
        done += kept;
    }
    log->buffered -= done;
    hb_buffer_drop_front(&hour->lines, done);
    if (!written && log->errors != NULL)
        hb_metric_add(log->errors, 1);
    log->refused = !written;
    return written;
}

bool hb_log_flush(hb_log *log, hb_error *error)
{
    enum { KEEP_HOURS = 8 }; /* buffers worth keeping for the next lines */
    bool written = true;
    hb_error first = {0};
    if (log->kafka != NULL)
        return hb_kafka_log_flush(log->kafka, error);
    if (log->buffered == 0)
        return true;
    for (size_t i = 0; i < log->hour_count; i++)
        if (!flush_hour(log, &log->hours[i], written ? &first : error))
            written = false;
    log->refused = !written;
    if (!written)
        *error = first;
    else if (log->hour_count > KEEP_HOURS)
        forget_hours(log);
    return written;
}

/* Makes room: hours with much to write first, so that frames stay large; until half of the room is free. */
static void flush_largest(hb_log *log)
{
    hb_error error = {0};
    for (uint64_t least = HB_FRAME_LINES / 2; log->buffered > HB_LOG_BUFFER_BYTES / 2 && !log->refused; least /= 2)
        for (size_t i = 0; i < log->hour_count && log->buffered > HB_LOG_BUFFER_BYTES / 2 && !log->refused; i++)
            if (log->hours[i].lines.size > least) {
                flush_hour(log, &log->hours[i], &error);
                if (!log->refused)
                    hb_buffer_free(&log->hours[i].lines);
            }
}

hb_log_append_status hb_log_append(hb_log *log, hb_bytes line, int64_t received_ms)
{
    hb_fact fact;
    hb_error error = {0};
    while (line.size > 0 && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
        line.size--;
    if (line.size > HB_LOG_LINE_BYTES)
        return HB_LOG_OVERLONG;
    const hb_log_append_status status = accept_line(log, &line, received_ms, &fact);
    if (status != HB_LOG_APPENDED)
        return status;
    if (log->kafka != NULL)
        return hb_kafka_log_append(log->kafka, line, fact.channel, fact.time_ms);
    if (log->buffered + line.size + 1 > HB_LOG_BUFFER_BYTES && !log->refused)
        flush_largest(log);
    if (log->hour_count >= HB_LOG_BUFFER_HOURS && !log->refused)
        hb_log_flush(log, &error);
    const int64_t hour_s = hb_time_floor(fact.time_ms / 1000, HB_HOUR_S);
    if (log->buffered + line.size + 1 > HB_LOG_BUFFER_BYTES || (log->hour_count >= HB_LOG_BUFFER_HOURS && log->refused))
        return HB_LOG_FULL;
    hb_log_hour *hour = find_or_make_hour(log, hour_s);
    if (hour->lines.size + line.size + 1 > HB_FRAME_LINES && !log->refused)
        flush_hour(log, hour, &error);
    hb_buffer_append(&hour->lines, line);
    hb_buffer_append_char(&hour->lines, '\n');
    log->buffered += line.size + 1;
    return HB_LOG_APPENDED;
}

/* ---- Syncing ---- */

static bool sync_hour(const hb_log *log, int64_t hour, hb_error *error)
{
    int file = hb_log_open_hour(log, hour, HB_LOG_CLOSED, O_RDONLY);
    if (file < 0 && errno == ENOENT)
        file = hb_log_open_hour(log, hour, HB_LOG_PLAIN, O_RDONLY);
    if (file < 0 && errno == ENOENT) /* compressed in this moment: that syncs; or deleted */
        return true;
    const bool synced = file >= 0 && fsync(file) == 0;
    if (!synced) {
        char name[HB_LOG_NAME];
        hb_log_name(hour, HB_LOG_PLAIN, name);
        hb_fail_errno(error, "cannot bring %s/%s to the disk", log->directory, name);
    }
    if (file >= 0)
        close(file);
    return synced;
}

bool hb_log_sync(hb_log *log, hb_error *error)
{
    bool synced = true;
    if (log->kafka != NULL) /* what it has confirmed is safe */
        return true;
    if (log->touched_more) {
        synced =
            syncfs(log->folder) == 0 || hb_fail_errno(error, "cannot bring the log %s to the disk", log->directory);
    } else {
        for (size_t i = 0; synced && i < log->touched_count; i++)
            synced = sync_hour(log, log->touched[i], error);
        if (synced && log->folder_touched)
            synced = fsync(log->folder) == 0 ||
                     hb_fail_errno(error, "cannot bring the log's directory %s to the disk", log->directory);
    }
    if (!synced) {
        if (log->errors != NULL)
            hb_metric_add(log->errors, 1);
        return false;
    }
    log->touched_count = 0;
    log->touched_more = false;
    log->folder_touched = false;
    return true;
}
