/* upkeep.c - takes turns: the log, then the views, then days, weeks and months.
 *
 * An hour of the log goes in two steps. First the store notes that it is going (HB_PROGRESS_REMOVED), so that whoever
 * recomputes hours leaves what was counted of it alone, even if further facts of that hour should come; then the file
 * goes, if it still ends where the batch layer has stopped counting. Killed in between, the second step follows at the
 * next start. */
#include "store/upkeep.h"

#include "base/clock.h"
#include "base/say.h"
#include "log/log.h"
#include "store/rollup.h"

#include <stdlib.h>

enum { LOOK_S = 600 }; /* how often to look for hours of the log that are old by now */

struct hb_upkeep {
    hb_store *store;
    hb_upkeep_options options;
    char *log_address;
    hb_rollup *rollup;

    hb_log *log; /* while hours of it are being removed */
    int64_t log_looked_s;
    hb_progress *hours; /* of the log, by hour: what the batch layer has of them */
    size_t hour_count;
    size_t hour_capacity;
    size_t hour; /* the next one */
    uint64_t removed;

    int64_t forgotten_s; /* views before are gone */
    hb_bytes *channels;
    size_t channel_count;
    size_t channel_capacity;
    hb_arena names;
    size_t channel; /* the next one; 0: what is not kept by channel */
};

hb_upkeep *hb_upkeep_open(hb_store *store, const hb_upkeep_options *options)
{
    hb_upkeep *upkeep = hb_alloc(sizeof *upkeep);
    upkeep->store = store;
    upkeep->options = *options;
    upkeep->options.log = upkeep->log_address = hb_copy_text(hb_bytes_of(options->log));
    upkeep->rollup = hb_rollup_open(store);
    upkeep->log_looked_s = INT64_MIN;
    upkeep->forgotten_s = INT64_MIN;
    return upkeep;
}

static void close_log(hb_upkeep *upkeep)
{
    hb_error unimportant = {0}; /* nothing was appended */
    if (upkeep->log != NULL)
        hb_log_close(upkeep->log, &unimportant);
    upkeep->log = NULL;
}

void hb_upkeep_close(hb_upkeep *upkeep)
{
    if (upkeep == NULL)
        return;
    close_log(upkeep);
    hb_rollup_close(upkeep->rollup);
    hb_arena_free(&upkeep->names);
    free(upkeep->channels);
    free(upkeep->hours);
    free(upkeep->log_address);
    free(upkeep);
}

/* ---- The log ---- */

static bool note_counted(void *context, const hb_progress *progress, int64_t at_s)
{
    hb_upkeep *const upkeep = context;
    (void)at_s;
    if (progress->done) {
        HB_RESERVE(upkeep->hours, upkeep->hour_capacity, upkeep->hour_count + 1);
        upkeep->hours[upkeep->hour_count++] = *progress;
    }
    return true;
}

static const hb_progress *find_hour(const hb_upkeep *upkeep, int64_t hour_s)
{
    size_t from = 0;
    size_t to = upkeep->hour_count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (upkeep->hours[middle].part < hour_s)
            from = middle + 1;
        else
            to = middle;
    }
    return from < upkeep->hour_count && upkeep->hours[from].part == hour_s ? &upkeep->hours[from] : NULL;
}

