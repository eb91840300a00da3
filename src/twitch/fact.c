/* fact.c - what a line of Twitch chat says, as far as hubbub counts and shows it.
 *
 * One pass over the tags picks the dozen that matter: a message carries some twenty, and looking each up by name would
 * read them all a dozen times. Source of commands and tags: Twitch's "IRC Commands" and "IRC Tags" references. */
#include "twitch/fact.h"

#include "base/scan.h"

#define JUNE_2011_MS  1306886400000 /* 2011-06-01: Twitch's beginning */
#define YEAR_10000_MS 253402300800000
enum { AHEAD_MAX_MS = 24 * 3600 * 1000 };

typedef struct fact_tags {
    hb_bytes badges;
    hb_bytes display_name;
    hb_bytes emotes;
    hb_bytes first_msg;
    hb_bytes game_name;
    hb_bytes id;
    hb_bytes login;
    hb_bytes room_id;
    hb_bytes rm_received_ts;
    hb_bytes source_room_id;
    hb_bytes subscriber;
    hb_bytes target_msg_id;
    hb_bytes target_user_id;
    hb_bytes title;
    hb_bytes tmi_sent_ts;
    hb_bytes user_id;
} fact_tags;

/* Whether the tag (key, `=` and value, or a key alone) has this key; *value is then set. */
static inline void take(hb_bytes tag, hb_bytes key, hb_bytes *value)
{
    if (tag.size < key.size || memcmp(tag.data, key.data, key.size) != 0)
        return;
    if (tag.size == key.size)
        *value = hb_bytes_from(tag, key.size);
    else if (tag.data[key.size] == '=')
        *value = hb_bytes_from(tag, key.size + 1);
}

/* Most tags are none of these, and their first letter tells. */
static inline void take_tag(hb_bytes tag, fact_tags *tags)
{
    switch (tag.size == 0 ? '\0' : tag.data[0]) {
    case 'b':
        take(tag, HB_BYTES("badges"), &tags->badges);
        break;
    case 'd':
        take(tag, HB_BYTES("display-name"), &tags->display_name);
        break;
    case 'e':
        take(tag, HB_BYTES("emotes"), &tags->emotes);
        break;
    case 'f':
        take(tag, HB_BYTES("first-msg"), &tags->first_msg);
        break;
    case 'g':
        take(tag, HB_BYTES("game-name"), &tags->game_name);
        break;
    case 'i':
        take(tag, HB_BYTES("id"), &tags->id);
        break;
    case 'l':
        take(tag, HB_BYTES("login"), &tags->login);
        break;
    case 'r':
        take(tag, HB_BYTES("room-id"), &tags->room_id);
        take(tag, HB_BYTES("rm-received-ts"), &tags->rm_received_ts);
        break;
    case 's':
        take(tag, HB_BYTES("source-room-id"), &tags->source_room_id);
        take(tag, HB_BYTES("subscriber"), &tags->subscriber);
        break;
    case 't':
        take(tag, HB_BYTES("target-msg-id"), &tags->target_msg_id);
        take(tag, HB_BYTES("target-user-id"), &tags->target_user_id);
        take(tag, HB_BYTES("title"), &tags->title);
        take(tag, HB_BYTES("tmi-sent-ts"), &tags->tmi_sent_ts);
        break;
    case 'u':
        take(tag, HB_BYTES("user-id"), &tags->user_id);
        break;
    default:
        break;
    }
}

static void read_tags(hb_bytes text, fact_tags *tags)
{
    size_t start = 0;
    *tags = (fact_tags){0};
    for (size_t at = 0; at < text.size; at += HB_SCAN_BYTES)
        for (uint64_t ends = hb_scan_text(text, at, ';'); ends != 0; ends &= ends - 1) {
            const size_t end = at + (size_t)__builtin_ctzll(ends);
            take_tag((hb_bytes){text.data + start, end - start}, tags);
            start = end + 1;
        }
    take_tag(hb_bytes_from(text, start), tags);
}

