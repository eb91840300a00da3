/* spool.c - the topic is read once, from the first record that can matter to the end that it had at the beginning.
 *
 * It has to be read to its end, because nothing bounds how late a fact may stand in it: an import brings facts of last
 * year after those of today. What a partition's first record of a time is, the broker knows (offsetsForTimes). */
#include "log/spool.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/say.h"
#include "log/kafka_reader.h"
#include "log/log_kafka.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { WAIT_MS = 200 };

typedef struct first_fact {
    int64_t part; /* hour_s + partition */
    uint64_t offset;
} first_fact;

struct hb_spool {
    const hb_spool_query *query; /* while reading */
    char *directory;
    char sign[HB_LOGIN_MAX + 3]; /* " #channel" */
    size_t sign_size;
    hb_kafka_reader *reader; /* while reading */
    hb_log *log;             /* likewise */
    hb_kafka_share *shares;
    bool *done; /* by share: read to its end */
    size_t share_count;
    size_t done_count;
    hb_log_position *ends;
    first_fact *firsts;
    size_t first_count;
    size_t first_capacity;
    hb_map first_index;
    int64_t last_part; /* what most facts belong to */
    int64_t whole_from;
    uint64_t facts;
    uint64_t bytes;
    bool complete;
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

/* ---- What is to be read ---- */

static void take_starts(hb_spool *spool)
{
    const hb_spool_query *const query = spool->query;
    for (size_t i = 0; i < query->start_count; i++)
        for (size_t k = 0; k < spool->share_count; k++) {
            hb_kafka_share *const share = &spool->shares[k];
            if (share->partition == query->starts[i].partition)
                share->from = query->starts[i].offset < share->low ? share->low : query->starts[i].offset;
        }
}

static bool find_shares(hb_spool *spool, hb_error *error)
{
    const hb_spool_query *const query = spool->query;
    const int32_t partitions = hb_kafka_reader_partitions(spool->reader);
    spool->share_count = query->channel.size > 0 ? 1 : (size_t)partitions;
    spool->shares = hb_alloc(spool->share_count * sizeof *spool->shares);
    spool->done = hb_alloc(spool->share_count * sizeof *spool->done);
    spool->ends = hb_alloc(spool->share_count * sizeof *spool->ends);
    for (size_t i = 0; i < spool->share_count; i++)
        spool->shares[i].partition =
            query->channel.size > 0 ? hb_log_partition_of(query->channel, partitions) : (int32_t)i;
    if (!hb_kafka_reader_find(spool->reader, query->from_ms, spool->shares, spool->share_count, error))
        return false;
    take_starts(spool);
    size_t kept = 0; /* partitions with nothing to read are left out of reading */
    for (size_t i = 0; i < spool->share_count; i++) {
        const hb_kafka_share *const share = &spool->shares[i];
        spool->ends[i] = (hb_log_position){share->partition, share->high};
        spool->done[i] = share->from >= share->high;
        spool->done_count += spool->done[i];
        kept += !spool->done[i];
    }
    hb_kafka_share *const wanted = hb_alloc((kept + 1) * sizeof *wanted);
    kept = 0;
    for (size_t i = 0; i < spool->share_count; i++)
        if (!spool->done[i])
            wanted[kept++] = spool->shares[i];
    const bool begun = hb_kafka_reader_begin(spool->reader, wanted, kept, error);
    free(wanted);
    return begun;
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
    const hb_spool_query *const query = spool->query;
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
static bool copy_all(hb_spool *spool, const hb_kafka_piece *piece, uint64_t end, hb_error *error)
{
    hb_bytes rest = piece->lines;
    hb_bytes line;
    for (uint64_t offset = piece->at; offset < end && hb_bytes_cut(&rest, '\n', &line); offset++)
        if (!copy_line(spool, line, piece->partition, offset, error))
            return false;
    return true;
}

/* Lines that may be of the channel: offsets are not asked for then. A line of it that stands behind the end is none too
 * many. */
static bool copy_channel(hb_spool *spool, const hb_kafka_piece *piece, hb_error *error)
{
    hb_bytes rest = piece->lines;
    hb_bytes line;
    while (hb_log_find_line(&rest, (hb_bytes){spool->sign, spool->sign_size}, &line))
        if (!copy_line(spool, line, piece->partition, piece->at, error))
            return false;
    return true;
}

/* A topic that has forgotten its beginning has its first hours in part, as far as one sees: the first record's is the
 * last of them. */
static void note_beginning(hb_spool *spool, const hb_kafka_share *share, const hb_kafka_piece *piece)
{
    if (share->low == 0 || piece->at != share->low || piece->time_ms <= 0)
        return;
    const int64_t whole_from = hb_time_floor(piece->time_ms / 1000, HB_HOUR_S) + HB_HOUR_S;
    if (whole_from > spool->whole_from)
        spool->whole_from = whole_from;
}

static bool take_piece(hb_spool *spool, const hb_kafka_piece *piece, hb_error *error)
{
    size_t i = 0;
    while (i < spool->share_count && spool->shares[i].partition != piece->partition)
        i++;
    if (i == spool->share_count || spool->done[i])
        return true;
    const hb_kafka_share *const share = &spool->shares[i];
    note_beginning(spool, share, piece);
    if (!(spool->sign_size > 0 ? copy_channel(spool, piece, error) : copy_all(spool, piece, share->high, error)))
        return false;
    spool->bytes += piece->lines.size;
    if (piece->next >= share->high) {
        spool->done[i] = true;
        spool->done_count++;
    }
    return true;
}

static bool copy_topic(hb_spool *spool, hb_error *error)
{
    const hb_spool_query *const query = spool->query;
    hb_kafka_piece piece;
    while (spool->done_count < spool->share_count) {
        if (query->until_ms != 0 && hb_monotonic_ms() >= query->until_ms) {
            spool->complete = false;
            break;
        }
        if (query->going != NULL && !query->going(query->going_context, spool->facts, spool->bytes))
            return hb_fail(error, HB_ERROR_BUSY, "stopped");
        if (!hb_kafka_reader_read(spool->reader, WAIT_MS, &piece, error) ||
            (piece.partition >= 0 && !take_piece(spool, &piece, error)))
            return false;
    }
    return hb_log_flush(spool->log, error);
}

/* ---- The door ---- */

static void take_sign(hb_spool *spool)
{
    const hb_bytes channel = spool->query->channel;
    if (channel.size == 0)
        return;
    memcpy(spool->sign, " #", 2);
    hb_bytes_lower(channel, spool->sign + 2);
    spool->sign_size = channel.size + 2;
}

static bool fill(hb_spool *spool, const char *address, const char *directory, hb_error *error)
{
    hb_error further = {0};
    spool->reader = hb_kafka_reader_open(address, error);
    if (spool->reader == NULL || !make_directory(spool, directory, error))
        return false;
    spool->log = hb_log_open(spool->directory, HB_LOG_APPEND, NULL, error);
    bool good = spool->log != NULL && find_shares(spool, error) && copy_topic(spool, error);
    if (!hb_log_close(spool->log, good ? error : &further))
        good = false;
    spool->log = NULL;
    return good;
}

hb_spool *hb_spool_open(const char *address, const hb_spool_query *query, const char *directory, hb_error *error)
{
    hb_spool *spool = hb_alloc(sizeof *spool);
    if (query->channel.size > HB_LOGIN_MAX) {
        hb_fail(error, HB_ERROR_USAGE, "'%.*s' is not the name of a channel", HB_PRINT(query->channel));
        free(spool);
        return NULL;
    }
    spool->query = query;
    spool->complete = true;
    spool->whole_from = spool->last_part = INT64_MIN;
    take_sign(spool);
    const bool filled = fill(spool, address, directory, error);
    hb_kafka_reader_close(spool->reader);
    spool->reader = NULL;
    spool->query = NULL;
    if (filled)
        return spool;
    hb_spool_close(spool);
    return NULL;
}

void hb_spool_close(hb_spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->directory != NULL)
        remove_directory(spool->directory);
    hb_map_free(&spool->first_index);
    free(spool->directory);
    free(spool->shares);
    free(spool->done);
    free(spool->ends);
    free(spool->firsts);
    free(spool);
}

const char *hb_spool_log(const hb_spool *spool)
{
    return spool->directory;
}

const hb_log_position *hb_spool_ends(const hb_spool *spool, size_t *count)
{
    *count = spool->share_count;
    return spool->ends;
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
    return spool->whole_from;
}

bool hb_spool_complete(const hb_spool *spool)
{
    return spool->complete;
}

uint64_t hb_spool_facts(const hb_spool *spool)
{
    return spool->facts;
}
