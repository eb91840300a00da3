/* test_engagement.c - engagement held against a slow obvious version, with and without days and weeks that stand for
 * their hours; sheets that lag behind their rows; participation in the overview of all channels. */
#include "store_place.h"

#include "base/clock.h"
#include "serve/answer.h"
#include "store/rollup.h"
#include "views/sheet.h"

#include <math.h>
#include <stdlib.h>

enum {
    FIRST_HOUR = 1764439200, /* 2025-11-29T18 */
    HOURS = 40 * 24,
    DENSE = 20, /* of the last hours none is empty */
    USERS = 24,
    END = FIRST_HOUR + HOURS * HB_HOUR_S
};

typedef struct world {
    uint64_t wrote[HOURS][USERS]; /* the minutes */
    uint32_t messages[HOURS][60];
    uint32_t first[HOURS][60];
    uint32_t subscribers[HOURS][60];
    uint32_t viewers[HOURS][60]; /* sum of the samples */
    uint32_t samples[HOURS][60];
} world;

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)rand() % sides;
}

static hb_store *open_store(const char *name)
{
    hb_error error = {0};
    char place[128];
    snprintf(place, sizeof place, "%s/%s", directory, name);
    hb_store *store = hb_store_open(place, HB_STORE_WRITE, &error);
    assert_non_null(store);
    return store;
}

/* ---- A world at random ---- */

static void make_minute(world *made, int hour, int minute, bool live)
{
    uint32_t chatters = 0;
    if (dice(4) > 0)
        for (int user = 0; user < USERS; user++)
            if (dice(user + 4) == 0) {
                made->wrote[hour][user] |= UINT64_C(1) << minute;
                chatters++;
            }
    made->messages[hour][minute] = chatters == 0 ? 0 : chatters + dice(9);
    made->first[hour][minute] = dice(chatters + 1);
    made->subscribers[hour][minute] = dice(made->messages[hour][minute] + 1);
    made->samples[hour][minute] = live && dice(5) > 0 ? 1 + dice(2) : 0;
    made->viewers[hour][minute] = made->samples[hour][minute] * dice(3) * dice(100);
}

static world *make_world(void)
{
    world *made = hb_alloc(sizeof *made);
    for (int hour = 0; hour < HOURS; hour++) {
        if (hour < HOURS - DENSE && dice(10) > 0)
            continue;
        const bool live = dice(4) > 0;
        for (int minute = 0; minute < 60; minute++)
            if (hour >= HOURS - DENSE || dice(20) == 0)
                make_minute(made, hour, minute, live);
    }
    return made;
}

static uint64_t chatters_of(const world *from, int hour, int minute)
{
    uint64_t chatters = 0;
    for (int user = 0; user < USERS; user++)
        chatters += from->wrote[hour][user] >> minute & 1;
    return chatters;
}

static void put_hour(hb_store *store, const world *from, int hour, bool open, const world *of_sheet)
{
    const hb_bytes channel = HB_BYTES("xqc");
    const int64_t hour_s = FIRST_HOUR + (int64_t)hour * HB_HOUR_S;
    hb_minute_row minutes[60];
    hb_channel_row row = {channel, HB_BYTES("7"), hour_s, hour_s + HB_HOUR_S - 1};
    hb_progress progress = {.part = hour_s, .position = 1, .done = !open};
    hb_changes changes = {.minutes = minutes,
                          .channels = &row,
                          .channel_count = 1,
                          .progress = &progress,
                          .progress_count = 1,
                          .replace = HB_REPLACE_HOUR,
                          .hour_s = hour_s};
    for (int m = 0; m < 60; m++)
        if (from->messages[hour][m] + from->samples[hour][m] > 0)
            minutes[changes.minute_count++] = (hb_minute_row){channel,
                                                              hour_s + m * HB_MINUTE_S,
                                                              {.messages = from->messages[hour][m],
                                                               .chatters = chatters_of(from, hour, m),
                                                               .new_chatters = from->first[hour][m],
                                                               .subscriber_messages = from->subscribers[hour][m],
                                                               .viewers_sum = from->viewers[hour][m],
                                                               .samples = from->samples[hour][m]}};
    if (changes.minute_count == 0)
        return;
    hb_sheet *sheet = hb_sheet_open(channel, hour_s);
    for (int user = 0; user < USERS; user++) {
        char id[16];
        snprintf(id, sizeof id, user % 5 == 0 ? "login%d" : "%d", user * 7919);
        if (of_sheet->wrote[hour][user] != 0)
            hb_sheet_add_user(sheet, hb_sheet_find_user(sheet, hb_bytes_of(id), hb_hash(hb_bytes_of(id), 0), false), 1,
                              1, of_sheet->wrote[hour][user]);
    }
    char *data = NULL;
    hb_sheet_row written = {channel, hour_s, {0}, open};
    hb_sheet_encode(sheet, &data, &written.sheet.size);
    written.sheet.data = data;
    changes.sheets = &written;
    changes.sheet_count = 1;
    apply(store, &changes);
    hb_sheet_close(sheet);
    hb_free(data);
}

/* ---- The slow obvious version ---- */

