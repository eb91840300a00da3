/* kafka_sweep.c - shares of partitions, each read up to its end. */
#include "log/kafka_sweep.h"

#include "base/clock.h"
#include "log/kafka_reader.h"
#include "log/log_kafka.h"

#include <stdlib.h>

struct hb_kafka_sweep {
    hb_kafka_reader *reader;
    hb_kafka_share *shares;
    bool *done; /* by share: read to its end */
    size_t share_count;
    size_t done_count;
    hb_log_position *ends; /* by share */
    int64_t whole_from;
};

/* ---- Opening ---- */

static void take_starts(hb_kafka_sweep *sweep, const hb_kafka_sweep_query *query)
{
    for (size_t i = 0; i < query->start_count; i++)
        for (size_t k = 0; k < sweep->share_count; k++) {
            hb_kafka_share *const share = &sweep->shares[k];
            if (share->partition == query->starts[i].part)
                share->from = query->starts[i].offset < share->low ? share->low : query->starts[i].offset;
        }
}

/* Begins to read the shares that have something to read. */
static bool begin(hb_kafka_sweep *sweep, hb_error *error)
{
    hb_kafka_share *const wanted = hb_alloc((sweep->share_count + 1) * sizeof *wanted);
    size_t kept = 0;
    for (size_t i = 0; i < sweep->share_count; i++) {
        const hb_kafka_share *const share = &sweep->shares[i];
        sweep->ends[i] = (hb_log_position){share->partition, share->high};
        sweep->done[i] = share->from >= share->high;
        sweep->done_count += sweep->done[i];
        if (!sweep->done[i])
            wanted[kept++] = *share;
    }
    const bool begun = hb_kafka_reader_begin(sweep->reader, wanted, kept, error);
    free(wanted);
    return begun;
}

static bool start(hb_kafka_sweep *sweep, const hb_kafka_sweep_query *query, hb_error *error)
{
    const int32_t partitions = hb_kafka_reader_partitions(sweep->reader);
    sweep->share_count = query->channel.size > 0 ? 1 : (size_t)partitions;
    sweep->shares = hb_alloc(sweep->share_count * sizeof *sweep->shares);
    sweep->done = hb_alloc(sweep->share_count * sizeof *sweep->done);
    sweep->ends = hb_alloc(sweep->share_count * sizeof *sweep->ends);
    for (size_t i = 0; i < sweep->share_count; i++)
        sweep->shares[i].partition =
            query->channel.size > 0 ? hb_log_partition_of(query->channel, partitions) : (int32_t)i;
    if (!hb_kafka_reader_find(sweep->reader, query->from_ms, sweep->shares, sweep->share_count, error))
        return false;
    take_starts(sweep, query);
    return begin(sweep, error);
}

hb_kafka_sweep *hb_kafka_sweep_open(const char *address, const hb_kafka_sweep_query *query, hb_error *error)
{
    hb_kafka_sweep *sweep = hb_alloc(sizeof *sweep);
    sweep->whole_from = INT64_MIN;
    sweep->reader = hb_kafka_reader_open(address, error);
    if (sweep->reader != NULL && start(sweep, query, error))
        return sweep;
    hb_kafka_sweep_close(sweep);
    return NULL;
}

void hb_kafka_sweep_close(hb_kafka_sweep *sweep)
{
    if (sweep == NULL)
        return;
    hb_kafka_reader_close(sweep->reader);
    free(sweep->shares);
    free(sweep->done);
    free(sweep->ends);
    free(sweep);
}

void hb_kafka_sweep_leave(hb_kafka_sweep *sweep)
{
    hb_kafka_reader_close(sweep->reader);
    sweep->reader = NULL;
}

/* ---- Reading ---- */

/* A topic that has forgotten its beginning has its first hours in part, as far as one sees: the first record's is the
 * last of them. */
static void note_beginning(hb_kafka_sweep *sweep, const hb_kafka_share *share, const hb_kafka_piece *piece)
{
    if (share->low == 0 || piece->at != share->low || piece->time_ms <= 0)
        return;
    const int64_t whole_from = hb_time_floor(piece->time_ms / 1000, HB_HOUR_S) + HB_HOUR_S;
    if (whole_from > sweep->whole_from)
        sweep->whole_from = whole_from;
}

/* Leaves out lines that came since the sweep began. */
static void cut(hb_kafka_piece *piece, uint64_t end)
{
    hb_bytes rest = piece->lines;
    hb_bytes line;
    if (piece->next <= end)
        return;
    for (uint64_t offset = piece->at; offset < end; offset++)
        hb_bytes_cut(&rest, '\n', &line);
    piece->lines.size -= rest.size;
    piece->next = end;
}

bool hb_kafka_sweep_read(hb_kafka_sweep *sweep, int wait_ms, hb_kafka_piece *piece, hb_error *error)
{
    size_t i = 0;
    *piece = (hb_kafka_piece){.partition = -1, .lines = {"", 0}};
    if (sweep->reader == NULL || hb_kafka_sweep_over(sweep))
        return true;
    if (!hb_kafka_reader_read(sweep->reader, wait_ms, piece, error))
        return false;
    while (i < sweep->share_count && sweep->shares[i].partition != piece->partition)
        i++;
    if (i == sweep->share_count || sweep->done[i]) {
        piece->lines.size = 0;
        return true;
    }
    const hb_kafka_share *const share = &sweep->shares[i];
    note_beginning(sweep, share, piece);
    sweep->done[i] = piece->next >= share->high;
    sweep->done_count += sweep->done[i];
    cut(piece, share->high);
    return true;
}

bool hb_kafka_sweep_over(const hb_kafka_sweep *sweep)
{
    return sweep->done_count == sweep->share_count;
}

const hb_log_position *hb_kafka_sweep_ends(const hb_kafka_sweep *sweep, size_t *count)
{
    *count = sweep->share_count;
    return sweep->ends;
}

int64_t hb_kafka_sweep_whole_from(const hb_kafka_sweep *sweep)
{
    return sweep->whole_from;
}
