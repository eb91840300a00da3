/* moment_finder.c - in three steps: minutes of all channels become arrays, in which moments are found; these are
 * compared with those that the store has; of what differs, the words are found.
 *
 * Most minutes are no moments, so that most runs end with the second step and read no log at all. Where many are, most
 * of the time goes to decoding frames of the log: so several threads may read, each the lines of some of the moments.
 */
#include "cmd/moment_finder.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "serve/json.h"
#include "views/moments.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    TALLIES = 128, /* held at once */
    NONE = 2       /* the layer of a minute that has no row */
};

typedef struct moment_reader { /* of lines: a thread's own */
    hb_log *log;
    hb_words *words;
} moment_reader;

struct hb_moment_finder {
    char *log_address;
    char *store_address;
    hb_store *store;
    moment_reader *readers;
    unsigned jobs;
};

/* A moment that was found, or that the store has and that was not found. */
typedef struct moment_item {
    hb_moment_row row;
    hb_layer layer;
    size_t stored; /* number + 1 of the store's row; 0: it has none */
    hb_moment_tally *tally;
    hb_emote_set *emotes;
} moment_item;

typedef struct stored_moment {
    hb_moment_row row;
    hb_layer layer;
    bool found;
} stored_moment;

typedef struct finding {
    hb_moment_finder *finder;
    const hb_moment_range *range;
    hb_error *error;
    int64_t start_s; /* of the arrays */
    size_t stride;   /* minutes in each */
    int64_t newest_s;
    hb_arena texts;
    hb_map index; /* of channels */
    hb_bytes *channels;
    size_t channel_count;
    size_t channel_capacity;
    hb_pace *paces; /* a stride for each channel */
    size_t pace_capacity;
    unsigned char *layers; /* likewise */
    size_t layer_capacity;
    hb_map stored_index;
    stored_moment *stored;
    size_t stored_count;
    size_t stored_capacity;
    moment_item *items;
    size_t item_count;
    size_t item_capacity;
} finding;

hb_moment_finder *hb_moment_finder_open(const char *log, const char *store, unsigned jobs)
{
    hb_moment_finder *finder = hb_alloc(sizeof *finder);
    finder->log_address = hb_copy_text(hb_bytes_of(log));
    finder->store_address = hb_copy_text(hb_bytes_of(store));
    finder->jobs = hb_log_is_kafka(log) ? 1 : jobs; /* each would read the topic from end to end */
    finder->readers = hb_alloc(finder->jobs * sizeof *finder->readers);
    return finder;
}

static void close_logs(hb_moment_finder *finder)
{
    hb_error unimportant = {0};
    for (unsigned i = 0; i < finder->jobs; i++) {
        if (finder->readers[i].log != NULL)
            hb_log_close(finder->readers[i].log, &unimportant); /* only read: nothing to lose */
        finder->readers[i].log = NULL;
    }
}

static void close_store(hb_moment_finder *finder)
{
    hb_store_close(finder->store);
    finder->store = NULL;
}

void hb_moment_finder_close(hb_moment_finder *finder)
{
    if (finder == NULL)
        return;
    close_logs(finder);
    close_store(finder);
    for (unsigned i = 0; i < finder->jobs; i++)
        hb_words_close(finder->readers[i].words);
    free(finder->readers);
    free(finder->log_address);
    free(finder->store_address);
    free(finder);
}

/* ---- What the store counts ---- */

static size_t find_channel(const finding *find, hb_bytes channel, uint64_t hash)
{
    for (uint32_t at = hb_map_first(&find->index, hash); at != HB_MAP_END; at = hb_map_next(&find->index, hash, at))
        if (hb_bytes_equal(find->channels[hb_map_entry(&find->index, at)], channel))
            return hb_map_entry(&find->index, at);
    return find->channel_count;
}

static size_t make_channel(finding *find, hb_bytes channel, uint64_t hash)
{
    const size_t number = find->channel_count++;
    HB_RESERVE(find->channels, find->channel_capacity, number + 1);
    HB_RESERVE(find->paces, find->pace_capacity, (number + 1) * find->stride);
    HB_RESERVE(find->layers, find->layer_capacity, (number + 1) * find->stride);
    memset(find->paces + number * find->stride, 0, find->stride * sizeof *find->paces);
    memset(find->layers + number * find->stride, NONE, find->stride);
    find->channels[number] = hb_arena_copy(&find->texts, channel);
    hb_map_insert(&find->index, hash, (uint32_t)number);
    return number;
}

