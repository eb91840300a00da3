/* test_speed.c - the speed layer against what the fold of all facts says, with a store and a log made of arrays: killed
 * at any point, with facts that come late, across hours, with little memory. And lists of first words against sorting
 * all. */
#include "facts.h"
#include "text_store.h"
#include "unit.h"

#include "views/speed.h"

enum { FACTS = 400, LATE_S = 30, STEP_S = 15, PARTS = 8 };

/* ---- A log of buffers ---- */

typedef struct fake_log {
    int64_t parts[PARTS];
    hb_buffer lines[PARTS];
    size_t count;
} fake_log;

static void append(fake_log *log, const chat_fact *fact)
{
    size_t at = 0;
    while (at < log->count && log->parts[at] < hour_of(fact))
        at++;
    if (at == log->count || log->parts[at] != hour_of(fact)) {
        assert_true(log->count < PARTS);
        memmove(&log->parts[at + 1], &log->parts[at], (log->count - at) * sizeof *log->parts);
        memmove(&log->lines[at + 1], &log->lines[at], (log->count - at) * sizeof *log->lines);
        log->parts[at] = hour_of(fact);
        log->lines[at] = (hb_buffer){0};
        log->count++;
    }
    print_fact(&log->lines[at], fact);
}

static void free_log(fake_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        hb_buffer_free(&log->lines[i]);
    *log = (fake_log){0};
}

/* Hands what is new in the log to the layer, in pieces of whole lines. */
static void read_log(hb_speed *speed, const fake_log *log, chat_dice *dice, int64_t now_ms)
{
    for (size_t i = 0; i < log->count; i++) {
        const hb_bytes lines = hb_buffer_bytes(&log->lines[i]);
        for (uint64_t at; (at = hb_speed_position(speed, log->parts[i])) < lines.size;) {
            hb_bytes rest = hb_bytes_from(lines, at);
            hb_bytes line;
            size_t size = 0;
            for (unsigned some = 1 + roll(dice, 20); some > 0 && hb_bytes_cut(&rest, '\n', &line); some--)
                size += line.size + 1;
            hb_speed_take(speed, log->parts[i], (hb_bytes){lines.data + at, size}, at + size, now_ms);
        }
    }
}

/* ---- Runs ---- */

static hb_speed *start(const fake_store *store, uint32_t top, size_t memory)
{
    hb_error error = {0};
    hb_speed *speed = hb_speed_open(&(hb_speed_options){top, memory}, &error);
    if (speed == NULL)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < store->progress_count; i++)
        hb_speed_restore(speed, HB_LAYER_SPEED, &store->progress[i]);
    return speed;
}

static bool flush(hb_speed *speed, fake_store *store, hb_speed_flush_kind kind, int64_t now_ms)
{
    hb_changes changes;
    if (!hb_speed_flush(speed, kind, now_ms, &changes))
        return false;
    apply(store, &changes);
    return true;
}

/* Goes on from whatever log and store hold, with further facts; then stops in good order, or not. */
static void run(fake_log *log, fake_store *store, const chat_fact *facts, size_t count, uint32_t top, chat_dice *dice,
                bool in_order)
{
    hb_speed *speed = start(store, top, 1 << 30);
    int64_t now_ms = count > 0 ? facts[0].time_ms : INT64_C(2000000000000);
    if (roll(dice, 2) == 0)
        flush(speed, store, HB_SPEED_FLUSH_ROWS, now_ms); /* nothing of an open hour is written yet */
    read_log(speed, log, dice, now_ms);
    if (roll(dice, 2) == 0)
        flush(speed, store, HB_SPEED_FLUSH_ROWS, now_ms);
    hb_speed_caught_up(speed);
    for (size_t i = 0; i < count; i++) {
        append(log, &facts[i]);
        now_ms = facts[i].time_ms + 1000 > now_ms ? facts[i].time_ms + 1000 : now_ms;
        if (roll(dice, 3) == 0)
            read_log(speed, log, dice, now_ms);
        if (roll(dice, 5) == 0)
            flush(speed, store, HB_SPEED_FLUSH_ROWS, now_ms);
    }
    if (in_order) {
        read_log(speed, log, dice, now_ms);
        while (flush(speed, store, HB_SPEED_FLUSH_ALL, now_ms))
            ;
    }
    hb_speed_close(speed);
}

