/* chat_source.h - where a simulated Twitch gets its chat from: made up (chat_maker.h) or replayed (cmd/simulate.c). */
#ifndef HB_TWITCH_CHAT_SOURCE_H
#define HB_TWITCH_CHAT_SOURCE_H

#include "base/map.h"
#include "base/memory.h"

#define HB_CHAT_END INT64_MAX

typedef struct hb_chat_line {
    size_t channel;  /* its number */
    bool is_message; /* a PRIVMSG */
} hb_chat_line;

/* Used by one thread at a time, but for channel and room_id, which any thread may ask. The context belongs to whoever
 * made the source, and outlives its use. */
typedef struct hb_chat_source {
    void *context;
    size_t channel_count;
    hb_bytes (*channel)(void *context, size_t number); /* its login */
    uint64_t (*room_id)(void *context, size_t number);
    /* When the next line is due, in microseconds after the chat's start; HB_CHAT_END when there is none. */
    int64_t (*due_us)(void *context);
    /* Appends the next line, without a line end, to out, its tmi-sent-ts being time_ms. Only when one is due at all. */
    void (*next)(void *context, int64_t time_ms, hb_buffer *out, hb_chat_line *line);
} hb_chat_source;

/* Puts all channels into a map of logins, which is the caller's to free. */
void hb_chat_index_channels(const hb_chat_source *chat, hb_map *logins);

/* Finds a channel's number in that map; false when there is none of this login. */
bool hb_chat_find_channel(const hb_chat_source *chat, const hb_map *logins, hb_bytes login, size_t *number);

#endif
