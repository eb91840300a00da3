/* replay.c - a file of raw IRC lines, read twice: for the channels, then for the chat.
 *
 * The next line is always read ahead, because its time says when it is due. Lines are taken in pieces of about 1 MiB,
 * so a file of any size takes little memory. */
#include "cmd/replay.h"
#include "base/error.h"
#include "base/map.h"
#include "base/say.h"
#include "log/unpack.h"
#include "twitch/line_splitter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct recorded_channel {
    char login[HB_LOGIN_MAX];
    size_t login_size;
    uint64_t room_id; /* 0 where the file does not say it */
} recorded_channel;

struct hb_replay {
    char *path;
    double speed;
    bool loop;
    int file;
    hb_unpack *unpack;
    hb_line_splitter splitter;
    hb_buffer packed; /* what unpacking gave last */
    hb_buffer lines;  /* whole lines of it, each with LF */
    size_t at;        /* of the next line in lines */
    bool more;        /* the file has more */
    recorded_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    hb_map logins;
    int64_t first_ms;   /* time of the first fact */
    int64_t last_us;    /* when the last line was due */
    int64_t round_us;   /* when this round began */
    uint32_t round;     /* 0 for the first */
    bool ended;         /* there is no next line */
    hb_bytes next_line; /* in lines */
    hb_fact next_fact;
};

/* ---- Reading ---- */

static bool rewind_file(hb_replay *replay, hb_error *error)
{
    if (lseek(replay->file, 0, SEEK_SET) != 0)
        return hb_fail_errno(error, "%s cannot be read twice, as a replay needs: give a file, not a pipe",
                             replay->path);
    hb_unpack_close(replay->unpack);
    hb_line_splitter_free(&replay->splitter);
    replay->unpack = hb_unpack_open(replay->file, replay->path);
    replay->splitter = (hb_line_splitter){0};
    replay->lines.size = 0;
    replay->at = 0;
    replay->more = true;
    return true;
}

static bool keep_line(void *context, hb_bytes line)
{
    hb_replay *replay = context;
    hb_buffer_append(&replay->lines, line);
    hb_buffer_append_char(&replay->lines, '\n');
    return true;
}

static bool refill(hb_replay *replay, hb_error *error)
{
    replay->packed.size = 0;
    replay->lines.size = 0;
    replay->at = 0;
    if (!hb_unpack_read(replay->unpack, &replay->packed, &replay->more, error))
        return false;
    hb_line_splitter_feed(&replay->splitter, hb_buffer_bytes(&replay->packed), keep_line, replay);
    if (!replay->more) /* the last line may have no end */
        hb_line_splitter_feed(&replay->splitter, HB_BYTES("\n"), keep_line, replay);
    return true;
}

/* Finds the next line to send; ended is set behind the last. */
static bool read_ahead(hb_replay *replay, hb_error *error)
{
    for (;;) {
        while (replay->at >= replay->lines.size && replay->more)
            if (!refill(replay, error))
                return false;
        hb_bytes rest = hb_bytes_from(hb_buffer_bytes(&replay->lines), replay->at);
        if (!hb_bytes_cut(&rest, '\n', &replay->next_line)) {
            replay->ended = true;
            return true;
        }
        replay->at = replay->lines.size - rest.size;
        if (hb_fact_read(replay->next_line, &replay->next_fact) == HB_FACT_OK &&
            replay->next_fact.kind != HB_FACT_STREAM && replay->next_fact.kind != HB_FACT_EMOTES)
            return true;
    }
}

/* ---- Channels ---- */

static size_t find_channel(const hb_replay *replay, hb_bytes login)
{
    const uint64_t hash = hb_hash(login, 0);
    for (uint32_t at = hb_map_first(&replay->logins, hash); at != HB_MAP_END;
         at = hb_map_next(&replay->logins, hash, at)) {
        const recorded_channel *channel = &replay->channels[hb_map_entry(&replay->logins, at)];
        if (hb_bytes_equal((hb_bytes){channel->login, channel->login_size}, login))
            return hb_map_entry(&replay->logins, at);
    }
    return replay->channel_count;
}

static size_t channel_of_next(const hb_replay *replay)
{
    char login[HB_LOGIN_MAX];
    return find_channel(replay, hb_bytes_lower(replay->next_fact.channel, login));
}

static void note_channel(hb_replay *replay)
{
    const size_t known = channel_of_next(replay);
    uint64_t room_id = 0;
    if (known == replay->channel_count) {
        HB_RESERVE(replay->channels, replay->channel_capacity, replay->channel_count + 1);
        recorded_channel *channel = &replay->channels[replay->channel_count];
        *channel = (recorded_channel){.login_size = replay->next_fact.channel.size};
        const hb_bytes login = hb_bytes_lower(replay->next_fact.channel, channel->login);
        hb_map_insert(&replay->logins, hb_hash(login, 0), (uint32_t)replay->channel_count++);
    }
    if (replay->channels[known].room_id == 0 && hb_bytes_to_u64(replay->next_fact.room_id, &room_id))
        replay->channels[known].room_id = room_id;
}

/* ---- Rewriting ---- */

