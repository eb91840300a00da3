/* speed.c - the speed layer's stages, and its memory. speed_rows.c makes the rows.
 *
 * Sheets of open hours live in the fold. Each slot of it carries a note of this layer: its lists of first words and
 * users, and when its sheet was last written. A frozen sheet keeps no lists: it is frozen only when the store has its
 * rows, so they can be made again from the sheet alone, before anything more is counted in it.
 *
 * What makes it right to read a partition on from hb_speed_start, wherever a run was cut off: progress is never written
 * of one hour without that of all others that have begun or have had late facts. So below the greatest position in the
 * store, there is no fact of which the store's progress knows nothing. */
#include "views/speed_inside.h"

#include "base/clock.h"

#include <stdlib.h>

enum {
    WATERMARK_MS = 2 * 60 * 1000, /* how far event times may come out of order */
    SHEET_EVERY_MS = 50 * 1000,   /* a changed sheet is written within a minute */
    REST_MS = 60 * 1000,          /* an hour behind the watermark closes when nothing has come for so long */
    CLOSING_AT_ONCE = 400 * 1000, /* words and users in the sheets that one flush encodes of a closing hour */
    CHECK_EVERY = 4 << 20,        /* bytes of lines between two looks at the memory held; */
    CHECK_EVERY_TIGHT = 64 << 10  /* the same when most of it is in use */
};

/* ---- Notes ---- */

hb_speed_slot_note *hb_speed_note(hb_fold_slot *slot)
{
    if (slot->note == NULL)
        slot->note = hb_alloc(sizeof(hb_speed_slot_note));
    return slot->note;
}

static void slot_forgotten(void *context, hb_fold_slot *slot)
{
    hb_speed_slot_note *const note = slot->note;
    (void)context;
    if (note != NULL)
        hb_top_free(&note->top);
    free(note);
    slot->note = NULL;
}

static void slot_thawed(void *context, hb_fold_slot *slot)
{
    hb_speed *const speed = context;
    hb_speed_slot_note *const note = hb_speed_note(slot);
    if (note->begun)
        hb_top_rebuild(&note->top, slot->sheet, speed->options.top, speed->room, NULL);
}

/* ---- Hours ---- */

/* Where the hour is in the list, or should be. */
static size_t place_of(const hb_speed *speed, int64_t hour_s)
{
    size_t from = 0;
    size_t to = speed->hour_count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (speed->hours[middle].hour_s < hour_s)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool is_at(const hb_speed *speed, size_t place, int64_t hour_s)
{
    return place < speed->hour_count && speed->hours[place].hour_s == hour_s;
}

static int64_t end_ms_of(const hb_speed_hour *hour)
{
    return (hour->hour_s + HB_HOUR_S) * 1000;
}

/* Makes the hour the one of the latest line. */
static hb_speed_hour *find_hour(hb_speed *speed, int64_t hour_s)
{
    if (is_at(speed, speed->hour, hour_s))
        return &speed->hours[speed->hour];
    speed->hour = place_of(speed, hour_s);
    if (!is_at(speed, speed->hour, hour_s)) {
        HB_RESERVE(speed->hours, speed->hour_capacity, speed->hour_count + 1);
        hb_speed_hour *const hour = &speed->hours[speed->hour];
        memmove(hour + 1, hour, (speed->hour_count - speed->hour) * sizeof *hour);
        *hour = (hb_speed_hour){.hour_s = hour_s};
        hour->behind = end_ms_of(hour) <= speed->watermark_ms;
        speed->hour_count++;
    }
    return &speed->hours[speed->hour];
}

static bool is_partition(const hb_speed *speed)
{
    return speed->options.is_partition;
}

void hb_speed_restore(hb_speed *speed, hb_layer layer, const hb_progress *progress)
{
    const int64_t hour_s = hb_time_floor(progress->part, HB_HOUR_S);
    const uint64_t position = is_partition(speed) ? progress->position & ~HB_PROGRESS_REMOVED : progress->position;
    if (progress->part - hour_s != speed->options.partition)
        return;
    if (layer == HB_LAYER_SPEED && position > speed->reached)
        speed->reached = position;
    if (!progress->done && (!is_partition(speed) || layer != HB_LAYER_SPEED))
        return; /* it will be read again from its start */
    const bool fresh = !is_at(speed, place_of(speed, hour_s), hour_s);
    if (!progress->done && !fresh)
        return; /* the batch layer has closed it */
    hb_speed_hour *const hour = find_hour(speed, hour_s);
    hour->known = true;
    hour->start = progress->start;
    if (!is_partition(speed) || position > hour->position)
        hour->position = position;
    if (!progress->done) {
        hour->behind = true; /* nobody knows how long it had rested */
        return;
    }
    hour->late = progress->late;
    hour->stage = STAGE_DONE;
    if (end_ms_of(hour) > speed->watermark_ms)
        speed->watermark_ms = end_ms_of(hour);
}

uint64_t hb_speed_position(const hb_speed *speed, int64_t part)
{
    const size_t place = place_of(speed, part);
    return is_at(speed, place, part) ? speed->hours[place].position : 0;
}

uint64_t hb_speed_start(const hb_speed *speed)
{
    uint64_t start = speed->reached;
    for (size_t i = 0; i < speed->hour_count; i++)
        if (speed->hours[i].stage != STAGE_DONE && speed->hours[i].start < start)
            start = speed->hours[i].start;
    return start;
}

uint64_t hb_speed_next(const hb_speed *speed)
{
    return speed->taken ? speed->next : hb_speed_start(speed);
}

void hb_speed_caught_up(hb_speed *speed)
{
    speed->ends++;
}

/* ---- Memory ---- */

static size_t slot_held(const hb_fold_slot *slot)
{
    const hb_speed_slot_note *const note = slot->note;
    return hb_fold_slot_held(slot) + (note == NULL ? 0 : sizeof *note + hb_top_held(&note->top));
}

static size_t measure(const hb_speed *speed)
{
    size_t held = sizeof *speed + hb_fold_held(speed->fold) + hb_speed_rows_held(&speed->rows) +
                  speed->hour_capacity * sizeof *speed->hours;
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
        hb_speed_slot_note *const note = hb_speed_note(slot);
        if (slot->sheet == NULL || slot->used > since_round || (note->begun && slot->sheet->changed))
            continue;
        const size_t before = slot_held(slot);
        hb_fold_freeze(slot);
        hb_top_free(&note->top);
        speed->held -= before - slot_held(slot);
    }
}

