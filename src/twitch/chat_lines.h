/* chat_lines.h - the IRC lines of the generated chat, byte for byte as Twitch sends them (Twitch, "IRC Tags"). */
#ifndef HB_TWITCH_CHAT_LINES_H
#define HB_TWITCH_CHAT_LINES_H

#include "twitch/chat_people.h"
#include "twitch/chat_speech.h"

enum { HB_RECENT = 4, HB_RECENT_TEXT = 200, HB_UUID = 36 };

/* A message that a later line may speak of: answer it, delete it, time its author out. */
typedef struct hb_recent {
    uint64_t author; /* a person's number, or HB_BROADCASTER */
    size_t size;     /* 0: none */
    char id[HB_UUID];
    char text[HB_RECENT_TEXT];
} hb_recent;

#define HB_BROADCASTER UINT64_MAX

typedef struct hb_room {
    uint64_t number;
    uint64_t room_id;
    size_t login_size;
    char login[HB_PEOPLE_LOGIN];
    uint32_t octaves; /* of its chatters; see hb_dice_rank */
    uint32_t mood;    /* percent of its usual share */
    hb_speech_room speech;
    uint32_t remembered; /* messages so far */
    hb_recent recent[HB_RECENT];
} hb_room;

/* A message before it is a line. */
typedef struct hb_said {
    const hb_room *room; /* where it was said */
    hb_person person;
    const hb_recent *parent; /* what it answers, or NULL */
    bool action;
    bool session;  /* said in a Shared Chat */
    bool first;    /* the person's first message in the room */
    uint64_t luck; /* for what is left to chance on the line */
    char id[HB_UUID];
    hb_speech_text text;
} hb_said;

typedef struct hb_lines hb_lines;

hb_lines *hb_lines_open(uint64_t seed, bool archive);
void hb_lines_close(hb_lines *lines);
const hb_people *hb_lines_people(const hb_lines *lines);
const hb_speech *hb_lines_speech(const hb_lines *lines);

void hb_lines_roll_id(hb_dice *dice, char id[HB_UUID]); /* a random UUID (RFC 4122, version 4) */
void hb_lines_broadcaster(const hb_room *room, hb_person *person);

/* Whether somebody has never written in the channel before this chat began: some of those without any standing. */
bool hb_lines_is_newcomer(const hb_room *room, const hb_person *person);

/* One of the channel's last messages, or NULL before the first. */
const hb_recent *hb_lines_recent(const hb_room *room, hb_dice *dice);
void hb_lines_author(const hb_lines *lines, const hb_room *room, const hb_recent *recent, hb_person *person);

/* Keeps a message for later lines to speak of. */
void hb_lines_remember(const hb_said *said, hb_room *room);

/* Each appends one line without a line end. */

/* A PRIVMSG as room gets it: a Shared Chat copy when it was said elsewhere. */
void hb_lines_message(const hb_lines *lines, const hb_said *said, const hb_room *room, int64_t time_ms, hb_buffer *out);

/* A USERNOTICE, CLEARCHAT, CLEARMSG or ROOMSTATE; person is whose subscription (…) it is. True for a raid. */
bool hb_lines_event(const hb_lines *lines, const hb_room *room, const hb_person *person, hb_dice *dice, int64_t time_ms,
                    hb_buffer *out);

/* A viewer sample, after so many seconds of chat. False, and nothing is appended, while the channel is offline. */
bool hb_lines_sample(const hb_lines *lines, const hb_room *room, int64_t after_s, int64_t time_ms, hb_buffer *out);

#endif
