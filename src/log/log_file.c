/* log_file.c - the directory of the file log: opening it, its names, its lock, the list of its parts.
 *
 * Which file counts for an hour: FILE.irc.zst if it exists, else FILE.irc. Both are there only when hubbub was killed
 * between the last two steps of compressing; the compressed one is then complete and on the disk. No hour goes back
 * from compressed to plain, and nothing is written to either without the lock, so who holds the lock and has looked
 * knows what is what. Files are opened for the moment of each append: any number of hours can be written to, and no
 * descriptor can point to a file that was compressed away. */
#include "log/log_file.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/error.h"
#include "log/kafka_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FORMAT_VERSION = 1 };

/* ---- Names ---- */

static const char *const suffixes[] = {".irc", ".irc.zst", ".irc.zst.new", ".index", ".index.new"};

void hb_log_name(int64_t hour, hb_log_form form, char out[HB_LOG_NAME])
{
    hb_time_print_hour(hour, out);
    const size_t used = strlen(out);
    snprintf(out + used, HB_LOG_NAME - used, "%s", suffixes[form]);
}

bool hb_log_name_read(const char *name, int64_t *hour, hb_log_form *form)
{
    const char *suffix = strchr(name, '.');
    if (suffix == NULL || !hb_time_parse_hour((hb_bytes){name, (size_t)(suffix - name)}, hour))
        return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcmp(suffix, suffixes[i]) == 0) {
            *form = (hb_log_form)i;
            return true;
        }
    return false;
}

bool hb_log_write_whole(int file, hb_bytes data)
{
    while (data.size > 0) {
        const ssize_t wrote = write(file, data.data, data.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        data = hb_bytes_from(data, (size_t)wrote);
    }
    return true;
}

int hb_log_open_hour(const hb_log *log, int64_t hour, hb_log_form form, int flags)
{
    char name[HB_LOG_NAME];
    hb_log_name(hour, form, name);
    return openat(log->folder, name, flags | O_CLOEXEC, 0666);
}

bool hb_log_exists(const hb_log *log, int64_t hour, hb_log_form form)
{
    char name[HB_LOG_NAME];
    hb_log_name(hour, form, name);
    return faccessat(log->folder, name, F_OK, 0) == 0;
}

/* ---- The lock ---- */

bool hb_log_lock(hb_log *log, hb_error *error)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    pthread_sigmask(SIG_BLOCK, &stop, &log->unlocked_signals);
    while (flock(log->lock, LOCK_EX) != 0)
        if (errno != EINTR) {
            pthread_sigmask(SIG_SETMASK, &log->unlocked_signals, NULL);
            return hb_fail_errno(error, "cannot lock the log %s", log->directory);
        }
    return true;
}

void hb_log_unlock(hb_log *log)
{
    flock(log->lock, LOCK_UN);
    pthread_sigmask(SIG_SETMASK, &log->unlocked_signals, NULL);
}

/* ---- Opening ---- */

/* Makes the directory and those above it. */
static bool make_directory(const char *path, hb_error *error)
{
    char *part = hb_copy_text(hb_bytes_of(path));
    bool made = true;
    for (char *at = part + 1; made && part[0] != '\0'; at++) {
        const char kept = *at;
        if (kept != '/' && kept != '\0')
            continue;
        *at = '\0';
        made = mkdir(part, 0777) == 0 || errno == EEXIST || errno == EROFS;
        *at = kept;
        if (kept == '\0')
            break;
    }
    if (!made)
        hb_fail_errno(error, "cannot make the log's directory %s", path);
    free(part);
    return made;
}

