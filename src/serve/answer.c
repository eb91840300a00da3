/* answer.c - takes questions; answers those about minutes.
 *
 * Only the newest rows up to the limit are kept, so a question over years needs no more memory than its answer: the
 * rows are counted first, then the older ones are passed over. */
#include "serve/answer_table.h"

#include "base/clock.h"
#include "base/error.h"
#include "twitch/channel_name.h"

#include <stdlib.h>

#define TIME_END_S INT64_C(253402300800) /* the year 10000; hb_time_parse ends there as well */

static const hb_column channel_columns[] = {
    {"channel", HB_CELL_TEXT},          {"room_id", HB_CELL_TEXT},   {"messages_per_minute", HB_CELL_REAL},
    {"words_per_minute", HB_CELL_REAL}, {"chatters", HB_CELL_COUNT}, {"top_emote", HB_CELL_TEXT},
    {"first_seen", HB_CELL_TIME},       {"last_seen", HB_CELL_TIME}, {"viewers", HB_CELL_COUNT},
    {"participation", HB_CELL_SHARE},   {"moment", HB_CELL_TIME},    {"spark", HB_CELL_SPARK}};
static const hb_column rate_columns[] = {{"time", HB_CELL_TIME},    {"messages", HB_CELL_COUNT},
                                         {"words", HB_CELL_COUNT},  {"chatters", HB_CELL_COUNT},
                                         {"shared", HB_CELL_COUNT}, {"layer", HB_CELL_TEXT}};
static const hb_column word_columns[] = {
    {"rank", HB_CELL_COUNT}, {"kind", HB_CELL_TEXT}, {"word", HB_CELL_TEXT}, {"count", HB_CELL_COUNT}};
static const hb_column user_columns[] = {{"rank", HB_CELL_COUNT},
                                         {"user_id", HB_CELL_TEXT},
                                         {"user_name", HB_CELL_TEXT},
                                         {"messages", HB_CELL_COUNT},
                                         {"words", HB_CELL_COUNT}};
static const hb_column viewer_columns[] = {{"time", HB_CELL_TIME},     {"viewers", HB_CELL_COUNT},
                                           {"samples", HB_CELL_COUNT}, {"game", HB_CELL_TEXT},
                                           {"title", HB_CELL_TEXT},    {"layer", HB_CELL_TEXT}};
static const hb_column engagement_columns[] = {{"time", HB_CELL_TIME},
                                               {"messages", HB_CELL_COUNT},
                                               {"chatters", HB_CELL_COUNT},
                                               {"viewers", HB_CELL_COUNT},
                                               {"messages_per_100_viewers", HB_CELL_SHARE},
                                               {"participation", HB_CELL_SHARE},
                                               {"new_chatters", HB_CELL_COUNT},
                                               {"returning_chatters", HB_CELL_COUNT},
                                               {"subscriber_share", HB_CELL_SHARE},
                                               {"layer", HB_CELL_TEXT}};
static const hb_column stream_columns[] = {{"time", HB_CELL_TIME},
                                           {"change", HB_CELL_TEXT},
                                           {"viewers", HB_CELL_COUNT},
                                           {"game", HB_CELL_TEXT},
                                           {"title", HB_CELL_TEXT}};

static const hb_column moment_columns[] = {{"channel", HB_CELL_TEXT} /* where all are asked for */,
                                           {"time", HB_CELL_TIME},
                                           {"score", HB_CELL_REAL},
                                           {"messages", HB_CELL_COUNT},
                                           {"chatters", HB_CELL_COUNT},
                                           {"usual", HB_CELL_REAL},
                                           {"words", HB_CELL_WORDS},
                                           {"layer", HB_CELL_TEXT}};

/* What is particular to each kind of question. step_s: the range is widened to whole multiples of it. */
#define COLUMNS(columns) (columns), sizeof(columns) / sizeof *(columns)
static const struct {
    const hb_column *columns;
    size_t column_count;
    int64_t step_s;
} kinds[] = {
    [HB_ASK_CHANNELS] = {COLUMNS(channel_columns), 1},
    [HB_ASK_RATE] = {COLUMNS(rate_columns), HB_MINUTE_S},
    [HB_ASK_WORDS] = {COLUMNS(word_columns), HB_HOUR_S},
    [HB_ASK_USERS] = {COLUMNS(user_columns), HB_HOUR_S},
    [HB_ASK_VIEWERS] = {COLUMNS(viewer_columns), HB_MINUTE_S},
    [HB_ASK_ENGAGEMENT] = {COLUMNS(engagement_columns), HB_MINUTE_S},
    [HB_ASK_STREAMS] = {COLUMNS(stream_columns), HB_MINUTE_S},
    [HB_ASK_MOMENTS] = {COLUMNS(moment_columns), HB_MINUTE_S},
};

