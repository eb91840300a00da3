/* chat_speech.c - what chatters say.
 *
 * English words are drawn from a die loaded by Zipf's law: the written list first, then made-up words from syllables,
 * because a chat's vocabulary has no end. Other languages have short lists. Every piece goes through hb_speech_add,
 * which counts code points: emotes know where they are whatever stands before them. */
#include "twitch/chat_speech.h"

#include <stdio.h>
#include <stdlib.h>

enum { ENGLISH_WORDS = 16384 };

typedef struct word_list {
    hb_bytes *words;
    size_t count;
} word_list;

struct hb_speech {
    uint64_t seed;
    word_list languages[HB_LANGUAGES];
    word_list emotes; /* name, id, name, id … */
    word_list channel_emotes;
    word_list emoji;
    word_list commands;
    word_list waves;
    word_list links;
    word_list syllables;
    word_list games;
    size_t pasta_count;
    hb_bytes english[ENGLISH_WORDS];
    hb_loaded zipf; /* over english */
    hb_arena arena; /* of the made-up words */
};

static word_list split(const char *list)
{
    word_list words = {0};
    words.words = hb_vocabulary_split(list, &words.count);
    return words;
}

static hb_bytes make_word(hb_speech *speech, uint32_t rank)
{
    char text[32];
    size_t size = 0;
    uint64_t rest = rank;
    do {
        const hb_bytes syllable = speech->syllables.words[rest % speech->syllables.count];
        rest /= speech->syllables.count;
        memcpy(text + size, syllable.data, syllable.size);
        size += syllable.size;
    } while (rest > 0);
    return hb_arena_copy(&speech->arena, (hb_bytes){text, size});
}

hb_speech *hb_speech_open(uint64_t seed)
{
    hb_speech *speech = hb_alloc(sizeof *speech);
    uint64_t *weights = hb_alloc(ENGLISH_WORDS * sizeof *weights);
    speech->seed = seed;
    for (int i = 0; i < HB_LANGUAGES; i++)
        speech->languages[i] = split(hb_vocabulary_words[i]);
    speech->emotes = split(hb_vocabulary_emotes);
    speech->channel_emotes = split(hb_vocabulary_channel_emotes);
    speech->emoji = split(hb_vocabulary_emoji);
    speech->commands = split(hb_vocabulary_commands);
    speech->waves = split(hb_vocabulary_waves);
    speech->links = split(hb_vocabulary_links);
    speech->syllables = split(hb_vocabulary_syllables);
    speech->games = split(hb_vocabulary_games);
    while (hb_vocabulary_pastas[speech->pasta_count] != NULL)
        speech->pasta_count++;
    const word_list *written = &speech->languages[HB_ENGLISH];
    for (uint32_t i = 0; i < ENGLISH_WORDS; i++) {
        speech->english[i] = i < written->count ? written->words[i] : make_word(speech, i);
        weights[i] = (10u << 24) / (10 * i + 27); /* Zipf's law with Mandelbrot's offset 2.7, as English has it */
        if (i >= written->count)
            weights[i] /= 6; /* chat has fewer rare words than books have */
    }
    hb_loaded_set(&speech->zipf, weights, ENGLISH_WORDS);
    free(weights);
    return speech;
}

void hb_speech_close(hb_speech *speech)
{
    if (speech == NULL)
        return;
    for (int i = 0; i < HB_LANGUAGES; i++)
        free(speech->languages[i].words);
    free(speech->emotes.words);
    free(speech->channel_emotes.words);
    free(speech->emoji.words);
    free(speech->commands.words);
    free(speech->waves.words);
    free(speech->links.words);
    free(speech->syllables.words);
    free(speech->games.words);
    hb_loaded_free(&speech->zipf);
    hb_arena_free(&speech->arena);
    free(speech);
}

/* ---- Pieces ---- */

static uint32_t count_points(hb_bytes bytes)
{
    uint32_t points = 0;
    for (size_t i = 0; i < bytes.size; i++)
        points += ((unsigned char)bytes.data[i] & 0xc0) != 0x80; /* our own texts are valid UTF-8 */
    return points;
}

