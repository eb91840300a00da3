/* test_unicode.c - Unicode's own test files against the words: WordBreakTest, GraphemeBreakTest and emoji-test.
 *
 * The files are Debian's package unicode-data; without it the test is skipped. Their Unicode version may differ from
 * ICU's: then what differs is told, but does not fail the test. Lines are left out, and counted, where the words differ
 * from UAX #29 on purpose. */
#include "unit/unit.h"

#include "base/memory.h"
#include "text/utf8.h"

#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#define FOLDER "/usr/share/unicode/"

enum { POINTS_MAX = 64 };

/* A line of a test file: code points, and before which of them (and at the end) there is a break. */
typedef struct sample {
    UChar32 points[POINTS_MAX];
    bool breaks[POINTS_MAX + 1];
    size_t count;
} sample;

static hb_words *words;

/* Reads a line of WordBreakTest or GraphemeBreakTest: signs ÷ and × between hexadecimal numbers, `#` and a comment. */
static bool read_sample(const char *line, sample *read)
{
    *read = (sample){0};
    while (*line != '\0' && *line != '#' && *line != '\n') {
        char *end = NULL;
        if (strncmp(line, "\u00f7", 2) == 0) {
            read->breaks[read->count] = true;
            line += 2;
        } else if (strncmp(line, "\u00d7", 2) == 0 || *line == ' ' || *line == '\t') {
            line += *line == ' ' || *line == '\t' ? 1 : 2;
        } else {
            assert_true(read->count < POINTS_MAX);
            read->points[read->count++] = (UChar32)strtol(line, &end, 16);
            assert_true(end > line);
            line = end;
        }
    }
    return read->count > 0;
}

static hb_bytes encode(const UChar32 *points, size_t count, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += hb_utf8_put((uint32_t)points[i], out + size);
    return (hb_bytes){out, size};
}

