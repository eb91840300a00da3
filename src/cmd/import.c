/* import.c - hubbub import: raw IRC lines of other archives into the log.
 *
 * Lines are appended without a flush in between, so that the log can put large frames together for each hour, however
 * scattered the lines are; where input comes slowly (a pipe that is fed by hand), what has come is flushed. Ctrl-C
 * stops after the present bytes, and tells how far the import came. */
#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/say.h"
#include "cmd/commands.h"
#include "cmd/signals.h"
#include "log/log.h"
#include "log/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    POLL_MS = 200, /* how soon a Ctrl-C is noticed while input is slow */
    FLUSH_MS = 1000
};

typedef struct import {
    const char *name;
    int file;
    hb_unpack *unpack;
    hb_log *log;
    hb_progress_bar *bar;
    hb_buffer text; /* unpacked, not yet appended */
    bool overlong;  /* the line at the front of text lost its beginning: it is too long */
    bool stopped;   /* by a signal */
    int64_t flushed_ms;
    uint64_t facts;
    uint64_t others;
    uint64_t malformed;
    uint64_t overlongs;
} import;

/* ---- Lines ---- */

/* Waits for a broker that is away or slow, until told to stop. A disk that refuses is told of at once. */
static bool make_room(import *job, hb_error *error)
{
    if (hb_log_flush(job->log, error))
        return true;
    if (error->code != HB_ERROR_NETWORK)
        return false;
    const int number = hb_signals_wait(0);
    return (number != SIGINT && number != SIGTERM) ||
           hb_fail(error, HB_ERROR_NETWORK, "stopped while the log took nothing");
}

static bool append_line(import *job, hb_bytes line, hb_error *error)
{
    for (;;)
        switch (hb_log_append(job->log, line, 0)) {
        case HB_LOG_APPENDED:
            job->facts++;
            return true;
        case HB_LOG_NO_FACT:
            job->others++;
            return true;
        case HB_LOG_MALFORMED:
            job->malformed += line.size > 0 && !hb_bytes_equal(line, HB_BYTES("\r"));
            return true;
        case HB_LOG_OVERLONG:
            job->overlongs++;
            return true;
        case HB_LOG_FULL:
            if (!make_room(job, error))
                return false;
            break;
        }
}

/* Appends the whole lines of text; at the end of the input the last one too. */
static bool append_lines(import *job, bool at_end, hb_error *error)
{
    hb_bytes rest = hb_buffer_bytes(&job->text);
    while (rest.size > 0) {
        const char *end = memchr(rest.data, '\n', rest.size);
        if (end == NULL && !at_end)
            break;
        const hb_bytes line = {rest.data, end == NULL ? rest.size : (size_t)(end - rest.data)};
        rest = hb_bytes_from(rest, line.size + (end != NULL));
        job->overlongs += job->overlong;
        if (!job->overlong && !append_line(job, line, error))
            return false;
        job->overlong = false;
    }
    if (rest.size > HB_LOG_LINE_BYTES + 1 || job->overlong) { /* with its CR */
        job->overlong = true;
        rest.size = 0;
    }
    hb_buffer_drop_front(&job->text, job->text.size - rest.size);
    return true;
}

/* ---- Input ---- */

/* Waits for input; meanwhile what was appended is flushed, and signals are listened to. */
static bool wait_for_input(import *job, hb_error *error)
{
    while (!job->stopped && hb_unpack_hungry(job->unpack)) {
        struct pollfd input = {job->file, POLLIN, 0};
        const bool there = poll(&input, 1, POLL_MS) != 0;
        const int64_t now_ms = hb_monotonic_ms();
        if (!there || now_ms - job->flushed_ms >= FLUSH_MS) {
            if (!there && !hb_log_flush(job->log, error))
                return false;
            job->flushed_ms = now_ms;
            const int number = hb_signals_wait(0);
            job->stopped = number == SIGINT || number == SIGTERM;
        }
        if (there)
            break;
    }
    return true;
}

static bool import_all(import *job, hb_error *error)
{
    bool more = true;
    while (more && !job->stopped) {
        hb_error damage = {0};
        if (!wait_for_input(job, error))
            return false;
        if (job->stopped)
            break;
        const bool read = hb_unpack_read(job->unpack, &job->text, &more, &damage);
        /* The last line of an input that breaks off is not whole: it is left out. */
        if (!append_lines(job, read && !more, error))
            return false;
        if (!read)
            return hb_fail(error, damage.code, "%s", damage.text);
        hb_progress_bar_show(job->bar, job->facts, hb_unpack_taken(job->unpack));
    }
    return true;
}