bool hb_speech_add(hb_speech_text *text, hb_bytes word)
{
    const uint32_t space = text->size > 0;
    const uint32_t points = count_points(word);
    if (text->points + space + points > HB_SPEECH_POINTS)
        return false;
    if (space)
        text->bytes[text->size++] = ' ';
    memcpy(text->bytes + text->size, word.data, word.size);
    text->size += word.size;
    text->points += space + points;
    text->words++;
    return true;
}

static size_t put_number(uint32_t number, char *out)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    return count;
}

/* A channel's emotes are called as the channel is, "night12Hype" (the number makes the prefix unique, as it is on
 * Twitch), where Twitch's own are "Kappa". */
static size_t emote_name(const hb_speech *speech, const hb_speech_room *room, uint32_t emote, char out[32])
{
    if (emote < speech->emotes.count / 2) {
        const hb_bytes name = speech->emotes.words[2 * (size_t)emote];
        memcpy(out, name.data, name.size);
        return name.size;
    }
    const hb_bytes ending = speech->channel_emotes.words[emote - speech->emotes.count / 2];
    size_t size = 0;
    for (size_t i = 0; i < room->login.size && size < 5; i++)
        if (room->login.data[i] != '_')
            out[size++] = room->login.data[i];
    if (room->number > 0)
        size += put_number((uint32_t)room->number, out + size);
    memcpy(out + size, ending.data, ending.size);
    return size + ending.size;
}

uint32_t hb_speech_emote_count(const hb_speech *speech)
{
    return (uint32_t)(speech->emotes.count / 2 + speech->channel_emotes.count);
}

bool hb_speech_add_emote(const hb_speech *speech, const hb_speech_room *room, uint32_t emote, hb_speech_text *text)
{
    char name[32];
    const size_t size = emote_name(speech, room, emote, name);
    if (text->emote_count == HB_SPEECH_EMOTES || !hb_speech_add(text, (hb_bytes){name, size}))
        return false;
    text->emotes[text->emote_count].emote = emote;
    text->emotes[text->emote_count].start = text->points - (uint32_t)size;
    text->emotes[text->emote_count].end = text->points - 1;
    text->emote_count++;
    return true;
}

static uint32_t roll_emote(const hb_speech *speech, hb_dice *dice)
{
    const uint32_t global = (uint32_t)speech->emotes.count / 2;
    if (hb_dice_chance(dice, 3000))
        return global + hb_dice_below(dice, (uint32_t)speech->channel_emotes.count);
    return hb_dice_rank(dice, 1, 6) % global;
}

static hb_bytes roll_of(const word_list *list, hb_dice *dice)
{
    return list->words[hb_dice_rank(dice, 3, 10) % list->count];
}

/* Words, some stretched ("nooooo"), some shouted. */
static void add_word(const hb_speech *speech, hb_language language, bool shout, hb_dice *dice, hb_speech_text *text)
{
    char room[96];
    hb_bytes word = language == HB_ENGLISH ? speech->english[hb_loaded_roll(&speech->zipf, dice)]
                                           : roll_of(&speech->languages[language], dice);
    const bool stretch = hb_dice_chance(dice, 60) && word.size > 1 && word.size < 32;
    if (shout || stretch) {
        memcpy(room, word.data, word.size);
        const char last = word.data[word.size - 1];
        if (stretch && last >= 'a' && last <= 'z')
            for (uint32_t more = 2 + hb_dice_below(dice, 12); more > 0; more--)
                room[word.size++] = last;
        for (size_t i = 0; shout && i < word.size; i++)
            if (room[i] >= 'a' && room[i] <= 'z')
                room[i] = (char)(room[i] - 'a' + 'A');
        word.data = room;
    }
    hb_speech_add(text, word);
}

static hb_language roll_language(const hb_speech_room *room, hb_dice *dice)
{
    if (hb_dice_chance(dice, room->second_in_10000))
        return room->second;
    return room->language;
}

