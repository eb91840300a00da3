/* reporter.c - asks the store what live clients look at, as seldom as it can.
 *
 * Every 200 ms it looks at the store's generation, which costs no query. After a commit it asks for the list of
 * channels (at most once a second), the rates of the channels looked at, and their words and users (at most every 2 s).
 * Without commits the list is asked every 5 s: live rates sink as time goes on. With no clients nothing is asked. What
 * is the same as before is not told: of the list only rows that are new, found by their hashes.
 */
#include "serve/reporter.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "serve/answer.h"
#include "serve/json.h"
#include "serve/request.h"
#include "serve/rows.h"
#include "serve/source.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    LOOK_MS = 200,
    CHANNELS_MS = 1000,       /* after a commit, at most this often */
    CHANNELS_QUIET_MS = 5000, /* without one */
    RANKING_MS = 2000,
    RANKING_ROWS = 20,
    RATE_MINUTES = 2,
    RETRY_MS = 2000 /* after the store failed to answer */
};

typedef struct view_state { /* what was last told of one view */
    int64_t asked_ms;       /* 0: never */
    uint64_t asked_generation;
    uint64_t hash;
} view_state;

typedef struct channel_state {
    hb_watched watched; /* as of the last look; the channel "" is the list of channels */
    view_state views[HB_NEWS_LASTING];
} channel_state;

struct hb_reporter {
    hb_source source;
    hb_attendance *attendance;
    const hb_ignored *ignored;
    hb_watch *watch;
    hb_news_desk desk;
    pthread_t thread;
    hb_error state;   /* why there is no store; HB_ERROR_NONE when there is */
    int64_t retry_ms; /* not before */
    hb_watch_list watched;
    channel_state *channels;
    size_t channel_count;
    uint64_t *row_hashes; /* of the list of channels as last told */
    size_t row_count;
    size_t row_capacity;
    hb_map rows;
    hb_buffer answer;
    hb_buffer event;
};

static void tell(hb_reporter *reporter, hb_news *news)
{
    reporter->desk.put(reporter->desk.context, news);
}

/* ---- Whether there is a store ---- */

static void tell_state(hb_reporter *reporter, const hb_error *error)
{
    if (error->code == reporter->state.code && strcmp(error->text, reporter->state.text) == 0)
        return;
    reporter->state = *error;
    tell(reporter,
         hb_news_make(HB_NEWS_STATE, "", error->code == HB_ERROR_NONE ? NULL : hb_text_make(hb_bytes_of(error->text))));
}

/* The store, or NULL; says so when that is news. */
static hb_store *look(hb_reporter *reporter)
{
    hb_error error = {.code = HB_ERROR_NONE};
    if (hb_monotonic_ms() < reporter->retry_ms)
        return NULL;
    hb_store *store = hb_source_store(&reporter->source, &error);
    if (store != NULL)
        error = (hb_error){.code = HB_ERROR_NONE};
    tell_state(reporter, &error);
    return store;
}

static void give_up_for_now(hb_reporter *reporter, const hb_error *error)
{
    tell_state(reporter, error);
    hb_source_reset(&reporter->source);
    reporter->retry_ms = hb_monotonic_ms() + RETRY_MS;
}

/* ---- Asking ---- */

static bool ask(hb_reporter *reporter, hb_store *store, const hb_question *question, int64_t now_s, hb_bytes *rows)
{
    hb_error error;
    hb_answer *answer = hb_answer_open(store, question, now_s, &error);
    reporter->answer.size = 0;
    if (answer == NULL) {
        /* A channel that nobody has seen yet may still come; anything else is the store's fault. */
        if (error.code != HB_ERROR_MISSING)
            give_up_for_now(reporter, &error);
        return false;
    }
    hb_answer_print(answer, HB_FORMAT_JSON, &reporter->answer);
    hb_answer_close(answer);
    *rows = hb_rows_of(hb_buffer_bytes(&reporter->answer));
    return true;
}

/* {"channel":…,"rows":…}, the channel left out where it is empty */
static hb_text *make_event(hb_reporter *reporter, const char *name, const char *channel, hb_bytes rows)
{
    hb_buffer *event = &reporter->event;
    event->size = 0;
    hb_json_open(event, '{');
    if (*channel != '\0') {
        hb_json_key(event, "channel");
        hb_json_text(event, hb_bytes_of(channel));
    }
    hb_json_key(event, "rows");
    hb_buffer_append(event, rows);
    hb_json_close(event, '}');
    return hb_text_make_event(name, hb_buffer_bytes(event));
}

