/* writer.h - the store, as a thread that counts writes to it: a store has one writer, which has patience.
 *
 * While the store refuses writes (a full disk, a service that is away) the same is tried again and again; that is said
 * once, and again when it is over. Between its writes the thread serves other threads that have something to write, and
 * while there is nothing to count it makes days, weeks and months out of hours and removes what is too old
 * (store/upkeep.h).
 *
 * "Any thread" may call what says so; everything else is for the thread that counts.
 *
 * Metrics: hubbub_store_errors_total, hubbub_flushes_total, hubbub_flush_milliseconds (the last one).
 */
#ifndef HB_CMD_WRITER_H
#define HB_CMD_WRITER_H

#include "base/metrics.h"
#include "store/store.h"
#include "store/upkeep.h"

enum { HB_WRITER_RETRY_MS = 1000 }; /* between writes that the store refuses */

typedef struct hb_writer hb_writer;

/* Opens the store. Texts are copied. NULL: what hb_store_open fails with. */
hb_writer *hb_writer_open(const char *store, const hb_upkeep_options *keep, hb_metrics *metrics, hb_error *error);

/* To be called when no other thread uses it any more. NULL is fine. */
void hb_writer_close(hb_writer *writer);

/* Has told called with all changes that hb_writer_try has stored. Before the first. */
void hb_writer_tell(hb_writer *writer, void (*told)(void *context, const hb_changes *changes), void *context);

/* For reading. */
hb_store *hb_writer_store(hb_writer *writer);

typedef enum hb_writer_result {
    HB_WRITER_STORED,
    HB_WRITER_REFUSED, /* try the same again after HB_WRITER_RETRY_MS */
    HB_WRITER_GIVEN_UP /* refused, and told to stop: hb_writer_failure says why */
} hb_writer_result;

/* Tries to apply all of the changes, in one transaction. */
hb_writer_result hb_writer_try(hb_writer *writer, const hb_changes *changes, size_t count);

/* The same until they are stored; false: given up. */
bool hb_writer_put(hb_writer *writer, const hb_changes *changes, size_t count);

/* Takes what another thread has handed over. */
void hb_writer_serve(hb_writer *writer);

/* Takes a step of upkeep when there is one to take; false when there is none for now. */
bool hb_writer_tend(hb_writer *writer);

/* Waits unless told to stop meanwhile; true when told. */
bool hb_writer_wait(hb_writer *writer, int wait_ms);

/* Notes that counting has failed, for hb_writer_failure; and that the thread has come to its end. */
void hb_writer_fail(hb_writer *writer, const hb_error *error);
void hb_writer_end(hb_writer *writer);

/* ---- Any thread ---- */

/* Tells the thread to stop; whether it was told to; whether it has come to its end. */
void hb_writer_stop(hb_writer *writer);
bool hb_writer_is_stopped(hb_writer *writer);
bool hb_writer_has_ended(const hb_writer *writer);

/* Has the thread apply changes, between two of its own writes. Waits until that is done. False: the store refuses, now
 * or since a while; HB_ERROR_BUSY: the thread has come to its end. */
bool hb_writer_apply(hb_writer *writer, const hb_changes *changes, hb_error *error);

/* Once the thread has ended: true when something is unwritten, and why. */
bool hb_writer_failure(const hb_writer *writer, hb_error *error);

#endif
