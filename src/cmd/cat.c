/* cat.c - hubbub cat: facts out of the log, by log/history.h: hours in ascending order, each in the order of the log.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "cmd/commands.h"
#include "log/history.h"
#include "serve/message_row.h"
#include "text/find.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { OUT_BYTES = 256 * 1024, WAIT_MS = 1000 };

typedef enum cat_format { FORMAT_RAW, FORMAT_TEXT, FORMAT_JSON } cat_format;

typedef struct cat_job {
    cat_format format;
    bool all; /* raw, and nothing to choose: lines go straight through */
    bool with_deleted;
    hb_log *log;
    hb_finder *finder; /* NULL: any text */
    hb_history *history;
    hb_buffer out;
    hb_buffer row;
    bool closed; /* nobody reads what we print any more */
} cat_job;

/* ---- Printing ---- */

static bool write_out(cat_job *cat, hb_bytes data, hb_error *error)
{
    while (data.size > 0) {
        const ssize_t wrote = write(STDOUT_FILENO, data.data, data.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EPIPE) {
            cat->closed = true; /* hubbub cat | head */
            return true;
        }
        if (wrote < 0)
            return hb_fail_errno(error, "cannot write to standard output");
        data = hb_bytes_from(data, (size_t)wrote);
    }
    return true;
}

static bool flush(cat_job *cat, hb_error *error)
{
    const bool written = cat->closed || write_out(cat, hb_buffer_bytes(&cat->out), error);
    cat->out.size = 0;
    return written;
}

/* The row of the API, with the channel in front. */
static void print_json(cat_job *cat, const hb_fact *fact, bool deleted)
{
    cat->row.size = 0;
    hb_message_row_print(&cat->row, fact, deleted);
    hb_buffer_print(&cat->out, "{\"channel\":\"%.*s\",", HB_PRINT(fact->channel));
    hb_buffer_append(&cat->out, hb_bytes_from(hb_buffer_bytes(&cat->row), 1));
    hb_buffer_append_char(&cat->out, '\n');
}

static void print_fact(cat_job *cat, const hb_history_fact *found)
{
    if (cat->format == FORMAT_RAW) {
        hb_buffer_append(&cat->out, found->line);
        hb_buffer_append_char(&cat->out, '\n');
        return;
    }
    const hb_fact fact = hb_message_as_seen(&found->fact, found->deleted, cat->with_deleted);
    if (cat->format == FORMAT_JSON)
        print_json(cat, &fact, found->deleted);
    else
        hb_message_line_print(&cat->out, &fact, found->deleted);
}

static bool print_lines(cat_job *cat, hb_bytes lines, hb_error *error)
{
    hb_history_fact found;
    if (cat->all)
        return write_out(cat, lines, error);
    while (!cat->closed && hb_history_next(cat->history, &lines, &found)) {
        print_fact(cat, &found);
        if (cat->out.size >= OUT_BYTES && !flush(cat, error))
            return false;
    }
    return true;
}

/* ---- Reading ---- */

/* Damage is said and passed over. */
static bool print_history(cat_job *cat, hb_error *error)
{
    hb_bytes lines = {"\n", 1};
    while (lines.size > 0 && !cat->closed) {
        if (hb_history_read(cat->history, &lines, error)) {
            if (!print_lines(cat, lines, error))
                return false;
        } else if (error->code == HB_ERROR_CORRUPT) {
            hb_say_warning("%s", error->text);
            lines.size = 1;
        } else {
            return false;
        }
    }
    return flush(cat, error);
}

static bool follow(cat_job *cat, hb_error *error)
{
    const hb_log_position *positions;
    size_t count;
    hb_history_follow(cat->history, &positions, &count);
    hb_log_follower *follower = hb_log_follower_open(cat->log, HB_LOG_FROM_START, positions, count, error);
    bool going = follower != NULL;
    while (going && !cat->closed) {
        hb_log_piece piece;
        if (!hb_log_follower_read(follower, &piece, error)) {
            going = error->code == HB_ERROR_CORRUPT;
            if (going)
                hb_say_warning("%s", error->text);
            continue;
        }
        hb_history_note(cat->history, piece.lines, hb_now_ms());
        going = print_lines(cat, piece.lines, error) && flush(cat, error);
        if (piece.lines.size == 0)
            hb_log_follower_wait(follower, WAIT_MS);
    }
    hb_log_follower_close(follower);
    return going;
}

/* ---- Options ---- */

