/* test_top.c - hubbub top without a terminal: what it draws of which answers, and what keys do. */
#include "unit.h"

#include "cmd/top_draw.h"
#include "text/shown.h"
#include "text/utf8.h"

#include <stdlib.h>

static const char channels_answer[] =
    "{\"from\":\"2025-11-24T16:01:00Z\",\"to\":\"2025-11-24T16:02:00Z\",\"exact\":true,\"rows\":["
    "{\"channel\":\"xqc\",\"messages_per_minute\":1234.5,\"words_per_minute\":6000,\"chatters\":700,"
    "\"viewers\":45123,\"participation\":0.0423,\"moment\":\"2025-11-24T16:00:00Z\",\"top_emote\":\"KEKW\","
    "\"last_seen\":\"2025-11-24T16:01:58Z\",\"spark\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,4,8]},"
    "{\"channel\":\"asmongold\",\"messages_per_minute\":90,\"words_per_minute\":9000,\"chatters\":40,"
    "\"viewers\":null,\"participation\":null,\"moment\":null,\"top_emote\":\"\","
    "\"last_seen\":\"2025-11-24T15:00:00Z\"},"
    "{\"channel\":\"forsen\",\"messages_per_minute\":\"many\",\"last_seen\":5,\"spark\":[1,2]}]}";

static hb_top_news *take_channels(const char *answer)
{
    hb_error error = {0};
    hb_top_news *news = hb_top_news_open();
    if (!hb_top_news_take_channels(news, hb_bytes_of(answer), &error))
        fail_msg("%s", error.text);
    return news;
}

/* What is drawn, as plain text; the caller frees it. */
static char *draw(hb_top_state *state, const hb_top_news *news, unsigned rows, unsigned columns, const char *error)
{
    hb_top_screen screen = {0};
    hb_buffer out = {0};
    hb_top_screen_clear(&screen, rows, columns);
    hb_top_state_arrange(state, news);
    hb_top_draw(&screen, state, news, hb_bytes_of(error));
    for (size_t i = 0; i < screen.piece_count; i++) {
        assert_true(screen.pieces[i].row < rows);
        assert_true(screen.pieces[i].column + screen.pieces[i].width <= columns);
    }
    hb_top_screen_print(&screen, &out);
    hb_top_screen_free(&screen);
    char *text = hb_copy_text(hb_buffer_bytes(&out));
    hb_buffer_free(&out);
    return text;
}

static void assert_drawn(hb_top_state *state, const hb_top_news *news, unsigned rows, unsigned columns,
                         const char *expected)
{
    char *text = draw(state, news, rows, columns, "");
    assert_string_equal(text, expected);
    free(text);
}

static void keys(hb_top_state *state, const hb_top_news *news, const char *typed)
{
    for (; *typed != '\0'; typed++) {
        hb_top_state_key(state, (uint32_t)*typed);
        hb_top_state_arrange(state, news);
    }
}

static void key(hb_top_state *state, const hb_top_news *news, uint32_t which)
{
    hb_top_state_key(state, which);
    hb_top_state_arrange(state, news);
}

static hb_top_state begin(void)
{
    hb_top_state state = {0};
    hb_top_state_begin(&state);
    return state;
}

/* ---- All channels ---- */

static void wide_screens_show_all_that_is_known(void **unused)
{
    (void)unused;
    hb_top_news *news = take_channels(channels_answer);
    hb_top_state state = begin();
    assert_drawn(&state, news, 6, 140,
                 "hubbub  3 channels   1,324 messages/min   15,000 words/min\n"
                 "\n"
                 "CHANNEL             MSG/MINv  30 MINUTES                      MOMENT    WORDS/MIN  CHATTERS  "
                 "  VIEWERS  TAKE PART  TOP EMOTE            LAST\n"
                 "xqc                    1,234                            ▁▂▄█  * 2 min       6,000       700  "
                 "   45,123      4.2 %  KEKW                  now\n"
                 "asmongold                 90                                                9,000        40  "
                 "                                            1 h\n"
                 "Enter look into  / filter  < > sort  r reverse  ? help  q quit\n");
    hb_top_state_free(&state);
    hb_top_news_close(news);
}

