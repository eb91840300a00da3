/* test_words.c - texts into tokens: what docs/words.md promises, case by case, and the fast path against ICU. */
#include "opened.h"
#include "unit.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "text/utf8.h"
#include "text/words_paths.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
enum { RANDOM_TEXTS = 200000 };
#else
enum { RANDOM_TEXTS = 2000000 };
#endif

/* "kind:text kind:text ..." in the order in which tokens come, ASCII before what ICU splits; the caller frees it. */
static char *described(hb_words *words, hb_bytes text, hb_bytes emotes, bool *bad)
{
    const hb_token *tokens = NULL;
    const size_t count = hb_words_split(words, text, emotes, &tokens, bad);
    hb_buffer out = {0};
    for (size_t i = 0; i < count; i++)
        hb_buffer_print(&out, "%s%s:%.*s", i == 0 ? "" : " ", hb_kind_name(tokens[i].kind), HB_PRINT(tokens[i].text));
    hb_buffer_append_char(&out, '\0');
    return out.data;
}

static void assert_tokens(hb_words *words, const char *text, const char *emotes, const char *expected)
{
    bool bad = false;
    char *found = described(words, hb_bytes_of(text), hb_bytes_of(emotes), &bad);
    if (strcmp(found, expected) != 0)
        fail_msg("'%s' (emotes '%s') gives\n  %s\nexpected\n  %s", text, emotes, found, expected);
    assert_false(bad);
    free(found);
}

typedef struct example {
    const char *text;
    const char *expected;
} example;

static void check_examples(const example *examples, size_t count)
{
    hb_words *words = open_words();
    for (size_t i = 0; i < count; i++)
        assert_tokens(words, examples[i].text, "", examples[i].expected);
    hb_words_close(words);
}

static void ascii_words_follow_uax29(void **state)
{
    (void)state;
    static const example examples[] = {
        {"", ""},
        {"   ", ""},
        {"Hello, World!", "word:hello word:world"},
        {"don't 'quoted' rock'n'roll'", "word:don't word:quoted word:rock'n'roll"},
        {"3.14 1,000,000 1;2 1'2 a,b a;b", "word:3.14 word:1,000,000 word:1;2 word:1'2 word:a word:b word:a word:b"},
        {"e.g. U.S.A. a..b 1.a a.1", "word:e.g word:u.s.a word:a word:b word:1 word:a word:a word:1"},
        {"snake_case _x_ __ _._ a_.b", "word:snake_case word:_x_ word:a_ word:b"},
        {"re:zero 10:30 a\"b foo@bar", "word:re word:zero word:10 word:30 word:a word:b word:foo word:bar"},
        {"tab\tline\nfeed\x0b\x0c\rcr", "word:tab word:line word:feed word:cr"},
        {"a\x01"
         "b\x1f"
         "c\x7f"
         "d",
         "word:a word:b word:c word:d"},
    };
    check_examples(examples, sizeof examples / sizeof *examples);
}

static void links_count_by_their_host(void **state)
{
    (void)state;
    static const example examples[] = {
        {"HTTPS://Clips.Twitch.TV/Foo?x#y", "link:clips.twitch.tv"},
        {"http://user:p@ss@host.example:8080/a@b", "link:host.example"},
        {"http://[::1]:80/ http://[2001:DB8::A]", "link:[::1] link:[2001:db8::a]"},
        {"www.example.com. WWW.x.y,", "link:www.example.com link:www.x.y"},
        {"https://example.com), https://localhost", "link:example.com link:localhost"},
        {"https://M\u00dcNCHEN.de/ https://\u4f8b\u3048.jp\u3002", "link:m\u00fcnchen.de link:\u4f8b\u3048.jp"},
        {"http://a.b\\c http://h? http://h# http://h:", "link:a.b link:h link:h link:h"},
        {"http:// http:///x http://..x http://-a", "word:http word:http word:x word:http word:x word:http word:a"},
        {"http://[::1 http://[1]", "word:http word:1 word:http word:1"},
        {"www. www.. www www.-a", "word:www word:www word:www word:www word:a"},
        {"(http://a.b) xhttp://a.b www.a@b.c", "word:http word:a.b word:xhttp word:a.b link:www.a"},
    };
    check_examples(examples, sizeof examples / sizeof *examples);
}