static int64_t time_of(hb_bytes text, int64_t latest_ms)
{
    uint64_t time_ms = 0;
    if (!hb_bytes_to_u64(text, &time_ms) || time_ms < JUNE_2011_MS || time_ms >= YEAR_10000_MS)
        return 0;
    return (int64_t)time_ms > latest_ms ? 0 : (int64_t)time_ms;
}

/* What hubbub itself has written. */
static bool is_own(hb_fact_kind kind)
{
    return kind == HB_FACT_STREAM || kind == HB_FACT_EMOTES;
}

/* Finds the event time, after that of receipt. False when there is no plausible time at all. */
static bool set_time(const fact_tags *tags, hb_fact *fact)
{
    fact->time_ms =
        time_of(tags->tmi_sent_ts, fact->received_ms == 0 ? YEAR_10000_MS : fact->received_ms + AHEAD_MAX_MS);
    if (fact->time_ms == 0) {
        /* Twitch sends no time with a ROOMSTATE, and what hubbub writes itself may go by the time of receipt: nothing
         * is bad. */
        fact->bad_timestamp = tags->tmi_sent_ts.size > 0 || (fact->kind != HB_FACT_ROOMSTATE && !is_own(fact->kind));
        fact->time_ms = fact->received_ms;
    }
    return fact->time_ms != 0;
}

static bool set_sample(const hb_line *line, const fact_tags *tags, hb_fact *fact)
{
    fact->game = tags->game_name;
    fact->title = tags->title;
    return line->param_count == 2 && hb_bytes_to_u64(line->params[1], &fact->viewers);
}