static void narrow_screens_show_what_matters_most(void **unused)
{
    (void)unused;
    hb_top_news *news = take_channels(channels_answer);
    hb_top_state state = begin();
    assert_drawn(&state, news, 8, 48,
                 "hubbub  3 channels   1,324 messages/min   15,00…\n"
                 "\n"
                 "CHANNEL            MSG/MINv  MOMENT      VIEWERS\n"
                 "xqc                   1,234  * 2 min      45,123\n"
                 "asmongold                90\n"
                 "forsen                    0\n"
                 "\n"
                 "Enter look into  / filter  < > sort  r reverse …\n");
    hb_top_state_free(&state);
    hb_top_news_close(news);
}

static void no_size_is_too_small(void **unused)
{
    (void)unused;
    hb_top_news *news = take_channels(channels_answer);
    hb_top_state state = begin();
    for (unsigned rows = 0; rows < 30; rows++)
        for (unsigned columns = 0; columns < 90; columns += rows % 2 == 0 ? 1 : 7)
            for (int view = 0; view < 3; view++) {
                snprintf(state.channel, sizeof state.channel, "%s", view == 1 ? "xqc" : "");
                state.help = view == 2;
                free(draw(&state, news, rows, columns, rows % 3 == 0 ? "out of order" : ""));
            }
    hb_top_state_free(&state);
    hb_top_news_close(news);
}

static void the_table_sorts_filters_and_scrolls(void **unused)
{
    (void)unused;
    hb_top_news *news = take_channels(channels_answer);
    hb_top_state state = begin();
    hb_top_state_arrange(&state, news);
    assert_bytes(state.rows[0].channel->name, "xqc");
    keys(&state, news, ">");
    assert_int_equal(state.sort, HB_TOP_WORDS);
    assert_bytes(state.rows[0].channel->name, "asmongold");
    keys(&state, news, "r");
    assert_bytes(state.rows[0].channel->name, "forsen");
    keys(&state, news, "<<");
    assert_int_equal(state.sort, HB_TOP_CHANNEL);
    assert_bytes(state.rows[2].channel->name, "xqc");
    keys(&state, news, "<");
    assert_int_equal(state.sort, HB_TOP_LAST);
    assert_bytes(state.rows[0].channel->name, "xqc");

    keys(&state, news, "/X/");
    assert_int_equal(state.row_count, 0);
    key(&state, news, HB_TOP_KEY_ERASE);
    assert_int_equal(state.row_count, 1);
    key(&state, news, HB_TOP_KEY_ENTER);
    assert_string_equal(state.filter, "x");
    assert_false(state.typing);
    key(&state, news, HB_TOP_KEY_ESCAPE);
    assert_int_equal(state.row_count, 3);

    /* One row of the table is seen: it is the chosen one. */
    key(&state, news, HB_TOP_KEY_END);
    char *text = draw(&state, news, 5, 60, "");
    assert_non_null(strstr(text, "forsen"));
    assert_null(strstr(text, "asmongold"));
    free(text);
    keys(&state, news, "q");
    assert_true(state.quit);
    hb_top_state_free(&state);
    hb_top_news_close(news);
}

