/* ranking_code.c - a ranking as bytes: sealed as code.h describes, letters "HBR".
 *
 *     0 words, 1 users
 *     words: for each kind the number of words; then columns over all words: size, count; then the words' bytes
 *     users: number of users; columns: size of the id, messages, words, size of the name, hour of the name (since
 *     the earliest hour, which stands before); the ids' bytes, the names' bytes
 *
 * The entries are in the order in which a table of up to a million places holds them, then of their bytes: equal
 * rankings give equal bytes, and who adds one to a table walks through memory from one end to the other, instead of
 * waiting for it at each entry. Order has no meaning for what is read. That they share no beginnings with their
 * neighbours costs bytes; it is well spent. */
#include "views/code.h"
#include "views/ranking_table.h"
#include "views/sort.h"

#include <stdlib.h>

static const hb_code_format format = {{'H', 'B', 'R'}, 1, 1, "ranking", 3, 640 << 20};

static hb_bytes text_of(const hb_ranking *ranking, const hb_sort_pair *item)
{
    const hb_ranking_entry *const entry = &ranking->entries[item->entry];
    return (hb_bytes){entry->text, entry->size};
}

static int compare_texts(const void *left, const void *right, void *ranking)
{
    return hb_bytes_compare(text_of(ranking, left), text_of(ranking, right));
}

/* The entries by kind, place and text, in one half of pairs, which has room for each twice. */
static const hb_sort_pair *sort_entries(const hb_ranking *ranking, hb_sort_pair *pairs)
{
    const size_t count = ranking->count;
    for (size_t i = 0; i < count; i++) {
        const hb_ranking_entry *const entry = &ranking->entries[i];
        const hb_bytes text = {entry->text, entry->size};
        pairs[i] =
            (hb_sort_pair){(uint64_t)entry->kind << 32 | hb_ranking_place((hb_kind)entry->kind, text), (uint32_t)i};
    }
    hb_sort_pair *const sorted = hb_sort(pairs, pairs + count, count);
    hb_sort_ties(sorted, count, compare_texts, (void *)ranking);
    return sorted;
}

static void put_words(hb_buffer *out, const hb_ranking *ranking, const hb_sort_pair *items)
{
    size_t counts[HB_KINDS] = {0};
    for (size_t i = 0; i < ranking->count; i++)
        counts[ranking->entries[i].kind]++;
    for (unsigned kind = 0; kind < HB_KINDS; kind++)
        hb_code_put(out, counts[kind]);
    for (size_t i = 0; i < ranking->count; i++)
        hb_code_put(out, ranking->entries[items[i].entry].size);
    for (size_t i = 0; i < ranking->count; i++)
        hb_code_put(out, ranking->entries[items[i].entry].first);
    for (size_t i = 0; i < ranking->count; i++)
        hb_buffer_append(out, text_of(ranking, &items[i]));
}

static void put_users(hb_buffer *out, const hb_ranking *ranking, const hb_sort_pair *items)
{
    const hb_ranking_person *const people = ranking->people;
    uint32_t earliest = UINT32_MAX;
    for (size_t i = 0; i < ranking->count; i++)
        if (people[i].name_size > 0 && people[i].name_hour < earliest)
            earliest = people[i].name_hour;
    hb_code_put(out, ranking->count);
    hb_code_put(out, earliest);
    for (size_t i = 0; i < ranking->count; i++)
        hb_code_put(out, ranking->entries[items[i].entry].size);
    for (size_t i = 0; i < ranking->count; i++)
        hb_code_put(out, ranking->entries[items[i].entry].first);
    for (size_t i = 0; i < ranking->count; i++)
        hb_code_put(out, people[items[i].entry].second);
    for (size_t i = 0; i < ranking->count; i++)
        hb_code_put(out, people[items[i].entry].name_size);
    for (size_t i = 0; i < ranking->count; i++)
        hb_code_put(out, people[items[i].entry].name_size == 0 ? 0 : people[items[i].entry].name_hour - earliest);
    for (size_t i = 0; i < ranking->count; i++)
        hb_buffer_append(out, text_of(ranking, &items[i]));
    for (size_t i = 0; i < ranking->count; i++)
        hb_buffer_append(out, (hb_bytes){people[items[i].entry].name, people[items[i].entry].name_size});
}

void hb_ranking_encode(const hb_ranking *ranking, char **data, size_t *size)
{
    hb_buffer raw = {0};
    hb_sort_pair *const pairs = hb_resize(NULL, ranking->count * 2, sizeof *pairs);
    const hb_sort_pair *const items = sort_entries(ranking, pairs);
    hb_code_put(&raw, ranking->kind);
    if (ranking->kind == HB_RANKING_WORDS)
        put_words(&raw, ranking, items);
    else
        put_users(&raw, ranking, items);
    free(pairs);
    hb_code_seal(&format, hb_buffer_bytes(&raw), data, size);
    hb_buffer_free(&raw);
}

/* ---- Reading ---- */

