/* moments.h - minutes in which a channel's chat stands out from its own recent past, and what was said in them.
 *
 * How far a minute's messages stand out is told by a robust z-score over the 30 minutes before it:
 *
 *     z = (messages - median) / max(1.4826 * MAD, sqrt(median), 1)
 *
 * MAD is the median of the distances from the median; 1.4826 * MAD estimates a standard deviation that a few outliers
 * do not spoil (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993). Counts of independent events scatter by
 * the root of their mean at least (Poisson), whatever a few even minutes suggest: hence the square root.
 *
 * The same is told of the minute's distinct chatters, and the score is the lesser of the two: a flood by a few users is
 * no moment, however long, since few more than usual write. A minute may be a moment when it scores HB_MOMENT_SCORE or
 * more, has HB_MOMENT_MESSAGES and HB_MOMENT_CHATTERS or more, and its past tells what is usual: it begins, of these 30
 * minutes, with the first that has a message, is HB_MOMENT_PAST_LEAST long or longer, and has a median of 1 or more.
 * Where chat has just gone from one pace to another (a stream has begun), half an hour tells little: so a moment's
 * messages must also exceed the median of the last HB_MOMENT_LATELY minutes, by HB_MOMENT_SCORE of its roots. Of
 * minutes that may be one and are at most HB_MOMENT_NEAR apart the highest score is the moment, of equals the first. So
 * whether a minute is one depends on the 32 before it and the two behind it, and on nothing else.
 *
 * What stands out in a moment are the words that more of its chatters used than the channel's other chat lets expect,
 * by the log-likelihood ratio (Dunning, Accurate Methods for the Statistics of Surprise and Coincidence, 1993), which
 * must be HB_MOMENT_WORD_SCORE or more: chance alone leads there in one case of 10,000. A word counts once for each
 * chatter, so that nobody lifts one alone. */
#ifndef HB_VIEWS_MOMENTS_H
#define HB_VIEWS_MOMENTS_H

#include "base/memory.h"
#include "text/emote_set.h"

enum {
    HB_MOMENT_PAST = 30,       /* minutes that tell what is usual */
    HB_MOMENT_PAST_LEAST = 10, /* fewer do not */
    HB_MOMENT_LATELY = 5,
    HB_MOMENT_NEAR = 2, /* minutes */
    HB_MOMENT_BEFORE = HB_MOMENT_PAST + HB_MOMENT_NEAR,
    HB_MOMENT_MESSAGES = 20,
    HB_MOMENT_CHATTERS = 10,
    HB_MOMENT_WORDS = 5,        /* told of a moment, */
    HB_MOMENT_WORD_CHATTERS = 3 /* each used by so many or more */
};
#define HB_MOMENT_SCORE      5.0
#define HB_MOMENT_WORD_SCORE 15.13

typedef struct hb_pace { /* of a minute; zeros where there was no chat */
    uint32_t messages;
    uint32_t chatters;
} hb_pace;

typedef struct hb_moment {
    size_t at;    /* its place among the minutes */
    double score; /* to two decimals */
    double usual; /* the median of messages */
} hb_moment;

/* Finds the moments among minutes[first] to minutes[end - 1], ascending. Minutes that the array does not have, before
 * it or behind, had no chat. found has room for end - first; returns how many there are. */
size_t hb_moments_find(const hb_pace *minutes, size_t count, size_t first, size_t end, hb_moment *found);

/* ---- What was said ---- */

typedef struct hb_moment_tally hb_moment_tally; /* of one moment's chat; memory stays bounded, whatever is said */

hb_moment_tally *hb_moment_tally_open(void);
void hb_moment_tally_close(hb_moment_tally *tally); /* NULL is fine */

/* Adds the emotes that an encoded sheet knows to a set, to split texts with: those of Twitch are told by the message's
 * own tag, but the others were told by facts that stand elsewhere in the log. False: HB_ERROR_CORRUPT,
 * HB_ERROR_VERSION. */
bool hb_moment_learn_emotes(hb_emote_set *emotes, hb_bytes sheet, hb_error *error);

/* Adds a message's tokens. The same message again changes nothing. */
void hb_moment_tally_add(hb_moment_tally *tally, hb_bytes user_id, const hb_token *tokens, size_t count);

/* Adds what is usual: an encoded sheet of the channel, which may hold the moment's own chat as well. False:
 * HB_ERROR_CORRUPT, HB_ERROR_VERSION. */
bool hb_moment_tally_usual(hb_moment_tally *tally, hb_bytes sheet, hb_error *error);

/* The words that stand out, the furthest first: up to HB_MOMENT_WORDS; count is how many chatters used each. Texts are
 * the tally's. Returns how many. */
size_t hb_moment_tally_words(const hb_moment_tally *tally, hb_word words[HB_MOMENT_WORDS]);

#endif
