/* speed_rows.h - the rows of one transaction of the speed layer, collected from its sheets. Rows own their texts until
 * the next clear, so sheets may be frozen or forgotten meanwhile. Only speed.c uses this. */
#ifndef HB_VIEWS_SPEED_ROWS_H
#define HB_VIEWS_SPEED_ROWS_H

#include "views/changes.h"
#include "views/fold.h"
#include "views/top.h"

typedef struct hb_speed_rows { /* zero-initialise; free with hb_speed_rows_free */
    hb_arena texts;
    hb_minute_row *minutes;
    size_t minute_count;
    size_t minute_capacity;
    hb_word_row *words;
    size_t word_count;
    size_t word_capacity;
    hb_user_row *users;
    size_t user_count;
    size_t user_capacity;
    hb_channel_row *channels;
    size_t channel_count;
    size_t channel_capacity;
    hb_sheet_row *sheets; /* their bytes are freed one by one */
    size_t sheet_count;
    size_t sheet_capacity;
    hb_progress *progress;
    size_t progress_count;
    size_t progress_capacity;
    hb_bytes channel; /* of the sheet in hand */
    int64_t hour_s;
} hb_speed_rows;

void hb_speed_rows_clear(hb_speed_rows *rows);
void hb_speed_rows_free(hb_speed_rows *rows);
size_t hb_speed_rows_held(const hb_speed_rows *rows); /* bytes */

/* Adds what the slot's sheet has touched, brings the lists up to date with it, and notes it as no longer touched. */
void hb_speed_rows_add_changed(hb_speed_rows *rows, hb_fold_slot *slot, hb_top *top, uint32_t first, hb_top_room *room);

/* Adds all rows of the slot. A frozen sheet stays frozen, and its lists empty. */
void hb_speed_rows_add_whole(hb_speed_rows *rows, hb_fold_slot *slot, hb_top *top, uint32_t first, hb_top_room *room);

/* Adds the slot's sheet. */
void hb_speed_rows_add_sheet(hb_speed_rows *rows, const hb_fold_slot *slot, bool open);

void hb_speed_rows_add_progress(hb_speed_rows *rows, const hb_progress *progress);

/* Points changes at the rows; false when there are none. */
bool hb_speed_rows_give(const hb_speed_rows *rows, hb_changes *changes);

#endif
