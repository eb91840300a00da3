/* chat_maker.c - who says something next, where, and the line that it makes.
 *
 * Time is virtual: message n is due at n / rate. So what happens over time (moods of channels, waves, raids) follows
 * from the seed too. One die (hb_dice) decides everything in the order of the lines. */
#include "twitch/chat_maker.h"
#include "base/error.h"
#include "twitch/chat_dice.h"
#include "twitch/chat_lines.h"

#include <stdlib.h>

enum {
    MOOD_US = 10000000,  /* how often channels' moods change */
    PAUSE_US = 15000000, /* between two waves, about */
    SHARED_US = 60000000,
    VISITOR_OCTAVES = 16,
    MET_BITS = 1 << 24,       /* newcomers are told apart by so many: some are missed in chat of millions of them */
    BURST_AFTER_US = 5000000, /* of its minute's beginning, */
    BURST_US = 45000000,
    BURST_SHARE = 6000, /* of 10,000 messages */
    BURST_PEOPLE = 4096,
    BURST_KIND = 4,      /* emotes; see hb_speech_wave */
    EVENTS_IN_10000 = 80 /* lines other than messages, before so many of 10,000 messages */
};

/* What a crowd does in one channel for some seconds. */
typedef struct crowd {
    int64_t until_us;
    int64_t next_us; /* when the next one may begin */
    uint64_t kind;   /* see hb_speech_wave */
    size_t channel;
    uint32_t share; /* of 10,000 messages */
    bool raid;
} crowd;

struct hb_chat_maker {
    hb_chat_options options;
    hb_dice dice;
    hb_dice burst_dice; /* another one: without bursts, all else stays the same */
    hb_lines *lines;
    hb_room *rooms;
    uint64_t *weights;
    hb_loaded channels;
    uint64_t rate_milli; /* messages in 1000 s */
    uint64_t messages;
    uint64_t moods_at; /* messages from which on moods may change again */
    int64_t moods_us;
    int64_t samples_us; /* when viewers are counted next */
    size_t samples_left;
    bool event_done; /* the line before the next message is out */
    bool copy_left;  /* the last message has a copy in another channel */
    crowd wave;
    unsigned char *met; /* a bit for each newcomer who has written, by a hash */
    hb_said said;       /* the last message */
};

static int64_t due_us(const hb_chat_maker *maker)
{
    const uint64_t n = maker->messages;
    const uint64_t rate = maker->rate_milli;
    return (int64_t)(n / rate * 1000000000u + n % rate * 1000000000u / rate);
}

/* ---- Channels ---- */

/* Every channel leans to one language; most lean to English. The biggest four are English, so that the shares of
 * languages hardly depend on the number of channels. */
static void set_language(hb_room *room, uint64_t number)
{
    static const hb_language latin[] = {HB_SPANISH, HB_PORTUGUESE, HB_GERMAN, HB_FRENCH};
    static const hb_language others[] = {HB_RUSSIAN, HB_KOREAN, HB_JAPANESE, HB_CHINESE, HB_THAI, HB_ARABIC};
    const hb_language near = latin[number / 3 % 4];
    const hb_language far = others[number / 2 % 6];
    room->speech.language = HB_ENGLISH;
    room->speech.second = number % 3 == 1 ? far : near;
    room->speech.second_in_10000 = 300;
    if (number % 28 == 9) {
        room->speech.language = far;
        room->speech.second = HB_ENGLISH;
        room->speech.second_in_10000 = 1500;
    } else if (number % 9 == 4) {
        room->speech.language = near;
        room->speech.second = HB_ENGLISH;
        room->speech.second_in_10000 = 1500;
    }
}

static void set_room(hb_chat_maker *maker, size_t number)
{
    hb_room *room = &maker->rooms[number];
    room->number = number;
    room->login_size = hb_people_channel(hb_lines_people(maker->lines), number, room->login);
    room->room_id = 10000000 + number * 733 + (hb_dice_mix(maker->options.seed + number) & 511);
    room->octaves = 14;
    for (size_t i = number + 1; i > 1 && room->octaves > 6; i /= 2)
        room->octaves--;
    room->speech.number = number;
    room->speech.login = (hb_bytes){room->login, room->login_size};
    room->mood = 100;
    set_language(room, number);
}

