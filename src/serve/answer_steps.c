/* answer_steps.c - minutes summed up to longer steps, so that a chart of a year needs a few hundred rows.
 *
 * One pass: rows come ascending, and a step is told when the next one begins. Which steps there can be is known before,
 * so that those beyond the limit are never read. */
#include "serve/answer_table.h"

#include "base/clock.h"

typedef struct step_sum {
    int64_t start_s;
    uint64_t minutes; /* with messages */
    uint64_t messages;
    uint64_t words;
    uint64_t chatters; /* the sum of the minutes' */
    uint64_t shared;
    uint64_t viewers_sum;
    uint64_t samples;
    bool speed; /* one of the rows is the speed layer's */
} step_sum;

typedef struct steps_visit {
    hb_answer *answer;
    int64_t step_s;
    bool viewers; /* else the rate */
    bool any;
    step_sum step;
    hb_buffer game; /* of the step's last sample */
    hb_buffer title;
} steps_visit;

static void tell(steps_visit *visit)
{
    const step_sum *const step = &visit->step;
    if (!visit->any || (visit->viewers && step->samples == 0))
        return;
    hb_cell *cells = hb_answer_add_row(visit->answer);
    const hb_bytes layer = hb_bytes_of(hb_layer_name(step->speed ? HB_LAYER_SPEED : HB_LAYER_BATCH));
    cells[0].time_s = step->start_s;
    if (visit->viewers) {
        cells[1].count = (step->viewers_sum + step->samples / 2) / step->samples;
        cells[2].count = step->samples;
        cells[3].text = hb_arena_copy(&visit->answer->texts, hb_buffer_bytes(&visit->game));
        cells[4].text = hb_arena_copy(&visit->answer->texts, hb_buffer_bytes(&visit->title));
    } else {
        cells[1].count = step->messages;
        cells[2].count = step->words;
        cells[3].count = step->minutes == 0 ? 0 : (step->chatters + step->minutes / 2) / step->minutes;
        cells[4].count = step->shared;
    }
    cells[5].text = layer;
}

static bool add_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    steps_visit *visit = context;
    const hb_minute *const count = &row->count;
    const int64_t start_s = hb_time_floor(row->minute_s, visit->step_s);
    if (!visit->any || start_s != visit->step.start_s) {
        tell(visit);
        visit->step = (step_sum){.start_s = start_s};
        visit->any = true;
    }
    step_sum *const step = &visit->step;
    step->minutes += count->messages > 0;
    step->messages += count->messages;
    step->words += count->words;
    step->chatters += count->chatters;
    step->shared += count->shared;
    step->viewers_sum += count->viewers_sum;
    step->samples += count->samples;
    step->speed = step->speed || layer == HB_LAYER_SPEED;
    if (visit->viewers && count->samples > 0) {
        visit->game.size = visit->title.size = 0;
        hb_buffer_append(&visit->game, count->game);
        hb_buffer_append(&visit->title, count->title);
    }
    return true;
}

bool hb_answer_list_steps(hb_answer *answer, hb_store *store, const hb_question *question, hb_error *error)
{
    steps_visit visit = {.answer = answer, .step_s = question->step_s, .viewers = question->kind == HB_ASK_VIEWERS};
    const int64_t span_s = question->step_s * question->limit;
    const int64_t from_s = answer->to_s - answer->from_s > span_s ? answer->to_s - span_s : answer->from_s;
    const bool good = hb_store_minutes(store, answer->channel, from_s, answer->to_s, add_minute, &visit, error);
    if (good)
        tell(&visit);
    hb_buffer_free(&visit.game);
    hb_buffer_free(&visit.title);
    return good;
}
