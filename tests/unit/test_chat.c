/* test_chat.c - the generated chat: the same for a seed, every line a fact, emotes where their tag says, shapes as in
 * real chat. */
#include "unit.h"

#include "base/error.h"
#include "base/map.h"
#include "base/memory.h"
#include "text/utf8.h"
#include "twitch/chat_maker.h"
#include "twitch/chat_people.h"

#include <stdlib.h>

enum { LINES = 60000, CHANNELS = 40 };

static const hb_chat_options usual = {.seed = 7, .channels = CHANNELS, .rate = 200, .archive = true, .viewers = true};

static hb_chat_maker *make(hb_chat_options options)
{
    hb_error error = {0};
    hb_chat_maker *maker = hb_chat_maker_open(&options, &error);
    if (maker == NULL)
        fail_msg("%s", error.text);
    return maker;
}

/* A set of texts, each with a number. */
typedef struct text_set {
    hb_map map;
    hb_arena arena;
    struct text {
        hb_bytes text;
        size_t number;
    } * entries;
    size_t capacity;
} text_set;

static struct text *find(const text_set *texts, hb_bytes text)
{
    const uint64_t hash = hb_hash(text, 0);
    for (uint32_t at = hb_map_first(&texts->map, hash); at != HB_MAP_END; at = hb_map_next(&texts->map, hash, at))
        if (hb_bytes_equal(texts->entries[hb_map_entry(&texts->map, at)].text, text))
            return &texts->entries[hb_map_entry(&texts->map, at)];
    return NULL;
}

static bool add(text_set *texts, hb_bytes text, size_t number)
{
    if (find(texts, text) != NULL)
        return false;
    HB_RESERVE(texts->entries, texts->capacity, texts->map.count + 1u);
    texts->entries[texts->map.count] = (struct text){hb_arena_copy(&texts->arena, text), number};
    hb_map_insert(&texts->map, hb_hash(text, 0), texts->map.count);
    return true;
}

static void free_texts(text_set *texts)
{
    hb_map_free(&texts->map);
    hb_arena_free(&texts->arena);
    free(texts->entries);
}

/* One line after the other, with everything a test may want to know of it. */
typedef struct reader {
    hb_chat_maker *maker;
    hb_chat_source chat;
    hb_buffer text;
    hb_chat_line made;
    hb_line line;
    hb_fact fact;
    int64_t time_ms;
} reader;

static reader start(hb_chat_options options)
{
    hb_chat_maker *maker = make(options);
    return (reader){.maker = maker, .chat = hb_chat_maker_source(maker)};
}

static void read_next(reader *reading)
{
    reading->text.size = 0;
    reading->time_ms = 1764000000000 + reading->chat.due_us(reading->chat.context) / 1000;
    reading->chat.next(reading->chat.context, reading->time_ms, &reading->text, &reading->made);
    if (!hb_line_parse(hb_buffer_bytes(&reading->text), &reading->line) ||
        hb_fact_read(hb_buffer_bytes(&reading->text), &reading->fact) != HB_FACT_OK)
        fail_msg("no fact: %.*s", HB_PRINT(hb_buffer_bytes(&reading->text)));
}

static void finish(reader *reading)
{
    hb_buffer_free(&reading->text);
    hb_chat_maker_close(reading->maker);
}

static hb_bytes tag(const reader *reading, const char *name)
{
    hb_bytes value = {"", 0};
    hb_line_tag(&reading->line, hb_bytes_of(name), &value);
    return value;
}

static hb_bytes text_of(hb_chat_options options, int64_t start_ms, int lines, hb_buffer *out)
{
    hb_chat_maker *maker = make(options);
    const hb_chat_source chat = hb_chat_maker_source(maker);
    hb_chat_line line;
    out->size = 0;
    for (int i = 0; i < lines; i++) {
        chat.next(chat.context, start_ms, out, &line);
        hb_buffer_append_char(out, '\n');
    }
    hb_chat_maker_close(maker);
    return hb_buffer_bytes(out);
}

/* ---- Tests ---- */

