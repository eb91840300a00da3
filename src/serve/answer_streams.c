/* answer_streams.c - what changed in a channel's streams, told from its minutes.
 *
 * The poller takes a sample a minute while the channel is live, and none while it is offline. A minute may go without
 * one (a call that failed), so only GONE_S without any are taken for offline. What was before the first sample of the
 * range is known only if chat came long enough before it: then hubbub was there, and the channel was offline. As for
 * the minutes, changes are counted first, and the older ones passed over. */
#include "serve/answer_table.h"

#include "base/clock.h"

enum { GONE_S = 3 * HB_MINUTE_S };

typedef struct streams_visit {
    hb_answer *answer; /* NULL: changes are only counted */
    hb_newest newest;
    int64_t first_s; /* the first minute of any kind; -1: none yet */
    int64_t last_s;  /* the last one with a sample; -1: none yet */
    hb_buffer game;  /* of it */
    hb_buffer title;
} streams_visit;

/* minute: NULL when the channel went offline. */
static void add_change(streams_visit *visit, int64_t time_s, const char *change, const hb_minute *minute)
{
    if (visit->answer == NULL)
        visit->newest.count++;
    if (visit->answer == NULL || !hb_newest_takes(&visit->newest, NULL))
        return;
    hb_cell *cells = hb_answer_add_row(visit->answer);
    cells[0].time_s = time_s;
    cells[1].text = hb_bytes_of(change);
    if (minute == NULL)
        return;
    cells[2].count = (minute->viewers_sum + minute->samples / 2) / minute->samples;
    cells[3].text = hb_arena_copy(&visit->answer->texts, minute->game);
    cells[4].text = hb_arena_copy(&visit->answer->texts, minute->title);
}

bool hb_answer_is_gone(int64_t last_s, int64_t now_s)
{
    return now_s - last_s - HB_MINUTE_S >= GONE_S;
}

static bool visit_minute(void *context, const hb_minute_row *row, hb_layer layer)
{
    streams_visit *visit = context;
    const hb_minute *minute = &row->count;
    (void)layer;
    if (visit->first_s < 0)
        visit->first_s = row->minute_s;
    if (minute->samples == 0)
        return true;
    if (visit->last_s < 0) {
        if (row->minute_s - visit->first_s >= GONE_S)
            add_change(visit, row->minute_s, "live", minute);
    } else if (hb_answer_is_gone(visit->last_s, row->minute_s)) {
        add_change(visit, visit->last_s + HB_MINUTE_S, "offline", NULL);
        add_change(visit, row->minute_s, "live", minute);
    } else {
        if (!hb_bytes_equal(hb_buffer_bytes(&visit->game), minute->game))
            add_change(visit, row->minute_s, "game", minute);
        if (!hb_bytes_equal(hb_buffer_bytes(&visit->title), minute->title))
            add_change(visit, row->minute_s, "title", minute);
    }
    visit->last_s = row->minute_s;
    visit->game.size = visit->title.size = 0;
    hb_buffer_append(&visit->game, minute->game);
    hb_buffer_append(&visit->title, minute->title);
    return true;
}

static bool visit_all(streams_visit *visit, const hb_answer *answer, hb_store *store, int64_t now_s, hb_error *error)
{
    const int64_t end_s = answer->to_s < now_s ? answer->to_s : now_s;
    visit->first_s = visit->last_s = -1;
    if (!hb_store_minutes(store, answer->channel, answer->from_s, answer->to_s, visit_minute, visit, error))
        return false;
    if (visit->last_s >= 0 && hb_answer_is_gone(visit->last_s, end_s))
        add_change(visit, visit->last_s + HB_MINUTE_S, "offline", NULL);
    return true;
}

bool hb_answer_list_streams(hb_answer *answer, hb_store *store, uint32_t limit, int64_t now_s, hb_error *error)
{
    streams_visit visit = {0};
    bool good = visit_all(&visit, answer, store, now_s, error);
    if (good) {
        hb_newest_begin(&visit.newest, limit);
        visit.answer = answer;
        good = visit_all(&visit, answer, store, now_s, error);
    }
    hb_buffer_free(&visit.game);
    hb_buffer_free(&visit.title);
    return good;
}
