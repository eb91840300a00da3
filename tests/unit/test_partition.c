/* test_partition.c - the speed layer on the partitions of a Kafka log: lines of all hours in one stream, workers that
 * die, hand over, or write when their partition has long been another's. Whatever happens, the store must hold what the
 * fold says of the facts before the offset at which each hour closed, and every later one must be known as late. */
#include "facts.h"
#include "text_store.h"
#include "unit.h"

#include "views/speed.h"

enum { PARTITIONS = 3, RECORDS = 500, STEP_S = 15, LATE_S = 30, TOP = 3, HOURS = 12, START_S = 1764000000 + 3000 };

typedef struct record {
    char *line; /* with its LF */
    int64_t hour_s;
    bool fact;
} record;

typedef struct partition {
    record records[RECORDS];
    size_t count;
    hb_speed *speed; /* of its owner */
    bool at_end;
} partition;

typedef struct closing {
    int64_t part;
    uint64_t position;
} closing;

/* A topic, the stores that its facts are counted into, and who counts. */
typedef struct world {
    chat_dice dice;
    partition partitions[PARTITIONS];
    fake_store store;   /* with transactions, */
    fake_store stamped; /* and without */
    closing closings[PARTITIONS * HOURS * 2];
    size_t closing_count;
    int64_t now_ms;
} world;

static hb_speed *open_speed(const fake_store *store, int32_t number)
{
    hb_error error = {0};
    hb_speed *speed = hb_speed_open(
        &(hb_speed_options){.top = TOP, .memory = 1 << 30, .is_partition = true, .partition = number}, &error);
    if (speed == NULL)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < store->progress_count; i++)
        hb_speed_restore(speed, HB_LAYER_SPEED, &store->progress[i]);
    return speed;
}

/* ---- The topic ---- */

static void append_line(partition *to, const char *line, int64_t hour_s, bool fact)
{
    assert_true(to->count < RECORDS);
    to->records[to->count++] = (record){hb_copy_text(hb_bytes_of(line)), hour_s, fact};
}

static void append_fact(partition *to, const chat_fact *fact)
{
    hb_buffer line = {0};
    print_fact(&line, fact);
    hb_buffer_append_char(&line, '\0');
    append_line(to, line.data, hour_of(fact), true);
    hb_buffer_free(&line);
}

/* Channels never cross partitions. */
static partition *home_of(world *all, const chat_fact *fact)
{
    return &all->partitions[(fact->channel[4] - '0') % PARTITIONS];
}

/* Nearly in order, some twice, some from hours ago, and lines that are no facts. */
static void append_some(world *all, size_t number, chat_fact *latest)
{
    chat_dice *const dice = &all->dice;
    chat_fact fact = random_fact(dice, START_S + (int64_t)number * STEP_S, LATE_S);
    if (roll(dice, 40) == 0)
        fact.time_ms -= 3600000 * (int64_t)(1 + roll(dice, 3));
    if (number > 0 && roll(dice, 6) == 0)
        fact = *latest;
    if (roll(dice, 30) == 0)
        append_line(&all->partitions[roll(dice, PARTITIONS)], roll(dice, 2) == 0 ? "PING\n" : "\n", 0, false);
    append_fact(home_of(all, &fact), &fact);
    if (fact.time_ms + 1000 > all->now_ms)
        all->now_ms = fact.time_ms + 1000;
    *latest = fact;
}

/* Hands the owner some of what it has not read. */
static void read_some(world *all, partition *from, size_t most)
{
    uint64_t at = hb_speed_next(from->speed);
    hb_buffer lines = {0};
    assert_true(at <= from->count);
    for (uint64_t i = at; i < from->count && i < at + most; i++)
        hb_buffer_append(&lines, hb_bytes_of(from->records[i].line));
    if (lines.size > 0)
        assert_int_equal(hb_speed_take_records(from->speed, at, hb_buffer_bytes(&lines), all->now_ms), lines.size);
    hb_buffer_free(&lines);
    from->at_end = hb_speed_next(from->speed) == from->count;
    if (from->at_end)
        hb_speed_caught_up(from->speed);
}

static void read_all(world *all, partition *from)
{
    do
        read_some(all, from, 1 + roll(&all->dice, 60));
    while (!from->at_end);
}

/* ---- Writing ---- */

