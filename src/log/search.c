/* search.c - frames chosen by the hour's index, and those behind what it covers.
 *
 * Appends behind an index are read each time, until they are many: then the index is made anew. Whatever is wrong with
 * an index ends in reading the whole hour. When a frame that it names cannot be read, what was handed out already is
 * known by its place in the lines, and is not handed out again. */
#include "log/search.h"

#include "base/error.h"
#include "log/hour_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    UNCOVERED = 256 << 10, /* bytes of a file, compressed, that are worth an index */
    COVERED_SHARE = 8      /* or this part of what is covered, if that is more */
};

struct hb_log_search {
    hb_log *log;
    int64_t part;
    hb_log_cursor *cursor; /* reads all: the hour is plain, or has no index */

    int file; /* the others: a compressed hour with an index */
    hb_frames *frames;
    hb_index *index;
    hb_index_frame *chosen;
    size_t chosen_count;
    size_t done; /* of the chosen ones */
    bool newest_first;
    bool tail_done; /* what is behind the index's end was read, up to tail_at */
    uint64_t tail_at;
    uint64_t tail_lines_at;
    uint64_t *given; /* by lines_at, ascending once `fallen`: what was handed out before */
    size_t given_count;
    size_t given_capacity;
    bool fallen; /* the index failed on the way */
    hb_buffer lines;
    uint64_t taken;
};

/* ---- Choosing ---- */

static int latest_first(const void *a, const void *b)
{
    const hb_index_frame *one = a;
    const hb_index_frame *other = b;
    if (one->last_ms != other->last_ms)
        return one->last_ms > other->last_ms ? -1 : 1;
    return one->at > other->at ? -1 : 1;
}

static size_t keys_of(const hb_log_filter *filter, uint64_t keys[2])
{
    size_t count = 0;
    if (filter->removals)
        keys[count++] = hb_index_key(HB_INDEX_REMOVALS, filter->channel);
    else if (filter->channel.size > 0)
        keys[count++] = hb_index_key(HB_INDEX_CHANNEL, filter->channel);
    if (!filter->removals && filter->user.size > 0)
        keys[count++] = hb_index_key(HB_INDEX_USER, filter->user);
    return count;
}

static bool choose(hb_log_search *search, const hb_log_filter *filter)
{
    uint64_t keys[2];
    size_t kept = 0;
    if (!hb_index_find(search->index, keys, keys_of(filter, keys), &search->chosen, &search->chosen_count))
        return false;
    for (size_t i = 0; i < search->chosen_count; i++)
        if (search->chosen[i].last_ms >= filter->from_ms && search->chosen[i].first_ms < filter->to_ms)
            search->chosen[kept++] = search->chosen[i];
    search->chosen_count = kept;
    if (filter->newest_first && kept > 1)
        qsort(search->chosen, kept, sizeof *search->chosen, latest_first);
    search->newest_first = filter->newest_first;
    search->tail_at = hb_index_end(search->index);
    search->tail_lines_at = hb_index_lines_end(search->index);
    return true;
}

/* Opens the hour's index, made first where it is missing or lags behind. */
static void open_index(hb_log_search *search)
{
    struct stat state;
    search->index = hb_index_open(search->log, search->part, search->file);
    const uint64_t covered = search->index == NULL ? 0 : hb_index_end(search->index);
    if (fstat(search->file, &state) != 0)
        return;
    const uint64_t uncovered = (uint64_t)state.st_size - covered;
    if (uncovered < UNCOVERED || uncovered < covered / COVERED_SHARE ||
        faccessat(search->log->folder, ".", W_OK, AT_EACCESS) != 0 ||
        !hb_index_make(search->log, search->part, search->file))
        return;
    hb_index_close(search->index);
    search->index = hb_index_open(search->log, search->part, search->file);
}

static void leave_index(hb_log_search *search)
{
    hb_index_close(search->index);
    search->index = NULL;
    hb_frames_close(search->frames);
    search->frames = NULL;
    if (search->file >= 0)
        close(search->file);
    search->file = -1;
}

hb_log_search *hb_log_search_open(hb_log *log, int64_t part, const hb_log_filter *filter, hb_error *error)
{
    hb_log_search *search = hb_alloc(sizeof *search);
    const bool all = !filter->removals && filter->channel.size == 0 && filter->user.size == 0 &&
                     filter->from_ms <= part * 1000 && filter->to_ms >= (part + 3600) * 1000;
    search->log = log;
    search->part = part;
    search->file = all || log->kafka != NULL ? -1 : hb_log_open_hour(log, part, HB_LOG_CLOSED, O_RDONLY);
    if (search->file >= 0)
        open_index(search);
    if (search->index != NULL && choose(search, filter)) {
        search->frames = hb_frames_open(search->file);
        return search;
    }
    leave_index(search);
    search->chosen_count = 0;
    search->cursor = hb_log_cursor_open(log, part, 0, error);
    if (search->cursor != NULL)
        return search;
    hb_log_search_close(search);
    return NULL;
}

