/* text_store.h - a store made of texts, for tests of what the speed layer writes; and what it should hold of a sheet.
 */
#ifndef HB_TESTS_TEXT_STORE_H
#define HB_TESTS_TEXT_STORE_H

#include "sheet_text.h"
#include "unit.h"

#include "base/map.h"
#include "base/memory.h"
#include "views/changes.h"

typedef struct stored {
    char channel[16];
    int64_t hour_s;
    uint64_t hash;
    uint64_t stamp;
    char *key;
    char *value;       /* NULL: removed, of a store with stamps */
    uint64_t messages; /* of a row of minutes */
} stored;

/* With stamps it is one without transactions, to which changes come in any order: see src/store/cassandra.cql. */
typedef struct fake_store {
    bool stamped;
    uint64_t stamp; /* of what is put now */
    stored *rows;
    size_t count;
    size_t capacity;
    hb_progress *progress;
    size_t progress_count;
    size_t progress_capacity;
} fake_store;

static inline stored *find_any(const fake_store *store, const char *key)
{
    const uint64_t hash = hb_hash(hb_bytes_of(key), 0);
    for (size_t i = 0; i < store->count; i++)
        if (store->rows[i].hash == hash && strcmp(store->rows[i].key, key) == 0)
            return &store->rows[i];
    return NULL;
}

static inline const stored *find_row(const fake_store *store, const char *key)
{
    const stored *const row = find_any(store, key);
    return row == NULL || row->value == NULL ? NULL : row;
}

static inline size_t row_count(const fake_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < store->count; i++)
        count += store->rows[i].value != NULL;
    return count;
}

static inline void drop_row(fake_store *store, size_t number)
{
    free(store->rows[number].key);
    free(store->rows[number].value);
    store->rows[number] = store->rows[--store->count];
}

