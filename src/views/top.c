/* top.c - words and users are ranked alike: by count, then by text. What differs between them is in `sort_of_entry`.
 *
 * Selection is quickselect with a pivot chosen by chance: all ranks differ (texts do), so there are no runs of equal
 * ones, and no chat can be so arranged that it becomes slow. */
#include "views/top.h"

#include <stdlib.h>

typedef struct ranked {
    uint64_t count;
    hb_bytes text;
    uint32_t entry;
    bool listed; /* is in the list already */
} ranked;

struct hb_top_room {
    ranked *items;
    size_t count;
    size_t capacity;
};

typedef struct sort_of_entry {
    ranked (*rank)(const hb_sheet *sheet, uint32_t entry);
    void (*set_top)(hb_sheet *sheet, uint32_t entry, bool top);
    void (*visit)(const hb_top_visitor *visitor, const hb_sheet *sheet, uint32_t entry, bool gone);
} sort_of_entry;

static ranked rank_word(const hb_sheet *sheet, uint32_t entry)
{
    const hb_sheet_word *const word = &sheet->words[entry];
    return (ranked){word->count, hb_sheet_word_text(word), entry, false};
}

static void set_top_word(hb_sheet *sheet, uint32_t entry, bool top)
{
    sheet->words[entry].top = top;
}

static void visit_word(const hb_top_visitor *visitor, const hb_sheet *sheet, uint32_t entry, bool gone)
{
    if (visitor != NULL)
        visitor->word(visitor->context, &sheet->words[entry], gone);
}

static ranked rank_user(const hb_sheet *sheet, uint32_t entry)
{
    const hb_sheet_user *const user = &sheet->users[entry];
    return (ranked){user->messages, {user->id, user->id_size}, entry, false};
}

static void set_top_user(hb_sheet *sheet, uint32_t entry, bool top)
{
    sheet->users[entry].top = top;
}

static void visit_user(const hb_top_visitor *visitor, const hb_sheet *sheet, uint32_t entry, bool gone)
{
    if (visitor != NULL)
        visitor->user(visitor->context, &sheet->users[entry], gone);
}

static const sort_of_entry word_sort = {rank_word, set_top_word, visit_word};
static const sort_of_entry user_sort = {rank_user, set_top_user, visit_user};

static bool is_before(const ranked *a, const ranked *b)
{
    return a->count != b->count ? a->count > b->count : hb_bytes_compare(a->text, b->text) < 0;
}

static void swap(ranked *a, ranked *b)
{
    const ranked kept = *a;
    *a = *b;
    *b = kept;
}

/* Moves the first `wanted` in rank to the front, in no order. */
static void select_first(ranked *items, size_t count, size_t wanted)
{
    uint64_t chance = (uint64_t)(uintptr_t)items ^ count;
    size_t from = 0;
    size_t to = count;
    while (to - from > 1 && wanted > from && wanted < to) {
        chance = chance * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
        swap(&items[from], &items[from + (chance >> 33) % (to - from)]);
        size_t boundary = from; /* items[from] is the pivot; those before it in rank go up to here */
        for (size_t i = from + 1; i < to; i++)
            if (is_before(&items[i], &items[from]))
                swap(&items[++boundary], &items[i]);
        swap(&items[from], &items[boundary]);
        if (boundary == wanted)
            return;
        if (boundary < wanted)
            from = boundary + 1;
        else
            to = boundary;
    }
}

static void push_ranked(hb_top_room *room, ranked item)
{
    HB_RESERVE(room->items, room->capacity, room->count + 1);
    room->items[room->count++] = item;
}

static void push_number(hb_sheet_numbers *numbers, uint32_t entry)
{
    HB_RESERVE(numbers->items, numbers->capacity, numbers->count + 1);
    numbers->items[numbers->count++] = entry;
}

/* Lets those in the room into the list as far as they belong there, and visits whom that pushes out. */
static void let_in(hb_sheet_numbers *list, hb_sheet *sheet, const sort_of_entry *sort, uint32_t first,
                   hb_top_room *room, const hb_top_visitor *visitor)
{
    size_t winners = room->count;
    if (list->count + room->count > first) {
        winners = first;
        for (size_t i = 0; i < list->count; i++) {
            push_ranked(room, sort->rank(sheet, list->items[i]));
            room->items[room->count - 1].listed = true;
        }
        select_first(room->items, room->count, first);
        list->count = 0;
    }
    for (size_t i = 0; i < room->count; i++) {
        const ranked *const item = &room->items[i];
        if (i < winners)
            push_number(list, item->entry);
        if ((i < winners) != item->listed)
            sort->set_top(sheet, item->entry, i < winners);
        if (i >= winners && item->listed)
            sort->visit(visitor, sheet, item->entry, true);
    }
}

/* The count below which nobody can come into the list. */
static uint64_t least_count(const hb_sheet_numbers *list, const hb_sheet *sheet, const sort_of_entry *sort,
                            uint32_t first)
{
    uint64_t least = UINT64_MAX;
    if (list->count < first)
        return 0;
    for (size_t i = 0; i < list->count; i++) {
        const uint64_t count = sort->rank(sheet, list->items[i]).count;
        least = count < least ? count : least;
    }
    return least;
}

