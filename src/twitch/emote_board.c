/* emote_board.c - of each channel, its emotes with a version, and for the last two hours which version the log has. */
#include "twitch/emote_board.h"

#include "base/clock.h"
#include "base/map.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    HOURS = 2,        /* messages of the one before still come when the next has begun */
    LINE_NAMES = 4000 /* bytes of names in a line, about; IRC with tags allows 8,703 in all */
};

typedef struct told {
    int64_t hour_s;
    int64_t newest_ms; /* event time of the latest message; 0: none yet */
    uint64_t version;
} told;

typedef struct channel {
    hb_bytes login; /* its own memory */
    hb_bytes room_id;
    hb_buffer names;
    uint64_t version; /* 0: not known yet */
    int64_t since_ms; /* event time of the first message */
    int64_t seen_ms;
    told hours[HOURS];
} channel;

struct hb_emote_board {
    channel *channels;
    size_t count;
    size_t capacity;
    hb_map map;
};

hb_emote_board *hb_emote_board_open(void)
{
    return hb_alloc(sizeof(hb_emote_board));
}

void hb_emote_board_close(hb_emote_board *board)
{
    if (board == NULL)
        return;
    for (size_t i = 0; i < board->count; i++) {
        free((void *)board->channels[i].login.data);
        free((void *)board->channels[i].room_id.data);
        hb_buffer_free(&board->channels[i].names);
    }
    free(board->channels);
    hb_map_free(&board->map);
    free(board);
}

static channel *find(const hb_emote_board *board, hb_bytes login, uint64_t hash)
{
    for (uint32_t at = hb_map_first(&board->map, hash); at != HB_MAP_END; at = hb_map_next(&board->map, hash, at)) {
        channel *const found = &board->channels[hb_map_entry(&board->map, at)];
        if (hb_bytes_equal(found->login, login))
            return found;
    }
    return NULL;
}

static bool is_room_id(hb_bytes text)
{
    uint64_t number = 0;
    return text.size <= HB_EMOTE_ROOM_ID_MAX && hb_bytes_to_u64(text, &number);
}

static hb_bytes own(hb_bytes text)
{
    return (hb_bytes){hb_copy_text(text), text.size};
}

static channel *make(hb_emote_board *board, hb_bytes login, uint64_t hash, hb_bytes room_id)
{
    HB_RESERVE(board->channels, board->capacity, board->count + 1);
    channel *const made = &board->channels[board->count];
    *made = (channel){.login = own(login), .room_id = own(room_id)};
    hb_map_insert(&board->map, hash, (uint32_t)board->count++);
    return made;
}

/* What was told of an hour; NULL of one that is older than those kept. */
static told *told_of(channel *of, int64_t hour_s)
{
    told *oldest = &of->hours[0];
    for (size_t i = 0; i < HOURS; i++) {
        if (of->hours[i].hour_s == hour_s)
            return &of->hours[i];
        if (of->hours[i].hour_s < oldest->hour_s)
            oldest = &of->hours[i];
    }
    if (hour_s < oldest->hour_s)
        return NULL;
    *oldest = (told){.hour_s = hour_s};
    return oldest;
}

static void print_lines(const channel *of, int64_t time_ms, hb_buffer *lines)
{
    hb_bytes rest = hb_buffer_bytes(&of->names);
    while (rest.size > 0) {
        size_t size = rest.size < LINE_NAMES ? rest.size : LINE_NAMES;
        while (rest.data[size - 1] != ' ') /* each name has one behind it, and is far shorter */
            size--;
        hb_buffer_print(lines, "@tmi-sent-ts=%" PRId64 ";room-id=%.*s :hubbub EMOTES #%.*s :%.*s\n", time_ms,
                        HB_PRINT(of->room_id), HB_PRINT(of->login), (int)size - 1, rest.data);
        rest = hb_bytes_from(rest, size);
    }
}

/* When emotes that are told now begin to count. */
static int64_t start_of(const channel *of, const told *hour, const hb_fact *message)
{
    if (hour->newest_ms > 0)
        return hour->newest_ms >= message->time_ms ? hour->newest_ms + 1 : message->time_ms;
    /* An hour that had begun before the channel was first seen may have messages from before, of an earlier run. */
    return of->since_ms < hour->hour_s * 1000 ? hour->hour_s * 1000 : message->time_ms;
}

static void see_message(channel *of, const hb_fact *message, hb_buffer *lines)
{
    told *const hour = told_of(of, hb_time_floor(message->time_ms / 1000, HB_HOUR_S));
    if (of->since_ms == 0)
        of->since_ms = message->time_ms;
    if (hour == NULL)
        return;
    const int64_t start_ms = start_of(of, hour, message);
    if (hour->version != of->version && start_ms < (hour->hour_s + HB_HOUR_S) * 1000) {
        print_lines(of, start_ms, lines);
        hour->version = of->version;
    }
    if (message->time_ms > hour->newest_ms)
        hour->newest_ms = message->time_ms;
}

bool hb_emote_board_see(hb_emote_board *board, const hb_fact *fact, hb_buffer *lines)
{
    char lower[HB_LOGIN_MAX];
    const hb_bytes login = hb_bytes_lower(fact->channel, lower);
    const uint64_t hash = hb_hash(login, 0);
    channel *of = find(board, login, hash);
    const bool new = of == NULL &&is_room_id(fact->room_id) && board->count < HB_EMOTE_BOARD_CHANNELS;
    if (new)
        of = make(board, login, hash, fact->room_id);
    if (of == NULL)
        return false;
    if (fact->time_ms > of->seen_ms)
        of->seen_ms = fact->time_ms;
    if (fact->kind == HB_FACT_MESSAGE)
        see_message(of, fact, lines);
    return new;
}

void hb_emote_board_repeat(hb_emote_board *board, const hb_fact *fact)
{
    char lower[HB_LOGIN_MAX];
    const hb_bytes login = hb_bytes_lower(fact->channel, lower);
    channel *const of = find(board, login, hb_hash(login, 0));
    told *const hour = of == NULL ? NULL : told_of(of, hb_time_floor(fact->time_ms / 1000, HB_HOUR_S));
    if (hour != NULL)
        hour->version = 0;
}

size_t hb_emote_board_count(const hb_emote_board *board)
{
    return board->count;
}

hb_bytes hb_emote_board_room_id(const hb_emote_board *board, size_t number)
{
    return board->channels[number].room_id;
}

int64_t hb_emote_board_seen_ms(const hb_emote_board *board, size_t number)
{
    return board->channels[number].seen_ms;
}

void hb_emote_board_set(hb_emote_board *board, size_t number, hb_bytes names)
{
    channel *const of = &board->channels[number];
    if (of->version > 0 && hb_bytes_equal(hb_buffer_bytes(&of->names), names))
        return;
    of->names.size = 0;
    hb_buffer_append(&of->names, names);
    of->version++;
}
