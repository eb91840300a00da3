/* answer_print.c - any answer as JSON, CSV, or a table for a terminal.
 *
 * Texts come from chat. JSON escapes what is not plain; CSV carries it unchanged, for programs; a table shows it as
 * text/shown.h says. */
#include "serve/answer_table.h"

#include "base/clock.h"
#include "serve/csv.h"
#include "serve/json.h"
#include "text/shown.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
    WIDTH_MAX = 60, /* columns of one table cell; what is longer is cut */
    SHARE_DECIMALS = 4
};

bool hb_format_parse(hb_bytes name, hb_format *format)
{
    static const char *const names[] = {
        [HB_FORMAT_TABLE] = "table", [HB_FORMAT_JSON] = "json", [HB_FORMAT_CSV] = "csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (hb_bytes_equal(name, hb_bytes_of(names[i]))) {
            *format = (hb_format)i;
            return true;
        }
    return false;
}

/* ---- JSON ---- */

static void print_json_time(hb_buffer *out, int64_t time_s)
{
    char text[HB_TIME_TEXT];
    if (time_s == HB_TIME_NONE) {
        hb_json_null(out);
        return;
    }
    hb_time_print(time_s, text);
    hb_json_text(out, hb_bytes_of(text));
}

static void print_json_cell(hb_buffer *out, const hb_column *column, const hb_cell *cell)
{
    hb_json_key(out, column->name);
    switch (column->kind) {
    case HB_CELL_TEXT:
        hb_json_text(out, cell->text);
        break;
    case HB_CELL_COUNT:
        if (cell->count == HB_COUNT_NONE)
            hb_json_null(out);
        else
            hb_json_unsigned(out, cell->count);
        break;
    case HB_CELL_REAL:
        hb_json_real(out, cell->real, 1);
        break;
    case HB_CELL_SHARE:
        hb_json_real(out, cell->real, SHARE_DECIMALS);
        break;
    case HB_CELL_TIME:
        print_json_time(out, cell->time_s);
        break;
    case HB_CELL_WORDS:
        hb_buffer_append(out, cell->text);
        break;
    case HB_CELL_SPARK:
        hb_json_open(out, '[');
        for (size_t i = 0; i < HB_ANSWER_SPARK; i++)
            hb_json_unsigned(out, cell->spark[i]);
        hb_json_close(out, ']');
        break;
    }
}

static void print_json(const hb_answer *answer, hb_buffer *out)
{
    hb_json_open(out, '{');
    if (answer->channel.size > 0) {
        hb_json_key(out, "channel");
        hb_json_text(out, answer->channel);
    }
    hb_json_key(out, "from");
    print_json_time(out, answer->from_s);
    hb_json_key(out, "to");
    print_json_time(out, answer->to_s);
    hb_json_key(out, "exact");
    hb_json_bool(out, answer->exact);
    hb_json_key(out, "rows");
    hb_json_open(out, '[');
    for (size_t at = 0; at < answer->cell_count; at += answer->column_count) {
        hb_json_open(out, '{');
        for (size_t i = 0; i < answer->column_count; i++)
            print_json_cell(out, &answer->columns[i], &answer->cells[at + i]);
        hb_json_close(out, '}');
    }
    hb_json_close(out, ']');
    hb_json_close(out, '}');
}

/* ---- CSV ---- */

/* Appends a cell's text as it is. */
static void print_plain(hb_buffer *out, hb_cell_kind kind, const hb_cell *cell)
{
    char time[HB_TIME_TEXT];
    switch (kind) {
    case HB_CELL_TEXT:
        hb_buffer_append(out, cell->text);
        break;
    case HB_CELL_COUNT:
        if (cell->count != HB_COUNT_NONE)
            hb_buffer_print(out, "%" PRIu64, cell->count);
        break;
    case HB_CELL_REAL:
        hb_buffer_print(out, "%.1f", cell->real);
        break;
    case HB_CELL_SHARE:
        if (!isnan(cell->real))
            hb_buffer_print(out, "%.*f", SHARE_DECIMALS, cell->real);
        break;
    case HB_CELL_TIME:
        if (cell->time_s != HB_TIME_NONE) {
            hb_time_print(cell->time_s, time);
            hb_buffer_append(out, hb_bytes_of(time));
        }
        break;
    case HB_CELL_WORDS:
        hb_answer_print_words(out, cell->text);
        break;
    case HB_CELL_SPARK:
        for (size_t i = 0; i < HB_ANSWER_SPARK; i++)
            hb_buffer_print(out, "%s%" PRIu64, i == 0 ? "" : " ", cell->spark[i]);
        break;
    }
}

