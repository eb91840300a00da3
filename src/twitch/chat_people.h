/* chat_people.h - who chats where in the generated chat: logins, display names, ids, badges. All of it follows from a
 * person's number and the seed, so that nothing is kept. */
#ifndef HB_TWITCH_CHAT_PEOPLE_H
#define HB_TWITCH_CHAT_PEOPLE_H

#include "twitch/chat_dice.h"

typedef struct hb_people hb_people;

hb_people *hb_people_open(uint64_t seed);
void hb_people_close(hb_people *people);

enum { HB_PEOPLE_LOGIN = 48, HB_PEOPLE_NAME = 64 };

typedef struct hb_person {
    uint64_t number;
    uint64_t traits; /* of the person anywhere; see hb_dice_mix */
    uint64_t user_id;
    size_t login_size;
    size_t name_size;
    char login[HB_PEOPLE_LOGIN];
    char name[HB_PEOPLE_NAME]; /* display name: the login in other case, or something localised */
} hb_person;

/* No two numbers below 2^30 have the same login or user id. */
void hb_people_get(const hb_people *people, uint64_t number, hb_person *person);

/* The login of a channel, by its number; out has room for HB_PEOPLE_LOGIN bytes. Returns its size. No two numbers below
 * 65,536 have the same. */
size_t hb_people_channel(const hb_people *people, uint64_t number, char *out);

/* One of the colours that Twitch gives, or one of a person's own, or none. */
hb_bytes hb_people_color(const hb_people *people, const hb_person *person, char out[8]);

#endif