static bool has_text(void *context, const hb_fact *fact)
{
    return hb_finder_has(context, fact->text);
}

static bool read_names(hb_history_query *query, const hb_options *options, hb_error *error)
{
    const char *channel = hb_options_text(options, "channel");
    const char *user = hb_options_text(options, "user");
    if (channel != NULL) {
        query->channel = hb_bytes_of(channel[0] == '#' ? channel + 1 : channel);
        if (query->channel.size == 0 || query->channel.size > HB_LOGIN_MAX)
            return hb_fail(error, HB_ERROR_USAGE, "--channel is '%s', but must be the name of a channel", channel);
    }
    if (user != NULL) {
        query->user = hb_bytes_of(user);
        if (query->user.size == 0 || query->user.size > HB_LOGIN_MAX)
            return hb_fail(error, HB_ERROR_USAGE, "--user is '%s', but must be a login or a user id", user);
    }
    return true;
}

static bool read_options(cat_job *cat, hb_history_query *query, const hb_options *options, hb_error *error)
{
    static const char *const formats[] = {"raw", "text", "json"};
    const char *text = hb_options_text(options, "text");
    const char *format = hb_options_text(options, "format");
    size_t index = 0;
    while (index < sizeof formats / sizeof *formats && strcmp(formats[index], format) != 0)
        index++;
    if (index == sizeof formats / sizeof *formats)
        return hb_fail(error, HB_ERROR_USAGE, "--format is '%s', but must be raw, text or json", format);
    cat->format = (cat_format)index;
    cat->with_deleted = hb_options_flag(options, "deleted");
    query->from_s = hb_options_text(options, "from") == NULL ? 0 : hb_options_time(options, "from");
    query->to_s = hb_options_text(options, "to") == NULL ? INT64_MAX / 1000 : hb_options_time(options, "to");
    query->messages = query->removals = cat->format != FORMAT_RAW;
    if (query->from_s > query->to_s)
        return hb_fail(error, HB_ERROR_USAGE, "--from is after --to");
    if (!read_names(query, options, error))
        return false;
    if (text != NULL) {
        cat->finder = hb_finder_open(hb_bytes_of(text), error);
        query->want = has_text;
        query->want_context = cat->finder;
    }
    cat->all = cat->format == FORMAT_RAW && query->channel.size == 0 && query->user.size == 0 && text == NULL &&
               hb_options_text(options, "from") == NULL && hb_options_text(options, "to") == NULL;
    return text == NULL || cat->finder != NULL;
}

static bool print_log(cat_job *cat, const hb_options *options, hb_error *error)
{
    hb_history_query query = {0};
    if (!read_options(cat, &query, options, error))
        return false;
    cat->log = hb_log_open(hb_options_log(options), HB_LOG_READ, NULL, error);
    if (cat->log == NULL)
        return false;
    cat->history = hb_history_open(cat->log, &query, error);
    if (cat->history == NULL || !print_history(cat, error))
        return false;
    return cat->closed || !hb_options_flag(options, "follow") || follow(cat, error);
}

static int run(const hb_options *options)
{
    cat_job cat = {0};
    hb_error error = {0};
    hb_error further = {0};
    const bool done = print_log(&cat, options, &error);
    hb_history_close(cat.history);
    hb_log_close(cat.log, &further);
    hb_finder_close(cat.finder);
    hb_buffer_free(&cat.out);
    hb_buffer_free(&cat.row);
    return done ? 0 : hb_exit_code(&error);
}

static const hb_option options[] = {
    HB_OPTIONS_PLACES,
    {"channel", HB_OPTION_TEXT, "C", NULL, "only of this channel"},
    {"user", HB_OPTION_TEXT, "U", NULL, "only of this user: a login or a user id"},
    {"text", HB_OPTION_TEXT, "WORDS", NULL, "only what holds this text, in any case"},
    {"from", HB_OPTION_TIME, "T", NULL, "only from this time on"},
    {"to", HB_OPTION_TIME, "T", NULL, "only before this time"},
    {"format", HB_OPTION_TEXT, "F", "raw", "raw: every fact as received; text, json: the messages"},
    {"deleted", HB_OPTION_FLAG, "", NULL, "with the text of messages that moderators removed"},
    {"follow", HB_OPTION_FLAG, "", NULL, "go on with what comes in, until stopped"},
    {NULL},
};

const hb_command hb_command_cat = {
    .name = "cat",
    .arguments = "",
    .summary = "print facts out of the log",
    .options = options,
    .arguments_max = 0,
    .run = run,
};
