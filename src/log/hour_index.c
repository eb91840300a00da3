/* hour_index.c - Bloom filters turned on their side.
 *
 * A frame's filter is a column of bits, so a question reads a few rows (one bit a frame) instead of every filter:
 * HASHES rows for each key, whatever the hour's size. Columns are made at full height and folded to the smallest power
 * of two that leaves enough zeros: position modulo height stays right when the upper half is laid over the lower.
 * So no set of keys is ever held, and frames of any size get a filter that suits them.
 *
 * The file, all numbers little-endian:
 *
 *     head      8 bytes "hbindex1", then 64-bit numbers: hour, end, lines_end, tail (a hash of the last TAIL bytes that
 *               are covered: they hold the last frame's checksum and trailer), count of segments, hash of all before
 *     segment   32-bit numbers: frames (SEGMENT_FRAMES at most), rows; then the hash of these and of the table
 *               table: a frame's four 64-bit numbers; the filters: rows of (frames + 7) / 8 bytes and a 32-bit hash
 *
 * Trigrams of texts were weighed as further keys: a frame of 300 messages has some 5,000 of them, which would make the
 * index as large as a third of the hour. */
#include "log/hour_index.h"

#include "base/clock.h"
#include "log/log_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HASHES = 6,
    HEIGHT = 1 << 16,       /* bits of a filter before it is folded: a frame of 4 MiB fills half of it */
    FILL_PERCENT = 55,      /* ones in a filter at most: a key that is not there is found once in 36 times */
    SEGMENT_FRAMES = 2048,  /* frames whose filters stand side by side */
    SEGMENTS_MAX = 1 << 16, /* 16 TiB of lines */
    TAIL = 28,
    HEAD = 56,
    SEGMENT_HEAD = 16,
    TABLE_ROW = 32,
    ROW_HASH = 4
};

static const char magic[8] = "hbindex1";

uint64_t hb_index_key(hb_index_scope scope, hb_bytes text)
{
    char lower[HB_LOGIN_MAX];
    return hb_hash(hb_bytes_lower(text, lower), 0x68626978u + scope);
}

/* ---- Numbers ---- */

static void put64(hb_buffer *out, uint64_t number)
{
    number = htole64(number);
    hb_buffer_append(out, (hb_bytes){(const char *)&number, sizeof number});
}

static void put32(hb_buffer *out, uint32_t number)
{
    number = htole32(number);
    hb_buffer_append(out, (hb_bytes){(const char *)&number, sizeof number});
}

static uint64_t get64(const char *data)
{
    uint64_t number;
    memcpy(&number, data, sizeof number);
    return le64toh(number);
}

static uint32_t get32(const char *data)
{
    uint32_t number;
    memcpy(&number, data, sizeof number);
    return le32toh(number);
}

static uint32_t row_of(uint64_t key, unsigned hash, uint32_t rows)
{
    return ((uint32_t)key + hash * ((uint32_t)(key >> 32) | 1)) & (rows - 1);
}

static uint32_t row_hash(hb_bytes row, uint32_t number)
{
    return (uint32_t)hb_hash(row, number);
}

/* A hash of the bytes in front of `end`; 0 where they cannot be read. */
static uint64_t hash_tail(int file, uint64_t end)
{
    char data[TAIL];
    const size_t size = end < TAIL ? (size_t)end : TAIL;
    if (pread(file, data, size, (off_t)(end - size)) != (ssize_t)size)
        return 0;
    return hb_hash((hb_bytes){data, size}, end) | 1;
}

/* ---- Making ---- */

typedef uint64_t filter[HEIGHT / 64];

struct hb_index_maker {
    int64_t hour;
    hb_index_frame frames[SEGMENT_FRAMES];
    filter *filters; /* one a frame */
    size_t count;
    uint64_t segments;
    hb_buffer out;
};

hb_index_maker *hb_index_maker_open(int64_t hour)
{
    hb_index_maker *maker = hb_alloc(sizeof *maker);
    maker->hour = hour;
    maker->filters = hb_alloc(SEGMENT_FRAMES * sizeof *maker->filters);
    hb_buffer_room(&maker->out, HEAD);
    maker->out.size = HEAD;
    return maker;
}

void hb_index_maker_close(hb_index_maker *maker)
{
    if (maker == NULL)
        return;
    hb_buffer_free(&maker->out);
    free(maker->filters);
    free(maker);
}

static void set_key(filter *to, uint64_t key)
{
    for (unsigned i = 0; i < HASHES; i++) {
        const uint32_t row = row_of(key, i, HEIGHT);
        (*to)[row / 64] |= UINT64_C(1) << row % 64;
    }
}