static void the_choice_follows_its_channel(void **unused)
{
    (void)unused;
    hb_top_news *news = take_channels(channels_answer);
    hb_top_state state = begin();
    hb_top_state_arrange(&state, news);
    keys(&state, news, "j");
    assert_string_equal(state.chosen, "asmongold");
    keys(&state, news, ">");
    assert_int_equal(hb_top_state_chosen(&state), 0);
    key(&state, news, HB_TOP_KEY_UP);
    assert_string_equal(state.chosen, "asmongold");
    key(&state, news, HB_TOP_KEY_ENTER);
    assert_string_equal(state.channel, "asmongold");
    hb_top_wish wish = hb_top_state_wish(&state);
    assert_string_equal(wish.channel, "asmongold");
    assert_int_equal(wish.range_s, 3600);
    assert_string_equal(wish.kind, "all");
    keys(&state, news, "++++++\t");
    wish = hb_top_state_wish(&state);
    assert_int_equal(wish.range_s, 7 * 86400);
    assert_string_equal(wish.kind, "word");
    keys(&state, news, "-------?j");
    assert_int_equal(hb_top_state_wish(&state).range_s, 900);
    assert_false(state.help);
    keys(&state, news, "q");
    assert_string_equal(state.channel, "");
    assert_false(state.quit);
    hb_top_state_free(&state);
    hb_top_news_close(news);
}

/* ---- One channel ---- */

static void take_xqc(hb_top_news *news, const char *words)
{
    hb_error error = {0};
    assert_true(hb_top_news_take_rate(news,
                                      HB_BYTES("{\"from\":\"2025-11-24T15:02:00Z\",\"to\":\"2025-11-24T16:02:00Z\","
                                               "\"rows\":[{\"time\":\"2025-11-24T15:02:00Z\",\"messages\":10},"
                                               "{\"time\":\"2025-11-24T15:10:00Z\",\"messages\":20},"
                                               "{\"time\":\"2025-11-24T16:01:00Z\",\"messages\":40}]}"),
                                      &error));
    assert_true(hb_top_news_take_words(news, hb_bytes_of(words), &error));
    assert_true(hb_top_news_take_users(news,
                                       HB_BYTES("{\"rows\":[{\"user_id\":\"5\",\"user_name\":\"수진\",\"messages\":7},"
                                                "{\"user_id\":\"6\",\"user_name\":\"\",\"messages\":6}]}"),
                                       &error));
    assert_true(hb_top_news_take_viewers(news,
                                         HB_BYTES("{\"rows\":[{\"time\":\"2025-11-24T16:01:00Z\",\"viewers\":45000,"
                                                  "\"game\":\"Chess\",\"title\":\"a\\u001bb\"}]}"),
                                         &error));
    assert_true(hb_top_news_take_moments(
        news,
        HB_BYTES("{\"rows\":[{\"time\":\"2025-11-24T15:02:00Z\",\"messages\":90,\"usual\":0,\"words\":[]},"
                 "{\"time\":\"2025-11-24T15:50:00Z\",\"messages\":90,\"usual\":20,"
                 "\"words\":[{\"kind\":\"emote\",\"word\":\"KE\\u001bKW\",\"count\":9}]}]}"),
        &error));
    news->channel = hb_arena_copy(&news->texts, HB_BYTES("xqc"));
}

static void a_channel_has_figures_a_chart_and_rankings(void **unused)
{
    (void)unused;
    hb_top_news *news = take_channels(channels_answer);
    hb_top_state state = begin();
    snprintf(state.channel, sizeof state.channel, "xqc");
    take_xqc(news, "{\"rows\":[{\"kind\":\"emote\",\"word\":\"KEKW\",\"count\":1500},"
                   "{\"kind\":\"word\",\"word\":\"the\",\"count\":99}]}");
    assert_drawn(&state, news, 13, 75,
                 "xqc\n"
                 "1,234 messages/min   6,000 words/min   700 chatters   45,000 viewers   4.2…\n"
                 "Chess - a?b\n"
                 "Moments: 12 min ago x4.5 KE?KW   1 h ago x90.0\n"
                 "Messages a minute in the last hour\n"
                 "       40                                                             █\n"
                 "                   ▄                                                  █\n"
                 "        0  ▆       █                                                  █\n"
                 "\n"
                 "Words                                  Users\n"
                 "KEKW                          1,500    수진                              7\n"
                 "the                              99    6                                 6\n"
                 "Escape back  + - range  Tab kind of words  ? help\n");
    hb_top_state_free(&state);
    hb_top_news_close(news);
}