static void add_link(const hb_speech *speech, hb_dice *dice, hb_speech_text *text)
{
    static const char letters[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789-_";
    const hb_bytes start = roll_of(&speech->links, dice);
    char link[96];
    memcpy(link, start.data, start.size);
    for (size_t i = 0; i < 11; i++)
        link[start.size + i] = letters[hb_dice_below(dice, sizeof letters - 1)];
    hb_speech_add(text, (hb_bytes){link, start.size + 11});
}

/* ---- Whole texts ---- */

/* Most texts are of a few words, and a few are long: about five words on average. */
static uint32_t roll_length(hb_dice *dice)
{
    const uint32_t roll = hb_dice_below(dice, 100);
    if (roll < 24)
        return 1;
    if (roll < 64)
        return 2 + hb_dice_below(dice, 4);
    if (roll < 94)
        return 5 + hb_dice_below(dice, 7);
    if (roll < 99)
        return 12 + hb_dice_below(dice, 14);
    return 26 + hb_dice_below(dice, 60);
}

static void say_sentence(const hb_speech *speech, const hb_speech_room *room, hb_dice *dice, hb_speech_text *text)
{
    const hb_language language = roll_language(room, dice);
    const bool shout = hb_dice_chance(dice, 400);
    const uint32_t length = language > HB_FRENCH ? 1 + roll_length(dice) / 2 : roll_length(dice);
    if (hb_dice_chance(dice, 250))
        hb_speech_add_emote(speech, room, roll_emote(speech, dice), text);
    if (length == 1 && language == HB_ENGLISH && hb_dice_chance(dice, 7000)) {
        hb_speech_add(text, roll_of(&speech->waves, dice)); /* what people say in one word */
        return;
    }
    for (uint32_t i = 0; i < length; i++) {
        add_word(speech, language, shout, dice, text);
        if (hb_dice_chance(dice, 100))
            hb_speech_add_emote(speech, room, roll_emote(speech, dice), text);
    }
    if (hb_dice_chance(dice, 160))
        for (uint32_t i = 1 + hb_dice_below(dice, 3); i > 0; i--)
            hb_speech_add(text, roll_of(&speech->emoji, dice));
    if (hb_dice_chance(dice, 2000))
        for (uint32_t i = 1 + hb_dice_below(dice, 10) / 8; i > 0; i--)
            hb_speech_add_emote(speech, room, roll_emote(speech, dice), text);
}

static void say_emotes(const hb_speech *speech, const hb_speech_room *room, hb_dice *dice, hb_speech_text *text)
{
    const uint32_t emote = roll_emote(speech, dice);
    uint32_t count = hb_dice_chance(dice, 5000) ? 1 : 2 + hb_dice_below(dice, 4);
    if (hb_dice_chance(dice, 100))
        count = HB_SPEECH_EMOTES;
    for (uint32_t i = 0; i < count; i++)
        if (!hb_speech_add_emote(speech, room, i % 3 == 2 ? roll_emote(speech, dice) : emote, text))
            return;
}

/* A copied text, its emotes found again as Twitch finds them: chunks that are an emote's name. */
static void say_pasta(const hb_speech *speech, const hb_speech_room *room, uint64_t number, bool again,
                      hb_speech_text *text)
{
    hb_bytes rest = hb_bytes_of(hb_vocabulary_pastas[number % speech->pasta_count]);
    for (hb_bytes chunk; hb_bytes_cut(&rest, ' ', &chunk);) {
        uint32_t emote = 0;
        while (emote < speech->emotes.count / 2 && !hb_bytes_equal(speech->emotes.words[2 * (size_t)emote], chunk))
            emote++;
        if (emote < speech->emotes.count / 2)
            hb_speech_add_emote(speech, room, emote, text);
        else
            hb_speech_add(text, chunk);
    }
    if (again) /* what chat clients append to get past the filter of duplicates */
        hb_speech_add(text, HB_BYTES("\xf3\xa0\x80\x80"));
}

void hb_speech_say(const hb_speech *speech, const hb_speech_room *room, hb_dice *dice, hb_speech_text *text)
{
    const uint32_t roll = hb_dice_below(dice, 1000);
    if (roll < 110) {
        say_emotes(speech, room, dice, text);
    } else if (roll < 135) {
        hb_speech_add(text, roll_of(&speech->commands, dice));
        if (hb_dice_chance(dice, 3000))
            add_word(speech, HB_ENGLISH, false, dice, text);
    } else if (roll < 145) {
        say_sentence(speech, room, dice, text);
        add_link(speech, dice, text);
    } else if (roll < 149) {
        say_pasta(speech, room, hb_dice_below(dice, 64), hb_dice_chance(dice, 3000), text);
    } else if (roll < 155) {
        for (uint32_t i = 1 + hb_dice_below(dice, 4); i > 0; i--)
            hb_speech_add(text, roll_of(&speech->emoji, dice));
    } else {
        say_sentence(speech, room, dice, text);
    }
}

void hb_speech_wave(const hb_speech *speech, const hb_speech_room *room, uint64_t wave, hb_dice *dice,
                    hb_speech_text *text)
{
    const uint64_t which = wave >> 8;
    switch (wave % 8) {
    case 0:
        say_pasta(speech, room, which, hb_dice_chance(dice, 4000), text);
        return;
    case 1:
    case 2:
    case 3:
        for (uint32_t i = 1 + hb_dice_below(dice, 3); i > 0; i--)
            hb_speech_add(text, speech->waves.words[which % speech->waves.count]);
        return;
    default:
        for (uint32_t i = 1 + hb_dice_below(dice, 6); i > 0; i--)
            hb_speech_add_emote(speech, room, (uint32_t)(which % hb_speech_emote_count(speech)), text);
    }
}

void hb_speech_title(const hb_speech *speech, uint64_t number, hb_speech_text *text)
{
    hb_dice dice = {number};
    for (uint32_t i = 3 + hb_dice_below(&dice, 5); i > 0; i--)
        add_word(speech, HB_ENGLISH, i == 3, &dice, text);
    if (hb_dice_chance(&dice, 5000))
        hb_speech_add(text, HB_BYTES("| !discord; day 12 \\o/"));
}

void hb_speech_game(const hb_speech *speech, uint64_t number, hb_speech_text *text)
{
    hb_bytes rest = speech->games.words[number % speech->games.count];
    for (hb_bytes word; hb_bytes_cut(&rest, '_', &word);)
        hb_speech_add(text, word);
}

/* ---- The emotes tag ---- */

static size_t emote_id(const hb_speech *speech, const hb_speech_room *room, uint32_t emote, char *out)
{
    static const char hex[] = "0123456789abcdef";
    static const hb_bytes start = {"emotesv2_", 9};
    if (emote < speech->emotes.count / 2) {
        const hb_bytes id = speech->emotes.words[2 * (size_t)emote + 1];
        memcpy(out, id.data, id.size);
        return id.size;
    }
    memcpy(out, start.data, start.size);
    size_t size = start.size;
    for (uint64_t half = 0; half < 2; half++) {
        uint64_t bits = hb_dice_mix(speech->seed + room->number * 1000 + (uint64_t)emote * 2 + half + 1);
        for (int i = 0; i < 16; i++, bits >>= 4)
            out[size++] = hex[bits & 15];
    }
    return size;
}

size_t hb_speech_emotes_tag(const hb_speech *speech, const hb_speech_room *room, const hb_speech_text *text, char *out)
{
    size_t size = 0;
    bool done[HB_SPEECH_EMOTES] = {false};
    for (uint32_t i = 0; i < text->emote_count; i++) {
        if (done[i])
            continue;
        if (size > 0)
            out[size++] = '/';
        size += emote_id(speech, room, text->emotes[i].emote, out + size);
        char before = ':';
        for (uint32_t j = i; j < text->emote_count; j++) {
            if (text->emotes[j].emote != text->emotes[i].emote)
                continue;
            done[j] = true;
            out[size++] = before;
            size += put_number(text->emotes[j].start, out + size);
            out[size++] = '-';
            size += put_number(text->emotes[j].end, out + size);
            before = ',';
        }
    }
    return size;
}