void hb_answer_blame_sheet(const hb_sheet_row *row, hb_error *error)
{
    char hour[HB_TIME_TEXT];
    const hb_error why = *error;
    if (why.code != HB_ERROR_CORRUPT && why.code != HB_ERROR_VERSION)
        return;
    hb_time_print_hour(row->hour_s, hour);
    hb_fail(error, why.code, "the sheet of %.*s at %s cannot be read: %s", HB_PRINT(row->channel), hour, why.text);
}

hb_cell *hb_answer_add_row(hb_answer *answer)
{
    HB_RESERVE(answer->cells, answer->cell_capacity, answer->cell_count + answer->column_count);
    hb_cell *cells = answer->cells + answer->cell_count;
    memset(cells, 0, answer->column_count * sizeof *cells);
    answer->cell_count += answer->column_count;
    return cells;
}

void hb_newest_begin(hb_newest *newest, uint32_t limit)
{
    newest->skip = newest->count > limit ? newest->count - limit : 0;
    newest->limit = limit;
}

bool hb_newest_takes(hb_newest *newest, bool *full)
{
    const bool old = newest->skip > 0;
    const bool takes = !old && newest->limit > 0;
    newest->skip -= old;
    newest->limit -= takes;
    if (full != NULL)
        *full = !old && !takes;
    return takes;
}

/* ---- Minutes ---- */

typedef struct minutes_visit {
    hb_answer *answer;
    bool viewers; /* else the rate */
    hb_newest newest;
} minutes_visit;

static bool count_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    minutes_visit *visit = context;
    (void)layer;
    visit->newest.count += !visit->viewers || row->count.samples > 0;
    return true;
}

static void add_rate(hb_answer *answer, const hb_minute_row *row, hb_layer layer)
{
    hb_cell *cells = hb_answer_add_row(answer);
    cells[0].time_s = row->minute_s;
    cells[1].count = row->count.messages;
    cells[2].count = row->count.words;
    cells[3].count = row->count.chatters;
    cells[4].count = row->count.shared;
    cells[5].text = hb_bytes_of(hb_layer_name(layer));
}

static void add_viewers(hb_answer *answer, const hb_minute_row *row, hb_layer layer)
{
    const hb_minute *count = &row->count;
    hb_cell *cells = hb_answer_add_row(answer);
    cells[0].time_s = row->minute_s;
    cells[1].count = (count->viewers_sum + count->samples / 2) / count->samples;
    cells[2].count = count->samples;
    cells[3].text = hb_arena_copy(&answer->texts, count->game);
    cells[4].text = hb_arena_copy(&answer->texts, count->title);
    cells[5].text = hb_bytes_of(hb_layer_name(layer));
}

static bool add_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    minutes_visit *visit = context;
    bool full = false;
    if (visit->viewers && row->count.samples == 0)
        return true;
    if (!hb_newest_takes(&visit->newest, &full))
        return !full;
    if (visit->viewers)
        add_viewers(visit->answer, row, layer);
    else
        add_rate(visit->answer, row, layer);
    return true;
}

static bool answer_minutes(hb_answer *answer, hb_store *store, const hb_question *question, hb_error *error)
{
    minutes_visit visit = {.answer = answer, .viewers = question->kind == HB_ASK_VIEWERS};
    if (!hb_store_minutes(store, answer->channel, answer->from_s, answer->to_s, count_minute, &visit, error))
        return false;
    hb_newest_begin(&visit.newest, question->limit);
    return hb_store_minutes(store, answer->channel, answer->from_s, answer->to_s, add_minute, &visit, error);
}

/* ---- Questions ---- */