static void the_same_seed_gives_the_same_lines(void **state)
{
    (void)state;
    hb_buffer once = {0};
    hb_buffer again = {0};
    hb_chat_options options = usual;
    assert_true(
        hb_bytes_equal(text_of(options, 1764000000000, 20000, &once), text_of(options, 1764000000000, 20000, &again)));
    /* Only stamps depend on the time: these have the same length, so nothing else may differ. */
    text_of(options, 1777777777777, 20000, &again);
    assert_int_equal(once.size, again.size);
    size_t differing = 0;
    for (size_t i = 0; i < once.size; i++)
        differing += once.data[i] != again.data[i];
    assert_true(differing > 0 && differing <= 20000 * 12);
    options.seed++;
    assert_false(hb_bytes_equal(hb_buffer_bytes(&once), text_of(options, 1764000000000, 20000, &again)));
    hb_buffer_free(&once);
    hb_buffer_free(&again);
}

static void every_line_is_a_fact_of_its_channel_with_an_id_of_its_own(void **state)
{
    (void)state;
    reader reading = start(usual);
    text_set ids = {0};
    size_t kinds[HB_FACT_STREAM + 1] = {0};
    for (int i = 0; i < LINES; i++) {
        read_next(&reading);
        const hb_fact *fact = &reading.fact;
        assert_true(hb_bytes_equal(fact->channel, reading.chat.channel(reading.chat.context, reading.made.channel)));
        assert_int_equal(fact->time_ms, reading.time_ms);
        assert_false(fact->bad_timestamp);
        assert_int_equal(reading.made.is_message, fact->kind == HB_FACT_MESSAGE);
        kinds[fact->kind]++;
        uint64_t room_id = 0;
        if (fact->kind != HB_FACT_CLEARMSG) { /* there Twitch leaves it empty */
            assert_true(hb_bytes_to_u64(fact->room_id, &room_id));
            assert_int_equal(room_id, reading.chat.room_id(reading.chat.context, reading.made.channel));
        }
        if (fact->kind == HB_FACT_MESSAGE || fact->kind == HB_FACT_NOTICE) {
            assert_int_equal(fact->id.size, 36);
            if (!add(&ids, fact->id, 0))
                fail_msg("the id %.*s came twice", HB_PRINT(fact->id));
            assert_true(fact->user_id.size > 0 && fact->login.size > 0 && fact->display_name.size > 0);
        }
        if (fact->kind == HB_FACT_MESSAGE)
            assert_true(fact->text.size > 0);
    }
    for (size_t i = 0; i <= HB_FACT_STREAM; i++)
        assert_true(kinds[i] > 0);
    const size_t minutes = kinds[HB_FACT_MESSAGE] / (200 * 60) + 1; /* most channels are live most of the time */
    assert_in_range(kinds[HB_FACT_STREAM], CHANNELS * minutes / 2, CHANNELS * minutes);
    free_texts(&ids);
    finish(&reading);
}

static void tags_come_in_twitchs_order(void **state)
{
    (void)state;
    reader reading = start(usual);
    for (int i = 0; i < LINES / 4; i++) {
        read_next(&reading);
        hb_bytes rest = reading.line.tags;
        hb_bytes key;
        hb_bytes value;
        hb_bytes last = {"", 0};
        while (reading.fact.kind == HB_FACT_MESSAGE && hb_tags_next(&rest, &key, &value)) {
            assert_true(hb_bytes_compare(last, key) < 0);
            last = key;
        }
    }
    finish(&reading);
}

/* Byte offsets of code points first and last + 1. */
static hb_bytes cut_points(hb_bytes text, uint64_t first, uint64_t last)
{
    size_t at = 0;
    size_t from = 0;
    bool bad = false;
    for (uint64_t point = 0; point <= last; point++) {
        assert_true(at < text.size);
        if (point == first)
            from = at;
        hb_utf8_next(text, &at, &bad);
    }
    assert_false(bad);
    return (hb_bytes){text.data + from, at - from};
}