static void mentions_and_commands_start_chunks(void **state)
{
    (void)state;
    static const example examples[] = {
        {"@Foo_1, hi @bar!", "mention:@foo_1 word:hi mention:@bar"},
        {"@foo's (@bar) x@y", "mention:@foo word:s word:bar word:x word:y"},
        {"@foo@bar @@baz @", "mention:@foo word:bar word:baz"},
        {"@foo-bar @foo.http://x", "mention:@foo word:bar mention:@foo word:http word:x"},
        {"@\u65e5\u672c", "word:\u65e5\u672c"},
        {"!Song-Request. !other", "command:!song-request. word:other"},
        {"  !so @x", "command:!so mention:@x"},
        {"hi !so", "word:hi word:so"},
        {"@x !so", "mention:@x word:so"},
        {"!1 !! !", "word:1"},
        {"!", ""},
        {"!!so", "word:so"},
        {"!\u00c4rger x", "command:!\u00e4rger word:x"},
        {"\U000e0000 \u2063\u034f !so\U000e0000 x", "command:!so word:x"},
    };
    check_examples(examples, sizeof examples / sizeof *examples);
}

static void emoji_are_grapheme_clusters(void **state)
{
    (void)state;
    static const example examples[] = {
        {"\U0001f602\U0001f602 x\U0001f602y", "emoji:\U0001f602 emoji:\U0001f602 word:x emoji:\U0001f602 word:y"},
        {"\U0001f469\u200d\U0001f4bb \U0001f469\U000e0002\U0001f4bb",
         "emoji:\U0001f469\u200d\U0001f4bb emoji:\U0001f469\u200d\U0001f4bb"},
        {"\U0001f44d\U0001f3ff\U0001f44d", "emoji:\U0001f44d\U0001f3ff emoji:\U0001f44d"},
        {"\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7\U0001f1ee",
         "emoji:\U0001f1e9\U0001f1ea emoji:\U0001f1eb\U0001f1f7 emoji:\U0001f1ee"},
        {"\u2764\ufe0f \u2764", "emoji:\u2764\ufe0f emoji:\u2764"},
        {"\u00a9 \u00ae\ufe0f #\ufe0f\u20e3 *", ""},
        {"1\ufe0f\u20e3 \u2139\ufe0f", "word:1\u20e3 word:i"},
        {"@\U0001f602 :\U0001f602:", "emoji:\U0001f602 emoji:\U0001f602"},
    };
    check_examples(examples, sizeof examples / sizeof *examples);
}

static void other_scripts_go_by_icu(void **state)
{
    (void)state;
    static const example examples[] = {
        {"Stra\u00dfe \u0130x \uff37\uff37 \ufb01ne cafe\u0301", "word:strasse word:i\u0307x word:ww word:fine "
                                                                 "word:caf\u00e9"},
        {"\u041f\u0440\u0438\u0432\u0435\u0442, mix\u00e9d,Plain a\uff1ab",
         "word:\u043f\u0440\u0438\u0432\u0435\u0442 word:mix\u00e9d word:plain word:a word:b"},
        {"\u4e2d\u56fd\u4eba\u6c11\u4f60\u597d", "word:\u4e2d\u56fd word:\u4eba\u6c11 word:\u4f60\u597d"},
        {"\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22", "word:\u0e20\u0e32\u0e29\u0e32 word:\u0e44\u0e17\u0e22"},
        {"soft\u00adhyphen \u200b\u2060 x\u034f", "word:softhyphen word:x"},
        {"a\u00a0b\u3000c\U000e0000d \u3164 .\u3164.", "word:a word:b word:c word:d"},
        {"\u00bd \u00b2 \u2167", "word:1\u20442 word:2 word:viii"},
    };
    check_examples(examples, sizeof examples / sizeof *examples);
}