/* Some pairs of channels stream together now and then, sharing their chat. */
static bool partner_of(const hb_chat_maker *maker, size_t number, size_t *partner)
{
    if (number % 16 != 6 && number % 16 != 7)
        return false;
    *partner = number ^ 1;
    const uint64_t session = (uint64_t)(due_us(maker) / SHARED_US);
    return *partner < maker->options.channels &&
           hb_dice_mix(maker->options.seed + number / 2 * 7919 + session) % 3 == 0;
}

/* Channels get louder and quieter: their share of all messages wanders between a third and three times its mean. */
static void change_moods(hb_chat_maker *maker)
{
    for (size_t i = 0; i < maker->options.channels; i++) {
        hb_room *room = &maker->rooms[i];
        room->mood = (room->mood * 3 + 40 + hb_dice_below(&maker->dice, 120)) / 4;
        maker->weights[i] = (1u << 20) / (i + 1) * room->mood / 100 + 1;
    }
    hb_loaded_set(&maker->channels, maker->weights, (uint32_t)maker->options.channels);
    maker->moods_us = due_us(maker) + MOOD_US;
    maker->moods_at = maker->messages + maker->options.channels; /* however slow chat is, this stays cheap */
}

/* ---- Waves and raids ---- */

static void start_wave(hb_chat_maker *maker, size_t channel, int64_t now_us, bool raid)
{
    crowd *wave = &maker->wave;
    const uint32_t usual = (uint32_t)(10000 / (channel + 1)) / 6; /* about its share of all messages */
    wave->channel = channel;
    wave->kind = hb_dice_roll(&maker->dice);
    wave->until_us = now_us + 3000000 + hb_dice_below(&maker->dice, 9000000);
    wave->next_us = wave->until_us + PAUSE_US / 2 + hb_dice_below(&maker->dice, PAUSE_US);
    wave->share = usual * 4 > 3000 ? 3000 : usual * 4 + 20;
    wave->raid = raid;
}

static bool wave_is_on(const hb_chat_maker *maker, int64_t now_us)
{
    return now_us < maker->wave.until_us;
}

/* The burst that is on now, from 1 up; 0: none. */
static uint64_t burst_number(const hb_chat_maker *maker, int64_t now_us)
{
    const int64_t period_us = (int64_t)maker->options.bursts * 60000000;
    if (period_us == 0)
        return 0;
    const int64_t since_us = now_us % period_us - BURST_AFTER_US;
    return since_us >= 0 && since_us < BURST_US ? (uint64_t)(now_us / period_us) : 0;
}

/* ---- Lines ---- */

/* One of the channel's own chatters, a visitor from elsewhere, or now and then the broadcaster. */
static void choose_person(hb_chat_maker *maker, const hb_room *room, hb_person *person)
{
    const uint64_t step = maker->options.channels + 1;
    if (hb_dice_chance(&maker->dice, 60)) {
        hb_lines_broadcaster(room, person);
        return;
    }
    const uint64_t number = hb_dice_chance(&maker->dice, 1200)
                                ? hb_dice_rank(&maker->dice, 3, VISITOR_OCTAVES) * step
                                : hb_dice_rank(&maker->dice, 3, room->octaves) * step + 1 + room->number;
    hb_people_get(hb_lines_people(maker->lines), number, person);
}

/* Whether this is somebody's first message in a channel; true once at most. */
static bool is_first(hb_chat_maker *maker, const hb_room *room, const hb_person *person)
{
    if (!hb_lines_is_newcomer(room, person))
        return false;
    const uint64_t bit = hb_dice_mix(person->number * HB_CHAT_CHANNELS + room->number) % MET_BITS;
    const bool met = maker->met[bit / 8] >> bit % 8 & 1;
    maker->met[bit / 8] = (unsigned char)(maker->met[bit / 8] | 1 << bit % 8);
    return !met;
}

