/* answer_channels.c - the overview of all channels, made to be asked once a second for thousands of them.
 *
 * One question gives the last half hour of every channel. Rates are an estimate for the last 60 seconds: the minute
 * in progress, and of the minute before it the share that still lies within them. Chatters are those of the minute in
 * progress or of the one before, whichever are more: minutes are all that rows know exactly. The top emote is that of
 * the hour in which the channel was last seen, if that was in this hour or the one before: channels of old archives
 * must cost nothing. A moment is told of for ten minutes. Participation needs sheets: attendance.h sees to it that they
 * are read now and then only. */
#include "serve/answer_table.h"

#include "base/clock.h"
#include "base/map.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOMENT_S = 10 * HB_MINUTE_S,
    LOOKS_MAX = 128 /* channels whose sheets are looked at for one answer */
};

typedef struct channel_entry {
    hb_bytes name;
    hb_bytes room_id;
    int64_t first_seen_s;
    int64_t last_seen_s;
    double messages;
    double words;
    uint64_t chatters;
    uint64_t viewers;      /* of the newest minute with samples, */
    int64_t sampled_s;     /* and which one that was; HB_TIME_NONE */
    double viewers_sum;    /* of the minutes that participation is told of, */
    unsigned viewers_seen; /* so many of which have samples */
    int64_t moment_s;
    uint64_t *spark;
} channel_entry;

typedef struct channel_list {
    hb_answer *answer;
    channel_entry *entries;
    size_t count;
    size_t capacity;
    hb_map map;
    int64_t now_s;
    int64_t minute_s; /* the one in progress */
} channel_list;

static bool add_channel(void *context, const hb_channel_row *row)
{
    channel_list *list = context;
    HB_RESERVE(list->entries, list->capacity, list->count + 1);
    channel_entry *entry = &list->entries[list->count];
    *entry = (channel_entry){.name = hb_arena_copy(&list->answer->texts, row->channel),
                             .room_id = hb_arena_copy(&list->answer->texts, row->room_id),
                             .first_seen_s = row->first_seen_s,
                             .last_seen_s = row->last_seen_s,
                             .sampled_s = HB_TIME_NONE,
                             .moment_s = HB_TIME_NONE,
                             .spark = hb_arena_alloc(&list->answer->texts, HB_ANSWER_SPARK * sizeof *entry->spark)};
    memset(entry->spark, 0, HB_ANSWER_SPARK * sizeof *entry->spark);
    hb_map_insert(&list->map, hb_hash(entry->name, 0), (uint32_t)list->count++);
    return true;
}

/* NULL: it is not there. */
static channel_entry *find_channel(const channel_list *list, hb_bytes channel)
{
    const uint64_t hash = hb_hash(channel, 0);
    for (uint32_t at = hb_map_first(&list->map, hash); at != HB_MAP_END; at = hb_map_next(&list->map, hash, at))
        if (hb_bytes_equal(list->entries[hb_map_entry(&list->map, at)].name, channel))
            return &list->entries[hb_map_entry(&list->map, at)];
    return NULL;
}

static void add_viewers(channel_entry *entry, int64_t age, const hb_minute_row *row)
{
    if (row->count.samples == 0)
        return;
    const double viewers = (double)row->count.viewers_sum / (double)row->count.samples;
    if (row->minute_s > entry->sampled_s) { /* HB_TIME_NONE is the least of all */
        entry->sampled_s = row->minute_s;
        entry->viewers = (uint64_t)(viewers + 0.5);
    }
    if (age >= 1 && age <= HB_ANSWER_PARTICIPATION) {
        entry->viewers_sum += viewers;
        entry->viewers_seen++;
    }
}

static bool add_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    channel_list *list = context;
    channel_entry *entry = find_channel(list, row->channel);
    const int64_t age = (list->minute_s - row->minute_s) / HB_MINUTE_S; /* minutes before the one in progress */
    (void)layer;
    if (entry == NULL)
        return true;
    if (age >= 1 && age <= HB_ANSWER_SPARK)
        entry->spark[HB_ANSWER_SPARK - age] = row->count.messages;
    add_viewers(entry, age, row);
    if (age > 1)
        return true;
    const double share = age <= 0 ? 1 : (double)(list->minute_s + HB_MINUTE_S - list->now_s) / (double)HB_MINUTE_S;
    entry->messages += share * (double)row->count.messages;
    entry->words += share * (double)row->count.words;
    if (row->count.chatters > entry->chatters)
        entry->chatters = row->count.chatters;
    return true;
}