static void set_fact(filter *to, const hb_fact *fact)
{
    set_key(to, hb_index_key(HB_INDEX_CHANNEL, fact->channel));
    if (fact->user_id.size > 0 && fact->user_id.size <= HB_LOGIN_MAX)
        set_key(to, hb_index_key(HB_INDEX_USER, fact->user_id));
    if (fact->login.size > 0 && fact->login.size <= HB_LOGIN_MAX)
        set_key(to, hb_index_key(HB_INDEX_USER, fact->login));
    if (fact->kind == HB_FACT_CLEARCHAT || fact->kind == HB_FACT_CLEARMSG) {
        set_key(to, hb_index_key(HB_INDEX_REMOVALS, fact->channel));
        set_key(to, hb_index_key(HB_INDEX_REMOVALS, (hb_bytes){"", 0}));
    }
}

static void fold(filter *columns, size_t count, uint32_t rows)
{
    for (size_t i = 0; i < count; i++)
        for (uint32_t word = 0; word < rows / 64; word++)
            columns[i][word] |= columns[i][word + rows / 64];
}

/* Whether filters folded to so many rows keep enough zeros on the whole. */
static bool is_sparse(const filter *columns, size_t count, uint32_t rows)
{
    uint64_t ones = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t word = 0; word < rows / 64; word++)
            ones += (unsigned)__builtin_popcountll(columns[i][word] | columns[i][word + rows / 64]);
    return ones * 100 <= (uint64_t)FILL_PERCENT * rows * count;
}

static void put_rows(hb_buffer *out, const filter *columns, size_t count, uint32_t rows)
{
    const size_t row_size = (count + 7) / 8;
    char *start = hb_buffer_room(out, rows * (row_size + ROW_HASH));
    memset(start, 0, rows * (row_size + ROW_HASH));
    for (size_t i = 0; i < count; i++)
        for (uint32_t word = 0; word < rows / 64; word++)
            for (uint64_t rest = columns[i][word]; rest != 0; rest &= rest - 1) {
                const size_t row = word * 64 + (size_t)__builtin_ctzll(rest);
                char *byte = start + row * (row_size + ROW_HASH) + i / 8;
                *byte = (char)(*byte | 1 << i % 8);
            }
    for (uint32_t row = 0; row < rows; row++) {
        char *data = start + row * (row_size + ROW_HASH);
        const uint32_t hash = htole32(row_hash((hb_bytes){data, row_size}, row));
        memcpy(data + row_size, &hash, sizeof hash);
    }
    out->size += rows * (row_size + ROW_HASH);
}

static void end_segment(hb_index_maker *maker)
{
    uint32_t rows = HEIGHT;
    const size_t start = maker->out.size;
    hb_buffer table = {0};
    if (maker->count == 0)
        return;
    for (; rows > 64 && is_sparse(maker->filters, maker->count, rows / 2); rows /= 2)
        fold(maker->filters, maker->count, rows / 2);
    for (size_t i = 0; i < maker->count; i++) {
        put64(&table, maker->frames[i].at);
        put64(&table, maker->frames[i].lines_at);
        put64(&table, (uint64_t)maker->frames[i].first_ms);
        put64(&table, (uint64_t)maker->frames[i].last_ms);
    }
    put32(&maker->out, (uint32_t)maker->count);
    put32(&maker->out, rows);
    put64(&maker->out, hb_hash(hb_buffer_bytes(&table), get64(maker->out.data + start)));
    hb_buffer_append(&maker->out, hb_buffer_bytes(&table));
    put_rows(&maker->out, maker->filters, maker->count, rows);
    hb_buffer_free(&table);
    memset(maker->filters, 0, maker->count * sizeof *maker->filters);
    maker->count = 0;
    maker->segments++;
}

void hb_index_maker_add(hb_index_maker *maker, uint64_t at, uint64_t lines_at, hb_bytes lines)
{
    hb_bytes line;
    if (maker->count == SEGMENT_FRAMES)
        end_segment(maker);
    hb_index_frame *frame = &maker->frames[maker->count];
    filter *to = &maker->filters[maker->count++];
    *frame = (hb_index_frame){at, lines_at, INT64_MAX, INT64_MIN};
    while (hb_bytes_cut(&lines, '\n', &line)) {
        hb_fact fact;
        if (hb_fact_read(line, &fact) != HB_FACT_OK)
            continue;
        set_fact(to, &fact);
        if (fact.time_ms < frame->first_ms)
            frame->first_ms = fact.time_ms;
        if (fact.time_ms > frame->last_ms)
            frame->last_ms = fact.time_ms;
    }
}

