/* batch.c - an hour in rounds. In each round, the workers read stretches of the part, and what they read goes by
 * channel into shares (records.h); then they take share after share, each with a fold of its own. All facts of a
 * channel fall into one share, so a fold knows all the ids of its channels: duplicates are settled without locks.
 * Nothing is held between rounds but counts, so memory goes with what there is to count, not with the lines. Most hours
 * need one round: then each channel is counted in one go. Of an hour that needs more, the rest is first looked through
 * for emotes, which have to be known before the messages that they are in.
 *
 * Channels go by their name into shares times passes classes; a pass counts one class of each share. Most hours need
 * one pass. */
#include "views/batch.h"

#include "base/clock.h"
#include "base/error.h"
#include "log/log.h"
#include "views/speed_rows.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    SHARES_PER_JOB = 16,     /* so that a large channel does not keep the others waiting, and tables fit the cache */
    SHARES_MAX = 256,        /* unless there are more jobs: each has a word splitter */
    ROUND_BYTES = 352 << 20, /* of records, after which a round ends: 2 million messages take some 300 MB */
    STRETCHES_PER_JOB = 8,   /* so that all workers end their reading together */
    STRETCH_MAX = 64 << 20,  /* bytes of lines; frames at a stretch's ends are unpacked twice */
    STRETCH_MIN = 1 << 20,
    COUNTS_PER_LINES = 3 /* lines of an hour take at least so many times the room of its counts */
};

typedef struct share {
    hb_fold *fold;
    uint64_t taken; /* bytes of records, of the hour in hand */
    hb_speed_rows rows;
    size_t minutes_given; /* of the rows, in pieces */
    size_t words_given;
    size_t users_given;
    size_t channels_given;
    size_t sheets_given;
} share;

typedef struct worker {
    hb_batch *batch;
    pthread_t thread;
    hb_log *log;
    hb_log_cursor *cursor; /* stays from one stretch to the next where that follows */
    hb_bytes rest;         /* lines that the cursor has read, but not the worker */
    uint64_t at;           /* where these begin, or will */
    uint64_t stretch_end;  /* of the last stretch */
    _Atomic uint64_t next; /* in its range of the part: the next stretch; */
    uint64_t end;          /* the range ends */
    uint64_t resume;       /* `next` while it looks ahead */
    bool looks_ahead;      /* reads nothing but emotes, and those into the shares' folds */
    hb_records *records;   /* for each share */
    hb_fold_counts read;   /* of lines and facts; only grows */
    hb_top_room *room;
} worker;

struct hb_batch {
    hb_batch_options options;
    worker *workers;
    share *shares;
    uint32_t share_count;
    uint32_t *order; /* shares, the largest first, so that no thread is left with one at the end */
    pthread_barrier_t barrier;
    pthread_mutex_t lock; /* of error, damaged, damage, ready */
    pthread_cond_t ready_news;
    uint32_t *ready; /* shares whose rows are made in this pass, */
    uint32_t ready_count;
    uint32_t given_count; /* and how many of them were handed on */
    bool begun;           /* the first piece was handed on */

    /* The hour in hand. */
    int64_t hour_s;
    uint64_t end;
    uint64_t stretch;
    size_t round_max; /* bytes of records */
    uint32_t passes;
    uint32_t pass;
    _Atomic size_t held; /* bytes of records, in this round */
    _Atomic uint32_t next_share;
    atomic_bool given_up;
    hb_error error;
    bool damaged;
    hb_error damage;

    hb_speed_rows all; /* the rows of all shares: only its arrays are its own */
    hb_progress progress;
};

/* ---- Opening ---- */

static bool open_all(hb_batch *batch, hb_error *error)
{
    for (unsigned i = 0; i < batch->options.jobs; i++) {
        worker *const one = &batch->workers[i];
        one->batch = batch;
        one->records = hb_alloc(batch->share_count * sizeof *one->records);
        one->room = hb_top_room_open();
        one->log = hb_log_open(batch->options.log, HB_LOG_READ, NULL, error);
        if (one->log == NULL)
            return false;
    }
    for (uint32_t i = 0; i < batch->share_count; i++) {
        batch->shares[i].fold = hb_fold_open(error);
        if (batch->shares[i].fold == NULL)
            return false;
    }
    return true;
}

