/* simulator_emotes.c - emote by emote, who has it follows from a few numbers; nothing is kept. */
#include "twitch/simulator_emotes.h"

#include "twitch/chat_dice.h"
#include "twitch/chat_vocabulary.h"
#include "twitch/emote_answer.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    GLOBAL_IN = 4,  /* one emote in so many is everywhere */
    CHANNEL_IN = 5, /* of the others, a channel has three in so many: one a service */
    FILLERS = 20,   /* emotes of a channel that nobody says */
    FFZ_SET = 3     /* the set that is for everybody */
};

/* Whether a service has this emote, for a channel or (number SIZE_MAX) for all. */
static bool has(uint64_t seed, uint64_t season, hb_emote_service service, size_t number, size_t emote)
{
    if (emote % GLOBAL_IN == 0)
        return number == SIZE_MAX && emote / GLOBAL_IN % HB_EMOTE_SERVICES == (size_t)service;
    /* A fifth of them is another one each season. */
    const uint64_t turn = emote % 5 == season % 5 ? season : 0;
    return number != SIZE_MAX &&
           hb_dice_mix(seed + number * 7919 + emote * 104729 + turn) % CHANNEL_IN == (uint64_t)service;
}

static json_t *describe(hb_emote_service service, size_t id, const char *name, size_t size)
{
    char text[32];
    snprintf(text, sizeof text, "%024zx", id);
    switch (service) {
    case HB_EMOTES_BTTV:
        return json_pack("{s:s, s:s%, s:s, s:b}", "id", text, "code", name, size, "imageType", "png", "animated", 0);
    case HB_EMOTES_FFZ:
        return json_pack("{s:I, s:s%, s:i, s:i, s:{}}", "id", (json_int_t)id, "name", name, size, "height", 32, "width",
                         32, "urls");
    case HB_EMOTES_7TV:
    case HB_EMOTE_SERVICES:
        break;
    }
    return json_pack("{s:s, s:s%, s:i, s:{s:s%}}", "id", text, "name", name, size, "flags", 0, "data", "name", name,
                     size);
}

/* The list of a service's emotes, of a channel or of all. */
static json_t *list(const hb_chat_source *chat, uint64_t seed, uint64_t season, hb_emote_service service, size_t number)
{
    json_t *const emotes = json_array();
    size_t count = 0;
    hb_bytes *const names = hb_vocabulary_split(hb_vocabulary_other_emotes, &count);
    for (size_t i = 0; i < count; i++)
        if (has(seed, season, service, number, i))
            json_array_append_new(emotes, describe(service, i, names[i].data, names[i].size));
    free(names);
    for (size_t i = 0; i < FILLERS && number != SIZE_MAX; i++) {
        char name[HB_LOGIN_MAX + 16];
        const int size =
            snprintf(name, sizeof name, "%.*sWiggle%zu", HB_PRINT(chat->channel(chat->context, number)), i);
        json_array_append_new(emotes, describe(service, count + i, name, (size_t)size));
    }
    return emotes;
}

static json_t *wrap(hb_emote_service service, json_t *emotes, bool global)
{
    char set[16];
    snprintf(set, sizeof set, "%d", FFZ_SET);
    switch (service) {
    case HB_EMOTES_BTTV:
        return global
                   ? emotes
                   : json_pack("{s:s, s:[], s:[], s:o}", "id", "5f0c", "bots", "channelEmotes", "sharedEmotes", emotes);
    case HB_EMOTES_FFZ: /* set 1539 is not for everybody */
        return global ? json_pack("{s:[i], s:{s:{s:o}, s:{s:[{s:s}]}}}", "default_sets", FFZ_SET, "sets", set,
                                  "emoticons", emotes, "1539", "emoticons", "name", "the")
                      : json_pack("{s:{s:i}, s:{s:{s:o}}}", "room", "set", FFZ_SET, "sets", set, "emoticons", emotes);
    case HB_EMOTES_7TV:
    case HB_EMOTE_SERVICES:
        break;
    }
    return global ? json_pack("{s:s, s:o}", "name", "Global Emotes", "emotes", emotes)
                  : json_pack("{s:s, s:{s:s, s:o}}", "platform", "TWITCH", "emote_set", "name", "Emotes", "emotes",
                              emotes);
}

static bool find_room(const hb_chat_source *chat, uint64_t room_id, size_t *number)
{
    for (*number = 0; *number < chat->channel_count; (*number)++)
        if (chat->room_id(chat->context, *number) == room_id)
            return true;
    return false;
}

void hb_simulator_emotes_names(const hb_chat_source *chat, uint64_t seed, uint64_t season, size_t number,
                               hb_buffer *names)
{
    for (size_t i = 0; i < 2 * HB_EMOTE_SERVICES; i++) {
        const hb_emote_service service = (hb_emote_service)(i / 2);
        const bool global = i % 2 == 0;
        json_t *const answer = wrap(service, list(chat, seed, season, service, global ? SIZE_MAX : number), global);
        char *const body = answer == NULL ? NULL : json_dumps(answer, JSON_COMPACT);
        hb_error unimportant;
        if (body != NULL)
            hb_emote_answer_read(service, global, hb_bytes_of(body), names, &unimportant);
        free(body);
        json_decref(answer);
    }
}

json_t *hb_simulator_emotes_answer(const hb_chat_source *chat, uint64_t seed, uint64_t season, const char *path)
{
    for (hb_emote_service service = 0; service < HB_EMOTE_SERVICES; service++) {
        const char *const last = strrchr(path, '/');
        uint64_t room_id = 0;
        size_t number = SIZE_MAX;
        const bool is_room = last != NULL && hb_bytes_to_u64(hb_bytes_of(last + 1), &room_id);
        hb_buffer expected = {0};
        hb_emote_path(service, is_room ? hb_bytes_of(last + 1) : (hb_bytes){"", 0}, &expected);
        const bool mine = hb_bytes_equal(hb_bytes_of(path), hb_buffer_bytes(&expected));
        hb_buffer_free(&expected);
        if (mine && (!is_room || find_room(chat, room_id, &number)))
            return wrap(service, list(chat, seed, season, service, number), !is_room);
    }
    return NULL;
}
