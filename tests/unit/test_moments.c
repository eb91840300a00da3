/* test_moments.c - which minutes are moments, and which words stand out in them: by hand, and against versions that
 * take the definitions of moments.h word for word. */
#include "unit.h"

#include "base/bytes.h"
#include "views/moments.h"

#include <math.h>
#include <stdlib.h>

enum { MINUTES = 120 };

static hb_pace minutes[MINUTES];

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)rand() % sides;
}

static void fill(size_t from, size_t to, uint32_t messages, uint32_t chatters)
{
    for (size_t i = from; i < to; i++)
        minutes[i] = (hb_pace){messages, chatters};
}

/* The moments, as "at:score at:score ". */
static const char *found(void)
{
    static char text[1024];
    hb_moment moments[MINUTES];
    size_t size = 0;
    const size_t count = hb_moments_find(minutes, MINUTES, 0, MINUTES, moments);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%zu:%.2f:%.1f ", moments[i].at, moments[i].score,
                                 moments[i].usual);
    return text;
}

static void chat_that_jumps_is_a_moment(void **state)
{
    (void)state;
    fill(0, MINUTES, 100, 49);
    assert_string_equal(found(), "");
    minutes[60] = (hb_pace){200, 119};
    assert_string_equal(found(), "60:10.00:100.0 "); /* (200 - 100) / 10, and (119 - 49) / 7 */
    minutes[60] = (hb_pace){200, 91};
    assert_string_equal(found(), "60:6.00:100.0 "); /* the lesser one: (91 - 49) / 7 */
    minutes[60] = (hb_pace){149, 91};
    assert_string_equal(found(), "");
    minutes[60] = (hb_pace){150, 84};
    assert_string_equal(found(), "60:5.00:100.0 ");
}

static void a_flood_by_few_is_none(void **state)
{
    (void)state;
    fill(0, MINUTES, 60, 36);
    minutes[50] = (hb_pace){1060, 37}; /* one user says a thousand things */
    minutes[80] = (hb_pace){3060, 39}; /* three do */
    assert_string_equal(found(), "");
    fill(0, MINUTES, 2, 2);
    minutes[50] = (hb_pace){500, 9};
    assert_string_equal(found(), "");
}

static void a_raid_is_one_moment(void **state)
{
    (void)state;
    static const uint32_t raid[] = {180, 400, 350, 260, 180, 120};
    fill(0, MINUTES, 100, 64);
    for (size_t i = 0; i < sizeof raid / sizeof *raid; i++)
        minutes[70 + i] = (hb_pace){raid[i], raid[i] - 36};
    assert_string_equal(found(), "71:30.00:100.0 ");
    minutes[72] = minutes[71]; /* as high: the first counts */
    assert_string_equal(found(), "71:30.00:100.0 ");
}

static void what_grows_slowly_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < MINUTES; i++)
        minutes[i] = (hb_pace){50 + 3 * (uint32_t)i, 30 + 2 * (uint32_t)i};
    assert_string_equal(found(), "");
    for (size_t i = 0; i < MINUTES; i++) /* as chat that scatters a lot does not stand out by scattering */
        minutes[i] = (hb_pace){50 + 37 * (uint32_t)i % 151, 30 + 37 * (uint32_t)i % 151 / 2};
    assert_string_equal(found(), "");
}

static void what_was_not_usual_before_is_none(void **state)
{
    (void)state;
    fill(0, MINUTES, 0, 0);
    fill(40, MINUTES, 100, 60); /* goes live: nothing is usual yet */
    minutes[45] = (hb_pace){400, 300};
    assert_string_equal(found(), "");
    minutes[45] = (hb_pace){100, 60};
    minutes[50] = (hb_pace){400, 300}; /* ten minutes are enough */
    assert_string_equal(found(), "50:30.00:100.0 ");
    fill(0, MINUTES, 0, 0);
    for (size_t i = 0; i < 60; i += 5) /* offline, with a message now and then; then live */
        minutes[i] = (hb_pace){1, 1};
    fill(60, MINUTES, 100, 60);
    assert_string_equal(found(), "");
    fill(0, MINUTES, 100, 60);
    fill(40, 60, 0, 0); /* a gap of twenty minutes: those with chat are the fewer, and later the more */
    assert_string_equal(found(), "");
    fill(0, MINUTES, 1, 1);
    minutes[60] = (hb_pace){19, 19};
    assert_string_equal(found(), "");
    minutes[60] = (hb_pace){20, 9};
    assert_string_equal(found(), "");
    minutes[60] = (hb_pace){20, 20}; /* a quiet channel can have one */
    assert_string_equal(found(), "60:19.00:1.0 ");
}

