/* compare.c - rows of the store are met with rows of the changes: minutes by merging two ordered lists, words and users
 * channel by channel through a hash index. */
#include "cmd/compare.h"

#include "base/clock.h"
#include "base/map.h"

#include <stdlib.h>

typedef struct comparing {
    hb_store *store;
    const hb_changes *changes;
    bool late;
    hb_difference *difference;
    size_t at; /* the next of the changes' minutes */
    hb_arena texts;
    hb_bytes *channels; /* that the store has in the hour, and the changes have not */
    size_t channel_count;
    size_t channel_capacity;
    hb_map known; /* the changes' channels */

    /* The channel in hand. */
    size_t from; /* its rows in the changes */
    size_t to;
    hb_map index;
    bool *met;
    size_t met_capacity;
} comparing;

const char *hb_compared_table_name(hb_compared_table table)
{
    static const char *const names[HB_COMPARED_TABLES] = {"wordcount", "viewers", "wordfreq", "msgperuser", "sheets"};
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

static void compare_number(comparing *job, hb_compared_table table, uint64_t stored, uint64_t right)
{
    job->difference->compared++;
    if (stored == right)
        return;
    const hb_cause cause = stored > right ? HB_CAUSE_DUPLICATES : job->late ? HB_CAUSE_LATE : HB_CAUSE_OTHER;
    job->difference->values[table][cause]++;
}

/* What has no more and less: names, maps, rows that are there on one side only. */
static void compare_equal(comparing *job, hb_compared_table table, bool equal)
{
    job->difference->compared++;
    if (!equal)
        job->difference->values[table][job->late ? HB_CAUSE_LATE : HB_CAUSE_OTHER]++;
}

static void compare_minute(comparing *job, const hb_minute *stored, const hb_minute *right)
{
    compare_number(job, HB_COMPARED_MINUTES, stored->messages, right->messages);
    compare_number(job, HB_COMPARED_MINUTES, stored->words, right->words);
    compare_number(job, HB_COMPARED_MINUTES, stored->chatters, right->chatters);
    compare_number(job, HB_COMPARED_MINUTES, stored->shared, right->shared);
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

static bool is_known(const comparing *job, hb_bytes channel)
{
    const uint64_t hash = hb_hash(channel, 0);
    for (uint32_t at = hb_map_first(&job->known, hash); at != HB_MAP_END; at = hb_map_next(&job->known, hash, at)) {
        const uint32_t number = hb_map_entry(&job->known, at);
        const hb_bytes name = number < job->changes->channel_count
                                  ? job->changes->channels[number].channel
                                  : job->channels[number - job->changes->channel_count];
        if (hb_bytes_equal(name, channel))
            return true;
    }
    return false;
}

static void note_channel(comparing *job, hb_bytes channel)
{
    if (is_known(job, channel))
        return;
    HB_RESERVE(job->channels, job->channel_capacity, job->channel_count + 1);
    job->channels[job->channel_count] = hb_arena_copy(&job->texts, channel);
    hb_map_insert(&job->known, hb_hash(channel, 0), (uint32_t)(job->changes->channel_count + job->channel_count));
    job->channel_count++;
}

static bool meet_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    comparing *const job = context;
    const hb_minute none = {0};
    (void)layer;
    for (; job->at < job->changes->minute_count && order_of(&job->changes->minutes[job->at], row) < 0; job->at++)
        compare_minute(job, &none, &job->changes->minutes[job->at].count);
    if (job->at < job->changes->minute_count && order_of(&job->changes->minutes[job->at], row) == 0) {
        compare_minute(job, &row->count, &job->changes->minutes[job->at++].count);
    } else {
        compare_minute(job, &row->count, &none);
        note_channel(job, row->channel);
    }
    return true;
}

static bool compare_minutes(comparing *job, hb_error *error)
{
    const hb_changes *const changes = job->changes;
    const hb_minute none = {0};
    if (!hb_store_minutes(job->store, (hb_bytes){"", 0}, changes->hour_s, changes->hour_s + HB_HOUR_S, meet_minute, job,
                          error))
        return false;
    for (; job->at < changes->minute_count; job->at++)
        compare_minute(job, &none, &changes->minutes[job->at].count);
    return true;
}

/* ---- Words and users ---- */

static void begin_channel(comparing *job, size_t from, size_t to)
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
    comparing *const job = context;
    const uint64_t hash = hash_word(&row->word);
    (void)layer;
    for (uint32_t at = hb_map_first(&job->index, hash); at != HB_MAP_END; at = hb_map_next(&job->index, hash, at)) {
        const uint32_t number = hb_map_entry(&job->index, at);
        const hb_word *const right = &job->changes->words[job->from + number].word;
        if (right->kind != row->word.kind || !hb_bytes_equal(right->text, row->word.text))
            continue;
        job->met[number] = true;
        compare_number(job, HB_COMPARED_WORDS, row->word.count, right->count);
        return true;
    }
    compare_equal(job, HB_COMPARED_WORDS, false);
    return true;
}

