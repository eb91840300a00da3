/* sheet.h - a sheet from the inside, for the rooms of src/views only: everybody else sees hubbub.h.
 *
 * Words and users are arrays with a hash index beside each. Their numbers (places in the array) hold as long as the
 * sheet lives. A watched sheet also remembers what was touched since somebody last took note; that is what makes it
 * cheap to tell the store only of what changed. Everything is written so that counting order never shows.
 */
#ifndef HB_VIEWS_SHEET_H
#define HB_VIEWS_SHEET_H

#include "base/map.h"
#include "base/memory.h"
#include "views/code.h"

enum {
    HB_SHEET_MINUTES = 60,
    HB_SHEET_TEXT_MAX = 128 << 20,  /* bytes of words, ids and names in one sheet */
    HB_SHEET_ENTRIES_MAX = 8 << 20, /* words, and as many users, in one sheet */
    HB_SHEET_NAME_MAX = 4 << 20,    /* bytes of one word, id, name, game or title */
    HB_SHEET_WORD_SIZE = (1 << 26) - 1,
    HB_SHEET_WORD_WITHIN = 8,        /* bytes; more of a word's text stand elsewhere */
    HB_SHEET_MINUTES_LISTED = 7,     /* of a user, when encoded: more are a map */
    HB_SHEET_NAME_MS = (1 << 22) - 1 /* an hour's 3,600,000 ms fit */
};

typedef struct hb_sheet_word {
    union {
        const char *text;                  /* in the sheet's memory; */
        char within[HB_SHEET_WORD_WITHIN]; /* of a word that is short enough, as most are */
    };
    uint32_t size : 26;
    uint32_t kind : 3;
    uint32_t touched : 1;
    uint32_t top : 1; /* is among the rows that the store has */
    uint32_t count;   /* stops at its greatest value */
} hb_sheet_word;

typedef struct hb_sheet_user {
    const char *id;
    const char *name;
    uint32_t id_size;
    uint32_t name_size;
    uint64_t minutes;
    uint32_t messages; /* these two stop at their greatest value */
    uint32_t words;
    uint32_t name_ms : 22; /* when the name was seen, from the hour's start; of several names then, the greatest */
    uint32_t touched : 1;
    uint32_t top : 1;
} hb_sheet_user;

typedef struct hb_sheet_counts {
    uint64_t messages;
    uint64_t words;
    uint64_t shared;
    uint64_t new_chatters;
    uint64_t subscriber_messages;
    uint32_t chatters;
} hb_sheet_counts; /* of a minute */

typedef struct hb_sheet_sample {
    uint64_t viewers_sum;
    uint64_t samples;
    int64_t time_ms; /* of the latest sample; of several then, the greatest game and title */
    hb_bytes game;
    hb_bytes title;
} hb_sheet_sample;

typedef struct hb_sheet_numbers { /* a growing list of entries' numbers */
    uint32_t *items;
    size_t count;
    size_t capacity;
} hb_sheet_numbers;

struct hb_sheet {
    hb_bytes channel;
    int64_t hour_s;
    hb_bytes room_id; /* the latest; of several at room_ms, the greatest */
    int64_t room_ms;
    int64_t first_ms; /* 0: no fact yet */
    int64_t last_ms;
    hb_sheet_counts minutes[HB_SHEET_MINUTES];
    hb_sheet_sample *samples; /* NULL, or one for each minute */
    hb_sheet_word *words;
    size_t word_count;
    size_t word_capacity;
    hb_map word_map;
    hb_sheet_user *users;
    size_t user_count;
    size_t user_capacity;
    hb_map user_map;
    hb_arena arena; /* all texts */
    char *room;     /* what is free of the arena's last piece */
    size_t room_left;
    size_t text_size;
    bool watched;
    bool changed;             /* anything at all; these are kept for watched sheets only */
    uint64_t touched_minutes; /* bit m: minute m */
    hb_sheet_numbers touched_words;
    hb_sheet_numbers touched_users;
};

