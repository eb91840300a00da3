/* compare.c - rows of the store are met with rows of the changes: words and users channel by channel through a hash
 * index, piece by piece; minutes at the end, by merging two ordered lists, since the store has those of all channels
 * in one order. */
#include "cmd/compare.h"

#include "base/clock.h"
#include "base/map.h"

#include <stdlib.h>

struct hb_comparison {
    hb_store *store;
    int64_t hour_s;
    bool late;
    bool with_sheets;
    hb_difference *difference;
    hb_minute_row *minutes; /* of all pieces */
    size_t minute_count;
    size_t minute_capacity;
    size_t at;          /* the next of them to be met */
    hb_bytes *channels; /* of the pieces; behind them those that the store has in the hour, and the pieces have not */
    size_t channel_count;
    size_t channel_capacity;
    hb_map known; /* of channels */
    hb_arena texts;

    /* The channel in hand. */
    const hb_changes *piece;
    size_t from; /* its rows in the piece */
    size_t to;
    hb_map index;
    bool *met;
    size_t met_capacity;
};

const char *hb_compared_table_name(hb_compared_table table)
{
    static const char *const names[HB_COMPARED_TABLES] = {"wordcount",  "viewers", "wordfreq",
                                                          "msgperuser", "sheets",  "moments"};
    return names[table];
}

uint64_t hb_difference_sum(const hb_difference *difference)
{
    uint64_t sum = 0;
    for (unsigned table = 0; table < HB_COMPARED_TABLES; table++)
        for (unsigned cause = 0; cause < HB_CAUSES; cause++)
            sum += difference->values[table][cause];
    return sum;
}

/* ---- Values ---- */

static void compare_number(hb_comparison *job, hb_compared_table table, uint64_t stored, uint64_t right)
{
    job->difference->compared++;
    if (stored == right)
        return;
    const hb_cause cause = stored > right ? HB_CAUSE_DUPLICATES : job->late ? HB_CAUSE_LATE : HB_CAUSE_OTHER;
    job->difference->values[table][cause]++;
}

/* What has no more and less: names, maps, rows that are there on one side only. */
static void compare_equal(hb_comparison *job, hb_compared_table table, bool equal)
{
    job->difference->compared++;
    if (!equal)
        job->difference->values[table][job->late ? HB_CAUSE_LATE : HB_CAUSE_OTHER]++;
}

static void compare_minute(hb_comparison *job, const hb_minute *stored, const hb_minute *right)
{
    compare_number(job, HB_COMPARED_MINUTES, stored->messages, right->messages);
    compare_number(job, HB_COMPARED_MINUTES, stored->words, right->words);
    compare_number(job, HB_COMPARED_MINUTES, stored->chatters, right->chatters);
    compare_number(job, HB_COMPARED_MINUTES, stored->shared, right->shared);
    compare_number(job, HB_COMPARED_MINUTES, stored->new_chatters, right->new_chatters);
    compare_number(job, HB_COMPARED_MINUTES, stored->subscriber_messages, right->subscriber_messages);
    if (stored->samples == 0 && right->samples == 0)
        return;
    compare_number(job, HB_COMPARED_VIEWERS, stored->viewers_sum, right->viewers_sum);
    compare_number(job, HB_COMPARED_VIEWERS, stored->samples, right->samples);
    compare_equal(job, HB_COMPARED_VIEWERS, hb_bytes_equal(stored->game, right->game));
    compare_equal(job, HB_COMPARED_VIEWERS, hb_bytes_equal(stored->title, right->title));
}

/* ---- Minutes ---- */

static int order_of(const hb_minute_row *a, const hb_minute_row *b)
{
    return a->minute_s != b->minute_s ? (a->minute_s < b->minute_s ? -1 : 1) : hb_bytes_compare(a->channel, b->channel);
}

static int compare_places(const void *a, const void *b)
{
    return order_of(a, b);
}

static bool is_known(const hb_comparison *job, hb_bytes channel)
{
    const uint64_t hash = hb_hash(channel, 0);
    for (uint32_t at = hb_map_first(&job->known, hash); at != HB_MAP_END; at = hb_map_next(&job->known, hash, at))
        if (hb_bytes_equal(job->channels[hb_map_entry(&job->known, at)], channel))
            return true;
    return false;
}

static void note_channel(hb_comparison *job, hb_bytes channel)
{
    HB_RESERVE(job->channels, job->channel_capacity, job->channel_count + 1);
    hb_map_insert(&job->known, hb_hash(channel, 0), (uint32_t)job->channel_count);
    job->channels[job->channel_count++] = channel;
}