static uint32_t bounded(uint64_t count)
{
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static bool take_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    finding *const find = context;
    const size_t minute = (size_t)((row->minute_s - find->start_s) / HB_MINUTE_S);
    const uint64_t hash = hb_hash(row->channel, 0);
    size_t channel = find_channel(find, row->channel, hash);
    if (minute >= find->stride)
        return true;
    if (channel == find->channel_count) {
        if (find->range->wants != NULL && !find->range->wants(find->range->context, row->channel))
            return true;
        channel = make_channel(find, row->channel, hash);
    }
    find->paces[channel * find->stride + minute] =
        (hb_pace){bounded(row->count.messages), bounded(row->count.chatters)};
    find->layers[channel * find->stride + minute] = (unsigned char)layer;
    if (row->minute_s > find->newest_s)
        find->newest_s = row->minute_s;
    return true;
}

static uint64_t hash_of(hb_bytes channel, int64_t minute_s)
{
    return hb_hash(channel, (uint64_t)minute_s);
}

static bool take_stored(void *context, const hb_moment_row *row, hb_layer layer)
{
    finding *const find = context;
    if (find->range->wants != NULL && !find->range->wants(find->range->context, row->channel))
        return true;
    HB_RESERVE(find->stored, find->stored_capacity, find->stored_count + 1);
    stored_moment *const stored = &find->stored[find->stored_count];
    *stored = (stored_moment){*row, layer, false};
    stored->row.channel = hb_arena_copy(&find->texts, row->channel);
    stored->row.words = hb_arena_copy(&find->texts, row->words);
    hb_map_insert(&find->stored_index, hash_of(row->channel, row->minute_s), (uint32_t)find->stored_count++);
    return true;
}

static bool read_store(finding *find)
{
    hb_moment_finder *const finder = find->finder;
    const hb_moment_range *const range = find->range;
    const int64_t end_s = find->start_s + (int64_t)find->stride * HB_MINUTE_S;
    const hb_bytes all = {"", 0};
    if (finder->store == NULL)
        finder->store = hb_store_open(finder->store_address, HB_STORE_READ, find->error);
    if (finder->store == NULL || !hb_store_hold(finder->store, find->error))
        return false;
    const bool good = hb_store_minutes(finder->store, all, find->start_s, end_s, take_minute, find, find->error) &&
                      hb_store_moments(finder->store, all, range->from_s, range->to_s, take_stored, find, find->error);
    hb_store_release(finder->store);
    return good;
}

/* ---- Moments ---- */

/* Number + 1 of what the store has of it; 0: nothing. */
static size_t find_stored(finding *find, hb_bytes channel, int64_t minute_s)
{
    const uint64_t hash = hash_of(channel, minute_s);
    for (uint32_t at = hb_map_first(&find->stored_index, hash); at != HB_MAP_END;
         at = hb_map_next(&find->stored_index, hash, at)) {
        const hb_moment_row *const row = &find->stored[hb_map_entry(&find->stored_index, at)].row;
        if (row->minute_s == minute_s && hb_bytes_equal(row->channel, channel))
            return hb_map_entry(&find->stored_index, at) + 1;
    }
    return 0;
}

static bool is_own(const hb_moment_range *range, int64_t minute_s, unsigned char layer)
{
    return layer == HB_LAYER_BATCH || (minute_s >= range->own_from_s && minute_s < range->own_to_s);
}

static moment_item *add_item(finding *find, const moment_item *item)
{
    HB_RESERVE(find->items, find->item_capacity, find->item_count + 1);
    find->items[find->item_count] = *item;
    return &find->items[find->item_count++];
}

static bool differs(const stored_moment *stored, const moment_item *item)
{
    return stored->row.score != item->row.score || stored->row.usual != item->row.usual ||
           stored->row.messages != item->row.messages || stored->row.chatters != item->row.chatters ||
           stored->layer != item->layer;
}