void hb_speed_set_memory(hb_speed *speed, size_t memory)
{
    speed->options.memory = memory;
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

static void left_to_batch(hb_speed *speed, hb_speed_hour *hour)
{
    hour->late++;
    speed->late++;
    hour->moved = true;
}

/* The offset of a line in hand, of a partition. */
static uint64_t offset_of(const hb_speed *speed, uint64_t line)
{
    return speed->next + (line - speed->first_line);
}

static bool is_wanted_of_partition(hb_speed *speed, int64_t hour_s, uint64_t line)
{
    const uint64_t offset = offset_of(speed, line);
    hb_speed_hour *const hour = find_hour(speed, hour_s);
    if (hour->stage == STAGE_OPEN) {
        if (hour->taken_ms == 0 && !hour->known)
            hour->start = offset;
        hour->taken_ms = speed->now_ms;
        hour->taken_ends = speed->ends;
        return true;
    }
    if (offset >= hour->position) { /* else an earlier run has counted it */
        hour->passed = offset + 1;
        left_to_batch(speed, hour);
    }
    return false;
}

static bool is_wanted(void *context, int64_t hour_s, uint64_t line)
{
    hb_speed *const speed = context;
    if (is_partition(speed))
        return is_wanted_of_partition(speed, hour_s, line);
    hb_speed_hour *const hour = &speed->hours[speed->hour];
    if (hour->stage == STAGE_OPEN && hour->hour_s == hour_s)
        return true;
    left_to_batch(speed, hour);
    return false;
}

static void left_out(void *context, int64_t hour_s)
{
    left_to_batch(context, find_hour(context, hour_s));
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

static void count_piece(hb_speed *speed, hb_bytes lines)
{
    speed->first_line = hb_fold_count(speed->fold).lines;
    hb_fold_lines(speed->fold, lines);
    speed->next += hb_fold_count(speed->fold).lines - speed->first_line;
    const int64_t watermark_ms = hb_fold_time_ms(speed->fold, speed->now_ms) - WATERMARK_MS;
    if (watermark_ms > speed->watermark_ms)
        speed->watermark_ms = watermark_ms;
    speed->unchecked += lines.size;
    if (speed->unchecked >= piece_size(speed))
        stay_within_memory(speed);
}

/* Returns how many bytes were taken. */
static size_t take(hb_speed *speed, hb_bytes lines, int64_t now_ms)
{
    const size_t size = lines.size;
    speed->now_ms = now_ms;
    speed->taken = true;
    while (lines.size > 0) {
        hb_bytes piece = lines;
        const size_t most = piece_size(speed);
        if (piece.size > most) {
            const char *end = memchr(lines.data + most, '\n', lines.size - most);
            piece.size = end == NULL ? lines.size : (size_t)(end - lines.data) + 1;
        }
        count_piece(speed, piece);
        lines = hb_bytes_from(lines, piece.size);
        if (hb_speed_is_tight(speed))
            break;
    }
    return size - lines.size;
}

size_t hb_speed_take(hb_speed *speed, int64_t part, hb_bytes lines, uint64_t next, int64_t now_ms)
{
    find_hour(speed, part);
    const size_t taken = take(speed, lines, now_ms);
    hb_speed_hour *const hour = &speed->hours[speed->hour];
    hour->taken_ms = now_ms;
    hour->taken_ends = speed->ends;
    hour->moved = true;
    hour->position = next - (lines.size - taken);
    return taken;
}

/* Closes the hours whose first facts are gone from the topic: the store has more of them than can be counted again. */
static void close_cut_hours(hb_speed *speed, uint64_t first)
{
    for (size_t i = 0; i < speed->hour_count; i++) {
        hb_speed_hour *const hour = &speed->hours[i];
        if (hour->stage != STAGE_OPEN || hour->start >= first)
            continue;
        hour->stage = STAGE_DONE;
        hour->moved = true;
        if (end_ms_of(hour) > speed->watermark_ms)
            speed->watermark_ms = end_ms_of(hour);
    }
}

size_t hb_speed_take_records(hb_speed *speed, uint64_t at, hb_bytes lines, int64_t now_ms)
{
    if (!speed->taken)
        close_cut_hours(speed, at);
    speed->next = at;
    const size_t taken = take(speed, lines, now_ms);
    for (size_t i = 0; i < speed->hour_count; i++) {
        hb_speed_hour *const hour = &speed->hours[i];
        if (hour->stage == STAGE_OPEN && speed->next > hour->position) {
            hour->position = speed->next;
            hour->moved = true;
        }
    }
    return taken;
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
    hb_fold_watch(fold, &(hb_fold_watcher){speed, slot_thawed, slot_forgotten, is_wanted, left_out});
    return speed;
}

void hb_speed_close(hb_speed *speed)
{
    if (speed == NULL)
        return;
    hb_fold_close(speed->fold);
    hb_top_room_close(speed->room);
    hb_speed_rows_free(&speed->rows);
    free(speed->hours);
    free(speed);
}

/* ---- Flushing ---- */

/* Whether an hour that is open should close now. */
static bool is_over(const hb_speed *speed, const hb_speed_hour *hour, hb_speed_flush_kind kind, int64_t now_ms)
{
    /* The end was reached since: what was read of the hour is all of it, and nothing more has come. */
    const bool rests = speed->ends > hour->taken_ends && now_ms - hour->taken_ms >= REST_MS;
    if (end_ms_of(hour) <= speed->watermark_ms)
        return rests || !hour->behind || kind == HB_SPEED_FLUSH_END;
    return is_partition(speed) && rests && end_ms_of(hour) + WATERMARK_MS <= now_ms;
}

static void close_hours(hb_speed *speed, hb_speed_flush_kind kind, int64_t now_ms)
{
    for (size_t i = 0; i < speed->hour_count; i++) {
        hb_speed_hour *const hour = &speed->hours[i];
        if (hour->stage == STAGE_WRITTEN) {
            hour->stage = STAGE_DONE;
            hour->moved = true;
        } else if (hour->stage == STAGE_OPEN && is_over(speed, hour, kind, now_ms)) {
            hour->stage = STAGE_CLOSING;
            if (end_ms_of(hour) > speed->watermark_ms)
                speed->watermark_ms = end_ms_of(hour);
        }
    }
}

static void add_progress(hb_speed *speed, hb_speed_hour *hour)
{
    hb_speed_rows_add_progress(&speed->rows, &(hb_progress){.part = hour->hour_s + speed->options.partition,
                                                            .start = hour->start,
                                                            .position = hour->position,
                                                            .done = hour->stage == STAGE_DONE,
                                                            .late = hour->late});
    hour->known = true;
    hour->moved = false;
}

/* Adds the progress that no rows come with: of hours that are done, and, beside any other progress, that further hours
 * have begun. */
static void add_further_progress(hb_speed *speed)
{
    for (size_t i = 0; i < speed->hour_count; i++) {
        hb_speed_hour *const hour = &speed->hours[i];
        if (hour->stage != STAGE_DONE || !hour->moved)
            continue;
        if (hour->passed > hour->position)
            hour->position = hour->passed;
        add_progress(speed, hour);
    }
    for (size_t i = 0; i < speed->hour_count && is_partition(speed) && speed->rows.progress_count > 0; i++) {
        hb_speed_hour *const hour = &speed->hours[i];
        const uint64_t position = hour->position;
        if (hour->known)
            continue;
        hour->position = hour->start; /* nothing of it is written */
        add_progress(speed, hour);
        hour->position = position;
        hour->moved = true;
    }
}

/* The hour's last rows are in what is collected. */
static void finish_hour(hb_speed *speed, hb_speed_hour *hour)
{
    hour->stage = STAGE_WRITTEN;
    hb_fold_forget(speed->fold, hour->hour_s);
}

/* The first write of a channel's rows in an hour. */
static void begin_slot(hb_speed *speed, hb_fold_slot *slot, hb_speed_slot_note *note, int64_t now_ms)
{
    hb_speed_rows_add_whole(&speed->rows, slot, &note->top, speed->options.top, speed->room);
    note->begun = true;
    /* Sheets that begin together should not all be due together. */
    note->written_ms = now_ms - (int64_t)(hb_hash(slot->channel, 0) % SHEET_EVERY_MS);
}

/* The first write of an hour: everything of it, in place of whatever is there. */
static void begin_hour(hb_speed *speed, hb_speed_hour *hour, int64_t now_ms)
{
    const bool open = hour->stage == STAGE_OPEN;
    hour->begun = true;
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold); i++) {
        hb_fold_slot *const slot = hb_fold_slot_at(speed->fold, i);
        if (slot->hour_s != hour->hour_s)
            continue;
        begin_slot(speed, slot, hb_speed_note(slot), now_ms);
        hb_speed_rows_add_sheet(&speed->rows, slot, open);
    }
    add_progress(speed, hour);
    if (!open)
        finish_hour(speed, hour);
}