hb_batch *hb_batch_open(const hb_batch_options *options, hb_error *error)
{
    hb_batch *batch = hb_alloc(sizeof *batch);
    batch->options = *options;
    batch->workers = hb_alloc(options->jobs * sizeof *batch->workers);
    batch->share_count = options->jobs * SHARES_PER_JOB;
    if (batch->share_count > SHARES_MAX)
        batch->share_count = options->jobs > SHARES_MAX ? options->jobs : SHARES_MAX;
    batch->shares = hb_alloc(batch->share_count * sizeof *batch->shares);
    batch->order = hb_alloc(batch->share_count * sizeof *batch->order);
    for (uint32_t i = 0; i < batch->share_count; i++)
        batch->order[i] = i;
    batch->ready = hb_alloc(batch->share_count * sizeof *batch->ready);
    pthread_mutex_init(&batch->lock, NULL);
    pthread_cond_init(&batch->ready_news, NULL);
    if (open_all(batch, error))
        return batch;
    hb_batch_close(batch);
    return NULL;
}

void hb_batch_close(hb_batch *batch)
{
    if (batch == NULL)
        return;
    hb_error unimportant = {0};
    for (unsigned i = 0; i < batch->options.jobs; i++) {
        worker *const one = &batch->workers[i];
        for (uint32_t k = 0; k < batch->share_count && one->records != NULL; k++)
            hb_records_free(&one->records[k]);
        free(one->records);
        hb_top_room_close(one->room);
        if (one->log != NULL)
            hb_log_close(one->log, &unimportant); /* only read: nothing to lose */
    }
    for (uint32_t i = 0; i < batch->share_count; i++) {
        hb_fold_close(batch->shares[i].fold);
        hb_speed_rows_free(&batch->shares[i].rows);
    }
    batch->all.sheet_count = 0; /* the sheets were the shares' */
    hb_speed_rows_free(&batch->all);
    pthread_cond_destroy(&batch->ready_news);
    pthread_mutex_destroy(&batch->lock);
    free(batch->ready);
    free(batch->order);
    free(batch->workers);
    free(batch->shares);
    free(batch);
}

/* ---- Reading ---- */

static void give_up(hb_batch *batch, const hb_error *error)
{
    pthread_mutex_lock(&batch->lock);
    if (!atomic_load(&batch->given_up))
        batch->error = *error;
    if (batch->error.code == HB_ERROR_MISSING)
        batch->error.code = HB_ERROR_SYSTEM; /* the hour was there when we began */
    atomic_store(&batch->given_up, true);
    pthread_mutex_unlock(&batch->lock);
}

static void note_damage(hb_batch *batch, const hb_error *error)
{
    pthread_mutex_lock(&batch->lock);
    batch->damage = *error;
    batch->damaged = true;
    pthread_mutex_unlock(&batch->lock);
}

static void learn_emotes(hb_batch *batch, const hb_records_reader *reader, hb_bytes lines)
{
    hb_bytes line;
    hb_fact fact;
    while (hb_log_find_line(&lines, HB_BYTES(" EMOTES "), &line)) {
        char lower[HB_LOGIN_MAX];
        uint32_t number = 0;
        if (line.size > HB_FOLD_LINE_MAX || hb_fact_read(line, &fact) != HB_FACT_OK || fact.kind != HB_FACT_EMOTES ||
            hb_time_floor(fact.time_ms / 1000, HB_HOUR_S) != batch->hour_s)
            continue;
        const hb_bytes channel = hb_bytes_lower(fact.channel, lower);
        const uint64_t hash = hb_hash(channel, 0);
        if (!hb_records_place(reader, hash, &number))
            continue;
        pthread_mutex_lock(&batch->lock);
        hb_fold_learn_emotes(batch->shares[number].fold, channel, hash, &fact);
        pthread_mutex_unlock(&batch->lock);
    }
}

static void read_lines(worker *one, hb_bytes lines)
{
    hb_batch *const batch = one->batch;
    const uint64_t before = one->read.lines;
    const hb_records_reader reader = {.lists = one->records,
                                      .list_count = batch->share_count,
                                      .passes = batch->passes,
                                      .pass = batch->pass,
                                      .only_hour_s = batch->hour_s,
                                      .counts = &one->read};
    if (one->looks_ahead) {
        learn_emotes(batch, &reader, lines);
        return;
    }
    hb_records_read(&reader, lines);
    if (batch->options.meter != NULL) {
        atomic_fetch_add(&batch->options.meter->lines, one->read.lines - before);
        atomic_fetch_add(&batch->options.meter->bytes, lines.size / batch->passes);
    }
}

