/* speed.c - the speed layer's stages, and its memory. speed_rows.c makes the rows.
 *
 * Sheets of open hours live in the fold. Each slot of it carries a note of this layer: its lists of first words and
 * users, and when its sheet was last written. A frozen sheet keeps no lists: it is frozen only when the store has its
 * rows, so they can be made again from the sheet alone, before anything more is counted in it. */
#include "views/speed.h"

#include "base/clock.h"
#include "views/speed_rows.h"

#include <stdlib.h>

enum {
    WATERMARK_MS = 2 * 60 * 1000, /* how far event times may come out of order */
    SHEET_EVERY_MS = 50 * 1000,   /* a changed sheet is written within a minute */
    REST_MS = 60 * 1000,          /* an hour behind the watermark closes when nothing has come for so long */
    CLOSING_AT_ONCE = 400 * 1000, /* words and users in the sheets that one flush encodes of a closing hour */
    CHECK_EVERY = 4 << 20,        /* bytes of lines between two looks at the memory held; */
    CHECK_EVERY_TIGHT = 64 << 10  /* the same when most of it is in use */
};

typedef enum stage { STAGE_OPEN, STAGE_CLOSING, STAGE_DONE } stage;

typedef struct part_state {
    int64_t part; /* the hour */
    uint64_t position;
    uint64_t late;
    int64_t taken_ms;    /* wall clock of the last lines, */
    uint64_t taken_ends; /* and the log's ends until then */
    stage stage;
    bool behind; /* was behind the watermark when it was opened */
    bool begun;  /* what an earlier run wrote has been replaced */
    bool moved;  /* position or late differ from what the store has */
} part_state;

typedef struct slot_note {
    hb_top top;
    int64_t written_ms; /* the sheet */
    bool unwritten;     /* the store's sheet is older than the rows */
    bool last_written;  /* of a closing hour */
    bool begun;         /* the store has the rows */
} slot_note;

struct hb_speed {
    hb_speed_options options;
    hb_fold *fold;
    part_state *parts; /* ascending */
    size_t part_count;
    size_t part_capacity;
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

/* ---- Notes ---- */

static slot_note *note_of(hb_fold_slot *slot)
{
    if (slot->note == NULL)
        slot->note = hb_alloc(sizeof(slot_note));
    return slot->note;
}

static void slot_forgotten(void *context, hb_fold_slot *slot)
{
    slot_note *const note = slot->note;
    (void)context;
    if (note != NULL)
        hb_top_free(&note->top);
    free(note);
    slot->note = NULL;
}

static void slot_thawed(void *context, hb_fold_slot *slot)
{
    hb_speed *const speed = context;
    slot_note *const note = note_of(slot);
    if (note->begun)
        hb_top_rebuild(&note->top, slot->sheet, speed->options.top, speed->room, NULL);
}

hb_speed *hb_speed_open(const hb_speed_options *options, hb_error *error)
{
    hb_fold *fold = hb_fold_open(error);
    if (fold == NULL)
        return NULL;
    hb_speed *speed = hb_alloc(sizeof *speed);
    speed->options = *options;
    speed->fold = fold;
    speed->room = hb_top_room_open();
    speed->watermark_ms = INT64_MIN;
    hb_fold_watch(fold, &(hb_fold_watcher){speed, slot_thawed, slot_forgotten});
    return speed;
}

void hb_speed_close(hb_speed *speed)
{
    if (speed == NULL)
        return;
    hb_fold_close(speed->fold);
    hb_top_room_close(speed->room);
    hb_speed_rows_free(&speed->rows);
    free(speed->parts);
    free(speed);
}

/* ---- Parts ---- */

/* Where the part is in the list, or should be. */
static size_t place_of(const hb_speed *speed, int64_t part)
{
    size_t from = 0;
    size_t to = speed->part_count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (speed->parts[middle].part < part)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool is_at(const hb_speed *speed, size_t place, int64_t part)
{
    return place < speed->part_count && speed->parts[place].part == part;
}

static int64_t end_ms_of(int64_t part)
{
    return (part + HB_HOUR_S) * 1000;
}

static part_state *part_of(hb_speed *speed, int64_t part)
{
    const size_t place = place_of(speed, part);
    if (!is_at(speed, place, part)) {
        HB_RESERVE(speed->parts, speed->part_capacity, speed->part_count + 1);
        part_state *const fresh = &speed->parts[place];
        memmove(fresh + 1, fresh, (speed->part_count - place) * sizeof *fresh);
        *fresh = (part_state){.part = part, .behind = end_ms_of(part) <= speed->watermark_ms};
        speed->part_count++;
    }
    return &speed->parts[place];
}

void hb_speed_restore(hb_speed *speed, const hb_progress *progress)
{
    if (!progress->done)
        return; /* it will be read again from its start */
    part_state *const part = part_of(speed, progress->part);
    part->position = progress->position;
    part->late = progress->late;
    part->stage = STAGE_DONE;
    if (end_ms_of(part->part) > speed->watermark_ms)
        speed->watermark_ms = end_ms_of(part->part);
}

uint64_t hb_speed_position(const hb_speed *speed, int64_t part)
{
    const size_t place = place_of(speed, part);
    return is_at(speed, place, part) ? speed->parts[place].position : 0;
}

void hb_speed_caught_up(hb_speed *speed)
{
    speed->ends++;
}

/* ---- Memory ---- */

static size_t slot_held(const hb_fold_slot *slot)
{
    const slot_note *const note = slot->note;
    return hb_fold_slot_held(slot) + (note == NULL ? 0 : sizeof *note + hb_top_held(&note->top));
}

static size_t measure(const hb_speed *speed)
{
    size_t held = sizeof *speed + hb_fold_held(speed->fold) + hb_speed_rows_held(&speed->rows) +
                  speed->part_capacity * sizeof *speed->parts;
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold); i++)
        held += slot_held(hb_fold_slot_at(speed->fold, i));
    return held;
}

