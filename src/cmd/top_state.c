/* top_state.c - the choice follows a channel, not a place: rows that change places every second take it with them. */
#include "cmd/top_state.h"

#include <stdlib.h>

static const char *const column_names[HB_TOP_COLUMNS] = {
    [HB_TOP_CHANNEL] = "channel",   [HB_TOP_MESSAGES] = "messages", [HB_TOP_WORDS] = "words",
    [HB_TOP_CHATTERS] = "chatters", [HB_TOP_VIEWERS] = "viewers",   [HB_TOP_PARTICIPATION] = "participation",
    [HB_TOP_EMOTE] = "emote",       [HB_TOP_LAST] = "last"};
static const hb_top_range ranges[] = {
    {"15 minutes", 900}, {"hour", 3600}, {"6 hours", 21600}, {"24 hours", 86400}, {"7 days", 604800}};
static const char *const kinds[] = {"all", "word", "emote", "emoji", "mention", "link", "command"};
enum { RANGES = sizeof ranges / sizeof *ranges, KINDS = sizeof kinds / sizeof *kinds, HOUR_RANGE = 1 };

const char *hb_top_column_name(hb_top_column column)
{
    return column_names[column];
}

bool hb_top_column_parse(const char *name, hb_top_column *column)
{
    for (hb_top_column i = 0; i < HB_TOP_COLUMNS; i++)
        if (strcmp(name, column_names[i]) == 0) {
            *column = i;
            return true;
        }
    return false;
}

hb_top_range hb_top_state_range(const hb_top_state *state)
{
    return ranges[state->range];
}

const char *hb_top_state_kind(const hb_top_state *state)
{
    return kinds[state->kind];
}

void hb_top_state_begin(hb_top_state *state)
{
    state->sort = HB_TOP_MESSAGES;
    state->range = HOUR_RANGE;
}

void hb_top_state_free(hb_top_state *state)
{
    free(state->rows);
}

hb_top_wish hb_top_state_wish(const hb_top_state *state)
{
    hb_top_wish wish = {.range_s = ranges[state->range].seconds};
    memcpy(wish.channel, state->channel, sizeof wish.channel);
    memcpy(wish.kind, kinds[state->kind], strlen(kinds[state->kind]));
    return wish;
}

/* ---- Rows ---- */

static double number_in(const hb_top_channel *channel, hb_top_column column)
{
    switch (column) {
    case HB_TOP_WORDS:
        return channel->words;
    case HB_TOP_CHATTERS:
        return channel->chatters;
    case HB_TOP_VIEWERS:
        return channel->viewers;
    case HB_TOP_PARTICIPATION:
        return channel->participation;
    case HB_TOP_LAST:
        return (double)channel->last_seen_s;
    default:
        return channel->messages;
    }
}

static int compare(const void *a, const void *b, void *context)
{
    const hb_top_state *const state = context;
    const hb_top_channel *const left = ((const hb_top_row *)a)->channel;
    const hb_top_channel *const right = ((const hb_top_row *)b)->channel;
    int order = 0;
    if (state->sort == HB_TOP_EMOTE)
        order = hb_bytes_compare(left->emote, right->emote);
    else if (state->sort != HB_TOP_CHANNEL) {
        const double x = number_in(left, state->sort);
        const double y = number_in(right, state->sort);
        order = (x > y) - (x < y);
    }
    if (order != 0)
        return state->ascending ? order : -order;
    order = hb_bytes_compare(left->name, right->name);
    return state->sort == HB_TOP_CHANNEL && !state->ascending ? -order : order;
}

static bool holds(hb_bytes name, const char *part)
{
    const size_t size = strlen(part);
    return size == 0 || (name.size >= size && memmem(name.data, name.size, part, size) != NULL);
}

void hb_top_state_arrange(hb_top_state *state, const hb_top_news *news)
{
    state->row_count = 0;
    if (news == NULL)
        return;
    HB_RESERVE(state->rows, state->row_capacity, news->channel_count + 1);
    for (size_t i = 0; i < news->channel_count; i++)
        if (holds(news->channels[i].name, state->filter))
            state->rows[state->row_count++].channel = &news->channels[i];
    qsort_r(state->rows, state->row_count, sizeof *state->rows, compare, state);
}

size_t hb_top_state_chosen(const hb_top_state *state)
{
    for (size_t i = 0; i < state->row_count; i++)
        if (hb_bytes_equal(state->rows[i].channel->name, hb_bytes_of(state->chosen)))
            return i;
    return 0;
}