static void emote_ranges_hold_the_emotes_name(void **state)
{
    (void)state;
    reader reading = start(usual);
    text_set names = {0}; /* each with the number of its id */
    text_set ids = {0};
    size_t behind_others = 0;
    size_t emotes = 0;
    for (int i = 0; i < LINES; i++) {
        read_next(&reading);
        hb_bytes rest = reading.fact.kind == HB_FACT_MESSAGE ? reading.fact.emotes : (hb_bytes){"", 0};
        for (hb_bytes group; hb_bytes_cut(&rest, '/', &group);) {
            hb_bytes id;
            assert_true(hb_bytes_cut(&group, ':', &id));
            for (hb_bytes range; hb_bytes_cut(&group, ',', &range);) {
                hb_bytes first_text;
                uint64_t first = 0;
                uint64_t last = 0;
                assert_true(hb_bytes_cut(&range, '-', &first_text));
                assert_true(hb_bytes_to_u64(first_text, &first) && hb_bytes_to_u64(range, &last) && first <= last);
                const hb_bytes text = reading.fact.text;
                const hb_bytes name = cut_points(text, first, last);
                assert_true(name.data == text.data || name.data[-1] == ' ');
                assert_true(name.data + name.size == text.data + text.size || name.data[name.size] == ' ');
                behind_others += (size_t)(name.data - text.data) > first;
                emotes++;
                if (add(&ids, id, ids.map.count))
                    assert_true(add(&names, name, ids.map.count - 1));
                assert_non_null(find(&names, name));
                assert_int_equal(find(&names, name)->number, find(&ids, id)->number);
            }
        }
    }
    assert_true(ids.map.count > 100);
    assert_true(emotes > LINES / 10 && behind_others > 100);
    free_texts(&names);
    free_texts(&ids);
    finish(&reading);
}

static size_t count_points(hb_bytes text)
{
    size_t points = 0;
    bool bad = false;
    for (size_t at = 0; at < text.size; points++)
        hb_utf8_next(text, &at, &bad);
    assert_false(bad);
    return points;
}

static void texts_are_as_long_and_as_foreign_as_in_real_chat(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        hb_chat_options options = usual;
        options.seed = seed;
        reader reading = start(options);
        size_t messages = 0;
        size_t foreign = 0;
        size_t points = 0;
        size_t longest = 0;
        for (int i = 0; i < LINES; i++) {
            read_next(&reading);
            if (!reading.made.is_message)
                continue;
            const size_t size = count_points(reading.fact.text);
            messages++;
            points += size;
            longest = size > longest ? size : longest;
            foreign += hb_utf8_ascii(reading.fact.text) < reading.fact.text.size;
        }
        print_message("seed %d: mean length %.1f, longest %zu, %.1f %% with other than ASCII\n", (int)seed,
                      (double)points / (double)messages, longest, 100 * (double)foreign / (double)messages);
        assert_in_range(foreign * 1000 / messages, 50, 120);
        assert_in_range(points * 10 / messages, 200, 350);
        assert_in_range(longest, 300, 500);
        finish(&reading);
    }
}

static void channels_follow_zipfs_law(void **state)
{
    (void)state;
    hb_chat_options options = usual;
    options.channels = 200;
    reader reading = start(options);
    double counts[200] = {0};
    double harmonic = 0;
    for (int i = 0; i < 10 * LINES; i++) {
        read_next(&reading);
        counts[reading.made.channel] += reading.made.is_message;
    }
    for (int i = 0; i < 200; i++)
        harmonic += 1.0 / (i + 1);
    /* Octaves of ranks, because moods and waves move the single channel. */
    for (int octave = 1; octave < 128; octave *= 2) {
        double expected = 0;
        double found = 0;
        for (int i = octave; i < 2 * octave; i++) {
            expected += reading.chat.due_us(reading.chat.context) / 1e6 * options.rate / (i + 1) / harmonic;
            found += counts[i];
        }
        assert_true(found > 0.6 * expected && found < 1.7 * expected);
    }
    for (int i = 0; i < 200; i++)
        assert_true(counts[i] > 0);
    finish(&reading);
}

static void a_few_chatters_say_much_and_many_say_little(void **state)
{
    (void)state;
    reader reading = start(usual);
    text_set users = {0};
    size_t messages = 0;
    size_t once = 0;
    size_t most = 0;
    for (int i = 0; i < 2 * LINES; i++) {
        read_next(&reading);
        if (reading.made.channel != 0 || !reading.made.is_message)
            continue;
        messages++;
        if (!add(&users, reading.fact.user_id, 1))
            find(&users, reading.fact.user_id)->number++;
    }
    for (size_t i = 0; i < users.map.count; i++) {
        once += users.entries[i].number == 1;
        most = users.entries[i].number > most ? users.entries[i].number : most;
    }
    assert_true(users.map.count > messages / 10 && users.map.count < messages / 2);
    assert_true(once > users.map.count / 4);
    assert_in_range(most * 1000 / messages, 5, 50);
    free_texts(&users);
    finish(&reading);
}