static bool go_to(worker *one, uint64_t from, hb_error *error)
{
    if (one->cursor != NULL && one->stretch_end == from)
        return true;
    hb_log_cursor_close(one->cursor);
    one->cursor = hb_log_cursor_open(one->log, one->batch->hour_s, from, error);
    one->rest.size = 0;
    one->at = from;
    return one->cursor != NULL;
}

/* Reads all lines that begin within a stretch of the part. */
static bool read_stretch(worker *one, uint64_t from, uint64_t to, hb_error *error)
{
    if (!go_to(one, from, error))
        return false;
    one->stretch_end = to;
    while (one->at < to) {
        if (one->rest.size == 0) {
            uint64_t next = 0;
            if (!hb_log_read(one->cursor, &one->rest, &next, error)) {
                one->rest.size = 0;
                if (error->code != HB_ERROR_CORRUPT)
                    return false;
                note_damage(one->batch, error); /* the next call goes on behind it */
                continue;
            }
            one->at = next - one->rest.size;
            if (one->rest.size == 0 || one->at >= to)
                break;
        }
        hb_bytes lines = one->rest;
        if (to - one->at < lines.size) {
            const size_t inside = (size_t)(to - 1 - one->at);
            const char *end = memchr(lines.data + inside, '\n', lines.size - inside);
            lines.size = end == NULL ? lines.size : (size_t)(end - lines.data) + 1;
        }
        read_lines(one, lines);
        one->rest = hb_bytes_from(one->rest, lines.size);
        one->at += lines.size;
    }
    return true;
}

/* The next stretch of the worker's own range; once that is read, one of another's. False when all are taken. */
static bool next_stretch(const worker *one, uint64_t *from, uint64_t *to)
{
    hb_batch *const batch = one->batch;
    const unsigned jobs = batch->options.jobs;
    for (unsigned i = 0; i < jobs; i++) {
        worker *const owner = &batch->workers[((unsigned)(one - batch->workers) + i) % jobs];
        *from = atomic_load(&owner->next);
        if (*from < owner->end)
            *from = atomic_fetch_add(&owner->next, batch->stretch);
        if (*from < owner->end) {
            *to = owner->end - *from < batch->stretch ? owner->end : *from + batch->stretch;
            return true;
        }
    }
    return false;
}

static bool all_read(const hb_batch *batch)
{
    for (unsigned i = 0; i < batch->options.jobs; i++)
        if (atomic_load(&batch->workers[i].next) < batch->workers[i].end)
            return false;
    return true;
}

static size_t size_of_records(const worker *one)
{
    size_t size = 0;
    for (uint32_t i = 0; i < one->batch->share_count; i++)
        size += one->records[i].size;
    return size;
}

/* Reads stretch after stretch, until the round holds enough or the part ends. */
static void read_stretches(worker *one)
{
    hb_batch *const batch = one->batch;
    hb_error error = {0};
    size_t size = 0;
    uint64_t from = 0;
    uint64_t to = 0;
    while (!atomic_load(&batch->given_up) && (one->looks_ahead || atomic_load(&batch->held) < batch->round_max) &&
           next_stretch(one, &from, &to)) {
        const bool stop = batch->options.stop != NULL && atomic_load(batch->options.stop);
        if (stop ? !hb_fail(&error, HB_ERROR_BUSY, "told to stop") : !read_stretch(one, from, to, &error))
            give_up(batch, &error);
        const size_t before = size;
        size = size_of_records(one);
        atomic_fetch_add(&batch->held, size - before);
    }
}

/* Looks through all that is left of the part after the first round, and goes back. All workers do so together. */
static void look_ahead(worker *one)
{
    one->resume = atomic_load(&one->next);
    one->looks_ahead = true;
    pthread_barrier_wait(&one->batch->barrier);
    read_stretches(one);
    pthread_barrier_wait(&one->batch->barrier);
    one->looks_ahead = false;
    atomic_store(&one->next, one->resume);
}

static void close_cursor(worker *one)
{
    hb_log_cursor_close(one->cursor);
    one->cursor = NULL;
}