static bool compare_words(comparing *job, hb_bytes channel, size_t *next, hb_error *error)
{
    const hb_changes *const changes = job->changes;
    size_t to = *next;
    while (to < changes->word_count && hb_bytes_equal(changes->words[to].channel, channel))
        to++;
    begin_channel(job, *next, to);
    for (size_t i = *next; i < to; i++)
        hb_map_insert(&job->index, hash_word(&changes->words[i].word), (uint32_t)(i - *next));
    if (!hb_store_words(job->store, channel, changes->hour_s, HB_KINDS, meet_word, job, error))
        return false;
    for (size_t i = *next; i < to; i++)
        if (!job->met[i - *next])
            compare_equal(job, HB_COMPARED_WORDS, false);
    *next = to;
    return true;
}

static bool meet_user(void *context, const hb_user_row *row, hb_layer layer)
{
    comparing *const job = context;
    const uint64_t hash = hb_hash(row->user.id, 0);
    (void)layer;
    for (uint32_t at = hb_map_first(&job->index, hash); at != HB_MAP_END; at = hb_map_next(&job->index, hash, at)) {
        const uint32_t number = hb_map_entry(&job->index, at);
        const hb_user *const right = &job->changes->users[job->from + number].user;
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

static bool compare_users(comparing *job, hb_bytes channel, size_t *next, hb_error *error)
{
    const hb_changes *const changes = job->changes;
    size_t to = *next;
    while (to < changes->user_count && hb_bytes_equal(changes->users[to].channel, channel))
        to++;
    begin_channel(job, *next, to);
    for (size_t i = *next; i < to; i++)
        hb_map_insert(&job->index, hb_hash(changes->users[i].user.id, 0), (uint32_t)(i - *next));
    if (!hb_store_users(job->store, channel, changes->hour_s, meet_user, job, error))
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

static bool compare_sheet(comparing *job, hb_bytes channel, hb_bytes right, hb_error *error)
{
    met_sheet met = {.right = right, .equal = right.size == 0};
    if (!hb_store_sheets(job->store, channel, job->changes->hour_s, job->changes->hour_s + HB_HOUR_S, meet_sheet, &met,
                         error))
        return false;
    compare_equal(job, HB_COMPARED_SHEETS, met.equal);
    return true;
}

/* ---- The hour ---- */

static bool compare_channels(comparing *job, bool with_sheets, hb_error *error)
{
    const hb_changes *const changes = job->changes;
    size_t word = 0;
    size_t user = 0;
    bool good = true;
    for (size_t i = 0; i < changes->channel_count && good; i++) {
        const hb_bytes channel = changes->channels[i].channel;
        good = compare_words(job, channel, &word, error) && compare_users(job, channel, &user, error) &&
               (!with_sheets || compare_sheet(job, channel, changes->sheets[i].sheet, error));
    }
    for (size_t i = 0; i < job->channel_count && good; i++)
        good = compare_words(job, job->channels[i], &word, error) &&
               compare_users(job, job->channels[i], &user, error) &&
               (!with_sheets || compare_sheet(job, job->channels[i], (hb_bytes){"", 0}, error));
    return good;
}

bool hb_compare(hb_store *store, const hb_changes *changes, bool late, bool with_sheets, hb_difference *difference,
                hb_error *error)
{
    comparing job = {.store = store, .changes = changes, .late = late, .difference = difference};
    for (size_t i = 0; i < changes->channel_count; i++)
        hb_map_insert(&job.known, hb_hash(changes->channels[i].channel, 0), (uint32_t)i);
    const bool good = compare_minutes(&job, error) && compare_channels(&job, with_sheets, error);
    hb_arena_free(&job.texts);
    hb_map_free(&job.known);
    hb_map_free(&job.index);
    free(job.channels);
    free(job.met);
    return good;
}