/* They come in the order of their minutes. */
static bool add_moment(void *context, const hb_moment_row *row, hb_layer layer)
{
    channel_entry *entry = find_channel(context, row->channel);
    (void)layer;
    if (entry != NULL)
        entry->moment_s = row->minute_s;
    return true;
}

typedef struct emote_visit {
    hb_arena *texts;
    hb_bytes emote;
} emote_visit;

static bool keep_emote(void *context, const hb_word_row *row, hb_layer layer)
{
    emote_visit *visit = context;
    (void)layer;
    visit->emote = hb_arena_copy(visit->texts, row->word.text);
    return false;
}

/* The busiest first. */
static int compare(const void *a, const void *b)
{
    const channel_entry *left = a;
    const channel_entry *right = b;
    if (left->messages != right->messages)
        return left->messages > right->messages ? -1 : 1;
    return hb_bytes_compare(left->name, right->name);
}

static bool find_emote(channel_list *list, hb_store *store, const channel_entry *entry, hb_bytes *emote,
                       hb_error *error)
{
    const int64_t hour_s = hb_time_floor(entry->last_seen_s, HB_HOUR_S);
    emote_visit visit = {.texts = &list->answer->texts};
    if (hour_s >= hb_time_floor(list->now_s, HB_HOUR_S) - HB_HOUR_S &&
        !hb_store_words(store, entry->name, hour_s, HB_EMOTE, keep_emote, &visit, error))
        return false;
    *emote = visit.emote;
    return true;
}

/* Chatters by viewers, or NAN. Only of channels that are watched anything is read. */
static bool find_participation(hb_attendance *attendance, hb_store *store, const channel_entry *entry,
                               double *participation, hb_error *error)
{
    uint64_t chatters = HB_ATTENDANCE_UNKNOWN;
    *participation = NAN;
    if (entry->viewers_sum > 0 && !hb_attendance_ask(attendance, store, entry->name, &chatters, error))
        return false;
    if (chatters != HB_ATTENDANCE_UNKNOWN)
        *participation = (double)chatters * entry->viewers_seen / entry->viewers_sum;
    return true;
}

static bool add_rows(channel_list *list, hb_attendance *attendance, hb_store *store, uint32_t limit, hb_error *error)
{
    qsort(list->entries, list->count, sizeof *list->entries, compare);
    for (size_t i = 0; i < list->count && i < limit; i++) {
        const channel_entry *entry = &list->entries[i];
        hb_bytes emote;
        double participation;
        if (!find_emote(list, store, entry, &emote, error) ||
            !find_participation(attendance, store, entry, &participation, error))
            return false;
        hb_cell *cells = hb_answer_add_row(list->answer);
        cells[0].text = entry->name;
        cells[1].text = entry->room_id;
        cells[2].real = entry->messages;
        cells[3].real = entry->words;
        cells[4].count = entry->chatters;
        cells[5].text = emote;
        cells[6].time_s = entry->first_seen_s;
        cells[7].time_s = entry->last_seen_s;
        cells[8].count = entry->sampled_s == HB_TIME_NONE || hb_answer_is_gone(entry->sampled_s, list->now_s)
                             ? HB_COUNT_NONE
                             : entry->viewers;
        cells[9].real = participation;
        cells[10].time_s = entry->moment_s;
        cells[11].spark = entry->spark;
    }
    return true;
}

bool hb_answer_list_channels(hb_answer *answer, hb_store *store, const hb_question *question, int64_t now_s,
                             hb_error *error)
{
    hb_attendance *const passing = question->attendance == NULL ? hb_attendance_open() : NULL;
    hb_attendance *const attendance = passing == NULL ? question->attendance : passing;
    channel_list list = {.answer = answer, .now_s = now_s, .minute_s = hb_time_floor(now_s, HB_MINUTE_S)};
    answer->from_s = now_s - HB_MINUTE_S;
    answer->to_s = now_s;
    hb_attendance_begin(attendance, list.minute_s, passing == NULL ? LOOKS_MAX : SIZE_MAX);
    const bool good = hb_store_channels(store, add_channel, &list, error) &&
                      hb_store_minutes(store, HB_BYTES(""), list.minute_s - HB_ANSWER_SPARK * HB_MINUTE_S,
                                       list.minute_s + HB_MINUTE_S, add_minute, &list, error) &&
                      hb_store_moments(store, HB_BYTES(""), now_s - MOMENT_S, now_s + 1, add_moment, &list, error) &&
                      add_rows(&list, attendance, store, question->limit, error);
    hb_attendance_close(passing);
    hb_map_free(&list.map);
    free(list.entries);
    return good;
}
