/* helix_answer.h - what Twitch's API (Helix) answers, read: tokens, streams, errors.
 *
 * Source of the forms: Twitch, "Getting OAuth Access Tokens" (client credentials grant flow) and "API Reference", "Get
 * Streams". */
#ifndef HB_TWITCH_HELIX_ANSWER_H
#define HB_TWITCH_HELIX_ANSWER_H

#include "twitch/stream_line.h"

typedef struct hb_helix_token {
    char *text;           /* free with free() */
    int64_t expires_in_s; /* 0: not told */
} hb_helix_token;

/* Reads {"access_token":…,"expires_in":…}. False: HB_ERROR_CORRUPT. A token that could not stand in a header is none.
 */
bool hb_helix_read_token(hb_bytes body, hb_helix_token *token, hb_error *error);

typedef struct hb_helix_counts {
    size_t streams;   /* handed over */
    size_t malformed; /* entries without a login or a number of viewers */
} hb_helix_counts;

/* Reads {"data":[{"user_login":…,"user_id":…,"game_name":…,"title":…,"viewer_count":…,"type":"live"},…]}; hands over
 * each that is live. A sample holds until take returns. False: HB_ERROR_CORRUPT, when it is no such answer as a whole;
 * nothing was handed over then. */
bool hb_helix_read_streams(hb_bytes body, void (*take)(void *context, const hb_stream_sample *sample), void *context,
                           hb_helix_counts *counts, hb_error *error);

/* What an error's body says, {"message":…}, for a person: printable, NUL-terminated; empty when it says nothing. */
enum { HB_HELIX_MESSAGE = 160 };
void hb_helix_read_message(hb_bytes body, char message[HB_HELIX_MESSAGE]);

#endif