static void take_moment(finding *find, size_t channel, const hb_moment *moment)
{
    const size_t cell = channel * find->stride + moment->at;
    moment_item item = {.row = {.channel = find->channels[channel],
                                .minute_s = find->start_s + (int64_t)moment->at * HB_MINUTE_S,
                                .score = moment->score,
                                .usual = moment->usual,
                                .messages = find->paces[cell].messages,
                                .chatters = find->paces[cell].chatters},
                        .layer = (hb_layer)find->layers[cell]};
    item.stored = find_stored(find, item.row.channel, item.row.minute_s);
    stored_moment *const stored = item.stored == 0 ? NULL : &find->stored[item.stored - 1];
    if (stored != NULL)
        stored->found = true;
    const bool anew =
        find->range->anew && item.row.minute_s >= find->range->own_from_s && item.row.minute_s < find->range->own_to_s;
    if (is_own(find->range, item.row.minute_s, find->layers[cell]) &&
        (stored == NULL || anew || differs(stored, &item)))
        add_item(find, &item);
}

static void find_moments(finding *find, int64_t end_s)
{
    const size_t first = (size_t)((find->range->from_s - find->start_s) / HB_MINUTE_S);
    const size_t end = end_s <= find->range->from_s ? first : (size_t)((end_s - find->start_s) / HB_MINUTE_S);
    hb_moment *found = hb_alloc((end - first + 1) * sizeof *found);
    for (size_t channel = 0; channel < find->channel_count; channel++) {
        const size_t count = hb_moments_find(find->paces + channel * find->stride, find->stride, first, end, found);
        for (size_t i = 0; i < count; i++)
            take_moment(find, channel, &found[i]);
    }
    free(found);
}

/* What the store has and should not. */
static void find_gone(finding *find, int64_t end_s)
{
    for (size_t i = 0; i < find->stored_count; i++) {
        const hb_moment_row *const row = &find->stored[i].row;
        const size_t channel = find_channel(find, row->channel, hb_hash(row->channel, 0));
        const size_t minute = (size_t)((row->minute_s - find->start_s) / HB_MINUTE_S);
        const unsigned char layer =
            channel == find->channel_count ? NONE : find->layers[channel * find->stride + minute];
        if (find->stored[i].found || row->minute_s >= end_s || !is_own(find->range, row->minute_s, layer))
            continue;
        moment_item *const item =
            add_item(find, &(moment_item){.row = *row, .layer = layer == NONE ? find->range->layer : (hb_layer)layer});
        item->row.gone = true;
    }
}

/* ---- Words ---- */

/* Some of the moments, whose lines one thread reads. */
typedef struct slice {
    const finding *find;
    moment_reader *reader;
    moment_item *const *items;
    const hb_moment_place *places; /* of these items */
    size_t count;
    pthread_t thread;
    bool started;
    bool good;
    hb_error error;
} slice;

static void take_line(void *context, size_t place, const hb_fact *message)
{
    const slice *const some = context;
    const hb_token *tokens = NULL;
    bool bad_utf8 = false;
    const size_t count = hb_words_split_with(some->reader->words, message->text, message->emotes,
                                             some->items[place]->emotes, 0, &tokens, &bad_utf8);
    hb_moment_tally_add(some->items[place]->tally, message->user_id.size > 0 ? message->user_id : message->login,
                        tokens, count);
}

/* One that cannot be read tells nothing: whoever asks for its words is told why. */
static bool take_sheet(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    hb_error unreadable = {0};
    (void)layer;
    (void)words_version;
    hb_moment_tally_usual(context, row->sheet, &unreadable);
    return true;
}

static bool learn_emotes(void *context, const hb_sheet_row *row, hb_layer layer, int words_version)
{
    hb_error unreadable = {0};
    (void)layer;
    (void)words_version;
    hb_moment_learn_emotes(context, row->sheet, &unreadable);
    return true;
}

/* The channel's sheets of the moment's hour and of the one before. */
static bool visit_sheets(finding *find, const moment_item *item, hb_visit_sheet *visit, void *context)
{
    const int64_t hour_s = hb_time_floor(item->row.minute_s, HB_HOUR_S);
    return hb_store_sheets(find->finder->store, item->row.channel, hour_s - HB_HOUR_S, hour_s + HB_HOUR_S, visit,
                           context, find->error);
}