static void copy_name(char out[HB_LOGIN_MAX + 1], hb_bytes name)
{
    const size_t size = name.size < HB_LOGIN_MAX ? name.size : HB_LOGIN_MAX;
    memcpy(out, name.data, size);
    out[size] = '\0';
}

static void choose(hb_top_state *state, size_t row)
{
    if (state->row_count == 0)
        return;
    if (row >= state->row_count)
        row = state->row_count - 1;
    copy_name(state->chosen, state->rows[row].channel->name);
}

/* ---- Keys ---- */

/* Where a movement leads from a place, not above 0. */
static size_t moved(size_t from, uint32_t key, unsigned page)
{
    const size_t step = page > 1 ? page - 1 : 1;
    switch (key) {
    case HB_TOP_KEY_UP:
    case 'k':
        return from == 0 ? 0 : from - 1;
    case HB_TOP_KEY_DOWN:
    case 'j':
        return from + 1;
    case HB_TOP_KEY_PAGE_UP:
        return from < step ? 0 : from - step;
    case HB_TOP_KEY_PAGE_DOWN:
        return from + step;
    case HB_TOP_KEY_HOME:
    case 'g':
        return 0;
    case HB_TOP_KEY_END:
    case 'G':
        return SIZE_MAX / 2;
    default:
        return from;
    }
}

/* What is looked for most first: names from a, numbers from the greatest. */
static void sort_by(hb_top_state *state, hb_top_column column)
{
    state->sort = column;
    state->ascending = column == HB_TOP_CHANNEL || column == HB_TOP_EMOTE;
}

static void type(hb_top_state *state, uint32_t key)
{
    const size_t size = strlen(state->filter);
    if (key == HB_TOP_KEY_ESCAPE)
        state->filter[0] = '\0';
    if (key == HB_TOP_KEY_ESCAPE || key == HB_TOP_KEY_ENTER)
        state->typing = false;
    else if (key == HB_TOP_KEY_ERASE && size > 0)
        state->filter[size - 1] = '\0';
    else if (key > ' ' && key < 0x7f && size < HB_LOGIN_MAX) {
        state->filter[size] = (char)(key >= 'A' && key <= 'Z' ? key | 0x20 : key);
        state->filter[size + 1] = '\0';
    } else if (key > 0x7f) {
        choose(state, moved(hb_top_state_chosen(state), key, state->page));
    }
}

static void key_in_list(hb_top_state *state, uint32_t key)
{
    switch (key) {
    case 'q':
        state->quit = true;
        break;
    case '/':
        state->typing = true;
        break;
    case HB_TOP_KEY_ESCAPE:
        state->filter[0] = '\0';
        break;
    case HB_TOP_KEY_ENTER:
    case HB_TOP_KEY_RIGHT:
        if (state->row_count > 0) {
            choose(state, hb_top_state_chosen(state));
            memcpy(state->channel, state->chosen, sizeof state->channel);
            state->scrolled = 0;
        }
        break;
    case '>':
    case 's':
        sort_by(state, (state->sort + 1) % HB_TOP_COLUMNS);
        break;
    case '<':
        sort_by(state, (state->sort + HB_TOP_COLUMNS - 1) % HB_TOP_COLUMNS);
        break;
    case 'r':
        state->ascending = !state->ascending;
        break;
    default: {
        const size_t from = hb_top_state_chosen(state);
        const size_t to = moved(from, key, state->page);
        if (to != from || key == HB_TOP_KEY_HOME || key == 'g')
            choose(state, to);
    }
    }
}

static void key_in_channel(hb_top_state *state, uint32_t key)
{
    switch (key) {
    case 'q':
    case HB_TOP_KEY_ESCAPE:
    case HB_TOP_KEY_LEFT:
    case HB_TOP_KEY_ERASE:
        state->channel[0] = '\0';
        break;
    case '+':
    case ']':
        state->range = state->range + 1 < RANGES ? state->range + 1 : state->range;
        break;
    case '-':
    case '[':
        state->range = state->range > 0 ? state->range - 1 : 0;
        break;
    case '\t':
        state->kind = (state->kind + 1) % KINDS;
        state->scrolled = 0;
        break;
    default: {
        const size_t to = moved(state->scrolled, key, state->page);
        state->scrolled = to > UINT16_MAX ? UINT16_MAX : (unsigned)to;
    }
    }
}

void hb_top_state_key(hb_top_state *state, uint32_t key)
{
    if (state->help)
        state->help = false;
    else if (state->typing)
        type(state, key);
    else if (key == '?' || key == 'h')
        state->help = true;
    else if (state->channel[0] == '\0')
        key_in_list(state, key);
    else
        key_in_channel(state, key);
}
