/* test_batch.c - the batch layer against one fold of the same lines: with any number of threads, in one pass or
 * several, from plain lines and from frames; then what it says of a store that differs, and the schedule beside a
 * processor. */
#include "facts.h"
#include "scratch.h"
#include "unit.h"

#include "base/clock.h"
#include "cmd/compare.h"
#include "cmd/hours.h"
#include "cmd/schedule.h"
#include "log/log.h"
#include "views/batch.h"
#include "views/top.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOUR_S = 1764000000, MANY = 30000, FEW = 400, PATIENCE_MS = 20000 };

typedef struct test_places {
    char root[SCRATCH_NAME];
    char log[80];
    char store[80];
} test_places;

static test_places make_places(void)
{
    test_places made;
    assert_true(scratch_make(made.root));
    snprintf(made.log, sizeof made.log, "%s/log", made.root);
    snprintf(made.store, sizeof made.store, "%s/hubbub.db", made.root);
    hb_error error = {0};
    hb_log *log = hb_log_open(made.log, HB_LOG_APPEND, NULL, &error);
    assert_non_null(log);
    assert_true(hb_log_close(log, &error));
    return made;
}

static void remove_places(const test_places *places)
{
    assert_true(scratch_remove(places->root));
}

/* Emotes of a channel: words that facts say, which count as such from then on. */
static void print_emotes(chat_dice *dice, const chat_fact *fact, hb_buffer *lines)
{
    hb_buffer_print(lines, "@tmi-sent-ts=%lld :hubbub EMOTES #%s :w%u w%u w%u\n", (long long)fact->time_ms,
                    fact->channel, roll(dice, 20), roll(dice, 60), roll(dice, 60));
}

/* Random facts of one hour as lines; one in five repeats an earlier one. */
static hb_buffer random_lines(unsigned seed, size_t count, int64_t hour_s)
{
    chat_dice dice = {seed};
    chat_fact *facts = hb_resize(NULL, count, sizeof *facts);
    hb_buffer lines = {0};
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && roll(&dice, 5) == 0) {
            facts[i] = facts[roll(&dice, (unsigned)i)];
        } else {
            facts[i] = random_fact(&dice, hour_s, 3600);
            snprintf(facts[i].channel, sizeof facts[i].channel, "chan%zu", i % 37 % (1 + roll(&dice, 37)));
        }
        print_fact(&lines, &facts[i]);
        if (roll(&dice, 100) == 0)
            print_emotes(&dice, &facts[i], &lines);
    }
    free(facts);
    return lines;
}

static void append_plain(const test_places *places, int64_t hour_s, hb_bytes text)
{
    char name[HB_TIME_TEXT];
    char path[128];
    hb_time_print_hour(hour_s, name);
    snprintf(path, sizeof path, "%s/%s.irc", places->log, name);
    const int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    assert_true(file >= 0);
    assert_int_equal(write(file, text.data, text.size), text.size);
    close(file);
}

static void compress(const test_places *places)
{
    hb_error error = {0};
    hb_log *log = hb_log_open(places->log, HB_LOG_APPEND, NULL, &error);
    assert_non_null(log);
    assert_true(hb_log_close_hours(log, hb_now_ms(), &error));
    assert_true(hb_log_close(log, &error));
}

static hb_batch *open_batch(const test_places *places, unsigned jobs, size_t memory)
{
    hb_error error = {0};
    const hb_batch_options options = {.log = places->log, .top = HB_TOP_ALL, .jobs = jobs, .memory = memory};
    hb_batch *batch = hb_batch_open(&options, &error);
    if (batch == NULL)
        fail_msg("%s", error.text);
    return batch;
}

static hb_batch_result batch_hour(hb_batch *batch, int64_t hour_s)
{
    hb_error error = {0};
    hb_batch_result result;
    if (!hb_batch_hour(batch, hour_s, 0, &result, &error))
        fail_msg("%s", error.text);
    return result;
}

/* ---- What should come out ---- */

static hb_sheet *sheet_of(hb_fold *fold, hb_bytes channel)
{
    size_t cursor = 0;
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;)
        if (hb_bytes_equal(hb_sheet_channel(sheet), channel))
            return sheet;
    return NULL;
}

