/* api.c - one question, one answer. The store's handle is kept from one to the next, since it holds a cache; the log's
 * is not: opening it costs next to nothing, and it may have been replaced. */
#include "serve/api.h"

#include "base/clock.h"
#include "log/messages.h"
#include "serve/json.h"
#include "serve/message_row.h"
#include "serve/reply.h"
#include "serve/source.h"
#include "text/find.h"

#include <stdlib.h>

enum { MESSAGES_BUDGET_MS = 5000 }; /* for reading back; what is found by then is the answer, marked as not exact */

struct hb_api {
    hb_source source;
    const char *log;
    hb_attendance *attendance;
    const hb_ignored *ignored;
};

hb_api *hb_api_open(const char *store, const char *log, const hb_ignored *ignored)
{
    hb_api *api = hb_alloc(sizeof *api);
    api->source.address = store;
    api->log = log;
    api->attendance = hb_attendance_open();
    api->ignored = ignored;
    return api;
}

void hb_api_close(hb_api *api)
{
    hb_source_reset(&api->source);
    hb_attendance_close(api->attendance);
    free(api);
}

static int answer_question(hb_api *api, const hb_request *request, int64_t now_s, hb_buffer *out, hb_error *error)
{
    hb_store *store = hb_source_store(&api->source, error);
    if (store == NULL)
        return error->code == HB_ERROR_MISSING ? 503 : hb_reply_status(error->code);
    hb_question question = hb_request_question(request);
    question.attendance = api->attendance;
    question.ignored = request->bots ? NULL : api->ignored;
    hb_answer *answer = hb_answer_open(store, &question, now_s, error);
    if (answer == NULL) {
        if (error->code != HB_ERROR_USAGE && error->code != HB_ERROR_MISSING)
            hb_source_reset(&api->source);
        return hb_reply_status(error->code);
    }
    hb_answer_print(answer, HB_FORMAT_JSON, out);
    hb_answer_close(answer);
    return 200;
}

/* Whether the store knows the channel; what cannot be told counts as known. */
static bool is_channel_known(hb_api *api, const hb_request *request, int64_t now_s, hb_error *error)
{
    hb_store *store = hb_source_store(&api->source, error);
    hb_question question = hb_request_question(request);
    question.kind = HB_ASK_RATE;
    question.limit = 1;
    hb_answer *answer = store == NULL ? NULL : hb_answer_open(store, &question, now_s, error);
    const bool missing = store != NULL && answer == NULL && error->code == HB_ERROR_MISSING;
    if (answer != NULL)
        hb_answer_close(answer);
    return !missing;
}

static void print_time(hb_buffer *out, const char *key, int64_t time_s)
{
    char text[HB_TIME_TEXT];
    hb_time_print(time_s, text);
    hb_json_key(out, key);
    hb_json_text(out, hb_bytes_of(text));
}

static void print_messages(const hb_request *request, const hb_messages *messages, hb_buffer *out)
{
    hb_message_cursor earlier;
    hb_json_open(out, '{');
    hb_json_key(out, "channel");
    hb_json_text(out, hb_bytes_of(request->channel));
    print_time(out, "from", request->question.from_s);
    print_time(out, "to", request->question.to_s);
    hb_json_key(out, "exact");
    hb_json_bool(out, hb_messages_complete(messages));
    if (hb_messages_complete(messages) && hb_messages_earlier(messages, &earlier)) {
        hb_buffer next = {0};
        hb_request_print_cursor(&next, earlier);
        hb_json_key(out, "next");
        hb_json_text(out, hb_buffer_bytes(&next));
        hb_buffer_free(&next);
    }
    hb_json_key(out, "rows");
    hb_json_open(out, '[');
    for (size_t i = 0; i < hb_messages_count(messages); i++) {
        const hb_message *message = hb_messages_at(messages, i);
        const hb_fact fact = hb_message_as_seen(&message->fact, message->deleted, request->deleted);
        hb_message_row_print(out, &fact, message->deleted);
    }
    hb_json_close(out, ']');
    hb_json_close(out, '}');
}

static bool has_text(void *context, const hb_fact *message)
{
    return hb_finder_has(context, message->text);
}

static int answer_messages(hb_api *api, const hb_request *request, int64_t now_s, hb_buffer *out, hb_error *error)
{
    const hb_question question = hb_request_question(request);
    const bool with_text = request->text[0] != '\0';
    hb_finder *finder = with_text ? hb_finder_open(hb_bytes_of(request->text), error) : NULL;
    if (with_text && finder == NULL)
        return hb_reply_status(error->code);
    const hb_message_query query = {.channel = question.channel,
                                    .user = hb_bytes_of(request->user),
                                    .from_s = question.from_s,
                                    .to_s = question.to_s,
                                    .limit = question.limit,
                                    .budget_ms = MESSAGES_BUDGET_MS,
                                    .paged = request->paged,
                                    .before = request->before,
                                    .want = with_text ? has_text : NULL,
                                    .want_context = finder};
    hb_error unread;
    hb_log *log = hb_log_open(api->log, HB_LOG_READ, NULL, error);
    hb_messages *messages = log == NULL ? NULL : hb_messages_open(log, &query, error);
    hb_finder_close(finder);
    if (log == NULL)
        return error->code == HB_ERROR_MISSING ? 503 : hb_reply_status(error->code);
    hb_log_close(log, &unread); /* it was only read: nothing can be lost */
    if (messages == NULL)
        return hb_reply_status(error->code);
    const bool known = hb_messages_count(messages) > 0 || is_channel_known(api, request, now_s, error);
    if (known)
        print_messages(request, messages, out);
    hb_messages_close(messages);
    return known ? 200 : hb_reply_status(error->code);
}

int hb_api_read(hb_api *api, const hb_request *request, int64_t now_s, const atomic_bool *stop,
                hb_transcript **transcript, hb_buffer *out, bool *more, hb_error *error)
{
    if (*transcript == NULL)
        *transcript = hb_transcript_open(api->log, request, error);
    if (*transcript == NULL)
        return error->code == HB_ERROR_MISSING ? 503 : hb_reply_status(error->code);
    if (!hb_transcript_read(*transcript, stop, out, more, error))
        return hb_reply_status(error->code);
    return out->size > 0 || *more || is_channel_known(api, request, now_s, error) ? 200 : 404;
}

int hb_api_answer(hb_api *api, const hb_request *request, int64_t now_s, hb_buffer *out, hb_error *error)
{
    return request->route == HB_ROUTE_MESSAGES ? answer_messages(api, request, now_s, out, error)
                                               : answer_question(api, request, now_s, out, error);
}