/* Divides the part among the workers. */
static void begin_reading(hb_batch *batch)
{
    const unsigned jobs = batch->options.jobs;
    const uint64_t each = batch->end / jobs + 1;
    for (unsigned i = 0; i < jobs; i++) {
        worker *const one = &batch->workers[i];
        const uint64_t end = (i + 1) * each;
        atomic_store(&one->next, i * each);
        one->end = end < batch->end ? end : batch->end;
    }
}

/* ---- Counting ---- */

/* The number of a share that no other worker takes in this step; false when there is none left. */
static bool next_share(hb_batch *batch, uint32_t *number)
{
    const uint32_t place = atomic_fetch_add(&batch->next_share, 1);
    if (place >= batch->share_count)
        return false;
    *number = batch->order[place];
    return true;
}

static void count_share(hb_batch *batch, uint32_t number)
{
    const hb_records *lists[HB_BATCH_JOBS_MAX];
    for (unsigned i = 0; i < batch->options.jobs; i++) {
        lists[i] = &batch->workers[i].records[number];
        batch->shares[number].taken += lists[i]->size;
    }
    hb_fold_records(batch->shares[number].fold, lists, batch->options.jobs);
    for (unsigned i = 0; i < batch->options.jobs; i++)
        hb_records_clear(&batch->workers[i].records[number]);
}

static void count_shares(hb_batch *batch)
{
    for (uint32_t number; next_share(batch, &number);)
        count_share(batch, number);
}

static int compare_taken(const void *a, const void *b, void *context)
{
    const share *const shares = context;
    const uint64_t one = shares[*(const uint32_t *)a].taken;
    const uint64_t other = shares[*(const uint32_t *)b].taken;
    return one != other ? (one > other ? -1 : 1) : 0;
}

/* Counts the last round's lines of the next share, and makes its rows; false when there is none left. */
static bool make_rows(worker *one)
{
    hb_batch *const batch = one->batch;
    uint32_t number = 0;
    if (!next_share(batch, &number))
        return false;
    share *const mine = &batch->shares[number];
    count_share(batch, number);
    for (size_t i = 0; i < hb_fold_slot_count(mine->fold) && !atomic_load(&batch->given_up); i++) {
        hb_fold_slot *const slot = hb_fold_slot_at(mine->fold, i);
        hb_top top = {0};
        hb_speed_rows_add_whole(&mine->rows, slot, &top, batch->options.top, one->room);
        hb_speed_rows_add_sheet(&mine->rows, slot, false);
        hb_top_free(&top);
    }
    hb_fold_forget(mine->fold, HB_FOLD_ANY_HOUR);
    pthread_mutex_lock(&batch->lock);
    batch->ready[batch->ready_count++] = number;
    pthread_cond_signal(&batch->ready_news);
    pthread_mutex_unlock(&batch->lock);
    return true;
}

/* Hands on what a share has made since it was here last. */
static void give_piece(hb_batch *batch, share *from)
{
    hb_error error = {0};
    const hb_speed_rows *const rows = &from->rows;
    const hb_changes piece = {.layer = HB_LAYER_BATCH,
                              .minutes = rows->minutes + from->minutes_given,
                              .minute_count = rows->minute_count - from->minutes_given,
                              .words = rows->words + from->words_given,
                              .word_count = rows->word_count - from->words_given,
                              .users = rows->users + from->users_given,
                              .user_count = rows->user_count - from->users_given,
                              .channels = rows->channels + from->channels_given,
                              .channel_count = rows->channel_count - from->channels_given,
                              .sheets = rows->sheets + from->sheets_given,
                              .sheet_count = rows->sheet_count - from->sheets_given,
                              .replace = batch->begun ? HB_REPLACE_NOTHING : HB_REPLACE_HOUR,
                              .hour_s = batch->hour_s};
    from->minutes_given = rows->minute_count;
    from->words_given = rows->word_count;
    from->users_given = rows->user_count;
    from->channels_given = rows->channel_count;
    from->sheets_given = rows->sheet_count;
    batch->begun = true;
    if (!batch->options.piece(batch->options.context, &piece, &error))
        give_up(batch, &error);
}

