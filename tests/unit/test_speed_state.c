/* test_speed_state.c - the speed layer of a partition written down and read back: whoever goes on with the bytes writes
 * the same rows, at the same moments, as one who was never interrupted. And the flat form of these rows. */
#include "facts.h"
#include "unit.h"

#include "views/code.h"
#include "views/flat_rows.h"
#include "views/speed.h"

enum { PARTITION = 7, TOP = 3, STEPS = 150, START_S = 1764000000 + 2400 };

static const hb_speed_options options = {.top = TOP, .memory = 1 << 30, .is_partition = true, .partition = PARTITION};

static hb_speed *open_speed(void)
{
    hb_error error = {0};
    hb_speed *speed = hb_speed_open(&options, &error);
    if (speed == NULL)
        fail_msg("%s", error.text);
    return speed;
}

/* Saves, closes, loads. */
static hb_speed *move(hb_speed *speed)
{
    hb_error error = {0};
    hb_buffer state = {0};
    hb_speed_save(speed, &state);
    hb_speed_close(speed);
    speed = hb_speed_load(&options, hb_buffer_bytes(&state), &error);
    hb_buffer_free(&state);
    if (speed == NULL)
        fail_msg("%s", error.text);
    return speed;
}

/* ---- Rows as texts, in an order that does not depend on how they came about ---- */

typedef struct texts {
    char *items[4096];
    size_t count;
} texts;

static void add_text(texts *to, hb_buffer *line)
{
    assert_true(to->count < sizeof to->items / sizeof *to->items);
    hb_buffer_append_char(line, '\0');
    to->items[to->count++] = line->data;
    *line = (hb_buffer){0};
}

static uint64_t take_number(hb_code_reader *in, size_t bytes)
{
    return hb_code_take_fixed(hb_code_take_bytes(in, bytes).data, bytes);
}

static void print_number(hb_buffer *line, hb_code_reader *in, size_t bytes)
{
    hb_buffer_print(line, " %lld", (long long)take_number(in, bytes));
}

static void print_text(hb_buffer *line, hb_code_reader *in)
{
    const hb_bytes text = hb_code_take_bytes(in, take_number(in, 4));
    hb_buffer_print(line, " %zu:", text.size);
    for (size_t i = 0; i < text.size; i++)
        hb_buffer_print(line, text.data[i] > ' ' ? "%c" : "%02x", text.data[i]);
}

/* The fields of each record, as hubbub.h lists them: digits are numbers of so many bytes, t is a text. */
static const char *const fields[] = {
    [HB_ROW_PROGRESS] = "88818", [HB_ROW_REPLACE] = "18",  [HB_ROW_SUBJECT] = "t8", [HB_ROW_MINUTE] = "888888888tt",
    [HB_ROW_WORD] = "118t",      [HB_ROW_USER] = "1888tt", [HB_ROW_SHEET] = "14t",  [HB_ROW_TOP_WORD] = "148t",
    [HB_ROW_TOP_USER] = "488tt", [HB_ROW_CHANNEL] = "88t"};

