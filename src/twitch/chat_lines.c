/* chat_lines.c - formats lines with a pen: a pointer that moves on through room made once a line. printf is too slow
 * for the messages, which come by the hundred thousand a second; the rare lines use it. */
#include "twitch/chat_lines.h"

#include "twitch/stream_line.h"
#include "twitch/stream_maker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_ROOM = HB_SPEECH_ROOM + HB_SPEECH_TAG_ROOM + 4096 };

struct hb_lines {
    uint64_t seed;
    bool archive;
    hb_people *people;
    hb_speech *speech;
};

hb_lines *hb_lines_open(uint64_t seed, bool archive)
{
    hb_lines *lines = hb_alloc(sizeof *lines);
    lines->seed = seed;
    lines->archive = archive;
    lines->people = hb_people_open(seed);
    lines->speech = hb_speech_open(seed);
    return lines;
}

void hb_lines_close(hb_lines *lines)
{
    if (lines == NULL)
        return;
    hb_people_close(lines->people);
    hb_speech_close(lines->speech);
    free(lines);
}

const hb_people *hb_lines_people(const hb_lines *lines)
{
    return lines->people;
}

const hb_speech *hb_lines_speech(const hb_lines *lines)
{
    return lines->speech;
}

/* ---- The pen ---- */

#define PUT(pen, literal) (memcpy((pen), (literal), sizeof(literal) - 1), (pen) + sizeof(literal) - 1)

static char *put(char *pen, const char *data, size_t size)
{
    memcpy(pen, data, size);
    return pen + size;
}

static char *put_number(char *pen, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(pen, digits + at, sizeof digits - at);
}

static char *put_escaped(char *pen, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char c = data[i];
        if (c == ' ' || c == ';' || c == '\\') {
            *pen++ = '\\';
            *pen++ = (char)(c == ' ' ? 's' : c == ';' ? ':' : '\\');
        } else {
            *pen++ = c;
        }
    }
    return pen;
}

void hb_lines_roll_id(hb_dice *dice, char id[HB_UUID])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t bits[2] = {hb_dice_roll(dice), hb_dice_roll(dice)};
    bits[0] = (bits[0] & 0xfff0ffffffffffffu) | 0x0004000000000000u;
    bits[1] = (bits[1] & 0xfffffffffffffff3u) | 0x8u;
    size_t at = 0;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            id[at++] = '-';
        id[at++] = hex[bits[i / 16] >> i % 16 * 4 & 15];
    }
}

/* ---- People in a channel ---- */

void hb_lines_broadcaster(const hb_room *room, hb_person *person)
{
    *person = (hb_person){.number = HB_BROADCASTER, .traits = hb_dice_mix(room->room_id), .user_id = room->room_id};
    person->login_size = person->name_size = room->login_size;
    memcpy(person->login, room->login, room->login_size);
    memcpy(person->name, room->login, room->login_size);
}

void hb_lines_author(const hb_lines *lines, const hb_room *room, const hb_recent *recent, hb_person *person)
{
    if (recent->author == HB_BROADCASTER)
        hb_lines_broadcaster(room, person);
    else
        hb_people_get(lines->people, recent->author, person);
}

const hb_recent *hb_lines_recent(const hb_room *room, hb_dice *dice)
{
    const uint32_t known = room->remembered < HB_RECENT ? room->remembered : HB_RECENT;
    return known == 0 ? NULL : &room->recent[hb_dice_below(dice, known)];
}

void hb_lines_remember(const hb_said *said, hb_room *room)
{
    if (said->text.size > HB_RECENT_TEXT)
        return;
    hb_recent *recent = &room->recent[room->remembered++ % HB_RECENT];
    recent->author = said->person.number;
    recent->size = said->text.size;
    memcpy(recent->id, said->id, HB_UUID);
    memcpy(recent->text, said->text.bytes, said->text.size);
}

/* What somebody is in one channel. */
typedef struct membership {
    bool broadcaster;
    bool moderator;
    bool vip;
    unsigned months; /* as a subscriber; 0: none */
    unsigned badge;  /* the months that the badge shows */
    unsigned other;  /* a badge that anybody may wear */
} membership;

