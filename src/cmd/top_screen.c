/* top_screen.c - a list of pieces. Chat's text is made harmless (text/shown.h) here, where all of it passes. */
#include "cmd/top_screen.h"

#include "text/shown.h"
#include "text/utf8.h"

#include <stdlib.h>

void hb_top_screen_free(hb_top_screen *screen)
{
    free(screen->pieces);
    free(screen->row_styles);
    hb_buffer_free(&screen->text);
    *screen = (hb_top_screen){0};
}

void hb_top_screen_clear(hb_top_screen *screen, unsigned rows, unsigned columns)
{
    HB_RESERVE(screen->row_styles, screen->row_capacity, rows);
    if (rows > 0)
        memset(screen->row_styles, HB_TOP_PLAIN, rows);
    screen->rows = rows;
    screen->columns = columns;
    screen->piece_count = 0;
    screen->text.size = 0;
}

/* Each character that is not ASCII becomes '?', in place: it needs no more bytes. */
static void make_ascii(hb_buffer *text, size_t start)
{
    const hb_bytes whole = hb_buffer_bytes(text);
    size_t size = start;
    bool bad = false;
    for (size_t at = start; at < whole.size;) {
        const uint32_t code_point = hb_utf8_next(whole, &at, &bad);
        text->data[size++] = code_point < 0x80 ? (char)code_point : '?';
    }
    text->size = size;
}

static void put(hb_top_screen *screen, unsigned row, unsigned column, unsigned room, hb_top_style style, hb_bytes text,
                bool right)
{
    if (row >= screen->rows || column >= screen->columns || text.size == 0)
        return;
    if (room > screen->columns - column)
        room = screen->columns - column;
    HB_RESERVE(screen->pieces, screen->piece_capacity, screen->piece_count + 1);
    hb_top_piece *const piece = &screen->pieces[screen->piece_count++];
    *piece = (hb_top_piece){.row = row, .column = column, .style = style, .start = screen->text.size};
    piece->width = hb_shown_append(&screen->text, text, room);
    if (screen->ascii) {
        make_ascii(&screen->text, piece->start);
        piece->width = (unsigned)(screen->text.size - piece->start);
        if (piece->width > room) { /* marks that took no column and now take one */
            screen->text.size = piece->start + room;
            piece->width = room;
        }
    }
    piece->size = screen->text.size - piece->start;
    if (right)
        piece->column += room - piece->width;
}

void hb_top_put(hb_top_screen *screen, unsigned row, unsigned column, unsigned room, hb_top_style style, hb_bytes text)
{
    put(screen, row, column, room, style, text, false);
}

void hb_top_put_right(hb_top_screen *screen, unsigned row, unsigned column, unsigned room, hb_top_style style,
                      hb_bytes text)
{
    put(screen, row, column, room, style, text, true);
}

void hb_top_row_style(hb_top_screen *screen, unsigned row, hb_top_style style)
{
    if (row < screen->rows)
        screen->row_styles[row] = (unsigned char)style;
}

void hb_top_put_bars(hb_top_screen *screen, unsigned row, unsigned column, unsigned height, hb_top_style style,
                     const double *values, unsigned count, double most)
{
    hb_buffer line = {0};
    for (unsigned level = 0; level < height && level <= row; level++) {
        line.size = 0;
        for (unsigned i = 0; i < count; i++) {
            const double share = most > 0 && values[i] > 0 ? values[i] / most : 0;
            hb_shown_append_bar(&line, (share > 1 ? 1 : share) * height - level, screen->ascii);
        }
        put(screen, row - level, column, count, style, hb_buffer_bytes(&line), false);
    }
    hb_buffer_free(&line);
}

void hb_top_screen_print(const hb_top_screen *screen, hb_buffer *out)
{
    for (unsigned row = 0; row < screen->rows; row++) {
        const size_t start = out->size;
        unsigned column = 0;
        for (size_t i = 0; i < screen->piece_count; i++) {
            const hb_top_piece *const piece = &screen->pieces[i];
            if (piece->row != row)
                continue;
            for (; column < piece->column; column++)
                hb_buffer_append_char(out, ' ');
            hb_buffer_append(out, (hb_bytes){screen->text.data + piece->start, piece->size});
            column += piece->width;
        }
        while (out->size > start && out->data[out->size - 1] == ' ')
            out->size--;
        hb_buffer_append_char(out, '\n');
    }
}