/* Freezes sheets that were not used since a round, until no more than `enough` is held. A sheet can be frozen when the
 * store has all its rows, or none at all: then the lists can be made from it alone. */
static void freeze_sheets(hb_speed *speed, int64_t since_round, size_t enough)
{
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold) && speed->held > enough; i++) {
        hb_fold_slot *const slot = hb_fold_slot_at(speed->fold, i);
        slot_note *const note = note_of(slot);
        if (slot->sheet == NULL || slot->used > since_round || (note->begun && slot->sheet->changed))
            continue;
        const size_t before = slot_held(slot);
        hb_fold_freeze(slot);
        hb_top_free(&note->top);
        speed->held -= before - slot_held(slot);
    }
}

static void stay_within_memory(hb_speed *speed)
{
    const size_t enough = speed->options.memory / 10 * 8;
    const size_t much = speed->options.memory / 10 * 9;
    const int64_t round = hb_fold_round(speed->fold);
    speed->unchecked = 0;
    speed->held = measure(speed);
    if (speed->held > much) {
        freeze_sheets(speed, speed->pressed_round, enough);
        freeze_sheets(speed, round, enough);
        speed->pressed_round = round;
    }
    if (speed->held > much && hb_fold_ids_held(speed->fold) > speed->options.memory / 8) {
        speed->ids_forgotten += hb_fold_age_ids(speed->fold);
        speed->held = measure(speed);
    }
    hb_fold_set_full(speed->fold, speed->held > much);
}

/* ---- Taking lines ---- */

static uint64_t count_facts(hb_bytes lines)
{
    uint64_t facts = 0;
    hb_bytes line;
    hb_fact fact;
    while (hb_bytes_cut(&lines, '\n', &line))
        facts += hb_fact_read(line, &fact) == HB_FACT_OK;
    return facts;
}

static void left_to_batch(hb_speed *speed, part_state *part, uint64_t facts)
{
    part->late += facts;
    speed->late += facts;
}

/* What a flush makes clean can be frozen. */
bool hb_speed_is_tight(const hb_speed *speed)
{
    return speed->held > speed->options.memory / 10 * 9;
}

