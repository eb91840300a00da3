/* count_metrics.c - the names and texts of what counting tells. */
#include "cmd/count_metrics.h"

#include "base/say.h"

#include <stdlib.h>

struct hb_count_metrics {
    hb_metric *facts;
    hb_metric *messages;
    hb_metric *words;
    hb_metric *shared;
    hb_metric *duplicates;
    hb_metric *late;
    hb_metric *bad_utf8;
    hb_metric *bad_timestamps;
    hb_metric *malformed;
    hb_metric *untaken;
    hb_metric *ids_forgotten;
    hb_metric *lag_ms;
    hb_metric *sheets;
    hb_metric *memory;
    bool left_out; /* said */
};

hb_count_metrics *hb_count_metrics_open(hb_metrics *all)
{
    hb_count_metrics *m = hb_alloc(sizeof *m);
    m->facts = hb_metrics_counter(all, "hubbub_facts_total", "Facts read from the log.");
    m->messages = hb_metrics_counter(all, "hubbub_messages_total", "Messages counted.");
    m->words = hb_metrics_counter(all, "hubbub_words_total", "Words counted, of all kinds.");
    m->shared = hb_metrics_counter(all, "hubbub_shared_total", "Copies by Shared Chat counted.");
    m->duplicates = hb_metrics_counter(all, "hubbub_duplicates_total", "Facts passed over since their id was known.");
    m->late = hb_metrics_counter(all, "hubbub_late_total", "Facts left to the batch layer.");
    m->bad_utf8 = hb_metrics_counter(all, "hubbub_bad_utf8_total", "Messages in which bytes had to be replaced.");
    m->bad_timestamps =
        hb_metrics_counter(all, "hubbub_bad_timestamps_total", "Facts that go by their time of receipt.");
    m->malformed = hb_metrics_counter(all, "hubbub_malformed_total", "Lines in the log that are no facts.");
    m->untaken =
        hb_metrics_counter(all, "hubbub_untaken_total", "New words and chatters in totals only, since memory ran out.");
    m->ids_forgotten = hb_metrics_counter(all, "hubbub_ids_forgotten_total", "Ids forgotten since memory ran out.");
    m->lag_ms = hb_metrics_gauge(all, "hubbub_speed_lag_milliseconds",
                                 "From the newest event time in the store's rows to now.");
    m->sheets = hb_metrics_gauge(all, "hubbub_speed_sheets", "Channels times open hours.");
    m->memory = hb_metrics_gauge(all, "hubbub_speed_memory_bytes", "What the speed layer holds.");
    return m;
}

void hb_count_metrics_close(hb_count_metrics *metrics)
{
    free(metrics);
}

void hb_count_metrics_show(hb_count_metrics *m, const hb_speed_counts *counts, int64_t now_ms)
{
    hb_metric_set(m->facts, (int64_t)counts->fold.facts);
    hb_metric_set(m->messages, (int64_t)counts->fold.messages);
    hb_metric_set(m->words, (int64_t)counts->fold.words);
    hb_metric_set(m->shared, (int64_t)counts->fold.shared);
    hb_metric_set(m->duplicates, (int64_t)counts->fold.duplicates);
    hb_metric_set(m->late, (int64_t)counts->late);
    hb_metric_set(m->bad_utf8, (int64_t)counts->fold.bad_utf8);
    hb_metric_set(m->bad_timestamps, (int64_t)counts->fold.bad_timestamps);
    hb_metric_set(m->malformed, (int64_t)(counts->fold.malformed + counts->fold.others));
    hb_metric_set(m->untaken, (int64_t)counts->fold.untaken);
    hb_metric_set(m->ids_forgotten, (int64_t)counts->ids_forgotten);
    hb_metric_set(m->lag_ms, counts->time_ms == 0 ? 0 : now_ms - counts->time_ms);
    hb_metric_set(m->sheets, (int64_t)counts->open_sheets);
    hb_metric_set(m->memory, (int64_t)counts->held);
    if (!m->left_out && counts->fold.untaken > 0) {
        m->left_out = true;
        hb_say_warning("counting has used up --memory: new words and chatters are in totals only until the batch layer "
                       "recomputes the hour");
    }
}

void hb_speed_counts_add(hb_speed_counts *into, const hb_speed_counts *more)
{
    hb_fold_counts *const fold = &into->fold;
    fold->lines += more->fold.lines;
    fold->facts += more->fold.facts;
    fold->messages += more->fold.messages;
    fold->shared += more->fold.shared;
    fold->words += more->fold.words;
    fold->duplicates += more->fold.duplicates;
    fold->others += more->fold.others;
    fold->malformed += more->fold.malformed;
    fold->bad_timestamps += more->fold.bad_timestamps;
    fold->bad_utf8 += more->fold.bad_utf8;
    fold->misplaced += more->fold.misplaced;
    fold->untaken += more->fold.untaken;
    into->late += more->late;
    into->ids_forgotten += more->ids_forgotten;
    into->open_sheets += more->open_sheets;
    into->held += more->held;
    if (more->time_ms > into->time_ms)
        into->time_ms = more->time_ms;
}
