/* export.c - hubbub export: every row of a view, or every message, as a table for other programs.
 *
 * The store keeps rows of the top words and users only; here they come from the sheets, which hold all. One sheet is in
 * memory at a time. Messages are read back from the log. A file appears under its name once it is whole. */
#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/say.h"
#include "cmd/commands.h"
#include "log/history.h"
#include "serve/table_writer.h"
#include "store/store.h"
#include "twitch/channel_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct export_job {
    const hb_options *options;
    char channel[HB_LOGIN_MAX + 1]; /* lower case; empty: all */
    int64_t from_s;
    int64_t to_s;
    hb_table_format format;
    const struct table *table;
    hb_table_writer *writer;
    uint64_t rows;
    hb_error *error;
    bool good; /* false once a row could not be written */
    hb_store *store;

    hb_word *words; /* of the sheet at hand */
    size_t word_capacity;
    hb_user *users;
    size_t user_capacity;
} export_job;

typedef struct table {
    const char *name;
    const hb_field *fields;
    size_t count;
    bool (*write)(export_job *job, hb_error *error);
} table;

static bool put(export_job *job, const hb_field_value *row)
{
    job->good = hb_table_writer_put(job->writer, row, job->error);
    job->rows += job->good;
    return job->good;
}

static hb_bytes layer_text(hb_layer layer)
{
    return hb_bytes_of(hb_layer_name(layer));
}

/* ---- Minutes ---- */

static const hb_field wordcount_fields[] = {
    {"time", HB_FIELD_TIME},          {"channel", HB_FIELD_TEXT},
    {"messages", HB_FIELD_COUNT},     {"words", HB_FIELD_COUNT},
    {"chatters", HB_FIELD_COUNT},     {"shared", HB_FIELD_COUNT},
    {"new_chatters", HB_FIELD_COUNT}, {"subscriber_messages", HB_FIELD_COUNT},
    {"layer", HB_FIELD_TEXT},
};

static bool put_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    const hb_minute *count = &row->count;
    if (count->messages == 0 && count->shared == 0) /* viewers alone */
        return true;
    return put(context, (const hb_field_value[]){{.time_ms = row->minute_s * 1000},
                                                 {.text = row->channel},
                                                 {.count = count->messages},
                                                 {.count = count->words},
                                                 {.count = count->chatters},
                                                 {.count = count->shared},
                                                 {.count = count->new_chatters},
                                                 {.count = count->subscriber_messages},
                                                 {.text = layer_text(layer)}});
}

static const hb_field viewers_fields[] = {
    {"time", HB_FIELD_TIME}, {"channel", HB_FIELD_TEXT}, {"viewers", HB_FIELD_COUNT}, {"samples", HB_FIELD_COUNT},
    {"game", HB_FIELD_TEXT}, {"title", HB_FIELD_TEXT},   {"layer", HB_FIELD_TEXT},
};

static bool put_viewers(void *context, const hb_minute_row *row, hb_layer layer)
{
    const hb_minute *count = &row->count;
    if (count->samples == 0)
        return true;
    return put(context, (const hb_field_value[]){{.time_ms = row->minute_s * 1000},
                                                 {.text = row->channel},
                                                 {.count = count->viewers_sum / count->samples},
                                                 {.count = count->samples},
                                                 {.text = count->game},
                                                 {.text = count->title},
                                                 {.text = layer_text(layer)}});
}

static bool write_minutes(export_job *job, hb_visit_minute *visit, hb_error *error)
{
    return hb_store_minutes(job->store, hb_bytes_of(job->channel), job->from_s, job->to_s, visit, job, error) &&
           job->good;
}

static bool write_wordcount(export_job *job, hb_error *error)
{
    return write_minutes(job, put_minute, error);
}

static bool write_viewers(export_job *job, hb_error *error)
{
    return write_minutes(job, put_viewers, error);
}

/* ---- Sheets ---- */

static const hb_field wordfreq_fields[] = {
    {"hour", HB_FIELD_TIME}, {"channel", HB_FIELD_TEXT}, {"kind", HB_FIELD_TEXT},
    {"word", HB_FIELD_TEXT}, {"count", HB_FIELD_COUNT},  {"layer", HB_FIELD_TEXT},
};

static int most_frequent_first(const void *a, const void *b)
{
    const hb_word *one = a;
    const hb_word *other = b;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    const int order = hb_bytes_compare(one->text, other->text);
    return order != 0 ? order : (int)one->kind - (int)other->kind;
}

