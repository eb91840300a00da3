/* emotes.c - each list (of a service, and of a channel or of all) has a time at which it is due; one call after the
 * other is made, what is longest due first. A service that fails is left alone for a while, longer each time, and so is
 * the list by itself, so that one that cannot be read does not keep the others waiting.
 *
 * Once all lists of a channel were asked for, or cannot be had, they go to the board together, so that the log is not
 * told of each by itself. The board is the only thing that two threads touch. */
#include "twitch/emotes.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "twitch/emote_board.h"
#include "twitch/emote_cache.h"
#include "twitch/fact.h"
#include "twitch/http.h"
#include "twitch/pace.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    BODY_MAX = 8 << 20, /* bytes of an answer; 7TV tells some 3 KB of each emote, of 1,000 */
    TRIES = 3,          /* of a service before a person is told */
    BACKOFF_FACTOR = 600,
    LOOK_MS = 60 * 1000
};

typedef struct list {
    hb_buffer names; /* each with a space behind it */
    bool tried;      /* answered, in whatever way, or known from the disk */
    hb_backoff backoff;
    int64_t due_ms; /* monotonic, as all times here */
} list;

/* Of a channel; the first one is of all channels. */
typedef struct entry {
    char room_id[HB_EMOTE_ROOM_ID_MAX + 1]; /* empty: of all */
    list lists[HB_EMOTE_SERVICES];
} entry;

typedef struct service {
    char *url; /* NULL: not asked */
    hb_backoff backoff;
    int64_t retry_ms; /* not before */
    bool told;        /* that it cannot be had */
} service;

struct hb_emotes {
    hb_emotes_options options; /* texts: own copies, or NULL */
    char *cache;               /* a directory, or NULL */
    service services[HB_EMOTE_SERVICES];
    hb_http *http;
    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t lock; /* of the board */
    hb_emote_board *board;
    hb_buffer lines; /* hb_emotes_see's */

    /* The thread's own. */
    entry *entries;
    size_t count;
    size_t capacity;
    int64_t next_ms; /* the next call */
    bool cache_told; /* that it cannot be written */
    hb_buffer body;

    hb_metrics *own_metrics; /* when the caller has none */
    hb_metric *calls;
    hb_metric *errors;
    hb_metric *facts;
};

static const char *title_of(hb_emote_service which)
{
    static const char *const titles[HB_EMOTE_SERVICES] = {"BetterTTV", "FrankerFaceZ", "7TV"};
    return titles[which];
}

/* ---- What goes to the board ---- */

static bool is_settled(const hb_emotes *emotes, const entry *of)
{
    for (size_t i = 0; i < HB_EMOTE_SERVICES; i++) {
        const service *const one = &emotes->services[i];
        if (one->url != NULL && one->backoff.failures == 0 &&
            !(of->lists[i].tried && emotes->entries[0].lists[i].tried))
            return false;
    }
    return true;
}

typedef struct name_list {
    hb_bytes *names;
    size_t count;
    size_t capacity;
} name_list;

