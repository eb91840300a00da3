/* test_emotes.c - emotes that Twitch does not know: the set, texts split with it, and facts that tell of them, against
 * what is obvious and slow. */
#include "opened.h"
#include "sheet_text.h"
#include "unit.h"

#include "base/memory.h"
#include "text/emote_set.h"
#include "text/utf8.h"
#include "views/fold.h"

#include <stdlib.h>

enum { HOUR_S = 1764000000 };

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)rand() % sides;
}

/* ---- The set ---- */

static void names_are_emotes_from_their_first_moment_on(void **state)
{
    (void)state;
    hb_emote_set *set = hb_emote_set_open();
    assert_false(hb_emote_set_has(set, HB_BYTES("KEKW"), 0));
    assert_int_equal(
        hb_emote_set_add(set, HB_BYTES("KEKW catJAM  :tf: \xe2\x98\x83 a_name_of_more_than_sixteen_bytes"), 500), 0);
    assert_int_equal(hb_emote_set_count(set), 5);
    assert_false(hb_emote_set_has(set, HB_BYTES("KEKW"), 499));
    assert_true(hb_emote_set_has(set, HB_BYTES("KEKW"), 500));
    assert_true(hb_emote_set_has(set, HB_BYTES("\xe2\x98\x83"), 3599999));
    assert_true(hb_emote_set_has(set, HB_BYTES("a_name_of_more_than_sixteen_bytes"), 500));
    assert_false(hb_emote_set_has(set, HB_BYTES("kekw"), 500));
    assert_false(hb_emote_set_has(set, HB_BYTES("KEK"), 500));
    assert_false(hb_emote_set_has(set, HB_BYTES(""), 500));
    hb_emote_set_add(set, HB_BYTES("KEKW new"), 700); /* later: changes nothing that is known */
    assert_true(hb_emote_set_has(set, HB_BYTES("KEKW"), 500));
    assert_false(hb_emote_set_has(set, HB_BYTES("new"), 500));
    hb_emote_set_add(set, HB_BYTES("KEKW"), 20);
    assert_true(hb_emote_set_has(set, HB_BYTES("KEKW"), 20));
    hb_emote_set_close(set);
}

static void what_cannot_be_a_name_is_none(void **state)
{
    char longest[HB_EMOTE_NAME_MAX + 1];
    (void)state;
    memset(longest, 'x', sizeof longest);
    hb_emote_set *set = hb_emote_set_open();
    hb_emote_set_add(set, HB_BYTES("a\tb \xff\xfe c\x01 \xc2\x85 fine"), 0);
    hb_emote_set_add(set, (hb_bytes){longest, sizeof longest}, 0);
    assert_int_equal(hb_emote_set_count(set), 1);
    hb_emote_set_add(set, (hb_bytes){longest, sizeof longest - 1}, 0);
    assert_int_equal(hb_emote_set_count(set), 2);
    hb_emote_set_close(set);
}

/* Names that were made to be alike, too: a set stays within its bounds, and quick. */
static void a_set_has_bounds(void **state)
{
    (void)state;
    for (int form = 0; form < 3; form++) {
        hb_emote_set *set = hb_emote_set_open();
        size_t left_out = 0;
        for (int i = 0; i < 20000; i++) {
            char name[40];
            const int size = snprintf(name, sizeof name,
                                      form == 0   ? "%d"
                                      : form == 1 ? "aaaaaaaa%05dzzzzzzzz"
                                                  : "aaaaaaaa%05d",
                                      i);
            left_out += hb_emote_set_add(set, (hb_bytes){name, (size_t)size}, 0);
        }
        assert_true(hb_emote_set_count(set) <= HB_EMOTES_MAX);
        assert_int_equal(hb_emote_set_count(set) + left_out, 20000);
        assert_true(left_out > 0);
        assert_true(hb_emote_set_held(set) < 1 << 20);
        size_t at = 0;
        size_t seen = 0;
        uint32_t since_ms = 1;
        for (hb_bytes name; hb_emote_set_next(set, &at, &name, &since_ms); seen++)
            assert_true(hb_emote_set_has(set, name, 0) && since_ms == 0);
        assert_int_equal(seen, hb_emote_set_count(set));
        hb_emote_set_close(set);
    }
}

/* ---- Texts ---- */

