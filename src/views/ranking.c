/* ranking.c - adding up words or users in one table.
 *
 * A question over a month meets a million entries, nearly all of which are known already; what bounds it is the time
 * that memory takes to answer. So entries are small, users' names stand beside them, and encoded rankings come in the
 * order of the table (see ranking_code.c). */
#include "views/ranking_table.h"

#include "base/clock.h"
#include "base/error.h"
#include "views/sheet.h"

#include <stdlib.h>

enum { PLACE_BITS = 20 };

const char *hb_ranking_kind_name(hb_ranking_kind kind)
{
    return kind == HB_RANKING_WORDS ? "words" : "users";
}

hb_ranking *hb_ranking_open(hb_ranking_kind kind, hb_kind only)
{
    hb_ranking *ranking = hb_alloc(sizeof *ranking);
    ranking->kind = kind;
    ranking->only = only;
    return ranking;
}

void hb_ranking_close(hb_ranking *ranking)
{
    if (ranking == NULL)
        return;
    free(ranking->entries);
    free(ranking->people);
    hb_map_free(&ranking->map);
    hb_arena_free(&ranking->texts);
    free(ranking);
}

void hb_ranking_clear(hb_ranking *ranking)
{
    if (ranking->count > 0) /* a large channel's map is large for every one after it */
        hb_map_clear(&ranking->map);
    hb_arena_reset(&ranking->texts);
    ranking->count = 0;
    ranking->text_size = 0;
    ranking->full = false;
}

size_t hb_ranking_count(const hb_ranking *ranking)
{
    return ranking->count;
}

hb_ranked hb_ranking_at(const hb_ranking *ranking, size_t index)
{
    const hb_ranking_entry *const entry = &ranking->entries[index];
    hb_ranked ranked = {
        .key = {entry->text, entry->size}, .kind = (hb_kind)entry->kind, .name = {"", 0}, .first = entry->first};
    if (ranking->kind == HB_RANKING_USERS) {
        ranked.name = (hb_bytes){ranking->people[index].name, ranking->people[index].name_size};
        ranked.second = ranking->people[index].second;
    }
    return ranked;
}

/* ---- Adding ---- */

static bool fail_at_limit(hb_ranking *ranking)
{
    ranking->full = true;
    return hb_fail(ranking->error, HB_ERROR_LIMIT,
                   "more than %d different %s, or %d MiB of them, in this range; ask for a shorter one",
                   HB_RANKING_ENTRIES_MAX, hb_ranking_kind_name(ranking->kind), HB_RANKING_TEXT_MAX >> 20);
}

/* Keeps a text as long as the ranking; NULL at the limit. */
static const char *keep(hb_ranking *ranking, hb_bytes text)
{
    if (text.size == 0)
        return "";
    ranking->text_size += text.size;
    if (ranking->text_size <= HB_RANKING_TEXT_MAX)
        return hb_arena_copy(&ranking->texts, text).data;
    ranking->text_size -= text.size;
    fail_at_limit(ranking);
    return NULL;
}

static uint64_t hash_of(hb_kind kind, hb_bytes text)
{
    return hb_hash(text, (uint64_t)kind);
}

uint32_t hb_ranking_place(hb_kind kind, hb_bytes text)
{
    return (uint32_t)hash_of(kind, text) & ((1u << PLACE_BITS) - 1);
}

/* Finds or makes an entry: its index; SIZE_MAX at the limit. */
static size_t find(hb_ranking *ranking, hb_kind kind, hb_bytes text)
{
    const uint64_t hash = hash_of(kind, text);
    for (uint32_t at = hb_map_first(&ranking->map, hash); at != HB_MAP_END; at = hb_map_next(&ranking->map, hash, at)) {
        const uint32_t index = hb_map_entry(&ranking->map, at);
        const hb_ranking_entry *const entry = &ranking->entries[index];
        if (entry->size == text.size && entry->kind == (uint32_t)kind && memcmp(entry->text, text.data, text.size) == 0)
            return index;
    }
    if (ranking->count == HB_RANKING_ENTRIES_MAX || text.size > UINT32_MAX) {
        fail_at_limit(ranking);
        return SIZE_MAX;
    }
    const char *kept = keep(ranking, text);
    if (kept == NULL)
        return SIZE_MAX;
    const size_t index = ranking->count++;
    HB_RESERVE(ranking->entries, ranking->capacity, ranking->count);
    ranking->entries[index] = (hb_ranking_entry){kept, (uint32_t)text.size, (uint32_t)kind, 0};
    if (ranking->kind == HB_RANKING_USERS) {
        HB_RESERVE(ranking->people, ranking->people_capacity, ranking->count);
        ranking->people[index] = (hb_ranking_person){.name = ""};
    }
    hb_map_insert(&ranking->map, hash, (uint32_t)index);
    return index;
}

