/* top_screen.h - what hubbub top shows, as pieces of text with places: drawn without a terminal, so that it can be
 * tested, printed as plain text, or painted by ncurses.
 *
 * A piece stands at a place of its own, however wide the terminal takes the text before it to be: a character whose
 * width is disputed moves nothing but itself. */
#ifndef HB_CMD_TOP_SCREEN_H
#define HB_CMD_TOP_SCREEN_H

#include "base/memory.h"

typedef enum hb_top_style {
    HB_TOP_PLAIN,
    HB_TOP_STRONG,
    HB_TOP_QUIET,
    HB_TOP_HEAD,   /* of a table */
    HB_TOP_CHOSEN, /* the row that the keys act on */
    HB_TOP_DRAWN,  /* lines and bars of charts */
    HB_TOP_ALERT,  /* what just happened, what is wrong */
    HB_TOP_STYLES
} hb_top_style;

typedef struct hb_top_piece {
    unsigned row;
    unsigned column;
    hb_top_style style;
    size_t start; /* in the screen's text */
    size_t size;
    unsigned width;
} hb_top_piece;

typedef struct hb_top_screen { /* zero-initialise */
    unsigned rows;
    unsigned columns;
    bool ascii;           /* the terminal shows nothing else */
    hb_top_piece *pieces; /* in the order in which they were put */
    size_t piece_count;
    size_t piece_capacity;
    unsigned char *row_styles; /* what lies behind the pieces: an hb_top_style a row */
    size_t row_capacity;
    hb_buffer text;
} hb_top_screen;

void hb_top_screen_free(hb_top_screen *screen);

/* Takes everything off, and makes it this large. */
void hb_top_screen_clear(hb_top_screen *screen, unsigned rows, unsigned columns);

/* Puts text, made harmless and cut to `room` columns; what lies outside the screen is left out. right: at the end of
 * the room. */
void hb_top_put(hb_top_screen *screen, unsigned row, unsigned column, unsigned room, hb_top_style style, hb_bytes text);
void hb_top_put_right(hb_top_screen *screen, unsigned row, unsigned column, unsigned room, hb_top_style style,
                      hb_bytes text);
void hb_top_row_style(hb_top_screen *screen, unsigned row, hb_top_style style);

/* Puts bars, a column a value, `height` rows high with row as the lowest; a bar of `most` fills them. A value over 0 is
 * always seen. */
void hb_top_put_bars(hb_top_screen *screen, unsigned row, unsigned column, unsigned height, hb_top_style style,
                     const double *values, unsigned count, double most);

/* Appends the screen as lines of plain text, without blanks at their ends. */
void hb_top_screen_print(const hb_top_screen *screen, hb_buffer *out);

#endif
