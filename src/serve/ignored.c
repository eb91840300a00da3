/* ignored.c - a set of logins and user ids.
 *
 * The list is short on purpose: services that many channels use, and that answer, greet or alert in chat by
 * themselves, so that they stand high in rankings of busy channels and tell nothing of its people. A bot that a single
 * channel runs is for --ignore-user to name. All are known by their login, which Twitch gives once; their display name
 * is that login, whatever its case. */
#include "serve/ignored.h"

#include "base/error.h"
#include "base/map.h"
#include "twitch/channel_name.h"

#include <stdlib.h>

static const char *const well_known[] = {
    "blerp",
    "botrixoficial",
    "coebot",
    "creatisbot",
    "fossabot",
    "frostytoolsdotcom",
    "kofistreambot",
    "moobot",
    "nightbot",
    "own3d",
    "pokemoncommunitygame",
    "pretzelrocks",
    "restreambot",
    "sery_bot",
    "soundalerts",
    "stay_hydrated_bot",
    "streamelements",
    "streamlabs",
    "streamlootsbot",
    "streamstickers",
    "supibot",
    "tangiabot",
    "wizebot",
};

struct hb_ignored {
    hb_arena texts;
    hb_bytes *names; /* in lower case; an id is digits */
    size_t count;
    size_t capacity;
    hb_map map;
};

static bool has(const hb_ignored *ignored, hb_bytes name)
{
    const uint64_t hash = hb_hash(name, 0);
    for (uint32_t at = hb_map_first(&ignored->map, hash); at != HB_MAP_END; at = hb_map_next(&ignored->map, hash, at))
        if (hb_bytes_equal(ignored->names[hb_map_entry(&ignored->map, at)], name))
            return true;
    return false;
}

static void add(hb_ignored *ignored, hb_bytes name)
{
    if (has(ignored, name))
        return;
    HB_RESERVE(ignored->names, ignored->capacity, ignored->count + 1);
    ignored->names[ignored->count] = hb_arena_copy(&ignored->texts, name);
    hb_map_insert(&ignored->map, hb_hash(name, 0), (uint32_t)ignored->count++);
}

hb_ignored *hb_ignored_open(bool bots)
{
    hb_ignored *ignored = hb_alloc(sizeof *ignored);
    for (size_t i = 0; bots && i < sizeof well_known / sizeof *well_known; i++)
        add(ignored, hb_bytes_of(well_known[i]));
    return ignored;
}

void hb_ignored_close(hb_ignored *ignored)
{
    if (ignored == NULL)
        return;
    hb_map_free(&ignored->map);
    hb_arena_free(&ignored->texts);
    free(ignored->names);
    free(ignored);
}

bool hb_ignored_add(hb_ignored *ignored, hb_bytes names, hb_error *error)
{
    hb_bytes name;
    while (hb_bytes_cut(&names, ',', &name)) {
        char login[HB_LOGIN_MAX + 1];
        name = hb_bytes_trim(name);
        if (name.size == 0)
            continue;
        if (name.data[0] == '#' || !hb_channel_name_read(name, login))
            return hb_fail(error, HB_ERROR_USAGE,
                           "'%.*s' is nobody's login or user id: that is 1 to %d letters, digits and _", HB_PRINT(name),
                           HB_LOGIN_MAX);
        add(ignored, hb_bytes_of(login));
    }
    return true;
}

bool hb_ignored_has(const hb_ignored *ignored, const hb_ranked *user)
{
    char login[HB_LOGIN_MAX + 1];
    return ignored != NULL &&
           (has(ignored, user->key) || (hb_channel_name_read(user->name, login) && has(ignored, hb_bytes_of(login))));
}