/* Every sheet is that of the fold, and the rows are as many as they should be. */
static void check_changes(const hb_changes *changes, hb_fold *fold)
{
    size_t sheets = 0;
    size_t words = 0;
    size_t users = 0;
    uint64_t messages = 0;
    for (size_t cursor = 0; hb_fold_next_sheet(fold, &cursor) != NULL;)
        sheets++;
    assert_int_equal(changes->layer, HB_LAYER_BATCH);
    assert_int_equal(changes->replace, HB_REPLACE_HOUR);
    assert_int_equal(changes->sheet_count, sheets);
    assert_int_equal(changes->channel_count, sheets);
    for (size_t i = 0; i < sheets; i++) {
        hb_sheet *const sheet = sheet_of(fold, changes->sheets[i].channel);
        char *data = NULL;
        size_t size = 0;
        hb_word word;
        hb_user user;
        assert_non_null(sheet);
        assert_false(changes->sheets[i].open);
        assert_true(hb_bytes_equal(changes->channels[i].channel, changes->sheets[i].channel));
        hb_sheet_encode(sheet, &data, &size);
        assert_true(hb_bytes_equal(changes->sheets[i].sheet, (hb_bytes){data, size}));
        hb_free(data);
        for (size_t cursor = 0; hb_sheet_next_word(sheet, &cursor, &word);)
            words++;
        for (size_t cursor = 0; hb_sheet_next_user(sheet, &cursor, &user);)
            users++;
    }
    assert_int_equal(changes->word_count, words);
    assert_int_equal(changes->user_count, users);
    for (size_t i = 0; i < changes->minute_count; i++)
        messages += changes->minutes[i].count.messages;
    assert_int_equal(messages, hb_fold_count(fold).messages);
}

static hb_fold *fold_of(hb_bytes lines, int64_t hour_s)
{
    hb_error error = {0};
    hb_fold *fold = hb_fold_open(&error);
    assert_non_null(fold);
    hb_fold_hour(fold, hour_s);
    hb_fold_lines(fold, lines);
    return fold;
}

/* ---- Tests ---- */

static void an_hour_is_as_one_fold_makes_it(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_buffer lines = random_lines(11, MANY, HOUR_S); /* some MiB: several stretches */
    hb_buffer_append(&lines, HB_BYTES("PING :no fact\n@id=1 :a!a@a PRIVMSG #untimed :x\n\n   \n"));
    hb_fold *fold = fold_of(hb_buffer_bytes(&lines), HOUR_S);
    const hb_fold_counts expected = hb_fold_count(fold);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&lines));
    assert_true(expected.duplicates > MANY / 20 && lines.size > 3 << 20);
    for (unsigned form = 0; form < 2; form++) { /* plain, compressed */
        for (unsigned jobs = 1; jobs <= 4; jobs++)
            for (size_t memory = 1 << 18; memory <= 1 << 30; memory <<= 12) { /* several passes, one */
                hb_batch *batch = open_batch(&places, jobs, memory);
                for (unsigned again = 0; again < 2; again++) {
                    const hb_batch_result result = batch_hour(batch, HOUR_S);
                    check_changes(&result.changes, fold);
                    assert_memory_equal(&result.counts, &expected, sizeof expected);
                    assert_int_equal(result.changes.progress[0].position, lines.size);
                    assert_true(result.changes.progress[0].done);
                    assert_false(result.damaged);
                }
                hb_batch_close(batch);
            }
        compress(&places);
    }
    hb_fold_close(fold);
    hb_buffer_free(&lines);
    remove_places(&places);
}

/* What pieces held. */
typedef struct pieces {
    size_t count;
    size_t minutes;
    size_t words;
    size_t users;
    size_t sheets;
    size_t refuse_from;
} pieces;

static bool take_piece(void *context, const hb_changes *changes, hb_error *error)
{
    pieces *const taken = context;
    assert_int_equal(changes->replace, taken->count == 0 ? HB_REPLACE_HOUR : HB_REPLACE_NOTHING);
    taken->count++;
    taken->minutes += changes->minute_count;
    taken->words += changes->word_count;
    taken->users += changes->user_count;
    taken->sheets += changes->sheet_count;
    if (taken->count <= taken->refuse_from)
        return true;
    *error = (hb_error){HB_ERROR_SYSTEM, "no more"};
    return false;
}