static void print_rows(hb_bytes rows, texts *out)
{
    hb_code_reader in = {rows.data, rows.size, 0, false};
    hb_buffer subject = {0};
    while (in.at < in.size) {
        hb_buffer line = {0};
        const uint64_t sort = take_number(&in, 1);
        assert_in_range(sort, HB_ROW_PROGRESS, HB_ROW_CHANNEL);
        for (const char *field = fields[sort]; *field != '\0'; field++)
            if (*field == 't')
                print_text(&line, &in);
            else
                print_number(&line, &in, (size_t)(*field - '0'));
        assert_false(in.bad);
        if (sort == HB_ROW_SUBJECT) {
            hb_buffer_free(&subject);
            subject = line;
            continue;
        }
        hb_buffer row = {0};
        hb_buffer_print(&row, "%llu", (unsigned long long)sort);
        hb_buffer_append(&row, hb_buffer_bytes(sort <= HB_ROW_REPLACE ? &(hb_buffer){0} : &subject));
        hb_buffer_append(&row, hb_buffer_bytes(&line));
        hb_buffer_free(&line);
        add_text(out, &row);
    }
    hb_buffer_free(&subject);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that a flush gives, until it gives nothing. */
static void flush(hb_speed *speed, hb_speed_flush_kind kind, int64_t now_ms, texts *out)
{
    hb_changes changes;
    hb_top_room *room = hb_top_room_open();
    *out = (texts){0};
    while (hb_speed_flush(speed, kind, now_ms, &changes)) {
        hb_buffer rows = {0};
        hb_flat_rows_write(&changes, room, &rows);
        print_rows(hb_buffer_bytes(&rows), out);
        hb_buffer_free(&rows);
    }
    hb_top_room_close(room);
    qsort(out->items, out->count, sizeof *out->items, compare_texts);
}

static size_t compare_flushes(hb_speed *one, hb_speed *other, hb_speed_flush_kind kind, int64_t now_ms)
{
    static texts expected;
    static texts found;
    flush(one, kind, now_ms, &expected);
    flush(other, kind, now_ms, &found);
    for (size_t i = 0; i < expected.count && i < found.count; i++)
        assert_string_equal(found.items[i], expected.items[i]);
    assert_int_equal(found.count, expected.count);
    for (size_t i = 0; i < expected.count; i++)
        free(expected.items[i]);
    for (size_t i = 0; i < found.count; i++)
        free(found.items[i]);
    return expected.count;
}

/* ---- The tests ---- */

static void print_some(chat_dice *dice, size_t step, hb_buffer *lines, int64_t *now_ms)
{
    static chat_fact latest;
    for (unsigned left = 1 + roll(dice, 6); left > 0; left--) {
        chat_fact fact = random_fact(dice, START_S + (int64_t)step * 40, 60);
        if (step > 0 && roll(dice, 5) == 0)
            fact = latest;
        if (roll(dice, 30) == 0)
            fact.time_ms -= 3600000;
        if (fact.time_ms + 1000 > *now_ms)
            *now_ms = fact.time_ms + 1000;
        print_fact(lines, &fact);
        if (roll(dice, 8) == 0)
            hb_buffer_print(lines, "@tmi-sent-ts=%lld :hubbub EMOTES #%s :w0 w%u w%u\n", (long long)fact.time_ms,
                            fact.channel, roll(dice, 20), roll(dice, 20));
        latest = fact;
    }
}

static void test_goes_on_as_if_never_interrupted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        chat_dice dice = {seed * 0x9e3779b97f4a7c15};
        hb_speed *still = open_speed();
        hb_speed *moving = open_speed();
        int64_t now_ms = 0;
        size_t rows = 0;
        for (size_t step = 0; step < STEPS; step++) {
            hb_buffer lines = {0};
            print_some(&dice, step, &lines, &now_ms);
            const uint64_t at = hb_speed_next(still);
            assert_int_equal(hb_speed_take_records(still, at, hb_buffer_bytes(&lines), now_ms), lines.size);
            assert_int_equal(hb_speed_next(moving), at);
            assert_int_equal(hb_speed_take_records(moving, at, hb_buffer_bytes(&lines), now_ms), lines.size);
            hb_buffer_free(&lines);
            if (roll(&dice, 3) != 0)
                continue;
            hb_speed_caught_up(still);
            hb_speed_caught_up(moving);
            rows +=
                compare_flushes(still, moving, roll(&dice, 8) == 0 ? HB_SPEED_FLUSH_ALL : HB_SPEED_FLUSH_ROWS, now_ms);
            moving = move(moving);
        }
        rows += compare_flushes(still, moving, HB_SPEED_FLUSH_END, now_ms);
        assert_true(rows > 1000);
        assert_true(hb_speed_count(still, now_ms).late > 0);
        assert_int_equal(hb_speed_count(moving, now_ms).late, hb_speed_count(still, now_ms).late);
        hb_speed_close(still);
        hb_speed_close(moving);
    }
}

static void test_equal_layers_give_equal_bytes(void **state)
{
    hb_buffer first = {0};
    hb_buffer second = {0};
    hb_error error = {0};
    hb_changes changes;
    chat_dice dice = {5};
    int64_t now_ms = 0;
    hb_buffer lines = {0};
    (void)state;
    for (size_t step = 0; step < 20; step++)
        print_some(&dice, step, &lines, &now_ms);
    hb_speed *speed = open_speed();
    hb_speed_take_records(speed, 100, hb_buffer_bytes(&lines), now_ms);
    hb_speed_caught_up(speed);
    while (hb_speed_flush(speed, HB_SPEED_FLUSH_ROWS, now_ms, &changes))
        ;
    hb_speed_save(speed, &first);
    hb_speed *loaded = hb_speed_load(&options, hb_buffer_bytes(&first), &error);
    assert_non_null(loaded);
    assert_int_equal(hb_speed_next(loaded), hb_speed_next(speed));
    hb_speed_save(loaded, &second);
    assert_int_equal(second.size, first.size);
    hb_buffer_free(&lines);
    hb_buffer_free(&first);
    hb_buffer_free(&second);
    hb_speed_close(speed);
    hb_speed_close(loaded);
}