static bool open_input(import *job, uint64_t *size, hb_error *error)
{
    struct stat state;
    job->file = STDIN_FILENO;
    if (strcmp(job->name, "-") == 0)
        job->name = "standard input";
    else
        job->file = open(job->name, O_RDONLY | O_CLOEXEC);
    if (job->file < 0 && errno == ENOENT)
        return hb_fail(error, HB_ERROR_MISSING, "there is no file %s", job->name);
    if (job->file < 0 || fstat(job->file, &state) != 0)
        return hb_fail_errno(error, "cannot open %s", job->name);
    if (S_ISDIR(state.st_mode))
        return hb_fail(error, HB_ERROR_USAGE, "%s is a directory: name a file of raw IRC lines", job->name);
    *size = S_ISREG(state.st_mode) ? (uint64_t)state.st_size : 0;
    return true;
}

/* ---- The summary ---- */

static void add_left_out(hb_buffer *text, uint64_t count, const char *what)
{
    char number[32];
    if (count > 0)
        hb_buffer_print(text, "%s%s %s", text->size == 0 ? "; left out: " : ", ", hb_number_print(count, number), what);
}

/* count: the facts that reached the log; fewer than were appended when the disk refused. */
static void say_summary(const import *job, uint64_t count, int64_t took_ms)
{
    char facts[32];
    char rate[32];
    hb_buffer left_out = {0};
    add_left_out(&left_out, job->others, "lines that are no facts");
    add_left_out(&left_out, job->malformed, "lines that are no IRC");
    add_left_out(&left_out, job->overlongs, "lines longer than 64 KiB");
    hb_number_print(count, facts);
    hb_number_print(count * 1000 / (uint64_t)(took_ms < 1 ? 1 : took_ms), rate);
    hb_say_note("%s %s facts from %s in %.1f s (%s/s)%.*s", job->stopped ? "stopped after" : "imported", facts,
                job->name, (double)took_ms / 1000, rate, HB_PRINT(hb_buffer_bytes(&left_out)));
    hb_buffer_free(&left_out);
}

static int run(const hb_options *options)
{
    const int64_t from_ms = hb_monotonic_ms();
import job = {.name = hb_options_argument_count(options) == 1 ? hb_options_argument(options, 0) :NULL, .file = - 1 };
    hb_error error = {0};
    hb_error closing = {0};
    uint64_t size = 0;
    if (job.name == NULL) {
        hb_fail(&error, HB_ERROR_USAGE, "what is to be imported? Name a file, or - for standard input");
        return hb_exit_code(&error);
    }
    if (!open_input(&job, &size, &error))
        return hb_exit_code(&error);
    hb_signals_block();
    hb_metrics *metrics = hb_metrics_open();
    job.log = hb_log_open(hb_options_log(options), HB_LOG_APPEND, metrics, &error);
    bool done = job.log != NULL;
    if (done) {
        const hb_metric *written = hb_metrics_counter(metrics, "hubbub_log_facts_total", "");
        job.unpack = hb_unpack_open(job.file, job.name);
        job.bar = hb_progress_bar_open("import", "facts", size);
        job.flushed_ms = from_ms;
        done = import_all(&job, &error);
        if (!hb_log_close(job.log, &closing)) {
            error = closing;
            done = false;
        }
        hb_progress_bar_close(job.bar);
        say_summary(&job, (uint64_t)hb_metric_get(written), hb_monotonic_ms() - from_ms);
        if (done && job.facts == 0 && job.malformed + job.overlongs > 0)
            done = hb_fail(&error, HB_ERROR_CORRUPT, "%s holds no facts: is it raw IRC, a line each?", job.name);
    }
    hb_metrics_close(metrics);
    hb_unpack_close(job.unpack);
    hb_buffer_free(&job.text);
    if (job.file > STDIN_FILENO)
        close(job.file);
    return done ? (job.stopped ? 1 : 0) : hb_exit_code(&error);
}

static const hb_option options[] = {HB_OPTIONS_PLACES, {NULL}};

const hb_command hb_command_import = {
    .name = "import",
    .arguments = "FILE|-",
    .summary = "take raw IRC lines of other archives (plain, zstd or gzip) into the log",
    .options = options,
    .arguments_max = 1,
    .run = run,
};