static void emotes_go_by_code_points(void **state)
{
    (void)state;
    hb_words *words = open_words();
    assert_tokens(words, "Kappa hi Kappa", "25:0-4,9-13", "emote:Kappa emote:Kappa word:hi");
    assert_tokens(words, "\u00e4\U0001f602 LUL x", "425618:3-5", "emote:LUL word:x word:\u00e4 emoji:\U0001f602");
    assert_tokens(words, "LUL :) LUL", "1:4-5/425618:7-9,0-2", "emote:LUL emote::) emote:LUL");
    assert_tokens(words, "Kappa !so", "25:0-4", "emote:Kappa word:so"); /* the first chunk as sent was Kappa */
    assert_tokens(words, "!Kappa x", "25:1-5", "emote:Kappa word:x");
    assert_tokens(words, "!so Kappa", "25:4-8", "emote:Kappa command:!so");
    assert_tokens(words, "aKappab", "25:1-5", "emote:Kappa word:a word:b");
    assert_tokens(words, "http://Kappa.x", "25:7-11", "emote:Kappa word:http word:x");
    /* not ranges inside the text */
    assert_tokens(words, "abc", "25:0-3,3-3,2-1,x,-,1,1-,-1,+1-2,99999999999999999999-2/5/", "word:abc");
    assert_tokens(words, "", "25:0-0", "");
    /* overlapping */
    assert_tokens(words, "abcdef", "1:1-2,0-3,0-1,3-5,4-5", "emote:abcd emote:ef");
    assert_tokens(words, "abc", "1:0-2/2:0-2", "emote:abc");
    hb_words_close(words);
}

static void bad_bytes_are_replaced_and_flagged(void **state)
{
    (void)state;
    static const struct {
        hb_bytes text;
        const char *emotes;
        const char *expected;
    } cases[] = {
        {HB_BYTES("caf\xc3"), "", "word:caf"},
        {HB_BYTES("a\xff"
                  "b"),
         "", "word:a word:b"},
        {HB_BYTES("\xe1\x80\xe2Kappa"), "25:2-6", "emote:Kappa"}, /* two replacements before it */
        {HB_BYTES("\xff"), "25:0-0", "emote:\ufffd"},
        {HB_BYTES("\xed\xa0\x80"), "", ""},
        {HB_BYTES("a\0b\xf4\x90"), "", "word:a word:b"},
    };
    hb_words *words = open_words();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool bad = false;
        char *found = described(words, cases[i].text, hb_bytes_of(cases[i].emotes), &bad);
        assert_string_equal(found, cases[i].expected);
        assert_true(bad);
        free(found);
    }
    hb_words_close(words);
}

static void kinds_have_names(void **state)
{
    (void)state;
    hb_kind kind = HB_KINDS;
    for (hb_kind each = 0; each < HB_KINDS; each++) {
        assert_true(hb_kind_parse(hb_bytes_of(hb_kind_name(each)), &kind));
        assert_int_equal(kind, each);
    }
    assert_false(hb_kind_parse(HB_BYTES("words"), &kind));
    assert_false(hb_kind_parse(HB_BYTES(""), &kind));
}

/* ICU alone would split this text in two ways, depending on what the iterator has seen before. */
static void the_past_does_not_matter(void **state)
{
    (void)state;
    static const char *const texts[] = {"\u30fc\u30b8\u30e7\u30f3", "\u305f\u3063", "\u0e44\u0e17\u0e22", "\ud55c",
                                        "\u30fb\u30a2 \u3005\u3005 \uff9e\u3042 \u3099\u3042"};
    enum { TEXTS = sizeof texts / sizeof *texts };
    char *fresh[TEXTS];
    bool bad = false;
    for (size_t i = 0; i < TEXTS; i++) {
        hb_words *words = open_words();
        fresh[i] = described(words, hb_bytes_of(texts[i]), (hb_bytes){0}, &bad);
        hb_words_close(words);
    }
    hb_words *words = open_words();
    for (size_t round = 0; round < 2; round++)
        for (size_t i = TEXTS; i-- > 0;)
            assert_tokens(words, texts[i], "", fresh[i]);
    hb_words_close(words);
    for (size_t i = 0; i < TEXTS; i++)
        free(fresh[i]);
}