static bool is_letter_or_digit(UChar32 point)
{
    return (U_GET_GC_MASK(point) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

static bool is_pictograph(UChar32 point)
{
    return (u_hasBinaryProperty(point, UCHAR_EXTENDED_PICTOGRAPHIC) && point != 0xa9 && point != 0xae) ||
           u_hasBinaryProperty(point, UCHAR_REGIONAL_INDICATOR);
}

static bool any(const UChar32 *points, size_t count, bool (*is)(UChar32))
{
    for (size_t i = 0; i < count; i++)
        if (is(points[i]))
            return true;
    return false;
}

static bool is_of_dictionary(UChar32 point)
{
    UErrorCode status = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(point, &status);
    return u_getIntPropertyValue(point, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT || script == USCRIPT_HAN ||
           script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA;
}

static bool is_colon(UChar32 point)
{
    return point == ':' || point == 0xfe55 || point == 0xff1a;
}

static hb_bytes folded(const UChar32 *points, size_t count, char *out)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar wide[2 * POINTS_MAX];
    UChar result[20 * POINTS_MAX];
    int32_t length = 0;
    u_strFromUTF32(wide, 2 * POINTS_MAX, &length, points, (int32_t)count, &status);
    length = unorm2_normalize(unorm2_getNFKCCasefoldInstance(&status), wide, length, result, 20 * POINTS_MAX, &status);
    u_strToUTF8(out, 80 * POINTS_MAX, &length, result, length, &status);
    assert_true(U_SUCCESS(status));
    return (hb_bytes){out, (size_t)length};
}

/* Whether the words of a sample are its segments that hold a letter or digit. */
static bool words_are_right(const sample *read)
{
    char text[4 * POINTS_MAX];
    const hb_token *tokens = NULL;
    bool bad = false;
    const size_t count = hb_words_split(words, encode(read->points, read->count, text), (hb_bytes){0}, &tokens, &bad);
    size_t at = 0;
    for (size_t start = 0, end = 0; start < read->count; start = end) {
        for (end = start + 1; !read->breaks[end];)
            end++;
        if (!any(read->points + start, end - start, is_letter_or_digit))
            continue;
        char spelling[80 * POINTS_MAX];
        const hb_bytes word = folded(read->points + start, end - start, spelling);
        if (word.size == 0)
            continue;
        while (at < count && tokens[at].kind != HB_WORD)
            at++;
        if (at == count || !hb_bytes_equal(tokens[at++].text, word))
            return false;
    }
    while (at < count && tokens[at].kind != HB_WORD)
        at++;
    return at == count;
}

/* Whether the emoji of a sample are its clusters that hold a pictograph. */
static bool emoji_are_right(const sample *read)
{
    char text[4 * POINTS_MAX];
    const hb_token *tokens = NULL;
    bool bad = false;
    const size_t count = hb_words_split(words, encode(read->points, read->count, text), (hb_bytes){0}, &tokens, &bad);
    size_t at = 0;
    for (size_t start = 0, end = 0; start < read->count; start = end) {
        for (end = start + 1; !read->breaks[end];)
            end++;
        if (!any(read->points + start, end - start, is_pictograph))
            continue;
        char cluster[4 * POINTS_MAX];
        if (at == count || tokens[at].kind != HB_EMOJI ||
            !hb_bytes_equal(tokens[at++].text, encode(read->points + start, end - start, cluster)))
            return false;
    }
    return at == count;
}

/* Whether the file's first line names the Unicode version of ICU ("# WordBreakTest-15.0.0.txt"). */
static bool same_version(const char *first_line)
{
    UVersionInfo version;
    char text[U_MAX_VERSION_STRING_LENGTH];
    char name[64];
    u_getUnicodeVersion(version);
    u_versionToString(version, text);
    snprintf(name, sizeof name, "-%s.", text);
    return strstr(first_line, name) != NULL;
}

typedef struct left_out {
    bool (*is)(UChar32);
    const char *why;
} left_out;

/* Checks each line of a file. Lines that hold a code point of which a left_out tells are not checked. */
static void check_file(const char *path, bool (*is_right)(const sample *), const left_out *reasons, size_t reason_count)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[1024];
    size_t skipped[4] = {0};
    size_t checked = 0;
    size_t wrong = 0;
    assert_non_null(fgets(line, sizeof line, file));
    const bool same = same_version(line);
    while (fgets(line, sizeof line, file) != NULL) {
        sample read;
        if (!read_sample(line, &read))
            continue;
        size_t reason = 0;
        while (reason < reason_count && !any(read.points, read.count, reasons[reason].is))
            reason++;
        if (reason < reason_count) {
            skipped[reason]++;
            continue;
        }
        checked++;
        if (!is_right(&read)) {
            wrong++;
            print_message("otherwise than expected: %s", line);
        }
    }
    fclose(file);
    print_message("%s: %zu lines checked, %zu split otherwise%s\n", path, checked, wrong,
                  same ? "" : " (the file's Unicode version is not ICU's)");
    for (size_t i = 0; i < reason_count; i++)
        print_message("  %zu lines left out: %s\n", skipped[i], reasons[i].why);
    assert_true(checked > 250);
    if (same)
        assert_int_equal(wrong, 0);
}

static void words_pass_word_break_test(void **state)
{
    (void)state;
    static const left_out reasons[] = {
        {is_of_dictionary, "they hold a script that ICU splits by dictionary"},
        {is_colon, "they hold a colon, which separates words here whatever ICU's version does"},
    };
    check_file(FOLDER "auxiliary/WordBreakTest.txt", words_are_right, reasons, sizeof reasons / sizeof *reasons);
}

static void emoji_pass_grapheme_break_test(void **state)
{
    (void)state;
    static const left_out reasons[] = {{is_letter_or_digit, "they hold letters, so words, inside which no emoji are"}};
    check_file(FOLDER "auxiliary/GraphemeBreakTest.txt", emoji_are_right, reasons, 1);
}

/* A line "1F468 200D 1F33E ; fully-qualified # ...". */
static void each_emoji_is_one_token(void **state)
{
    (void)state;
    FILE *file = fopen(FOLDER "emoji/emoji-test.txt", "r");
    assert_non_null(file);
    char line[1024];
    size_t checked = 0;
    size_t keycaps = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        sample read = {0};
        const char *at = line;
        char *end = NULL;
        if (line[0] == '#' || strchr(line, ';') == NULL)
            continue;
        for (long point = 0; (point = strtol(at, &end, 16)) > 0 && end > at; at = end)
            read.points[read.count++] = (UChar32)point;
        const UChar32 first = read.points[0];
        if (first < 0x80 || first == 0xa9 || first == 0xae || first == 0x2139 || !is_pictograph(first)) {
            keycaps++;
            continue;
        }
        char text[4 * POINTS_MAX];
        const hb_bytes emoji = encode(read.points, read.count, text);
        const hb_token *tokens = NULL;
        bool bad = false;
        const size_t count = hb_words_split(words, emoji, (hb_bytes){0}, &tokens, &bad);
        if (count != 1 || tokens[0].kind != HB_EMOJI || !hb_bytes_equal(tokens[0].text, emoji))
            fail_msg("%zu tokens: %s", count, line);
        checked++;
    }
    fclose(file);
    print_message("emoji-test.txt: %zu sequences are one emoji each; left out: %zu keycaps (words or nothing), signs "
                  "that are words or text (\u00a9 \u00ae \u2139) and lone skin tones\n",
                  checked, keycaps);
    assert_true(checked > 3000);
}

int main(void)
{
    hb_error error;
    FILE *file = fopen(FOLDER "auxiliary/WordBreakTest.txt", "r");
    if (file == NULL) {
        puts("Unicode's test files (Debian package unicode-data) are not installed");
        return 77;
    }
    fclose(file);
    words = hb_words_open(&error);
    if (words == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_pass_word_break_test),
        cmocka_unit_test(emoji_pass_grapheme_break_test),
        cmocka_unit_test(each_emoji_is_one_token),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    hb_words_close(words);
    return failed;
}