/* The tokens, sorted; the caller frees them. */
static char *described(const hb_token *tokens, size_t count)
{
    text_lines text = {0};
    for (size_t i = 0; i < count; i++)
        text_add(&text, "%s:%.*s", hb_kind_name(tokens[i].kind), HB_PRINT(tokens[i].text));
    return text_join(&text);
}

static void emotes_are_whole_chunks(void **state)
{
    static const struct {
        const char *text;
        const char *tag;
        const char *expected;
    } examples[] = {
        {"KEKW", "", "emote:KEKW\n"},
        {"so KEKW KEKW\u3000KEKW!", "", "emote:KEKW\nemote:KEKW\nword:kekw\nword:so\n"},
        {"kekw KEKWait @KEKW", "", "mention:@kekw\nword:kekw\nword:kekwait\n"},
        {":tf: www.kekw.tv @you \u2603", "", "emote::tf:\nemote:@you\nemote:www.kekw.tv\nemote:\u2603\n"},
        {"www.kekw.tv/ @you_ \u2603\ufe0f", "", "emoji:\u2603\ufe0f\nlink:www.kekw.tv\nmention:@you_\n"},
        {"Kappa KEKW", "25:0-4", "emote:KEKW\nemote:Kappa\n"},
        {"KEKW KEKW", "1:0-3", "emote:KEKW\nemote:KEKW\n"}, /* Twitch's first; each once */
        {"!kekw KEKW", "", "command:!kekw\nemote:KEKW\n"},
        {"KEKW !kekw", "", "emote:!kekw\nemote:KEKW\n"},
        {"\xff KEKW", "", "emote:KEKW\n"},
        {"", "", ""},
    };
    (void)state;
    hb_words *words = open_words();
    hb_emote_set *set = hb_emote_set_open();
    hb_emote_set_add(set, HB_BYTES("KEKW :tf: www.kekw.tv @you \u2603 !kekw"), 10);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const hb_token *tokens = NULL;
        bool bad = false;
        const size_t count = hb_words_split_with(words, hb_bytes_of(examples[i].text), hb_bytes_of(examples[i].tag),
                                                 set, 10, &tokens, &bad);
        char *found = described(tokens, count);
        assert_string_equal(found, examples[i].expected);
        free(found);
    }
    hb_emote_set_close(set);
    hb_words_close(words);
}

/* Appends a random chunk; true if it is one of the set's. */
static bool add_chunk(hb_buffer *text)
{
    static const char *const emotes[] = {"KEKW", "catJAM",      "o7", ":D",           "\u2603",
                                         "@cat", "www.cat.jam", "x",  "\u5bb6\u65cf", "a_longer_name_for_an_emote"};
    static const char *const others[] = {"kekw",
                                         "KEKW!",
                                         "cat",
                                         "\U0001f602",
                                         "@catt",
                                         "www.cat.jam/",
                                         "xx",
                                         "\u5bb6",
                                         "!go",
                                         "don't",
                                         "\u00c4rger",
                                         "a_longer_name_for_an_emotE",
                                         "\u0440\u0430\u0437",
                                         "\u034f",
                                         "3,5"};
    const bool emote = dice(3) == 0;
    hb_buffer_append(text, hb_bytes_of(emote ? emotes[dice(10)] : others[dice(15)]));
    return emote;
}