static bool set_channel(const hb_line *line, hb_fact *fact)
{
    if (line->param_count == 0 || line->params[0].size < 2 || line->params[0].data[0] != '#')
        return false;
    fact->channel = hb_bytes_from(line->params[0], 1);
    for (size_t i = 0; i < fact->channel.size; i++) {
        const char c = fact->channel.data[i];
        if (!((unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10 || c == '_'))
            return false;
    }
    return fact->channel.size <= HB_LOGIN_MAX;
}

/* "nick!user@host": the nick. A server's name has a dot and is nobody's. */
static hb_bytes nick_of(hb_bytes source)
{
    hb_bytes nick = {source.data, 0};
    while (nick.size < source.size && source.data[nick.size] != '!' && source.data[nick.size] != '@')
        nick.size++;
    const bool server = nick.size == source.size && nick.size > 0 && memchr(nick.data, '.', nick.size) != NULL;
    return server ? (hb_bytes){source.data, 0} : nick;
}

/* CTCP ACTION is what "/me" sends: "\1ACTION text\1", the closing \1 sometimes cut off by the length limit. */
static void set_text(hb_bytes text, hb_fact *fact)
{
    const hb_bytes wrapper = HB_BYTES("\1ACTION");
    fact->text = text;
    if (!hb_bytes_start_with(text, wrapper) ||
        (text.size > wrapper.size && text.data[wrapper.size] != ' ' && text.data[wrapper.size] != '\1'))
        return;
    fact->action = true;
    fact->text = hb_bytes_from(text, text.size > wrapper.size && text.data[wrapper.size] == ' ' ? wrapper.size + 1
                                                                                                : wrapper.size);
    if (fact->text.size > 0 && fact->text.data[fact->text.size - 1] == '\1')
        fact->text.size--;
}

/* "moderator/1,subscriber/12": a founder is a subscriber, too, one of the channel's first. */
static bool has_subscriber_badge(hb_bytes badges)
{
    if (badges.size < sizeof "founder/0" - 1) /* nearly always: none at all */
        return false;
    for (hb_bytes badge; hb_bytes_cut(&badges, ',', &badge);)
        if (hb_bytes_start_with(badge, HB_BYTES("subscriber/")) || hb_bytes_start_with(badge, HB_BYTES("founder/")))
            return true;
    return false;
}

static bool kind_of(const hb_line *line, hb_fact_kind *kind)
{
    static const struct {
        const char *command;
        hb_fact_kind kind;
    } kinds[] = {
        {"PRIVMSG", HB_FACT_MESSAGE},   {"USERNOTICE", HB_FACT_NOTICE},   {"CLEARCHAT", HB_FACT_CLEARCHAT},
        {"CLEARMSG", HB_FACT_CLEARMSG}, {"ROOMSTATE", HB_FACT_ROOMSTATE}, {"STREAM", HB_FACT_STREAM},
        {"EMOTES", HB_FACT_EMOTES},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (hb_bytes_equal(line->command, hb_bytes_of(kinds[i].command))) {
            *kind = kinds[i].kind;
            return !is_own(*kind) || hb_bytes_equal(line->source, HB_BYTES("hubbub"));
        }
    return false;
}

/* What depends on the kind; false when a part is missing without which the fact says nothing. */
static bool set_kind(const hb_line *line, const fact_tags *tags, hb_fact *fact)
{
    const hb_bytes last = line->param_count > 1 ? line->params[line->param_count - 1] : (hb_bytes){"", 0};
    const hb_bytes nick = nick_of(line->source);
    fact->id = tags->id;
    fact->user_id = tags->user_id;
    fact->login = nick.size > 0 && !is_own(fact->kind) ? nick : tags->login;
    switch (fact->kind) {
    case HB_FACT_MESSAGE:
        set_text(last, fact);
        fact->first = hb_bytes_equal(tags->first_msg, HB_BYTES("1"));
        fact->subscriber = hb_bytes_equal(tags->subscriber, HB_BYTES("1")) || has_subscriber_badge(tags->badges);
        return line->param_count > 1;
    case HB_FACT_NOTICE:
        fact->text = last;
        return true;
    case HB_FACT_CLEARMSG:
        fact->id = tags->target_msg_id;
        fact->login = tags->login;
        return true;
    case HB_FACT_CLEARCHAT:
        fact->user_id = tags->target_user_id;
        fact->login = last;
        return true;
    case HB_FACT_STREAM:
        return set_sample(line, tags, fact);
    case HB_FACT_EMOTES:
        fact->text = last;
        return line->param_count == 2;
    case HB_FACT_ROOMSTATE:
        break;
    }
    return true;
}

/* received_ms: NULL where the line says it. */
static hb_fact_status read_fact(hb_bytes text, const int64_t *received_ms, hb_fact *fact)
{
    hb_line line;
    fact_tags tags;
    *fact = (hb_fact){0};
    if (!hb_line_parse(text, &line))
        return HB_FACT_MALFORMED;
    if (!kind_of(&line, &fact->kind))
        return HB_FACT_OTHER;
    read_tags(line.tags, &tags);
    if (!set_channel(&line, fact))
        return HB_FACT_MALFORMED;
    fact->received_ms = received_ms == NULL ? time_of(tags.rm_received_ts, YEAR_10000_MS) : *received_ms;
    if (!set_time(&tags, fact))
        return HB_FACT_UNTIMED;
    fact->room_id = tags.room_id;
    fact->display_name = tags.display_name;
    fact->emotes = tags.emotes;
    fact->shared = tags.source_room_id.size > 0 && !hb_bytes_equal(tags.source_room_id, tags.room_id);
    return set_kind(&line, &tags, fact) ? HB_FACT_OK : HB_FACT_MALFORMED;
}

hb_fact_status hb_fact_read(hb_bytes line, hb_fact *fact)
{
    return read_fact(line, NULL, fact);
}

hb_fact_status hb_fact_read_received(hb_bytes line, int64_t received_ms, hb_fact *fact)
{
    return read_fact(line, &received_ms, fact);
}
