/* test_line.c - IRC lines and facts. tests/conformance/test_irc.c adds the public test vectors. */
#include "unit.h"

#include "base/memory.h"
#include "twitch/fact.h"

#include <stdio.h>
#include <stdlib.h>

static hb_line parsed(const char *text)
{
    hb_line line;
    if (!hb_line_parse(hb_bytes_of(text), &line))
        fail_msg("'%s' was refused", text);
    return line;
}

static void a_twitch_line_falls_into_its_parts(void **state)
{
    (void)state;
    const hb_line line = parsed("@badges=;id=x-1 :a!a@a.tmi.twitch.tv PRIVMSG #chan :Hello :) world\r\n");
    assert_bytes(line.tags, "badges=;id=x-1");
    assert_bytes(line.source, "a!a@a.tmi.twitch.tv");
    assert_bytes(line.command, "PRIVMSG");
    assert_int_equal(line.param_count, 2);
    assert_bytes(line.params[0], "#chan");
    assert_bytes(line.params[1], "Hello :) world");
}

static void the_fifteenth_parameter_takes_the_rest(void **state)
{
    (void)state;
    const hb_line line = parsed("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 :17");
    assert_int_equal(line.param_count, HB_LINE_PARAMS);
    assert_bytes(line.params[13], "14");
    assert_bytes(line.params[14], "15 16 :17");
}

static void malformed_lines_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "\r\n",       " ",   "@a=b", "@a=b ", ":src", ":src ",  "12 x",
                                      "1234", "PRIV-MSG x", "A1B", "@",    ":",     "A\rB", "A x\ny", "#x"};
    hb_line line;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (hb_line_parse(hb_bytes_of(bad[i]), &line))
            fail_msg("'%s' was taken", bad[i]);
    assert_false(hb_line_parse((hb_bytes){"PING \0x", 7}, &line));
    assert_false(hb_line_parse((hb_bytes){NULL, 0}, &line));
}

/* Every beginning of a line sits at the end of its own allocation: ASan sees a read past it. */
static void no_beginning_of_a_line_is_read_past_its_end(void **state)
{
    (void)state;
    const hb_bytes whole = HB_BYTES("@a=b\\;c;tmi-sent-ts=1 :n!u@h PRIVMSG  #c :\1ACTION x\1\r\n");
    for (size_t size = 0; size <= whole.size; size++) {
        char *copy = hb_alloc(size == 0 ? 1 : size);
        memcpy(copy, whole.data, size);
        hb_line line;
        hb_fact fact;
        if (hb_line_parse((hb_bytes){copy, size}, &line))
            for (size_t i = 0; i < line.param_count; i++)
                assert_true(line.params[i].data >= copy && line.params[i].data + line.params[i].size <= copy + size);
        hb_fact_read((hb_bytes){copy, size}, &fact);
        free(copy);
    }
}

static hb_fact fact_of(const char *text, hb_fact_status expected)
{
    hb_fact fact;
    const hb_fact_status status = hb_fact_read(hb_bytes_of(text), &fact);
    if (status != expected)
        fail_msg("'%s' gave status %d", text, (int)status);
    return fact;
}

static void a_message_is_a_fact(void **state)
{
    (void)state;
    const hb_fact fact =
        fact_of("@rm-received-ts=1764000000500;display-name=Ann\\sB;emotes=25:0-4;id=i1;room-id=7;"
                "tmi-sent-ts=1764000000000;user-id=42 :ann!ann@ann.tmi.twitch.tv PRIVMSG #Chan :Kappa hi",
                HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_MESSAGE);
    assert_int_equal(fact.time_ms, 1764000000000);
    assert_int_equal(fact.received_ms, 1764000000500);
    assert_bytes(fact.channel, "Chan");
    assert_bytes(fact.room_id, "7");
    assert_bytes(fact.id, "i1");
    assert_bytes(fact.user_id, "42");
    assert_bytes(fact.login, "ann");
    assert_bytes(fact.display_name, "Ann\\sB");
    assert_bytes(fact.emotes, "25:0-4");
    assert_bytes(fact.text, "Kappa hi");
    assert_false(fact.shared || fact.action || fact.bad_timestamp);
}