static membership standing_of(const hb_room *room, const hb_person *person)
{
    const uint64_t luck = hb_dice_mix(person->number * 31 + room->room_id);
    membership standing = {.broadcaster = person->number == HB_BROADCASTER};
    standing.moderator = !standing.broadcaster && luck % 100 < 2;
    standing.vip = !standing.broadcaster && !standing.moderator && luck % 100 < 4;
    const unsigned loyal = (unsigned)(luck >> 8) % 1000;
    if (loyal < 300)
        standing.months = 1 + loyal * loyal / 1200;
    if (standing.months > 0)
        standing.badge = standing.months < 3    ? 0
                         : standing.months < 6  ? 3
                         : standing.months < 12 ? 6
                                                : standing.months / 12 * 12;
    standing.other = (unsigned)(luck >> 24) % 16;
    return standing;
}

bool hb_lines_is_newcomer(const hb_room *room, const hb_person *person)
{
    enum { ONE_OF = 3 };
    const membership standing = standing_of(room, person);
    return !standing.broadcaster && !standing.moderator && !standing.vip && standing.months == 0 &&
           hb_dice_mix(person->number * 37 + room->room_id) % ONE_OF == 0;
}

static char *put_badge_info(char *pen, const membership *standing)
{
    if (standing->months == 0)
        return pen;
    pen = PUT(pen, "subscriber/");
    return put_number(pen, standing->months);
}

static char *put_badges(char *pen, const membership *standing)
{
    char *start = pen;
    if (standing->broadcaster)
        pen = PUT(pen, "broadcaster/1,");
    if (standing->moderator)
        pen = PUT(pen, "moderator/1,");
    if (standing->vip)
        pen = PUT(pen, "vip/1,");
    if (standing->months > 0) {
        pen = PUT(pen, "subscriber/");
        pen = put_number(pen, standing->badge);
        *pen++ = ',';
    }
    if (standing->other < 2)
        pen = PUT(pen, "premium/1,");
    else if (standing->other == 2)
        pen = PUT(pen, "bits/100,");
    else if (standing->other == 3)
        pen = PUT(pen, "no_audio/1,");
    return pen > start ? pen - 1 : pen; /* without the last comma */
}

/* From badge-info to display-name, as every line about a person begins. */
static char *put_person(char *pen, const hb_lines *lines, const hb_person *person, const membership *standing)
{
    char room[8];
    const hb_bytes color = hb_people_color(lines->people, person, room);
    pen = PUT(pen, "@badge-info=");
    pen = put_badge_info(pen, standing);
    pen = PUT(pen, ";badges=");
    pen = put_badges(pen, standing);
    pen = PUT(pen, ";color=");
    pen = put(pen, color.data, color.size);
    pen = PUT(pen, ";display-name=");
    return put(pen, person->name, person->name_size);
}

/* ---- Messages ---- */

static char *put_parent(char *pen, const hb_lines *lines, const hb_said *said)
{
    hb_person author;
    const hb_recent *parent = said->parent;
    hb_lines_author(lines, said->room, parent, &author);
    pen = PUT(pen, ";reply-parent-display-name=");
    pen = put(pen, author.name, author.name_size);
    pen = PUT(pen, ";reply-parent-msg-body=");
    pen = put_escaped(pen, parent->text, parent->size);
    pen = PUT(pen, ";reply-parent-msg-id=");
    pen = put(pen, parent->id, HB_UUID);
    pen = PUT(pen, ";reply-parent-user-id=");
    pen = put_number(pen, author.user_id);
    pen = PUT(pen, ";reply-parent-user-login=");
    pen = put(pen, author.login, author.login_size);
    pen = PUT(pen, ";reply-thread-parent-display-name=");
    pen = put(pen, author.name, author.name_size);
    pen = PUT(pen, ";reply-thread-parent-msg-id=");
    pen = put(pen, parent->id, HB_UUID);
    pen = PUT(pen, ";reply-thread-parent-user-id=");
    pen = put_number(pen, author.user_id);
    pen = PUT(pen, ";reply-thread-parent-user-login=");
    return put(pen, author.login, author.login_size);
}

/* In a Shared Chat every message tells where it was said; a copy has an id of its own. */
static char *put_source(char *pen, const hb_said *said, const membership *there)
{
    pen = PUT(pen, ";source-badge-info=");
    pen = put_badge_info(pen, there);
    pen = PUT(pen, ";source-badges=");
    pen = put_badges(pen, there);
    pen = PUT(pen, ";source-id=");
    pen = put(pen, said->id, HB_UUID);
    pen = PUT(pen, ";source-only=0;source-room-id=");
    return put_number(pen, said->room->room_id);
}

/* Whether a text is emotes and nothing else, which Twitch says in a tag. */
static bool only_emotes(const hb_speech_text *text)
{
    return text->emote_count > 0 && text->words == text->emote_count;
}