static void say_in_burst(hb_chat_maker *maker, const hb_room *room, uint64_t burst)
{
    hb_said *said = &maker->said;
    hb_dice *dice = &maker->burst_dice;
    const uint64_t number =
        hb_dice_below(dice, BURST_PEOPLE) * (uint64_t)(maker->options.channels + 1) + 1 + room->number;
    hb_people_get(hb_lines_people(maker->lines), number, &said->person);
    said->first = is_first(maker, room, &said->person);
    hb_speech_clear(&said->text);
    said->room = room;
    said->parent = NULL;
    said->action = false;
    said->luck = hb_dice_roll(dice);
    hb_lines_roll_id(dice, said->id);
    hb_speech_wave(hb_lines_speech(maker->lines), &room->speech, hb_dice_mix(maker->options.seed + burst) | BURST_KIND,
                   dice, &said->text);
}

static void say(hb_chat_maker *maker, hb_room *room, int64_t now_us)
{
    hb_said *said = &maker->said;
    hb_dice *dice = &maker->dice;
    const hb_speech *speech = hb_lines_speech(maker->lines);
    choose_person(maker, room, &said->person);
    hb_speech_clear(&said->text);
    said->room = room;
    said->first = is_first(maker, room, &said->person);
    said->parent = NULL;
    said->action = hb_dice_chance(dice, 120);
    said->luck = hb_dice_roll(dice);
    hb_lines_roll_id(dice, said->id);
    if (wave_is_on(maker, now_us) && maker->wave.channel == room->number && hb_dice_chance(dice, 8000)) {
        hb_speech_wave(speech, &room->speech, maker->wave.kind, dice, &said->text);
        return;
    }
    const hb_recent *recent = hb_lines_recent(room, dice);
    if (recent != NULL && hb_dice_chance(dice, 600)) {
        char mention[HB_PEOPLE_NAME + 1] = "@";
        hb_person other;
        hb_lines_author(maker->lines, room, recent, &other);
        memcpy(mention + 1, other.name, other.name_size);
        hb_speech_add(&said->text, (hb_bytes){mention, other.name_size + 1});
        if (hb_dice_chance(dice, 5000))
            said->parent = recent;
    }
    hb_speech_say(speech, &room->speech, dice, &said->text);
}

static void next_message(hb_chat_maker *maker, int64_t time_ms, int64_t now_us, hb_buffer *out, hb_chat_line *line)
{
    hb_room *room = &maker->rooms[hb_loaded_roll(&maker->channels, &maker->dice)];
    if (wave_is_on(maker, now_us) && hb_dice_chance(&maker->dice, maker->wave.share))
        room = &maker->rooms[maker->wave.channel];
    const uint64_t burst = burst_number(maker, now_us);
    size_t partner = 0;
    if (burst > 0 && hb_dice_chance(&maker->burst_dice, BURST_SHARE)) {
        room = &maker->rooms[(burst - 1) % maker->options.channels];
        say_in_burst(maker, room, burst);
    } else {
        say(maker, room, now_us);
    }
    maker->copy_left = partner_of(maker, room->number, &partner);
    maker->said.session = maker->copy_left;
    hb_lines_message(maker->lines, &maker->said, room, time_ms, out);
    if (!maker->copy_left)
        hb_lines_remember(&maker->said, room);
    *line = (hb_chat_line){room->number, true};
}

static void next_copy(hb_chat_maker *maker, int64_t time_ms, hb_buffer *out, hb_chat_line *line)
{
    const size_t partner = maker->said.room->number ^ 1;
    maker->copy_left = false;
    hb_lines_message(maker->lines, &maker->said, &maker->rooms[partner], time_ms, out);
    hb_lines_remember(&maker->said, &maker->rooms[maker->said.room->number]);
    *line = (hb_chat_line){partner, true};
}

