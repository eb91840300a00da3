/* top_draw.h - draws hubbub top's views onto a screen of any size. */
#ifndef HB_CMD_TOP_DRAW_H
#define HB_CMD_TOP_DRAW_H

#include "cmd/top_screen.h"
#include "cmd/top_state.h"

/* Draws what the state shows of the news (NULL: none yet) into the screen's size, and notes in the state which rows are
 * seen. error: why there is nothing newer, or empty. */
void hb_top_draw(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news, hb_bytes error);

/* Without anything to act on: for a reader that is no terminal. As many rows as there are; `columns` wide. */
void hb_top_draw_plain(hb_top_screen *screen, hb_top_state *state, const hb_top_news *news, unsigned columns);

#endif