static char *put_message_tags(char *pen, const hb_lines *lines, const hb_said *said, const hb_room *room,
                              const membership *standing, int64_t time_ms)
{
    char id[HB_UUID];
    const bool copy = room != said->room;
    hb_dice dice = {said->luck + room->room_id};
    memcpy(id, said->id, HB_UUID);
    if (copy)
        hb_lines_roll_id(&dice, id);
    pen = put_person(pen, lines, &said->person, standing);
    if (only_emotes(&said->text))
        pen = PUT(pen, ";emote-only=1");
    pen = PUT(pen, ";emotes=");
    pen += hb_speech_emotes_tag(lines->speech, &said->room->speech, &said->text, pen);
    pen = said->first && !copy ? PUT(pen, ";first-msg=1;flags=") : PUT(pen, ";first-msg=0;flags=");
    if (said->luck % 200 == 1)
        pen = PUT(pen, "0-2:P.3");
    pen = PUT(pen, ";id=");
    pen = put(pen, id, HB_UUID);
    pen = standing->moderator ? PUT(pen, ";mod=1") : PUT(pen, ";mod=0");
    if (said->parent != NULL)
        pen = put_parent(pen, lines, said);
    pen = said->luck % 300 == 2 ? PUT(pen, ";returning-chatter=1") : PUT(pen, ";returning-chatter=0");
    pen = PUT(pen, ";room-id=");
    pen = put_number(pen, room->room_id);
    if (said->session) {
        const membership there = standing_of(said->room, &said->person);
        pen = put_source(pen, said, &there);
    }
    pen = standing->months > 0 ? PUT(pen, ";subscriber=1;tmi-sent-ts=") : PUT(pen, ";subscriber=0;tmi-sent-ts=");
    pen = put_number(pen, (uint64_t)time_ms);
    pen = PUT(pen, ";turbo=0;user-id=");
    pen = put_number(pen, said->person.user_id);
    pen = standing->moderator ? PUT(pen, ";user-type=mod") : PUT(pen, ";user-type=");
    return standing->vip ? PUT(pen, ";vip=1") : pen;
}

void hb_lines_message(const hb_lines *lines, const hb_said *said, const hb_room *room, int64_t time_ms, hb_buffer *out)
{
    char *start = hb_buffer_room(out, LINE_ROOM);
    hb_person person = said->person;
    if (room != said->room && person.number == HB_BROADCASTER)
        person.number = said->room->room_id; /* who is at home there is a guest here */
    const membership standing = standing_of(room, &person);
    char *pen = put_message_tags(start, lines, said, room, &standing, time_ms);
    pen = PUT(pen, " :");
    pen = put(pen, person.login, person.login_size);
    *pen++ = '!';
    pen = put(pen, person.login, person.login_size);
    *pen++ = '@';
    pen = put(pen, person.login, person.login_size);
    pen = PUT(pen, ".tmi.twitch.tv PRIVMSG #");
    pen = put(pen, room->login, room->login_size);
    pen = PUT(pen, " :");
    if (said->action)
        pen = PUT(pen, "\1ACTION ");
    pen = put(pen, said->text.bytes, said->text.size);
    if (said->action)
        *pen++ = '\1';
    out->size += (size_t)(pen - start);
}

/* ---- Events ---- */

static void put_notice(const hb_lines *lines, const hb_room *room, const hb_person *person, hb_dice *dice,
                       const char *kind, const char *params, const char *system, int64_t time_ms, hb_buffer *out)
{
    char id[HB_UUID];
    const membership standing = standing_of(room, person);
    char *start = hb_buffer_room(out, LINE_ROOM);
    char *pen = put_person(start, lines, person, &standing);
    hb_lines_roll_id(dice, id);
    out->size += (size_t)(pen - start);
    hb_buffer_print(out,
                    ";emotes=;flags=;id=%.*s;login=%.*s;mod=%d;msg-id=%s%s;room-id=%" PRIu64
                    ";subscriber=%d;system-msg=%.*s%s;tmi-sent-ts=%" PRId64 ";user-id=%" PRIu64
                    ";user-type=%s;vip=%d :tmi.twitch.tv USERNOTICE #%.*s",
                    HB_UUID, id, (int)person->login_size, person->login, standing.moderator, kind, params,
                    room->room_id, standing.months > 0, system[0] == '\\' ? (int)person->name_size : 0, person->name,
                    system, time_ms, person->user_id, standing.moderator ? "mod" : "", standing.vip,
                    (int)room->login_size, room->login);
}

