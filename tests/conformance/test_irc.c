/* test_irc.c - the public IRC parser vectors (msg-split.yaml, CC0) against hb_line_parse.
 *
 * The files use a small part of YAML, always in the same shape, so a reader of that part stands here: a line
 * `- input: "..."` begins a case; below it `source`, `verb`, a list `params` and a map `tags` say what is expected. */
#include "unit/unit.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct vector {
    hb_bytes input;
    hb_bytes source;
    hb_bytes verb;
    hb_bytes params[HB_LINE_PARAMS];
    size_t param_count;
    hb_bytes keys[16];
    hb_bytes values[16];
    size_t tag_count;
} vector;

static hb_arena arena;

/* A YAML scalar, plain or in double quotes. */
static hb_bytes scalar(hb_bytes text)
{
    if (text.size < 2 || text.data[0] != '"')
        return text;
    char *out = hb_arena_alloc(&arena, text.size);
    size_t size = 0;
    for (size_t i = 1; i < text.size - 1; i++) {
        char c = text.data[i];
        if (c == '\\') {
            c = text.data[++i];
            if (c == 'x') {
                const char digits[] = {text.data[i + 1], text.data[i + 2], '\0'};
                c = (char)strtol(digits, NULL, 16);
                i += 2;
            } else {
                c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
            }
        }
        out[size++] = c;
    }
    return (hb_bytes){out, size};
}

static void check(const vector *expected)
{
    hb_line line;
    if (!hb_line_parse(expected->input, &line))
        fail_msg("refused: %.*s", HB_PRINT(expected->input));
    assert_true(hb_bytes_equal(line.source, expected->source));
    assert_true(hb_bytes_equal(line.command, expected->verb));
    if (line.param_count != expected->param_count)
        fail_msg("%zu parameters in: %.*s", line.param_count, HB_PRINT(expected->input));
    for (size_t i = 0; i < line.param_count; i++)
        assert_true(hb_bytes_equal(line.params[i], expected->params[i]));
    assert_int_equal(line.tags.size > 0, expected->tag_count > 0);
    for (size_t i = 0; i < expected->tag_count; i++) {
        hb_bytes value;
        assert_true(hb_line_tag(&line, expected->keys[i], &value));
        char *plain = hb_arena_alloc(&arena, value.size + 1);
        const hb_bytes unescaped = {plain, hb_tag_unescape(value, plain)};
        if (!hb_bytes_equal(unescaped, expected->values[i]))
            fail_msg("tag %.*s is '%.*s' in: %.*s", HB_PRINT(expected->keys[i]), HB_PRINT(unescaped),
                     HB_PRINT(expected->input));
    }
}

static void take_pair(hb_bytes text, bool in_tags, vector *taken)
{
    const char *colon = text.data + 1;
    while (colon < text.data + text.size && *colon != ':')
        colon++;
    const hb_bytes key = scalar(hb_bytes_trim((hb_bytes){text.data, (size_t)(colon - text.data)}));
    const hb_bytes value = scalar(hb_bytes_trim(hb_bytes_from(text, (size_t)(colon - text.data) + 1)));
    if (in_tags) {
        taken->keys[taken->tag_count] = key;
        taken->values[taken->tag_count++] = value;
    } else if (hb_bytes_equal(key, HB_BYTES("source"))) {
        taken->source = value;
    } else if (hb_bytes_equal(key, HB_BYTES("verb"))) {
        taken->verb = value;
    }
}

static size_t check_all(hb_bytes rest)
{
    size_t count = 0;
    vector current = {0};
    bool in_tags = false;
    hb_bytes row;
    while (hb_bytes_cut(&rest, '\n', &row)) {
        const hb_bytes text = hb_bytes_trim(row);
        const hb_bytes input = HB_BYTES("- input: ");
        if (text.size == 0 || text.data[0] == '#' || hb_bytes_equal(text, HB_BYTES("tests:")))
            continue;
        if (hb_bytes_start_with(text, input)) {
            if (count++ > 0)
                check(&current);
            current = (vector){.input = scalar(hb_bytes_from(text, input.size))};
            in_tags = false;
        } else if (text.data[0] == '-') {
            current.params[current.param_count++] = scalar(hb_bytes_trim(hb_bytes_from(text, 1)));
        } else if (text.data[text.size - 1] == ':') {
            in_tags = hb_bytes_equal(text, HB_BYTES("tags:"));
        } else {
            /* tags are indented deeper than the atoms' own keys */
            in_tags = in_tags && (size_t)(text.data - row.data) > 6;
            take_pair(text, in_tags, &current);
        }
    }
    check(&current);
    return count;
}

static void the_parser_passes_msg_split(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/tests/conformance/irc/msg-split.yaml", getenv("HUBBUB_SOURCE"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    hb_buffer text = {0};
    text.size = fread(hb_buffer_room(&text, 65536), 1, 65536, file);
    fclose(file);
    assert_int_equal(check_all(hb_buffer_bytes(&text)), 35);
    hb_buffer_free(&text);
    hb_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_parser_passes_msg_split)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
