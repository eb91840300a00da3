/* test_ranking.c - rankings against a slow obvious sum; in any order and grouping; bytes that are no ranking. */
#include "sheet_text.h"
#include "unit.h"

#include "base/clock.h"
#include "views/ranking.h"
#include "views/sheet.h"

#include <xxhash.h>

enum { HOUR = 1764000000, HOURS = 12, KEYS = 60 };

static char texts[KEYS][16];

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)rand() % sides;
}

/* What one hour has of each key. */
typedef struct truth {
    uint32_t words[HB_KINDS][KEYS];
    uint32_t messages[KEYS];
    uint32_t user_words[KEYS];
    char names[KEYS][8];
} truth;

static truth hours[HOURS];
static hb_bytes sheets[HOURS];

static void make_sheet(int h)
{
    truth *hour = &hours[h];
    char *data = NULL;
    hb_sheet *sheet = hb_sheet_open(HB_BYTES("xqc"), HOUR + h * HB_HOUR_S);
    memset(hour, 0, sizeof *hour);
    hb_sheet_set_room(sheet, HB_BYTES("7"), (int64_t)HOUR * 1000);
    if (dice(2) == 0)
        hb_sheet_add_samples(sheet, dice(60), &(hb_sheet_sample){5, 1, 9, HB_BYTES("Chess"), HB_BYTES("title")});
    for (int i = 0; i < KEYS; i++) {
        const hb_bytes text = hb_bytes_of(texts[i]);
        for (int kind = 0; kind < HB_KINDS; kind++) {
            const uint32_t count = dice(3) == 0 ? 1 + dice(9) : 0;
            hour->words[kind][i] = count;
            if (count > 0)
                hb_sheet_add_word(sheet, (hb_kind)kind, text, hb_sheet_word_hash((hb_kind)kind, text), count, false);
        }
        hour->messages[i] = dice(2) == 0 ? 1 + dice(300) : 0;
        hour->user_words[i] = dice(1000);
        if (hour->messages[i] == 0)
            continue;
        if (dice(3) > 0)
            snprintf(hour->names[i], sizeof hour->names[i], "n%u", dice(3));
        hb_sheet_user *user = hb_sheet_find_user(sheet, text, hb_hash(text, 0), false);
        hb_sheet_add_user(sheet, user, hour->messages[i], hour->user_words[i],
                          (uint64_t)dice(1 << 30) << 30 | dice(1 << 30));
        hb_sheet_name_user(sheet, user, hb_bytes_of(hour->names[i]), dice(3600000));
    }
    hb_sheet_encode(sheet, &data, &sheets[h].size);
    sheets[h].data = data;
    hb_sheet_close(sheet);
}

static void make_world(void)
{
    for (int i = 0; i < KEYS; i++) /* numeric ids, others, prefixes of each other */
        snprintf(texts[i], sizeof texts[i], i % 3 == 0 ? "%d" : i % 3 == 1 ? "w%d" : "0%d", i * 37);
    for (int h = 0; h < HOURS; h++)
        make_sheet(h);
}

static void free_world(void)
{
    for (int h = 0; h < HOURS; h++)
        hb_free((char *)(uintptr_t)sheets[h].data);
}

static char *ranking_text(const hb_ranking *ranking)
{
    text_lines text = {0};
    for (size_t i = 0; i < hb_ranking_count(ranking); i++) {
        const hb_ranked ranked = hb_ranking_at(ranking, i);
        text_add(&text, "%d %.*s (%.*s) %llu %llu", (int)ranked.kind, HB_PRINT(ranked.key), HB_PRINT(ranked.name),
                 (unsigned long long)ranked.first, (unsigned long long)ranked.second);
    }
    return text_join(&text);
}

static char *expected_text(hb_ranking_kind what, hb_kind only)
{
    text_lines text = {0};
    for (int i = 0; i < KEYS; i++) {
        for (int kind = 0; what == HB_RANKING_WORDS && kind < HB_KINDS; kind++) {
            uint64_t sum = 0;
            for (int h = 0; h < HOURS; h++)
                sum += hours[h].words[kind][i];
            if (sum > 0 && (only == HB_KINDS || (int)only == kind))
                text_add(&text, "%d %s () %llu 0", kind, texts[i], (unsigned long long)sum);
        }
        uint64_t messages = 0;
        uint64_t words = 0;
        const char *name = "";
        for (int h = 0; h < HOURS; h++) {
            messages += hours[h].messages[i];
            words += hours[h].messages[i] > 0 ? hours[h].user_words[i] : 0;
            if (hours[h].names[i][0] != '\0')
                name = hours[h].names[i];
        }
        if (what == HB_RANKING_USERS && messages > 0)
            text_add(&text, "0 %s (%s) %llu %llu", texts[i], name, (unsigned long long)messages,
                     (unsigned long long)words);
    }
    return text_join(&text);
}