/* As JSON. Without any message in the log, which may have been removed from it, what the store knows stays. */
static bool print_words(finding *find, moment_item *item)
{
    hb_word words[HB_MOMENT_WORDS];
    hb_buffer text = {0};
    if (!visit_sheets(find, item, take_sheet, item->tally))
        return false;
    const size_t count = hb_moment_tally_words(item->tally, words);
    hb_json_open(&text, '[');
    for (size_t i = 0; i < count; i++) {
        hb_json_open(&text, '{');
        hb_json_key(&text, "kind");
        hb_json_text(&text, hb_bytes_of(hb_kind_name(words[i].kind)));
        hb_json_key(&text, "word");
        hb_json_text(&text, words[i].text);
        hb_json_key(&text, "count");
        hb_json_unsigned(&text, words[i].count);
        hb_json_close(&text, '}');
    }
    hb_json_close(&text, ']');
    item->row.words = count == 0 && item->stored > 0 ? find->stored[item->stored - 1].row.words
                                                     : hb_arena_copy(&find->texts, hb_buffer_bytes(&text));
    hb_buffer_free(&text);
    return true;
}

static bool open_reader(const hb_moment_finder *finder, moment_reader *reader, hb_error *error)
{
    if (reader->words == NULL)
        reader->words = hb_words_open(error);
    if (reader->words != NULL && reader->log == NULL)
        reader->log = hb_log_open(finder->log_address, HB_LOG_READ, NULL, error);
    return reader->words != NULL && reader->log != NULL;
}

static void *read_slice(void *context)
{
    slice *const some = context;
    const hb_moment_range *const range = some->find->range;
    const hb_moment_finder *const finder = some->find->finder;
    some->good =
        open_reader(finder, some->reader, &some->error) &&
        hb_moment_lines_read(some->reader->log, hb_log_is_kafka(finder->log_address), some->places, some->count,
                             range->marks, range->mark_count, range->stop, take_line, some, &some->error);
    return NULL;
}

/* How many of the places the next slice takes: its part, and then to the end of a minute, whose lines are read once. */
static size_t cut_slice(const hb_moment_place *places, size_t count, unsigned slices_left)
{
    size_t size = (count + slices_left - 1) / slices_left;
    while (size > 0 && size < count && places[size].minute_s == places[size - 1].minute_s)
        size++;
    return size;
}

static bool read_lines(finding *find, moment_item *const *items, const hb_moment_place *places, size_t count)
{
    hb_moment_finder *const finder = find->finder;
    unsigned jobs = finder->jobs;
    if (!open_reader(finder, &finder->readers[0], find->error))
        return false;
    if (jobs > 1 && !hb_moment_lines_have_index(finder->readers[0].log, places, count))
        jobs = 1; /* each would read all of an hour */
    slice *const slices = hb_alloc(jobs * sizeof *slices);
    for (unsigned i = 0; i < jobs; i++) {
        const size_t size = cut_slice(places, count, jobs - i);
        slices[i] = (slice){
            .find = find, .reader = &finder->readers[i], .items = items, .places = places, .count = size, .good = true};
        items += size;
        places += size;
        count -= size;
        slices[i].started = i > 0 && size > 0 && pthread_create(&slices[i].thread, NULL, read_slice, &slices[i]) == 0;
    }
    bool good = true;
    for (unsigned i = 0; i < jobs; i++) {
        if (slices[i].started)
            pthread_join(slices[i].thread, NULL);
        else if (slices[i].count > 0)
            read_slice(&slices[i]);
        if (good && !slices[i].good)
            *find->error = slices[i].error;
        good = good && slices[i].good;
    }
    free(slices);
    return good;
}

static bool read_words(finding *find, moment_item *const *items, size_t count)
{
    hb_moment_place places[TALLIES];
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        items[i]->tally = hb_moment_tally_open();
        items[i]->emotes = hb_emote_set_open();
        places[i] = (hb_moment_place){items[i]->row.channel, items[i]->row.minute_s};
        good = good && visit_sheets(find, items[i], learn_emotes, items[i]->emotes);
    }
    good = good && read_lines(find, items, places, count);
    for (size_t i = 0; i < count; i++) {
        good = good && print_words(find, items[i]);
        hb_moment_tally_close(items[i]->tally);
        hb_emote_set_close(items[i]->emotes);
        items[i]->tally = NULL;
        items[i]->emotes = NULL;
    }
    return good;
}

