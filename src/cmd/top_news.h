/* top_news.h - what hubbub top knows: the API's answers, taken out of their JSON. Whatever an answer lacks is unknown;
 * whatever is of another kind than expected counts as lacking. */
#ifndef HB_CMD_TOP_NEWS_H
#define HB_CMD_TOP_NEWS_H

#include "base/memory.h"

enum { HB_TOP_SPARK = 30 }; /* minutes */

typedef struct hb_top_channel {
    hb_bytes name;
    double messages; /* a minute */
    double words;
    double chatters;
    double viewers;       /* below 0: unknown */
    double participation; /* chatters per viewer; below 0: unknown */
    hb_bytes emote;
    int64_t last_seen_s;
    int64_t moment_s; /* of the last one, if that was just now; else 0 */
    double spark[HB_TOP_SPARK];
    bool has_spark;
} hb_top_channel;

typedef struct hb_top_minute {
    int64_t time_s;
    double messages;
} hb_top_minute;

typedef struct hb_top_rank { /* a word or a user */
    hb_bytes kind;           /* of a word */
    hb_bytes name;
    double count;
} hb_top_rank;

typedef struct hb_top_ranking {
    hb_top_rank *rows;
    size_t count;
    size_t capacity;
} hb_top_ranking;

typedef struct hb_top_moment {
    int64_t time_s;
    double messages;
    double usual;  /* a minute, before */
    hb_bytes word; /* that stood out most; may be empty */
} hb_top_moment;

enum { HB_TOP_MOMENTS = 3 };

typedef struct hb_top_news {
    hb_arena texts;
    hb_buffer error; /* why there is nothing new; empty: all is well */
    int64_t now_s;   /* by the answer's clock; 0: nothing came yet */
    hb_top_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    /* Of the channel that was asked about; empty when none was. */
    hb_bytes channel;
    hb_top_minute *minutes;
    size_t minute_count;
    size_t minute_capacity;
    int64_t from_s; /* of the minutes */
    int64_t to_s;
    hb_top_ranking words;
    hb_top_ranking users;
    double viewers; /* below 0: unknown */
    hb_bytes game;
    hb_bytes title;
    hb_top_moment moments[HB_TOP_MOMENTS]; /* the newest last */
    unsigned moment_count;
} hb_top_news;

hb_top_news *hb_top_news_open(void);
void hb_top_news_close(hb_top_news *news); /* NULL is allowed */

/* Take what an answer to /channels, …/rate, …/words, …/users, …/viewers or …/moments says. False: it is no such answer.
 */
bool hb_top_news_take_channels(hb_top_news *news, hb_bytes answer, hb_error *error);
bool hb_top_news_take_rate(hb_top_news *news, hb_bytes answer, hb_error *error);
bool hb_top_news_take_words(hb_top_news *news, hb_bytes answer, hb_error *error);
bool hb_top_news_take_users(hb_top_news *news, hb_bytes answer, hb_error *error);
bool hb_top_news_take_viewers(hb_top_news *news, hb_bytes answer, hb_error *error);
bool hb_top_news_take_moments(hb_top_news *news, hb_bytes answer, hb_error *error);

/* What an error's answer says, or what it is instead. */
void hb_top_news_take_failure(hb_bytes answer, long status, hb_error *error);

#endif