static bool set_name(hb_ranking *ranking, hb_ranking_person *person, hb_bytes name, uint32_t hour)
{
    const hb_bytes old = {person->name, person->name_size};
    if (name.size == 0 || (old.size > 0 && hour < person->name_hour))
        return true;
    const int order = hb_bytes_compare(name, old);
    if (order != 0 && (old.size == 0 || hour > person->name_hour || order > 0)) {
        const char *kept = name.size > UINT32_MAX ? NULL : keep(ranking, name);
        if (kept == NULL)
            return false;
        person->name = kept;
        person->name_size = (uint32_t)name.size;
    }
    person->name_hour = hour;
    return true;
}

bool hb_ranking_count_word(hb_ranking *ranking, hb_kind kind, hb_bytes text, uint64_t count)
{
    if (ranking->only != HB_KINDS && ranking->only != kind)
        return true;
    const size_t index = find(ranking, kind, text);
    if (index == SIZE_MAX)
        return false;
    ranking->entries[index].first += count;
    return true;
}

bool hb_ranking_count_user(hb_ranking *ranking, hb_bytes id, uint64_t messages, uint64_t words, hb_bytes name,
                           uint32_t name_hour)
{
    const size_t index = find(ranking, (hb_kind)0, id);
    if (index == SIZE_MAX)
        return false;
    ranking->entries[index].first += messages;
    ranking->people[index].second += words;
    return set_name(ranking, &ranking->people[index], name, name_hour);
}

static bool take_word(void *context, hb_kind kind, hb_bytes text, uint32_t count)
{
    hb_ranking *const ranking = context;
    return hb_ranking_count_word(ranking, kind, text, count);
}

static bool take_user(void *context, hb_bytes id, hb_bytes name, uint32_t messages, uint32_t words, uint64_t minutes)
{
    hb_ranking *const ranking = context;
    (void)minutes;
    return hb_ranking_count_user(ranking, id, messages, words, name, ranking->hour);
}

static uint32_t hour_of(int64_t hour_s)
{
    return (uint32_t)(hour_s / HB_HOUR_S);
}

bool hb_ranking_add_sheet(hb_ranking *ranking, int64_t hour_s, hb_bytes sheet, hb_error *error)
{
    const bool words = ranking->kind == HB_RANKING_WORDS;
    const hb_sheet_scanner scanner = {ranking, words ? take_word : NULL, words ? NULL : take_user};
    ranking->error = error;
    ranking->hour = hour_of(hour_s);
    return hb_sheet_scan(sheet, &scanner, error) && !ranking->full;
}

bool hb_ranking_add_all(hb_ranking *ranking, const hb_ranking *more, hb_error *error)
{
    ranking->error = error;
    for (size_t i = 0; i < more->count; i++) {
        const hb_ranking_entry *const entry = &more->entries[i];
        const hb_bytes text = {entry->text, entry->size};
        if (ranking->kind == HB_RANKING_WORDS) {
            if (!hb_ranking_count_word(ranking, (hb_kind)entry->kind, text, entry->first))
                return false;
        } else {
            const hb_ranking_person *const person = &more->people[i];
            if (!hb_ranking_count_user(ranking, text, entry->first, person->second,
                                       (hb_bytes){person->name, person->name_size}, person->name_hour))
                return false;
        }
    }
    return true;
}

bool hb_ranking_raise(hb_ranking *ranking, int64_t hour_s, const hb_ranked *ranked, hb_error *error)
{
    ranking->error = error;
    if (ranking->kind == HB_RANKING_WORDS && ranking->only != HB_KINDS && ranking->only != ranked->kind)
        return true;
    const size_t index = find(ranking, ranked->kind, ranked->key);
    if (index == SIZE_MAX)
        return false;
    if (ranked->first > ranking->entries[index].first)
        ranking->entries[index].first = ranked->first;
    if (ranking->kind == HB_RANKING_WORDS)
        return true;
    hb_ranking_person *const person = &ranking->people[index];
    if (ranked->second > person->second)
        person->second = ranked->second;
    person->name_size = ranked->name.size == 0 ? person->name_size : 0; /* what is raised to is fresher */
    return set_name(ranking, person, ranked->name, hour_of(hour_s));
}
