/* hours.c - the log's list of parts, with what the store's progress says of each. */
#include "cmd/hours.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

enum {
    REST_MS = 60 * 1000, /* an hour of the past is taken when nothing more has come for so long, */
    PATIENCE_S = 600     /* or when its last batch was so long ago */
};

static hb_hour *find(hb_hours *hours, int64_t hour_s)
{
    size_t from = 0;
    size_t to = hours->count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (hours->items[middle].hour_s < hour_s)
            from = middle + 1;
        else
            to = middle;
    }
    return from < hours->count && hours->items[from].hour_s == hour_s ? &hours->items[from] : NULL;
}

static bool note_speed(void *context, const hb_progress *progress, int64_t at_s)
{
    hb_hour *const hour = find(context, progress->part);
    (void)at_s;
    if (hour != NULL) {
        hour->counted = true;
        hour->late = progress->late;
    }
    return true;
}

static bool note_batch(void *context, const hb_progress *progress, int64_t at_s)
{
    hb_hour *const hour = find(context, progress->part);
    if (hour != NULL && progress->done) {
        hour->settled = true;
        hour->settled_end = progress->position;
        hour->removed = (progress->position & HB_PROGRESS_REMOVED) != 0;
        hour->settled_late = progress->late;
        hour->settled_s = at_s;
    }
    return true;
}

static bool note_outdated(void *context, int64_t hour_s)
{
    hb_hour *const hour = find(context, hour_s);
    if (hour != NULL)
        hour->outdated = true;
    return true;
}

/* Finds the ends of the parts that are meant. A part that retention deletes meanwhile is left out. */
static bool list_parts(hb_log *log, int64_t from_s, int64_t to_s, int64_t now_ms, hb_hours *hours, hb_error *error)
{
    hb_log_part *parts = NULL;
    size_t count = 0;
    bool good = hb_log_list(log, &parts, &count, error);
    hours->items = hb_alloc((count + 1) * sizeof *hours->items);
    for (size_t i = 0; i < count && good; i++) {
        hb_hour hour = {.hour_s = parts[i].part, .changed_ms = parts[i].changed_ms};
        if (hour.hour_s < from_s || hour.hour_s >= to_s)
            continue;
        if ((hour.hour_s + HB_HOUR_S + HB_HOURS_REST_S) * 1000 > now_ms) {
            hours->going_on++;
            continue;
        }
        if (hb_log_end(log, hour.hour_s, &hour.end, error))
            hours->items[hours->count++] = hour;
        else
            good = error->code == HB_ERROR_MISSING;
    }
    free(parts);
    return good;
}

static bool is_whole(const hb_hour *hour)
{
    return !hour->removed;
}

bool hb_hours_list(hb_log *log, hb_store *store, int64_t from_s, int64_t to_s, bool with_outdated, int64_t now_ms,
                   hb_hours *hours, hb_error *error)
{
    *hours = (hb_hours){0};
    const bool good = list_parts(log, from_s, to_s, now_ms, hours, error) &&
                      (store == NULL ||
                       (hb_store_progress(store, HB_LAYER_SPEED, note_speed, hours, error) &&
                        hb_store_progress(store, HB_LAYER_BATCH, note_batch, hours, error) &&
                        (!with_outdated || hb_store_outdated(store, HB_WORDS_VERSION, note_outdated, hours, error))));
    hb_hours_keep(hours, is_whole);
    for (size_t i = 0; i < hours->count; i++)
        hours->items[i].due = !hours->items[i].settled || hours->items[i].settled_end != hours->items[i].end;
    return good;
}

bool hb_hour_is_ready(const hb_hour *hour, int64_t now_ms)
{
    const int64_t now_s = now_ms / 1000;
    if (now_ms - hour->changed_ms >= REST_MS)
        return true;
    return hour->settled ? now_s - hour->settled_s >= PATIENCE_S : now_s - hour->hour_s < 2 * HB_HOUR_S;
}

void hb_hours_free(hb_hours *hours)
{
    free(hours->items);
    *hours = (hb_hours){0};
}

void hb_hours_keep(hb_hours *hours, bool (*keep)(const hb_hour *hour))
{
    size_t kept = 0;
    for (size_t i = 0; i < hours->count; i++)
        if (keep(&hours->items[i]))
            hours->items[kept++] = hours->items[i];
    hours->count = kept;
}
