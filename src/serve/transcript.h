/* transcript.h - a channel's messages of any time range as one long text, made bit by bit: whoever sends it decides
 * when the next bit is made, and memory stays bounded. One thread at a time. */
#ifndef HB_SERVE_TRANSCRIPT_H
#define HB_SERVE_TRANSCRIPT_H

#include "serve/request.h"

#include <stdatomic.h>

typedef struct hb_transcript hb_transcript;

/* Opens the log at an address for a request of HB_ROUTE_MESSAGES whose format is not HB_MESSAGES_JSON; both must
 * outlive the transcript. NULL and *error: HB_ERROR_MISSING (no log yet), HB_ERROR_USAGE, or the log's errors. */
hb_transcript *hb_transcript_open(const char *log, const hb_request *request, hb_error *error);
void hb_transcript_close(hb_transcript *transcript);

/* Appends the next bit to out: until it has some ten KiB, a tenth of a second has passed or *stop is set, whichever is
 * first, so it may append nothing. *more is false at the end. Damage in the log is said and passed over. False: the
 * log cannot be read. */
bool hb_transcript_read(hb_transcript *transcript, const atomic_bool *stop, hb_buffer *out, bool *more,
                        hb_error *error);

const char *hb_transcript_content_type(hb_messages_format format);

#endif
