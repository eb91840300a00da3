/* spool.c - a sweep over the topic (kafka_sweep.h), into a file log. */
#include "log/spool.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/say.h"
#include "log/kafka_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct first_fact {
    int64_t part; /* hour_s + partition */
    uint64_t offset;
} first_fact;

struct hb_spool {
    hb_spool_query query; /* without channel and starts */
    char *directory;
    char sign[HB_LOGIN_MAX + 3]; /* " #channel" */
    size_t sign_size;
    hb_kafka_sweep *sweep;
    hb_log *log; /* while copying */
    first_fact *firsts;
    size_t first_count;
    size_t first_capacity;
    hb_map first_index;
    int64_t last_part; /* what most facts belong to */
    uint64_t facts;
};

/* ---- The directory ---- */

static bool make_directory(hb_spool *spool, const char *below, hb_error *error)
{
    hb_buffer path = {0};
    if (below == NULL)
        below = getenv("TMPDIR");
    hb_buffer_print(&path, "%s/hubbub-spool-XXXXXX", below == NULL || *below == '\0' ? "/tmp" : below);
    hb_buffer_append_char(&path, '\0');
    spool->directory = path.data;
    if (mkdtemp(spool->directory) != NULL)
        return true;
    hb_fail_errno(error, "cannot make a directory %s for facts of the Kafka log", spool->directory);
    free(spool->directory);
    spool->directory = NULL;
    return false;
}

/* A file log has no directories in it. */
static void remove_directory(const char *path)
{
    DIR *names = opendir(path);
    if (names == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(names), entry->d_name, 0);
    closedir(names);
    if (rmdir(path) != 0)
        hb_say_warning("cannot remove the directory %s: %s", path, strerror(errno));
}

/* ---- Copying ---- */

static void note_first(hb_spool *spool, int64_t part, uint64_t offset)
{
    const uint64_t hash = hb_hash((hb_bytes){(const char *)&part, sizeof part}, 0);
    if (part == spool->last_part)
        return;
    spool->last_part = part;
    for (uint32_t at = hb_map_first(&spool->first_index, hash); at != HB_MAP_END;
         at = hb_map_next(&spool->first_index, hash, at))
        if (spool->firsts[hb_map_entry(&spool->first_index, at)].part == part)
            return;
    HB_RESERVE(spool->firsts, spool->first_capacity, spool->first_count + 1);
    hb_map_insert(&spool->first_index, hash, (uint32_t)spool->first_count);
    spool->firsts[spool->first_count++] = (first_fact){part, offset};
}

static bool append(hb_spool *spool, hb_bytes line, hb_error *error)
{
    hb_log_append_status status = HB_LOG_FULL;
    while ((status = hb_log_append(spool->log, line, 0)) == HB_LOG_FULL)
        if (!hb_log_flush(spool->log, error))
            return false;
    spool->facts += status == HB_LOG_APPENDED;
    return true;
}

static bool copy_line(hb_spool *spool, hb_bytes line, int32_t partition, uint64_t offset, hb_error *error)
{
    const hb_spool_query *const query = &spool->query;
    hb_fact fact;
    if (line.size == 0 || hb_fact_read(line, &fact) != HB_FACT_OK || fact.time_ms < query->from_ms ||
        fact.time_ms >= query->to_ms)
        return true;
    const int64_t hour_s = hb_time_floor(fact.time_ms / 1000, HB_HOUR_S);
    if (query->want != NULL && !query->want(query->context, hour_s))
        return true;
    note_first(spool, hour_s + partition, offset);
    return append(spool, line, error);
}

/* All lines, with their offsets. */
static bool copy_all(hb_spool *spool, const hb_kafka_piece *piece, hb_error *error)
{
    hb_bytes rest = piece->lines;
    hb_bytes line;
    for (uint64_t offset = piece->at; hb_bytes_cut(&rest, '\n', &line); offset++)
        if (!copy_line(spool, line, piece->partition, offset, error))
            return false;
    return true;
}