static void ends_of_the_array_are_silence(void **state)
{
    (void)state;
    hb_moment moments[MINUTES];
    fill(0, MINUTES, 100, 60);
    minutes[MINUTES - 1] = (hb_pace){400, 300};
    assert_string_equal(found(), "119:30.00:100.0 ");
    minutes[3] = (hb_pace){400, 300};
    assert_string_equal(found(), "119:30.00:100.0 ");
    assert_int_equal(hb_moments_find(minutes, MINUTES, 60, MINUTES - 1, moments), 0);
    assert_int_equal(hb_moments_find(minutes, MINUTES, MINUTES - 1, MINUTES, moments), 1);
    assert_int_equal(hb_moments_find(minutes, MINUTES, MINUTES, MINUTES, moments), 0);
    assert_int_equal(hb_moments_find(minutes, MINUTES - 1, 60, MINUTES, moments), 0);
}

/* ---- Against the definition ---- */

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double slow_median(const double *numbers, size_t count)
{
    double sorted[HB_MOMENT_PAST];
    memcpy(sorted, numbers, count * sizeof *numbers);
    qsort(sorted, count, sizeof *sorted, compare);
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double slow_z(double value, const double *past, size_t count)
{
    double distances[HB_MOMENT_PAST];
    const double median = slow_median(past, count);
    for (size_t i = 0; i < count; i++)
        distances[i] = fabs(past[i] - median);
    double spread = 1.4826 * slow_median(distances, count);
    if (spread < sqrt(median))
        spread = sqrt(median);
    return (value - median) / (spread < 1 ? 1 : spread);
}

/* -1: it may be none. */
static double slow_score(size_t at)
{
    double messages[HB_MOMENT_PAST];
    double chatters[HB_MOMENT_PAST];
    size_t count = 0;
    if (at >= MINUTES)
        return -1;
    for (size_t i = at < HB_MOMENT_PAST ? 0 : at - HB_MOMENT_PAST; i < at; i++)
        if (count > 0 || minutes[i].messages > 0) {
            messages[count] = minutes[i].messages;
            chatters[count++] = minutes[i].chatters;
        }
    double lately[5];
    for (size_t i = 0; i < 5 && at >= 5; i++)
        lately[i] = minutes[at - 1 - i].messages;
    if (count < 10 || minutes[at].messages < slow_median(lately, 5) + 5 * fmax(1, sqrt(slow_median(lately, 5))))
        return -1;
    if (slow_median(messages, count) < 1 || minutes[at].messages < 20 || minutes[at].chatters < 10)
        return -1;
    const double score =
        fmin(slow_z(minutes[at].messages, messages, count), slow_z(minutes[at].chatters, chatters, count));
    return score < 5 ? -1 : score;
}

static bool slow_is_moment(size_t at)
{
    const double score = slow_score(at);
    for (size_t apart = 1; apart <= 2; apart++)
        if ((at >= apart && slow_score(at - apart) >= score) || slow_score(at + apart) > score)
            return false;
    return score > 0;
}

static void random_chat(void)
{
    const uint32_t usual = dice(4) == 0 ? dice(4) : dice(300);
    for (size_t i = 0; i < MINUTES; i++) {
        uint32_t messages = usual + dice(1 + usual / 4);
        if (dice(12) == 0)
            messages *= 1 + dice(6);
        if (dice(6) == 0)
            messages += dice(60);
        if (dice(15) == 0)
            messages = 0;
        minutes[i] = (hb_pace){messages, messages / (1 + dice(3))};
    }
    if (dice(3) == 0)
        fill(0, dice(MINUTES), 0, 0);
}

static void moments_are_those_of_the_definition(void **state)
{
    (void)state;
    size_t moments = 0;
    srand(7);
    for (int round = 0; round < 2000; round++) {
        hb_moment list[MINUTES];
        size_t next = 0;
        random_chat();
        const size_t count = hb_moments_find(minutes, MINUTES, 0, MINUTES, list);
        for (size_t i = 0; i < MINUTES; i++) {
            const bool is_found = next < count && list[next].at == i;
            assert_int_equal(is_found, slow_is_moment(i));
            if (is_found)
                assert_float_equal(list[next++].score, slow_score(i), 0.005001);
        }
        assert_int_equal(next, count);
        moments += count;
    }
    assert_in_range(moments, 500, 100000);
}

/* It depends on the 32 minutes before and the two behind, and on nothing else. */
static void a_moment_depends_on_its_neighbours_alone(void **state)
{
    (void)state;
    srand(8);
    for (int round = 0; round < 500; round++) {
        hb_moment all[MINUTES];
        hb_moment one[2];
        random_chat();
        const size_t count = hb_moments_find(minutes, MINUTES, 0, MINUTES, all);
        const size_t at = HB_MOMENT_BEFORE + dice(MINUTES - HB_MOMENT_BEFORE - HB_MOMENT_NEAR);
        size_t place = 0;
        while (place < count && all[place].at < at)
            place++;
        const bool expected = place < count && all[place].at == at;
        const size_t alone = hb_moments_find(minutes + at - HB_MOMENT_BEFORE, HB_MOMENT_BEFORE + 1 + HB_MOMENT_NEAR,
                                             HB_MOMENT_BEFORE, HB_MOMENT_BEFORE + 1, one);
        assert_int_equal(alone, expected);
        if (expected) {
            assert_true(one[0].score == all[place].score);
            assert_true(one[0].usual == all[place].usual);
        }
    }
}

/* ---- Words ---- */

static void say(hb_moment_tally *tally, unsigned user, const char *text)
{
    char name[16];
    const hb_token token = {text[0] >= 'A' && text[0] <= 'Z' ? HB_EMOTE : HB_WORD, hb_bytes_of(text)};
    snprintf(name, sizeof name, "%u", user);
    hb_moment_tally_add(tally, hb_bytes_of(name), &token, 1);
}

/* A sheet in which the words were said so often each. */
static void add_sheet(hb_moment_tally *tally, const char *lines)
{
    hb_error error = {0};
    char *data = NULL;
    size_t size = 0;
    size_t cursor = 0;
    hb_fold *fold = hb_fold_open(&error);
    assert_non_null(fold);
    hb_fold_lines(fold, hb_bytes_of(lines));
    hb_sheet *sheet = hb_fold_next_sheet(fold, &cursor);
    assert_non_null(sheet);
    hb_sheet_encode(sheet, &data, &size);
    assert_true(hb_moment_tally_usual(tally, (hb_bytes){data, size}, &error));
    hb_free(data);
    hb_fold_close(fold);
}

static const char *words_of(const hb_moment_tally *tally)
{
    static char text[512];
    hb_word words[HB_MOMENT_WORDS];
    size_t size = 0;
    const size_t count = hb_moment_tally_words(tally, words);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s:%.*s:%llu ", hb_kind_name(words[i].kind),
                                 HB_PRINT(words[i].text), (unsigned long long)words[i].count);
    return text;
}