static bool wrote(const world *from, int user, int64_t minute)
{
    return minute >= 0 && (from->wrote[minute / 60][user] >> minute % 60 & 1) != 0;
}

static bool returns(const world *from, int user, int hour)
{
    for (int before = hour - 30 * 24 < 0 ? 0 : hour - 30 * 24; before < hour; before++)
        if (from->wrote[before][user] != 0)
            return true;
    return false;
}

static double viewers_of(const world *from, int64_t minute)
{
    return minute < 0 || from->samples[minute / 60][minute % 60] == 0
               ? NAN
               : (double)from->viewers[minute / 60][minute % 60] / from->samples[minute / 60][minute % 60];
}

static void print_share(hb_buffer *out, double part, double all)
{
    if (all > 0)
        hb_buffer_print(out, "%.4f,", part / all);
    else
        hb_buffer_print(out, ",");
}

static void print_minute(hb_buffer *out, const world *from, int64_t minute)
{
    const int hour = (int)(minute / 60);
    const int m = (int)(minute % 60);
    char time[HB_TIME_TEXT];
    double sum = 0;
    double sampled = 0;
    unsigned took_part = 0;
    unsigned returning = 0;
    for (int64_t back = 0; back < 10; back++)
        if (!isnan(viewers_of(from, minute - back))) {
            sum += viewers_of(from, minute - back);
            sampled++;
        }
    for (int user = 0; user < USERS; user++) {
        bool any = false;
        for (int64_t back = 0; back < 10; back++)
            any = any || wrote(from, user, minute - back);
        took_part += any;
        returning += wrote(from, user, minute) && returns(from, user, hour);
    }
    hb_time_print(FIRST_HOUR + minute * HB_MINUTE_S, time);
    hb_buffer_print(out, "%s,%u,%llu,", time, from->messages[hour][m], (unsigned long long)chatters_of(from, hour, m));
    if (from->samples[hour][m] > 0)
        hb_buffer_print(out, "%d", (int)(viewers_of(from, minute) + 0.5));
    hb_buffer_print(out, ",");
    print_share(out, 100.0 * from->messages[hour][m], viewers_of(from, minute));
    print_share(out, took_part, sampled > 0 ? sum / sampled : 0);
    hb_buffer_print(out, "%u,%u,", from->first[hour][m], returning);
    print_share(out, from->subscribers[hour][m], from->messages[hour][m]);
    hb_buffer_print(out, "speed\r\n");
}

static const char *const head = "time,messages,chatters,viewers,messages_per_100_viewers,participation,new_chatters,"
                                "returning_chatters,subscriber_share,layer\r\n";

static char *slow_answer(const world *from, int64_t first, int64_t last, uint32_t limit)
{
    hb_buffer out = {0};
    uint32_t rows = 0;
    hb_buffer_print(&out, "%s", head);
    for (int64_t minute = first; minute < last; minute++)
        rows += from->messages[minute / 60][minute % 60] + from->samples[minute / 60][minute % 60] > 0;
    for (int64_t minute = first; minute < last; minute++)
        if (from->messages[minute / 60][minute % 60] + from->samples[minute / 60][minute % 60] > 0 && rows-- <= limit)
            print_minute(&out, from, minute);
    hb_buffer_append_char(&out, '\0');
    return out.data;
}

/* ---- Both ---- */

static char *ask(hb_store *store, const hb_question *question, int64_t now_s, hb_format format)
{
    hb_error error = {0};
    hb_buffer out = {0};
    hb_answer *answer = hb_answer_open(store, question, now_s, &error);
    if (answer == NULL)
        print_error("%s\n", error.text);
    assert_non_null(answer);
    hb_answer_print(answer, format, &out);
    hb_answer_close(answer);
    hb_buffer_append_char(&out, '\0');
    return out.data;
}

static void check(hb_store *store, const world *made, int64_t first, int64_t last, uint32_t limit)
{
    const hb_question question = {.kind = HB_ASK_ENGAGEMENT,
                                  .channel = HB_BYTES("xqc"),
                                  .from_s = FIRST_HOUR + first * HB_MINUTE_S,
                                  .to_s = FIRST_HOUR + last * HB_MINUTE_S,
                                  .limit = limit};
    char *found = ask(store, &question, END, HB_FORMAT_CSV);
    char *expected = slow_answer(made, first, last, limit);
    assert_string_equal(found, expected);
    free(found);
    free(expected);
}

static void check_ranges(hb_store *store, const world *made)
{
    const int64_t end = HOURS * 60;
    for (int turn = 0; turn < 60; turn++) {
        const int64_t first = turn % 10 == 0 ? dice(HOURS * 60) : end - 1 - dice(DENSE * 60);
        const int64_t last = first + 1 + dice((uint32_t)(end - first));
        check(store, made, first, last, 1 + dice(turn % 3 == 0 ? 10 : 600));
    }
    check(store, made, 0, end, 10000);
}

static bool count_standing(void *context, hb_span span, int64_t start_s, hb_rollup_state state)
{
    (void)span;
    (void)start_s;
    *(int *)context += state == HB_ROLLUP_STANDS;
    return true;
}

