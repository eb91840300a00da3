/* chat_source.c - finding a source's channels by their logins. */
#include "twitch/chat_source.h"

void hb_chat_index_channels(const hb_chat_source *chat, hb_map *logins)
{
    for (size_t i = 0; i < chat->channel_count; i++)
        hb_map_insert(logins, hb_hash(chat->channel(chat->context, i), 0), (uint32_t)i);
}

bool hb_chat_find_channel(const hb_chat_source *chat, const hb_map *logins, hb_bytes login, size_t *number)
{
    const uint64_t hash = hb_hash(login, 0);
    for (uint32_t at = hb_map_first(logins, hash); at != HB_MAP_END; at = hb_map_next(logins, hash, at)) {
        *number = hb_map_entry(logins, at);
        if (hb_bytes_equal(chat->channel(chat->context, *number), login))
            return true;
    }
    return false;
}