/* The store must hold exactly what the fold of all facts says. */
static void check_store(fake_store *store, const chat_fact *facts, size_t count, uint32_t top)
{
    hb_error error = {0};
    hb_fold *fold = hb_fold_open(&error);
    hb_buffer lines = {0};
    size_t rows = 0, cursor = 0;
    for (size_t i = 0; i < count; i++)
        print_fact(&lines, &facts[i]);
    hb_fold_lines(fold, hb_buffer_bytes(&lines));
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;)
        rows += check_sheet_rows(store, sheet, top);
    assert_int_equal(store->count, rows);
    hb_buffer_free(&lines);
    hb_fold_close(fold);
}

/* Facts as a chat sends them: nearly in order, some twice, over more than an hour. */
static void chat_facts(chat_dice *dice, chat_fact *facts)
{
    const int64_t start_s = 1764000000 / 3600 * 3600 + 3000;
    for (size_t i = 0; i < FACTS; i++) {
        facts[i] = random_fact(dice, start_s + (int64_t)i * STEP_S, LATE_S);
        if (i > 0 && roll(dice, 6) == 0 && facts[i - 1].kind != 'v' && facts[i - 1].id[0] != '\0')
            facts[i] = facts[i - 1];
    }
}

static void rows_and_sheets_are_those_of_all_facts(void **state)
{
    (void)state;
    static const uint32_t tops[] = {1, 3, 10, HB_TOP_ALL};
    chat_dice dice = {31337};
    chat_fact facts[FACTS];
    for (int round = 0; round < 40; round++) {
        fake_log log = {0};
        fake_store store = {0};
        const uint32_t top = tops[round % 4];
        chat_facts(&dice, facts);
        run(&log, &store, facts, FACTS, top, &dice, true);
        check_store(&store, facts, FACTS, top);
        free_store(&store);
        free_log(&log);
    }
}

static void killed_at_any_point_it_comes_to_the_same(void **state)
{
    (void)state;
    chat_dice dice = {271828};
    chat_fact facts[FACTS];
    chat_facts(&dice, facts);
    for (size_t cut = 0; cut <= FACTS; cut += 3) {
        fake_log log = {0};
        fake_store store = {0};
        size_t done = 0;
        run(&log, &store, facts, cut, 3, &dice, false);
        done = cut;
        while (roll(&dice, 2) == 0 && done < FACTS) { /* and again, perhaps before it has caught up */
            const size_t more = roll(&dice, 3) == 0 ? 0 : roll(&dice, (unsigned)(FACTS - done + 1));
            run(&log, &store, facts + done, more, 3, &dice, false);
            done += more;
        }
        run(&log, &store, facts + done, FACTS - done, 3, &dice, true);
        check_store(&store, facts, FACTS, 3);
        free_store(&store);
        free_log(&log);
    }
}

static chat_fact fact_at(int64_t time_s, unsigned number)
{
    chat_fact made = {
        .kind = 'm', .channel = "chan0", .time_ms = time_s * 1000, .room = "1", .user = "7", .login = "a"};
    snprintf(made.id, sizeof made.id, "n%u", number);
    snprintf(made.words, sizeof made.words, "w%u", number);
    return made;
}

static const char *open_or_closed(fake_store *store, int64_t hour_s)
{
    char *key = print_text("open chan0 %lld", (long long)hour_s);
    const stored *const row = find_row(store, key);
    free(key);
    return row == NULL ? "missing" : row->value;
}