/* Counts `more` of a word, kept anew unless `full`. False when it was new and could not be kept. hash is
 * hb_sheet_word_hash of the same. */
bool hb_sheet_add_word(hb_sheet *sheet, hb_kind kind, hb_bytes text, uint64_t hash, uint32_t more, bool full);

static inline uint64_t hb_sheet_word_hash(hb_kind kind, hb_bytes text)
{
    if (text.size > HB_SHEET_WORD_WITHIN)
        return hb_hash(text, (uint64_t)kind);
    /* Both halves of a product, as XXH3 mixes; the constants are 2^64 by the golden ratio, and a prime of XXH64. */
    const uint64_t with = (text.size << 3 | (uint64_t)kind) * 0x9e3779b97f4a7c15 ^ 0xc2b2ae3d27d4eb4f;
    const unsigned __int128 product = (unsigned __int128)(hb_bytes_start(text) + 0x9e3779b97f4a7c15) * with;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Valid until the next word is added to the sheet. */
static inline hb_bytes hb_sheet_word_text(const hb_sheet_word *word)
{
    return (hb_bytes){word->size > HB_SHEET_WORD_WITHIN ? word->text : word->within, word->size};
}

/* Makes a word that is not there yet; the caller has seen that there is room, and sets its count. */
hb_sheet_word *hb_sheet_make_word(hb_sheet *sheet, hb_kind kind, hb_bytes text, uint64_t hash);

/* Finds or makes a user; NULL when there is none yet and it could not be kept. The caller then adds to it. hash is
 * hb_hash(id, 0). */
hb_sheet_user *hb_sheet_find_user(hb_sheet *sheet, hb_bytes id, uint64_t hash, bool full);

/* Adds to a user of this sheet: messages and words of the minutes in the map. */
void hb_sheet_add_user(hb_sheet *sheet, hb_sheet_user *user, uint32_t messages, uint32_t words, uint64_t minutes);

/* Sets a name seen at name_ms from the hour's start, if it is the latest. */
void hb_sheet_name_user(hb_sheet *sheet, hb_sheet_user *user, hb_bytes name, uint32_t name_ms);

/* Adds a viewer sample, or several whose latest is this. */
void hb_sheet_add_samples(hb_sheet *sheet, unsigned minute, const hb_sheet_sample *more);

/* Widens first and last, and takes the room id if it is the latest (empty: none). */
void hb_sheet_see(hb_sheet *sheet, int64_t first_ms, int64_t last_ms);
void hb_sheet_set_room(hb_sheet *sheet, hb_bytes room_id, int64_t room_ms);

/* Keeps a text as long as the sheet. */
hb_bytes hb_sheet_keep(hb_sheet *sheet, hb_bytes text);

/* Remembers from now on what is touched. */
void hb_sheet_watch(hb_sheet *sheet);

/* Notes a minute as touched. */
static inline void hb_sheet_touch_minute(hb_sheet *sheet, unsigned minute)
{
    sheet->changed = true;
    sheet->touched_minutes |= UINT64_C(1) << minute;
}

/* Forgets what was touched, for the next round. */
void hb_sheet_untouch(hb_sheet *sheet);

size_t hb_sheet_held(const hb_sheet *sheet); /* bytes */

extern const hb_code_format hb_sheet_format; /* of encoded sheets */

/* Passes the words of an encoded sheet, or the users where that is not NULL, on one by one in the order in which they
 * stand there; texts hold until the function returns, and false from it ends the scan. False: as hb_sheet_decode. It
 * checks the seal and stays within bounds, but does not see that words come twice or are not UTF-8. */
typedef struct hb_sheet_scanner {
    void *context;
    bool (*word)(void *context, hb_kind kind, hb_bytes text, uint32_t count);
    bool (*user)(void *context, hb_bytes id, hb_bytes name, uint32_t messages, uint32_t words, uint64_t minutes);
} hb_sheet_scanner;
bool hb_sheet_scan(hb_bytes data, const hb_sheet_scanner *scanner, hb_error *error);

#endif
