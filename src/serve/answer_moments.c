/* answer_moments.c - moments of a channel, or of all. As for the minutes, rows are counted first, and the older ones
 * passed over. */
#include "serve/answer_table.h"

#include "base/clock.h"

#include <jansson.h>

typedef struct moments_visit {
    hb_answer *answer;
    hb_newest newest;
} moments_visit;

static bool count_moment(void *context, const hb_moment_row *row, hb_layer layer)
{
    moments_visit *visit = context;
    (void)row;
    (void)layer;
    visit->newest.count++;
    return true;
}

/* The words become part of an answer in JSON as they are: what somebody else wrote into the store must not break it. */
static hb_bytes checked(hb_arena *texts, hb_bytes words)
{
    json_t *const list = json_loadb(words.data == NULL ? "" : words.data, words.size, JSON_REJECT_DUPLICATES, NULL);
    const bool good = json_is_array(list);
    json_decref(list);
    return good ? hb_arena_copy(texts, words) : HB_BYTES("[]");
}

static bool add_moment(void *context, const hb_moment_row *row, hb_layer layer)
{
    moments_visit *visit = context;
    hb_answer *answer = visit->answer;
    bool full = false;
    if (!hb_newest_takes(&visit->newest, &full))
        return !full;
    hb_cell *cells = hb_answer_add_row(answer);
    if (answer->channel.size == 0)
        (cells++)->text = hb_arena_copy(&answer->texts, row->channel);
    cells[0].time_s = row->minute_s;
    cells[1].real = row->score;
    cells[2].count = row->messages;
    cells[3].count = row->chatters;
    cells[4].real = row->usual;
    cells[5].text = checked(&answer->texts, row->words);
    cells[6].text = hb_bytes_of(hb_layer_name(layer));
    return true;
}

bool hb_answer_list_moments(hb_answer *answer, hb_store *store, uint32_t limit, hb_error *error)
{
    moments_visit visit = {.answer = answer};
    if (!hb_store_moments(store, answer->channel, answer->from_s, answer->to_s, count_moment, &visit, error))
        return false;
    hb_newest_begin(&visit.newest, limit);
    return hb_store_moments(store, answer->channel, answer->from_s, answer->to_s, add_moment, &visit, error);
}

void hb_answer_print_words(hb_buffer *out, hb_bytes words)
{
    json_t *const list = json_loadb(words.data, words.size, 0, NULL);
    size_t at = 0;
    json_t *word = NULL;
    json_array_foreach(list, at, word)
    {
        const json_t *const text = json_object_get(word, "word");
        if (text == NULL || !json_is_string(text))
            continue;
        hb_buffer_print(out, "%s%s %lld", at == 0 ? "" : ", ", json_string_value(text),
                        (long long)json_integer_value(json_object_get(word, "count")));
    }
    json_decref(list);
}