static void later_lines_speak_of_earlier_ones(void **state)
{
    (void)state;
    reader reading = start(usual);
    text_set ids = {0}; /* of messages, with their channel */
    size_t replies = 0;
    size_t deleted = 0;
    size_t copies = 0;
    size_t actions = 0;
    size_t raids = 0;
    size_t pastas = 0;
    size_t joined_emoji = 0;
    for (int i = 0; i < 4 * LINES; i++) {
        read_next(&reading);
        const hb_fact *fact = &reading.fact;
        const hb_bytes parent = tag(&reading, "reply-parent-msg-id");
        if (fact->kind == HB_FACT_CLEARMSG) {
            const struct text *target = find(&ids, fact->id);
            assert_true(target != NULL && target->number == reading.made.channel);
            deleted++;
        }
        raids += fact->kind == HB_FACT_NOTICE && hb_bytes_equal(tag(&reading, "msg-id"), HB_BYTES("raid"));
        if (fact->kind != HB_FACT_MESSAGE)
            continue;
        const hb_bytes source_id = tag(&reading, "source-id");
        if (fact->shared) {
            const struct text *source = find(&ids, source_id);
            assert_true(source != NULL && source->number == (reading.made.channel ^ 1));
            copies++;
        } else {
            assert_true(source_id.size == 0 || hb_bytes_equal(source_id, fact->id));
        }
        add(&ids, fact->id, reading.made.channel);
        if (parent.size > 0) {
            const struct text *target = find(&ids, parent);
            assert_true(target != NULL);
            assert_int_equal(target->number, fact->shared ? reading.made.channel ^ 1 : reading.made.channel);
            assert_true(hb_bytes_start_with(fact->text, HB_BYTES("@")));
            assert_null(
                memchr(tag(&reading, "reply-parent-msg-body").data, ' ', tag(&reading, "reply-parent-msg-body").size));
            replies++;
        }
        actions += fact->action;
        pastas += memmem(fact->text.data, fact->text.size, "\xf3\xa0\x80\x80", 4) != NULL;
        joined_emoji += memmem(fact->text.data, fact->text.size, "\xe2\x80\x8d", 3) != NULL;
    }
    assert_true(replies > 100 && deleted > 100 && copies > 100 && actions > 100 && raids > 3 && pastas > 10 &&
                joined_emoji > 10);
    free_texts(&ids);
    finish(&reading);
}

static void a_first_message_is_the_first(void **state)
{
    (void)state;
    reader reading = start(usual);
    text_set met = {0}; /* chatters, with their channel */
    size_t messages = 0;
    size_t firsts = 0;
    size_t subscribers = 0;
    for (int i = 0; i < 4 * LINES; i++) {
        read_next(&reading);
        const hb_fact *fact = &reading.fact;
        if (fact->kind != HB_FACT_MESSAGE)
            continue;
        char who[64];
        snprintf(who, sizeof who, "%zu %.*s", reading.made.channel, HB_PRINT(fact->user_id));
        const bool new = !fact->shared &&add(&met, hb_bytes_of(who), 0);
        assert_true(!fact->first || (new && !fact->subscriber)); /* a subscriber was there before */
        messages++;
        firsts += fact->first;
        subscribers += fact->subscriber;
    }
    assert_in_range(firsts * 100 / met.map.count, 10, 50);
    assert_in_range(subscribers * 100 / messages, 15, 50);
    free_texts(&met);
    finish(&reading);
}

static void names_are_logins_and_nobody_has_two(void **state)
{
    (void)state;
    hb_chat_options options = usual;
    options.channels = HB_CHAT_CHANNELS;
    hb_chat_maker *many = make(options);
    hb_chat_maker *few = make(usual);
    const hb_chat_source all = hb_chat_maker_source(many);
    const hb_chat_source first = hb_chat_maker_source(few);
    text_set names = {0};
    for (size_t i = 0; i < all.channel_count; i++) {
        const hb_bytes name = all.channel(all.context, i);
        assert_true(name.size >= 3 && name.size <= 25);
        assert_true(add(&names, name, i));
    }
    /* How many channels there are changes no name. */
    for (size_t i = 0; i < first.channel_count; i++)
        assert_true(hb_bytes_equal(first.channel(first.context, i), all.channel(all.context, i)));
    hb_chat_maker_close(many);
    hb_chat_maker_close(few);
    free_texts(&names);
}

