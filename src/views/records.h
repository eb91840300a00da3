/* records.h - facts that were read and wait to be counted; for the rooms of src/views only.
 *
 * A line is read once, while it is in the cache. What counting needs of it, about a third of its bytes, goes as a
 * record to one of several lists; all records of a channel go to the same. So facts can be put in order by channel
 * without another look at the lines, and the lines need not be kept.
 */
#ifndef HB_VIEWS_RECORDS_H
#define HB_VIEWS_RECORDS_H

#include "base/bytes.h"

typedef struct hb_record {
    int64_t time_ms;
    union {
        uint64_t id_hash; /* 0: no id, or none that counts */
        uint64_t viewers;
    };
    uint64_t channel_hash;
    uint64_t user_hash; /* of the user as it stands in the tag */
    uint32_t ahead_ms;  /* how much later than its receipt the fact says it is: 24 h at most */
    uint32_t room_size;
    uint32_t user_size;
    uint32_t name_size;
    uint32_t text_size;   /* of a viewer sample: the title; of emotes: their names */
    uint32_t emotes_size; /* of a viewer sample: the game */
    uint8_t channel_size;
    uint8_t kind;
    bool shared;
    bool first; /* these two as in hb_fact */
    bool subscriber;
    char texts[]; /* channel (in lower case), room, user, name, text, emotes; tag values still escaped */
} hb_record;

typedef struct hb_records_block hb_records_block;

typedef struct hb_records { /* a list; zero-initialise, free with hb_records_free */
    hb_records_block *first;
    hb_records_block *last; /* is written to; those behind it are empty */
    size_t count;
    size_t size; /* bytes of records */
    size_t held; /* bytes of memory */
} hb_records;

void hb_records_clear(hb_records *records); /* keeps the memory */
void hb_records_free(hb_records *records);

/* Steps through a list: start with a zeroed cursor. NULL at the end. */
typedef struct hb_records_cursor {
    const hb_records_block *block;
    size_t at;
} hb_records_cursor;
const hb_record *hb_records_next(const hb_records *records, hb_records_cursor *cursor);

/* What is read, and where it goes. Channels are spread by their hash over list_count times passes classes; reading
 * takes one class of each list. */
typedef struct hb_records_reader {
    hb_records *lists;
    uint32_t list_count;
    uint32_t passes;
    uint32_t pass;
    int64_t only_hour_s; /* or HB_FOLD_ANY_HOUR; unless `wanted` is there: see hb_fold_watcher */
    bool (*wanted)(void *context, int64_t hour_s, uint64_t line);
    void *context;
    hb_fold_counts *counts; /* is told of lines, in the first pass, and of facts that are in no hour to be counted */
} hb_records_reader;

/* Whether records of a channel with this hash are read; the number of their list. */
bool hb_records_place(const hb_records_reader *reader, uint64_t channel_hash, uint32_t *list);

/* Reads lines, each ended by LF (the last LF may be missing). They need not stay. */
void hb_records_read(const hb_records_reader *reader, hb_bytes lines);

#endif