static void what_comes_after_the_watermark_is_late(void **state)
{
    (void)state;
    enum { HOUR = 1764000000 };
    chat_dice dice = {3};
    fake_log log = {0};
    fake_store store = {0};
    const int64_t now_ms = INT64_C(1000) * (HOUR + 7200);
    const chat_fact first[] = {fact_at(HOUR + 3599, 1), fact_at(HOUR + 3600 + 119, 2), fact_at(HOUR + 3598, 3)};
    hb_speed *speed = start(&store, 10, 1 << 30);
    hb_speed_caught_up(speed);
    for (size_t i = 0; i < 3; i++) {
        append(&log, &first[i]);
        read_log(speed, &log, &dice, now_ms);
        while (flush(speed, &store, HB_SPEED_FLUSH_ROWS, now_ms))
            ;
    }
    assert_false(progress_of(&store, HOUR)->done); /* a second is missing */
    assert_string_equal(open_or_closed(&store, HOUR), "open");
    const chat_fact second[] = {fact_at(HOUR + 3600 + 120, 4), fact_at(HOUR + 3599, 5), fact_at(HOUR + 10, 6)};
    for (size_t i = 0; i < 3; i++) {
        append(&log, &second[i]);
        read_log(speed, &log, &dice, now_ms);
        while (flush(speed, &store, HB_SPEED_FLUSH_ROWS, now_ms))
            ;
    }
    assert_true(progress_of(&store, HOUR)->done);
    assert_int_equal(progress_of(&store, HOUR)->late, 2);
    assert_int_equal(progress_of(&store, HOUR)->position, log.lines[0].size);
    assert_int_equal(hb_speed_count(speed, now_ms).late, 2);
    assert_string_equal(open_or_closed(&store, HOUR), "closed");
    hb_speed_close(speed);
    /* After a restart it knows what was late, and adds to it. */
    speed = start(&store, 10, 1 << 30);
    append(&log, &(chat_fact[]){fact_at(HOUR + 3599, 7)}[0]);
    read_log(speed, &log, &dice, now_ms);
    hb_speed_caught_up(speed);
    while (flush(speed, &store, HB_SPEED_FLUSH_ALL, now_ms))
        ;
    assert_int_equal(progress_of(&store, HOUR)->late, 3);
    hb_speed_close(speed);
    free_store(&store);
    free_log(&log);
}

static void an_hour_of_the_past_is_taken_when_it_is_new(void **state)
{
    (void)state;
    enum { HOUR = 1764000000, OLD = HOUR - 100 * 3600 };
    chat_dice dice = {3};
    fake_log log = {0};
    fake_store store = {0};
    int64_t now_ms = INT64_C(1000) * (HOUR + 7200);
    const chat_fact facts[] = {fact_at(HOUR + 5, 1), fact_at(OLD + 5, 2), fact_at(OLD + 3, 3)};
    hb_speed *speed = start(&store, 10, 1 << 30);
    hb_speed_caught_up(speed);
    for (size_t i = 0; i < 3; i++) {
        append(&log, &facts[i]);
        now_ms += 59 * 1000;
        read_log(speed, &log, &dice, now_ms);
        while (flush(speed, &store, HB_SPEED_FLUSH_ROWS, now_ms))
            ;
    }
    now_ms += 61 * 1000;
    while (flush(speed, &store, HB_SPEED_FLUSH_ALL, now_ms))
        ;
    assert_false(progress_of(&store, OLD)->done); /* who knows whether that was all of it */
    hb_speed_caught_up(speed);
    while (flush(speed, &store, HB_SPEED_FLUSH_ROWS, now_ms))
        ;
    assert_true(progress_of(&store, OLD)->done);
    assert_int_equal(progress_of(&store, OLD)->late, 0);
    while (flush(speed, &store, HB_SPEED_FLUSH_ALL, now_ms))
        ;
    check_store(&store, facts, 3, 10);
    hb_speed_close(speed);
    free_store(&store);
    free_log(&log);
}

