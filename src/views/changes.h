/* changes.h - what a layer hands to the store: rows and sheets with absolute values, and how far it has read.
 *
 * Both layers speak this one form; the store applies all of it in one transaction, so rows and position never part.
 * All slices belong to the layer and hold until it is called again.
 */
#ifndef HB_VIEWS_CHANGES_H
#define HB_VIEWS_CHANGES_H

#include "base/bytes.h"

typedef enum hb_layer { HB_LAYER_SPEED, HB_LAYER_BATCH } hb_layer;

/* "speed" or "batch": a constant. */
const char *hb_layer_name(hb_layer layer);

typedef struct hb_minute_row { /* table wordcount; also table viewers, where samples > 0 */
    hb_bytes channel;
    int64_t minute_s;
    hb_minute count;
} hb_minute_row;

typedef struct hb_word_row { /* table wordfreq */
    hb_bytes channel;
    int64_t hour_s;
    hb_word word;
    bool gone; /* no longer among the top: remove the row */
} hb_word_row;

typedef struct hb_user_row { /* table msgperuser */
    hb_bytes channel;
    int64_t hour_s;
    hb_user user;
    bool gone;
} hb_user_row;

typedef struct hb_moment_row { /* table moments; layer is that of the minute's counts */
    hb_bytes channel;
    int64_t minute_s;
    double score;
    double usual;
    uint64_t messages;
    uint64_t chatters;
    hb_bytes words; /* that stand out, as JSON: [{"kind":"emote","word":"KEKW","count":41},…] */
    bool gone;      /* it is none, or none any more: remove the row */
} hb_moment_row;

typedef struct hb_channel_row { /* table channels; first and last seen only widen, a room id is never emptied */
    hb_bytes channel;
    hb_bytes room_id;
    int64_t first_seen_s;
    int64_t last_seen_s;
} hb_channel_row;

typedef struct hb_sheet_row { /* table sheets */
    hb_bytes channel;
    int64_t hour_s;
    hb_bytes sheet; /* encoded */
    bool open;      /* the hour still goes on: facts newer than the sheet may be in the rows only */
} hb_sheet_row;

/* Added to the batch layer's position: retention has removed the part from the log up to there. What the store says of
 * that hour can no longer be counted anew, so the batch layer must not replace it. */
#define HB_PROGRESS_REMOVED (UINT64_C(1) << 62)

typedef struct hb_progress { /* table progress */
    int64_t part;            /* of the file log: the hour; of a Kafka log: the hour + the partition */
    uint64_t start;          /* offset of the first fact of this hour in the part: 0 in the file log */
    uint64_t position;       /* offset behind the last fact counted; may hold HB_PROGRESS_REMOVED */
    bool done;               /* the speed layer: the part's hour is closed, what comes now is late.
                                the batch layer: the part was counted whole up to position */
    uint64_t late;           /* facts in this part that came too late for the speed layer, so far */
} hb_progress;

/* What is to be removed before the rest is put: rows and sheets of an hour, of every layer, but for its moments. Passed
 * over when the speed layer asks for it in an hour that the batch layer has replaced. */
typedef enum hb_replace {
    HB_REPLACE_NOTHING,
    HB_REPLACE_HOUR,    /* of all channels */
    HB_REPLACE_CHANNELS /* of those channels that have a sheet in the same changes: the others are counted elsewhere */
} hb_replace;

/* Rows of the speed layer come with the progress of their part, so that a store without transactions can tell older
 * from newer ones by its position. */
typedef struct hb_changes {
    hb_layer layer;
    const hb_minute_row *minutes;
    size_t minute_count;
    const hb_word_row *words;
    size_t word_count;
    const hb_user_row *users;
    size_t user_count;
    const hb_channel_row *channels;
    size_t channel_count;
    const hb_sheet_row *sheets;
    size_t sheet_count;
    const hb_moment_row *moments;
    size_t moment_count;
    const hb_progress *progress;
    size_t progress_count;
    hb_replace replace;
    int64_t hour_s; /* what is replaced */
} hb_changes;

#endif
