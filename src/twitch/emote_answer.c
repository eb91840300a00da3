/* emote_answer.c - jansson reads the JSON; only names are taken of it, and each is looked at, since channels' owners
 * choose them. */
#include "twitch/emote_answer.h"

#include "base/error.h"
#include "twitch/json_answer.h"

const char *hb_emote_service_name(hb_emote_service service)
{
    static const char *const names[HB_EMOTE_SERVICES] = {"bttv", "ffz", "7tv"};
    return names[service];
}

void hb_emote_path(hb_emote_service service, hb_bytes room_id, hb_buffer *out)
{
    static const char *const global[HB_EMOTE_SERVICES] = {"/3/cached/emotes/global", "/v1/set/global",
                                                          "/v3/emote-sets/global"};
    static const char *const channel[HB_EMOTE_SERVICES] = {"/3/cached/users/twitch/", "/v1/room/id/",
                                                           "/v3/users/twitch/"};
    hb_buffer_append(out, hb_bytes_of(room_id.size == 0 ? global[service] : channel[service]));
    hb_buffer_append(out, room_id);
}

bool hb_emote_list_add(hb_buffer *names, hb_bytes name)
{
    if (name.size == 0 || name.size > HB_EMOTE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] <= ' ' || name.data[i] == 0x7f)
            return false;
    hb_buffer_append(names, name);
    hb_buffer_append_char(names, ' ');
    return true;
}

/* Takes the names out of [{"name":…},…], up to the limit. */
static void take_list(const json_t *list, const char *key, size_t *left, hb_buffer *names)
{
    size_t i = 0;
    const json_t *entry = NULL;
    json_array_foreach(list, i, entry)
    {
        if (*left == 0)
            return;
        *left -= hb_emote_list_add(names, hb_json_answer_text(entry, key));
    }
}

/* {"channelEmotes":[{"code":…},…],"sharedEmotes":[…]}; all channels': the list alone. */
static bool take_bttv(const json_t *root, bool global, size_t *left, hb_buffer *names)
{
    const json_t *const own = json_object_get(root, "channelEmotes");
    const json_t *const shared = json_object_get(root, "sharedEmotes");
    if (global ? !json_is_array(root) : !json_is_array(own) && !json_is_array(shared))
        return false;
    take_list(global ? root : own, "code", left, names);
    take_list(global ? NULL : shared, "code", left, names);
    return true;
}

static bool is_default_set(const json_t *root, const char *key)
{
    size_t i = 0;
    const json_t *number = NULL;
    uint64_t wanted = 0;
    const bool good = hb_bytes_to_u64(hb_bytes_of(key), &wanted);
    json_array_foreach(json_object_get(root, "default_sets"), i, number)
    {
        if (good && json_is_integer(number) && (uint64_t)json_integer_value(number) == wanted)
            return true;
    }
    return false;
}

/* {"sets":{"3":{"emoticons":[{"name":…},…]},…}}; of all channels' answer only the sets in "default_sets" are for
 * everybody. */
static bool take_ffz(json_t *root, bool global, size_t *left, hb_buffer *names)
{
    json_t *const sets = json_object_get(root, "sets");
    const char *key = NULL;
    json_t *set = NULL;
    if (!json_is_object(sets))
        return false;
    json_object_foreach(sets, key, set)
    {
        if (!global || is_default_set(root, key))
            take_list(json_object_get(set, "emoticons"), "name", left, names);
    }
    return true;
}

/* {"emote_set":{"emotes":[{"name":…},…]}}; all channels': the set alone. A channel without a set, or with an empty one,
 * has null there. */
static bool take_7tv(const json_t *root, bool global, size_t *left, hb_buffer *names)
{
    const json_t *const set = global ? root : json_object_get(root, "emote_set");
    const json_t *const emotes = json_object_get(set, "emotes");
    take_list(emotes, "name", left, names);
    return json_is_object(root) && set != NULL && (!global || json_is_array(emotes));
}

bool hb_emote_answer_read(hb_emote_service service, bool global, hb_bytes body, hb_buffer *names, hb_error *error)
{
    json_t *const root = hb_json_answer_parse(body);
    size_t left = HB_EMOTE_LIST_MAX;
    const bool good = service == HB_EMOTES_BTTV  ? take_bttv(root, global, &left, names)
                      : service == HB_EMOTES_FFZ ? take_ffz(root, global, &left, names)
                                                 : take_7tv(root, global, &left, names);
    json_decref(root);
    return good || hb_fail(error, HB_ERROR_CORRUPT, "the answer is no list of emotes");
}