static inline char *__attribute__((format(printf, 1, 2))) print_text(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    assert_true(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    return text;
}

/* Whether the row gives way to a value of this stamp. What two have written of one position must be the same. */
static inline bool gives_way(const stored *row, uint64_t stamp, const char *value)
{
    if (stamp != row->stamp || row->value == NULL || value == NULL)
        return stamp > row->stamp || (stamp == row->stamp && value == NULL);
    if (strncmp(row->key, "open", 4) == 0)
        return strcmp(value, "closed") == 0;
    if (strcmp(row->value, value) != 0)
        fail_msg("%s: '%s' and '%s' at %llu", row->key, row->value, value, (unsigned long long)stamp);
    return false;
}

/* Whether rows of this channel, hour and stamp have been replaced already. */
static inline bool is_replaced(const fake_store *store, hb_bytes channel, int64_t hour_s, char **key)
{
    *key = print_text("replaced %.*s %lld", HB_PRINT(channel), (long long)hour_s);
    const stored *const row = find_any(store, *key);
    return row != NULL && row->stamp >= store->stamp;
}

/* key is taken over, and so is value: NULL removes. Not NULL where the value was put. */
static inline stored *put_row(fake_store *store, hb_bytes channel, int64_t hour_s, char *key, char *value)
{
    stored *row = find_any(store, key);
    char *replaced = NULL;
    const bool stale = store->stamped && (is_replaced(store, channel, hour_s, &replaced) ||
                                          (row != NULL && !gives_way(row, store->stamp, value)));
    free(replaced);
    if (stale) {
        free(key);
        free(value);
        return NULL;
    }
    if (row == NULL) {
        HB_RESERVE(store->rows, store->capacity, store->count + 1);
        row = &store->rows[store->count++];
        *row = (stored){.hour_s = hour_s, .hash = hb_hash(hb_bytes_of(key), 0), .key = key};
        snprintf(row->channel, sizeof row->channel, "%.*s", HB_PRINT(channel));
    } else {
        free(key);
        free(row->value);
    }
    row->value = value;
    row->stamp = store->stamp;
    return row;
}

static inline char *minute_value(const hb_minute *count)
{
    return print_text("%llu %llu %llu %llu %llu %llu %llu %llu %.*s %.*s", (unsigned long long)count->messages,
                      (unsigned long long)count->words, (unsigned long long)count->chatters,
                      (unsigned long long)count->shared, (unsigned long long)count->new_chatters,
                      (unsigned long long)count->subscriber_messages, (unsigned long long)count->viewers_sum,
                      (unsigned long long)count->samples, HB_PRINT(count->game), HB_PRINT(count->title));
}

static inline char *minute_key(hb_bytes channel, int64_t minute_s)
{
    return print_text("minute %.*s %lld", HB_PRINT(channel), (long long)minute_s);
}

static inline void put_minute(fake_store *store, const hb_minute_row *row)
{
    char *key = minute_key(row->channel, row->minute_s);
    const stored *const old = find_row(store, key);
    /* What people see never goes back. */
    assert_true(old == NULL || store->stamped || old->messages <= row->count.messages);
    stored *const put = put_row(store, row->channel, row->minute_s / 3600 * 3600, key, minute_value(&row->count));
    if (put != NULL)
        put->messages = row->count.messages;
}

static inline void put_or_remove(fake_store *store, hb_bytes channel, int64_t hour_s, char *key, char *value, bool gone)
{
    if (!gone) {
        put_row(store, channel, hour_s, key, value);
        return;
    }
    free(value);
    if (store->stamped) {
        put_row(store, channel, hour_s, key, NULL);
        return;
    }
    assert_non_null(find_row(store, key));
    drop_row(store, (size_t)(find_row(store, key) - store->rows));
    free(key);
}

static inline char *word_key(hb_bytes channel, int64_t hour_s, const hb_word *word)
{
    return print_text("word %.*s %lld %d %.*s", HB_PRINT(channel), (long long)hour_s, (int)word->kind,
                      HB_PRINT(word->text));
}

static inline char *user_key(hb_bytes channel, int64_t hour_s, const hb_user *user)
{
    return print_text("user %.*s %lld %.*s", HB_PRINT(channel), (long long)hour_s, HB_PRINT(user->id));
}

static inline char *user_value(const hb_user *user)
{
    return print_text("%.*s %llu %llu", HB_PRINT(user->name), (unsigned long long)user->messages,
                      (unsigned long long)user->words);
}

static inline void put_sheet(fake_store *store, const hb_sheet_row *row)
{
    hb_error error = {0};
    hb_sheet *sheet = hb_sheet_decode(row->sheet, &error);
    if (sheet == NULL)
        fail_msg("%s", error.text);
    put_row(store, row->channel, row->hour_s,
            print_text("sheet %.*s %lld", HB_PRINT(row->channel), (long long)row->hour_s), sheet_text(sheet));
    put_row(store, row->channel, row->hour_s,
            print_text("open %.*s %lld", HB_PRINT(row->channel), (long long)row->hour_s),
            print_text("%s", row->open ? "open" : "closed"));
    hb_sheet_close(sheet);
}

static inline hb_progress *progress_of(const fake_store *store, int64_t part)
{
    for (size_t i = 0; i < store->progress_count; i++)
        if (store->progress[i].part == part)
            return &store->progress[i];
    return NULL;
}

static inline void put_progress(fake_store *store, const hb_progress *progress)
{
    hb_progress *old = progress_of(store, progress->part);
    if (old == NULL) {
        HB_RESERVE(store->progress, store->progress_capacity, store->progress_count + 1);
        old = &store->progress[store->progress_count++];
        *old = *progress;
        return;
    }
    if (store->stamped && progress->position < old->position)
        return;
    const bool done = progress->done || (store->stamped && progress->position == old->position && old->done);
    *old = *progress;
    old->done = done;
}

static inline bool has_sheet_in(const hb_changes *changes, const char *channel)
{
    for (size_t i = 0; i < changes->sheet_count; i++)
        if (hb_bytes_equal(changes->sheets[i].channel, hb_bytes_of(channel)))
            return true;
    return false;
}

/* Removes what the changes replace. Gives, of a store without stamps, the rows that were there. */
static inline fake_store replace_rows(fake_store *store, const hb_changes *changes)
{
    fake_store taken = {0};
    for (size_t i = 0; i < changes->sheet_count && store->stamped && changes->replace != HB_REPLACE_NOTHING; i++) {
        char *key = NULL;
        store->stamp--;
        if (is_replaced(store, changes->sheets[i].channel, changes->hour_s, &key))
            free(key);
        else
            put_row(store, changes->sheets[i].channel, changes->hour_s, key, NULL);
        store->stamp++;
    }
    for (size_t i = store->count; i-- > 0;) {
        stored *const row = &store->rows[i];
        if (changes->replace == HB_REPLACE_NOTHING || row->hour_s != changes->hour_s ||
            (changes->replace == HB_REPLACE_CHANNELS && !has_sheet_in(changes, row->channel)))
            continue;
        if (!store->stamped) {
            HB_RESERVE(taken.rows, taken.capacity, taken.count + 1);
            taken.rows[taken.count++] = *row;
            *row = store->rows[--store->count];
        } else if (row->stamp < store->stamp) {
            free(row->value);
            row->value = NULL;
            row->stamp = store->stamp - 1;
        }
    }
    return taken;
}

static inline void free_store(fake_store *store)
{
    while (store->count > 0)
        drop_row(store, store->count - 1);
    free(store->rows);
    free(store->progress);
    *store = (fake_store){0};
}

/* Rows must come with their hour's progress, whose position is their stamp. */
static inline void set_stamp(fake_store *store, const hb_changes *changes, int64_t hour_s)
{
    const hb_progress *found = NULL;
    for (size_t i = 0; i < changes->progress_count; i++)
        if (changes->progress[i].part / 3600 * 3600 == hour_s) {
            assert_null(found);
            found = &changes->progress[i];
        }
    assert_non_null(found);
    store->stamp = 2 * found->position + 1;
}

static inline void apply(fake_store *store, const hb_changes *changes)
{
    assert_int_equal(changes->layer, HB_LAYER_SPEED);
    if (changes->replace != HB_REPLACE_NOTHING)
        set_stamp(store, changes, changes->hour_s);
    fake_store before = replace_rows(store, changes);
    for (size_t i = 0; i < changes->minute_count; i++) {
        set_stamp(store, changes, changes->minutes[i].minute_s / 3600 * 3600);
        put_minute(store, &changes->minutes[i]);
    }
    for (size_t i = 0; i < changes->word_count; i++) {
        const hb_word_row *const row = &changes->words[i];
        set_stamp(store, changes, row->hour_s);
        put_or_remove(store, row->channel, row->hour_s, word_key(row->channel, row->hour_s, &row->word),
                      print_text("%llu", (unsigned long long)row->word.count), row->gone);
    }
    for (size_t i = 0; i < changes->user_count; i++) {
        const hb_user_row *const row = &changes->users[i];
        set_stamp(store, changes, row->hour_s);
        put_or_remove(store, row->channel, row->hour_s, user_key(row->channel, row->hour_s, &row->user),
                      user_value(&row->user), row->gone);
    }
    for (size_t i = 0; i < changes->sheet_count; i++) {
        set_stamp(store, changes, changes->sheets[i].hour_s);
        put_sheet(store, &changes->sheets[i]);
    }
    for (size_t i = 0; i < changes->progress_count; i++)
        put_progress(store, &changes->progress[i]);
    for (size_t i = 0; i < before.count; i++)
        if (strncmp(before.rows[i].key, "minute", 6) == 0) {
            const stored *const now = find_row(store, before.rows[i].key);
            assert_non_null(now);
            assert_true(now->messages >= before.rows[i].messages);
        }
    free_store(&before);
}

/* ---- What it should hold ---- */

static inline int compare_words(const void *left, const void *right)
{
    const hb_word *const a = left;
    const hb_word *const b = right;
    if (a->kind != b->kind)
        return (int)a->kind - (int)b->kind;
    return a->count != b->count ? (a->count > b->count ? -1 : 1) : hb_bytes_compare(a->text, b->text);
}

static inline int compare_users(const void *left, const void *right)
{
    const hb_user *const a = left;
    const hb_user *const b = right;
    return a->messages != b->messages ? (a->messages > b->messages ? -1 : 1) : hb_bytes_compare(a->id, b->id);
}

/* Checks that the store's rows of a sheet are the first `top` of all, sorted; returns how many rows there should be. */
static inline size_t check_tops(const fake_store *store, const hb_sheet *sheet, uint32_t top)
{
    hb_word words[1000];
    hb_user users[1000];
    size_t word_count = 0, user_count = 0, cursor = 0, rows = 0;
    while (hb_sheet_next_word(sheet, &cursor, &words[word_count]))
        assert_true(++word_count < 1000);
    for (cursor = 0; hb_sheet_next_user(sheet, &cursor, &users[user_count]);)
        assert_true(++user_count < 1000);
    qsort(words, word_count, sizeof *words, compare_words);
    qsort(users, user_count, sizeof *users, compare_users);
    for (size_t i = 0, rank = 0; i < word_count; i++) {
        rank = i > 0 && words[i].kind == words[i - 1].kind ? rank + 1 : 0;
        if (rank >= top)
            continue;
        char *key = word_key(hb_sheet_channel(sheet), hb_sheet_hour(sheet), &words[i]);
        const stored *const row = find_row(store, key);
        if (row == NULL)
            fail_msg("%s is missing", key);
        assert_int_equal(strtoull(row->value, NULL, 10), words[i].count);
        free(key);
        rows++;
    }
    for (size_t i = 0; i < user_count && i < top; i++, rows++) {
        char *key = user_key(hb_sheet_channel(sheet), hb_sheet_hour(sheet), &users[i]);
        char *value = user_value(&users[i]);
        const stored *const row = find_row(store, key);
        assert_non_null(row);
        assert_string_equal(row->value, value);
        free(key);
        free(value);
    }
    return rows;
}

static inline size_t check_minutes(const fake_store *store, const hb_sheet *sheet)
{
    size_t rows = 0;
    for (unsigned m = 0; m < 60; m++) {
        const hb_minute minute = hb_sheet_minute(sheet, m);
        if (minute.messages + minute.shared + minute.samples == 0)
            continue;
        char *key = minute_key(hb_sheet_channel(sheet), hb_sheet_hour(sheet) + m * 60);
        char *value = minute_value(&minute);
        const stored *const row = find_row(store, key);
        assert_non_null(row);
        assert_string_equal(row->value, value);
        free(key);
        free(value);
        rows++;
    }
    return rows;
}

/* Checks all that there should be of a sheet; returns how many rows that is. */
static inline size_t check_sheet_rows(const fake_store *store, const hb_sheet *sheet, uint32_t top)
{
    char *key = print_text("sheet %.*s %lld", HB_PRINT(hb_sheet_channel(sheet)), (long long)hb_sheet_hour(sheet));
    char *expected = sheet_text(sheet);
    const stored *const row = find_row(store, key);
    if (row == NULL)
        fail_msg("%s is missing", key);
    assert_string_equal(row->value, expected);
    free(key);
    free(expected);
    return 2 + check_minutes(store, sheet) + check_tops(store, sheet, top); /* 2: the sheet, and whether it is open */
}

#endif