static void print_csv(const hb_answer *answer, hb_buffer *out)
{
    hb_buffer room = {0};
    for (size_t i = 0; i < answer->column_count; i++)
        hb_buffer_print(out, "%s%s", i == 0 ? "" : ",", answer->columns[i].name);
    hb_buffer_append(out, HB_BYTES("\r\n"));
    for (size_t at = 0; at < answer->cell_count; at += answer->column_count) {
        for (size_t i = 0; i < answer->column_count; i++) {
            if (i > 0)
                hb_buffer_append_char(out, ',');
            room.size = 0;
            print_plain(&room, answer->columns[i].kind, &answer->cells[at + i]);
            hb_csv_text(out, hb_buffer_bytes(&room));
        }
        hb_buffer_append(out, HB_BYTES("\r\n"));
    }
    hb_buffer_free(&room);
}

/* ---- Table ---- */

typedef struct shown_cell {
    size_t start; /* in the buffer of all cells' texts */
    size_t size;
    unsigned width;
} shown_cell;

static void print_bars(hb_buffer *out, const uint64_t *spark)
{
    uint64_t most = 1;
    for (size_t i = 0; i < HB_ANSWER_SPARK; i++)
        most = spark[i] > most ? spark[i] : most;
    for (size_t i = 0; i < HB_ANSWER_SPARK; i++)
        hb_shown_append_bar(out, (double)spark[i] / (double)most, false);
}

static shown_cell show(hb_buffer *texts, hb_buffer *room, hb_cell_kind kind, const hb_cell *cell)
{
    shown_cell shown = {.start = texts->size};
    room->size = 0;
    if (kind == HB_CELL_SPARK)
        print_bars(room, cell->spark);
    else
        print_plain(room, kind, cell);
    shown.width = hb_shown_append(texts, hb_buffer_bytes(room), WIDTH_MAX);
    shown.size = texts->size - shown.start;
    return shown;
}

static void print_padded(hb_buffer *out, hb_bytes text, unsigned width, unsigned padded, bool right, bool last)
{
    const unsigned padding = padded > width ? padded - width : 0;
    for (unsigned i = 0; right && i < padding; i++)
        hb_buffer_append_char(out, ' ');
    hb_buffer_append(out, text);
    for (unsigned i = 0; !right && !last && i < padding; i++)
        hb_buffer_append_char(out, ' ');
    hb_buffer_append(out, last ? HB_BYTES("\n") : HB_BYTES("  "));
}

static void print_head(const hb_answer *answer, hb_buffer *out)
{
    char from[HB_TIME_TEXT];
    char to[HB_TIME_TEXT];
    hb_time_print(answer->from_s, from);
    hb_time_print(answer->to_s, to);
    if (answer->channel.size > 0)
        hb_buffer_print(out, "%.*s, ", HB_PRINT(answer->channel));
    hb_buffer_print(out, "%s to %s%s%s\n", from, to,
                    answer->exact ? ""
                    : answer->columns[0].kind == HB_CELL_TIME
                        ? "; the hour still goes on: its last minutes may lag"
                        : "; the hour still goes on: lower ranks may lag by a minute",
                    answer->cell_count == 0 ? ": nothing" : "");
}

static bool is_number(const hb_column *column)
{
    return column->kind == HB_CELL_COUNT || column->kind == HB_CELL_REAL;
}

static void print_table(const hb_answer *answer, hb_buffer *out)
{
    const size_t columns = answer->column_count;
    shown_cell *cells = hb_alloc(answer->cell_count * sizeof *cells);
    unsigned *widths = hb_alloc(columns * sizeof *widths);
    hb_buffer texts = {0};
    hb_buffer room = {0};
    print_head(answer, out);
    for (size_t i = 0; i < columns; i++)
        widths[i] = (unsigned)strlen(answer->columns[i].name);
    for (size_t row = 0; row < answer->cell_count; row += columns)
        for (size_t i = 0; i < columns; i++) {
            cells[row + i] = show(&texts, &room, answer->columns[i].kind, &answer->cells[row + i]);
            if (cells[row + i].width > widths[i])
                widths[i] = cells[row + i].width;
        }
    for (size_t i = 0; answer->cell_count > 0 && i < columns; i++) {
        const hb_bytes name = hb_bytes_of(answer->columns[i].name);
        print_padded(out, name, (unsigned)name.size, widths[i], is_number(&answer->columns[i]), i + 1 == columns);
    }
    for (size_t row = 0; row < answer->cell_count; row += columns)
        for (size_t i = 0; i < columns; i++) {
            const shown_cell *cell = &cells[row + i];
            print_padded(out, (hb_bytes){texts.data + cell->start, cell->size}, cell->width, widths[i],
                         is_number(&answer->columns[i]), i + 1 == columns);
        }
    hb_buffer_free(&texts);
    hb_buffer_free(&room);
    free(widths);
    free(cells);
}

void hb_answer_print(const hb_answer *answer, hb_format format, hb_buffer *out)
{
    switch (format) {
    case HB_FORMAT_JSON:
        print_json(answer, out);
        break;
    case HB_FORMAT_CSV:
        print_csv(answer, out);
        break;
    case HB_FORMAT_TABLE:
        print_table(answer, out);
        break;
    }
}