static void pieces_are_the_whole(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_buffer lines = random_lines(12, MANY / 10, HOUR_S);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&lines));
    hb_error whole_error = {0};
    hb_batch_result whole;
    hb_batch *whole_batch =
        hb_batch_open(&(hb_batch_options){.log = places.log, .top = 5, .jobs = 1, .memory = 1 << 28}, &whole_error);
    assert_non_null(whole_batch);
    assert_true(hb_batch_hour(whole_batch, HOUR_S, 3, &whole, &whole_error));
    for (unsigned jobs = 1; jobs <= 3; jobs++)
        for (size_t memory = 1 << 16; memory <= 1 << 28; memory <<= 12) {
            hb_error error = {0};
            hb_batch_result result;
            pieces taken = {.refuse_from = 1000};
            const hb_batch_options options = {
                .log = places.log, .top = 5, .jobs = jobs, .memory = memory, .piece = take_piece, .context = &taken};
            hb_batch *batch = hb_batch_open(&options, &error);
            assert_non_null(batch);
            assert_true(hb_batch_hour(batch, HOUR_S, 3, &result, &error));
            assert_int_equal(taken.minutes, whole.changes.minute_count);
            assert_int_equal(taken.words, whole.changes.word_count);
            assert_int_equal(taken.users, whole.changes.user_count);
            assert_int_equal(taken.sheets, whole.changes.sheet_count);
            assert_int_equal(result.changes.sheet_count, 0);
            assert_int_equal(result.changes.progress_count, 1);
            assert_int_equal(result.changes.progress[0].late, 3);
            taken = (pieces){.refuse_from = 2};
            assert_false(hb_batch_hour(batch, HOUR_S, 0, &result, &error));
            assert_string_equal(error.text, "no more");
            assert_int_equal(taken.count, 3);
            taken = (pieces){.refuse_from = 1000};
            assert_true(hb_batch_hour(batch, HOUR_S, 0, &result, &error));
            assert_int_equal(taken.sheets, whole.changes.sheet_count);
            hb_batch_close(batch);
        }
    hb_batch_close(whole_batch);
    hb_buffer_free(&lines);
    remove_places(&places);
}

static void what_cannot_be_done_is_said(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_error error = {0};
    hb_batch_result result;
    atomic_bool stop = false;
    hb_buffer lines = random_lines(13, FEW, HOUR_S);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&lines));
    const hb_batch_options options = {.log = places.log, .top = 5, .jobs = 2, .memory = 1 << 28, .stop = &stop};
    hb_batch *batch = hb_batch_open(&options, &error);
    assert_non_null(batch);
    assert_false(hb_batch_hour(batch, HOUR_S + 3600, 0, &result, &error));
    assert_int_equal(error.code, HB_ERROR_MISSING);
    atomic_store(&stop, true);
    assert_false(hb_batch_hour(batch, HOUR_S, 0, &result, &error));
    assert_int_equal(error.code, HB_ERROR_BUSY);
    atomic_store(&stop, false);
    assert_true(hb_batch_hour(batch, HOUR_S, 0, &result, &error));
    hb_batch_close(batch);
    const hb_batch_options nowhere = {.log = "/nonexistent/log", .top = 5, .jobs = 1, .memory = 1 << 28};
    assert_null(hb_batch_open(&nowhere, &error));
    assert_int_equal(error.code, HB_ERROR_MISSING);
    hb_buffer_free(&lines);
    remove_places(&places);
}

static void a_damaged_place_is_passed_over(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_buffer lines = random_lines(14, MANY, HOUR_S);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&lines));
    compress(&places);
    char path[160];
    snprintf(path, sizeof path, "%s/2025-11-24T16.irc.zst", places.log);
    const int file = open(path, O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, "damage damage", 13, 100000), 13);
    close(file);
    hb_batch *batch = open_batch(&places, 2, 1 << 28);
    const hb_batch_result result = batch_hour(batch, HOUR_S);
    assert_true(result.damaged);
    assert_int_equal(result.damage.code, HB_ERROR_CORRUPT);
    assert_true(result.counts.lines > MANY / 2 && result.counts.lines < MANY);
    hb_batch_close(batch);
    hb_buffer_free(&lines);
    remove_places(&places);
}

static void compare_with(const test_places *places, const hb_changes *changes, bool late, hb_difference *difference)
{
    hb_error error = {0};
    hb_store *store = hb_store_open(places->store, HB_STORE_READ, &error);
    assert_non_null(store);
    *difference = (hb_difference){0};
    assert_true(hb_compare(store, changes, late, true, difference, &error));
    hb_store_close(store);
}

