/* test_search.c - whatever an index chooses holds all that a scan of the whole hour finds: when it is new, lags behind,
 * is damaged, belongs to another file, or is missing. */
#include "unit.h"

#include "base/clock.h"
#include "base/say.h"
#include "log/history.h"
#include "log/hour_index.h"
#include "log/messages.h"
#include "log/search.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNELS = 60, USERS = 3000, LINES = 4500 };
#define HOUR_S ((int64_t)1700000000 / 3600 * 3600)

static char directory[64];
static hb_log *log_;
static hb_error failure;
static int told;

static void tell(int count, int64_t hour_s)
{
    for (int i = 0; i < count; i++) {
        char line[512];
        const int number = told++;
        const int channel = rand() % (1 + rand() % CHANNELS);
        const int user = rand() % USERS;
        /* By ascending time, but for some that come late. */
        const long long time_ms =
            hour_s * 1000 + (rand() % 50 == 0 ? rand() % 3600000 : (long long)(i + 1) * 3599000 / count);
        const int size =
            rand() % 200 == 0
                ? snprintf(line, sizeof line, "@target-user-id=%d;tmi-sent-ts=%lld :tmi CLEARCHAT #channel%d :User%d",
                           100000 + user, time_ms, channel, user)
                : snprintf(line, sizeof line,
                           "@id=%d;tmi-sent-ts=%lld;user-id=%d :User%d!u@u PRIVMSG #channel%d :%d %08x%08x%08x", number,
                           time_ms, 100000 + user, user, channel, number, rand(), rand(), rand());
        assert_int_equal(hb_log_append(log_, (hb_bytes){line, (size_t)size}, time_ms), HB_LOG_APPENDED);
        if (rand() % 150 == 0)
            assert_true(hb_log_flush(log_, &failure));
    }
    assert_true(hb_log_flush(log_, &failure));
}