static bool meet_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    hb_comparison *const job = context;
    const hb_minute none = {0};
    (void)layer;
    for (; job->at < job->minute_count && order_of(&job->minutes[job->at], row) < 0; job->at++)
        compare_minute(job, &none, &job->minutes[job->at].count);
    if (job->at < job->minute_count && order_of(&job->minutes[job->at], row) == 0) {
        compare_minute(job, &row->count, &job->minutes[job->at++].count);
        return true;
    }
    compare_minute(job, &row->count, &none);
    if (!is_known(job, row->channel))
        note_channel(job, hb_arena_copy(&job->texts, row->channel));
    return true;
}

static bool compare_minutes(hb_comparison *job, hb_error *error)
{
    const hb_minute none = {0};
    if (job->minute_count > 0)
        qsort(job->minutes, job->minute_count, sizeof *job->minutes, compare_places);
    if (!hb_store_minutes(job->store, (hb_bytes){"", 0}, job->hour_s, job->hour_s + HB_HOUR_S, meet_minute, job, error))
        return false;
    for (; job->at < job->minute_count; job->at++)
        compare_minute(job, &none, &job->minutes[job->at].count);
    return true;
}

/* ---- Words and users ---- */

static void begin_channel(hb_comparison *job, size_t from, size_t to)
{
    job->from = from;
    job->to = to;
    hb_map_clear(&job->index);
    HB_RESERVE(job->met, job->met_capacity, to - from);
    if (to > from)
        memset(job->met, 0, (to - from) * sizeof *job->met);
}

static uint64_t hash_word(const hb_word *word)
{
    return hb_hash(word->text, (uint64_t)word->kind);
}

static bool meet_word(void *context, const hb_word_row *row, hb_layer layer)
{
    hb_comparison *const job = context;
    const uint64_t hash = hash_word(&row->word);
    (void)layer;
    for (uint32_t at = hb_map_first(&job->index, hash); at != HB_MAP_END; at = hb_map_next(&job->index, hash, at)) {
        const uint32_t number = hb_map_entry(&job->index, at);
        const hb_word *const right = &job->piece->words[job->from + number].word;
        if (right->kind != row->word.kind || !hb_bytes_equal(right->text, row->word.text))
            continue;
        job->met[number] = true;
        compare_number(job, HB_COMPARED_WORDS, row->word.count, right->count);
        return true;
    }
    compare_equal(job, HB_COMPARED_WORDS, false);
    return true;
}

static bool compare_words(hb_comparison *job, hb_bytes channel, size_t *next, hb_error *error)
{
    const hb_changes *const piece = job->piece;
    size_t to = *next;
    while (to < piece->word_count && hb_bytes_equal(piece->words[to].channel, channel))
        to++;
    begin_channel(job, *next, to);
    for (size_t i = *next; i < to; i++)
        hb_map_insert(&job->index, hash_word(&piece->words[i].word), (uint32_t)(i - *next));
    if (!hb_store_words(job->store, channel, job->hour_s, HB_KINDS, meet_word, job, error))
        return false;
    for (size_t i = *next; i < to; i++)
        if (!job->met[i - *next])
            compare_equal(job, HB_COMPARED_WORDS, false);
    *next = to;
    return true;
}

static bool meet_user(void *context, const hb_user_row *row, hb_layer layer)
{
    hb_comparison *const job = context;
    const uint64_t hash = hb_hash(row->user.id, 0);
    (void)layer;
    for (uint32_t at = hb_map_first(&job->index, hash); at != HB_MAP_END; at = hb_map_next(&job->index, hash, at)) {
        const uint32_t number = hb_map_entry(&job->index, at);
        const hb_user *const right = &job->piece->users[job->from + number].user;
        if (!hb_bytes_equal(right->id, row->user.id))
            continue;
        job->met[number] = true;
        compare_equal(job, HB_COMPARED_USERS, hb_bytes_equal(row->user.name, right->name));
        compare_number(job, HB_COMPARED_USERS, row->user.messages, right->messages);
        compare_number(job, HB_COMPARED_USERS, row->user.words, right->words);
        compare_equal(job, HB_COMPARED_USERS, row->user.minutes == right->minutes);
        return true;
    }
    compare_equal(job, HB_COMPARED_USERS, false);
    return true;
}