static bool is_id(hb_bytes key)
{
    static const char *const keys[] = {"id", "target-msg-id", "reply-parent-msg-id", "reply-thread-parent-msg-id",
                                       "source-id"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (hb_bytes_equal(key, hb_bytes_of(keys[i])))
            return true;
    return false;
}

/* In a later round an id ends with the round's number: as unique as before, and another one. */
static void put_id(hb_bytes id, uint32_t round, hb_buffer *out)
{
    enum { DIGITS = 6 };
    if (round == 0 || id.size < 3 * DIGITS) {
        hb_buffer_append(out, id);
        return;
    }
    hb_buffer_append(out, (hb_bytes){id.data, id.size - DIGITS});
    hb_buffer_print(out, "%06" PRIx32, round & 0xffffff);
}

static void put_line(const hb_replay *replay, int64_t time_ms, hb_buffer *out)
{
    hb_line line;
    if (!hb_line_parse(replay->next_line, &line))
        return; /* cannot be: it was read as a fact */
    hb_bytes rest = line.tags;
    hb_bytes key;
    hb_bytes value;
    char before = '@';
    while (hb_tags_next(&rest, &key, &value)) {
        if (hb_bytes_equal(key, HB_BYTES("rm-received-ts")))
            continue;
        hb_buffer_append_char(out, before);
        hb_buffer_append(out, key);
        hb_buffer_append_char(out, '=');
        if (hb_bytes_equal(key, HB_BYTES("tmi-sent-ts")))
            hb_buffer_print(out, "%" PRId64, time_ms);
        else if (is_id(key))
            put_id(value, replay->round, out);
        else
            hb_buffer_append(out, value);
        before = ';';
    }
    if (before == ';')
        hb_buffer_append_char(out, ' ');
    const char *start = replay->next_line.data;
    if (line.tags.size > 0)
        start = line.tags.data + line.tags.size + 1;
    while (start < replay->next_line.data + replay->next_line.size && *start == ' ')
        start++;
    hb_buffer_append(out, (hb_bytes){start, (size_t)(replay->next_line.data + replay->next_line.size - start)});
}

/* ---- As a source ---- */

static hb_bytes login_of(void *context, size_t number)
{
    const recorded_channel *channel = &((hb_replay *)context)->channels[number];
    return (hb_bytes){channel->login, channel->login_size};
}

static uint64_t room_id_of(void *context, size_t number)
{
    return ((hb_replay *)context)->channels[number].room_id;
}

/* Files may be a little out of order: such a line is sent at once. */
static int64_t due_of(void *context)
{
    const hb_replay *replay = context;
    if (replay->ended)
        return HB_CHAT_END;
    const double since_us = (double)(replay->next_fact.time_ms - replay->first_ms) * 1000 / replay->speed;
    const double latest_us = 1e15; /* thirty years */
    const int64_t due_us = replay->round_us + (int64_t)(since_us > latest_us ? latest_us : since_us);
    return due_us < replay->last_us ? replay->last_us : due_us;
}

/* Reads on, in a loop past the end of the file. A file that is changed meanwhile must not do harm. */
static bool advance(hb_replay *replay, hb_error *error)
{
    if (!read_ahead(replay, error))
        return false;
    if (replay->ended && replay->loop) {
        replay->ended = false;
        replay->round++;
        replay->round_us = replay->last_us;
        if (!rewind_file(replay, error) || !read_ahead(replay, error))
            return false;
    }
    if (!replay->ended && channel_of_next(replay) == replay->channel_count)
        return hb_fail(error, HB_ERROR_CORRUPT, "%s changed while it was replayed", replay->path);
    return true;
}

static void next(void *context, int64_t time_ms, hb_buffer *out, hb_chat_line *line)
{
    hb_replay *replay = context;
    hb_error error = {0};
    replay->last_us = due_of(replay);
    *line = (hb_chat_line){channel_of_next(replay), replay->next_fact.kind == HB_FACT_MESSAGE};
    put_line(replay, time_ms, out);
    if (!advance(replay, &error)) {
        hb_say_error("the replay ends early: %s", error.text);
        replay->ended = true;
    }
}

/* ---- The door ---- */

static bool scan(hb_replay *replay, hb_error *error)
{
    bool first = true;
    if (!rewind_file(replay, error))
        return false;
    for (;;) {
        if (!read_ahead(replay, error))
            return false;
        if (replay->ended)
            break;
        if (first || replay->next_fact.time_ms < replay->first_ms)
            replay->first_ms = replay->next_fact.time_ms;
        first = false;
        note_channel(replay);
    }
    if (first)
        return hb_fail(error, HB_ERROR_CORRUPT, "%s holds no line of Twitch chat", replay->path);
    replay->ended = false;
    return rewind_file(replay, error) && advance(replay, error);
}

hb_replay *hb_replay_open(const char *path, double speed, bool loop, hb_error *error)
{
    if (!(speed > 0)) {
        hb_fail(error, HB_ERROR_USAGE, "a replay's --speed must be above 0");
        return NULL;
    }
    hb_replay *replay = hb_alloc(sizeof *replay);
    replay->path = hb_copy_text(hb_bytes_of(path));
    replay->speed = speed;
    replay->loop = loop;
    replay->file = open(path, O_RDONLY | O_CLOEXEC);
    bool good = true;
    if (replay->file < 0 && errno == ENOENT)
        good = hb_fail(error, HB_ERROR_MISSING, "there is no file %s to replay", path);
    else if (replay->file < 0)
        good = hb_fail_errno(error, "cannot open %s", path);
    if (good && scan(replay, error))
        return replay;
    hb_replay_close(replay);
    return NULL;
}

void hb_replay_close(hb_replay *replay)
{
    if (replay == NULL)
        return;
    hb_unpack_close(replay->unpack);
    if (replay->file >= 0)
        close(replay->file);
    hb_line_splitter_free(&replay->splitter);
    hb_buffer_free(&replay->packed);
    hb_buffer_free(&replay->lines);
    hb_map_free(&replay->logins);
    free(replay->channels);
    free(replay->path);
    free(replay);
}

hb_chat_source hb_replay_source(hb_replay *replay)
{
    return (hb_chat_source){replay, replay->channel_count, login_of, room_id_of, due_of, next};
}