static bool put_words(export_job *job, const hb_sheet *sheet, hb_layer layer)
{
    size_t count = 0;
    size_t cursor = 0;
    for (hb_word word; hb_sheet_next_word(sheet, &cursor, &word);) {
        HB_RESERVE(job->words, job->word_capacity, count + 1);
        job->words[count++] = word;
    }
    if (count > 0)
        qsort(job->words, count, sizeof *job->words, most_frequent_first);
    for (size_t i = 0; i < count && job->good; i++)
        put(job, (const hb_field_value[]){{.time_ms = hb_sheet_hour(sheet) * 1000},
                                          {.text = hb_sheet_channel(sheet)},
                                          {.text = hb_bytes_of(hb_kind_name(job->words[i].kind))},
                                          {.text = job->words[i].text},
                                          {.count = job->words[i].count},
                                          {.text = layer_text(layer)}});
    return job->good;
}

static const hb_field msgperuser_fields[] = {
    {"hour", HB_FIELD_TIME},      {"channel", HB_FIELD_TEXT}, {"user_id", HB_FIELD_TEXT}, {"user_name", HB_FIELD_TEXT},
    {"messages", HB_FIELD_COUNT}, {"words", HB_FIELD_COUNT},  {"layer", HB_FIELD_TEXT},
};

static int most_active_first(const void *a, const void *b)
{
    const hb_user *one = a;
    const hb_user *other = b;
    if (one->messages != other->messages)
        return one->messages > other->messages ? -1 : 1;
    return hb_bytes_compare(one->id, other->id);
}

static bool put_users(export_job *job, const hb_sheet *sheet, hb_layer layer)
{
    size_t count = 0;
    size_t cursor = 0;
    for (hb_user user; hb_sheet_next_user(sheet, &cursor, &user);) {
        HB_RESERVE(job->users, job->user_capacity, count + 1);
        job->users[count++] = user;
    }
    if (count > 0)
        qsort(job->users, count, sizeof *job->users, most_active_first);
    for (size_t i = 0; i < count && job->good; i++)
        put(job, (const hb_field_value[]){{.time_ms = hb_sheet_hour(sheet) * 1000},
                                          {.text = hb_sheet_channel(sheet)},
                                          {.text = job->users[i].id},
                                          {.text = job->users[i].name},
                                          {.count = job->users[i].messages},
                                          {.count = job->users[i].words},
                                          {.text = layer_text(layer)}});
    return job->good;
}

static const hb_field messages_fields[] = {
    {"time", HB_FIELD_REAL_TIME}, {"channel", HB_FIELD_TEXT},   {"id", HB_FIELD_TEXT},   {"user_id", HB_FIELD_TEXT},
    {"login", HB_FIELD_TEXT},     {"user_name", HB_FIELD_TEXT}, {"text", HB_FIELD_TEXT}, {"action", HB_FIELD_BOOL},
    {"shared", HB_FIELD_BOOL},    {"deleted", HB_FIELD_BOOL},
};

static bool write_messages(export_job *job, hb_error *error);
static bool write_wordfreq(export_job *job, hb_error *error);
static bool write_msgperuser(export_job *job, hb_error *error);

static const table tables[] = {
    {"wordcount", wordcount_fields, sizeof wordcount_fields / sizeof *wordcount_fields, write_wordcount},
    {"wordfreq", wordfreq_fields, sizeof wordfreq_fields / sizeof *wordfreq_fields, write_wordfreq},
    {"msgperuser", msgperuser_fields, sizeof msgperuser_fields / sizeof *msgperuser_fields, write_msgperuser},
    {"viewers", viewers_fields, sizeof viewers_fields / sizeof *viewers_fields, write_viewers},
    {"messages", messages_fields, sizeof messages_fields / sizeof *messages_fields, write_messages},
};

static bool put_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    export_job *job = context;
    (void)words_version;
    hb_sheet *sheet = hb_sheet_decode(row->sheet, job->error);
    if (sheet == NULL) {
        hb_error why = *job->error;
        char hour[HB_TIME_TEXT];
        hb_time_print_hour(row->hour_s, hour);
        return job->good = hb_fail(job->error, why.code, "the sheet of %.*s in hour %s cannot be read: %.300s",
                                   HB_PRINT(row->channel), hour, why.text);
    }
    if (job->table->write == write_wordfreq)
        put_words(job, sheet, layer);
    else
        put_users(job, sheet, layer);
    hb_sheet_close(sheet);
    return job->good;
}