/* Hands on rows as soon as they are made, and makes some when there are none to hand on. */
static void give_rows(worker *one)
{
    hb_batch *const batch = one->batch;
    for (bool more = true; batch->given_count < batch->share_count;) {
        pthread_mutex_lock(&batch->lock);
        while (!more && batch->ready_count == batch->given_count)
            pthread_cond_wait(&batch->ready_news, &batch->lock);
        const bool ready = batch->ready_count > batch->given_count;
        const uint32_t number = ready ? batch->ready[batch->given_count++] : 0;
        pthread_mutex_unlock(&batch->lock);
        if (!ready)
            more = make_rows(one);
        else if (!atomic_load(&batch->given_up))
            give_piece(batch, &batch->shares[number]);
    }
}

/* Waits for all workers; one of them then makes the counters ready for the next step, which no other touches before the
 * next meeting. */
static void meet(hb_batch *batch, bool pass_ends)
{
    const int role = pthread_barrier_wait(&batch->barrier);
    if (role != PTHREAD_BARRIER_SERIAL_THREAD)
        return;
    qsort_r(batch->order, batch->share_count, sizeof *batch->order, compare_taken, batch->shares);
    atomic_store(&batch->next_share, 0);
    atomic_store(&batch->held, 0);
    if (pass_ends) {
        begin_reading(batch);
        batch->ready_count = 0;
        batch->given_count = 0;
        batch->pass++;
    }
}

static void work(worker *one)
{
    hb_batch *const batch = one->batch;
    const uint32_t passes = batch->passes;
    for (uint32_t pass = 0; pass < passes; pass++) {
        for (bool first = true;; first = false) {
            read_stretches(one);
            pthread_barrier_wait(&batch->barrier);
            /* The last round is counted share by share with the rows, so that storing can begin with the first. */
            if (all_read(batch) || atomic_load(&batch->given_up))
                break;
            if (first)
                look_ahead(one);
            count_shares(batch);
            meet(batch, false);
            pthread_barrier_wait(&batch->barrier);
        }
        close_cursor(one);
        if (one == &batch->workers[0] && batch->options.piece != NULL)
            give_rows(one);
        else
            while (make_rows(one))
                ;
        meet(batch, true);
        pthread_barrier_wait(&batch->barrier);
    }
}

/* ---- The hour ---- */

static bool find_end(hb_batch *batch, hb_error *error)
{
    if (!hb_log_end(batch->workers[0].log, batch->hour_s, &batch->end, error))
        return false;
    const uint64_t jobs = batch->options.jobs;
    const size_t memory = batch->options.memory;
    batch->round_max = memory / 2 < ROUND_BYTES ? memory / 2 : ROUND_BYTES;
    uint64_t stretch = batch->end / (jobs * STRETCHES_PER_JOB) + 1;
    if (stretch > STRETCH_MAX)
        stretch = STRETCH_MAX;
    if (stretch > batch->round_max / jobs)
        stretch = batch->round_max / jobs;
    batch->stretch = stretch < STRETCH_MIN ? STRETCH_MIN : stretch;
    batch->passes = (uint32_t)(batch->end / COUNTS_PER_LINES / (memory - batch->round_max + 1)) + 1;
    return true;
}

static void add_counts(hb_fold_counts *sum, const hb_fold_counts *more)
{
    sum->lines += more->lines;
    sum->facts += more->facts;
    sum->messages += more->messages;
    sum->shared += more->shared;
    sum->words += more->words;
    sum->duplicates += more->duplicates;
    sum->others += more->others;
    sum->malformed += more->malformed;
    sum->bad_timestamps += more->bad_timestamps;
    sum->bad_utf8 += more->bad_utf8;
    sum->misplaced += more->misplaced;
    sum->untaken += more->untaken;
}

static hb_fold_counts sum_counts(const hb_batch *batch)
{
    hb_fold_counts sum = {0};
    for (uint32_t i = 0; i < batch->share_count; i++) {
        const hb_fold_counts one = hb_fold_count(batch->shares[i].fold);
        add_counts(&sum, &one);
    }
    for (unsigned i = 0; i < batch->options.jobs; i++)
        add_counts(&sum, &batch->workers[i].read);
    return sum;
}