static bool row_was_told(const hb_reporter *reporter, uint64_t hash)
{
    const hb_map *map = &reporter->rows;
    for (uint32_t at = hb_map_first(map, hash); at != HB_MAP_END; at = hb_map_next(map, hash, at))
        if (reporter->row_hashes[hb_map_entry(map, at)] == hash)
            return true;
    return false;
}

/* Appends the rows that were not among those told before, with brackets; false when there are none. */
static bool find_changed_rows(const hb_reporter *reporter, hb_bytes rows, hb_buffer *changed)
{
    hb_bytes row;
    hb_buffer_append_char(changed, '[');
    while (hb_rows_next(&rows, &row))
        if (!row_was_told(reporter, hb_hash(row, 0))) {
            if (changed->size > 1)
                hb_buffer_append_char(changed, ',');
            hb_buffer_append(changed, row);
        }
    hb_buffer_append_char(changed, ']');
    return changed->size > 2;
}

static void remember_rows(hb_reporter *reporter, hb_bytes rows)
{
    hb_bytes row;
    hb_map_clear(&reporter->rows);
    reporter->row_count = 0;
    while (hb_rows_next(&rows, &row)) {
        const uint64_t hash = hb_hash(row, 0);
        HB_RESERVE(reporter->row_hashes, reporter->row_capacity, reporter->row_count + 1);
        reporter->row_hashes[reporter->row_count] = hash;
        hb_map_insert(&reporter->rows, hash, (uint32_t)reporter->row_count++);
    }
}

static void ask_channels(hb_reporter *reporter, hb_store *store, bool first, int64_t now_s)
{
    const hb_question question = {.kind = HB_ASK_CHANNELS,
                                  .attendance = reporter->attendance,
                                  .from_s = now_s - HB_HOUR_S,
                                  .to_s = now_s,
                                  .limit = HB_LIMIT_MAX,
                                  .word_kind = HB_KINDS};
    hb_buffer changed = {0};
    hb_bytes rows;
    if (!ask(reporter, store, &question, now_s, &rows))
        return;
    const bool any_changed = find_changed_rows(reporter, rows, &changed);
    if (first || any_changed) {
        hb_news *news = hb_news_make(HB_NEWS_CHANNELS, "", make_event(reporter, "channels", "", rows));
        if (any_changed)
            news->changed = make_event(reporter, "channels", "", hb_buffer_bytes(&changed));
        remember_rows(reporter, rows);
        tell(reporter, news);
    }
    hb_buffer_free(&changed);
}

static void ask_view(hb_reporter *reporter, hb_store *store, channel_state *channel, hb_news_kind kind, int64_t now_s)
{
    static const struct {
        const char *name;
        hb_question_kind kind;
    } views[HB_NEWS_LASTING] = {[HB_NEWS_RATE] = {"rate", HB_ASK_RATE},
                                [HB_NEWS_WORDS] = {"words", HB_ASK_WORDS},
                                [HB_NEWS_USERS] = {"users", HB_ASK_USERS}};
    view_state *state = &channel->views[kind];
    const int64_t minute_s = hb_time_floor(now_s, HB_MINUTE_S);
    const bool rate = kind == HB_NEWS_RATE;
    const hb_question question = {.kind = views[kind].kind,
                                  .channel = hb_bytes_of(channel->watched.channel),
                                  .from_s = rate ? minute_s - (RATE_MINUTES - 1) * HB_MINUTE_S : now_s - HB_HOUR_S,
                                  .to_s = rate ? minute_s + HB_MINUTE_S : now_s,
                                  .limit = rate ? RATE_MINUTES : RANKING_ROWS,
                                  .word_kind = HB_KINDS,
                                  .ignored = reporter->ignored};
    hb_bytes rows;
    if (!ask(reporter, store, &question, now_s, &rows))
        return;
    const uint64_t hash = hb_hash(rows, 1);
    if (hash != state->hash)
        tell(reporter, hb_news_make(kind, channel->watched.channel,
                                    make_event(reporter, views[kind].name, channel->watched.channel, rows)));
    state->hash = hash;
}