static void put_subscription(const hb_lines *lines, const hb_room *room, const hb_person *person, hb_dice *dice,
                             int64_t time_ms, hb_buffer *out)
{
    char params[400];
    char system[200];
    const unsigned months = 1 + hb_dice_below(dice, 60) * hb_dice_below(dice, 60) / 60;
    const bool prime = hb_dice_chance(dice, 4000);
    const char *plan = prime ? "Prime" : "1000";
    snprintf(params, sizeof params,
             ";msg-param-cumulative-months=%u;msg-param-months=0;msg-param-multimonth-duration=0;"
             "msg-param-multimonth-tenure=0;msg-param-should-share-streak=0;"
             "msg-param-sub-plan-name=Channel\\sSubscription\\s(%.*s);msg-param-sub-plan=%s;msg-param-was-gifted=false",
             months, (int)room->login_size, room->login, plan);
    if (months == 1)
        snprintf(system, sizeof system, "\\ssubscribed\\s%s.", prime ? "with\\sPrime" : "at\\sTier\\s1");
    else
        snprintf(system, sizeof system, "\\ssubscribed\\s%s.\\sThey've\\ssubscribed\\sfor\\s%u\\smonths!",
                 prime ? "with\\sPrime" : "at\\sTier\\s1", months);
    put_notice(lines, room, person, dice, months == 1 ? "sub" : "resub", params, system, time_ms, out);
    if (months > 1 && hb_dice_chance(dice, 6000))
        hb_buffer_append(out, HB_BYTES(" :thank you for the stream"));
}

static void put_gift(const hb_lines *lines, const hb_room *room, const hb_person *person, hb_dice *dice,
                     int64_t time_ms, hb_buffer *out)
{
    char params[600];
    char system[200];
    hb_person lucky;
    hb_people_get(lines->people, hb_dice_below(dice, 1u << 20), &lucky);
    const unsigned given = 1 + hb_dice_below(dice, 200);
    snprintf(params, sizeof params,
             ";msg-param-gift-months=1;msg-param-months=%u;msg-param-origin-id=%u;"
             "msg-param-recipient-display-name=%.*s;msg-param-recipient-id=%" PRIu64
             ";msg-param-recipient-user-name=%.*s;msg-param-sender-count=%u;"
             "msg-param-sub-plan-name=Channel\\sSubscription\\s(%.*s);msg-param-sub-plan=1000",
             1 + hb_dice_below(dice, 12), hb_dice_below(dice, 1u << 30), (int)lucky.name_size, lucky.name,
             lucky.user_id, (int)lucky.login_size, lucky.login, given, (int)room->login_size, room->login);
    snprintf(system, sizeof system,
             "\\sgifted\\sa\\sTier\\s1\\ssub\\sto\\s%.*s!\\sThey\\shave\\sgiven\\s%u\\sGift\\sSubs\\s"
             "in\\sthe\\schannel!",
             (int)lucky.name_size, lucky.name, given);
    put_notice(lines, room, person, dice, "subgift", params, system, time_ms, out);
}

static void put_raid(const hb_lines *lines, const hb_room *room, const hb_person *person, hb_dice *dice,
                     int64_t time_ms, hb_buffer *out)
{
    char params[400];
    char system[200];
    const unsigned viewers = 3 + hb_dice_below(dice, 60) * hb_dice_below(dice, 60);
    snprintf(params, sizeof params,
             ";msg-param-displayName=%.*s;msg-param-login=%.*s;msg-param-profileImageURL=https://static-cdn.jtvnw.net/"
             "jtv_user_pictures/%" PRIx64 "-profile_image-%%s.png;msg-param-viewerCount=%u",
             (int)person->name_size, person->name, (int)person->login_size, person->login, person->traits, viewers);
    snprintf(system, sizeof system, "%u\\sraiders\\sfrom\\s%.*s\\shave\\sjoined!", viewers, (int)person->name_size,
             person->name);
    put_notice(lines, room, person, dice, "raid", params, system, time_ms, out);
}

static void put_announcement(const hb_lines *lines, const hb_room *room, hb_dice *dice, int64_t time_ms, hb_buffer *out)
{
    static const char *const colors[] = {"PRIMARY", "BLUE", "GREEN", "ORANGE", "PURPLE"};
    char params[64];
    hb_person person;
    hb_lines_broadcaster(room, &person);
    snprintf(params, sizeof params, ";msg-param-color=%s", colors[hb_dice_below(dice, 5)]);
    put_notice(lines, room, &person, dice, "announcement", params, "", time_ms, out);
    hb_buffer_print(out, " :Follow the channel on every other site! Vote with !points %u",
                    100 * (1 + hb_dice_below(dice, 50)));
}

