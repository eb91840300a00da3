/* answer.h - questions to the store and their answers, the same for the HTTP API and the command line.
 *
 * An answer is a small table with a head. Words and users are kept by the hour, so their range is widened to whole
 * hours; rates and viewers are kept by the minute, and theirs is widened to whole minutes. The head says which range
 * was answered; with a step, to whole steps. Of a step of more than a minute, messages, words, shared and samples are
 * sums, chatters the mean of the minutes in which something was said, viewers the mean of the samples, game and title
 * the last; the layer is speed where any of the minutes' is. An answer is exact unless words or users of an hour in
 * progress could have changed since its last sheet, which is at most a minute old; the top rows that the store keeps
 * are exact at any time. Users that are left out take no rank: the next ones move up, and the answer has as many rows
 * as were asked for, if there are so many.
 *
 * Engagement is told of minutes with messages or viewers: viewers are the mean of the samples; participation is the
 * number of distinct chatters of the ten minutes up to this one by the mean viewers of those of them that have samples;
 * new_chatters are messages that were somebody's first in the channel; returning_chatters the distinct chatters who
 * wrote there also in an earlier hour within the thirty days before this one; subscriber_share is the part of the
 * messages that subscribers wrote. What is not known is null: what viewers are needed for, without any; and of
 * chatters, what the sheet of an hour in progress does not have yet: then the answer is not exact.
 *
 * A change of a stream is "live", "offline", "game" or "title", seen from the viewer samples: three minutes without one
 * are taken for offline.
 *
 * Of a channel, messages_per_minute and words_per_minute estimate the last 60 seconds; chatters are the distinct ones
 * of the minute in progress or of the one before, whichever are more; top_emote is that of the hour in which the
 * channel was last seen, empty if that was earlier than the hour before this one; viewers are those of the
 * newest sample, while the channel is live; participation is that of the last ten minutes that are over, by a sheet
 * that is up to two minutes old; moment is that of the last ten
 * minutes, if there was one (views/moments.h); spark holds the messages of each of the last HB_ANSWER_SPARK minutes
 * that are over, the oldest first. The busiest channel comes first.
 */
#ifndef HB_SERVE_ANSWER_H
#define HB_SERVE_ANSWER_H

#include "serve/attendance.h"
#include "serve/ignored.h"

typedef enum hb_question_kind {
    HB_ASK_CHANNELS,   /* channel, room_id, messages_per_minute, words_per_minute, chatters, top_emote, first_seen,
                          last_seen, viewers, participation, moment, spark */
    HB_ASK_RATE,       /* time, messages, words, chatters, shared, layer */
    HB_ASK_WORDS,      /* rank, kind, word, count */
    HB_ASK_USERS,      /* rank, user_id, user_name, messages, words */
    HB_ASK_VIEWERS,    /* time, viewers, samples, game, title, layer */
    HB_ASK_ENGAGEMENT, /* time, messages, chatters, viewers, messages_per_100_viewers, participation, new_chatters,
                          returning_chatters, subscriber_share, layer */
    HB_ASK_STREAMS,    /* time, change, viewers, game, title */
    HB_ASK_MOMENTS     /* channel (where it is asked of all), time, score, messages, chatters, usual, words, layer */
} hb_question_kind;

typedef struct hb_question {
    hb_question_kind kind;
    hb_bytes channel;          /* a login in any case; not asked for by HB_ASK_CHANNELS; of HB_ASK_MOMENTS empty: all */
    int64_t from_s;            /* counted in */
    int64_t to_s;              /* not counted in */
    hb_attendance *attendance; /* of HB_ASK_CHANNELS: kept from one question to the next; NULL: looks at all anew */
    uint32_t limit;            /* rows at most; the newest by time, the first of a ranking */
    hb_kind word_kind;         /* HB_KINDS: all */
    int64_t step_s;            /* of HB_ASK_RATE and HB_ASK_VIEWERS: sums up minutes; a multiple of 60, 0 as 60 */
    const hb_ignored *ignored; /* left out by HB_ASK_USERS; NULL: nobody */
} hb_question;

typedef struct hb_answer hb_answer;

enum {
    HB_ANSWER_PARTICIPATION = 10, /* minutes of which chatters and viewers are told */
    HB_ANSWER_SPARK = 30 /* minutes */,
    HB_ANSWER_STEP_MAX_S = 31 * 86400
};

/* Answers; NULL and *error: HB_ERROR_USAGE (from after to, a wrong step, no channel name), HB_ERROR_MISSING (a channel
 * that was never seen: named), HB_ERROR_CORRUPT (a bad sheet: named), HB_ERROR_LIMIT (over 2 million different words or
 * users in the range, or 256 MiB of them), or the store's errors. now_s: what the live rates of HB_ASK_CHANNELS go by,
 * and whether a stream has ended. The caller
 * closes the answer. */
hb_answer *hb_answer_open(hb_store *store, const hb_question *question, int64_t now_s, hb_error *error);
void hb_answer_close(hb_answer *answer);

typedef enum hb_format { HB_FORMAT_TABLE, HB_FORMAT_JSON, HB_FORMAT_CSV } hb_format;
bool hb_format_parse(hb_bytes name, hb_format *format);

/* Appends the answer as text.
 * JSON: {"channel":"xqc","from":"2026-11-24T13:00:00Z","to":"…","exact":true,"rows":[{"rank":1,"kind":"emote",…},…]}
 *       with times in ISO 8601; a question about channels has no "channel". CSV: a head line, RFC 4180. Table: aligned
 * for a terminal, with control characters replaced. */
void hb_answer_print(const hb_answer *answer, hb_format format, hb_buffer *out);

#endif
