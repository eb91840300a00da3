/* moment_lines.h - the messages of some minutes of some channels, read back from the log.
 *
 * Of a compressed hour only those frames are decoded that its index does not rule out; of the hour in progress only
 * what stands behind a mark, where there is one; of a topic everything from the first of these minutes on. */
#ifndef HB_CMD_MOMENT_LINES_H
#define HB_CMD_MOMENT_LINES_H

#include "log/log.h"

#include <stdatomic.h>

typedef struct hb_moment_place {
    hb_bytes channel; /* in lower case */
    int64_t minute_s;
} hb_moment_place;

/* In this hour of a file log no message of a minute later than newest_s stands before offset. */
typedef struct hb_moment_mark {
    int64_t hour_s;
    int64_t newest_s;
    uint64_t offset;
} hb_moment_mark;

/* Takes a message of a place: its number, as given. Slices hold until the visitor returns. */
typedef void hb_visit_moment_line(void *context, size_t place, const hb_fact *message);

/* Reads them, in no promised order, and some more than once; Shared Chat copies are left out. Places ascend by minute.
 * is_topic: the log is Kafka's. An hour that is gone from the log has no messages; what is damaged is passed over.
 * False: HB_ERROR_SYSTEM, HB_ERROR_NETWORK; HB_ERROR_BUSY: *stop (which may be NULL) has become true. */
bool hb_moment_lines_read(hb_log *log, bool is_topic, const hb_moment_place *places, size_t count,
                          const hb_moment_mark *marks, size_t mark_count, const atomic_bool *stop,
                          hb_visit_moment_line *visit, void *context, hb_error *error);

/* Whether all hours of these places, in a file log, have an index, so that only a part of each is read. One that can be
 * made is made first. */
bool hb_moment_lines_have_index(hb_log *log, const hb_moment_place *places, size_t count);

#endif
