/* log_follow.c - one reader for all parts.
 *
 * The directory is watched (inotify), and each event names a file: so the follower knows which parts have news without
 * looking at thousands of files. Where events were lost, or cannot be had, it lists the log and compares sizes. The
 * watch is set up before the first listing, so nothing falls in between. */
#include "log/log_file.h"

#include "base/clock.h"
#include "base/error.h"
#include "log/kafka_follow.h"
#include "log/kafka_log.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

typedef struct followed_part {
    int64_t part;
    uint64_t next;
    bool news;          /* there may be something behind next */
    uint64_t file_size; /* as listed last; for noticing news without inotify */
} followed_part;

struct hb_log_follower {
    hb_kafka_follower *kafka; /* of a Kafka log; then nothing else is there */
    hb_log *log;
    int watch;
    bool lost_events;     /* list the log again */
    followed_part *parts; /* ascending */
    size_t count;
    size_t capacity;
    size_t turn;           /* the part whose turn it is */
    hb_log_cursor *cursor; /* on parts[turn], or NULL */
    uint64_t
        turn_size; /* bytes read in this turn; the turn ends with the part's end, or when it has gone on for long */
};

/* ---- Parts ---- */

/* Finds where a part is, or where it would be inserted. */
static size_t place_of(const hb_log_follower *follower, int64_t part)
{
    size_t low = 0;
    size_t high = follower->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (follower->parts[middle].part < part)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static followed_part *find_or_add(hb_log_follower *follower, int64_t part, bool *added)
{
    const size_t place = place_of(follower, part);
    *added = place == follower->count || follower->parts[place].part != part;
    if (*added) {
        HB_RESERVE(follower->parts, follower->capacity, follower->count + 1);
        memmove(follower->parts + place + 1, follower->parts + place,
                (follower->count - place) * sizeof *follower->parts);
        follower->parts[place] = (followed_part){.part = part, .news = true};
        follower->count++;
        if (place <= follower->turn && follower->cursor != NULL)
            follower->turn++; /* the cursor's part has moved up */
    }
    return &follower->parts[place];
}

static bool list_again(hb_log_follower *follower, hb_error *error)
{
    hb_log_part *parts = NULL;
    size_t count = 0;
    if (!hb_log_list(follower->log, &parts, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool added = false;
        followed_part *part = find_or_add(follower, parts[i].part, &added);
        part->news |= added || part->file_size != parts[i].file_size;
        part->file_size = parts[i].file_size;
    }
    free(parts);
    return true;
}

/* Marks the parts that events tell of. */
static bool take_events(hb_log_follower *follower, hb_error *error)
{
    union {
        struct inotify_event event;
        char bytes[16 * 1024];
    } room;
    bool more = follower->watch >= 0;
    follower->lost_events |= follower->watch < 0;
    while (more) {
        const ssize_t got = read(follower->watch, room.bytes, sizeof room.bytes);
        more = got > 0;
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(room.bytes + at);
            int64_t hour = 0;
            hb_log_form form = HB_LOG_PLAIN;
            bool added = false;
            at += (ssize_t)(sizeof *event + event->len);
            follower->lost_events |= (event->mask & (IN_Q_OVERFLOW | IN_IGNORED)) != 0;
            if (event->len > 0 && (event->mask & (IN_MODIFY | IN_CREATE | IN_MOVED_TO)) != 0 &&
                hb_log_name_read(event->name, &hour, &form) && form < HB_LOG_UNFINISHED)
                find_or_add(follower, hour, &added)->news = true;
        }
    }
    if (!follower->lost_events)
        return true;
    follower->lost_events = false;
    return list_again(follower, error);
}

/* ---- Opening ---- */

/* Where a part's lines end for now. */
static bool find_end(hb_log *log, const hb_log_part *part, uint64_t *end, hb_error *error)
{
    hb_bytes lines;
    *end = part->file_size;
    hb_log_cursor *cursor = hb_log_cursor_open(log, part->part, UINT64_MAX >> 2, error);
    if (cursor == NULL)
        return error->code == HB_ERROR_MISSING;
    const bool found = hb_log_read(cursor, &lines, end, error); /* an offset behind the end counts as the end */
    hb_log_cursor_close(cursor);
    return found || error->code == HB_ERROR_CORRUPT;
}

static bool start(hb_log_follower *follower, hb_log_start from, const hb_log_position *positions, size_t count,
                  hb_error *error)
{
    hb_log_part *parts = NULL;
    size_t part_count = 0;
    bool added = false;
    bool started = hb_log_list(follower->log, &parts, &part_count, error);
    for (size_t i = 0; i < count; i++)
        find_or_add(follower, positions[i].part, &added)->next = positions[i].offset;
    for (size_t i = 0; started && i < part_count; i++) {
        followed_part *part = find_or_add(follower, parts[i].part, &added);
        part->file_size = parts[i].file_size;
        if (added && from == HB_LOG_FROM_END) {
            started = find_end(follower->log, &parts[i], &part->next, error);
            part->news = false;
        }
    }
    free(parts);
    return started;
}

hb_log_follower *hb_log_follower_open(hb_log *log, hb_log_start from, const hb_log_position *positions, size_t count,
                                      hb_error *error)
{
    hb_log_follower *follower = hb_alloc(sizeof *follower);
    follower->log = log;
    follower->watch = -1;
    if (log->kafka != NULL) {
        follower->kafka = hb_kafka_follower_open(hb_kafka_log_address(log->kafka), from, positions, count, error);
        if (follower->kafka != NULL)
            return follower;
        hb_log_follower_close(follower);
        return NULL;
    }
    follower->watch = hb_log_watch_open(log);
    if (start(follower, from, positions, count, error))
        return follower;
    hb_log_follower_close(follower);
    return NULL;
}

void hb_log_follower_close(hb_log_follower *follower)
{
    if (follower == NULL)
        return;
    hb_kafka_follower_close(follower->kafka);
    hb_log_cursor_close(follower->cursor);
    if (follower->watch >= 0)
        close(follower->watch);
    free(follower->parts);
    free(follower);
}

/* ---- Reading ---- */

static void end_turn(hb_log_follower *follower)
{
    hb_log_cursor_close(follower->cursor);
    follower->cursor = NULL;
    follower->turn++;
}

/* Gives the turn to the next part with news; false when no part has any. */
static bool next_turn(hb_log_follower *follower)
{
    for (size_t tried = 0; tried < follower->count; tried++, follower->turn++) {
        if (follower->turn >= follower->count)
            follower->turn = 0;
        if (follower->parts[follower->turn].news)
            return true;
    }
    return false;
}

/* Reads on in the part whose turn it is; *ended tells that it has no more for now. */
static bool read_turn(hb_log_follower *follower, hb_log_piece *piece, bool *ended, hb_error *error)
{
    followed_part *part = &follower->parts[follower->turn];
    *ended = true;
    if (follower->cursor == NULL) {
        part->news = false; /* from here on: what comes after is new */
        follower->cursor = hb_log_cursor_open(follower->log, part->part, part->next, error);
        if (follower->cursor == NULL) {
            part->news = error->code != HB_ERROR_MISSING; /* missing: deleted */
            return !part->news;
        }
    }
    const bool read = hb_log_read(follower->cursor, &piece->lines, &part->next, error);
    piece->part = part->part;
    piece->next = part->next;
    /* Behind damage the same cursor goes on. Where the system refuses, another part has its turn first. */
    *ended = read ? piece->lines.size == 0 : error->code != HB_ERROR_CORRUPT;
    part->news |= !read;
    return read;
}

bool hb_log_follower_read(hb_log_follower *follower, hb_log_piece *piece, hb_error *error)
{
    *piece = (hb_log_piece){.lines = {"", 0}};
    if (follower->kafka != NULL)
        return hb_kafka_follower_read(follower->kafka, piece, error);
    if (!take_events(follower, error))
        return false;
    while (follower->cursor != NULL || next_turn(follower)) {
        bool ended = false;
        const bool read = read_turn(follower, piece, &ended, error);
        if (ended)
            end_turn(follower);
        if (!read || piece->lines.size > 0)
            return read;
    }
    return true;
}

void hb_log_follower_wait(hb_log_follower *follower, int wait_ms)
{
    if (follower->kafka != NULL)
        hb_kafka_follower_wait(follower->kafka, wait_ms);
    else if (follower->cursor == NULL)
        hb_log_watch_wait(follower->watch, wait_ms);
}