static bool note_channel(void *context, const hb_channel_row *row)
{
    hb_buffer *names = context;
    hb_buffer_append(names, row->channel);
    hb_buffer_append_char(names, '\n');
    return true;
}

static bool write_sheets(export_job *job, hb_error *error)
{
    hb_buffer names = {0};
    hb_bytes name;
    bool read = true;
    /* A sheet is of a whole hour: the range is widened to that. */
    const int64_t from_s = hb_time_floor(job->from_s, HB_HOUR_S);
    if (job->channel[0] != '\0')
        hb_buffer_append(&names, hb_bytes_of(job->channel));
    else
        read = hb_store_channels(job->store, note_channel, &names, error);
    for (hb_bytes rest = hb_buffer_bytes(&names); read && job->good && hb_bytes_cut(&rest, '\n', &name);)
        read = hb_store_sheets(job->store, name, from_s, job->to_s, put_sheet, job, error);
    hb_buffer_free(&names);
    return read && job->good;
}

static bool write_wordfreq(export_job *job, hb_error *error)
{
    return write_sheets(job, error);
}

static bool write_msgperuser(export_job *job, hb_error *error)
{
    return write_sheets(job, error);
}

/* ---- Messages ---- */

/* A tag's value without its escapes, in room. */
static hb_bytes plain(hb_bytes escaped, hb_buffer *room)
{
    room->size = 0;
    char *out = hb_buffer_room(room, escaped.size);
    return (hb_bytes){out, hb_tag_unescape(escaped, out)};
}

static bool put_message(export_job *job, const hb_history_fact *found, hb_buffer rooms[3])
{
    const hb_fact *fact = &found->fact;
    const bool hidden = found->deleted && !hb_options_flag(job->options, "deleted");
    char channel[HB_LOGIN_MAX];
    return put(job, (const hb_field_value[]){
                        {.time_ms = fact->time_ms},
                        {.text = hb_bytes_lower(fact->channel, channel)},
                        {.text = plain(fact->id, &rooms[0])},
                        {.text = plain(fact->user_id, &rooms[1])},
                        {.text = fact->login},
                        {.text = fact->display_name.size > 0 ? plain(fact->display_name, &rooms[2]) : fact->login},
                        {.text = hidden ? (hb_bytes){"", 0} : fact->text},
                        {.truth = fact->action},
                        {.truth = fact->shared},
                        {.truth = found->deleted}});
}

static bool read_history(export_job *job, hb_history *history, hb_error *error)
{
    hb_buffer rooms[3] = {0};
    hb_bytes lines = {"\n", 1};
    hb_history_fact found;
    bool read = true;
    while (read && job->good && lines.size > 0) {
        read = hb_history_read(history, &lines, error);
        if (!read && error->code == HB_ERROR_CORRUPT) {
            hb_say_warning("%s", error->text);
            read = true;
            lines.size = 1;
            continue;
        }
        for (hb_bytes rest = lines; read && job->good && hb_history_next(history, &rest, &found);)
            put_message(job, &found, rooms);
    }
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        hb_buffer_free(&rooms[i]);
    return read && job->good;
}

static bool write_messages(export_job *job, hb_error *error)
{
    const hb_history_query query = {.channel = hb_bytes_of(job->channel),
                                    .from_s = job->from_s,
                                    .to_s = job->to_s,
                                    .messages = true,
                                    .removals = true};
    hb_error unread;
    hb_log *log = hb_log_open(hb_options_log(job->options), HB_LOG_READ, NULL, error);
    hb_history *history = log == NULL ? NULL : hb_history_open(log, &query, error);
    const bool read = history != NULL && read_history(job, history, error);
    hb_history_close(history);
    hb_log_close(log, &unread); /* it was only read: nothing can be lost */
    return read;
}

/* ---- Output ---- */

static bool write_table(export_job *job, int file, hb_error *error)
{
    hb_error further;
    job->good = true;
    job->error = error;
    job->writer = hb_table_writer_open(file, job->format, job->table->fields, job->table->count, error);
    if (job->writer == NULL)
        return false;
    const bool written = job->table->write(job, error);
    return hb_table_writer_close(job->writer, written, written ? error : &further) && written;
}