static void next_event(hb_chat_maker *maker, int64_t time_ms, int64_t now_us, hb_buffer *out, hb_chat_line *line)
{
    hb_room *room = &maker->rooms[hb_loaded_roll(&maker->channels, &maker->dice)];
    hb_person person;
    choose_person(maker, room, &person);
    *line = (hb_chat_line){room->number, false};
    if (hb_lines_event(maker->lines, room, &person, &maker->dice, time_ms, out) && !wave_is_on(maker, now_us))
        start_wave(maker, room->number, now_us, true);
}

static void next(void *context, int64_t time_ms, hb_buffer *out, hb_chat_line *line)
{
    hb_chat_maker *maker = context;
    const int64_t now_us = due_us(maker);
    if (maker->options.viewers && maker->samples_left == 0 && now_us >= maker->samples_us) {
        maker->samples_left = maker->options.channels;
        maker->samples_us += 60000000;
    }
    while (maker->samples_left > 0) {
        const size_t number = maker->options.channels - maker->samples_left--;
        *line = (hb_chat_line){number, false};
        if (hb_lines_sample(maker->lines, &maker->rooms[number], now_us / 1000000, time_ms, out))
            return;
    }
    if (now_us >= maker->moods_us && maker->messages >= maker->moods_at)
        change_moods(maker);
    if (now_us >= maker->wave.next_us)
        start_wave(maker, hb_loaded_roll(&maker->channels, &maker->dice), now_us, false);
    if (!maker->event_done && !maker->copy_left) {
        maker->event_done = true;
        if (hb_dice_chance(&maker->dice, EVENTS_IN_10000)) {
            next_event(maker, time_ms, now_us, out, line);
            return;
        }
    }
    if (maker->copy_left)
        next_copy(maker, time_ms, out, line);
    else
        next_message(maker, time_ms, now_us, out, line);
    maker->event_done = maker->copy_left;
    maker->messages++;
}

/* ---- The door ---- */

static hb_bytes channel_of(void *context, size_t number)
{
    const hb_room *room = &((hb_chat_maker *)context)->rooms[number];
    return (hb_bytes){room->login, room->login_size};
}

static uint64_t room_id_of(void *context, size_t number)
{
    return ((hb_chat_maker *)context)->rooms[number].room_id;
}

static int64_t due_of(void *context)
{
    return due_us(context);
}

hb_chat_maker *hb_chat_maker_open(const hb_chat_options *options, hb_error *error)
{
    if (options->channels < 1 || options->channels > HB_CHAT_CHANNELS) {
        hb_fail(error, HB_ERROR_USAGE, "simulated chat has 1 to %d channels, not %zu", HB_CHAT_CHANNELS,
                options->channels);
        return NULL;
    }
    if (!(options->rate >= 0.001 && options->rate <= 1e7)) {
        hb_fail(error, HB_ERROR_USAGE, "simulated chat has 0.001 to 10,000,000 messages a second, not %g",
                options->rate);
        return NULL;
    }
    hb_chat_maker *maker = hb_alloc(sizeof *maker);
    maker->options = *options;
    maker->dice.state = hb_dice_mix(options->seed ^ 0x6875626275620000u) + options->run;
    maker->burst_dice.state = hb_dice_mix(maker->dice.state);
    maker->rate_milli = (uint64_t)(options->rate * 1000);
    maker->lines = hb_lines_open(options->seed, options->archive);
    maker->rooms = hb_alloc(options->channels * sizeof *maker->rooms);
    maker->weights = hb_alloc(options->channels * sizeof *maker->weights);
    maker->met = hb_alloc(MET_BITS / 8);
    maker->wave.next_us = PAUSE_US / 4;
    for (size_t i = 0; i < options->channels; i++)
        set_room(maker, i);
    change_moods(maker);
    return maker;
}

void hb_chat_maker_close(hb_chat_maker *maker)
{
    if (maker == NULL)
        return;
    hb_lines_close(maker->lines);
    hb_loaded_free(&maker->channels);
    free(maker->rooms);
    free(maker->weights);
    free(maker->met);
    free(maker);
}

hb_chat_source hb_chat_maker_source(hb_chat_maker *maker)
{
    return (hb_chat_source){maker, maker->options.channels, channel_of, room_id_of, due_of, next};
}