static bool take_channel(hb_answer *answer, hb_bytes channel, hb_error *error)
{
    char login[HB_LOGIN_MAX + 1];
    if (!hb_channel_name_read(channel, login))
        return hb_fail(error, HB_ERROR_USAGE, "'%.*s' is no channel name: 1 to %d letters, digits and _",
                       HB_PRINT(channel), HB_LOGIN_MAX);
    answer->channel = hb_arena_copy(&answer->texts, hb_bytes_of(login));
    return true;
}

static bool take_range(hb_answer *answer, const hb_question *question, hb_error *error)
{
    const int64_t step_s = question->step_s > 0 ? question->step_s : kinds[question->kind].step_s;
    if (question->step_s < 0 || question->step_s % HB_MINUTE_S != 0 || step_s > HB_ANSWER_STEP_MAX_S)
        return hb_fail(error, HB_ERROR_USAGE, "the step must be a number of whole minutes, up to %d days",
                       HB_ANSWER_STEP_MAX_S / HB_DAY_S);
    if (question->from_s > question->to_s)
        return hb_fail(error, HB_ERROR_USAGE, "the range ends before it begins: 'from' is after 'to'");
    if (question->from_s < 0 || question->to_s > TIME_END_S)
        return hb_fail(error, HB_ERROR_USAGE, "the range must lie within the years 1970 to 9999");
    answer->from_s = hb_time_floor(question->from_s, step_s);
    answer->to_s = hb_time_floor(question->to_s + step_s - 1, step_s);
    return true;
}

typedef struct channel_search {
    hb_bytes channel;
    bool found;
} channel_search;

static bool find_channel(void *context, const hb_channel_row *row)
{
    channel_search *search = context;
    const int order = hb_bytes_compare(row->channel, search->channel);
    search->found = order == 0;
    return order < 0; /* channels come in the order of their names */
}

static bool check_seen(const hb_answer *answer, hb_store *store, hb_error *error)
{
    channel_search search = {.channel = answer->channel};
    if (!hb_store_channels(store, find_channel, &search, error))
        return false;
    return search.found || hb_fail(error, HB_ERROR_MISSING,
                                   "the channel '%.*s' was never seen; 'hubbub channels' lists those that were",
                                   HB_PRINT(answer->channel));
}

/* Of one channel or, without one, of all. */
static bool answer_moments(hb_answer *answer, hb_store *store, const hb_question *question, hb_error *error)
{
    if (question->channel.size > 0) {
        answer->columns++;
        answer->column_count--;
        if (!take_channel(answer, question->channel, error))
            return false;
    }
    return take_range(answer, question, error) && hb_answer_list_moments(answer, store, question->limit, error) &&
           (answer->cell_count > 0 || answer->channel.size == 0 || check_seen(answer, store, error));
}

static bool fill(hb_answer *answer, hb_store *store, const hb_question *question, int64_t now_s, hb_error *error)
{
    if (question->kind == HB_ASK_CHANNELS)
        return hb_answer_list_channels(answer, store, question, now_s, error);
    if (question->kind == HB_ASK_MOMENTS)
        return answer_moments(answer, store, question, error);
    if (!take_channel(answer, question->channel, error) || !take_range(answer, question, error))
        return false;
    const bool ranking = question->kind == HB_ASK_WORDS || question->kind == HB_ASK_USERS;
    if (!(ranking                               ? hb_answer_rank(answer, store, question, error)
          : question->step_s > HB_MINUTE_S      ? hb_answer_list_steps(answer, store, question, error)
          : question->kind == HB_ASK_ENGAGEMENT ? hb_answer_list_engagement(answer, store, question->limit, error)
          : question->kind == HB_ASK_STREAMS    ? hb_answer_list_streams(answer, store, question->limit, now_s, error)
                                                : answer_minutes(answer, store, question, error)))
        return false;
    return answer->cell_count > 0 || check_seen(answer, store, error);
}

hb_answer *hb_answer_open(hb_store *store, const hb_question *question, int64_t now_s, hb_error *error)
{
    hb_answer *answer = hb_alloc(sizeof *answer);
    answer->exact = true;
    answer->columns = kinds[question->kind].columns;
    answer->column_count = kinds[question->kind].column_count;
    if (fill(answer, store, question, now_s, error))
        return answer;
    hb_answer_close(answer);
    return NULL;
}

void hb_answer_close(hb_answer *answer)
{
    if (answer == NULL)
        return;
    free(answer->cells);
    hb_arena_free(&answer->texts);
    free(answer);
}