/* Adds what changed in a slot, and its sheet if that is due; returns how many words and users were encoded. */
static size_t add_slot(hb_speed *speed, hb_fold_slot *slot, bool closing, hb_speed_flush_kind kind, int64_t now_ms)
{
    hb_speed_slot_note *const note = hb_speed_note(slot);
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

static void add_hour(hb_speed *speed, hb_speed_hour *hour, hb_speed_flush_kind kind, int64_t now_ms)
{
    const bool closing = hour->stage == STAGE_CLOSING;
    const size_t rows = speed->rows.channel_count + speed->rows.sheet_count;
    size_t encoded = 0;
    bool whole = true;
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold); i++) {
        hb_fold_slot *const slot = hb_fold_slot_at(speed->fold, i);
        if (slot->hour_s != hour->hour_s)
            continue;
        if (closing && encoded >= CLOSING_AT_ONCE)
            whole = false;
        else
            encoded += add_slot(speed, slot, closing, kind, now_ms);
    }
    if (hour->moved || speed->rows.channel_count + speed->rows.sheet_count > rows)
        add_progress(speed, hour);
    if (closing && whole)
        finish_hour(speed, hour);
}

static bool is_to_begin(const hb_speed *speed, const hb_speed_hour *hour)
{
    return !hour->begun && (hour->stage == STAGE_CLOSING || (hour->stage == STAGE_OPEN && speed->ends > 0));
}

bool hb_speed_flush(hb_speed *speed, hb_speed_flush_kind kind, int64_t now_ms, hb_changes *changes)
{
    size_t begin = 0;
    hb_speed_rows_clear(&speed->rows);
    close_hours(speed, kind, now_ms);
    while (begin < speed->hour_count && !is_to_begin(speed, &speed->hours[begin]))
        begin++;
    const bool replaces = begin < speed->hour_count;
    if (replaces)
        begin_hour(speed, &speed->hours[begin], now_ms);
    for (size_t i = 0; i < speed->hour_count && !replaces; i++)
        if (speed->hours[i].begun && speed->hours[i].stage < STAGE_WRITTEN)
            add_hour(speed, &speed->hours[i], kind, now_ms);
    add_further_progress(speed);
    if (!replaces)
        stay_within_memory(speed);
    const bool any = hb_speed_rows_give(&speed->rows, changes);
    if (replaces) {
        changes->replace = is_partition(speed) ? HB_REPLACE_CHANNELS : HB_REPLACE_HOUR;
        changes->hour_s = speed->hours[begin].hour_s;
    }
    return any;
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
