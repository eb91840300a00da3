/* fold.h - the fold from the inside, for the rooms of src/views only: the speed layer looks at its sheets one by one,
 * and keeps its memory within bounds. Everybody else sees hubbub.h.
 *
 * Each channel and hour has a slot. A slot's sheet may be frozen: kept encoded, in about a tenth of the room, until the
 * next fact for it comes.
 */
#ifndef HB_VIEWS_FOLD_H
#define HB_VIEWS_FOLD_H

#include "text/emote_set.h"
#include "views/records.h"
#include "views/sheet.h"

typedef struct hb_fold_ids { /* hashes of ids; 0 is a free place */
    uint64_t *places;
    size_t mask; /* places - 1 */
    size_t count;
} hb_fold_ids;

typedef struct hb_fold_slot {
    hb_sheet *sheet; /* NULL: frozen */
    char *frozen;    /* the sheet, encoded */
    size_t frozen_size;
    hb_bytes channel; /* in lower case; its own memory */
    int64_t hour_s;
    hb_fold_ids ids;
    hb_fold_ids older_ids;
    hb_emote_set *emotes; /* from elsewhere than Twitch; NULL: none. Stays when the sheet is frozen */
    uint32_t taken;       /* facts of the batch in hand */
    uint32_t first;       /* where they begin in the order by slots */
    int64_t used;         /* the fold's round in which it last counted something */
    void *note;           /* the speed layer's own */
} hb_fold_slot;

/* Counts facts that were read already, as hb_fold_lines does. What hb_fold_hour says and the counts of lines are the
 * reader's matter. */
void hb_fold_records(hb_fold *fold, const hb_records *const *lists, size_t list_count);

typedef struct hb_fold_watcher {
    void *context;
    void (*thawed)(void *context, hb_fold_slot *slot);    /* before anything is counted in it */
    void (*forgotten)(void *context, hb_fold_slot *slot); /* the slot goes: what to do with its note */

    /* Whether a fact of this hour is to be counted; takes the place of hb_fold_hour. line: the number of its line, from
     * 0, of all that the fold was given. A fact that is not wanted counts as `misplaced`. */
    bool (*wanted)(void *context, int64_t hour_s, uint64_t line);
    void (*left_out)(void *context, int64_t hour_s); /* a fact that was wanted, of a new channel, while full */
} hb_fold_watcher;

/* Remembers in every sheet what is touched, and asks and tells the watcher. To be called before the first line. */
void hb_fold_watch(hb_fold *fold, const hb_fold_watcher *watcher);

size_t hb_fold_slot_count(const hb_fold *fold);
hb_fold_slot *hb_fold_slot_at(hb_fold *fold, size_t number);

/* Encodes the slot's sheet and lets go of it. The speed layer sees to its note first. */
void hb_fold_freeze(hb_fold_slot *slot);

/* Reads the sheet of a frozen slot, which stays frozen; the caller closes it. */
hb_sheet *hb_fold_peek(const hb_fold_slot *slot);

/* Makes the sheet of a frozen slot again. */
hb_sheet *hb_fold_thaw(hb_fold *fold, hb_fold_slot *slot);

/* Adds the slot of an encoded sheet, as one that is frozen. */
hb_fold_slot *hb_fold_add_frozen(hb_fold *fold, hb_bytes channel, int64_t hour_s, hb_bytes sheet);

/* Has the slot know an id, by its hash: messages with it are duplicates. Not 0. */
void hb_fold_add_id(hb_fold_slot *slot, uint64_t hash);

/* Has the slot know emotes, from since_ms of its hour on. Returns how many were left out, as hb_emote_set_add. */
size_t hb_fold_add_emotes(hb_fold_slot *slot, hb_bytes names, uint32_t since_ms);

/* The same by a fact of HB_FACT_EMOTES, whose channel is given in lower case with its hash (hb_hash(channel, 0)). The
 * fact itself is not counted. */
void hb_fold_learn_emotes(hb_fold *fold, hb_bytes channel, uint64_t channel_hash, const hb_fact *fact);

/* While full, no new channels, words, users and emotes are kept: counted in `untaken` and, a fact of a new channel,
 * in `misplaced`. */
void hb_fold_set_full(hb_fold *fold, bool full);

/* Forgets the ids that came before the last call. Returns how many. */
uint64_t hb_fold_age_ids(hb_fold *fold);
size_t hb_fold_ids_held(const hb_fold *fold); /* bytes */

/* What the latest facts say the time is: the greatest event time, but no later than its fact was received nor than now.
 * A clock that is wrong in a message cannot push it ahead. */
int64_t hb_fold_time_ms(const hb_fold *fold, int64_t now_ms);

size_t hb_fold_slot_held(const hb_fold_slot *slot); /* bytes */
size_t hb_fold_held(const hb_fold *fold);           /* bytes: the fold's own, without the slots */

/* How many batches were counted: hb_fold_slot.used goes by this. */
int64_t hb_fold_round(const hb_fold *fold);

#endif