static void differences_are_found_and_named(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_error error = {0};
    hb_difference difference;
    hb_buffer lines = random_lines(15, FEW, HOUR_S);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&lines));
    hb_batch *batch = open_batch(&places, 2, 1 << 28);
    hb_batch_result result = batch_hour(batch, HOUR_S);
    hb_store *store = hb_store_open(places.store, HB_STORE_WRITE, &error);
    assert_non_null(store);
    compare_with(&places, &result.changes, false, &difference); /* the store is empty */
    assert_int_equal(difference.values[HB_COMPARED_WORDS][HB_CAUSE_OTHER], result.changes.word_count);
    assert_int_equal(difference.values[HB_COMPARED_SHEETS][HB_CAUSE_OTHER], result.changes.sheet_count);
    assert_true(hb_store_apply(store, &result.changes, &error));
    compare_with(&places, &result.changes, true, &difference);
    assert_int_equal(hb_difference_sum(&difference), 0);
    assert_true(difference.compared > result.changes.minute_count * 4 + result.changes.word_count);

    /* A message more in the log: the store has less. */
    hb_buffer more = {0};
    hb_buffer_print(&more, "@rm-received-ts=%lld;user-id=5;room-id=1 :x!x@x PRIVMSG #chan1 :unheardof\n",
                    (long long)HOUR_S * 1000 + 5000);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&more));
    const hb_batch_result changed = batch_hour(batch, HOUR_S);
    compare_with(&places, &changed.changes, true, &difference);
    assert_int_equal(difference.values[HB_COMPARED_MINUTES][HB_CAUSE_LATE], 3); /* messages, words, chatters */
    assert_int_equal(difference.values[HB_COMPARED_WORDS][HB_CAUSE_LATE], 1);
    assert_int_equal(difference.values[HB_COMPARED_USERS][HB_CAUSE_LATE], 1);
    assert_int_equal(difference.values[HB_COMPARED_SHEETS][HB_CAUSE_LATE], 1);
    assert_int_equal(hb_difference_sum(&difference), 6);
    compare_with(&places, &changed.changes, false, &difference);
    assert_int_equal(difference.values[HB_COMPARED_MINUTES][HB_CAUSE_OTHER], 3);

    /* One counted twice, and a channel that the log does not know. */
    hb_minute_row twice = changed.changes.minutes[0];
    twice.count.messages++;
    const hb_minute_row alien = {HB_BYTES("alien"), HOUR_S, {.messages = 2}};
    const hb_minute_row wrong[] = {twice, alien};
    assert_true(hb_store_apply(store, &changed.changes, &error));
    assert_true(
        hb_store_apply(store, &(hb_changes){.layer = HB_LAYER_BATCH, .minutes = wrong, .minute_count = 2}, &error));
    compare_with(&places, &changed.changes, false, &difference);
    assert_int_equal(difference.values[HB_COMPARED_MINUTES][HB_CAUSE_DUPLICATES], 2);
    assert_int_equal(hb_difference_sum(&difference), 2);
    hb_store_close(store);
    hb_batch_close(batch);
    hb_buffer_free(&more);
    hb_buffer_free(&lines);
    remove_places(&places);
}

static void pieces_count_only_with_their_commit(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_error error = {0};
    hb_difference difference;
    hb_buffer lines = random_lines(16, FEW, HOUR_S);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&lines));
    hb_batch *batch = open_batch(&places, 1, 1 << 28);
    const hb_batch_result result = batch_hour(batch, HOUR_S);
    for (unsigned commits = 0; commits < 2; commits++) {
        hb_store *store = hb_store_open(places.store, HB_STORE_WRITE, &error);
        assert_non_null(store);
        assert_true(hb_store_begin(store, &error));
        assert_true(hb_store_put(store, &result.changes, &error));
        compare_with(&places, &result.changes, false, &difference);
        assert_int_equal(difference.values[HB_COMPARED_SHEETS][HB_CAUSE_OTHER], result.changes.sheet_count);
        if (commits > 0)
            assert_true(hb_store_commit(store, &error));
        hb_store_close(store);
        compare_with(&places, &result.changes, false, &difference);
        assert_int_equal(hb_difference_sum(&difference) == 0, commits > 0);
    }
    hb_batch_close(batch);
    hb_buffer_free(&lines);
    remove_places(&places);
}

/* ---- The schedule ---- */