static void gather(const entry *of, name_list *all)
{
    for (size_t i = 0; i < HB_EMOTE_SERVICES; i++) {
        hb_bytes rest = hb_buffer_bytes(&of->lists[i].names);
        for (hb_bytes name; hb_bytes_cut(&rest, ' ', &name);) {
            HB_RESERVE(all->names, all->capacity, all->count + 1);
            all->names[all->count++] = name;
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    return hb_bytes_compare(*(const hb_bytes *)a, *(const hb_bytes *)b);
}

/* All names of a channel, each once, in an order that does not depend on that of the answers. */
static void join(const hb_emotes *emotes, const entry *of, hb_buffer *names)
{
    name_list all = {0};
    size_t joined = 0;
    gather(&emotes->entries[0], &all);
    gather(of, &all);
    if (all.count > 0)
        qsort(all.names, all.count, sizeof *all.names, compare_names);
    for (size_t i = 0; i < all.count && joined < HB_EMOTES_MAX; i++)
        if ((i == 0 || !hb_bytes_equal(all.names[i], all.names[i - 1])) &&
            names->size + all.names[i].size < HB_EMOTES_BYTES_MAX)
            joined += hb_emote_list_add(names, all.names[i]);
    free(all.names);
}

static void show(hb_emotes *emotes, size_t number)
{
    hb_buffer names = {0};
    if (!is_settled(emotes, &emotes->entries[number]))
        return;
    join(emotes, &emotes->entries[number], &names);
    pthread_mutex_lock(&emotes->lock);
    hb_emote_board_set(emotes->board, number - 1, hb_buffer_bytes(&names));
    pthread_mutex_unlock(&emotes->lock);
    hb_buffer_free(&names);
}

static void show_all(hb_emotes *emotes)
{
    for (size_t i = 1; i < emotes->count; i++)
        show(emotes, i);
}

/* ---- Channels ---- */

static int64_t due_after(const hb_emotes *emotes, int64_t age_ms)
{
    const int64_t refresh_ms = emotes->options.refresh_ms;
    const int64_t spread_ms = refresh_ms / 10; /* so that not all are due together */
    const int64_t left_ms = refresh_ms - (int64_t)(hb_random() % (uint32_t)(spread_ms % INT32_MAX + 1)) - age_ms;
    return hb_monotonic_ms() + (left_ms > 0 ? left_ms : 0);
}

static hb_backoff backoff_of(const hb_emotes_options *options)
{
    return (hb_backoff){options->retry_ms, options->retry_ms * BACKOFF_FACTOR, 0};
}

static void load(hb_emotes *emotes, entry *of)
{
    for (size_t i = 0; i < HB_EMOTE_SERVICES && emotes->cache != NULL; i++) {
        int64_t when_s = 0;
        list *const one = &of->lists[i];
        if (emotes->services[i].url == NULL ||
            !hb_emote_cache_read(emotes->cache, (hb_emote_service)i, hb_bytes_of(of->room_id), &one->names, &when_s))
            continue;
        const int64_t age_ms = hb_now_ms() - when_s * 1000;
        one->tried = true;
        one->due_ms = age_ms < 0 ? 0 : due_after(emotes, age_ms);
    }
}

static void add_entry(hb_emotes *emotes, hb_bytes room_id)
{
    HB_RESERVE(emotes->entries, emotes->capacity, emotes->count + 1);
    entry *const made = &emotes->entries[emotes->count++];
    *made = (entry){0};
    for (size_t i = 0; i < HB_EMOTE_SERVICES; i++)
        made->lists[i].backoff = backoff_of(&emotes->options);
    memcpy(made->room_id, room_id.data, room_id.size);
    load(emotes, made);
}

static void take_new(hb_emotes *emotes)
{
    for (;;) {
        char room_id[HB_EMOTE_ROOM_ID_MAX];
        hb_bytes text = {room_id, 0};
        pthread_mutex_lock(&emotes->lock);
        const bool new = hb_emote_board_count(emotes->board) > emotes->count - 1;
        if (new) {
            const hb_bytes found = hb_emote_board_room_id(emotes->board, emotes->count - 1);
            text.size = found.size;
            memcpy(room_id, found.data, found.size);
        }
        pthread_mutex_unlock(&emotes->lock);
        if (!new)
            return;
        add_entry(emotes, text);
        show(emotes, emotes->count - 1);
    }
}

/* ---- Calls ---- */

static void tell_failure(hb_emotes *emotes, hb_emote_service which, const hb_http_outcome *outcome,
                         const hb_error *error)
{
    service *const one = &emotes->services[which];
    hb_metric_add(emotes->errors, 1);
    if (one->told || one->backoff.failures < TRIES || hb_http_stopped(emotes->http))
        return;
    one->told = true;
    if (outcome->status == 0 || outcome->status == 200)
        hb_say_warning("emotes of %s cannot be had from %s: %s; those that are known count on, trying again",
                       title_of(which), one->url, error->text);
    else
        hb_say_warning("emotes of %s cannot be had from %s: HTTP %ld; those that are known count on, trying again",
                       title_of(which), one->url, outcome->status);
}

static void note_failure(hb_emotes *emotes, size_t number, hb_emote_service which, const hb_http_outcome *outcome,
                         const hb_error *error)
{
    service *const one = &emotes->services[which];
    list *const asked = &emotes->entries[number].lists[which];
    const bool first = one->backoff.failures == 0;
    const int64_t now_ms = hb_monotonic_ms();
    one->retry_ms = now_ms + hb_backoff_next(&one->backoff, hb_random());
    asked->due_ms = now_ms + hb_backoff_next(&asked->backoff, hb_random());
    asked->tried = true;
    tell_failure(emotes, which, outcome, error);
    if (first)
        show_all(emotes); /* nobody waits for this service now */
}

static void note_answer(hb_emotes *emotes, size_t number, hb_emote_service which, hb_buffer *names)
{
    hb_error error;
    service *const one = &emotes->services[which];
    entry *const of = &emotes->entries[number];
    list *const asked = &of->lists[which];
    if (one->told)
        hb_say_note("emotes of %s can be had again", title_of(which));
    one->told = false;
    one->backoff.failures = 0;
    hb_buffer_free(&asked->names);
    asked->names = *names;
    asked->tried = true;
    asked->backoff.failures = 0;
    asked->due_ms = due_after(emotes, 0);
    if (emotes->cache != NULL &&
        !hb_emote_cache_write(emotes->cache, which, hb_bytes_of(of->room_id), hb_buffer_bytes(names),
                              hb_now_ms() / 1000, &error) &&
        !emotes->cache_told) {
        emotes->cache_told = true;
        hb_say_warning("emotes are not kept on the disk: %s", error.text);
    }
    if (number == 0)
        show_all(emotes);
    else
        show(emotes, number);
}

static void ask(hb_emotes *emotes, size_t number, hb_emote_service which)
{
    const hb_bytes room_id = hb_bytes_of(emotes->entries[number].room_id);
    hb_buffer url = {0};
    hb_buffer names = {0};
    hb_http_outcome outcome;
    hb_error error = {0};
    hb_buffer_append(&url, hb_bytes_of(emotes->services[which].url));
    hb_emote_path(which, room_id, &url);
    hb_buffer_append_char(&url, '\0');
    hb_metric_add(emotes->calls, 1);
    const bool answered =
        hb_http_call(emotes->http, &(hb_http_request){.url = url.data}, &outcome, &emotes->body, &error);
    hb_buffer_free(&url);
    /* 404: the service does not know the channel. */
    const bool unknown = answered && outcome.status == 404 && number > 0;
    if (unknown || (answered && outcome.status == 200 &&
                    hb_emote_answer_read(which, number == 0, hb_buffer_bytes(&emotes->body), &names, &error)))
        note_answer(emotes, number, which, &names);
    else if (!hb_http_stopped(emotes->http))
        note_failure(emotes, number, which, &outcome, &error);
    emotes->next_ms = hb_monotonic_ms() + emotes->options.pause_ms;
}

/* What is longest due; else *wait_ms is how long nothing is. */
static bool find_due(const hb_emotes *emotes, size_t *number, hb_emote_service *which, int64_t *wait_ms)
{
    const int64_t now_ms = hb_monotonic_ms();
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < emotes->count; i++)
        for (size_t k = 0; k < HB_EMOTE_SERVICES; k++) {
            const service *const one = &emotes->services[k];
            int64_t due_ms = emotes->entries[i].lists[k].due_ms;
            due_ms = due_ms < one->retry_ms ? one->retry_ms : due_ms;
            if (one->url == NULL || due_ms >= first_ms)
                continue;
            first_ms = due_ms;
            *number = i;
            *which = (hb_emote_service)k;
        }
    first_ms = first_ms < emotes->next_ms ? emotes->next_ms : first_ms;
    *wait_ms = first_ms - now_ms < LOOK_MS ? first_ms - now_ms : LOOK_MS;
    return first_ms <= now_ms;
}

/* A channel that has been quiet for as long as an answer is good for is asked for when it is due the next time. */
static bool is_quiet(hb_emotes *emotes, size_t number, hb_emote_service which)
{
    list *const due = &emotes->entries[number].lists[which];
    if (number == 0 || !due->tried)
        return false;
    pthread_mutex_lock(&emotes->lock);
    const int64_t seen_ms = hb_emote_board_seen_ms(emotes->board, number - 1);
    pthread_mutex_unlock(&emotes->lock);
    if (hb_now_ms() - seen_ms < emotes->options.refresh_ms)
        return false;
    due->due_ms = due_after(emotes, 0);
    return true;
}

static void *run(void *context)
{
    hb_emotes *emotes = context;
    size_t number = 0;
    hb_emote_service which = HB_EMOTES_BTTV;
    int64_t wait_ms = 0;
    while (!hb_http_stopped(emotes->http)) {
        take_new(emotes);
        if (!find_due(emotes, &number, &which, &wait_ms))
            hb_http_wait(emotes->http, wait_ms);
        else if (!is_quiet(emotes, number, which))
            ask(emotes, number, which);
    }
    return NULL;
}

/* ---- The door ---- */

static char *join_path(const char *folder, const char *name)
{
    hb_buffer path = {0};
    hb_buffer_print(&path, "%s/%s%c", folder, name, '\0');
    return path.data;
}

static bool check_options(const hb_emotes_options *options, hb_error *error)
{
    for (size_t i = 0; i < HB_EMOTE_SERVICES; i++) {
        bool good = true;
        if (options->urls[i] != NULL)
            hb_http_url_is_open(options->urls[i], &good);
        if (!good)
            return hb_fail(error, HB_ERROR_USAGE,
                           "--emotes %s=%s, but it must be a URL such as http://127.0.0.1:8090, or off",
                           hb_emote_service_name((hb_emote_service)i), options->urls[i]);
    }
    return true;
}

static void set_up(hb_emotes *emotes, const hb_emotes_options *options, hb_metrics *metrics)
{
    emotes->options = *options;
    emotes->options.data = NULL; /* it is part of this one */
    emotes->cache = options->data == NULL ? NULL : join_path(options->data, "emotes");
    emotes->options.tls_ca_file = hb_copy_text_or_null(options->tls_ca_file);
    for (size_t i = 0; i < HB_EMOTE_SERVICES; i++) {
        service *const one = &emotes->services[i];
        one->url = options->urls[i] == NULL ? NULL : hb_http_url(options->urls[i], "");
        one->backoff = backoff_of(options);
    }
    if (metrics == NULL)
        metrics = emotes->own_metrics = hb_metrics_open();
    emotes->calls = hb_metrics_counter(metrics, "hubbub_emotes_calls_total",
                                       "Calls to BetterTTV, FrankerFaceZ and 7TV for channels' emotes.");
    emotes->errors = hb_metrics_counter(metrics, "hubbub_emotes_errors_total", "Calls for emotes that failed.");
    emotes->facts = hb_metrics_counter(metrics, "hubbub_emotes_facts_total", "Facts of emotes put into the log.");
    emotes->board = hb_emote_board_open();
    pthread_mutex_init(&emotes->lock, NULL);
    add_entry(emotes, (hb_bytes){"", 0});
}

hb_emotes *hb_emotes_open(const hb_emotes_options *options, hb_metrics *metrics, hb_error *error)
{
    if (!check_options(options, error))
        return NULL;
    hb_emotes *emotes = hb_alloc(sizeof *emotes);
    set_up(emotes, options, metrics);
    emotes->http = hb_http_open(emotes->options.tls_ca_file, options->timeout_ms, BODY_MAX, error);
    if (emotes->http != NULL) {
        const int code = pthread_create(&emotes->thread, NULL, run, emotes);
        emotes->thread_runs = code == 0;
        errno = code;
        if (emotes->thread_runs)
            return emotes;
        hb_fail_errno(error, "no thread can be had to ask for emotes");
    }
    hb_emotes_close(emotes);
    return NULL;
}

void hb_emotes_close(hb_emotes *emotes)
{
    if (emotes == NULL)
        return;
    if (emotes->thread_runs) {
        hb_http_stop(emotes->http);
        pthread_join(emotes->thread, NULL);
    }
    hb_http_close(emotes->http);
    hb_emote_board_close(emotes->board);
    pthread_mutex_destroy(&emotes->lock);
    hb_metrics_close(emotes->own_metrics);
    for (size_t i = 0; i < emotes->count; i++)
        for (size_t k = 0; k < HB_EMOTE_SERVICES; k++)
            hb_buffer_free(&emotes->entries[i].lists[k].names);
    for (size_t k = 0; k < HB_EMOTE_SERVICES; k++)
        free(emotes->services[k].url);
    free(emotes->entries);
    free(emotes->cache);
    free((void *)emotes->options.tls_ca_file);
    hb_buffer_free(&emotes->body);
    hb_buffer_free(&emotes->lines);
    free(emotes);
}

void hb_emotes_see(hb_emotes *emotes, hb_bytes line, int64_t received_ms, hb_emotes_put *put, void *context)
{
    hb_fact fact;
    if (hb_fact_read_received(line, received_ms, &fact) != HB_FACT_OK)
        return;
    emotes->lines.size = 0;
    pthread_mutex_lock(&emotes->lock);
    const bool new = hb_emote_board_see(emotes->board, &fact, &emotes->lines);
    pthread_mutex_unlock(&emotes->lock);
    if (new)
        hb_http_wake(emotes->http);
    bool kept = true;
    hb_bytes rest = hb_buffer_bytes(&emotes->lines);
    for (hb_bytes before; hb_bytes_cut(&rest, '\n', &before);) {
        kept = put(context, before, received_ms) && kept;
        hb_metric_add(emotes->facts, 1);
    }
    if (kept)
        return;
    pthread_mutex_lock(&emotes->lock);
    hb_emote_board_repeat(emotes->board, &fact);
    pthread_mutex_unlock(&emotes->lock);
}
