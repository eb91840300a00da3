/* cat.c - hubbub cat: facts out of the log.
 *
 * Hours in ascending order, each in the order of receipt. To know which messages were removed, the two hours behind the
 * one that is printed are looked through first (removals.h says why two). */
#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "cmd/commands.h"
#include "log/log.h"
#include "log/removals.h"
#include "serve/message_row.h"
#include "text/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { OUT_BYTES = 256 * 1024, WAIT_MS = 1000 };
#define WHEREVER_IT_ENDS (UINT64_MAX >> 2) /* an offset behind the end counts as the end */

typedef enum cat_format { FORMAT_RAW, FORMAT_TEXT, FORMAT_JSON } cat_format;

typedef struct cat_job {
    cat_format format;
    char channel_sign[HB_LOGIN_MAX + 2]; /* " #channel", with the channel in lower case */
    hb_bytes sign;                       /* the same; empty: every channel */
    char user_room[HB_LOGIN_MAX];
    hb_bytes user; /* as given: an id perhaps */
    hb_bytes user_login;
    bool with_times;
    int64_t from_s;
    int64_t to_s;
    bool with_deleted;
    hb_log *log;
    hb_removals *removals;
    int64_t scanned_to; /* removals are known up to this hour */
    hb_buffer out;
    hb_buffer row;
    hb_buffer repaired;
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

/* Characters that move the cursor or turn the direction of writing are shown instead of sent. */
static void print_visible(cat_job *cat, hb_bytes text)
{
    text = hb_utf8_repair(text, &cat->repaired);
    for (size_t at = 0; at < text.size;) {
        const size_t start = at;
        bool bad = false;
        const uint32_t c = hb_utf8_next(text, &at, &bad);
        if (c < 0x20 || c == 0x7f)
            hb_buffer_print(&cat->out, "^%c", (int)(c ^ 0x40));
        else if (c < 0x80 || !((c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)))
            hb_buffer_append(&cat->out, (hb_bytes){text.data + start, at - start});
        else
            hb_buffer_print(&cat->out, "\\u%04x", (unsigned)c);
    }
}

static void print_name(cat_job *cat, const hb_fact *fact)
{
    const hb_bytes escaped = fact->display_name.size > 0 ? fact->display_name : fact->login;
    char *plain = hb_alloc(escaped.size);
    print_visible(cat, (hb_bytes){plain, hb_tag_unescape(escaped, plain)});
    free(plain);
}

/* 2026-11-24T13:05:00Z #xqc name: text */
static void print_text(cat_job *cat, const hb_fact *fact, bool deleted)
{
    char time[HB_TIME_TEXT];
    hb_time_print(hb_time_floor(fact->time_ms, 1000) / 1000, time);
    hb_buffer_print(&cat->out, "%s #%.*s %s", time, HB_PRINT(fact->channel), fact->action ? "* " : "");
    print_name(cat, fact);
    if (!fact->action)
        hb_buffer_append_char(&cat->out, ':');
    if (fact->shared)
        hb_buffer_append(&cat->out, HB_BYTES(" [shared]"));
    if (deleted)
        hb_buffer_append(&cat->out, HB_BYTES(" [deleted]"));
    if (!deleted || cat->with_deleted) {
        hb_buffer_append_char(&cat->out, ' ');
        print_visible(cat, fact->text);
    }
    hb_buffer_append_char(&cat->out, '\n');
}

/* The row of the API, with the channel in front. */
static void print_json(cat_job *cat, hb_fact *fact, bool deleted)
{
    if (deleted && !cat->with_deleted)
        fact->text.size = 0;
    cat->row.size = 0;
    hb_message_row_print(&cat->row, fact, deleted);
    hb_buffer_print(&cat->out, "{\"channel\":\"%.*s\",", HB_PRINT(fact->channel));
    hb_buffer_append(&cat->out, hb_bytes_from(hb_buffer_bytes(&cat->row), 1));
    hb_buffer_append_char(&cat->out, '\n');
}

/* ---- Choosing ---- */

static bool is_wanted(const cat_job *cat, const hb_fact *fact)
{
    char lower[HB_LOGIN_MAX];
    if (cat->with_times && (fact->time_ms < cat->from_s * 1000 || fact->time_ms >= cat->to_s * 1000))
        return false;
    if (cat->sign.size > 0 && !hb_bytes_equal(hb_bytes_lower(fact->channel, lower), hb_bytes_from(cat->sign, 2)))
        return false;
    if (cat->user.size == 0 || hb_bytes_equal(fact->user_id, cat->user))
        return true;
    return fact->login.size > 0 && fact->login.size <= sizeof lower &&
           hb_bytes_equal(hb_bytes_lower(fact->login, lower), cat->user_login);
}

static void print_line(cat_job *cat, hb_bytes line)
{
    hb_fact fact;
    if (hb_fact_read(line, &fact) != HB_FACT_OK || !is_wanted(cat, &fact))
        return;
    if (cat->format == FORMAT_RAW) {
        hb_buffer_append(&cat->out, line);
        hb_buffer_append_char(&cat->out, '\n');
    } else if (fact.kind == HB_FACT_MESSAGE) {
        const bool deleted = hb_removals_hit(cat->removals, &fact);
        if (cat->format == FORMAT_JSON)
            print_json(cat, &fact, deleted);
        else
            print_text(cat, &fact, deleted);
    }
}

static bool print_lines(cat_job *cat, hb_bytes lines, hb_error *error)
{
    hb_bytes line;
    if (cat->format == FORMAT_RAW && cat->sign.size == 0 && cat->user.size == 0 && !cat->with_times)
        return write_out(cat, lines, error); /* nothing to choose: straight through */
    while (!cat->closed &&
           (cat->sign.size > 0 ? hb_log_find_line(&lines, cat->sign, &line) : hb_bytes_cut(&lines, '\n', &line))) {
        print_line(cat, line);
        if (cat->out.size >= OUT_BYTES && !flush(cat, error))
            return false;
    }
    return true;
}

/* ---- Reading ---- */

/* Reads a part from its start and hands its lines to take. *next: where it ended. Damage is said and passed over. */
static bool read_part(cat_job *cat, int64_t part, bool (*take)(struct cat_job *cat, hb_bytes lines, hb_error *error),
                      uint64_t *next, hb_error *error)
{
    hb_log_cursor *cursor = hb_log_cursor_open(cat->log, part, 0, error);
    *next = 0;
    if (cursor == NULL)
        return error->code == HB_ERROR_MISSING; /* deleted since it was listed */
    bool read = true;
    bool more = true;
    while (read && more && !cat->closed) {
        hb_bytes lines;
        read = hb_log_read(cursor, &lines, next, error);
        more = lines.size > 0;
        if (read) {
            read = take(cat, lines, error);
        } else if (error->code == HB_ERROR_CORRUPT) {
            hb_say_warning("%s", error->text);
            read = more = true;
        }
    }
    hb_log_cursor_close(cursor);
    return read;
}

static bool take_removals(cat_job *cat, hb_bytes lines, hb_error *error)
{
    (void)error;
    hb_removals_scan(cat->removals, lines);
    return true;
}

/* Finds out what was removed in the part and the two hours behind it. */
static bool look_ahead(cat_job *cat, const hb_log_part *parts, size_t count, size_t at, hb_error *error)
{
    const int64_t last = parts[at].part + (int64_t)HB_REMOVALS_REACH_HOURS * HB_HOUR_S;
    hb_removals_keep(cat->removals, parts[at].part * 1000, INT64_MAX);
    for (size_t i = at; i < count && parts[i].part <= last; i++) {
        uint64_t next = 0;
        if (parts[i].part <= cat->scanned_to)
            continue;
        if (!read_part(cat, parts[i].part, take_removals, &next, error))
            return false;
        cat->scanned_to = parts[i].part;
    }
    return true;
}

/* Prints what the log holds; positions (one a part) tell where each ended. */
static bool print_parts(cat_job *cat, const hb_log_part *parts, size_t count, hb_log_position *positions,
                        hb_error *error)
{
    for (size_t i = 0; i < count && !cat->closed; i++) {
        positions[i] = (hb_log_position){parts[i].part, WHEREVER_IT_ENDS};
        if (parts[i].part + HB_HOUR_S <= cat->from_s || parts[i].part >= cat->to_s)
            continue;
        if (cat->format != FORMAT_RAW && !look_ahead(cat, parts, count, i, error))
            return false;
        /* Only the first and the last hour can hold facts outside the range. */
        cat->with_times = cat->from_s > parts[i].part || cat->to_s < parts[i].part + HB_HOUR_S;
        if (!read_part(cat, parts[i].part, print_lines, &positions[i].offset, error) || !flush(cat, error))
            return false;
    }
    cat->with_times = true;
    return true;
}

static bool follow(cat_job *cat, const hb_log_position *positions, size_t count, hb_error *error)
{
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
        if (cat->format != FORMAT_RAW)
            hb_removals_scan(cat->removals, piece.lines);
        going = print_lines(cat, piece.lines, error) && flush(cat, error);
        if (piece.lines.size == 0) {
            hb_removals_keep(cat->removals, hb_now_ms() - HB_REMOVALS_REACH_MS, INT64_MAX);
            hb_log_follower_wait(follower, WAIT_MS);
        }
    }
    hb_log_follower_close(follower);
    return going;
}