bool hb_index_maker_finish(hb_index_maker *maker, int file, uint64_t end, uint64_t lines_end, hb_bytes *index)
{
    hb_buffer head = {0};
    end_segment(maker);
    const uint64_t tail = hash_tail(file, end);
    hb_buffer_append(&head, (hb_bytes){magic, sizeof magic});
    put64(&head, (uint64_t)maker->hour);
    put64(&head, end);
    put64(&head, lines_end);
    put64(&head, tail);
    put64(&head, maker->segments);
    put64(&head, hb_hash(hb_buffer_bytes(&head), 0));
    memcpy(maker->out.data, head.data, HEAD);
    hb_buffer_free(&head);
    *index = hb_buffer_bytes(&maker->out);
    return tail != 0;
}

/* Under a name of its own first, which is locked: of two who make it at the same time, one does. A power failure may
 * leave it torn: that is noticed when it is read. */
bool hb_index_write(const hb_log *log, int64_t hour, hb_bytes index)
{
    char unfinished[HB_LOG_NAME];
    char name[HB_LOG_NAME];
    hb_log_name(hour, HB_LOG_INDEX_UNFINISHED, unfinished);
    hb_log_name(hour, HB_LOG_INDEX, name);
    const int file = hb_log_open_hour(log, hour, HB_LOG_INDEX_UNFINISHED, O_WRONLY | O_CREAT);
    if (file < 0)
        return false;
    /* Another one may have renamed it between opening and locking. */
    struct stat opened;
    struct stat named;
    bool written = flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &opened) == 0 &&
                   fstatat(log->folder, unfinished, &named, 0) == 0 && opened.st_ino == named.st_ino;
    if (written) {
        written = ftruncate(file, 0) == 0 && hb_log_write_whole(file, index) &&
                  renameat(log->folder, unfinished, log->folder, name) == 0;
        if (!written)
            unlinkat(log->folder, unfinished, 0);
    }
    close(file);
    /* Retention may have deleted the hour meanwhile. */
    if (written && !hb_log_exists(log, hour, HB_LOG_CLOSED))
        unlinkat(log->folder, name, 0);
    return written;
}

bool hb_index_make(const hb_log *log, int64_t hour, int file)
{
    hb_index_maker *maker = hb_index_maker_open(hour);
    hb_frames *frames = hb_frames_open(file);
    hb_buffer lines = {0};
    hb_frame frame;
    hb_frames_status status;
    uint64_t end = 0;
    uint64_t lines_end = 0;
    hb_bytes index;
    while ((status = hb_frames_next(frames, &frame)) == HB_FRAMES_OK && hb_frames_decode(frames, &frame, &lines))
        hb_index_maker_add(maker, frame.at, frame.lines_at, hb_buffer_bytes(&lines));
    /* Damage has to be told each time somebody reads the hour, so it gets no index. */
    bool made = status == HB_FRAMES_END;
    if (made) {
        hb_frames_tell(frames, &end, &lines_end);
        made = hb_index_maker_finish(maker, file, end, lines_end, &index) && hb_index_write(log, hour, index);
    }
    hb_buffer_free(&lines);
    hb_frames_close(frames);
    hb_index_maker_close(maker);
    return made;
}

/* ---- Reading ---- */

typedef struct segment {
    uint32_t count;
    uint32_t rows;
    uint64_t rows_at; /* in the index's file */
    size_t first;     /* in frames */
} segment;

struct hb_index {
    int file;
    uint64_t end;
    uint64_t lines_end;
    segment *segments;
    size_t segment_count;
    hb_index_frame *frames; /* of all segments, and one behind the last */
    size_t frame_count;
    size_t frame_capacity;
};

static bool read_at(const hb_index *index, uint64_t at, char *out, size_t size)
{
    return pread(index->file, out, size, (off_t)at) == (ssize_t)size;
}

/* Reads one segment's head and table; *at is moved behind its rows. */
static bool read_segment(hb_index *index, segment *into, uint64_t *at)
{
    char head[SEGMENT_HEAD];
    if (!read_at(index, *at, head, sizeof head))
        return false;
    *into = (segment){.count = get32(head), .rows = get32(head + 4), .first = index->frame_count};
    if (into->count == 0 || into->count > SEGMENT_FRAMES || into->rows < 64 || into->rows > HEIGHT ||
        (into->rows & (into->rows - 1)) != 0)
        return false;
    const size_t size = (size_t)into->count * TABLE_ROW;
    char *table = hb_alloc(size);
    const bool good = read_at(index, *at + SEGMENT_HEAD, table, size) &&
                      hb_hash((hb_bytes){table, size}, get64(head)) == get64(head + 8);
    HB_RESERVE(index->frames, index->frame_capacity, index->frame_count + into->count + 1);
    for (size_t i = 0; good && i < into->count; i++) {
        const char *row = table + i * TABLE_ROW;
        index->frames[index->frame_count++] =
            (hb_index_frame){get64(row), get64(row + 8), (int64_t)get64(row + 16), (int64_t)get64(row + 24)};
    }
    free(table);
    into->rows_at = *at + SEGMENT_HEAD + size;
    *at = into->rows_at + (uint64_t)into->rows * ((into->count + 7) / 8 + ROW_HASH);
    return good;
}