/* Lines that may be of the channel. Their own offsets are not asked for. */
static bool copy_channel(hb_spool *spool, const hb_kafka_piece *piece, hb_error *error)
{
    hb_bytes rest = piece->lines;
    hb_bytes line;
    while (hb_log_find_line(&rest, (hb_bytes){spool->sign, spool->sign_size}, &line))
        if (!copy_line(spool, line, piece->partition, piece->at, error))
            return false;
    return true;
}

/* ---- The door ---- */

static void take_channel(hb_spool *spool, hb_bytes channel)
{
    if (channel.size == 0)
        return;
    memcpy(spool->sign, " #", 2);
    hb_bytes_lower(channel, spool->sign + 2);
    spool->sign_size = channel.size + 2;
}

hb_spool *hb_spool_open(const char *address, const hb_spool_query *query, const char *directory, hb_error *error)
{
    hb_spool *spool = hb_alloc(sizeof *spool);
    spool->query = *query;
    spool->last_part = INT64_MIN;
    if (query->channel.size > HB_LOGIN_MAX) {
        hb_fail(error, HB_ERROR_USAGE, "'%.*s' is not the name of a channel", HB_PRINT(query->channel));
        free(spool);
        return NULL;
    }
    take_channel(spool, query->channel);
    spool->sweep = hb_kafka_sweep_open(
        address, &(hb_kafka_sweep_query){query->channel, query->from_ms, query->starts, query->start_count}, error);
    if (spool->sweep != NULL && make_directory(spool, directory, error))
        spool->log = hb_log_open(spool->directory, HB_LOG_APPEND, NULL, error);
    if (spool->log != NULL)
        return spool;
    hb_spool_close(spool);
    return NULL;
}

bool hb_spool_finish(hb_spool *spool, hb_error *error)
{
    hb_log *const log = spool->log;
    spool->log = NULL;
    hb_kafka_sweep_leave(spool->sweep);
    return hb_log_close(log, error);
}

bool hb_spool_fill(hb_spool *spool, int wait_ms, bool *filled, hb_error *error)
{
    const int64_t until_ms = hb_monotonic_ms() + wait_ms;
    hb_kafka_piece piece;
    while (spool->log != NULL && !hb_kafka_sweep_over(spool->sweep)) {
        const int64_t rest_ms = until_ms - hb_monotonic_ms();
        *filled = false;
        if (rest_ms <= 0)
            return true;
        if (!hb_kafka_sweep_read(spool->sweep, (int)rest_ms, &piece, error) ||
            !(spool->sign_size > 0 ? copy_channel(spool, &piece, error) : copy_all(spool, &piece, error)))
            return false;
    }
    *filled = true;
    return hb_spool_finish(spool, error);
}

void hb_spool_close(hb_spool *spool)
{
    if (spool == NULL)
        return;
    hb_error unimportant = {0};
    hb_log_close(spool->log, &unimportant);
    if (spool->directory != NULL)
        remove_directory(spool->directory);
    hb_kafka_sweep_close(spool->sweep);
    hb_map_free(&spool->first_index);
    free(spool->directory);
    free(spool->firsts);
    free(spool);
}

const char *hb_spool_log(const hb_spool *spool)
{
    return spool->directory;
}

const hb_log_position *hb_spool_ends(const hb_spool *spool, size_t *count)
{
    return hb_kafka_sweep_ends(spool->sweep, count);
}

bool hb_spool_first(const hb_spool *spool, int64_t hour_s, int32_t partition, uint64_t *offset)
{
    const int64_t part = hour_s + partition;
    const uint64_t hash = hb_hash((hb_bytes){(const char *)&part, sizeof part}, 0);
    for (uint32_t at = hb_map_first(&spool->first_index, hash); at != HB_MAP_END;
         at = hb_map_next(&spool->first_index, hash, at)) {
        const first_fact *const first = &spool->firsts[hb_map_entry(&spool->first_index, at)];
        if (first->part == part) {
            *offset = first->offset;
            return true;
        }
    }
    return false;
}

int64_t hb_spool_whole_from(const hb_spool *spool)
{
    return hb_kafka_sweep_whole_from(spool->sweep);
}

uint64_t hb_spool_facts(const hb_spool *spool)
{
    return spool->facts;
}
