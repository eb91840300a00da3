/* transcript.c - log/history.h in one of three forms. A raw line would show the text of a message that was deleted, so
 * such lines are left out unless the client asks for them. */
#include "serve/transcript.h"

#include "base/clock.h"
#include "base/say.h"
#include "log/history.h"
#include "serve/message_row.h"
#include "text/find.h"

#include <stdlib.h>

enum { BIT_BYTES = 64 * 1024, BIT_MS = 100 };

struct hb_transcript {
    const hb_request *request;
    hb_log *log;
    hb_finder *finder; /* NULL: any text */
    hb_history *history;
    hb_bytes lines; /* of the last piece, what is yet to be looked at */
};

static bool has_text(void *context, const hb_fact *fact)
{
    return hb_finder_has(context, fact->text);
}

hb_transcript *hb_transcript_open(const char *log, const hb_request *request, hb_error *error)
{
    hb_transcript *transcript = hb_alloc(sizeof *transcript);
    const hb_question question = hb_request_question(request);
    hb_history_query query = {
        .channel = question.channel,
        .user = hb_bytes_of(request->user),
        .from_s = question.from_s,
        .to_s = question.to_s,
        .messages = request->format != HB_MESSAGES_RAW,
        .removals = true,
    };
    transcript->request = request;
    if (request->text[0] != '\0') {
        transcript->finder = hb_finder_open(hb_bytes_of(request->text), error);
        query.want = has_text;
        query.want_context = transcript->finder;
    }
    if (request->text[0] == '\0' || transcript->finder != NULL)
        transcript->log = hb_log_open(log, HB_LOG_READ, NULL, error);
    if (transcript->log != NULL)
        transcript->history = hb_history_open(transcript->log, &query, error);
    if (transcript->history != NULL)
        return transcript;
    hb_transcript_close(transcript);
    return NULL;
}

void hb_transcript_close(hb_transcript *transcript)
{
    hb_error unread;
    if (transcript == NULL)
        return;
    hb_history_close(transcript->history);
    hb_log_close(transcript->log, &unread); /* it was only read: nothing can be lost */
    hb_finder_close(transcript->finder);
    free(transcript);
}

static void print(const hb_transcript *transcript, const hb_history_fact *found, hb_buffer *out)
{
    const hb_fact fact = hb_message_as_seen(&found->fact, found->deleted, transcript->request->deleted);
    if (transcript->request->format == HB_MESSAGES_TEXT) {
        hb_message_line_print(out, &fact, found->deleted);
    } else if (transcript->request->format == HB_MESSAGES_LINES) {
        hb_message_row_print(out, &fact, found->deleted);
        hb_buffer_append_char(out, '\n');
    } else if (!found->deleted || transcript->request->deleted) {
        hb_buffer_append(out, found->line);
        hb_buffer_append_char(out, '\n');
    }
}

bool hb_transcript_read(hb_transcript *transcript, const atomic_bool *stop, hb_buffer *out, bool *more, hb_error *error)
{
    const int64_t until_ms = hb_monotonic_ms() + BIT_MS;
    hb_history_fact found;
    *more = true;
    do {
        while (out->size < BIT_BYTES && hb_history_next(transcript->history, &transcript->lines, &found))
            print(transcript, &found, out);
        if (out->size >= BIT_BYTES)
            return true;
        if (!hb_history_read(transcript->history, &transcript->lines, error)) {
            if (error->code != HB_ERROR_CORRUPT)
                return false;
            hb_say_warning("%s", error->text);
        } else if (transcript->lines.size == 0) {
            *more = false;
            return true;
        }
    } while (!atomic_load_explicit(stop, memory_order_relaxed) && hb_monotonic_ms() < until_ms);
    return true;
}

const char *hb_transcript_content_type(hb_messages_format format)
{
    return format == HB_MESSAGES_LINES ? "application/x-ndjson; charset=utf-8" : "text/plain; charset=utf-8";
}
