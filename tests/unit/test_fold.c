/* test_fold.c - the fold, and merging what it makes, against a slow obvious count of random facts. */
#include "facts.h"
#include "opened.h"
#include "unit.h"

#include "views/fold.h"

enum { FACTS = 300, ROUNDS = 60, START_S = 1764000000, SPAN_S = 3 * 3600 };

/* Facts of a few channels and hours; then some of them once more, among all the others. */
static size_t random_facts(chat_dice *dice, chat_fact *facts)
{
    size_t count = 0;
    for (; count < FACTS; count++)
        facts[count] = count > 0 && roll(dice, 6) == 0 ? facts[roll(dice, count)] : random_fact(dice, START_S, SPAN_S);
    return count;
}

static size_t without_duplicates(const chat_fact *facts, size_t count, chat_fact *kept)
{
    size_t kept_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_duplicate(facts, i))
            kept[kept_count++] = facts[i];
    return kept_count;
}

/* Feeds lines in batches of random size, with what is no fact in between. */
static void feed(hb_fold *fold, chat_dice *dice, const chat_fact *facts, size_t count)
{
    hb_buffer lines = {0};
    for (size_t i = 0; i < count; i++) {
        print_fact(&lines, &facts[i]);
        if (roll(dice, 20) == 0)
            hb_buffer_append(&lines, HB_BYTES("PING :tmi.twitch.tv\n"));
        if (roll(dice, 20) == 0)
            hb_buffer_append(&lines, HB_BYTES("@id=torn;tmi-sent-ts=17640000\n"));
        if (roll(dice, 10) == 0) {
            lines.size -= roll(dice, 2); /* the last line end may be missing */
            char *exact = hb_copy_text(hb_buffer_bytes(&lines));
            hb_fold_lines(fold, (hb_bytes){exact, lines.size});
            free(exact);
            lines.size = 0;
        }
    }
    hb_fold_lines(fold, hb_buffer_bytes(&lines));
    hb_buffer_free(&lines);
}

static void check_sheets(hb_fold *fold, const chat_fact *facts, size_t count)
{
    size_t cursor = 0;
    size_t sheets = 0;
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL; sheets++) {
        char *channel = hb_copy_text(hb_sheet_channel(sheet));
        char *expected = slow_text(facts, count, channel, hb_sheet_hour(sheet));
        char *found = sheet_text(sheet);
        assert_non_null(expected);
        assert_string_equal(found, expected);
        free(channel);
        free(expected);
        free(found);
    }
    size_t expected_sheets = 0;
    for (size_t i = 0; i < count; i++) {
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = strcmp(facts[k].channel, facts[i].channel) != 0 || hour_of(&facts[k]) != hour_of(&facts[i]);
        expected_sheets += first;
    }
    assert_int_equal(sheets, expected_sheets);
}

static void every_sheet_is_as_the_slow_count_has_it(void **state)
{
    (void)state;
    chat_dice dice = {0x9e3779b97f4a7c15};
    chat_fact facts[FACTS];
    chat_fact kept[FACTS];
    for (int round = 0; round < ROUNDS; round++) {
        const size_t count = random_facts(&dice, facts);
        const size_t kept_count = without_duplicates(facts, count, kept);
        hb_fold *fold = open_fold();
        feed(fold, &dice, facts, count);
        check_sheets(fold, kept, kept_count);
        const hb_fold_counts counts = hb_fold_count(fold);
        assert_int_equal(counts.facts, count);
        assert_int_equal(counts.duplicates, count - kept_count);
        assert_int_equal(counts.lines, counts.facts + counts.others + counts.malformed);
        hb_fold_close(fold);
    }
}

static void freezing_and_thawing_changes_nothing(void **state)
{
    (void)state;
    chat_dice dice = {77};
    chat_fact facts[FACTS];
    chat_fact kept[FACTS];
    for (int round = 0; round < ROUNDS / 3; round++) {
        const size_t count = random_facts(&dice, facts);
        const size_t kept_count = without_duplicates(facts, count, kept);
        hb_fold *fold = open_fold();
        for (size_t from = 0; from < count; from += count / 10) {
            feed(fold, &dice, facts + from, count - from < count / 10 ? count - from : count / 10);
            for (size_t i = 0; i < hb_fold_slot_count(fold); i++)
                if (roll(&dice, 2) == 0)
                    hb_fold_freeze(hb_fold_slot_at(fold, i));
        }
        check_sheets(fold, kept, kept_count);
        hb_fold_close(fold);
    }
}

static hb_sheet *copy_of(const hb_sheet *sheet)
{
    char *data = NULL;
    size_t size = 0;
    hb_error error = {0};
    hb_sheet_encode(sheet, &data, &size);
    hb_sheet *copy = hb_sheet_decode((hb_bytes){data, size}, &error);
    if (copy == NULL)
        fail_msg("%s", error.text);
    hb_free(data);
    return copy;
}

