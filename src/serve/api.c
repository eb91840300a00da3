/* api.c - one question, one answer. */
#include "serve/api.h"

#include "serve/reply.h"
#include "serve/source.h"

#include <stdlib.h>

struct hb_api {
    hb_source source;
    const char *log;
};

hb_api *hb_api_open(const char *store, const char *log)
{
    hb_api *api = hb_alloc(sizeof *api);
    api->source.address = store;
    api->log = log;
    return api;
}

void hb_api_close(hb_api *api)
{
    hb_source_reset(&api->source);
    free(api);
}

int hb_api_answer(hb_api *api, const hb_request *request, int64_t now_s, hb_buffer *out, hb_error *error)
{
    hb_store *store = hb_source_store(&api->source, error);
    if (store == NULL)
        return error->code == HB_ERROR_MISSING ? 503 : hb_reply_status(error->code);
    const hb_question question = hb_request_question(request);
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
