/* chatters.c - users out of encoded sheets and rankings, and a table of them. */
#include "views/chatters.h"

#include "views/ranking.h"
#include "views/sheet.h"

#include <stdlib.h>

typedef struct visiting {
    hb_visit_chatter *visit;
    void *context;
} visiting;

static bool visit_user(void *context, hb_bytes id, hb_bytes name, uint32_t messages, uint32_t words, uint64_t minutes)
{
    const visiting *const job = context;
    (void)name;
    (void)messages;
    (void)words;
    job->visit(job->context, hb_hash(id, 0), minutes);
    return true;
}

bool hb_chatters_of_sheet(hb_bytes sheet, hb_visit_chatter *visit, void *context, hb_error *error)
{
    visiting job = {visit, context};
    return hb_sheet_scan(sheet, &(hb_sheet_scanner){.context = &job, .user = visit_user}, error);
}

static void visit_ranked(void *context, hb_bytes id)
{
    const visiting *const job = context;
    job->visit(job->context, hb_hash(id, 0), 0);
}

bool hb_chatters_of_ranking(hb_bytes ranking, hb_visit_chatter *visit, void *context, hb_error *error)
{
    visiting job = {visit, context};
    return hb_ranking_scan_users(ranking, visit_ranked, &job, error);
}

int64_t *hb_chatter_find(const hb_chatter_table *table, uint64_t id)
{
    for (uint32_t at = hb_map_first(&table->map, id); at != HB_MAP_END; at = hb_map_next(&table->map, id, at)) {
        hb_chatter_value *const entry = &table->entries[hb_map_entry(&table->map, at)];
        if (entry->id == id)
            return &entry->value;
    }
    return NULL;
}

void hb_chatter_add(hb_chatter_table *table, uint64_t id, int64_t value)
{
    HB_RESERVE(table->entries, table->capacity, table->count + 1);
    hb_map_insert(&table->map, id, (uint32_t)table->count);
    table->entries[table->count++] = (hb_chatter_value){id, value};
}

void hb_chatter_table_clear(hb_chatter_table *table)
{
    hb_map_clear(&table->map);
    table->count = 0;
}

void hb_chatter_table_free(hb_chatter_table *table)
{
    hb_map_free(&table->map);
    free(table->entries);
    *table = (hb_chatter_table){0};
}