/* Under a name of its own first, so that nobody takes a part for the whole. */
static bool write_file(export_job *job, const char *name, hb_error *error)
{
    hb_buffer unfinished = {0};
    hb_buffer_print(&unfinished, "%s.unfinished", name);
    hb_buffer_append_char(&unfinished, '\0');
    const int file = open(unfinished.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool written = file >= 0 || hb_fail_errno(error, "cannot write %s", unfinished.data);
    written = written && write_table(job, file, error);
    if (written && (fsync(file) != 0 && errno != EINVAL))
        written = hb_fail_errno(error, "cannot bring %s to the disk", unfinished.data);
    if (file >= 0)
        close(file);
    if (written && rename(unfinished.data, name) != 0)
        written = hb_fail_errno(error, "cannot rename %s to %s", unfinished.data, name);
    if (!written && file >= 0)
        unlink(unfinished.data);
    hb_buffer_free(&unfinished);
    return written;
}

/* ---- Options ---- */

static bool read_options(export_job *job, hb_error *error)
{
    const hb_options *options = job->options;
    const char *name = hb_options_argument_count(options) == 0 ? "" : hb_options_argument(options, 0);
    const char *format = hb_options_text(options, "format");
    const char *channel = hb_options_text(options, "channel");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i].name, name) == 0)
            job->table = &tables[i];
    if (job->table == NULL)
        return hb_fail(error, HB_ERROR_USAGE,
                       "what is to be exported: wordcount, wordfreq, msgperuser, viewers or messages%s%s%s?",
                       *name == '\0' ? "" : " (not '", name, *name == '\0' ? "" : "')");
    if (!hb_table_format_parse(hb_bytes_of(format), &job->format))
        return hb_fail(error, HB_ERROR_USAGE, "--format is '%s', but must be csv, json or parquet", format);
    if (channel != NULL && !hb_channel_name_read(hb_bytes_of(channel), job->channel))
        return hb_fail(error, HB_ERROR_USAGE, "--channel is '%s', but must be 1 to %d letters, digits and _", channel,
                       HB_LOGIN_MAX);
    job->to_s = hb_options_time(options, "to");
    job->from_s = hb_options_text(options, "from") == NULL ? 0 : hb_options_time(options, "from");
    return job->from_s <= job->to_s || hb_fail(error, HB_ERROR_USAGE, "--from is after --to");
}

static bool export_table(export_job *job, hb_error *error)
{
    const char *output = hb_options_text(job->options, "output");
    const bool to_file = strcmp(output, "-") != 0;
    if (!read_options(job, error))
        return false;
    if (!to_file && job->format == HB_TABLE_PARQUET && isatty(STDOUT_FILENO))
        return hb_fail(error, HB_ERROR_USAGE, "Parquet is nothing for a terminal: name a file with --output");
    if (job->table->write != write_messages) {
        job->store = hb_store_open(hb_options_store(job->options), HB_STORE_READ, error);
        if (job->store == NULL)
            return false;
    }
    errno = 0;
    if (!to_file)
        return write_table(job, STDOUT_FILENO, error) || errno == EPIPE; /* a reader that has seen enough */
    if (!write_file(job, output, error))
        return false;
    char rows[32];
    hb_say_note("exported %s rows to %s", hb_number_print(job->rows, rows), output);
    return true;
}

static int run(const hb_options *options)
{
    export_job job = {.options = options};
    hb_error error = {0};
    const bool done = export_table(&job, &error);
    hb_store_close(job.store);
    free(job.words);
    free(job.users);
    return done ? 0 : hb_exit_code(&error);
}

static const hb_option options[] = {
    {"channel", HB_OPTION_TEXT, "C", NULL, "only of this channel"},
    {"from", HB_OPTION_TIME, "T", NULL, "only from this time on (default: all)"},
    {"to", HB_OPTION_TIME, "T", "now", "only before this time"},
    {"format", HB_OPTION_TEXT, "F", "csv", "csv, json (an object a line) or parquet"},
    {"output", HB_OPTION_TEXT, "FILE", "-", "where to; - is standard output"},
    {"deleted", HB_OPTION_FLAG, "", NULL, "messages: with the text of those that moderators removed"},
    HB_OPTIONS_PLACES,
    {NULL},
};

const hb_command hb_command_export = {
    .name = "export",
    .arguments = "wordcount|wordfreq|msgperuser|viewers|messages",
    .summary = "write a table with every row, for other programs",
    .options = options,
    .arguments_max = 1,
    .run = run,
};
