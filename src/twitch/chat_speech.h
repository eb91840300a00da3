/* chat_speech.h - the texts of the generated chat: what is said, and where the emotes are in it. */
#ifndef HB_TWITCH_CHAT_SPEECH_H
#define HB_TWITCH_CHAT_SPEECH_H

#include "twitch/chat_dice.h"
#include "twitch/chat_vocabulary.h"

typedef struct hb_speech hb_speech;

hb_speech *hb_speech_open(uint64_t seed);
void hb_speech_close(hb_speech *speech);

/* What of a channel shapes what is said in it. */
typedef struct hb_speech_room {
    uint64_t number;
    hb_bytes login;
    hb_language language;     /* what most say here */
    hb_language second;       /* what some say */
    uint32_t second_in_10000; /* how many */
} hb_speech_room;

enum {
    HB_SPEECH_POINTS = 500, /* code points at most, as Twitch allows */
    HB_SPEECH_ROOM = 4096,  /* bytes that these need at most, with an ACTION wrapper */
    HB_SPEECH_EMOTES = 128  /* emotes in one text at most */
};

typedef struct hb_speech_text {
    size_t size;
    uint32_t points; /* code points so far */
    uint32_t words;
    uint32_t emote_count;
    struct {
        uint32_t emote;
        uint32_t start; /* code points; end is counted in, as in the emotes tag */
        uint32_t end;
    } emotes[HB_SPEECH_EMOTES];
    char bytes[HB_SPEECH_ROOM];
} hb_speech_text;

static inline void hb_speech_clear(hb_speech_text *text)
{
    text->size = 0;
    text->points = 0;
    text->words = 0;
    text->emote_count = 0;
}

/* Appends a word with a space before it, unless it is the first; false, nothing appended, when the text would be too
 * long. The word may be several words. */
bool hb_speech_add(hb_speech_text *text, hb_bytes word);

/* Appends an emote, of 0 to hb_speech_emote_count() - 1. */
bool hb_speech_add_emote(const hb_speech *speech, const hb_speech_room *room, uint32_t emote, hb_speech_text *text);
uint32_t hb_speech_emote_count(const hb_speech *speech);

/* Says something of the sort that chat says all day long, behind what text holds already. */
void hb_speech_say(const hb_speech *speech, const hb_speech_room *room, hb_dice *dice, hb_speech_text *text);

/* Says what everybody says just now: the same for the same wave, but for how often. */
void hb_speech_wave(const hb_speech *speech, const hb_speech_room *room, uint64_t wave, hb_dice *dice,
                    hb_speech_text *text);

/* A stream's title, and a game's name: the same for the same number. */
void hb_speech_title(const hb_speech *speech, uint64_t number, hb_speech_text *text);
void hb_speech_game(const hb_speech *speech, uint64_t number, hb_speech_text *text);

/* Writes the value of the emotes tag; out has room for HB_SPEECH_TAG_ROOM bytes. Returns its size. */
enum { HB_SPEECH_TAG_ROOM = HB_SPEECH_EMOTES * 60 };
size_t hb_speech_emotes_tag(const hb_speech *speech, const hb_speech_room *room, const hb_speech_text *text, char *out);

#endif