static hb_fold_counts subtract(hb_fold_counts a, const hb_fold_counts *b)
{
    return (hb_fold_counts){.lines = a.lines - b->lines,
                            .facts = a.facts - b->facts,
                            .messages = a.messages - b->messages,
                            .shared = a.shared - b->shared,
                            .words = a.words - b->words,
                            .duplicates = a.duplicates - b->duplicates,
                            .others = a.others - b->others,
                            .malformed = a.malformed - b->malformed,
                            .bad_timestamps = a.bad_timestamps - b->bad_timestamps,
                            .bad_utf8 = a.bad_utf8 - b->bad_utf8,
                            .misplaced = a.misplaced - b->misplaced,
                            .untaken = a.untaken - b->untaken};
}

static void *work_beside(void *context)
{
    worker *const one = context;
    /* Held until it is known how many workers there are. */
    pthread_mutex_lock(&one->batch->lock);
    pthread_mutex_unlock(&one->batch->lock);
    work(one);
    return NULL;
}

/* Counts with as many threads as can be had. */
static void run_workers(hb_batch *batch)
{
    unsigned count = 1;
    pthread_mutex_lock(&batch->lock);
    while (count < batch->options.jobs &&
           pthread_create(&batch->workers[count].thread, NULL, work_beside, &batch->workers[count]) == 0)
        count++;
    pthread_barrier_init(&batch->barrier, NULL, count);
    pthread_mutex_unlock(&batch->lock);
    work(&batch->workers[0]);
    for (unsigned i = 1; i < count; i++)
        pthread_join(batch->workers[i].thread, NULL);
    pthread_barrier_destroy(&batch->barrier);
}

#define GATHER(batch, list, counter, capacity)                                                                         \
    for (uint32_t i = 0; i < (batch)->share_count; i++) {                                                              \
        const hb_speed_rows *const from = &(batch)->shares[i].rows;                                                    \
        HB_RESERVE((batch)->all.list, (batch)->all.capacity, (batch)->all.counter + from->counter);                    \
        if (from->counter > 0)                                                                                         \
            memcpy((batch)->all.list + (batch)->all.counter, from->list, from->counter * sizeof *from->list);          \
        (batch)->all.counter += from->counter;                                                                         \
    }

/* Puts the shares' rows into one list each. */
static void gather(hb_batch *batch, hb_changes *changes)
{
    GATHER(batch, minutes, minute_count, minute_capacity)
    GATHER(batch, words, word_count, word_capacity)
    GATHER(batch, users, user_count, user_capacity)
    GATHER(batch, channels, channel_count, channel_capacity)
    GATHER(batch, sheets, sheet_count, sheet_capacity)
    hb_speed_rows_give(&batch->all, changes);
}

/* What the shares' rows leave to say. */
static void give_rest(hb_batch *batch, hb_changes *changes)
{
    *changes = (hb_changes){0};
    if (batch->options.piece == NULL) {
        gather(batch, changes);
        changes->replace = HB_REPLACE_HOUR;
    }
    changes->layer = HB_LAYER_BATCH;
    changes->progress = &batch->progress;
    changes->progress_count = 1;
    changes->hour_s = batch->hour_s;
}

bool hb_batch_hour(hb_batch *batch, int64_t hour_s, uint64_t late, hb_batch_result *result, hb_error *error)
{
    batch->all.sheet_count = 0; /* the shares free their sheets */
    hb_speed_rows_clear(&batch->all);
    for (uint32_t i = 0; i < batch->share_count; i++) {
        share *const one = &batch->shares[i];
        hb_speed_rows_clear(&one->rows);
        one->taken = 0;
        one->minutes_given = one->words_given = one->users_given = one->channels_given = one->sheets_given = 0;
    }
    batch->ready_count = 0;
    batch->given_count = 0;
    batch->begun = false;
    batch->hour_s = hour_s;
    batch->pass = 0;
    batch->damaged = false;
    atomic_store(&batch->next_share, 0);
    atomic_store(&batch->held, 0);
    atomic_store(&batch->given_up, false);
    const hb_fold_counts before = sum_counts(batch);
    if (!find_end(batch, error))
        return false;
    begin_reading(batch);
    run_workers(batch);
    if (atomic_load(&batch->given_up)) {
        *error = batch->error;
        return false;
    }
    *result = (hb_batch_result){
        .counts = subtract(sum_counts(batch), &before), .damaged = batch->damaged, .damage = batch->damage};
    batch->progress = (hb_progress){.part = hour_s, .position = batch->end, .done = true, .late = late};
    give_rest(batch, &result->changes);
    return true;
}