/* Reads .version: 0 when there is none. */
static bool read_version(const hb_log *log, uint64_t *version, hb_error *error)
{
    char text[64];
    *version = 0;
    const int file = openat(log->folder, ".version", O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return true;
    const ssize_t size = file < 0 ? -1 : read(file, text, sizeof text);
    if (size < 0)
        hb_fail_errno(error, "cannot read %s/.version", log->directory);
    if (file >= 0)
        close(file);
    if (size < 0)
        return false;
    hb_bytes rest = {text, (size_t)size};
    hb_bytes line = {0};
    hb_bytes_cut(&rest, '\n', &line);
    if (!hb_bytes_to_u64(line, version) || *version == 0)
        return hb_fail(error, HB_ERROR_CORRUPT, "%s/.version does not hold the number of a version: is %s a log?",
                       log->directory, log->directory);
    return true;
}

static bool check_version(const hb_log *log, hb_error *error)
{
    uint64_t version = 0;
    if (!read_version(log, &version, error))
        return false;
    if (version > FORMAT_VERSION)
        return hb_fail(error, HB_ERROR_VERSION,
                       "the log %s has version %llu, written by a newer hubbub; this one knows versions up to %d: "
                       "install the newer one",
                       log->directory, (unsigned long long)version, FORMAT_VERSION);
    if (version > 0 || log->mode == HB_LOG_READ)
        return true;
    /* Under a name of its own first: nobody may see half a version. */
    static const char text[] = "1\n";
    _Static_assert(FORMAT_VERSION == 1, "the text above says the version");
    const int file = openat(log->folder, ".version.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const bool written = file >= 0 && write(file, text, sizeof text - 1) == (ssize_t)sizeof text - 1 &&
                         fsync(file) == 0 && renameat(log->folder, ".version.new", log->folder, ".version") == 0 &&
                         fsync(log->folder) == 0;
    if (!written)
        hb_fail_errno(error, "cannot write %s/.version", log->directory);
    if (file >= 0)
        close(file);
    return written;
}

/* Removes what compressing left behind when it was killed, or the index of an hour that is gone. The lock is held. */
static bool remove_leftover(const hb_log *log, int64_t hour, hb_log_form form, hb_error *error)
{
    char name[HB_LOG_NAME];
    hb_log_name(hour, form, name);
    const int file = openat(log->folder, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT || hb_fail_errno(error, "cannot open %s/%s", log->directory, name);
    /* An unfinished file is locked by the one who works on it. */
    const bool idle = flock(file, LOCK_EX | LOCK_NB) == 0;
    const bool done = !idle || unlinkat(log->folder, name, 0) == 0 || errno == ENOENT;
    if (!done)
        hb_fail_errno(error, "cannot remove %s/%s", log->directory, name);
    close(file);
    return done;
}

/* Brings one file in order before it is appended to. The lock is held. */
static bool mend_file(const hb_log *log, int64_t hour, hb_log_form form, hb_error *error)
{
    uint64_t size = 0;
    uint64_t lines_end = 0;
    if (form == HB_LOG_INDEX && hb_log_exists(log, hour, HB_LOG_CLOSED))
        return true;
    if (form >= HB_LOG_UNFINISHED || (form == HB_LOG_PLAIN && hb_log_exists(log, hour, HB_LOG_CLOSED)))
        return remove_leftover(log, hour, form, error);
    const int file = hb_log_open_hour(log, hour, form, O_RDWR);
    if (file < 0)
        return errno == ENOENT || hb_fail_errno(error, "cannot open an hour of the log %s to append", log->directory);
    const bool mended = hb_log_mend(log, file, hour, form, &size, &lines_end, error);
    close(file);
    return mended;
}

static DIR *open_folder(const hb_log *log, hb_error *error)
{
    const int folder = openat(log->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = folder < 0 ? NULL : fdopendir(folder);
    if (names == NULL) {
        hb_fail_errno(error, "cannot list the log %s", log->directory);
        if (folder >= 0)
            close(folder);
    }
    return names;
}

static bool mend_all(hb_log *log, hb_error *error)
{
    DIR *names = open_folder(log, error);
    if (names == NULL)
        return false;
    bool mended = true;
    for (const struct dirent *entry; mended && (entry = readdir(names)) != NULL;) {
        int64_t hour = 0;
        hb_log_form form = HB_LOG_PLAIN;
        if (!hb_log_name_read(entry->d_name, &hour, &form))
            continue;
        mended = hb_log_lock(log, error) && mend_file(log, hour, form, error);
        hb_log_unlock(log);
    }
    closedir(names);
    return mended;
}

static bool open_to_append(hb_log *log, hb_error *error)
{
    log->lock = openat(log->folder, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (log->lock < 0)
        return hb_fail_errno(error, "cannot write to the log %s", log->directory);
    log->maker = hb_frame_maker_open();
    if (!hb_log_lock(log, error))
        return false;
    const bool known = check_version(log, error);
    hb_log_unlock(log);
    return known && mend_all(log, error);
}

static hb_log *open_kafka(const char *address, hb_log_mode mode, hb_metrics *metrics, hb_error *error)
{
    hb_kafka_log *const kafka = hb_kafka_log_open(address, mode, metrics, error);
    hb_log *const log = kafka == NULL ? NULL : hb_alloc(sizeof *log);
    if (log == NULL)
        return NULL;
    log->kafka = kafka;
    log->mode = mode;
    log->folder = log->lock = log->watch = -1;
    return log;
}

hb_log *hb_log_open(const char *address, hb_log_mode mode, hb_metrics *metrics, hb_error *error)
{
    if (hb_log_is_kafka(address))
        return open_kafka(address, mode, metrics, error);
    if (mode == HB_LOG_APPEND && !make_directory(address, error))
        return NULL;
    hb_log *log = hb_alloc(sizeof *log);
    log->directory = hb_copy_text(hb_bytes_of(address));
    log->mode = mode;
    log->watch = -1;
    log->lock = -1;
    log->folder = open(address, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (metrics != NULL && mode == HB_LOG_APPEND) {
        log->facts = hb_metrics_counter(metrics, "hubbub_log_facts_total", "Facts written to the log.");
        log->bytes = hb_metrics_counter(metrics, "hubbub_log_bytes_total", "Bytes of lines written to the log.");
        log->errors = hb_metrics_counter(metrics, "hubbub_log_errors_total", "Writes to the log that failed.");
    }
    bool opened = log->folder >= 0;
    if (!opened && errno == ENOENT)
        hb_fail(error, HB_ERROR_MISSING,
                "there is no log at %s: 'hubbub run', 'hubbub ingest' and 'hubbub import' make one", address);
    else if (!opened)
        hb_fail_errno(error, "cannot open the log %s", address);
    else
        opened = mode == HB_LOG_READ ? check_version(log, error) : open_to_append(log, error);
    if (opened)
        return log;
    hb_error further = {0};
    hb_log_close(log, &further);
    return NULL;
}

bool hb_log_is_kafka(const char *address)
{
    return hb_address_is(address, "kafka");
}

bool hb_log_close(hb_log *log, hb_error *error)
{
    if (log == NULL)
        return true;
    bool written = log->kafka == NULL || hb_kafka_log_close(log->kafka, error);
    if (log->mode == HB_LOG_APPEND && log->lock >= 0) {
        hb_error further = {0};
        hb_error refusal = {0};
        written = hb_log_flush(log, &refusal);
        if (!written) {
            uint64_t lost = 0;
            for (size_t i = 0; i < log->hour_count; i++)
                lost += hb_log_count_lines(hb_buffer_bytes(&log->hours[i].lines));
            hb_fail(error, refusal.code, "%llu facts could not be written: %s", (unsigned long long)lost, refusal.text);
        }
        if (!hb_log_sync(log, written ? error : &further))
            written = false;
    }
    hb_log_free_hours(log);
    hb_frame_maker_close(log->maker);
    const int files[] = {log->folder, log->lock, log->watch};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] >= 0)
            close(files[i]);
    free(log->directory);
    free(log);
    return written;
}

/* ---- Listing ---- */

static int compare_parts(const void *a, const void *b)
{
    const hb_log_part *one = a;
    const hb_log_part *other = b;
    if (one->part != other->part)
        return one->part < other->part ? -1 : 1;
    return (int)other->closed - (int)one->closed; /* the one that counts first */
}

bool hb_log_list(hb_log *log, hb_log_part **parts, size_t *count, hb_error *error)
{
    size_t capacity = 0;
    size_t found = 0;
    *parts = NULL;
    *count = 0;
    if (log->kafka != NULL)
        return hb_kafka_log_refuse(log->kafka, error);
    DIR *names = open_folder(log, error);
    if (names == NULL)
        return false;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        int64_t hour = 0;
        hb_log_form form = HB_LOG_PLAIN;
        struct stat state;
        if (!hb_log_name_read(entry->d_name, &hour, &form) || form >= HB_LOG_UNFINISHED)
            continue;
        if (fstatat(log->folder, entry->d_name, &state, 0) != 0) {
            /* Compressed since the directory was read, or deleted. */
            char name[HB_LOG_NAME];
            hb_log_name(hour, HB_LOG_CLOSED, name);
            if (form == HB_LOG_CLOSED || fstatat(log->folder, name, &state, 0) != 0)
                continue;
            form = HB_LOG_CLOSED;
        }
        HB_RESERVE(*parts, capacity, found + 1);
        (*parts)[found++] = (hb_log_part){hour, form == HB_LOG_CLOSED, (uint64_t)state.st_size,
                                          (int64_t)state.st_mtim.tv_sec * 1000 + state.st_mtim.tv_nsec / 1000000};
    }
    closedir(names);
    if (found > 0)
        qsort(*parts, found, sizeof **parts, compare_parts);
    for (size_t i = 0; i < found; i++)
        if (*count == 0 || (*parts)[*count - 1].part != (*parts)[i].part)
            (*parts)[(*count)++] = (*parts)[i];
    return true;
}

/* ---- Waiting ---- */

int hb_log_watch_open(const hb_log *log)
{
    const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch >= 0 &&
        inotify_add_watch(watch, log->directory, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0) {
        close(watch);
        return -1;
    }
    return watch;
}

void hb_log_watch_wait(int watch, int wait_ms)
{
    enum { NAP_MS = 50 };
    struct pollfd news = {watch, POLLIN, 0};
    if (watch >= 0)
        poll(&news, 1, wait_ms);
    else
        poll(NULL, 0, wait_ms < NAP_MS ? wait_ms : NAP_MS);
}

void hb_log_wait(hb_log *log, int wait_ms)
{
    char events[4096];
    if (log->kafka != NULL) {
        poll(NULL, 0, wait_ms);
        return;
    }
    if (!log->watching) {
        log->watch = hb_log_watch_open(log);
        log->watching = true;
        return;
    }
    hb_log_watch_wait(log->watch, wait_ms);
    while (log->watch >= 0 && read(log->watch, events, sizeof events) > 0) {
    }
}