static void add_encoded(hb_ranking *into, const hb_ranking *from)
{
    char *data = NULL;
    size_t size = 0;
    hb_error error = {0};
    hb_ranking_encode(from, &data, &size);
    assert_true(hb_ranking_add_encoded(into, (hb_bytes){data, size}, &error));
    free(data);
}

/* Adds all hours in random order, in random groups, each in one of the ways in which a group can be added. */
static hb_ranking *add_up(hb_ranking_kind what, hb_kind only)
{
    hb_error error = {0};
    int order[HOURS];
    hb_ranking *sum = hb_ranking_open(what, only);
    hb_ranking *group = hb_ranking_open(what, HB_KINDS);
    for (int i = 0; i < HOURS; i++) {
        const int other = (int)dice((uint32_t)i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (int i = 0; i < HOURS; i++) {
        const int64_t hour_s = HOUR + order[i] * HB_HOUR_S;
        assert_true(hb_ranking_add_sheet(dice(3) == 0 ? sum : group, hour_s, sheets[order[i]], &error));
        if (i < HOURS - 1 && dice(3) > 0)
            continue;
        if (dice(2) == 0)
            add_encoded(sum, group);
        else
            assert_true(hb_ranking_add_all(sum, group, &error));
        hb_ranking_clear(group);
    }
    hb_ranking_close(group);
    return sum;
}

static void sums_are_the_same_in_any_order_and_grouping(void **state)
{
    (void)state;
    srand(5);
    for (int round = 0; round < 60; round++) {
        const hb_ranking_kind what = round % 2 == 0 ? HB_RANKING_WORDS : HB_RANKING_USERS;
        const hb_kind only = what == HB_RANKING_USERS || dice(2) == 0 ? HB_KINDS : (hb_kind)dice(HB_KINDS);
        char *bytes[2];
        size_t sizes[2];
        make_world();
        char *expected = expected_text(what, only);
        for (int i = 0; i < 2; i++) {
            hb_ranking *sum = add_up(what, only);
            char *found = ranking_text(sum);
            assert_string_equal(found, expected);
            hb_ranking_encode(sum, &bytes[i], &sizes[i]);
            free(found);
            hb_ranking_close(sum);
        }
        assert_int_equal(sizes[0], sizes[1]); /* equal rankings give equal bytes */
        assert_memory_equal(bytes[0], bytes[1], sizes[0]);
        free(bytes[0]);
        free(bytes[1]);
        free(expected);
        free_world();
    }
}

static void the_greatest_name_of_an_hour_counts(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_ranking *ranking = hb_ranking_open(HB_RANKING_USERS, HB_KINDS);
    const hb_ranked named = {.key = HB_BYTES("1"), .name = HB_BYTES("Ann"), .first = 3, .second = 9};
    hb_ranking *later = hb_ranking_open(HB_RANKING_USERS, HB_KINDS);
    hb_ranked other = named;
    assert_true(hb_ranking_raise(ranking, HOUR, &named, &error));
    other.name = HB_BYTES("Zoe"); /* rows are fresher than what was there: counts rise, names are replaced */
    other.first = 2;
    assert_true(hb_ranking_raise(ranking, HOUR, &other, &error));
    assert_int_equal(hb_ranking_at(ranking, 0).first, 3);
    assert_bytes(hb_ranking_at(ranking, 0).name, "Zoe");
    assert_true(hb_ranking_raise(later, HOUR, &named, &error));
    assert_true(hb_ranking_add_all(ranking, later, &error));
    assert_bytes(hb_ranking_at(ranking, 0).name, "Zoe");
    hb_ranking_clear(later);
    assert_true(hb_ranking_raise(later, HOUR + HB_HOUR_S, &named, &error));
    assert_true(hb_ranking_add_all(ranking, later, &error));
    assert_bytes(hb_ranking_at(ranking, 0).name, "Ann");
    assert_int_equal(hb_ranking_at(ranking, 0).first, 9);
    hb_ranking_close(later);
    hb_ranking_close(ranking);
}

static void counts_go_beyond_those_of_a_sheet(void **state)
{
    (void)state;
    hb_error error = {0};
    hb_ranking *one = hb_ranking_open(HB_RANKING_WORDS, HB_KINDS);
    hb_ranking *sum = hb_ranking_open(HB_RANKING_WORDS, HB_KINDS);
    const hb_ranked word = {.key = HB_BYTES("x"), .kind = HB_EMOTE, .first = UINT32_MAX};
    assert_true(hb_ranking_raise(one, HOUR, &word, &error));
    add_encoded(sum, one);
    add_encoded(sum, one);
    add_encoded(sum, sum);
    assert_int_equal(hb_ranking_at(sum, 0).first, UINT64_C(4) * UINT32_MAX);
    hb_ranking_close(one);
    hb_ranking_close(sum);
}

static void a_ranking_has_limits(void **state)
{
    (void)state;
    hb_error error = {0};
    char text[32];
    hb_ranking *ranking = hb_ranking_open(HB_RANKING_WORDS, HB_KINDS);
    for (int i = 0; i < HB_RANKING_ENTRIES_MAX; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_true(hb_ranking_raise(ranking, HOUR, &(hb_ranked){.key = hb_bytes_of(text), .first = 1}, &error));
    }
    assert_false(hb_ranking_raise(ranking, HOUR, &(hb_ranked){.key = HB_BYTES("one more"), .first = 1}, &error));
    assert_int_equal(error.code, HB_ERROR_LIMIT);
    make_world();
    assert_false(hb_ranking_add_sheet(ranking, HOUR, sheets[0], &error));
    assert_int_equal(error.code, HB_ERROR_LIMIT);
    free_world();
    hb_ranking_close(ranking);
}

static void refuse(hb_bytes data, hb_code code)
{
    hb_error error = {0};
    for (int what = 0; what < 2; what++) {
        hb_ranking *ranking = hb_ranking_open((hb_ranking_kind)what, HB_KINDS);
        assert_false(hb_ranking_add_encoded(ranking, data, &error));
        assert_int_equal(error.code, code);
        hb_ranking_close(ranking);
    }
}

static void altered_bytes_are_refused(void **state)
{
    (void)state;
    char *data = NULL;
    size_t size = 0;
    hb_error error = {0};
    make_world();
    hb_ranking *ranking = add_up(HB_RANKING_USERS, HB_KINDS);
    hb_ranking_encode(ranking, &data, &size);
    hb_ranking *words = hb_ranking_open(HB_RANKING_WORDS, HB_KINDS);
    assert_false(hb_ranking_add_encoded(words, (hb_bytes){data, size}, &error));
    assert_non_null(strstr(error.text, "the ranking cannot be read"));
    assert_false(hb_ranking_add_encoded(words, sheets[0], &error));
    hb_ranking_close(words);
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = hb_copy_text((hb_bytes){data, cut});
        refuse((hb_bytes){copy, cut}, HB_ERROR_CORRUPT);
        free(copy);
    }
    for (size_t at = 0; at < size; at++) {
        data[at] ^= 1;
        if (at != 3)
            refuse((hb_bytes){data, size}, HB_ERROR_CORRUPT);
        data[at] ^= 1;
    }
    data[3]++;
    refuse((hb_bytes){data, size}, HB_ERROR_VERSION);
    hb_ranking_close(ranking);
    free(data);
    free_world();
}

/* The checksum put right again, reading must see that what it reads makes no sense, or read something. */
static void altered_payloads_do_no_harm(void **state)
{
    (void)state;
    hb_error error = {0};
    make_world();
    for (int what = 0; what < 3; what++) { /* a ranking of either kind, and a sheet that is scanned */
        char *data = NULL;
        size_t size = 0;
        hb_ranking *ranking = add_up((hb_ranking_kind)(what % 2), HB_KINDS);
        hb_ranking_encode(ranking, &data, &size);
        if (what == 2) {
            free(data);
            size = sheets[0].size;
            data = hb_copy_text(sheets[0]);
        }
        for (size_t at = 12; at < size; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                data[at] = (char)(data[at] ^ (1 << bit));
                const uint64_t sum = XXH3_64bits(data + 12, size - 12);
                memcpy(data + 4, &sum, sizeof sum);
                for (int kind = 0; kind < 2; kind++) {
                    hb_ranking *found = hb_ranking_open((hb_ranking_kind)kind, HB_KINDS);
                    const bool read = what == 2 ? hb_ranking_add_sheet(found, HOUR, (hb_bytes){data, size}, &error)
                                                : hb_ranking_add_encoded(found, (hb_bytes){data, size}, &error);
                    assert_true(read || error.code == HB_ERROR_CORRUPT || error.code == HB_ERROR_LIMIT);
                    hb_ranking_close(found);
                }
                data[at] = (char)(data[at] ^ (1 << bit));
            }
        hb_ranking_close(ranking);
        free(data);
    }
    free_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_the_same_in_any_order_and_grouping),
        cmocka_unit_test(the_greatest_name_of_an_hour_counts),
        cmocka_unit_test(counts_go_beyond_those_of_a_sheet),
        cmocka_unit_test(a_ranking_has_limits),
        cmocka_unit_test(altered_bytes_are_refused),
        cmocka_unit_test(altered_payloads_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