void hb_log_search_close(hb_log_search *search)
{
    if (search == NULL)
        return;
    leave_index(search);
    hb_log_cursor_close(search->cursor);
    hb_buffer_free(&search->lines);
    free(search->chosen);
    free(search->given);
    free(search);
}

/* ---- Reading ---- */

static int ascending(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a;
    const uint64_t other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

/* From here on everything is read; what was handed out already is passed over. */
static bool fall_back(hb_log_search *search, hb_error *error)
{
    leave_index(search);
    search->chosen_count = search->done = 0;
    search->fallen = true;
    if (search->given_count > 0)
        qsort(search->given, search->given_count, sizeof *search->given, ascending);
    search->cursor = hb_log_cursor_open(search->log, search->part, 0, error);
    return search->cursor != NULL;
}

static void hand_out(hb_log_search *search, const hb_frame *frame, hb_log_lines *piece)
{
    HB_RESERVE(search->given, search->given_capacity, search->given_count + 1);
    search->given[search->given_count++] = frame->lines_at;
    *piece = (hb_log_lines){hb_buffer_bytes(&search->lines), frame->lines_at, frame->lines_end};
}

/* Reads one of the frames that the index named. False: it is not there as the index says. */
static bool read_chosen(hb_log_search *search, hb_log_lines *piece)
{
    const hb_index_frame *wanted = &search->chosen[search->done];
    hb_frame frame;
    hb_frames_go(search->frames, wanted->at, wanted->lines_at, hb_index_frame_end(search->index, wanted) - wanted->at);
    if (hb_frames_next(search->frames, &frame) != HB_FRAMES_OK || frame.at != wanted->at ||
        frame.lines_at != wanted->lines_at || !hb_frames_decode(search->frames, &frame, &search->lines))
        return false;
    search->done++;
    hand_out(search, &frame, piece);
    return true;
}

/* Reads the next frame behind the index's end; *piece is empty when there is none. False: damage. */
static bool read_tail(hb_log_search *search, hb_log_lines *piece)
{
    hb_frame frame;
    hb_frames_go(search->frames, search->tail_at, search->tail_lines_at, 0);
    const hb_frames_status status = hb_frames_next(search->frames, &frame);
    if (status == HB_FRAMES_OK && hb_frames_decode(search->frames, &frame, &search->lines)) {
        hand_out(search, &frame, piece);
        hb_frames_tell(search->frames, &search->tail_at, &search->tail_lines_at);
        return true;
    }
    search->tail_done = true;
    *piece = (hb_log_lines){{"", 0}, search->tail_lines_at, search->tail_lines_at};
    return status == HB_FRAMES_END;
}

static bool was_given(const hb_log_search *search, uint64_t at)
{
    return search->given_count > 0 && bsearch(&at, search->given, search->given_count, sizeof at, ascending) != NULL;
}

static bool read_all(hb_log_search *search, hb_log_lines *piece, hb_error *error)
{
    do {
        *piece = (hb_log_lines){.at = piece->next};
        if (!hb_log_read(search->cursor, &piece->lines, &piece->next, error))
            return false;
        piece->at = piece->next - piece->lines.size;
    } while (piece->lines.size > 0 && search->fallen && was_given(search, piece->at));
    return true;
}

bool hb_log_search_read(hb_log_search *search, hb_log_lines *piece, hb_error *error)
{
    bool read = true;
    *piece = (hb_log_lines){.lines = {"", 0}};
    while (search->cursor == NULL) {
        const bool tail_now = !search->tail_done && (search->newest_first || search->done == search->chosen_count);
        bool good = true;
        if (tail_now)
            good = read_tail(search, piece);
        else if (search->done < search->chosen_count)
            good = read_chosen(search, piece);
        else
            *piece = (hb_log_lines){{"", 0}, search->tail_lines_at, search->tail_lines_at};
        if (!good) {
            if (!fall_back(search, error))
                return false;
        } else if (piece->lines.size > 0 || !tail_now) {
            search->taken += piece->lines.size;
            return true;
        } else if (search->done == search->chosen_count) {
            return true;
        }
    }
    read = read_all(search, piece, error);
    search->taken += piece->lines.size;
    return read;
}

int64_t hb_log_search_before(const hb_log_search *search)
{
    if (search->cursor != NULL || !search->newest_first || !search->tail_done)
        return INT64_MAX;
    if (search->done == search->chosen_count)
        return INT64_MIN;
    const int64_t last_ms = search->chosen[search->done].last_ms;
    return last_ms == INT64_MAX ? last_ms : last_ms + 1;
}

bool hb_log_search_chooses(const hb_log_search *search)
{
    return search->cursor == NULL;
}

uint64_t hb_log_search_taken(const hb_log_search *search)
{
    return search->taken;
}