static int compare_items(const void *left, const void *right)
{
    const moment_item *const a = left;
    const moment_item *const b = right;
    if (a->row.minute_s != b->row.minute_s)
        return a->row.minute_s < b->row.minute_s ? -1 : 1;
    return hb_bytes_compare(a->row.channel, b->row.channel);
}

static bool find_words(finding *find)
{
    moment_item *chosen[TALLIES];
    bool good = true;
    if (find->item_count > 0)
        qsort(find->items, find->item_count, sizeof *find->items, compare_items);
    for (size_t at = 0; good && at < find->item_count;) {
        size_t count = 0;
        for (; count < TALLIES && at < find->item_count; at++)
            if (!find->items[at].row.gone)
                chosen[count++] = &find->items[at];
        good = count == 0 || read_words(find, chosen, count);
    }
    return good;
}

/* ---- Changes ---- */

static bool is_news(const finding *find, const moment_item *item)
{
    const stored_moment *const stored = item->stored == 0 ? NULL : &find->stored[item->stored - 1];
    return stored == NULL || item->row.gone || differs(stored, item) ||
           !hb_bytes_equal(stored->row.words, item->row.words);
}

static bool hand_over(finding *find, hb_moment_apply *apply, void *context)
{
    hb_moment_row *rows = hb_alloc((find->item_count + 1) * sizeof *rows);
    bool good = true;
    for (hb_layer layer = HB_LAYER_SPEED; good && layer <= HB_LAYER_BATCH; layer++) {
        hb_changes changes = {.layer = layer, .moments = rows};
        for (size_t i = 0; i < find->item_count; i++)
            if (find->items[i].layer == layer && is_news(find, &find->items[i]))
                rows[changes.moment_count++] = find->items[i].row;
        good = changes.moment_count == 0 || apply(context, &changes, find->error);
    }
    free(rows);
    return good;
}

static void free_finding(finding *find)
{
    hb_map_free(&find->index);
    hb_map_free(&find->stored_index);
    free(find->channels);
    free(find->paces);
    free(find->layers);
    free(find->stored);
    free(find->items);
    hb_arena_free(&find->texts);
}

bool hb_moment_finder_run(hb_moment_finder *finder, const hb_moment_range *range, hb_moment_apply *apply, void *context,
                          hb_error *error)
{
    finding find = {.finder = finder, .range = range, .error = error, .newest_s = INT64_MIN};
    int64_t end_s = range->to_s;
    if (range->from_s >= range->to_s)
        return true;
    find.start_s = range->from_s - HB_MOMENT_BEFORE * HB_MINUTE_S;
    find.stride = (size_t)((range->to_s - find.start_s) / HB_MINUTE_S) + HB_MOMENT_NEAR;
    bool good = read_store(&find);
    if (good) {
        if (range->goes_on && find.newest_s - HB_MOMENT_NEAR * HB_MINUTE_S < end_s)
            end_s = find.newest_s - HB_MOMENT_NEAR * HB_MINUTE_S;
        find_moments(&find, end_s);
        find_gone(&find, end_s);
        good = find_words(&find) && hand_over(&find, apply, context);
    }
    free_finding(&find);
    if (!good) { /* what failed may be opened anew by the next run */
        close_logs(finder);
        close_store(finder);
    }
    return good;
}

static int compare_hours(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

bool hb_moment_finder_settle(hb_moment_finder *finder, int64_t *hours_s, size_t count, hb_moment_apply *apply,
                             void *context, hb_error *error)
{
    bool good = true;
    if (count > 0)
        qsort(hours_s, count, sizeof *hours_s, compare_hours);
    for (size_t i = 0; good && i < count; i++) {
        const int64_t end_s = hours_s[i] + HB_HOUR_S;
        const bool begins = i == 0 || hours_s[i - 1] + HB_HOUR_S != hours_s[i];
        const bool ends = i + 1 == count || hours_s[i + 1] != end_s;
        const hb_moment_range range = {.from_s = hours_s[i] - (begins ? HB_MOMENT_NEAR * HB_MINUTE_S : 0),
                                       .to_s = end_s + (ends ? HB_MOMENT_REACH_S + HB_MOMENT_NEAR * HB_MINUTE_S : 0),
                                       .own_from_s = hours_s[i],
                                       .own_to_s = end_s,
                                       .anew = true,
                                       .layer = HB_LAYER_BATCH};
        good = hb_moment_finder_run(finder, &range, apply, context, error);
    }
    return good;
}