static int setup(void **state)
{
    (void)state;
    srand(11);
    told = 0;
    strcpy(directory, "/tmp/hubbub-search-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return 1;
    log_ = hb_log_open(directory, HB_LOG_APPEND, NULL, &failure);
    tell(LINES, HOUR_S);
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    hb_log_close(log_, &failure);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static int hour_file(void)
{
    const int file = hb_log_open_hour(log_, HOUR_S, HB_LOG_CLOSED, O_RDWR);
    assert_true(file >= 0);
    return file;
}

static void make_index(void)
{
    const int file = hour_file();
    assert_true(hb_index_make(log_, HOUR_S, file));
    close(file);
}

static bool matches(hb_bytes line, const hb_log_filter *filter)
{
    hb_fact fact;
    if (hb_fact_read(line, &fact) != HB_FACT_OK)
        return false;
    if (filter->channel.size > 0 && !hb_bytes_equal(fact.channel, filter->channel))
        return false;
    if (fact.time_ms < filter->from_ms || fact.time_ms >= filter->to_ms)
        return false;
    if (filter->removals)
        return fact.kind == HB_FACT_CLEARCHAT;
    char lower[HB_LOGIN_MAX];
    return filter->user.size == 0 || hb_bytes_equal(fact.user_id, filter->user) ||
           hb_bytes_equal(hb_bytes_lower(fact.login, lower), filter->user);
}

/* A sum over the matching lines in which each counts once, whatever their order. */
static uint64_t sum_lines(hb_bytes lines, const hb_log_filter *filter, size_t *count)
{
    uint64_t sum = 0;
    hb_bytes line;
    while (hb_bytes_cut(&lines, '\n', &line))
        if (matches(line, filter)) {
            sum += hb_hash(line, 0);
            ++*count;
        }
    return sum;
}

static uint64_t scan(const hb_log_filter *filter, size_t *count)
{
    hb_log_cursor *cursor = hb_log_cursor_open(log_, HOUR_S, 0, &failure);
    hb_bytes lines = {"", 1};
    uint64_t next;
    uint64_t sum = 0;
    for (*count = 0; lines.size > 0; sum += sum_lines(lines, filter, count))
        assert_true(hb_log_read(cursor, &lines, &next, &failure));
    hb_log_cursor_close(cursor);
    return sum;
}

static uint64_t search(const hb_log_filter *filter, size_t *count, bool *chose, uint64_t *taken)
{
    hb_log_search *found = hb_log_search_open(log_, HOUR_S, filter, &failure);
    hb_log_lines piece = {.lines = {"", 1}};
    uint64_t sum = 0;
    assert_non_null(found);
    *chose = hb_log_search_chooses(found);
    for (*count = 0; piece.lines.size > 0; sum += sum_lines(piece.lines, filter, count)) {
        const int64_t before_ms = hb_log_search_before(found);
        hb_bytes line;
        assert_true(hb_log_search_read(found, &piece, &failure));
        for (hb_bytes rest = piece.lines; hb_bytes_cut(&rest, '\n', &line);) {
            hb_fact fact;
            assert_int_equal(hb_fact_read(line, &fact), HB_FACT_OK);
            assert_true(fact.time_ms < before_ms);
        }
    }
    *taken = hb_log_search_taken(found);
    hb_log_search_close(found);
    return sum;
}

/* Compares random searches with scans. Returns how many bytes of lines an average search for a user took. */
typedef enum choice { READS_ALL, CHOOSES, EITHER } choice;

static uint64_t compare(choice should)
{
    uint64_t taken_all = 0;
    int searches = 0;
    for (int round = 0; round < 40; round++) {
        char channel[24];
        char user[24];
        size_t count;
        size_t expected;
        bool chose;
        uint64_t taken;
        snprintf(channel, sizeof channel, "channel%d", rand() % CHANNELS);
        snprintf(user, sizeof user, rand() % 2 == 0 ? "user%d" : "%d", (rand() % 2 == 0 ? 0 : 100000) + rand() % USERS);
        const int64_t from_ms = rand() % 2 == 0 ? HOUR_S * 1000 : HOUR_S * 1000 + rand() % 3600000;
        const hb_log_filter filter = {
            .channel = rand() % 3 == 0 ? (hb_bytes){NULL, 0} : hb_bytes_of(channel),
            .user = rand() % 2 == 0 ? hb_bytes_of(user) : (hb_bytes){NULL, 0},
            .removals = rand() % 5 == 0,
            .from_ms = from_ms,
            .to_ms = rand() % 2 == 0 ? INT64_MAX : from_ms + rand() % 1000000,
            .newest_first = rand() % 2 == 0,
        };
        const bool any = !filter.removals && filter.channel.size == 0 && filter.user.size == 0 &&
                         filter.from_ms == HOUR_S * 1000 && filter.to_ms == INT64_MAX;
        const uint64_t sum = search(&filter, &count, &chose, &taken);
        assert_true(sum == scan(&filter, &expected));
        assert_int_equal(count, expected);
        if (should != EITHER)
            assert_int_equal(chose, should == CHOOSES && !any);
        if (filter.user.size > 0 && !filter.removals) {
            taken_all += taken;
            searches++;
        }
    }
    return searches == 0 ? 0 : taken_all / (uint64_t)searches;
}

static void an_index_loses_nothing(void **state)
{
    (void)state;
    const uint64_t without = compare(READS_ALL);
    make_index();
    const uint64_t with = compare(CHOOSES);
    assert_true(with < without / 2); /* and is worth it */
    tell(1500, HOUR_S);              /* late */
    compare(CHOOSES);
    make_index();
    tell(3, HOUR_S);
    compare(CHOOSES);
}

static void an_index_is_made_where_it_is_missed(void **state)
{
    (void)state;
    assert_false(hb_log_exists(log_, HOUR_S, HB_LOG_INDEX));
    compare(READS_ALL); /* the hour is too small */
    tell(20000, HOUR_S);
    compare(CHOOSES);
    assert_true(hb_log_exists(log_, HOUR_S, HB_LOG_INDEX));
    struct stat before;
    struct stat after;
    assert_int_equal(fstatat(log_->folder, "2023-11-14T22.index", &before, 0), 0);
    tell(100, HOUR_S);
    compare(CHOOSES);
    assert_int_equal(fstatat(log_->folder, "2023-11-14T22.index", &after, 0), 0);
    assert_true(before.st_ino == after.st_ino); /* lags behind, but not by much */
    tell(20000, HOUR_S);
    compare(CHOOSES);
    assert_int_equal(fstatat(log_->folder, "2023-11-14T22.index", &after, 0), 0);
    assert_true(before.st_size < after.st_size);
}

static void compressing_makes_an_index(void **state)
{
    (void)state;
    const int64_t now_ms = hb_now_ms();
    const int64_t hour_s = hb_time_floor(now_ms / 1000, HB_HOUR_S);
    tell(LINES, hour_s); /* in progress: plain */
    assert_true(hb_log_exists(log_, hour_s, HB_LOG_PLAIN));
    assert_true(hb_log_close_hours(log_, now_ms + 7200000, &failure));
    const int file = hb_log_open_hour(log_, hour_s, HB_LOG_CLOSED, O_RDONLY);
    hb_index *index = hb_index_open(log_, hour_s, file);
    struct stat state_of;
    assert_non_null(index);
    assert_int_equal(fstat(file, &state_of), 0);
    assert_int_equal(hb_index_end(index), state_of.st_size);
    hb_index_close(index);
    close(file);
}

static void damage_costs_no_answer(void **state)
{
    (void)state;
    make_index();
    char name[HB_LOG_NAME];
    hb_log_name(HOUR_S, HB_LOG_INDEX, name);
    const int file = openat(log_->folder, name, O_RDWR);
    struct stat state_of;
    assert_int_equal(fstat(file, &state_of), 0);
    for (int round = 0; round < 120; round++) {
        const off_t at = rand() % 3 == 0 ? rand() % 400 : rand() % state_of.st_size;
        unsigned char byte;
        const hb_log_filter filter = {.user = HB_BYTES("user1"), .to_ms = INT64_MAX, .newest_first = rand() % 2 == 0};
        size_t count;
        size_t expected;
        bool chose;
        uint64_t taken;
        assert_int_equal(pread(file, &byte, 1, at), 1);
        const unsigned char bad = byte ^ (unsigned char)(1 + rand() % 255);
        assert_int_equal(pwrite(file, &bad, 1, at), 1);
        assert_true(search(&filter, &count, &chose, &taken) == scan(&filter, &expected));
        assert_int_equal(count, expected);
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
    }
    for (off_t size = state_of.st_size - 1; size > 0; size /= 2) {
        assert_int_equal(ftruncate(file, size), 0);
        compare(EITHER);
    }
    close(file);
}

/* Puts another hour's file, or a changed one, in the place of the one that the index was made of. */
static void an_index_of_another_file_is_not_believed(void **state)
{
    (void)state;
    make_index();
    char name[HB_LOG_NAME];
    hb_log_name(HOUR_S, HB_LOG_CLOSED, name);
    assert_int_equal(unlinkat(log_->folder, name, 0), 0);
    tell(LINES, HOUR_S);
    compare(READS_ALL);
    make_index();
    tell(10, HOUR_S);
    const int file = hour_file();
    struct stat state_of;
    assert_int_equal(fstat(file, &state_of), 0);
    assert_int_equal(ftruncate(file, state_of.st_size / 2), 0); /* what is left is torn */
    close(file);
    compare(READS_ALL);
}

/* The frame that the index names has become unreadable: everything else comes, each line once, and the damage is said.
 */
static void a_bad_frame_is_told_and_the_rest_comes(void **state)
{
    (void)state;
    make_index();
    const int file = hour_file();
    struct stat state_of;
    assert_int_equal(fstat(file, &state_of), 0);
    const char bad[200] = {0};
    assert_int_equal(pwrite(file, bad, sizeof bad, state_of.st_size / 2), sizeof bad);
    close(file);
    for (int newest_first = 0; newest_first < 2; newest_first++) {
        const hb_log_filter filter = {
            .channel = HB_BYTES("channel0"), .to_ms = INT64_MAX, .newest_first = newest_first};
        size_t count = 0;
        size_t expected = 0;
        uint64_t sum = 0;
        uint64_t scanned = 0;
        int damages = 0;
        hb_log_search *found = hb_log_search_open(log_, HOUR_S, &filter, &failure);
        hb_log_lines piece = {.lines = {"", 1}};
        assert_true(hb_log_search_chooses(found));
        while (piece.lines.size > 0) {
            if (hb_log_search_read(found, &piece, &failure)) {
                sum += sum_lines(piece.lines, &filter, &count);
                continue;
            }
            assert_int_equal(failure.code, HB_ERROR_CORRUPT);
            piece.lines.size = 1;
            damages++;
        }
        hb_log_search_close(found);
        hb_log_cursor *cursor = hb_log_cursor_open(log_, HOUR_S, 0, &failure);
        hb_bytes lines = {"", 1};
        uint64_t next;
        while (lines.size > 0) {
            if (hb_log_read(cursor, &lines, &next, &failure))
                scanned += sum_lines(lines, &filter, &expected);
            else
                lines.size = 1;
        }
        hb_log_cursor_close(cursor);
        assert_int_equal(damages, 1);
        assert_int_equal(count, expected);
        assert_true(sum == scanned);
    }
}

/* Pages back through a channel: every message once, in order, though messages share milliseconds and came twice. */
static void pages_hold_every_message_once(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        char line[256];
        const int size = snprintf(line, sizeof line, "@id=p%d;tmi-sent-ts=%lld;user-id=1 :u!u@u PRIVMSG #paged :%d",
                                  i / 2, (long long)HOUR_S * 1000 + 1000 + i / 14, i / 2);
        assert_int_equal(hb_log_append(log_, (hb_bytes){line, (size_t)size}, HOUR_S * 1000), HB_LOG_APPENDED);
    }
    assert_true(hb_log_flush(log_, &failure));
    for (int with_index = 0; with_index < 2; with_index++) {
        for (size_t limit = 1; limit < 40; limit += 3) {
            hb_message_query query = {
                .channel = HB_BYTES("paged"), .from_s = HOUR_S, .to_s = HOUR_S + 3600, .limit = limit};
            int expected = 149;
            bool more = true;
            while (more) {
                hb_messages *messages = hb_messages_open(log_, &query, &failure);
                for (size_t i = hb_messages_count(messages); i-- > 0; expected--) {
                    char text[16];
                    snprintf(text, sizeof text, "%d", expected);
                    assert_bytes(hb_messages_at(messages, i)->fact.text, text);
                }
                more = hb_messages_earlier(messages, &query.before);
                query.paged = true;
                hb_messages_close(messages);
            }
            assert_int_equal(expected, -1);
        }
        make_index();
    }
}

/* All of a history, message by message, is what the newest messages without limit are, but for their order. */
static void a_history_tells_what_messages_tell(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        char channel[24];
        snprintf(channel, sizeof channel, "channel%d", rand() % 10);
        const int64_t from_s = HOUR_S + rand() % 3600;
        const hb_message_query query = {
            .channel = hb_bytes_of(channel), .from_s = from_s, .to_s = from_s + 3600, .limit = HB_MESSAGES_MAX};
        const hb_history_query same = {
            .channel = query.channel, .from_s = query.from_s, .to_s = query.to_s, .messages = true, .removals = true};
        hb_messages *messages = hb_messages_open(log_, &query, &failure);
        hb_history *history = hb_history_open(log_, &same, &failure);
        uint64_t sum = 0;
        uint64_t other = 0;
        size_t count = 0;
        hb_bytes lines = {"", 1};
        hb_history_fact found;
        while (lines.size > 0) {
            assert_true(hb_history_read(history, &lines, &failure));
            for (hb_bytes rest = lines; hb_history_next(history, &rest, &found); count++)
                sum += hb_hash(found.fact.text, found.deleted);
        }
        for (size_t i = 0; i < hb_messages_count(messages); i++)
            other += hb_hash(hb_messages_at(messages, i)->fact.text, hb_messages_at(messages, i)->deleted);
        assert_int_equal(count, hb_messages_count(messages));
        assert_true(sum == other);
        hb_history_close(history);
        hb_messages_close(messages);
        if (round == 5)
            make_index();
    }
}

#define IN_A_LOG(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    hb_say_up_to(HB_SAY_ERROR);
    const struct CMUnitTest tests[] = {
        IN_A_LOG(an_index_loses_nothing),
        IN_A_LOG(an_index_is_made_where_it_is_missed),
        IN_A_LOG(compressing_makes_an_index),
        IN_A_LOG(damage_costs_no_answer),
        IN_A_LOG(an_index_of_another_file_is_not_believed),
        IN_A_LOG(a_bad_frame_is_told_and_the_rest_comes),
        IN_A_LOG(pages_hold_every_message_once),
        IN_A_LOG(a_history_tells_what_messages_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