static void texts_of_chat_cannot_leave_their_place(void **unused)
{
    (void)unused;
    hb_top_news *news = take_channels(channels_answer);
    hb_top_state state = begin();
    snprintf(state.channel, sizeof state.channel, "xqc");
    take_xqc(news, "{\"rows\":[{\"kind\":\"word\",\"word\":\"\\u001b[2J\\u202etxt\\u0000\\n\",\"count\":9},"
                   "{\"kind\":\"word\",\"word\":\"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀\",\"count\":8},"
                   "{\"kind\":\"word\",\"word\":\"مرحبا\",\"count\":7}]}");
    char *text = draw(&state, news, 24, 60, "bad\033[0m");
    for (const char *c = text; *c != '\0'; c++)
        assert_true(*c == '\n' || (unsigned char)*c >= ' ');
    assert_null(strstr(text, "\u202e"));
    assert_non_null(strstr(text, "?[2J?txt??"));
    assert_non_null(strstr(text, "😀…"));
    assert_non_null(strstr(text, "bad?[0m"));
    free(text);

    /* A terminal that shows ASCII only gets nothing else. */
    hb_top_screen screen = {.ascii = true};
    hb_buffer out = {0};
    hb_top_screen_clear(&screen, 24, 60);
    hb_top_draw(&screen, &state, news, HB_BYTES(""));
    hb_top_screen_print(&screen, &out);
    assert_int_equal(hb_utf8_ascii(hb_buffer_bytes(&out)), out.size);
    for (size_t i = 0; i < screen.piece_count; i++)
        assert_int_equal(screen.pieces[i].width, screen.pieces[i].size);
    hb_buffer_free(&out);
    hb_top_screen_free(&screen);
    hb_top_state_free(&state);
    hb_top_news_close(news);
}

/* ---- Answers ---- */

static void what_is_no_answer_is_refused(void **unused)
{
    (void)unused;
    static const char *const answers[] = {"", "{", "[]", "{\"rows\":5}", "<html>", "{\"rows\":[5,null,{}]"};
    hb_error error = {0};
    hb_top_news *news = hb_top_news_open();
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        assert_false(hb_top_news_take_channels(news, hb_bytes_of(answers[i]), &error));
        assert_false(hb_top_news_take_words(news, hb_bytes_of(answers[i]), &error));
    }
    assert_true(hb_top_news_take_channels(news, HB_BYTES("{\"rows\":[5,null,{},{\"channel\":7}]}"), &error));
    assert_int_equal(news->channel_count, 0);
    hb_top_news_take_failure(HB_BYTES("{\"error\":{\"code\":\"missing\",\"message\":\"no such channel\"}}"), 404,
                             &error);
    assert_int_equal(error.code, HB_ERROR_MISSING);
    assert_string_equal(error.text, "no such channel");
    hb_top_news_take_failure(HB_BYTES("<html>"), 502, &error);
    assert_int_equal(error.code, HB_ERROR_NETWORK);
    assert_non_null(strstr(error.text, "502"));
    hb_top_news_close(news);
}

static void bars_are_eighths(void **unused)
{
    (void)unused;
    hb_buffer out = {0};
    static const double shares[] = {-1, 0, 0.001, 0.125, 0.126, 0.5, 0.875, 0.876, 1, 9};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        hb_shown_append_bar(&out, shares[i], false);
    assert_bytes(hb_buffer_bytes(&out), "  ▁▁▂▄▇███");
    hb_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_screens_show_all_that_is_known),
        cmocka_unit_test(narrow_screens_show_what_matters_most),
        cmocka_unit_test(no_size_is_too_small),
        cmocka_unit_test(the_table_sorts_filters_and_scrolls),
        cmocka_unit_test(the_choice_follows_its_channel),
        cmocka_unit_test(a_channel_has_figures_a_chart_and_rankings),
        cmocka_unit_test(texts_of_chat_cannot_leave_their_place),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(bars_are_eighths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