/* Notes at which offset hours have closed: the position of their last rows. */
static void note_closings(world *all, const hb_changes *changes)
{
    for (size_t i = 0; i < changes->progress_count; i++) {
        const hb_progress *const old = progress_of(&all->store, changes->progress[i].part);
        if (!changes->progress[i].done || (old != NULL && old->done))
            continue;
        assert_non_null(old);
        assert_true(all->closing_count < sizeof all->closings / sizeof *all->closings);
        all->closings[all->closing_count++] = (closing){old->part, old->position};
    }
}

static bool write_once(world *all, partition *of, hb_speed_flush_kind kind)
{
    hb_changes changes;
    if (!hb_speed_flush(of->speed, kind, all->now_ms, &changes))
        return false;
    assert_int_not_equal(changes.replace, HB_REPLACE_HOUR);
    note_closings(all, &changes);
    apply(&all->store, &changes);
    apply(&all->stamped, &changes);
    return true;
}

static void write_all(world *all, partition *of, hb_speed_flush_kind kind)
{
    while (write_once(all, of, kind))
        ;
}

/* An owner that has lost its partition writes once more; only a store without transactions can let it. What it says of
 * hours that the new owner has closed at an earlier offset is more than that knows: left out here. */
static void write_too_late(world *all, hb_speed *speed)
{
    hb_changes changes;
    bool further = false;
    if (!hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, all->now_ms, &changes))
        return;
    for (size_t i = 0; i < changes.progress_count; i++)
        for (size_t k = 0; k < all->closing_count; k++)
            further |= all->closings[k].part == changes.progress[i].part &&
                       (changes.progress[i].done || changes.progress[i].position > all->closings[k].position);
    if (!further)
        apply(&all->stamped, &changes);
}

/* ---- What it comes to ---- */

static uint64_t end_of(const world *all, int64_t part)
{
    for (size_t i = 0; i < all->closing_count; i++)
        if (all->closings[i].part == part)
            return all->closings[i].position;
    return RECORDS;
}

/* The slow, obvious count of one hour of a partition: all facts before its end; returns how many rows that makes. */
static size_t check_hour(const world *all, const fake_store *store, int32_t number, int64_t hour_s)
{
    const partition *const of = &all->partitions[number];
    const hb_progress *const progress = progress_of(store, hour_s + number);
    const uint64_t end = end_of(all, hour_s + number);
    hb_error error = {0};
    hb_fold *fold = hb_fold_open(&error);
    hb_buffer lines = {0};
    uint64_t late = 0, first = RECORDS, behind_late = 0;
    size_t rows = 0, cursor = 0;
    for (size_t i = 0; i < of->count; i++) {
        if (!of->records[i].fact || of->records[i].hour_s != hour_s)
            continue;
        first = i < first ? i : first;
        if (i < end) {
            hb_buffer_append(&lines, hb_bytes_of(of->records[i].line));
            continue;
        }
        late++;
        behind_late = i + 1;
    }
    hb_fold_lines(fold, hb_buffer_bytes(&lines));
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;)
        rows += check_sheet_rows(store, sheet, TOP);
    if (first == RECORDS) {
        assert_null(progress);
    } else {
        assert_non_null(progress);
        assert_int_equal(progress->start, first);
        assert_int_equal(progress->late, late);
        assert_int_equal(progress->done, end != RECORDS);
        assert_int_equal(progress->position, late > 0 ? behind_late : end != RECORDS ? end : of->count);
    }
    hb_buffer_free(&lines);
    hb_fold_close(fold);
    return rows;
}

static void check_store(const world *all, const fake_store *store)
{
    size_t rows = 0;
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int64_t hour = 0; hour < HOURS; hour++)
            rows += check_hour(all, store, p, (START_S / 3600 + hour - 4) * 3600);
    assert_int_equal(row_count(store), rows);
}

static void open_world(world *all, uint64_t seed)
{
    *all = (world){.dice = {seed}, .stamped = {.stamped = true}, .now_ms = START_S * INT64_C(1000)};
    for (int32_t p = 0; p < PARTITIONS; p++)
        all->partitions[p].speed = open_speed(&all->store, p);
}

static void close_world(world *all)
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        hb_speed_close(all->partitions[p].speed);
        for (size_t i = 0; i < all->partitions[p].count; i++)
            free(all->partitions[p].records[i].line);
    }
    free_store(&all->store);
    free_store(&all->stamped);
}

/* ---- Tests ---- */