static void test_refuses_what_it_did_not_write(void **state)
{
    hb_buffer bytes = {0};
    hb_error error = {0};
    (void)state;
    hb_speed *speed = open_speed();
    hb_speed_save(speed, &bytes);
    hb_speed_close(speed);
    hb_speed_options other = options;
    other.partition = 8;
    assert_null(hb_speed_load(&other, hb_buffer_bytes(&bytes), &error));
    assert_int_equal(error.code, HB_ERROR_USAGE);
    for (size_t size = 0; size < bytes.size; size++) {
        assert_null(hb_speed_load(&options, (hb_bytes){bytes.data, size}, &error));
        assert_int_equal(error.code, HB_ERROR_CORRUPT);
    }
    for (size_t at = 4; at < bytes.size; at++) {
        bytes.data[at] ^= 1;
        assert_null(hb_speed_load(&options, hb_buffer_bytes(&bytes), &error));
        bytes.data[at] ^= 1;
    }
    bytes.data[3]++;
    assert_null(hb_speed_load(&options, hb_buffer_bytes(&bytes), &error));
    assert_int_equal(error.code, HB_ERROR_VERSION);
    hb_buffer_free(&bytes);
}

static void test_rows_of_a_sheet(void **state)
{
    static const char lines[] =
        "@tmi-sent-ts=1764000061000;room-id=5;user-id=1;display-name=One :one!o@o PRIVMSG #chan :b a a\n"
        "@tmi-sent-ts=1764000062000;user-id=2;display-name=Two :two!t@t PRIVMSG #chan :b c\n"
        "@rm-received-ts=1764000063000;game-name=Chess;title=x :hubbub STREAM #chan 10\n";
    static const char *const expected[] = {
        "10 4:chan 1764000000 1764000061 1764000063 1:5",
        "4 4:chan 1764000000 1764000060 2 5 2 0 0 0 10 1 5:Chess 1:x",
        "5 4:chan 1764000000 0 0 2 1:a",
        "5 4:chan 1764000000 0 0 2 1:b",
        "6 4:chan 1764000000 0 1 2 2 1:2 3:Two",
        "6 4:chan 1764000000 0 1 3 2 1:1 3:One",
        "8 4:chan 1764000000 0 1 2 1:a",
        "8 4:chan 1764000000 0 2 2 1:b",
        "8 4:chan 1764000000 0 3 1 1:c",
        "9 4:chan 1764000000 1 1 3 1:1 3:One",
        "9 4:chan 1764000000 2 1 2 1:2 3:Two",
    };
    static texts found;
    hb_error error = {0};
    size_t cursor = 0;
    char *data = NULL;
    size_t size = 0;
    size_t at = 0;
    (void)state;
    hb_fold *fold = hb_fold_open(&error);
    assert_non_null(fold);
    hb_fold_lines(fold, HB_BYTES(lines));
    hb_sheet_rows(hb_fold_next_sheet(fold, &cursor), 2, &data, &size);
    print_rows((hb_bytes){data, size}, &found);
    qsort(found.items, found.count, sizeof *found.items, compare_texts);
    for (size_t i = 0; i < found.count; i++) {
        if (found.items[i][0] != '7') { /* the sheet itself */
            assert_true(at < sizeof expected / sizeof *expected);
            assert_string_equal(found.items[i], expected[at++]);
        }
        free(found.items[i]);
    }
    assert_int_equal(at, sizeof expected / sizeof *expected);
    assert_int_equal(found.count, at + 1);
    hb_free(data);
    hb_fold_close(fold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on_as_if_never_interrupted),
        cmocka_unit_test(test_equal_layers_give_equal_bytes),
        cmocka_unit_test(test_refuses_what_it_did_not_write),
        cmocka_unit_test(test_rows_of_a_sheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