/* A reader for the column here; *in goes on behind it. */
static hb_code_reader enter_column(hb_code_reader *in, size_t count)
{
    const hb_code_reader column = *in;
    for (size_t i = 0; i < count; i++)
        hb_code_take(in);
    return column;
}

/* The same for a column of bytes, whose sizes stand in another. */
static hb_code_reader enter_bytes(hb_code_reader *in, hb_code_reader sizes, size_t count)
{
    const hb_code_reader column = *in;
    for (size_t i = 0; i < count && !in->bad; i++)
        hb_code_take_bytes(in, hb_code_take(&sizes));
    return column;
}

/* False: at the limit, and *ranking->error says so. */
static bool add_words(hb_ranking *ranking, hb_code_reader *in)
{
    size_t ends[HB_KINDS];
    size_t count = 0;
    for (unsigned kind = 0; kind < HB_KINDS; kind++)
        ends[kind] = count += hb_code_take_up_to(in, HB_RANKING_ENTRIES_MAX);
    hb_code_reader sizes = enter_column(in, in->bad ? 0 : count);
    hb_code_reader counts = enter_column(in, in->bad ? 0 : count);
    unsigned kind = 0;
    for (size_t i = 0; i < count && !in->bad; i++) {
        while (i == ends[kind])
            kind++;
        const hb_bytes text = hb_code_take_bytes(in, hb_code_take(&sizes));
        if (!in->bad && !hb_ranking_count_word(ranking, (hb_kind)kind, text, hb_code_take(&counts)))
            return false;
    }
    return true;
}

static bool add_users(hb_ranking *ranking, hb_code_reader *in)
{
    const size_t count = hb_code_take_up_to(in, HB_RANKING_ENTRIES_MAX);
    const uint64_t earliest = hb_code_take_up_to(in, UINT32_MAX);
    hb_code_reader sizes = enter_column(in, in->bad ? 0 : count);
    hb_code_reader messages = enter_column(in, in->bad ? 0 : count);
    hb_code_reader words = enter_column(in, in->bad ? 0 : count);
    hb_code_reader name_sizes = enter_column(in, in->bad ? 0 : count);
    hb_code_reader hours = enter_column(in, in->bad ? 0 : count);
    hb_code_reader ids = enter_bytes(in, sizes, in->bad ? 0 : count);
    for (size_t i = 0; i < count && !in->bad; i++) {
        const hb_bytes id = hb_code_take_bytes(&ids, hb_code_take(&sizes));
        const hb_bytes name = hb_code_take_bytes(in, hb_code_take(&name_sizes));
        const uint64_t hour = hb_code_take_up_to(&hours, UINT32_MAX - earliest);
        in->bad = in->bad || hours.bad;
        if (!in->bad && !hb_ranking_count_user(ranking, id, hb_code_take(&messages), hb_code_take(&words), name,
                                               (uint32_t)(earliest + hour)))
            return false;
    }
    return true;
}

bool hb_ranking_add_encoded(hb_ranking *ranking, hb_bytes data, hb_error *error)
{
    char *raw = NULL;
    size_t size = 0;
    if (!hb_code_unseal(&format, data, &raw, &size, error))
        return false;
    hb_code_reader in = {raw, size, 0, false};
    ranking->error = error;
    if (hb_code_take(&in) != (uint64_t)ranking->kind)
        in.bad = true;
    const bool fits = ranking->kind == HB_RANKING_WORDS ? add_words(ranking, &in) : add_users(ranking, &in);
    free(raw);
    if (!fits)
        return false;
    return (!in.bad && in.at == in.size) || hb_code_refuse(&format, error, HB_CODE_SENSELESS);
}

static void scan_users(hb_code_reader *in, hb_visit_ranked_user *visit, void *context)
{
    enum { OTHER_COLUMNS = 4 };
    const size_t count = hb_code_take_up_to(in, HB_RANKING_ENTRIES_MAX);
    hb_code_take(in); /* the earliest hour */
    hb_code_reader sizes = enter_column(in, in->bad ? 0 : count);
    for (size_t i = 0; i < OTHER_COLUMNS; i++)
        enter_column(in, in->bad ? 0 : count);
    for (size_t i = 0; i < count && !in->bad; i++) {
        const hb_bytes id = hb_code_take_bytes(in, hb_code_take(&sizes));
        if (!in->bad)
            visit(context, id);
    }
}

bool hb_ranking_scan_users(hb_bytes data, hb_visit_ranked_user *visit, void *context, hb_error *error)
{
    char *raw = NULL;
    size_t size = 0;
    if (!hb_code_unseal(&format, data, &raw, &size, error))
        return false;
    hb_code_reader in = {raw, size, 0, false};
    if (hb_code_take(&in) != HB_RANKING_USERS)
        in.bad = true;
    scan_users(&in, visit, context);
    free(raw);
    return !in.bad || hb_code_refuse(&format, error, HB_CODE_SENSELESS);
}
