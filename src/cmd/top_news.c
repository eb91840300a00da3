/* top_news.c - jansson reads the JSON; what is kept goes into the news' arena. */
#include "cmd/top_news.h"

#include "base/clock.h"
#include "base/error.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum { FRESH_S = 180 }; /* so long after its minute a viewer sample still stands, as on the page */

hb_top_news *hb_top_news_open(void)
{
    hb_top_news *news = hb_alloc(sizeof *news);
    news->viewers = -1;
    return news;
}

void hb_top_news_close(hb_top_news *news)
{
    if (news == NULL)
        return;
    free(news->channels);
    free(news->minutes);
    free(news->words.rows);
    free(news->users.rows);
    hb_buffer_free(&news->error);
    hb_arena_free(&news->texts);
    free(news);
}

/* ---- Out of JSON ---- */

static json_t *parse(hb_bytes answer)
{
    return json_loadb(answer.data == NULL ? "" : answer.data, answer.size, JSON_ALLOW_NUL, NULL);
}

static hb_bytes text_of(hb_top_news *news, const json_t *row, const char *key)
{
    const json_t *const value = json_object_get(row, key);
    if (!json_is_string(value))
        return (hb_bytes){NULL, 0};
    return hb_arena_copy(&news->texts, (hb_bytes){json_string_value(value), json_string_length(value)});
}

static double number_in(const json_t *value, double otherwise)
{
    const double number = json_is_number(value) ? json_number_value(value) : otherwise;
    return number >= 0 && isfinite(number) ? number : otherwise;
}

static double number_of(const json_t *row, const char *key, double otherwise)
{
    return number_in(json_object_get(row, key), otherwise);
}

static int64_t time_of(const json_t *row, const char *key)
{
    const json_t *const value = json_object_get(row, key);
    int64_t time_s = 0;
    if (!json_is_string(value) || !hb_time_parse(hb_bytes_of(json_string_value(value)), 0, &time_s))
        return 0;
    return time_s;
}

/* Gives each row of an answer to `take`. */
static bool take_rows(hb_top_news *news, hb_bytes answer, void (*take)(hb_top_news *news, const json_t *row),
                      json_t **head, hb_error *error)
{
    size_t i = 0;
    const json_t *row = NULL;
    *head = parse(answer);
    const json_t *const rows = json_object_get(*head, "rows");
    if (!json_is_array(rows)) {
        json_decref(*head);
        *head = NULL;
        return hb_fail(error, HB_ERROR_CORRUPT, "the answer is not hubbub's: no rows are in it");
    }
    json_array_foreach(rows, i, row) take(news, row);
    return true;
}

/* ---- Answers ---- */

static void take_channel(hb_top_news *news, const json_t *row)
{
    const json_t *const spark = json_object_get(row, "spark");
    HB_RESERVE(news->channels, news->channel_capacity, news->channel_count + 1);
    hb_top_channel *const channel = &news->channels[news->channel_count];
    *channel = (hb_top_channel){.name = text_of(news, row, "channel"),
                                .messages = number_of(row, "messages_per_minute", 0),
                                .words = number_of(row, "words_per_minute", 0),
                                .chatters = number_of(row, "chatters", 0),
                                .viewers = number_of(row, "viewers", -1),
                                .participation = number_of(row, "participation", -1),
                                .emote = text_of(news, row, "top_emote"),
                                .last_seen_s = time_of(row, "last_seen"),
                                .moment_s = time_of(row, "moment"),
                                .has_spark = json_array_size(spark) == HB_TOP_SPARK};
    for (size_t i = 0; channel->has_spark && i < HB_TOP_SPARK; i++)
        channel->spark[i] = number_in(json_array_get(spark, i), 0);
    news->channel_count += channel->name.size > 0;
}