static hb_sheet *find_sheet(hb_fold *fold, const hb_sheet *like)
{
    size_t cursor = 0;
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;)
        if (hb_bytes_equal(hb_sheet_channel(sheet), hb_sheet_channel(like)) &&
            hb_sheet_hour(sheet) == hb_sheet_hour(like))
            return sheet;
    return NULL;
}

static void merge(hb_sheet *into, const hb_sheet *from)
{
    hb_error error = {0};
    if (!hb_sheet_merge(into, from, &error))
        fail_msg("%s", error.text);
}

/* The facts are dealt to three folds; (a + b) + c, c + (b + a) and the fold of all are the same sheet. */
static void merging_is_associative_and_commutative(void **state)
{
    (void)state;
    chat_dice dice = {4711};
    chat_fact facts[FACTS];
    chat_fact all[FACTS];
    for (int round = 0; round < ROUNDS; round++) {
        const size_t count = without_duplicates(facts, random_facts(&dice, facts), all);
        hb_fold *whole = open_fold();
        hb_fold *share[3];
        feed(whole, &dice, all, count);
        for (size_t s = 0; s < 3; s++)
            share[s] = open_fold();
        for (size_t i = 0; i < count; i++)
            feed(share[roll(&dice, 3)], &dice, &all[i], 1);
        size_t cursor = 0;
        for (hb_sheet *expected; (expected = hb_fold_next_sheet(whole, &cursor)) != NULL;) {
            hb_sheet *part[3];
            for (size_t s = 0; s < 3; s++) {
                const hb_sheet *const found = find_sheet(share[s], expected);
                part[s] =
                    found == NULL ? hb_sheet_open(hb_sheet_channel(expected), hb_sheet_hour(expected)) : copy_of(found);
            }
            hb_sheet *left = copy_of(part[0]);
            merge(left, part[1]);
            merge(left, part[2]);
            merge(part[1], part[0]);
            merge(part[2], part[1]);
            char *texts[] = {sheet_text(expected), sheet_text(left), sheet_text(part[2])};
            assert_string_equal(texts[1], texts[0]);
            assert_string_equal(texts[2], texts[0]);
            char *data[2];
            size_t size[2];
            hb_sheet_encode(left, &data[0], &size[0]);
            hb_sheet_encode(expected, &data[1], &size[1]);
            assert_int_equal(size[0], size[1]);
            assert_memory_equal(data[0], data[1], size[0]);
            for (size_t i = 0; i < 3; i++)
                free(texts[i]);
            hb_free(data[0]);
            hb_free(data[1]);
            hb_sheet_close(left);
            for (size_t s = 0; s < 3; s++)
                hb_sheet_close(part[s]);
        }
        for (size_t s = 0; s < 3; s++)
            hb_fold_close(share[s]);
        hb_fold_close(whole);
    }
}

static void one_hour_alone_is_counted_when_told_so(void **state)
{
    (void)state;
    chat_dice dice = {99};
    chat_fact facts[FACTS];
    chat_fact kept[FACTS];
    const size_t count = random_facts(&dice, facts);
    const size_t kept_count = without_duplicates(facts, count, kept);
    const int64_t hour_s = hour_of(&facts[0]);
    chat_fact in_hour[FACTS];
    size_t in_hour_count = 0;
    for (size_t i = 0; i < kept_count; i++)
        if (hour_of(&kept[i]) == hour_s)
            in_hour[in_hour_count++] = kept[i];
    size_t elsewhere = 0;
    for (size_t i = 0; i < count; i++)
        elsewhere += hour_of(&facts[i]) != hour_s;
    hb_fold *fold = open_fold();
    hb_fold_hour(fold, hour_s);
    feed(fold, &dice, facts, count);
    check_sheets(fold, in_hour, in_hour_count);
    assert_int_equal(hb_fold_count(fold).misplaced, elsewhere);
    hb_fold_hour(fold, HB_FOLD_ANY_HOUR);
    feed(fold, &dice, facts, count);
    hb_fold_forget(fold, hour_s + 1);
    assert_non_null(hb_fold_next_sheet(fold, &(size_t){0}));
    hb_fold_forget(fold, HB_FOLD_ANY_HOUR);
    assert_null(hb_fold_next_sheet(fold, &(size_t){0}));
    hb_fold_close(fold);
}

static void a_forgotten_hour_begins_anew(void **state)
{
    (void)state;
    chat_dice dice = {5};
    chat_fact facts[FACTS];
    chat_fact kept[FACTS];
    const size_t count = random_facts(&dice, facts);
    const size_t kept_count = without_duplicates(facts, count, kept);
    hb_fold *fold = open_fold();
    for (int again = 0; again < 2; again++) {
        feed(fold, &dice, facts, count);
        check_sheets(fold, kept, kept_count);
        for (int64_t hour_s = START_S / 3600 * 3600; hour_s < START_S + SPAN_S; hour_s += 3600)
            hb_fold_forget(fold, hour_s);
    }
    hb_fold_close(fold);
}