static void engagement_is_what_is_obvious(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(make_directory(state), 0);
        world *made = make_world();
        hb_store *store = open_store("hubbub.db");
        for (int hour = 0; hour < HOURS; hour++)
            put_hour(store, made, hour, false, made);
        check_ranges(store, made);
        hb_rollup *rollup = hb_rollup_open(store);
        hb_error error = {0};
        bool more = true;
        int standing = 0;
        while (more)
            assert_true(hb_rollup_step(rollup, INT64_MIN, END + HB_DAY_S, &more, &error));
        assert_true(hb_store_rollups(store, 0, END, count_standing, &standing, &error));
        assert_true(standing > 30);
        check_ranges(store, made);
        hb_rollup_close(rollup);
        hb_store_close(store);
        free(made);
        assert_int_equal(remove_directory(state), 0);
    }
}

static void what_a_sheet_does_not_have_yet_is_not_told(void **state)
{
    (void)state;
    world *made = hb_alloc(sizeof *made);
    world *older = hb_alloc(sizeof *older);
    made->wrote[0][1] = 3;
    made->messages[0][0] = made->messages[0][1] = 1;
    made->samples[0][0] = made->samples[0][1] = made->samples[0][2] = 1;
    made->viewers[0][0] = made->viewers[0][1] = made->viewers[0][2] = 4;
    older->wrote[0][1] = 1;
    hb_store *store = open_store("hubbub.db");
    put_hour(store, made, 0, true, older);
    const hb_question question = {.kind = HB_ASK_ENGAGEMENT,
                                  .channel = HB_BYTES("xqc"),
                                  .from_s = FIRST_HOUR,
                                  .to_s = FIRST_HOUR + HB_HOUR_S,
                                  .limit = 10};
    char *found = ask(store, &question, FIRST_HOUR + 150, HB_FORMAT_JSON);
    assert_non_null(strstr(found, "\"exact\":false"));
    assert_non_null(strstr(found,
                           "18:00:00Z\",\"messages\":1,\"chatters\":1,\"viewers\":4,\"messages_per_100_viewers\":"
                           "25.0000,\"participation\":0.2500,\"new_chatters\":0,\"returning_chatters\":0,"));
    assert_non_null(strstr(found,
                           "18:01:00Z\",\"messages\":1,\"chatters\":1,\"viewers\":4,\"messages_per_100_viewers\":"
                           "25.0000,\"participation\":null,\"new_chatters\":0,\"returning_chatters\":null,"));
    assert_non_null(strstr(found,
                           "18:02:00Z\",\"messages\":0,\"chatters\":0,\"viewers\":4,\"messages_per_100_viewers\":"
                           "0.0000,\"participation\":null,\"new_chatters\":0,\"returning_chatters\":0,"
                           "\"subscriber_share\":null"));
    free(found);
    free(made);
    free(older);
    hb_store_close(store);
}

/* In the overview: of the ten minutes before the one in progress, here on both sides of an hour's end. */
static void the_overview_tells_participation(void **state)
{
    (void)state;
    world *made = hb_alloc(sizeof *made);
    made->wrote[0][1] = UINT64_C(1) << 56 | UINT64_C(1) << 50; /* within */
    made->wrote[0][2] = UINT64_C(1) << 52;                     /* too early */
    made->wrote[0][3] = UINT64_C(1) << 54;
    made->wrote[1][1] = 1;
    made->wrote[1][4] = 4;
    made->wrote[1][5] = 8; /* in progress */
    made->wrote[1][6] = 32;
    for (int m = 50; m < 60; m++)
        made->messages[0][m] = chatters_of(made, 0, m) > 0;
    for (int m = 0; m < 6; m++)
        made->messages[1][m] = 1;
    made->samples[0][58] = made->samples[1][2] = 1;
    made->viewers[0][58] = 8;
    made->viewers[1][2] = 10;
    hb_store *store = open_store("hubbub.db");
    put_hour(store, made, 0, false, made);
    put_hour(store, made, 1, true, made);
    hb_attendance *attendance = hb_attendance_open();
    for (int i = 0; i < 3; i++) { /* alone; for the first time; from memory */
        const hb_question question = {.kind = HB_ASK_CHANNELS, .limit = 5, .attendance = i == 0 ? NULL : attendance};
        char *found = ask(store, &question, FIRST_HOUR + HB_HOUR_S + 200, HB_FORMAT_JSON);
        assert_non_null(strstr(found, "\"viewers\":10,\"participation\":0.3333,"));
        free(found);
    }
    const hb_question later = {.kind = HB_ASK_CHANNELS, .limit = 5, .attendance = attendance};
    char *found = ask(store, &later, FIRST_HOUR + HB_HOUR_S + 180 + 180, HB_FORMAT_JSON);
    assert_non_null(strstr(found, "\"viewers\":null,\"participation\":0.4444,"));
    free(found);
    hb_attendance_close(attendance);
    hb_store_close(store);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engagement_is_what_is_obvious),
        cmocka_unit_test_setup_teardown(what_a_sheet_does_not_have_yet_is_not_told, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(the_overview_tells_participation, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