/* How many bytes of lines to count before the next look at the memory held. */
static size_t piece_size(const hb_speed *speed)
{
    const size_t tight = speed->options.memory / 8192;
    /* Where sheets are frozen, a few lines can thaw a lot. */
    if (speed->held < speed->options.memory / 10 * 7 && speed->pressed_round == 0)
        return speed->options.memory / 64 < CHECK_EVERY ? speed->options.memory / 64 : CHECK_EVERY;
    return tight < CHECK_EVERY_TIGHT ? tight : CHECK_EVERY_TIGHT;
}

static void count_piece(hb_speed *speed, part_state *part, hb_bytes lines, int64_t now_ms)
{
    const uint64_t misplaced = hb_fold_count(speed->fold).misplaced;
    hb_fold_hour(speed->fold, part->part);
    hb_fold_lines(speed->fold, lines);
    left_to_batch(speed, part, hb_fold_count(speed->fold).misplaced - misplaced);
    const int64_t watermark_ms = hb_fold_time_ms(speed->fold, now_ms) - WATERMARK_MS;
    if (watermark_ms > speed->watermark_ms)
        speed->watermark_ms = watermark_ms;
    speed->unchecked += lines.size;
    if (speed->unchecked >= piece_size(speed))
        stay_within_memory(speed);
}

size_t hb_speed_take(hb_speed *speed, int64_t part, hb_bytes lines, uint64_t next, int64_t now_ms)
{
    part_state *const state = part_of(speed, part);
    const size_t size = lines.size;
    state->taken_ms = now_ms;
    state->taken_ends = speed->ends;
    state->moved = true;
    if (state->stage != STAGE_OPEN) {
        left_to_batch(speed, state, count_facts(lines));
        lines.size = 0;
    }
    while (lines.size > 0) {
        hb_bytes piece = lines;
        const size_t most = piece_size(speed);
        if (piece.size > most) {
            const char *end = memchr(lines.data + most, '\n', lines.size - most);
            piece.size = end == NULL ? lines.size : (size_t)(end - lines.data) + 1;
        }
        count_piece(speed, state, piece, now_ms);
        lines = hb_bytes_from(lines, piece.size);
        if (hb_speed_is_tight(speed))
            break;
    }
    state->position = next - lines.size;
    return size - lines.size;
}

/* ---- Flushing ---- */

static void close_hours(hb_speed *speed, hb_speed_flush_kind kind, int64_t now_ms)
{
    for (size_t i = 0; i < speed->part_count; i++) {
        part_state *const part = &speed->parts[i];
        /* The end was reached since: what was read of the part is all of it, and nothing more has come. */
        const bool rests = !part->behind || kind == HB_SPEED_FLUSH_END ||
                           (speed->ends > part->taken_ends && now_ms - part->taken_ms >= REST_MS);
        if (part->stage == STAGE_OPEN && rests && end_ms_of(part->part) <= speed->watermark_ms)
            part->stage = STAGE_CLOSING;
    }
}

static void add_progress(hb_speed *speed, part_state *part)
{
    hb_speed_rows_add_progress(&speed->rows, &(hb_progress){.part = part->part,
                                                            .position = part->position,
                                                            .done = part->stage == STAGE_DONE,
                                                            .late = part->late});
    part->moved = false;
}

static void finish_hour(hb_speed *speed, part_state *part)
{
    part->stage = STAGE_DONE;
    add_progress(speed, part);
    hb_fold_forget(speed->fold, part->part);
}

/* The first write of a channel's rows in an hour. */
static void begin_slot(hb_speed *speed, hb_fold_slot *slot, slot_note *note, int64_t now_ms)
{
    hb_speed_rows_add_whole(&speed->rows, slot, &note->top, speed->options.top, speed->room);
    note->begun = true;
    /* Sheets that begin together should not all be due together. */
    note->written_ms = now_ms - (int64_t)(hb_hash(slot->channel, 0) % SHEET_EVERY_MS);
}