bool hb_top_news_take_channels(hb_top_news *news, hb_bytes answer, hb_error *error)
{
    json_t *head = NULL;
    if (!take_rows(news, answer, take_channel, &head, error))
        return false;
    news->now_s = time_of(head, "to");
    json_decref(head);
    return true;
}

static void take_minute(hb_top_news *news, const json_t *row)
{
    HB_RESERVE(news->minutes, news->minute_capacity, news->minute_count + 1);
    news->minutes[news->minute_count++] =
        (hb_top_minute){.time_s = time_of(row, "time"), .messages = number_of(row, "messages", 0)};
}

bool hb_top_news_take_rate(hb_top_news *news, hb_bytes answer, hb_error *error)
{
    json_t *head = NULL;
    if (!take_rows(news, answer, take_minute, &head, error))
        return false;
    news->from_s = time_of(head, "from");
    news->to_s = time_of(head, "to");
    json_decref(head);
    return true;
}

static void add_rank(hb_top_ranking *ranking, hb_top_rank rank)
{
    HB_RESERVE(ranking->rows, ranking->capacity, ranking->count + 1);
    ranking->rows[ranking->count++] = rank;
}

static void take_word(hb_top_news *news, const json_t *row)
{
    add_rank(&news->words, (hb_top_rank){.kind = text_of(news, row, "kind"),
                                         .name = text_of(news, row, "word"),
                                         .count = number_of(row, "count", 0)});
}

static void take_user(hb_top_news *news, const json_t *row)
{
    hb_bytes name = text_of(news, row, "user_name");
    if (name.size == 0)
        name = text_of(news, row, "user_id");
    add_rank(&news->users, (hb_top_rank){.name = name, .count = number_of(row, "messages", 0)});
}

static void take_viewers(hb_top_news *news, const json_t *row)
{
    if (time_of(row, "time") + HB_MINUTE_S + FRESH_S < news->now_s)
        return;
    news->viewers = number_of(row, "viewers", -1);
    news->game = text_of(news, row, "game");
    news->title = text_of(news, row, "title");
}

static void take_moment(hb_top_news *news, const json_t *row)
{
    const json_t *const word = json_array_get(json_object_get(row, "words"), 0);
    if (news->moment_count == HB_TOP_MOMENTS)
        return;
    news->moments[news->moment_count++] = (hb_top_moment){.time_s = time_of(row, "time"),
                                                          .messages = number_of(row, "messages", 0),
                                                          .usual = number_of(row, "usual", 0),
                                                          .word = text_of(news, word, "word")};
}

static bool take_all(hb_top_news *news, hb_bytes answer, void (*take)(hb_top_news *news, const json_t *row),
                     hb_error *error)
{
    json_t *head = NULL;
    const bool good = take_rows(news, answer, take, &head, error);
    json_decref(head);
    return good;
}

bool hb_top_news_take_words(hb_top_news *news, hb_bytes answer, hb_error *error)
{
    return take_all(news, answer, take_word, error);
}

bool hb_top_news_take_users(hb_top_news *news, hb_bytes answer, hb_error *error)
{
    return take_all(news, answer, take_user, error);
}

bool hb_top_news_take_viewers(hb_top_news *news, hb_bytes answer, hb_error *error)
{
    return take_all(news, answer, take_viewers, error);
}

bool hb_top_news_take_moments(hb_top_news *news, hb_bytes answer, hb_error *error)
{
    return take_all(news, answer, take_moment, error);
}

void hb_top_news_take_failure(hb_bytes answer, long status, hb_error *error)
{
    json_t *const head = parse(answer);
    const json_t *const message = json_object_get(json_object_get(head, "error"), "message");
    const hb_code code = status == 404 || status == 503 ? HB_ERROR_MISSING : HB_ERROR_NETWORK;
    if (json_is_string(message))
        hb_fail(error, code, "%s", json_string_value(message));
    else
        hb_fail(error, code, "the server answered %ld, and not as hubbub does", status);
    json_decref(head);
}