/* Finds the hours that are old enough, that the log has, and that the batch layer has counted. */
static bool find_old_hours(hb_upkeep *upkeep, int64_t before_s, hb_error *error)
{
    hb_log_part *parts = NULL;
    size_t count = 0;
    size_t old = 0;
    upkeep->hour_count = upkeep->hour = 0;
    if (!hb_store_progress(upkeep->store, HB_LAYER_BATCH, note_counted, upkeep, error) ||
        !hb_log_list(upkeep->log, &parts, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) { /* both lists are in the order of hours: the places before are used up */
        const hb_progress *const hour = find_hour(upkeep, parts[i].part);
        if (hour != NULL && parts[i].closed && parts[i].part + HB_HOUR_S <= before_s)
            upkeep->hours[old++] = *hour;
    }
    upkeep->hour_count = old;
    free(parts);
    return true;
}

static bool remove_hour(hb_upkeep *upkeep, const hb_progress *hour, hb_error *error)
{
    hb_progress gone = *hour;
    const uint64_t counted = hour->position & ~HB_PROGRESS_REMOVED;
    const hb_changes note = {.layer = HB_LAYER_BATCH, .progress = &gone, .progress_count = 1};
    uint64_t end = 0;
    bool removed = false;
    gone.position |= HB_PROGRESS_REMOVED;
    if (!hb_log_end(upkeep->log, hour->part, &end, error))
        return error->code == HB_ERROR_MISSING;
    if (end != counted) /* more has come: the batch layer is to count that first */
        return true;
    if ((hour->position != gone.position && !hb_store_apply(upkeep->store, &note, error)) ||
        !hb_log_remove(upkeep->log, hour->part, counted, &removed, error))
        return false;
    upkeep->removed += removed;
    return true;
}

/* *more stays as it is when there is nothing to do in the log. */
static bool step_log(hb_upkeep *upkeep, int64_t now_s, bool *more, hb_error *error)
{
    const int64_t before_s = now_s - (int64_t)upkeep->options.keep_log * HB_DAY_S;
    if (upkeep->options.keep_log == 0)
        return true;
    if (upkeep->log == NULL) {
        if (upkeep->log_looked_s != INT64_MIN && now_s >= upkeep->log_looked_s && now_s < upkeep->log_looked_s + LOOK_S)
            return true;
        upkeep->log = hb_log_open(upkeep->options.log, HB_LOG_APPEND, NULL, error);
        if (upkeep->log == NULL || !find_old_hours(upkeep, before_s, error)) {
            upkeep->log_looked_s = now_s; /* the other turns go on */
            close_log(upkeep);
            return false;
        }
    }
    if (upkeep->hour < upkeep->hour_count) {
        *more = true;
        return remove_hour(upkeep, &upkeep->hours[upkeep->hour++], error);
    }
    if (upkeep->removed > 0)
        hb_say_note("hours of the log that are past --keep-log %u and were removed: %llu", upkeep->options.keep_log,
                    (unsigned long long)upkeep->removed);
    upkeep->removed = 0;
    upkeep->log_looked_s = now_s;
    close_log(upkeep);
    return true;
}

/* ---- The views ---- */

static bool note_channel(void *context, const hb_channel_row *row)
{
    hb_upkeep *const upkeep = context;
    HB_RESERVE(upkeep->channels, upkeep->channel_capacity, upkeep->channel_count + 1);
    upkeep->channels[upkeep->channel_count++] = hb_arena_copy(&upkeep->names, row->channel);
    return true;
}

static int64_t views_begin(const hb_upkeep *upkeep, int64_t now_s)
{
    return upkeep->options.keep_views == 0
               ? INT64_MIN
               : hb_time_floor(now_s - (int64_t)upkeep->options.keep_views * HB_DAY_S, HB_DAY_S);
}

static bool step_views(hb_upkeep *upkeep, int64_t now_s, bool *more, hb_error *error)
{
    const int64_t before_s = views_begin(upkeep, now_s);
    bool rest = false;
    if (upkeep->forgotten_s >= before_s)
        return true;
    if (upkeep->channel == 0) {
        hb_arena_reset(&upkeep->names);
        upkeep->channel_count = 0;
        if (!hb_store_channels(upkeep->store, note_channel, upkeep, error))
            return false;
    }
    *more = true;
    const hb_bytes channel = upkeep->channel == 0 ? HB_BYTES("") : upkeep->channels[upkeep->channel - 1];
    if (!hb_store_forget(upkeep->store, channel, before_s, &rest, error))
        return false;
    upkeep->channel += !rest;
    if (upkeep->channel > upkeep->channel_count) {
        upkeep->channel = 0;
        upkeep->forgotten_s = before_s;
    }
    return true;
}

/* ---- Turns ---- */

bool hb_upkeep_step(hb_upkeep *upkeep, int64_t now_s, bool *more, hb_error *error)
{
    *more = false;
    if (!step_log(upkeep, now_s, more, error) || (!*more && !step_views(upkeep, now_s, more, error)))
        return false;
    return *more || !hb_store_keeps_rollups(upkeep->store) ||
           hb_rollup_step(upkeep->rollup, views_begin(upkeep, now_s), now_s, more, error);
}
