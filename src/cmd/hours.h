/* hours.h - what log and store know of each hour, and which hours the batch layer is to recompute. */
#ifndef HB_CMD_HOURS_H
#define HB_CMD_HOURS_H

#include "log/log.h"
#include "store/store.h"

enum { HB_HOURS_REST_S = 300 }; /* the batch layer takes an hour this long after its end */

typedef struct hb_hour {
    int64_t hour_s;
    uint64_t end;       /* of its lines in the log */
    int64_t changed_ms; /* the log's file, by the wall clock */
    bool counted;       /* the speed layer has counted it, or has begun to */
    uint64_t late;      /* facts that the speed layer left out */
    bool settled;       /* the batch layer has replaced it, */
    uint64_t settled_end;
    uint64_t settled_late; /* with so many of the late facts, */
    int64_t settled_s;     /* then */
    bool removed;          /* retention has removed from the log what was counted: what is there now came later */
    bool outdated;         /* sheets in it were made by an older version of the words */
    bool due;              /* the log holds other facts of it than the batch layer has counted */
} hb_hour;

typedef struct hb_hours { /* ascending; zero-initialise, free with hb_hours_free */
    hb_hour *items;
    size_t count;
    size_t going_on; /* hours that would be meant, but ended less than HB_HOURS_REST_S ago */
} hb_hours;

/* Lists the log's hours with from_s <= hour < to_s that ended HB_HOURS_REST_S before now_ms, or earlier, and that the
 * log still has whole. store may be NULL: nothing was counted yet. with_outdated asks the store for old versions, which
 * reads all of its sheets. */
bool hb_hours_list(hb_log *log, hb_store *store, int64_t from_s, int64_t to_s, bool with_outdated, int64_t now_ms,
                   hb_hours *hours, hb_error *error);
void hb_hours_free(hb_hours *hours);

static inline bool hb_hour_is_due(const hb_hour *hour)
{
    return hour->due;
}

/* Whether an hour that is due may be taken by a batch layer that works by itself. One that just ended is taken at once;
 * one of the past, which changes, may be in the middle of an import. */
bool hb_hour_is_ready(const hb_hour *hour, int64_t now_ms);

/* Late facts that the batch layer has not counted yet. */
static inline uint64_t hb_hour_late(const hb_hour *hour)
{
    return hour->late > hour->settled_late ? hour->late - hour->settled_late : 0;
}

/* Keeps only the hours that a test holds for. */
void hb_hours_keep(hb_hours *hours, bool (*keep)(const hb_hour *hour));

#endif