/* The first write of an hour: everything of it, in place of whatever is there. */
static void begin_hour(hb_speed *speed, part_state *part, int64_t now_ms)
{
    const bool open = part->stage == STAGE_OPEN;
    part->begun = true;
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold); i++) {
        hb_fold_slot *const slot = hb_fold_slot_at(speed->fold, i);
        if (slot->hour_s != part->part)
            continue;
        begin_slot(speed, slot, note_of(slot), now_ms);
        hb_speed_rows_add_sheet(&speed->rows, slot, open);
    }
    if (open)
        add_progress(speed, part);
    else
        finish_hour(speed, part);
}

/* Adds what changed in a slot, and its sheet if that is due; returns how many words and users were encoded. */
static size_t add_slot(hb_speed *speed, hb_fold_slot *slot, bool closing, hb_speed_flush_kind kind, int64_t now_ms)
{
    slot_note *const note = note_of(slot);
    if (!note->begun) {
        begin_slot(speed, slot, note, now_ms);
        note->unwritten = true;
    } else if (slot->sheet != NULL && slot->sheet->changed) {
        hb_speed_rows_add_changed(&speed->rows, slot, &note->top, speed->options.top, speed->room);
        note->unwritten = true;
    }
    const bool due = kind != HB_SPEED_FLUSH_ROWS || now_ms - note->written_ms >= SHEET_EVERY_MS;
    if (closing ? note->last_written : !note->unwritten || !due)
        return 0;
    const size_t entries = slot->sheet == NULL ? 0 : slot->sheet->word_count + slot->sheet->user_count;
    hb_speed_rows_add_sheet(&speed->rows, slot, !closing);
    note->written_ms = now_ms;
    note->unwritten = false;
    note->last_written = closing;
    return entries + 1;
}

static void add_hour(hb_speed *speed, part_state *part, hb_speed_flush_kind kind, int64_t now_ms)
{
    const bool closing = part->stage == STAGE_CLOSING;
    size_t encoded = 0;
    bool whole = true;
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold); i++) {
        hb_fold_slot *const slot = hb_fold_slot_at(speed->fold, i);
        if (slot->hour_s != part->part)
            continue;
        if (closing && encoded >= CLOSING_AT_ONCE)
            whole = false;
        else
            encoded += add_slot(speed, slot, closing, kind, now_ms);
    }
    if (closing && whole)
        finish_hour(speed, part);
    else if (part->moved)
        add_progress(speed, part);
}

bool hb_speed_flush(hb_speed *speed, hb_speed_flush_kind kind, int64_t now_ms, hb_changes *changes)
{
    hb_speed_rows_clear(&speed->rows);
    close_hours(speed, kind, now_ms);
    for (size_t i = 0; i < speed->part_count; i++) {
        part_state *const part = &speed->parts[i];
        const bool open = part->stage == STAGE_OPEN;
        if (part->stage != STAGE_DONE && !part->begun && (speed->ends > 0 || !open)) {
            begin_hour(speed, part, now_ms);
            hb_speed_rows_give(&speed->rows, changes);
            changes->replace = HB_REPLACE_HOUR;
            changes->hour_s = part->part;
            return true;
        }
    }
    for (size_t i = 0; i < speed->part_count; i++) {
        part_state *const part = &speed->parts[i];
        if (part->stage != STAGE_DONE && part->begun)
            add_hour(speed, part, kind, now_ms);
        else if (part->stage == STAGE_DONE && part->moved)
            add_progress(speed, part);
    }
    stay_within_memory(speed);
    return hb_speed_rows_give(&speed->rows, changes);
}

hb_speed_counts hb_speed_count(const hb_speed *speed, int64_t now_ms)
{
    const int64_t time_ms = hb_fold_time_ms(speed->fold, now_ms);
    return (hb_speed_counts){.fold = hb_fold_count(speed->fold),
                             .late = speed->late,
                             .ids_forgotten = speed->ids_forgotten,
                             .open_sheets = hb_fold_slot_count(speed->fold),
                             .held = speed->held,
                             .time_ms = time_ms};
}