static void the_action_wrapper_comes_off(void **state)
{
    (void)state;
    static const struct {
        const char *sent;
        const char *text;
        bool action;
    } cases[] = {
        {"\1ACTION waves\1", "waves", true},
        {"\1ACTION waves", "waves", true},
        {"\1ACTION \1", "", true},
        {"\1ACTION\1", "", true},
        {"\1ACTION", "", true},
        {"\1ACTIONS\1", "\1ACTIONS\1", false},
        {"ACTION x", "ACTION x", false},
        {"\1PING 1\1", "\1PING 1\1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hb_buffer line = {0};
        hb_buffer_print(&line, "@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :%s", cases[i].sent);
        hb_fact fact;
        assert_int_equal(hb_fact_read(hb_buffer_bytes(&line), &fact), HB_FACT_OK);
        assert_bytes(fact.text, cases[i].text);
        assert_int_equal(fact.action, cases[i].action);
        hb_buffer_free(&line);
    }
}

static void implausible_times_give_way_to_the_time_of_receipt(void **state)
{
    (void)state;
    static const struct {
        const char *tags;
        int64_t time_ms; /* 0: untimed */
        bool bad;
    } cases[] = {
        {"rm-received-ts=1764000000000", 1764000000000, true},
        {"rm-received-ts=1764000000000;tmi-sent-ts=1306886399999", 1764000000000, true},
        {"rm-received-ts=1764000000000;tmi-sent-ts=1306886400000", 1306886400000, false},
        {"rm-received-ts=1764000000000;tmi-sent-ts=1764086400000", 1764086400000, false},
        {"rm-received-ts=1764000000000;tmi-sent-ts=1764086400001", 1764000000000, true},
        {"rm-received-ts=1764000000000;tmi-sent-ts=soon", 1764000000000, true},
        {"tmi-sent-ts=1764000000000", 1764000000000, false},
        {"tmi-sent-ts=253402300800000", 0, false},
        {"tmi-sent-ts=1764000000000;rm-received-ts=99", 1764000000000, false},
        {"rm-received-ts=99;tmi-sent-ts=98", 0, false},
        {"id=1", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hb_buffer line = {0};
        hb_buffer_print(&line, "@%s :a!a@a PRIVMSG #c :x", cases[i].tags);
        hb_fact fact;
        const hb_fact_status status = hb_fact_read(hb_buffer_bytes(&line), &fact);
        assert_int_equal(status, cases[i].time_ms == 0 ? HB_FACT_UNTIMED : HB_FACT_OK);
        if (status == HB_FACT_OK) {
            assert_int_equal(fact.time_ms, cases[i].time_ms);
            assert_int_equal(fact.bad_timestamp, cases[i].bad);
        }
        hb_buffer_free(&line);
    }
}

static void a_line_is_read_as_it_will_be_kept(void **state)
{
    static const char *const sent[] = {"", "tmi-sent-ts=1764000000000;", "tmi-sent-ts=1;",
                                       "tmi-sent-ts=1999999999999;"};
    (void)state;
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        const char *const rest = "id=a;room-id=7;user-id=9 :x!x@x PRIVMSG #chan :hi there";
        char came[256];
        char kept[256];
        hb_fact now;
        hb_fact later;
        snprintf(came, sizeof came, "@%s%s", sent[i], rest);
        snprintf(kept, sizeof kept, "@rm-received-ts=1764000001234;%s%s", sent[i], rest);
        assert_int_equal(hb_fact_read_received(hb_bytes_of(came), 1764000001234, &now), HB_FACT_OK);
        assert_int_equal(hb_fact_read(hb_bytes_of(kept), &later), HB_FACT_OK);
        assert_int_equal(now.received_ms, 1764000001234);
        assert_int_equal(later.received_ms, now.received_ms);
        assert_int_equal(later.time_ms, now.time_ms);
        assert_int_equal(later.bad_timestamp, now.bad_timestamp);
        assert_bytes(now.room_id, "7");
        assert_bytes(now.text, "hi there");
    }
}

static void the_other_kinds_are_facts_too(void **state)
{
    (void)state;
    hb_fact fact = fact_of("@login=sub;room-id=1;tmi-sent-ts=1764000000000;user-id=5 :tmi.twitch.tv USERNOTICE #c :hey",
                           HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_NOTICE);
    assert_bytes(fact.login, "sub");
    assert_bytes(fact.text, "hey");
    fact = fact_of("@login=sub;tmi-sent-ts=1764000000000 :tmi.twitch.tv USERNOTICE #c", HB_FACT_OK);
    assert_bytes(fact.text, "");
    fact = fact_of("@ban-duration=1;target-user-id=9;tmi-sent-ts=1764000000000 :tmi.twitch.tv CLEARCHAT #c :bad",
                   HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_CLEARCHAT);
    assert_bytes(fact.user_id, "9");
    assert_bytes(fact.login, "bad");
    fact = fact_of("@tmi-sent-ts=1764000000000 :tmi.twitch.tv CLEARCHAT #c", HB_FACT_OK);
    assert_bytes(fact.login, "");
    fact =
        fact_of("@login=bad;target-msg-id=m1;tmi-sent-ts=1764000000000 :tmi.twitch.tv CLEARMSG #c :text", HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_CLEARMSG);
    assert_bytes(fact.id, "m1");
    assert_bytes(fact.login, "bad");
    fact = fact_of("@rm-received-ts=1764000000000;room-id=1;slow=0 :tmi.twitch.tv ROOMSTATE #c", HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_ROOMSTATE);
    assert_false(fact.bad_timestamp);
    fact =
        fact_of("@rm-received-ts=1764000000000;room-id=71;game-name=Just\\sChatting;title=hi :hubbub STREAM #xqc 45123",
                HB_FACT_OK);
    assert_int_equal(fact.kind, HB_FACT_STREAM);
    assert_int_equal(fact.viewers, 45123);
    assert_bytes(fact.game, "Just\\sChatting");
    assert_bytes(fact.login, "");
    assert_false(fact.bad_timestamp);
}

static void a_copy_from_another_room_is_shared(void **state)
{
    (void)state;
    assert_true(
        fact_of("@room-id=1;source-room-id=2;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :x", HB_FACT_OK).shared);
    assert_false(
        fact_of("@room-id=1;source-room-id=1;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :x", HB_FACT_OK).shared);
    assert_false(
        fact_of("@room-id=1;source-room-id=;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :x", HB_FACT_OK).shared);
}

static void badges_tell_subscribers_and_a_tag_the_first_message(void **state)
{
    static const struct {
        const char *tags;
        bool subscriber;
        bool first;
    } cases[] = {
        {"badges=subscriber/12", true, false},
        {"badges=moderator/1,subscriber/0,premium/1", true, false},
        {"badges=vip/1,founder/0", true, false},
        {"badge-info=subscriber/3;badges=;subscriber=0", false, false},
        {"badges=subscriber-gifter/5,presubscriber/1", false, false},
        {"badges=subscriber", false, false},
        {"badges=subscriber/1;badges=vip/1", false, false}, /* the last of a name is the one */
        {"subscriber=1", true, false},
        {"subscriber=0;first-msg=1", false, true},
        {"first-msg=0", false, false},
        {"first-msg=10", false, false},
        {"first-msg", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line, "@%s;tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c :x", cases[i].tags);
        const hb_fact fact = fact_of(line, HB_FACT_OK);
        assert_int_equal(fact.subscriber, cases[i].subscriber);
        assert_int_equal(fact.first, cases[i].first);
    }
    const hb_fact notice =
        fact_of("@badges=subscriber/1;first-msg=1;tmi-sent-ts=1764000000000 :tmi.twitch.tv USERNOTICE #c", HB_FACT_OK);
    assert_false(notice.subscriber || notice.first);
}

static void what_is_no_fact_is_told_apart(void **state)
{
    (void)state;
    fact_of("PING :tmi.twitch.tv", HB_FACT_OTHER);
    fact_of(":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!", HB_FACT_OTHER);
    fact_of(":a!a@a JOIN #c", HB_FACT_OTHER);
    fact_of("@rm-received-ts=1764000000000 :somebody STREAM #c 5", HB_FACT_OTHER);
    fact_of("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c", HB_FACT_MALFORMED);
    fact_of("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG c :x", HB_FACT_MALFORMED);
    fact_of("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #../etc :x", HB_FACT_MALFORMED);
    fact_of("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG # :x", HB_FACT_MALFORMED);
    fact_of("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG", HB_FACT_MALFORMED);
    fact_of("@rm-received-ts=1764000000000 :hubbub STREAM #c many", HB_FACT_MALFORMED);
    fact_of("@tmi-sent-ts=1764000000000 :a!a@a PRIVMSG #c123456789012345678901234567890123456789012345678901 :x",
            HB_FACT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_twitch_line_falls_into_its_parts),
        cmocka_unit_test(the_fifteenth_parameter_takes_the_rest),
        cmocka_unit_test(malformed_lines_are_refused),
        cmocka_unit_test(no_beginning_of_a_line_is_read_past_its_end),
        cmocka_unit_test(a_message_is_a_fact),
        cmocka_unit_test(the_action_wrapper_comes_off),
        cmocka_unit_test(implausible_times_give_way_to_the_time_of_receipt),
        cmocka_unit_test(a_line_is_read_as_it_will_be_kept),
        cmocka_unit_test(the_other_kinds_are_facts_too),
        cmocka_unit_test(a_copy_from_another_room_is_shared),
        cmocka_unit_test(badges_tell_subscribers_and_a_tag_the_first_message),
        cmocka_unit_test(what_is_no_fact_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
