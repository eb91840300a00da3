/* ranking.h - the words or the users of one channel over any span of time: what sheets add up to without minutes.
 *
 * Rankings add up hours into days, days into months, and any of them into an answer. Adding is associative and
 * commutative: counts are summed; of a user's names the one of the latest hour counts, and of several in one hour the
 * greatest in the order of bytes (an hour has one sheet, which holds the hour's latest). One thread at a time.
 */
#ifndef HB_VIEWS_RANKING_H
#define HB_VIEWS_RANKING_H

#include "base/memory.h"

enum {
    HB_RANKING_ENTRIES_MAX = 2 << 20, /* different words or users: about 250 MB */
    HB_RANKING_TEXT_MAX = 256 << 20   /* bytes of words, ids and names */
};

typedef enum hb_ranking_kind { HB_RANKING_WORDS, HB_RANKING_USERS } hb_ranking_kind;

/* "words" or "users": a constant. */
const char *hb_ranking_kind_name(hb_ranking_kind kind);

typedef struct hb_ranked { /* a word or a user; texts are the ranking's, until it is closed or cleared */
    hb_bytes key;          /* the word, or the user's id */
    hb_kind kind;          /* of a word; of a user 0 */
    hb_bytes name;         /* of a user; may be empty */
    uint64_t first;        /* a word's count, a user's messages */
    uint64_t second;       /* a user's words */
} hb_ranked;

typedef struct hb_ranking hb_ranking;

/* Makes an empty one. only: words of this kind, or HB_KINDS: all. */
hb_ranking *hb_ranking_open(hb_ranking_kind kind, hb_kind only);
void hb_ranking_close(hb_ranking *ranking);
void hb_ranking_clear(hb_ranking *ranking); /* empties it, for another use */
size_t hb_ranking_count(const hb_ranking *ranking);
hb_ranked hb_ranking_at(const hb_ranking *ranking, size_t index);

/* Each adds to the ranking; false: HB_ERROR_LIMIT (more words or users than can be ranked), or what hb_sheet_decode
 * fails with. What was added until then stays. */
bool hb_ranking_add_sheet(hb_ranking *ranking, int64_t hour_s, hb_bytes sheet, hb_error *error); /* encoded */
bool hb_ranking_add_encoded(hb_ranking *ranking, hb_bytes data, hb_error *error);
bool hb_ranking_add_all(hb_ranking *ranking, const hb_ranking *more, hb_error *error); /* of the same kind */

/* Visits the ids of an encoded ranking of users, without making it. False: as hb_sheet_decode. */
typedef void hb_visit_ranked_user(void *context, hb_bytes id);
bool hb_ranking_scan_users(hb_bytes data, hb_visit_ranked_user *visit, void *context, hb_error *error);

/* Makes counts at least what ranked says, and sets the name: for what is known of one hour from elsewhere. */
bool hb_ranking_raise(hb_ranking *ranking, int64_t hour_s, const hb_ranked *ranked, hb_error *error);

/* The ranking as bytes; equal rankings give equal bytes (with one version of zstd). *data is the caller's, to be freed
 * with free(). */
void hb_ranking_encode(const hb_ranking *ranking, char **data, size_t *size);

#endif