/* ---- The fast path against ICU ---- */

static uint64_t dice_state;

static unsigned dice(unsigned sides) /* splitmix64 */
{
    uint64_t z = dice_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (unsigned)((z ^ z >> 31) >> 32) % sides;
}

static char random_char(void)
{
    static const char special[] = ".':,;_\"@!/-.':,;_#?\\[]";
    const unsigned way = dice(20);
    if (way < 7)
        return special[dice(sizeof special - 1)];
    if (way < 11)
        return (char)("abAZzw"[dice(6)]);
    if (way < 14)
        return (char)('0' + dice(10));
    if (way < 17)
        return "  \t\n\r"[dice(5)];
    return (char)dice(128);
}

/* A code point that the fast path may take, or that stands beside such in chat. */
static size_t random_pair(char *out)
{
    static const uint32_t others[] = {0x301,  0x2019, 0x2026, 0x200d, 0xe0000, 0x1f602,
                                      0x1e9e, 0xad,   0xb7,   0x130,  0xfe0f};
    const unsigned way = dice(8);
    return hb_utf8_put(way == 0   ? others[dice(sizeof others / sizeof *others)]
                       : way == 1 ? 0x80 + dice(0x780)
                                  : 0xa0 + dice(0x100),
                       out);
}

static size_t random_text(char *text, bool ascii)
{
    static const char *const starts[] = {"http://", "HTTPS://", "www.", "!a", "@x", " @", "a.b", "1,2"};
    size_t size = 0;
    for (unsigned i = dice(20); i > 0; i--)
        if (dice(12) == 0)
            size += (size_t)sprintf(text + size, "%s", starts[dice(8)]);
        else if (!ascii && dice(2) == 0)
            size += random_pair(text + size);
        else
            text[size++] = random_char();
    return size;
}

/* The tokens' hashes added up: no order is promised. */
static uint64_t sum_of(const hb_token *tokens, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += hb_hash(tokens[i].text, (uint64_t)tokens[i].kind);
    return sum;
}

static void the_fast_path_equals_icu(void **state)
{
    (void)state;
    hb_words *fast = open_words();
    hb_words *slow = open_words();
    size_t tokens_seen = 0;
    dice_state = 20261124;
    for (size_t i = 0; i < RANDOM_TEXTS; i++) {
        char text[256];
        char emotes[32] = "";
        const hb_bytes sent = {text, random_text(text, i % 4 != 0)};
        if (dice(8) == 0)
            sprintf(emotes, "1:%u-%u/2:%u-%u", dice(20), dice(20), dice(20), dice(20));
        const hb_token *a = NULL;
        const hb_token *b = NULL;
        bool bad = false;
        const size_t count = hb_words_split(fast, sent, hb_bytes_of(emotes), &a, &bad);
        const size_t slow_count = hb_words_split_slowly(slow, sent, hb_bytes_of(emotes), &b, &bad);
        if (count != slow_count || sum_of(a, count) != sum_of(b, count)) {
            for (size_t j = 0; j < sent.size; j++)
                print_error("\\x%02x", (unsigned char)text[j]);
            fail_msg(": '%.*s' (emotes '%s') gives %zu tokens, by ICU %zu", HB_PRINT(sent), emotes, count, slow_count);
        }
        tokens_seen += count;
    }
    assert_true(tokens_seen > RANDOM_TEXTS);
    hb_words_close(fast);
    hb_words_close(slow);
}

/* ---- Allocations ---- */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS
static size_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t each);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t each)
{
    allocations++;
    return __libc_calloc(count, each);
}

void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}
#endif