/* With a bound so small that it cannot do: totals stay exact, the bound is kept, and what was left out is told. */
static void memory_stays_within_its_bound(void **state)
{
    (void)state;
    enum { MEMORY = 3 << 19, LINES = 60000 };
    chat_dice dice = {12345};
    fake_store store = {0};
    hb_speed *speed = start(&store, 2, MEMORY);
    hb_buffer lines = {0};
    uint64_t position = 0;
    size_t most = 0;
    const int64_t start_ms = INT64_C(1764000000000);
    hb_speed_caught_up(speed);
    for (unsigned i = 0; i < LINES; i++) {
        hb_buffer_print(&lines, "@id=%u;room-id=1;user-id=%u;tmi-sent-ts=%lld :a!a@a PRIVMSG #chan%u :w%u w%u w%u\n", i,
                        roll(&dice, 100000), (long long)start_ms + i * 50, roll(&dice, 200 + i / 100),
                        roll(&dice, 100000), roll(&dice, 1000), i);
        if (i % 100 != 0)
            continue;
        position += lines.size;
        hb_changes changes;
        for (size_t taken = 0; taken < lines.size;) {
            taken += hb_speed_take(speed, 1764000000, hb_bytes_from(hb_buffer_bytes(&lines), taken), position,
                                   start_ms + i * 50);
            const size_t held = hb_speed_count(speed, start_ms).held;
            most = held > most ? held : most;
            if (hb_speed_is_tight(speed))
                hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, start_ms + i * 50, &changes);
        }
        assert_int_equal(hb_speed_position(speed, 1764000000), position);
        lines.size = 0;
        if (i % 2000 == 0)
            hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, start_ms + i * 50, &changes);
    }
    const hb_speed_counts counts = hb_speed_count(speed, start_ms);
    assert_true(most > MEMORY / 2);
    assert_true(most <= MEMORY);
    assert_int_equal(counts.fold.messages + counts.fold.misplaced, counts.fold.facts);
    assert_int_equal(counts.fold.misplaced, counts.late);
    assert_true(counts.fold.untaken > 0);
    assert_int_equal(counts.fold.words, 3 * counts.fold.messages);
    hb_buffer_free(&lines);
    hb_speed_close(speed);
    free_store(&store);
}

/* Enough memory for all sheets encoded, but not for all of them open: nothing may be lost. */
static void sheets_that_rest_are_kept_encoded(void **state)
{
    (void)state;
    enum { MEMORY = 4 << 20, CHANNELS = 120, EACH = 300 };
    chat_dice dice = {99};
    fake_store store = {0};
    hb_speed *speed = start(&store, 5, MEMORY);
    hb_fold *fold = NULL;
    hb_error error = {0};
    hb_buffer all = {0};
    uint64_t position = 0;
    const int64_t start_ms = INT64_C(1764000000000);
    int64_t now_ms = start_ms;
    hb_speed_caught_up(speed);
    for (unsigned channel = 0; channel < 2 * CHANNELS; channel++) { /* one after the other, and all of them twice */
        const size_t from = all.size;
        for (unsigned i = 0; i < EACH; i++)
            hb_buffer_print(&all, "@room-id=1;user-id=%u;tmi-sent-ts=%lld :a!a@a PRIVMSG #chan%u :w%u w%u w%u\n",
                            roll(&dice, 1000), (long long)(now_ms += 10), channel % CHANNELS, roll(&dice, 1000),
                            roll(&dice, 30), roll(&dice, 3));
        position += all.size - from;
        hb_speed_take(speed, 1764000000, hb_bytes_from(hb_buffer_bytes(&all), from), position, now_ms);
        flush(speed, &store, HB_SPEED_FLUSH_ROWS, now_ms);
        assert_true(hb_speed_count(speed, now_ms).held <= MEMORY);
    }
    while (flush(speed, &store, HB_SPEED_FLUSH_ALL, now_ms))
        ;
    assert_int_equal(hb_speed_count(speed, now_ms).fold.untaken, 0);
    assert_int_equal(hb_speed_count(speed, now_ms).fold.misplaced, 0);
    fold = hb_fold_open(&error);
    hb_fold_lines(fold, hb_buffer_bytes(&all));
    size_t cursor = 0, rows = 0, held = 0;
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL; rows += 2) {
        held += hb_sheet_held(sheet);
        rows += check_minutes(&store, sheet) + check_tops(&store, sheet, 5);
    }
    assert_true(held > MEMORY); /* else this test would show nothing */
    assert_int_equal(rows, store.count);
    hb_fold_close(fold);
    hb_speed_close(speed);
    hb_buffer_free(&all);
    free_store(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_sheets_are_those_of_all_facts),
        cmocka_unit_test(killed_at_any_point_it_comes_to_the_same),
        cmocka_unit_test(what_comes_after_the_watermark_is_late),
        cmocka_unit_test(an_hour_of_the_past_is_taken_when_it_is_new),
        cmocka_unit_test(memory_stays_within_its_bound),
        cmocka_unit_test(sheets_that_rest_are_kept_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