/* The partition goes to another worker: handed over in good order, or not. */
static void move(world *all, int32_t number, hb_speed **late_writer)
{
    partition *const of = &all->partitions[number];
    const bool killed = roll(&all->dice, 2) == 0;
    if (!killed)
        write_all(all, of, HB_SPEED_FLUSH_ALL);
    if (killed && *late_writer == NULL)
        *late_writer = of->speed;
    else
        hb_speed_close(of->speed);
    of->speed = open_speed(&all->store, number);
}

static void run_world(world *all)
{
    chat_fact latest;
    hb_speed *late_writer = NULL;
    chat_dice *const dice = &all->dice;
    for (size_t i = 0; i < RECORDS * 4 / 5; i++) {
        const int32_t number = (int32_t)roll(dice, PARTITIONS);
        append_some(all, i, &latest);
        if (roll(dice, 3) == 0)
            read_some(all, &all->partitions[number], 1 + roll(dice, 20));
        if (roll(dice, 4) == 0)
            write_once(all, &all->partitions[number], HB_SPEED_FLUSH_ROWS);
        if (roll(dice, 40) == 0)
            move(all, number, &late_writer);
        if (late_writer != NULL && roll(dice, 20) == 0) {
            write_too_late(all, late_writer);
            hb_speed_close(late_writer);
            late_writer = NULL;
        }
        if (roll(dice, 60) == 0)
            all->now_ms += 1000 * (int64_t)roll(dice, 4000); /* the clock runs on, and hours may close by it */
    }
    hb_speed_close(late_writer);
}

static void partitions_that_move_come_to_the_same(void **state)
{
    (void)state;
    static world all;
    size_t closed = 0, late = 0;
    for (uint64_t round = 1; round <= 150; round++) {
        open_world(&all, round * 7919);
        run_world(&all);
        for (int32_t p = 0; p < PARTITIONS; p++) {
            read_all(&all, &all.partitions[p]);
            write_all(&all, &all.partitions[p], HB_SPEED_FLUSH_ALL);
        }
        check_store(&all, &all.store);
        check_store(&all, &all.stamped);
        /* Nothing more comes: all hours close by themselves. */
        all.now_ms += 4 * 3600 * 1000;
        for (int32_t p = 0; p < PARTITIONS; p++)
            write_all(&all, &all.partitions[p], HB_SPEED_FLUSH_ROWS);
        check_store(&all, &all.store);
        check_store(&all, &all.stamped);
        for (size_t i = 0; i < all.store.progress_count; i++) {
            assert_true(all.store.progress[i].done);
            late += all.store.progress[i].late;
        }
        closed += all.closing_count;
        close_world(&all);
    }
    assert_true(closed > 1000); /* else this test would show little */
    assert_true(late > 500);
}

/* A layer on partition 7, with what the store says of it. */
static hb_speed *restored(const hb_progress *batch, size_t batch_count, const hb_progress *speed, size_t speed_count)
{
    hb_error error = {0};
    hb_speed *made =
        hb_speed_open(&(hb_speed_options){.top = TOP, .memory = 1 << 30, .is_partition = true, .partition = 7}, &error);
    assert_non_null(made);
    for (size_t i = 0; i < batch_count; i++)
        hb_speed_restore(made, HB_LAYER_BATCH, &batch[i]);
    for (size_t i = 0; i < speed_count; i++)
        hb_speed_restore(made, HB_LAYER_SPEED, &speed[i]);
    return made;
}