static void common_texts_cost_no_allocation(void **state)
{
    (void)state;
#ifdef COUNTS_ALLOCATIONS
    static const struct {
        const char *text;
        const char *emotes;
    } cases[] = {
        {"I can't believe it, GG WP everyone", ""},
        {"Kappa nice Kappa", "25:0-4,11-15"},
        {"!so @Foo https://a.b/c", ""},
        {"Gr\u00fc\u00dfe \u041f\u0440\u0438\u0432\u0435\u0442 \U0001f602\U0001f44d\U0001f3fd it\u2019s", ""},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    hb_words *words = open_words();
    size_t before = 0;
    for (size_t i = 0; i < 100 * CASES; i++) {
        const hb_token *tokens = NULL;
        bool bad = false;
        if (i == CASES) /* by then each has been met once */
            before = allocations;
        assert_true(hb_words_split(words, hb_bytes_of(cases[i % CASES].text), hb_bytes_of(cases[i % CASES].emotes),
                                   &tokens, &bad) > 2);
    }
    assert_true(before > 0);
    assert_int_equal(allocations - before, 0);
    hb_words_close(words);
#else
    skip(); /* the C library's allocation cannot be watched here */
#endif
}

/* ---- Hostile sizes ---- */

static double seconds_for(hb_words *words, const char *pattern, size_t size, hb_bytes emotes)
{
    const size_t length = strlen(pattern);
    char *text = hb_alloc(size);
    for (size_t i = 0; i < size; i++)
        text[i] = pattern[i % length];
    const hb_token *tokens = NULL;
    bool bad = false;
    const int64_t start = hb_monotonic_ms();
    size_t count = 0;
    for (int i = 0; i < 4; i++)
        count = hb_words_split(words, (hb_bytes){text, size}, emotes, &tokens, &bad);
    for (size_t i = 0; i < count; i++)
        assert_true(tokens[i].text.size > 0);
    free(text);
    return (double)(hb_monotonic_ms() - start) / 4e3;
}

static void long_texts_take_linear_time(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "a",      "a.",       "_",          "@",
        "@a",     ":",        "http://a@",  "http://a.b ",
        "\u0301", "\u200d",   "\u4e2d",     "\u0e01",
        "\u30fc", "\uac00",   "\U0001f1e6", "\U0001f469\u200d",
        "\ufdfa", "\u3164",   "\U000e0000", "a\u0301",
        "\xff",   "\xf0\x9f", "\u0600",     "\u1019\u103c",
        "1,",     "a'\u00e4", "\u05d0\"",   "a\u200d\U0001f602",
    };
    hb_words *words = open_words();
    hb_buffer emotes = {0};
    for (unsigned i = 0; i < 8000; i++)
        hb_buffer_print(&emotes, "%s%u-65000", i == 0 ? "1:" : ",", i);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const double small = seconds_for(words, patterns[i], 64 << 10, (hb_bytes){0});
        const double large = seconds_for(words, patterns[i], 512 << 10, (hb_bytes){0});
        if (large > 0.1 && large > 32 * small)
            fail_msg("'%s' again and again: 64 KiB take %.3f s, 512 KiB %.3f s", patterns[i], small, large);
    }
    assert_true(seconds_for(words, "a ", 66000, hb_buffer_bytes(&emotes)) < 1);
    assert_true(seconds_for(words, "a\u4e2d", 3 << 20, (hb_bytes){0}) < 20); /* read up to its first MiB */
    hb_buffer_free(&emotes);
    hb_words_close(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_words_follow_uax29),
        cmocka_unit_test(links_count_by_their_host),
        cmocka_unit_test(mentions_and_commands_start_chunks),
        cmocka_unit_test(emoji_are_grapheme_clusters),
        cmocka_unit_test(other_scripts_go_by_icu),
        cmocka_unit_test(emotes_go_by_code_points),
        cmocka_unit_test(bad_bytes_are_replaced_and_flagged),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(the_past_does_not_matter),
        cmocka_unit_test(the_fast_path_equals_icu),
        cmocka_unit_test(common_texts_cost_no_allocation),
        cmocka_unit_test(long_texts_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