static bool compare_users(hb_comparison *job, hb_bytes channel, size_t *next, hb_error *error)
{
    const hb_changes *const piece = job->piece;
    size_t to = *next;
    while (to < piece->user_count && hb_bytes_equal(piece->users[to].channel, channel))
        to++;
    begin_channel(job, *next, to);
    for (size_t i = *next; i < to; i++)
        hb_map_insert(&job->index, hb_hash(piece->users[i].user.id, 0), (uint32_t)(i - *next));
    if (!hb_store_users(job->store, channel, job->hour_s, meet_user, job, error))
        return false;
    for (size_t i = *next; i < to; i++)
        if (!job->met[i - *next])
            compare_equal(job, HB_COMPARED_USERS, false);
    *next = to;
    return true;
}

/* ---- Sheets ---- */

typedef struct met_sheet {
    hb_bytes right;
    bool equal;
} met_sheet;

/* Another version of zstd may have made other bytes of the same sheet. */
static bool meet_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    met_sheet *const met = context;
    hb_error unimportant;
    (void)layer;
    (void)words_version;
    met->equal = hb_bytes_equal(row->sheet, met->right);
    hb_sheet *sheet = met->equal || row->open ? NULL : hb_sheet_decode(row->sheet, &unimportant);
    if (sheet != NULL) {
        char *data = NULL;
        size_t size = 0;
        hb_sheet_encode(sheet, &data, &size);
        met->equal = hb_bytes_equal((hb_bytes){data, size}, met->right);
        hb_free(data);
        hb_sheet_close(sheet);
    }
    return true;
}

static bool compare_sheet(hb_comparison *job, hb_bytes channel, hb_bytes right, hb_error *error)
{
    met_sheet met = {.right = right, .equal = right.size == 0};
    if (!hb_store_sheets(job->store, channel, job->hour_s, job->hour_s + HB_HOUR_S, meet_sheet, &met, error))
        return false;
    compare_equal(job, HB_COMPARED_SHEETS, met.equal);
    return true;
}

/* ---- The hour ---- */

hb_comparison *hb_comparison_open(hb_store *store, int64_t hour_s, bool late, bool with_sheets,
                                  hb_difference *difference)
{
    hb_comparison *job = hb_alloc(sizeof *job);
    job->store = store;
    job->hour_s = hour_s;
    job->late = late;
    job->with_sheets = with_sheets;
    job->difference = difference;
    return job;
}

void hb_comparison_close(hb_comparison *job)
{
    if (job == NULL)
        return;
    hb_arena_free(&job->texts);
    hb_map_free(&job->known);
    hb_map_free(&job->index);
    free(job->channels);
    free(job->minutes);
    free(job->met);
    free(job);
}

bool hb_comparison_add(hb_comparison *job, const hb_changes *piece, hb_error *error)
{
    size_t word = 0;
    size_t user = 0;
    bool good = true;
    job->piece = piece;
    HB_RESERVE(job->minutes, job->minute_capacity, job->minute_count + piece->minute_count);
    for (size_t i = 0; i < piece->minute_count; i++)
        job->minutes[job->minute_count++] = piece->minutes[i];
    for (size_t i = 0; i < piece->channel_count && good; i++) {
        const hb_bytes channel = piece->channels[i].channel;
        note_channel(job, channel);
        good = compare_words(job, channel, &word, error) && compare_users(job, channel, &user, error) &&
               (!job->with_sheets || compare_sheet(job, channel, piece->sheets[i].sheet, error));
    }
    return good;
}

bool hb_comparison_end(hb_comparison *job, hb_error *error)
{
    static const hb_changes none = {0};
    const size_t added = job->channel_count;
    size_t word = 0;
    size_t user = 0;
    bool good = compare_minutes(job, error);
    job->piece = &none;
    for (size_t i = added; i < job->channel_count && good; i++)
        good = compare_words(job, job->channels[i], &word, error) &&
               compare_users(job, job->channels[i], &user, error) &&
               (!job->with_sheets || compare_sheet(job, job->channels[i], (hb_bytes){"", 0}, error));
    return good;
}

bool hb_compare(hb_store *store, const hb_changes *changes, bool late, bool with_sheets, hb_difference *difference,
                hb_error *error)
{
    hb_comparison *job = hb_comparison_open(store, changes->hour_s, late, with_sheets, difference);
    const bool good = hb_comparison_add(job, changes, error) && hb_comparison_end(job, error);
    hb_comparison_close(job);
    return good;
}