static void words_that_many_say_stand_out(void **state)
{
    (void)state;
    static char lines[64 << 10];
    size_t size = 0;
    for (unsigned i = 0; i < 300; i++)
        size += (size_t)snprintf(lines + size, sizeof lines - size,
                                 "@tmi-sent-ts=1764000000000;user-id=%u :a!a@a PRIVMSG #c :the the the pog\n", i);
    hb_moment_tally *tally = hb_moment_tally_open();
    for (unsigned user = 0; user < 40; user++) {
        say(tally, user, "the");
        if (user < 30)
            say(tally, user, "KEKW");
        if (user < 20)
            say(tally, user, "clutch");
        if (user < 2)
            say(tally, user, "rare");
        for (unsigned again = 0; again < 5; again++)
            say(tally, 0, "spam"); /* one user alone */
    }
    /* Where nothing else is known, what most say comes first. */
    assert_string_equal(words_of(tally), "word:the:40 emote:KEKW:30 word:clutch:20 ");
    add_sheet(tally, lines);
    assert_string_equal(words_of(tally), "emote:KEKW:30 word:clutch:20 ");
    for (unsigned user = 0; user < 40; user++) /* the same once more changes nothing */
        say(tally, user, "the");
    assert_string_equal(words_of(tally), "emote:KEKW:30 word:clutch:20 ");
    hb_moment_tally_close(tally);
}

static void a_bad_sheet_is_told(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_moment_tally *tally = hb_moment_tally_open();
    assert_string_equal(words_of(tally), "");
    assert_false(hb_moment_tally_usual(tally, HB_BYTES("no sheet"), &error));
    assert_int_equal(error.code, HB_ERROR_CORRUPT);
    hb_moment_tally_close(tally);
    hb_moment_tally_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_that_jumps_is_a_moment),
        cmocka_unit_test(a_flood_by_few_is_none),
        cmocka_unit_test(a_raid_is_one_moment),
        cmocka_unit_test(what_grows_slowly_is_none),
        cmocka_unit_test(what_was_not_usual_before_is_none),
        cmocka_unit_test(ends_of_the_array_are_silence),
        cmocka_unit_test(moments_are_those_of_the_definition),
        cmocka_unit_test(a_moment_depends_on_its_neighbours_alone),
        cmocka_unit_test(words_that_many_say_stand_out),
        cmocka_unit_test(a_bad_sheet_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