static void update_words(hb_top *top, hb_sheet *sheet, unsigned kind, uint32_t first, hb_top_room *room,
                         const hb_top_visitor *visitor)
{
    const uint64_t least = least_count(&top->words[kind], sheet, &word_sort, first);
    room->count = 0;
    for (size_t i = 0; i < sheet->touched_words.count; i++) {
        const uint32_t entry = sheet->touched_words.items[i];
        const hb_sheet_word *const word = &sheet->words[entry];
        if (word->kind == kind && !word->top && word->count >= least)
            push_ranked(room, rank_word(sheet, entry));
    }
    if (room->count > 0)
        let_in(&top->words[kind], sheet, &word_sort, first, room, visitor);
}

static void update_users(hb_top *top, hb_sheet *sheet, uint32_t first, hb_top_room *room, const hb_top_visitor *visitor)
{
    const uint64_t least = least_count(&top->users, sheet, &user_sort, first);
    room->count = 0;
    for (size_t i = 0; i < sheet->touched_users.count; i++) {
        const uint32_t entry = sheet->touched_users.items[i];
        if (!sheet->users[entry].top && sheet->users[entry].messages >= least)
            push_ranked(room, rank_user(sheet, entry));
    }
    if (room->count > 0)
        let_in(&top->users, sheet, &user_sort, first, room, visitor);
}

void hb_top_update(hb_top *top, hb_sheet *sheet, uint32_t first, hb_top_room *room, const hb_top_visitor *visitor)
{
    const bool all = first == HB_TOP_ALL;
    unsigned kinds = 0; /* that newcomers have */
    for (size_t i = 0; i < sheet->touched_words.count && !all; i++) {
        const hb_sheet_word *const word = &sheet->words[sheet->touched_words.items[i]];
        kinds |= word->top ? 0u : 1u << word->kind;
    }
    for (unsigned kind = 0; kind < HB_KINDS; kind++)
        if ((kinds & 1u << kind) != 0)
            update_words(top, sheet, kind, first, room, visitor);
    if (!all && sheet->touched_users.count > 0)
        update_users(top, sheet, first, room, visitor);
    for (size_t i = 0; i < sheet->touched_words.count; i++) {
        const uint32_t entry = sheet->touched_words.items[i];
        if (all || sheet->words[entry].top)
            visit_word(visitor, sheet, entry, false);
    }
    for (size_t i = 0; i < sheet->touched_users.count; i++) {
        const uint32_t entry = sheet->touched_users.items[i];
        if (all || sheet->users[entry].top)
            visit_user(visitor, sheet, entry, false);
    }
}

static void rebuild_list(hb_sheet_numbers *list, hb_sheet *sheet, const sort_of_entry *sort, uint32_t first,
                         hb_top_room *room, const hb_top_visitor *visitor)
{
    list->count = 0;
    let_in(list, sheet, sort, first, room, NULL);
    for (size_t i = 0; i < list->count; i++)
        sort->visit(visitor, sheet, list->items[i], false);
}

static void visit_all(hb_sheet *sheet, const hb_top_visitor *visitor)
{
    for (size_t i = 0; i < sheet->word_count; i++)
        visit_word(visitor, sheet, (uint32_t)i, false);
    for (size_t i = 0; i < sheet->user_count; i++)
        visit_user(visitor, sheet, (uint32_t)i, false);
}

void hb_top_rebuild(hb_top *top, hb_sheet *sheet, uint32_t first, hb_top_room *room, const hb_top_visitor *visitor)
{
    if (first == HB_TOP_ALL) {
        visit_all(sheet, visitor);
        return;
    }
    for (unsigned kind = 0; kind < HB_KINDS; kind++) {
        room->count = 0;
        for (size_t i = 0; i < sheet->word_count; i++)
            if (sheet->words[i].kind == kind) {
                sheet->words[i].top = 0;
                push_ranked(room, rank_word(sheet, (uint32_t)i));
            }
        rebuild_list(&top->words[kind], sheet, &word_sort, first, room, visitor);
    }
    room->count = 0;
    for (size_t i = 0; i < sheet->user_count; i++) {
        sheet->users[i].top = 0;
        push_ranked(room, rank_user(sheet, (uint32_t)i));
    }
    rebuild_list(&top->users, sheet, &user_sort, first, room, visitor);
}

static int compare_ranks(const void *a, const void *b)
{
    return is_before(a, b) ? -1 : 1; /* no two are equal */
}

static void sort_list(hb_sheet_numbers *list, const hb_sheet *sheet, const sort_of_entry *sort, hb_top_room *room)
{
    room->count = 0;
    for (size_t i = 0; i < list->count; i++)
        push_ranked(room, sort->rank(sheet, list->items[i]));
    if (room->count > 0)
        qsort(room->items, room->count, sizeof *room->items, compare_ranks);
    for (size_t i = 0; i < list->count; i++)
        list->items[i] = room->items[i].entry;
}

void hb_top_sort(hb_top *top, const hb_sheet *sheet, hb_top_room *room)
{
    for (unsigned kind = 0; kind < HB_KINDS; kind++)
        sort_list(&top->words[kind], sheet, &word_sort, room);
    sort_list(&top->users, sheet, &user_sort, room);
}

hb_top_room *hb_top_room_open(void)
{
    return hb_alloc(sizeof(hb_top_room));
}

void hb_top_room_close(hb_top_room *room)
{
    if (room != NULL)
        free(room->items);
    free(room);
}

void hb_top_free(hb_top *top)
{
    for (unsigned kind = 0; kind < HB_KINDS; kind++)
        free(top->words[kind].items);
    free(top->users.items);
    *top = (hb_top){0};
}

size_t hb_top_held(const hb_top *top)
{
    size_t held = top->users.capacity;
    for (unsigned kind = 0; kind < HB_KINDS; kind++)
        held += top->words[kind].capacity;
    return held * sizeof(uint32_t);
}
