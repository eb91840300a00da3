/* test_message_row.c - where a message's row says that Twitch's emotes stand, whatever the tag says. */
#include "unit.h"

#include "facts.h"
#include "serve/message_row.h"
#include "text/utf8.h"

#include <jansson.h>
#include <stdlib.h>

/* The row of a message; *room holds it. */
static json_t *row_of(const char *tag, hb_bytes text, hb_buffer *room)
{
    const hb_fact fact = {
        .kind = HB_FACT_MESSAGE, .login = HB_BYTES("someone"), .text = text, .emotes = hb_bytes_of(tag)};
    room->size = 0;
    hb_message_row_print(room, &fact, false);
    json_t *row = json_loadb(room->data, room->size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(row);
    return row;
}

/* "ID BEGIN-END, …" of a row. */
static void print_found(const json_t *row, hb_buffer *out)
{
    size_t i;
    json_t *emote;
    out->size = 0;
    json_array_foreach(json_object_get(row, "emotes"), i, emote)
    {
        assert_int_equal(json_object_size(emote), 3);
        hb_buffer_print(out, "%s%s %d-%d", i > 0 ? ", " : "", json_string_value(json_object_get(emote, "id")),
                        (int)json_integer_value(json_object_get(emote, "begin")),
                        (int)json_integer_value(json_object_get(emote, "end")));
    }
}

static void emotes_are_found_in_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *tag;
        const char *text;
        const char *found;
    } cases[] = {
        {"", "Kappa", ""},
        {"25:0-4", "Kappa", "25 0-5"},
        {"25:6-10,0-4/emotesv2_0a1B:12-14", "Kappa Kappa HYP", "25 0-5, 25 6-11, emotesv2_0a1B 12-15"},
        {"25:3-7", "\xf0\x9f\x98\x80\xc3\xa9 Kappa", "25 3-8"}, /* code points, not bytes */
        {"25:1-5",
         "\xff"
         "Kappa",
         "25 1-6"}, /* U+FFFD counts as one */
        {"25:0-5", "Kappa", ""},
        {"25:4-0", "Kappa", ""},
        {"25:0-4", "", ""},
        {"25:0-4,99999999999999999999-3,4-18446744073709551619", "Kappa", "25 0-5"},
        {"25:0-4x,1-2/25:", "Kappa", "25 1-3"},
        {"25:,,,-,0-4", "Kappa", "25 0-5"},
        {"1:1-2/2:0-4/3:4-4/4:0-2", "Kappa", "2 0-5"}, /* the first, and the longest */
        {"../../x:0-1/a b:0-1/\\s:0-1/%2e:0-1/<b>:0-1/\xc3\xa9:0-1/:0-1/ok_9:0-1", "Kappa", "ok_9 0-2"},
        {"0-4", "Kappa", ""},
        {"//::0-4", "Kappa", ""},
    };
    hb_buffer room = {0};
    hb_buffer found = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *row = row_of(cases[i].tag, hb_bytes_of(cases[i].text), &room);
        print_found(row, &found);
        assert_bytes(hb_buffer_bytes(&found), cases[i].found);
        assert_int_equal(json_object_get(row, "emotes") != NULL, cases[i].found[0] != '\0');
        json_decref(row);
    }
    hb_buffer_free(&room);
    hb_buffer_free(&found);
}

static void many_and_long_ones_have_a_bound(void **state)
{
    (void)state;
    hb_buffer tag = {0};
    hb_buffer text = {0};
    hb_buffer room = {0};
    hb_buffer_append(&tag, HB_BYTES("25:"));
    for (int i = 0; i < 5000; i++) {
        hb_buffer_print(&tag, "%s%d-%d", i > 0 ? "," : "", 2 * i, 2 * i);
        hb_buffer_append(&text, HB_BYTES("x "));
    }
    hb_buffer_append_char(&tag, '\0');
    json_t *row = row_of(tag.data, hb_buffer_bytes(&text), &room);
    assert_int_equal(json_array_size(json_object_get(row, "emotes")), HB_MESSAGE_EMOTES_MAX);
    json_decref(row);
    for (size_t size = HB_MESSAGE_EMOTE_ID_MAX; size < HB_MESSAGE_EMOTE_ID_MAX + 2; size++) {
        tag.size = 0;
        for (size_t i = 0; i < size; i++)
            hb_buffer_append_char(&tag, 'a');
        hb_buffer_append(&tag, (hb_bytes){":0-0", 5});
        row = row_of(tag.data, HB_BYTES("x"), &room);
        assert_int_equal(json_array_size(json_object_get(row, "emotes")), size <= HB_MESSAGE_EMOTE_ID_MAX);
        json_decref(row);
    }
    hb_buffer_free(&tag);
    hb_buffer_free(&text);
    hb_buffer_free(&room);
}

/* Whatever stands in the tag: in order, in the text, none that overlap, and ids that can go into an address. */
static void any_tag_gives_places_in_the_text(void **state)
{
    (void)state;
    static const char pieces[] = "0123456789:-,/aZ_\\. ";
    chat_dice dice = {.state = 20261125};
    hb_buffer room = {0};
    unsigned seen = 0;
    for (int round = 0; round < 20000; round++) {
        char tag[48];
        const unsigned size = roll(&dice, sizeof tag - 8);
        unsigned at = (unsigned)snprintf(tag, sizeof tag, "%s", roll(&dice, 2) == 0 ? "25:0-2," : "");
        for (unsigned i = 0; i < size; i++)
            tag[at++] = pieces[roll(&dice, sizeof pieces - 1)];
        tag[at] = '\0';
        json_t *row = row_of(tag, HB_BYTES("K\xc3\xa4pp\xf0\x9f\x98\x80 and 0123456789"), &room);
        size_t i;
        json_t *emote;
        json_int_t end = 0;
        json_array_foreach(json_object_get(row, "emotes"), i, emote)
        {
            const char *id = json_string_value(json_object_get(emote, "id"));
            const json_int_t begin = json_integer_value(json_object_get(emote, "begin"));
            assert_true(begin >= end);
            end = json_integer_value(json_object_get(emote, "end"));
            assert_true(end > begin && end <= 20);
            assert_true(strlen(id) > 0 && strspn(id, "0123456789aZ_") == strlen(id));
            seen++;
        }
        json_decref(row);
    }
    assert_true(seen > 1000);
    hb_buffer_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emotes_are_found_in_the_text),
        cmocka_unit_test(many_and_long_ones_have_a_bound),
        cmocka_unit_test(any_tag_gives_places_in_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