static void reading_begins_where_it_must(void **state)
{
    (void)state;
    enum { HOUR = 1764000000, PART = HOUR + 7 };
    const hb_progress done[] = {{.part = PART, .start = 5, .position = 100, .done = true},
                                {.part = PART + 3600, .start = 80, .position = 300, .done = true},
                                {.part = PART + 1, .start = 0, .position = 9000}}; /* another partition's */
    const hb_progress open[] = {{.part = PART + 7200, .start = 250, .position = 280},
                                {.part = PART + 10800, .start = 270, .position = 400}};
    hb_progress all[] = {done[0], done[1], done[2], open[0], open[1]};
    const struct {
        const hb_progress *batch;
        size_t batch_count;
        const hb_progress *speed;
        size_t speed_count;
        uint64_t start;
    } cases[] = {
        {NULL, 0, NULL, 0, 0},       /* nothing was counted yet */
        {NULL, 0, done, 3, 300},     /* all is done up to there */
        {NULL, 0, open, 2, 250},     /* */
        {NULL, 0, all, 5, 250},      /* */
        {open, 2, all, 5, 250},      /* batch progress that is not done says nothing */
        {done, 2, NULL, 0, 0},       /* what the batch layer has counted says nothing of other hours */
        {done, 2, open, 2, 250},     /* */
        {done, 2, &done[1], 1, 300}, /* */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hb_speed *speed = restored(cases[i].batch, cases[i].batch_count, cases[i].speed, cases[i].speed_count);
        assert_int_equal(hb_speed_start(speed), cases[i].start);
        assert_int_equal(hb_speed_next(speed), cases[i].start);
        hb_speed_close(speed);
    }
    /* An hour that the batch layer has replaced need not be read again, unless another one begins there. */
    const hb_progress replaced = {.part = open[0].part, .start = 250, .position = 280, .done = true};
    hb_speed *speed = restored(&replaced, 1, open, 2);
    assert_int_equal(hb_speed_start(speed), 270);
    hb_speed_close(speed);
}

static size_t take_message(hb_speed *speed, uint64_t at, int64_t time_s, int64_t now_s)
{
    char line[200];
    const int size =
        snprintf(line, sizeof line, "@id=n%llu;room-id=1;user-id=7;tmi-sent-ts=%lld :a!a@a PRIVMSG #chan0 :hello\n",
                 (unsigned long long)at, (long long)time_s * 1000);
    return hb_speed_take_records(speed, at, (hb_bytes){line, (size_t)size}, now_s * 1000);
}

static void facts_of_a_closed_hour_are_late_once(void **state)
{
    (void)state;
    enum { HOUR = 1764000000 };
    hb_changes changes;
    /* The batch layer has counted up to 12 meanwhile, which the speed layer, done at 10, does not know. */
    const hb_progress batch = {.part = HOUR + 7, .position = 12 | HB_PROGRESS_REMOVED, .done = true, .late = 1};
    const hb_progress done = {.part = HOUR + 7, .start = 3, .position = 10, .done = true, .late = 4};
    hb_speed *speed = restored(&batch, 1, &done, 1);
    for (uint64_t at = hb_speed_start(speed); at < 14; at++)
        take_message(speed, at, HOUR + 5, HOUR + 9000);
    hb_speed_caught_up(speed);
    assert_true(hb_speed_flush(speed, HB_SPEED_FLUSH_ALL, INT64_C(1000) * (HOUR + 9000), &changes));
    assert_int_equal(changes.progress_count, 1);
    assert_int_equal(changes.sheet_count + changes.minute_count, 0);
    assert_int_equal(changes.progress[0].late, 4 + 2);
    assert_int_equal(changes.progress[0].position, 14);
    assert_int_equal(changes.progress[0].start, 3);
    assert_true(changes.progress[0].done);
    assert_false(hb_speed_flush(speed, HB_SPEED_FLUSH_ALL, INT64_C(1000) * (HOUR + 9000), &changes));
    assert_int_equal(hb_speed_count(speed, INT64_C(1000) * (HOUR + 9000)).late, 2);
    hb_speed_close(speed);
}

/* Whether the hour is closed after a flush at this time. */
static bool closes_at(hb_speed *speed, fake_store *store, int64_t part, int64_t now_s)
{
    hb_changes changes;
    while (hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, now_s * 1000, &changes))
        apply(store, &changes);
    return progress_of(store, part)->done;
}

static void an_hour_closes_by_the_clock(void **state)
{
    (void)state;
    enum { HOUR = 1764000000, END = HOUR + 3600 };
    fake_store store = {0};
    hb_speed *speed = restored(NULL, 0, NULL, 0);
    take_message(speed, 0, END - 100, END - 90);
    hb_speed_caught_up(speed);
    assert_false(closes_at(speed, &store, HOUR + 7, END + 119)); /* there may be more on its way */
    take_message(speed, 1, END - 50, END + 119);
    assert_false(closes_at(speed, &store, HOUR + 7, END + 300)); /* the partition's end was not reached since */
    hb_speed_caught_up(speed);
    assert_false(closes_at(speed, &store, HOUR + 7, END + 178)); /* it came less than a minute ago */
    assert_true(closes_at(speed, &store, HOUR + 7, END + 179));
    assert_int_equal(progress_of(&store, HOUR + 7)->position, 2);
    hb_speed_close(speed);
    free_store(&store);
}