/* Emotes of a set are what they would be if Twitch had told of them in the tag. */
static void a_set_is_as_good_as_a_tag(void **state)
{
    static const char *const spaces[] = {" ", " ", "  ", "\u3000", "\U000e0000 ", "\t"};
    (void)state;
    srand(4);
    hb_words *words = open_words();
    hb_words *other = open_words();
    hb_emote_set *set = hb_emote_set_open();
    hb_emote_set_add(
        set, HB_BYTES("KEKW catJAM o7 :D \u2603 @cat www.cat.jam x \u5bb6\u65cf a_longer_name_for_an_emote"), 100);
    size_t emotes = 0;
    for (int round = 0; round < 20000; round++) {
        hb_buffer text = {0};
        hb_buffer tag = {0};
        size_t points = 0;
        for (uint32_t left = dice(9); left > 0; left--) {
            hb_buffer chunk = {0};
            size_t first = points;
            const bool emote = add_chunk(&chunk);
            for (size_t i = 0; i < chunk.size; i++)
                points += ((unsigned char)chunk.data[i] & 0xc0) != 0x80;
            if (emote)
                hb_buffer_print(&tag, "%s%zu-%zu", tag.size == 0 ? "1:" : ",", first, points - 1);
            emotes += emote;
            hb_buffer_append(&text, hb_buffer_bytes(&chunk));
            hb_buffer_free(&chunk);
            const char *space = spaces[dice(6)];
            hb_buffer_append(&text, hb_bytes_of(space));
            for (; *space != '\0'; space++)
                points += ((unsigned char)*space & 0xc0) != 0x80;
        }
        const hb_token *tokens = NULL;
        const hb_token *expected = NULL;
        bool bad = false;
        const size_t expected_count =
            hb_words_split(other, hb_buffer_bytes(&text), hb_buffer_bytes(&tag), &expected, &bad);
        const size_t count =
            hb_words_split_with(words, hb_buffer_bytes(&text), (hb_bytes){"", 0}, set, 100 + dice(9), &tokens, &bad);
        char *wanted = described(expected, expected_count);
        char *found = described(tokens, count);
        assert_string_equal(found, wanted);
        free(wanted);
        free(found);
        /* Before its time, the set is as if it were not there. */
        const size_t early =
            hb_words_split_with(words, hb_buffer_bytes(&text), (hb_bytes){"", 0}, set, 99, &tokens, &bad);
        const size_t plain = hb_words_split(other, hb_buffer_bytes(&text), (hb_bytes){"", 0}, &expected, &bad);
        wanted = described(expected, plain);
        found = described(tokens, early);
        assert_string_equal(found, wanted);
        free(wanted);
        free(found);
        hb_buffer_free(&text);
        hb_buffer_free(&tag);
    }
    assert_true(emotes > 10000);
    hb_emote_set_close(set);
    hb_words_close(words);
    hb_words_close(other);
}

/* ---- Facts ---- */

enum { NAMES = 6, LINES = 60, HOURS = 2, CHANNELS = 2 };

typedef struct said {
    bool tells; /* of emotes; else a message */
    unsigned channel;
    int64_t at_ms;  /* from the first hour's start */
    unsigned names; /* a bit each */
} said;

static said roll_line(void)
{
    return (said){dice(4) == 0, dice(CHANNELS), dice(HOURS * 3600) * 1000 + dice(3), 1 + dice((1 << NAMES) - 1)};
}

static void print_said(const said *one, hb_buffer *out)
{
    hb_buffer_print(out, "@tmi-sent-ts=%lld%s #%s :", (long long)HOUR_S * 1000 + one->at_ms,
                    one->tells ? ";room-id=7 :hubbub EMOTES" : ";user-id=1 :a!a@a PRIVMSG",
                    one->channel == 0 ? "Zero" : "one");
    for (int i = 0; i < NAMES; i++)
        if ((one->names >> i & 1) != 0)
            hb_buffer_print(out, "Name%d ", i);
    hb_buffer_append_char(out, '\n');
}

static void check_counts(hb_fold *fold, const said *lines)
{
    unsigned expected[CHANNELS][HOURS][NAMES][2] = {0};
    for (size_t i = 0; i < LINES; i++)
        for (int name = 0; name < NAMES && !lines[i].tells; name++) {
            bool emote = false;
            for (size_t k = 0; k < LINES; k++)
                emote = emote || (lines[k].tells && lines[k].channel == lines[i].channel &&
                                  lines[k].at_ms / 3600000 == lines[i].at_ms / 3600000 &&
                                  lines[k].at_ms <= lines[i].at_ms && (lines[k].names >> name & 1) != 0);
            expected[lines[i].channel][lines[i].at_ms / 3600000][name][emote] += lines[i].names >> name & 1;
        }
    size_t cursor = 0;
    for (const hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;) {
        size_t at = 0;
        hb_word word;
        const unsigned channel = hb_bytes_equal(hb_sheet_channel(sheet), HB_BYTES("one"));
        while (hb_sheet_next_word(sheet, &at, &word)) {
            unsigned *const left = &expected[channel][(hb_sheet_hour(sheet) - HOUR_S) / 3600]
                                            [word.text.data[word.text.size - 1] - '0'][word.kind == HB_EMOTE];
            assert_true(word.kind == HB_EMOTE ? word.text.data[0] == 'N' : word.text.data[0] == 'n');
            assert_int_equal(word.count, *left);
            *left = 0;
        }
    }
    for (size_t i = 0; i < sizeof expected / sizeof(unsigned); i++)
        assert_int_equal(((unsigned *)expected)[i], 0);
}