static bool print_log(cat_job *cat, bool follows, hb_error *error)
{
    hb_log_part *parts = NULL;
    size_t count = 0;
    if (!hb_log_list(cat->log, &parts, &count, error))
        return false;
    hb_log_position *positions = hb_alloc(count * sizeof *positions);
    bool done = print_parts(cat, parts, count, positions, error);
    if (done && follows && !cat->closed)
        done = follow(cat, positions, count, error);
    free(positions);
    free(parts);
    return done;
}

/* ---- Options ---- */

static bool read_channel(cat_job *cat, const char *text, hb_error *error)
{
    const hb_bytes given = hb_bytes_of(text[0] == '#' ? text + 1 : text);
    if (given.size == 0 || given.size > HB_LOGIN_MAX)
        return hb_fail(error, HB_ERROR_USAGE, "--channel is '%s', but must be the name of a channel", text);
    memcpy(cat->channel_sign, " #", 2);
    hb_bytes_lower(given, cat->channel_sign + 2);
    cat->sign = (hb_bytes){cat->channel_sign, given.size + 2};
    return true;
}

static bool read_options(cat_job *cat, const hb_options *options, hb_error *error)
{
    static const char *const formats[] = {"raw", "text", "json"};
    const char *channel = hb_options_text(options, "channel");
    const char *user = hb_options_text(options, "user");
    const char *format = hb_options_text(options, "format");
    size_t index = 0;
    while (index < sizeof formats / sizeof *formats && strcmp(formats[index], format) != 0)
        index++;
    if (index == sizeof formats / sizeof *formats)
        return hb_fail(error, HB_ERROR_USAGE, "--format is '%s', but must be raw, text or json", format);
    cat->format = (cat_format)index;
    cat->with_deleted = hb_options_flag(options, "deleted");
    cat->from_s = hb_options_text(options, "from") == NULL ? 0 : hb_options_time(options, "from");
    cat->to_s = hb_options_text(options, "to") == NULL ? INT64_MAX / 1000 : hb_options_time(options, "to");
    cat->scanned_to = INT64_MIN;
    if (cat->from_s > cat->to_s)
        return hb_fail(error, HB_ERROR_USAGE, "--from is after --to");
    if (user != NULL) {
        cat->user = hb_bytes_of(user);
        if (cat->user.size == 0 || cat->user.size > HB_LOGIN_MAX)
            return hb_fail(error, HB_ERROR_USAGE, "--user is '%s', but must be a login or a user id", user);
        cat->user_login = hb_bytes_lower(cat->user, cat->user_room);
    }
    return channel == NULL || read_channel(cat, channel, error);
}

static int run(const hb_options *options)
{
    cat_job cat = {0};
    hb_error error = {0};
    hb_error further = {0};
    if (!read_options(&cat, options, &error))
        return hb_exit_code(&error);
    cat.log = hb_log_open(hb_options_log(options), HB_LOG_READ, NULL, &error);
    if (cat.log == NULL)
        return hb_exit_code(&error);
    cat.removals = hb_removals_open();
    const bool done = print_log(&cat, hb_options_flag(options, "follow"), &error);
    hb_removals_close(cat.removals);
    hb_log_close(cat.log, &further);
    hb_buffer_free(&cat.out);
    hb_buffer_free(&cat.row);
    hb_buffer_free(&cat.repaired);
    return done ? 0 : hb_exit_code(&error);
}

static const hb_option options[] = {
    HB_OPTIONS_PLACES,
    {"channel", HB_OPTION_TEXT, "C", NULL, "only of this channel"},
    {"user", HB_OPTION_TEXT, "U", NULL, "only of this user: a login or a user id"},
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