/* Retention has removed the first facts of an hour while nobody counted. */
static void an_hour_that_is_cut_stays_as_it_is(void **state)
{
    (void)state;
    enum { HOUR = 1764000000 };
    hb_changes changes;
    const hb_progress open[] = {{.part = HOUR + 7, .start = 3, .position = 10},
                                {.part = HOUR + 3600 + 7, .start = 9, .position = 10}};
    hb_speed *speed = restored(NULL, 0, open, 2);
    assert_int_equal(hb_speed_start(speed), 3);
    for (uint64_t at = 8; at < 12; at++)
        take_message(speed, at, at % 2 == 0 ? HOUR + 5 : HOUR + 3605, HOUR + 9000);
    hb_speed_caught_up(speed);
    assert_true(hb_speed_flush(speed, HB_SPEED_FLUSH_ALL, INT64_C(1000) * (HOUR + 9000), &changes));
    assert_int_equal(changes.replace, HB_REPLACE_CHANNELS);
    assert_int_equal(changes.hour_s, HOUR + 3600);
    assert_int_equal(changes.sheet_count, 1);
    assert_int_equal(changes.progress_count, 2);
    assert_int_equal(changes.progress[0].part, HOUR + 3600 + 7);
    assert_int_equal(changes.progress[1].part, HOUR + 7);
    assert_true(changes.progress[1].done);
    assert_int_equal(changes.progress[1].late, 1);
    assert_int_equal(changes.progress[1].position, 11);
    hb_speed_close(speed);
}

static void what_is_no_fact_moves_the_position(void **state)
{
    (void)state;
    enum { HOUR = 1764000000 };
    fake_store store = {0};
    hb_speed *speed = restored(NULL, 0, NULL, 0);
    take_message(speed, 20, HOUR + 5, HOUR + 5);
    hb_speed_caught_up(speed);
    closes_at(speed, &store, HOUR + 7, HOUR + 6);
    assert_int_equal(hb_speed_take_records(speed, 21, HB_BYTES("PING\n\nnothing\n"), INT64_C(1000) * (HOUR + 7)), 14);
    hb_speed_take_records(speed, 30, HB_BYTES("PING\n"),
                          INT64_C(1000) * (HOUR + 7)); /* some have gone from the topic */
    closes_at(speed, &store, HOUR + 7, HOUR + 8);
    assert_int_equal(progress_of(&store, HOUR + 7)->start, 20);
    assert_int_equal(progress_of(&store, HOUR + 7)->position, 31);
    assert_int_equal(hb_speed_next(speed), 31);
    hb_speed_close(speed);
    free_store(&store);
}

static void memory_can_be_taken_away(void **state)
{
    (void)state;
    hb_speed *speed = restored(NULL, 0, NULL, 0);
    hb_changes changes;
    hb_buffer lines = {0};
    for (unsigned i = 0; i < 20000; i++)
        hb_buffer_print(&lines, "@id=%u;user-id=%u;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #chan%u :w%u\n", i, i,
                        i % 300, i);
    assert_int_equal(hb_speed_take_records(speed, 0, hb_buffer_bytes(&lines), INT64_C(1764000000000)), lines.size);
    hb_speed_caught_up(speed);
    hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, INT64_C(1764000000000), &changes);
    while (hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, INT64_C(1764000000000), &changes))
        ;
    const size_t held = hb_speed_count(speed, 0).held;
    assert_false(hb_speed_is_tight(speed));
    hb_speed_set_memory(speed, held / 2);
    take_message(speed, 20000, 1764000001, 1764000001);
    hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, INT64_C(1764000001000), &changes);
    hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, INT64_C(1764000001000), &changes); /* sheets are frozen behind a flush */
    assert_true(hb_speed_count(speed, 0).held <= held / 2);
    hb_buffer_free(&lines);
    hb_speed_close(speed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_begins_where_it_must),          cmocka_unit_test(facts_of_a_closed_hour_are_late_once),
        cmocka_unit_test(an_hour_closes_by_the_clock),           cmocka_unit_test(an_hour_that_is_cut_stays_as_it_is),
        cmocka_unit_test(what_is_no_fact_moves_the_position),    cmocka_unit_test(memory_can_be_taken_away),
        cmocka_unit_test(partitions_that_move_come_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
