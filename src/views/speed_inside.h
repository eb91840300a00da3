/* speed_inside.h - what the speed layer keeps; for speed.c, and for speed_state.c, which writes it down. */
#ifndef HB_VIEWS_SPEED_INSIDE_H
#define HB_VIEWS_SPEED_INSIDE_H

#include "views/speed.h"
#include "views/speed_rows.h"

typedef enum hb_speed_stage { STAGE_OPEN, STAGE_CLOSING, STAGE_WRITTEN, STAGE_DONE } hb_speed_stage;

typedef struct hb_speed_hour {
    int64_t hour_s;
    uint64_t start;    /* see hb_progress */
    uint64_t position; /* of a partition: behind the last line counted before the hour began to close */
    uint64_t passed;   /* of a partition: behind the last late fact */
    uint64_t late;
    int64_t taken_ms;    /* wall clock of the last lines, */
    uint64_t taken_ends; /* and the log's ends until then */
    hb_speed_stage stage;
    bool behind; /* was behind the watermark when it was opened, or an earlier run has opened it */
    bool begun;  /* what an earlier run wrote has been replaced */
    bool known;  /* the store has its progress */
    bool moved;  /* position or late differ from what the store has */
} hb_speed_hour;

typedef struct hb_speed_slot_note {
    hb_top top;
    int64_t written_ms; /* the sheet */
    bool unwritten;     /* the store's sheet is older than the rows */
    bool last_written;  /* of a closing hour */
    bool begun;         /* the store has the rows */
} hb_speed_slot_note;

struct hb_speed {
    hb_speed_options options;
    hb_fold *fold;
    hb_speed_hour *hours; /* ascending */
    size_t hour_count;
    size_t hour_capacity;
    size_t hour;         /* number of the hour that the latest line was of: nearly always that of the next one too */
    int64_t now_ms;      /* while lines are counted */
    uint64_t first_line; /* number of the first of the lines in hand, */
    uint64_t next;       /* of a partition: and its offset; then, where to go on */
    uint64_t reached;    /* of a partition: the greatest position that was restored */
    bool taken;          /* lines, ever */
    int64_t watermark_ms;
    uint64_t ends;    /* how often the log's end was reached */
    size_t unchecked; /* bytes of lines since the last look at the memory held */
    int64_t pressed_round;
    size_t held;
    uint64_t late;
    uint64_t ids_forgotten;
    hb_top_room *room;
    hb_speed_rows rows;
};

/* The layer's note of a slot, made if there is none. */
hb_speed_slot_note *hb_speed_note(hb_fold_slot *slot);

#endif