static int compare_said(const void *a, const void *b)
{
    const said *left = a;
    const said *right = b;
    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    return left->tells > right->tells ? -1 : left->tells < right->tells; /* told before it is used */
}

static void facts_count_whatever_their_order(void **state)
{
    (void)state;
    srand(9);
    for (int round = 0; round < 200; round++) {
        said lines[LINES];
        hb_buffer text = {0};
        hb_fold *fold = open_fold();
        for (size_t i = 0; i < LINES; i++) {
            lines[i] = roll_line();
            print_said(&lines[i], &text);
        }
        hb_fold_lines(fold, hb_buffer_bytes(&text));
        check_counts(fold, lines);
        assert_int_equal(hb_fold_count(fold).facts, LINES);
        hb_fold_close(fold);

        /* In order of time, by any number of calls. */
        fold = open_fold();
        qsort(lines, LINES, sizeof *lines, compare_said);
        text.size = 0;
        for (size_t i = 0; i < LINES; i++) {
            print_said(&lines[i], &text);
            if (dice(5) == 0) {
                hb_fold_lines(fold, hb_buffer_bytes(&text));
                text.size = 0;
                if (dice(4) == 0 && hb_fold_slot_count(fold) > 0)
                    hb_fold_freeze(hb_fold_slot_at(fold, dice((uint32_t)hb_fold_slot_count(fold))));
            }
        }
        hb_fold_lines(fold, hb_buffer_bytes(&text));
        check_counts(fold, lines);
        hb_fold_close(fold);
        hb_buffer_free(&text);
    }
}

static void a_fact_is_hubbubs_own(void **state)
{
    static const struct {
        const char *line;
        hb_fact_status status;
    } lines[] = {
        {"@rm-received-ts=1764000000000;tmi-sent-ts=1764000000001;room-id=7 :hubbub EMOTES #xqc :KEKW catJAM",
         HB_FACT_OK},
        {"@rm-received-ts=1764000000000 :hubbub EMOTES #xqc KEKW", HB_FACT_OK},
        {"@tmi-sent-ts=1764000000000 :somebody EMOTES #xqc :KEKW", HB_FACT_OTHER},
        {"@tmi-sent-ts=1764000000000 EMOTES #xqc :KEKW", HB_FACT_OTHER},
        {"@tmi-sent-ts=1764000000000 :hubbub EMOTES #xqc", HB_FACT_MALFORMED},
        {"@tmi-sent-ts=1764000000000 :hubbub EMOTES #xqc KEKW catJAM", HB_FACT_MALFORMED},
        {"@tmi-sent-ts=1764000000000 :hubbub EMOTES xqc :KEKW", HB_FACT_MALFORMED},
        {":hubbub EMOTES #xqc :KEKW", HB_FACT_UNTIMED},
    };
    hb_fact fact;
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(hb_fact_read(hb_bytes_of(lines[i].line), &fact), lines[i].status);
    assert_int_equal(hb_fact_read(hb_bytes_of(lines[0].line), &fact), HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_EMOTES);
    assert_int_equal(fact.time_ms, 1764000000001);
    assert_true(hb_bytes_equal(fact.text, HB_BYTES("KEKW catJAM")));
    assert_true(hb_bytes_equal(fact.room_id, HB_BYTES("7")));
    assert_int_equal(fact.login.size, 0);
    assert_false(fact.bad_timestamp);
    assert_int_equal(hb_fact_read(hb_bytes_of(lines[1].line), &fact), HB_FACT_OK);
    assert_false(fact.bad_timestamp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_emotes_from_their_first_moment_on),
        cmocka_unit_test(what_cannot_be_a_name_is_none),
        cmocka_unit_test(a_set_has_bounds),
        cmocka_unit_test(emotes_are_whole_chunks),
        cmocka_unit_test(a_set_is_as_good_as_a_tag),
        cmocka_unit_test(facts_count_whatever_their_order),
        cmocka_unit_test(a_fact_is_hubbubs_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