static void old_ids_are_forgotten_only_when_told(void **state)
{
    (void)state;
    const hb_bytes line = HB_BYTES("@id=x;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :hi\n");
    hb_fold *fold = open_fold();
    hb_fold_lines(fold, line);
    assert_int_equal(hb_fold_age_ids(fold), 0);
    hb_fold_lines(fold, line);
    assert_int_equal(hb_fold_count(fold).duplicates, 1);
    assert_int_equal(hb_fold_age_ids(fold), 1);
    hb_fold_lines(fold, line);
    assert_int_equal(hb_fold_count(fold).messages, 2);
    hb_fold_close(fold);
}

static void a_full_fold_counts_in_minutes_only(void **state)
{
    (void)state;
    hb_fold *fold = open_fold();
    hb_fold_lines(fold, HB_BYTES("@id=1;user-id=1;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :hi\n"));
    hb_fold_set_full(fold, true);
    hb_fold_lines(fold, HB_BYTES("@id=2;user-id=2;tmi-sent-ts=1764000000000 :b!b@b PRIVMSG #c :hi you\n"
                                 "@id=3;user-id=2;tmi-sent-ts=1764000000000 :b!b@b PRIVMSG #d :hi\n"));
    const hb_fold_counts counts = hb_fold_count(fold);
    assert_int_equal(counts.messages, 2);
    assert_int_equal(counts.untaken, 2);
    assert_int_equal(counts.misplaced, 1);
    size_t cursor = 0;
    const hb_sheet *const sheet = hb_fold_next_sheet(fold, &cursor);
    const hb_minute minute = hb_sheet_minute(sheet, 0);
    assert_int_equal(minute.messages, 2);
    assert_int_equal(minute.words, 3);
    assert_int_equal(minute.chatters, 1);
    assert_null(hb_fold_next_sheet(fold, &cursor));
    hb_fold_close(fold);
}

static void a_wrong_clock_does_not_push_time_ahead(void **state)
{
    (void)state;
    hb_fold *fold = open_fold();
    hb_fold_lines(fold, HB_BYTES("@rm-received-ts=1764000000500;tmi-sent-ts=1764050000000 :a!a@a PRIVMSG #c :hi\n"));
    assert_int_equal(hb_fold_time_ms(fold, INT64_MAX), 1764000000500);
    hb_fold_lines(fold, HB_BYTES("@tmi-sent-ts=253402300799000 :a!a@a PRIVMSG #c :hi\n"));
    assert_int_equal(hb_fold_time_ms(fold, 1764000001000), 1764000001000);
    hb_fold_close(fold);
}

static void bad_bytes_in_tags_are_repaired(void **state)
{
    (void)state;
    hb_fold *fold = open_fold();
    hb_fold_lines(fold,
                  HB_BYTES("@display-name=A\\sB\xff;room-id=\xfe;user-id=1;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG "
                           "#c :hi\r\n"));
    const hb_sheet *const sheet = hb_fold_next_sheet(fold, &(size_t){0});
    hb_user user;
    assert_true(hb_sheet_next_user(sheet, &(size_t){0}, &user));
    assert_bytes(user.name, "A B\xef\xbf\xbd");
    assert_bytes(hb_sheet_room_id(sheet), "\xef\xbf\xbd");
    hb_fold_close(fold);
}

static void a_line_that_is_too_long_is_malformed(void **state)
{
    (void)state;
    hb_buffer line = {0};
    hb_buffer_print(&line, "@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :");
    memset(hb_buffer_room(&line, HB_FOLD_LINE_MAX), 'x', HB_FOLD_LINE_MAX);
    line.size += HB_FOLD_LINE_MAX;
    hb_fold *fold = open_fold();
    hb_fold_lines(fold, hb_buffer_bytes(&line));
    assert_int_equal(hb_fold_count(fold).malformed, 1);
    assert_int_equal(hb_fold_count(fold).messages, 0);
    hb_buffer_free(&line);
    hb_fold_close(fold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sheet_is_as_the_slow_count_has_it),
        cmocka_unit_test(freezing_and_thawing_changes_nothing),
        cmocka_unit_test(merging_is_associative_and_commutative),
        cmocka_unit_test(one_hour_alone_is_counted_when_told_so),
        cmocka_unit_test(a_forgotten_hour_begins_anew),
        cmocka_unit_test(old_ids_are_forgotten_only_when_told),
        cmocka_unit_test(a_full_fold_counts_in_minutes_only),
        cmocka_unit_test(a_wrong_clock_does_not_push_time_ahead),
        cmocka_unit_test(bad_bytes_in_tags_are_repaired),
        cmocka_unit_test(a_line_that_is_too_long_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