static void people_differ(void **state)
{
    (void)state;
    enum { PEOPLE = 400000 };
    hb_people *people = hb_people_open(3);
    text_set logins = {0};
    text_set user_ids = {0};
    for (uint64_t i = 0; i < PEOPLE; i++) {
        hb_person person;
        char id[24];
        hb_people_get(people, i < PEOPLE / 2 ? i : i * 2500, &person);
        snprintf(id, sizeof id, "%llu", (unsigned long long)person.user_id);
        if (!add(&logins, (hb_bytes){person.login, person.login_size}, 0) || !add(&user_ids, hb_bytes_of(id), 0))
            fail_msg("%.*s (%s) came twice", (int)person.login_size, person.login, id);
        assert_true(person.login_size <= 25);
    }
    free_texts(&logins);
    free_texts(&user_ids);
    hb_people_close(people);
}

static void messages_are_due_at_the_rate(void **state)
{
    (void)state;
    static const double rates[] = {0.5, 3, 1000, 33333.3, 1e6};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        hb_chat_options options = usual;
        options.rate = rates[r];
        options.viewers = false;
        reader reading = start(options);
        uint64_t messages = 0;
        int64_t last_us = 0;
        while (messages < 5000) {
            const int64_t due_us = reading.chat.due_us(reading.chat.context);
            assert_true(due_us >= last_us);
            assert_true((double)due_us >= (double)messages / rates[r] * 1e6 * 0.9999 - 1 &&
                        (double)due_us <= (double)messages / rates[r] * 1e6 * 1.0001 + 1);
            last_us = due_us;
            read_next(&reading);
            messages += reading.made.is_message;
        }
        finish(&reading);
    }
}

static void a_loaded_die_falls_as_it_is_loaded(void **state)
{
    (void)state;
    static const uint64_t weights[] = {1000, 1, 500, 0, 250, 250, 3999};
    enum { SIDES = sizeof weights / sizeof *weights, ROLLS = 600000 };
    hb_loaded loaded = {0};
    hb_dice dice = {5};
    uint64_t counts[SIDES] = {0};
    hb_loaded_set(&loaded, weights, SIDES);
    for (int i = 0; i < ROLLS; i++)
        counts[hb_loaded_roll(&loaded, &dice)]++;
    for (size_t i = 0; i < SIDES; i++) {
        const double expected = (double)weights[i] * ROLLS / 6000;
        assert_true((double)counts[i] >= expected * 0.97 - 30 && (double)counts[i] <= expected * 1.03 + 30);
    }
    assert_int_equal(counts[3], 0);
    hb_loaded_free(&loaded);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    static const hb_chat_options wrong[] = {{.channels = 0, .rate = 1},
                                            {.channels = HB_CHAT_CHANNELS + 1, .rate = 1},
                                            {.channels = 1, .rate = 0},
                                            {.channels = 1, .rate = 1e9}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hb_error error = {0};
        assert_null(hb_chat_maker_open(&wrong[i], &error));
        assert_int_equal(error.code, HB_ERROR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_lines),
        cmocka_unit_test(every_line_is_a_fact_of_its_channel_with_an_id_of_its_own),
        cmocka_unit_test(tags_come_in_twitchs_order),
        cmocka_unit_test(emote_ranges_hold_the_emotes_name),
        cmocka_unit_test(texts_are_as_long_and_as_foreign_as_in_real_chat),
        cmocka_unit_test(channels_follow_zipfs_law),
        cmocka_unit_test(a_few_chatters_say_much_and_many_say_little),
        cmocka_unit_test(later_lines_speak_of_earlier_ones),
        cmocka_unit_test(a_first_message_is_the_first),
        cmocka_unit_test(names_are_logins_and_nobody_has_two),
        cmocka_unit_test(people_differ),
        cmocka_unit_test(messages_are_due_at_the_rate),
        cmocka_unit_test(a_loaded_die_falls_as_it_is_loaded),
        cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