/* ---- When to ask ---- */

/* Carries what was told over to the new list of what is looked at. Both lists are ordered by channel. */
static void take_watched(hb_reporter *reporter)
{
    channel_state *new = hb_alloc((reporter->watched.count + 1) * sizeof *new);
    size_t old = 0;
    for (size_t i = 0; i < reporter->watched.count; i++) {
        const hb_watched *watched = &reporter->watched.list[i];
        while (old < reporter->channel_count && strcmp(reporter->channels[old].watched.channel, watched->channel) < 0)
            old++;
        if (old < reporter->channel_count && reporter->channels[old].watched.serial == watched->serial)
            new[i] = reporter->channels[old];
        new[i].watched = *watched;
    }
    free(reporter->channels);
    reporter->channels = new;
    reporter->channel_count = reporter->watched.count;
}

static bool is_due(view_state *state, uint64_t generation, int64_t now_ms, int64_t after_ms, int64_t quiet_ms)
{
    const int64_t age_ms = now_ms - state->asked_ms;
    if (state->asked_ms != 0 && age_ms < (generation != state->asked_generation ? after_ms : quiet_ms))
        return false;
    state->asked_ms = now_ms;
    state->asked_generation = generation;
    return true;
}

/* False when the store failed and was closed. */
static bool ask_for_channel(hb_reporter *reporter, hb_store *store, channel_state *channel)
{
    const int64_t now_s = hb_now_ms() / 1000;
    const int64_t now_ms = hb_monotonic_ms();
    const uint64_t generation = hb_store_generation(store) ^ (uint64_t)reporter->source.openings << 40;
    view_state *views = channel->views;
    if (*channel->watched.channel == '\0') {
        const bool first = views[HB_NEWS_CHANNELS].asked_ms == 0;
        if (is_due(&views[HB_NEWS_CHANNELS], generation, now_ms, CHANNELS_MS, CHANNELS_QUIET_MS))
            ask_channels(reporter, store, first, now_s);
        return reporter->source.store != NULL;
    }
    for (hb_news_kind kind = HB_NEWS_RATE; kind < HB_NEWS_LASTING && reporter->source.store != NULL; kind++)
        if (is_due(&views[kind], generation, now_ms, kind == HB_NEWS_RATE ? LOOK_MS : RANKING_MS, INT64_MAX))
            ask_view(reporter, store, channel, kind, now_s);
    return reporter->source.store != NULL;
}

static void *watch_store(void *context)
{
    hb_reporter *reporter = context;
    uint64_t version = 0;
    while (hb_watch_wait(reporter->watch, LOOK_MS, &reporter->watched)) {
        if (version != reporter->watched.version)
            take_watched(reporter);
        version = reporter->watched.version;
        hb_store *store = look(reporter);
        for (size_t i = 0; store != NULL && i < reporter->channel_count; i++)
            if (!ask_for_channel(reporter, store, &reporter->channels[i]))
                break;
    }
    return NULL;
}

hb_reporter *hb_reporter_open(const char *store, const hb_ignored *ignored, hb_watch *watch, hb_news_desk desk,
                              hb_error *error)
{
    hb_reporter *reporter = hb_alloc(sizeof *reporter);
    reporter->source.address = store;
    reporter->attendance = hb_attendance_open();
    reporter->ignored = ignored;
    reporter->watch = watch;
    reporter->desk = desk;
    reporter->state.code = HB_ERROR_USAGE; /* none that a look gives: the first look is news */
    look(reporter);
    if (pthread_create(&reporter->thread, NULL, watch_store, reporter) != 0) {
        hb_fail(error, HB_ERROR_SYSTEM, "cannot start the thread that watches the store");
        hb_source_reset(&reporter->source);
        hb_attendance_close(reporter->attendance);
        free(reporter);
        return NULL;
    }
    return reporter;
}

void hb_reporter_close(hb_reporter *reporter)
{
    if (reporter == NULL)
        return;
    pthread_join(reporter->thread, NULL);
    hb_source_reset(&reporter->source);
    hb_attendance_close(reporter->attendance);
    hb_map_free(&reporter->rows);
    hb_buffer_free(&reporter->answer);
    hb_buffer_free(&reporter->event);
    free(reporter->row_hashes);
    free(reporter->channels);
    free(reporter->watched.list);
    free(reporter);
}
