/* table_writer.c - CSV and JSON go to the file as they are made. Parquet wants columns, so rows wait in one buffer a
 * column until they make a group. */
#include "serve/table_writer.h"

#include "base/clock.h"
#include "base/error.h"
#include "serve/csv.h"
#include "serve/json.h"
#include "text/utf8.h"

#ifdef HB_WITH_PARQUET
#include <hubbub_parquet.h>
#endif

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    OUT_BYTES = 256 * 1024,
    GROUP_ROWS = 128 * 1024, /* of Parquet */
    GROUP_BYTES = 32 << 20
};

typedef struct column { /* of a group that is not written yet */
    hb_buffer texts;
    uint64_t *ends;
    int64_t *numbers;
} column;

struct hb_table_writer {
    int file;
    hb_table_format format;
    const hb_field *fields;
    size_t count;
    hb_buffer out;
    hb_buffer repaired;
#ifdef HB_WITH_PARQUET
    hubbub_parquet *parquet;
    column *columns;
    size_t rows;
    size_t bytes;
#endif
};

bool hb_table_format_parse(hb_bytes name, hb_table_format *format)
{
    static const char *const names[] = {"csv", "json", "parquet"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (hb_bytes_equal(name, hb_bytes_of(names[i]))) {
            *format = (hb_table_format)i;
            return true;
        }
    return false;
}

/* ---- Parquet ---- */

#ifdef HB_WITH_PARQUET

static bool parquet_failed(const char *reason, hb_error *error)
{
    return hb_fail(error, HB_ERROR_SYSTEM, "cannot write Parquet: %s", reason);
}

static bool open_parquet(hb_table_writer *writer, hb_error *error)
{
    static const hubbub_parquet_kind kinds[] = {
        [HB_FIELD_TEXT] = HUBBUB_PARQUET_TEXT,      [HB_FIELD_COUNT] = HUBBUB_PARQUET_COUNT,
        [HB_FIELD_REAL_TIME] = HUBBUB_PARQUET_TIME, [HB_FIELD_TIME] = HUBBUB_PARQUET_TIME,
        [HB_FIELD_BOOL] = HUBBUB_PARQUET_BOOL,
    };
    char reason[400];
    hubbub_parquet_column *columns = hb_alloc(writer->count * sizeof *columns);
    for (size_t i = 0; i < writer->count; i++)
        columns[i] = (hubbub_parquet_column){writer->fields[i].name, kinds[writer->fields[i].kind]};
    writer->parquet = hubbub_parquet_open(writer->file, columns, writer->count, reason, sizeof reason);
    free(columns);
    if (writer->parquet == NULL)
        return parquet_failed(reason, error);
    writer->columns = hb_alloc(writer->count * sizeof *writer->columns);
    for (size_t i = 0; i < writer->count; i++)
        if (writer->fields[i].kind == HB_FIELD_TEXT)
            writer->columns[i].ends = hb_alloc(GROUP_ROWS * sizeof *writer->columns[i].ends);
        else
            writer->columns[i].numbers = hb_alloc(GROUP_ROWS * sizeof *writer->columns[i].numbers);
    return true;
}

static bool write_group(hb_table_writer *writer, hb_error *error)
{
    char reason[400];
    if (writer->rows == 0)
        return true;
    hubbub_parquet_values *values = hb_alloc(writer->count * sizeof *values);
    for (size_t i = 0; i < writer->count; i++) {
        column *from = &writer->columns[i];
        values[i] = (hubbub_parquet_values){from->texts.data, from->ends, from->numbers};
        from->texts.size = 0;
    }
    const bool written = hubbub_parquet_write(writer->parquet, values, writer->rows, reason, sizeof reason);
    free(values);
    writer->rows = writer->bytes = 0;
    return written || parquet_failed(reason, error);
}

static bool put_parquet(hb_table_writer *writer, const hb_field_value *row, hb_error *error)
{
    for (size_t i = 0; i < writer->count; i++) {
        column *to = &writer->columns[i];
        switch (writer->fields[i].kind) {
        case HB_FIELD_TEXT: {
            const hb_bytes text = hb_utf8_repair(row[i].text, &writer->repaired);
            hb_buffer_append(&to->texts, text);
            to->ends[writer->rows] = to->texts.size;
            writer->bytes += text.size;
            break;
        }
        case HB_FIELD_COUNT:
            to->numbers[writer->rows] = row[i].count > INT64_MAX ? INT64_MAX : (int64_t)row[i].count;
            break;
        case HB_FIELD_REAL_TIME:
        case HB_FIELD_TIME:
            to->numbers[writer->rows] = row[i].time_ms;
            break;
        case HB_FIELD_BOOL:
            to->numbers[writer->rows] = row[i].truth;
            break;
        }
    }
    writer->rows++;
    return (writer->rows < GROUP_ROWS && writer->bytes < GROUP_BYTES) || write_group(writer, error);
}

static bool close_parquet(hb_table_writer *writer, bool finish, hb_error *error)
{
    char reason[400];
    bool written = !finish || write_group(writer, error);
    if (writer->parquet != NULL && !hubbub_parquet_close(writer->parquet, finish && written, reason, sizeof reason))
        written = parquet_failed(reason, error);
    for (size_t i = 0; writer->columns != NULL && i < writer->count; i++) {
        hb_buffer_free(&writer->columns[i].texts);
        free(writer->columns[i].ends);
        free(writer->columns[i].numbers);
    }
    free(writer->columns);
    return written;
}

#else

static bool open_parquet(hb_table_writer *writer, hb_error *error)
{
    (void)writer;
    return hb_fail(
        error, HB_ERROR_USAGE,
        "this hubbub was built without Parquet: use csv or json, or build it where Rust's cargo is installed");
}

#endif

/* ---- Text ---- */

static bool write_out(hb_table_writer *writer, hb_error *error)
{
    hb_bytes data = hb_buffer_bytes(&writer->out);
    writer->out.size = 0;
    while (data.size > 0) {
        const ssize_t wrote = write(writer->file, data.data, data.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return hb_fail_errno(error, "cannot write the table");
        data = hb_bytes_from(data, (size_t)wrote);
    }
    return true;
}

/* "2026-11-24T13:05:00Z" or "2026-11-24T13:05:00.123Z" */
static size_t print_time(char out[HB_TIME_TEXT + 8], int64_t time_ms, bool with_ms)
{
    char seconds[HB_TIME_TEXT];
    const int64_t second = hb_time_floor(time_ms, 1000) / 1000;
    hb_time_print(second, seconds);
    if (!with_ms)
        return (size_t)snprintf(out, HB_TIME_TEXT + 8, "%s", seconds);
    return (size_t)snprintf(out, HB_TIME_TEXT + 8, "%.*s.%03dZ", (int)strlen(seconds) - 1, seconds,
                            (int)(time_ms - second * 1000));
}

static void print_csv(hb_table_writer *writer, const hb_field_value *row)
{
    char time[HB_TIME_TEXT + 8];
    for (size_t i = 0; i < writer->count; i++) {
        const hb_field_kind kind = writer->fields[i].kind;
        if (i > 0)
            hb_buffer_append_char(&writer->out, ',');
        if (kind == HB_FIELD_TEXT)
            hb_csv_text(&writer->out, hb_utf8_repair(row[i].text, &writer->repaired));
        else if (kind == HB_FIELD_COUNT)
            hb_buffer_print(&writer->out, "%" PRIu64, row[i].count);
        else if (kind == HB_FIELD_BOOL)
            hb_buffer_append(&writer->out, row[i].truth ? HB_BYTES("true") : HB_BYTES("false"));
        else
            hb_buffer_append(&writer->out,
                             (hb_bytes){time, print_time(time, row[i].time_ms, kind == HB_FIELD_REAL_TIME)});
    }
    hb_buffer_append(&writer->out, HB_BYTES("\r\n"));
}

static void print_json(hb_table_writer *writer, const hb_field_value *row)
{
    char time[HB_TIME_TEXT + 8];
    hb_json_open(&writer->out, '{');
    for (size_t i = 0; i < writer->count; i++) {
        const hb_field_kind kind = writer->fields[i].kind;
        hb_json_key(&writer->out, writer->fields[i].name);
        if (kind == HB_FIELD_TEXT)
            hb_json_text(&writer->out, row[i].text);
        else if (kind == HB_FIELD_COUNT)
            hb_json_unsigned(&writer->out, row[i].count);
        else if (kind == HB_FIELD_BOOL)
            hb_json_bool(&writer->out, row[i].truth);
        else
            hb_json_text(&writer->out, (hb_bytes){time, print_time(time, row[i].time_ms, kind == HB_FIELD_REAL_TIME)});
    }
    hb_json_close(&writer->out, '}');
    hb_buffer_append_char(&writer->out, '\n');
}

/* ---- The door ---- */

hb_table_writer *hb_table_writer_open(int file, hb_table_format format, const hb_field *fields, size_t count,
                                      hb_error *error)
{
    hb_table_writer *writer = hb_alloc(sizeof *writer);
    *writer = (hb_table_writer){.file = file, .format = format, .fields = fields, .count = count};
    if (format == HB_TABLE_PARQUET && !open_parquet(writer, error)) {
        free(writer);
        return NULL;
    }
    for (size_t i = 0; format == HB_TABLE_CSV && i < count; i++)
        hb_buffer_print(&writer->out, "%s%s", fields[i].name, i + 1 < count ? "," : "\r\n");
    return writer;
}

bool hb_table_writer_put(hb_table_writer *writer, const hb_field_value *row, hb_error *error)
{
#ifdef HB_WITH_PARQUET
    if (writer->format == HB_TABLE_PARQUET)
        return put_parquet(writer, row, error);
#endif
    if (writer->format == HB_TABLE_CSV)
        print_csv(writer, row);
    else
        print_json(writer, row);
    return writer->out.size < OUT_BYTES || write_out(writer, error);
}

bool hb_table_writer_close(hb_table_writer *writer, bool finish, hb_error *error)
{
    bool written = true;
    if (writer == NULL)
        return true;
#ifdef HB_WITH_PARQUET
    if (writer->format == HB_TABLE_PARQUET)
        written = close_parquet(writer, finish, error);
#endif
    if (writer->format != HB_TABLE_PARQUET && finish)
        written = write_out(writer, error);
    hb_buffer_free(&writer->out);
    hb_buffer_free(&writer->repaired);
    free(writer);
    return written;
}