static bool read_index(hb_index *index, int64_t hour, int file)
{
    char head[HEAD];
    struct stat state;
    uint64_t at = HEAD;
    if (!read_at(index, 0, head, sizeof head) || memcmp(head, magic, sizeof magic) != 0 ||
        hb_hash((hb_bytes){head, HEAD - 8}, 0) != get64(head + HEAD - 8) || (int64_t)get64(head + 8) != hour)
        return false;
    index->end = get64(head + 16);
    index->lines_end = get64(head + 24);
    const uint64_t segments = get64(head + 40);
    if (segments > SEGMENTS_MAX || fstat(file, &state) != 0 || (uint64_t)state.st_size < index->end ||
        hash_tail(file, index->end) != get64(head + 32))
        return false;
    index->segments = hb_alloc((size_t)segments * sizeof *index->segments);
    for (; index->segment_count < segments; index->segment_count++)
        if (!read_segment(index, &index->segments[index->segment_count], &at))
            return false;
    HB_RESERVE(index->frames, index->frame_capacity, index->frame_count + 1);
    index->frames[index->frame_count] = (hb_index_frame){.at = index->end, .lines_at = index->lines_end};
    for (size_t i = 0; i < index->frame_count; i++)
        if (index->frames[i].at >= index->frames[i + 1].at ||
            index->frames[i].lines_at >= index->frames[i + 1].lines_at)
            return false;
    return true;
}

hb_index *hb_index_open_file(int index_file, int64_t hour, int file)
{
    hb_index *index = hb_alloc(sizeof *index);
    index->file = index_file;
    if (read_index(index, hour, file))
        return index;
    hb_index_close(index);
    return NULL;
}

hb_index *hb_index_open(const hb_log *log, int64_t hour, int file)
{
    const int index_file = hb_log_open_hour(log, hour, HB_LOG_INDEX, O_RDONLY);
    return index_file < 0 ? NULL : hb_index_open_file(index_file, hour, file);
}

void hb_index_close(hb_index *index)
{
    if (index == NULL)
        return;
    close(index->file);
    free(index->segments);
    free(index->frames);
    free(index);
}

uint64_t hb_index_end(const hb_index *index)
{
    return index->end;
}

uint64_t hb_index_lines_end(const hb_index *index)
{
    return index->lines_end;
}

uint64_t hb_index_frame_end(const hb_index *index, const hb_index_frame *frame)
{
    size_t low = 0;
    size_t high = index->frame_count;
    while (low < high) { /* the first that begins behind it */
        const size_t middle = (low + high) / 2;
        if (index->frames[middle].at > frame->at)
            high = middle;
        else
            low = middle + 1;
    }
    return index->frames[low].at;
}

/* Leaves those bits of `found` whose filters hold the key. */
static bool keep_holders(const hb_index *index, const segment *of, uint64_t key, unsigned char *found)
{
    const size_t size = (of->count + 7) / 8;
    char row[SEGMENT_FRAMES / 8 + ROW_HASH];
    for (unsigned i = 0; i < HASHES; i++) {
        const uint32_t number = row_of(key, i, of->rows);
        if (!read_at(index, of->rows_at + (uint64_t)number * (size + ROW_HASH), row, size + ROW_HASH) ||
            get32(row + size) != row_hash((hb_bytes){row, size}, number))
            return false;
        for (size_t byte = 0; byte < size; byte++)
            found[byte] = (unsigned char)(found[byte] & (unsigned char)row[byte]);
    }
    return true;
}

bool hb_index_find(const hb_index *index, const uint64_t *keys, size_t key_count, hb_index_frame **frames,
                   size_t *count)
{
    size_t capacity = 0;
    *frames = NULL;
    *count = 0;
    for (size_t i = 0; i < index->segment_count; i++) {
        const segment *of = &index->segments[i];
        unsigned char found[SEGMENT_FRAMES / 8];
        memset(found, 0xff, sizeof found);
        for (size_t key = 0; key < key_count; key++)
            if (!keep_holders(index, of, keys[key], found))
                return false;
        for (size_t frame = 0; frame < of->count; frame++)
            if ((found[frame / 8] & 1u << frame % 8) != 0) {
                HB_RESERVE(*frames, capacity, *count + 1);
                (*frames)[(*count)++] = index->frames[of->first + frame];
            }
    }
    return true;
}