static size_t list_due(const test_places *places, int64_t now_ms, size_t *going_on)
{
    hb_error error = {0};
    hb_hours hours;
    hb_log *log = hb_log_open(places->log, HB_LOG_READ, NULL, &error);
    hb_store *store = hb_store_open(places->store, HB_STORE_READ, &error);
    assert_non_null(log);
    assert_true(hb_hours_list(log, store, INT64_MIN, INT64_MAX, true, now_ms, &hours, &error));
    size_t due = 0;
    for (size_t i = 0; i < hours.count; i++)
        due += hb_hour_is_due(&hours.items[i]);
    *going_on = hours.going_on;
    hb_hours_free(&hours);
    hb_store_close(store);
    assert_true(hb_log_close(log, &error));
    return due;
}

static void set_age(const test_places *places, int64_t hour_s, int64_t age_s)
{
    char name[HB_TIME_TEXT];
    char path[128];
    const time_t then = (time_t)(hb_now_ms() / 1000 - age_s);
    const struct timespec times[] = {{then, 0}, {then, 0}};
    hb_time_print_hour(hour_s, name);
    snprintf(path, sizeof path, "%s/%s.irc", places->log, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void hours_settle_beside_a_processor(void **state)
{
    (void)state;
    const test_places places = make_places();
    hb_error error = {0};
    size_t going_on = 0;
    hb_metrics *metrics = hb_metrics_open();
    const int64_t now_s = hb_now_ms() / 1000;
    for (unsigned i = 0; i < 3; i++) { /* two hours of the past that rest, one that changes right now */
        hb_buffer lines = random_lines(20 + i, FEW, HOUR_S + i * 3600);
        append_plain(&places, HOUR_S + i * 3600, hb_buffer_bytes(&lines));
        if (i < 2)
            set_age(&places, HOUR_S + i * 3600, 3600);
        hb_buffer_free(&lines);
    }
    append_plain(&places, hb_time_floor(now_s, 3600), HB_BYTES("PING\n")); /* goes on */
    const hb_processor_options options = {places.log, places.store, 5, 64 << 20, false};
    hb_processor *processor = hb_processor_open(&options, metrics, &error);
    assert_non_null(processor);
    assert_int_equal(list_due(&places, hb_now_ms(), &going_on), 3);
    assert_int_equal(going_on, 1);
    hb_schedule *schedule = hb_schedule_open(&options, processor, metrics, &error);
    assert_non_null(schedule);
    hb_metric *const done = hb_metrics_counter(metrics, "hubbub_batch_hours_total", "");
    const int64_t end_ms = hb_monotonic_ms() + PATIENCE_MS;
    while (hb_metric_get(done) < 2 && hb_monotonic_ms() < end_ms)
        usleep(10000);
    hb_schedule_close(schedule);
    assert_int_equal(hb_metric_get(done), 2);
    assert_int_equal(hb_metric_get(hb_metrics_gauge(metrics, "hubbub_batch_last_hour_timestamp_seconds", "")),
                     HOUR_S + 3600);
    assert_int_equal(list_due(&places, hb_now_ms(), &going_on), 1);
    assert_true(hb_processor_close(processor, &error));

    /* A restarted processor knows the replaced hours as closed: what comes now is late, and makes them due. */
    hb_buffer late = random_lines(30, 10, HOUR_S);
    processor = hb_processor_open(&options, metrics, &error);
    assert_non_null(processor);
    append_plain(&places, HOUR_S, hb_buffer_bytes(&late));
    hb_metric *const late_facts = hb_metrics_counter(metrics, "hubbub_late_total", "");
    int64_t said = 0; /* ten messages, and what tells of emotes among them */
    for (size_t i = 0; i < late.size; i++)
        said += late.data[i] == '\n';
    while (hb_metric_get(late_facts) < said && hb_monotonic_ms() < end_ms)
        usleep(10000);
    assert_int_equal(hb_metric_get(late_facts), said);
    assert_true(hb_processor_close(processor, &error));
    assert_int_equal(list_due(&places, hb_now_ms(), &going_on), 2);
    hb_buffer_free(&late);
    hb_metrics_close(metrics);
    remove_places(&places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_is_as_one_fold_makes_it), cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(what_cannot_be_done_is_said),     cmocka_unit_test(a_damaged_place_is_passed_over),
        cmocka_unit_test(differences_are_found_and_named), cmocka_unit_test(pieces_count_only_with_their_commit),
        cmocka_unit_test(hours_settle_beside_a_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