static void put_roomstate(const hb_lines *lines, const hb_room *room, hb_dice *dice, int64_t time_ms, hb_buffer *out)
{
    static const char *const changes[] = {
        "slow=10",           "slow=0",      "emote-only=1", "emote-only=0", "followers-only=10",
        "followers-only=-1", "subs-only=1", "subs-only=0"};
    hb_buffer_append_char(out, '@');
    if (lines->archive)
        hb_buffer_print(out, "rm-received-ts=%" PRId64 ";", time_ms);
    hb_buffer_print(out, "room-id=%" PRIu64 ";%s :tmi.twitch.tv ROOMSTATE #%.*s", room->room_id,
                    changes[hb_dice_below(dice, 8)], (int)room->login_size, room->login);
}

/* Something that was said is taken back, or its author timed out or banned, or all of the chat cleared. */
static void put_deletion(const hb_lines *lines, const hb_room *room, const hb_recent *recent, hb_dice *dice,
                         int64_t time_ms, hb_buffer *out)
{
    hb_person author;
    hb_lines_author(lines, room, recent, &author);
    const uint32_t how = hb_dice_below(dice, 100);
    const int login_size = (int)room->login_size;
    if (how < 45 && recent->author != HB_BROADCASTER)
        hb_buffer_print(out,
                        "@%sroom-id=%" PRIu64 ";target-user-id=%" PRIu64 ";tmi-sent-ts=%" PRId64
                        " :tmi.twitch.tv CLEARCHAT #%.*s :%.*s",
                        how < 30 ? "ban-duration=600;" : "", room->room_id, author.user_id, time_ms, login_size,
                        room->login, (int)author.login_size, author.login);
    else if (how < 97)
        hb_buffer_print(
            out, "@login=%.*s;room-id=;target-msg-id=%.*s;tmi-sent-ts=%" PRId64 " :tmi.twitch.tv CLEARMSG #%.*s :%.*s",
            (int)author.login_size, author.login, HB_UUID, recent->id, time_ms, login_size, room->login,
            (int)recent->size, recent->text);
    else
        hb_buffer_print(out, "@room-id=%" PRIu64 ";tmi-sent-ts=%" PRId64 " :tmi.twitch.tv CLEARCHAT #%.*s",
                        room->room_id, time_ms, login_size, room->login);
}

bool hb_lines_event(const hb_lines *lines, const hb_room *room, const hb_person *person, hb_dice *dice, int64_t time_ms,
                    hb_buffer *out)
{
    const uint32_t what = hb_dice_below(dice, 1000);
    const hb_recent *recent = hb_lines_recent(room, dice);
    if (what < 400 && recent != NULL)
        put_deletion(lines, room, recent, dice, time_ms, out);
    else if (what < 650)
        put_subscription(lines, room, person, dice, time_ms, out);
    else if (what < 900)
        put_gift(lines, room, person, dice, time_ms, out);
    else if (what < 940)
        put_announcement(lines, room, dice, time_ms, out);
    else if (what < 980)
        put_roomstate(lines, room, dice, time_ms, out);
    else
        put_raid(lines, room, person, dice, time_ms, out);
    return what >= 980;
}

/* ---- Viewer samples ---- */

bool hb_lines_sample(const hb_lines *lines, const hb_room *room, int64_t after_s, int64_t time_ms, hb_buffer *out)
{
    const hb_stream stream = hb_stream_at(lines->seed, room->number, after_s);
    char room_id[24];
    hb_speech_text game;
    hb_speech_text title;
    if (!stream.live)
        return false;
    hb_speech_clear(&game);
    hb_speech_clear(&title);
    hb_speech_game(lines->speech, stream.game, &game);
    hb_speech_title(lines->speech, stream.title, &title);
    snprintf(room_id, sizeof room_id, "%" PRIu64, room->room_id);
    const hb_stream_sample sample = {
        .login = {room->login, room->login_size},
        .room_id = hb_bytes_of(room_id),
        .game = {game.bytes, game.size},
        .title = {title.bytes, title.size},
        .viewers = stream.viewers,
    };
    hb_stream_line_write(&sample, time_ms, out);
    return true;
}
