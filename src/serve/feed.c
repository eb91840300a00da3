/* feed.c - the log's end, filtered.
 *
 * The log is followed only while somebody looks at a channel, and from its end: what was said before is asked for with
 * /messages. Each channel has a budget of messages that fills up at 50 a second (a token bucket), so that in a busy
 * chat the messages shown are spread over the second. Facts that were received long ago (an import) are not live.
 */
#include "serve/feed.h"

#include "base/clock.h"
#include "base/error.h"
#include "log/log.h"
#include "serve/message_row.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    WAIT_MS = 100,   /* how late the end of a watch is noticed */
    RETRY_MS = 1000, /* while there is no log */
    LIVE_MS = 60000  /* received longer ago: not live */
};

typedef struct message_budget {
    hb_watched watched;
    int64_t filled_ms;
    double messages;
    uint64_t skipped; /* not yet told */
} message_budget;

struct hb_feed {
    const char *address;
    hb_watch *watch;
    hb_news_desk desk;
    pthread_t thread;
    hb_log *log;
    hb_log_follower *follower;
    hb_watch_list watched;
    message_budget *budgets; /* one for each entry of watched, in its order */
    size_t budget_count;
    hb_buffer row;
};

/* ---- The log ---- */

static void leave_log(hb_feed *feed)
{
    hb_error error;
    if (feed->follower != NULL)
        hb_log_follower_close(feed->follower);
    feed->follower = NULL;
    if (feed->log != NULL)
        hb_log_close(feed->log, &error); /* it was only read: nothing can be lost */
    feed->log = NULL;
}

/* False while there is no log that could be followed; the processor says why, this one only waits. */
static bool follow_log(hb_feed *feed)
{
    hb_error error;
    if (feed->follower != NULL)
        return true;
    feed->log = hb_log_open(feed->address, HB_LOG_READ, NULL, &error);
    if (feed->log != NULL)
        feed->follower = hb_log_follower_open(feed->log, HB_LOG_FROM_END, NULL, 0, &error);
    if (feed->follower == NULL)
        leave_log(feed);
    return feed->follower != NULL;
}

/* ---- Messages ---- */

static message_budget *find_budget(hb_feed *feed, hb_bytes channel)
{
    char lower[HB_LOGIN_MAX];
    if (channel.size == 0 || channel.size > sizeof lower)
        return NULL;
    const hb_watched *watched = hb_watch_find(&feed->watched, hb_bytes_lower(channel, lower));
    return watched == NULL ? NULL : &feed->budgets[watched - feed->watched.list];
}

static bool spend(message_budget *budget, int64_t now_ms)
{
    const double full = HB_FEED_PER_SECOND;
    budget->messages += (double)(now_ms - budget->filled_ms) * full / 1000;
    budget->filled_ms = now_ms;
    if (budget->messages > full)
        budget->messages = full;
    if (budget->messages < 1)
        return false;
    budget->messages--;
    return true;
}

static void tell_line(hb_feed *feed, hb_bytes line, int64_t now_ms, int64_t wall_ms)
{
    hb_fact fact;
    if (hb_fact_read(line, &fact) != HB_FACT_OK || fact.kind != HB_FACT_MESSAGE || wall_ms - fact.received_ms > LIVE_MS)
        return;
    message_budget *budget = find_budget(feed, fact.channel);
    if (budget == NULL)
        return;
    if (!spend(budget, now_ms)) {
        budget->skipped++;
        return;
    }
    feed->row.size = 0;
    hb_message_row_print(&feed->row, &fact, false);
    feed->desk.put(feed->desk.context, hb_news_make(HB_NEWS_MESSAGE, budget->watched.channel,
                                                    hb_text_make_event("message", hb_buffer_bytes(&feed->row))));
}

static void tell_skipped(hb_feed *feed)
{
    for (size_t i = 0; i < feed->budget_count; i++) {
        message_budget *budget = &feed->budgets[i];
        if (budget->skipped == 0)
            continue;
        hb_news *news = hb_news_make(HB_NEWS_SKIPPED, budget->watched.channel, NULL);
        news->count = budget->skipped;
        budget->skipped = 0;
        feed->desk.put(feed->desk.context, news);
    }
}

/* Reads until there is nothing more, or the log fails: the next round goes on behind a bad place. */
static void read_on(hb_feed *feed)
{
    hb_log_piece piece;
    hb_error error;
    while (hb_log_follower_read(feed->follower, &piece, &error) && piece.lines.size > 0) {
        const int64_t now_ms = hb_monotonic_ms();
        const int64_t wall_ms = hb_now_ms();
        hb_bytes line;
        while (hb_bytes_cut(&piece.lines, '\n', &line))
            tell_line(feed, line, now_ms, wall_ms);
        tell_skipped(feed);
    }
}

/* ---- The thread ---- */

/* Makes budgets for the new list of what is looked at; those of channels still on it are kept. Both are ordered. */
static void take_watched(hb_feed *feed)
{
    message_budget *new = hb_alloc((feed->watched.count + 1) * sizeof *new);
    size_t old = 0;
    for (size_t i = 0; i < feed->watched.count; i++) {
        const hb_watched *watched = &feed->watched.list[i];
        while (old < feed->budget_count && strcmp(feed->budgets[old].watched.channel, watched->channel) < 0)
            old++;
        if (old < feed->budget_count && feed->budgets[old].watched.serial == watched->serial)
            new[i] = feed->budgets[old];
        else
            new[i] = (message_budget){.filled_ms = hb_monotonic_ms(), .messages = HB_FEED_PER_SECOND};
        new[i].watched = *watched;
    }
    free(feed->budgets);
    feed->budgets = new;
    feed->budget_count = feed->watched.count;
}

static bool looks_at_channel(const hb_feed *feed)
{
    return feed->watched.count > 0 && feed->watched.list[feed->watched.count - 1].channel[0] != '\0';
}

static void *follow(void *context)
{
    hb_feed *feed = context;
    uint64_t version = 0;
    int wait_ms = -1;
    while (hb_watch_wait(feed->watch, wait_ms, &feed->watched)) {
        if (version != feed->watched.version)
            take_watched(feed);
        version = feed->watched.version;
        if (!looks_at_channel(feed)) {
            leave_log(feed);
            wait_ms = -1;
        } else if (follow_log(feed)) {
            hb_log_follower_wait(feed->follower, WAIT_MS);
            read_on(feed);
            wait_ms = 0;
        } else {
            wait_ms = RETRY_MS;
        }
    }
    return NULL;
}

hb_feed *hb_feed_open(const char *log, hb_watch *watch, hb_news_desk desk, hb_error *error)
{
    hb_feed *feed = hb_alloc(sizeof *feed);
    feed->address = log;
    feed->watch = watch;
    feed->desk = desk;
    if (pthread_create(&feed->thread, NULL, follow, feed) != 0) {
        hb_fail(error, HB_ERROR_SYSTEM, "cannot start the thread that follows the log");
        free(feed);
        return NULL;
    }
    return feed;
}

void hb_feed_close(hb_feed *feed)
{
    if (feed == NULL)
        return;
    pthread_join(feed->thread, NULL);
    leave_log(feed);
    hb_buffer_free(&feed->row);
    free(feed->budgets);
    free(feed->watched.list);
    free(feed);
}
