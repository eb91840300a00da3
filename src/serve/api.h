/* api.h - answers to the API's questions: JSON out of the store and the log. One thread at a time. */
#ifndef HB_SERVE_API_H
#define HB_SERVE_API_H

#include "serve/request.h"
#include "serve/transcript.h"

typedef struct hb_api hb_api;

/* Opens nothing yet: store and log are opened when first asked. ignored: who is left out of rankings, unless a request
 * wants bots, too; may be NULL. All must outlive the api. */
hb_api *hb_api_open(const char *store, const char *log, const hb_ignored *ignored);
void hb_api_close(hb_api *api);

/* Appends the answer to a request of HB_ROUTE_ANSWER or HB_ROUTE_MESSAGES as JSON. Returns the HTTP status: 200, or
 * another with *error filled and nothing appended: 404 a channel never seen, 503 no store or log yet, 500. */
int hb_api_answer(hb_api *api, const hb_request *request, int64_t now_s, hb_buffer *out, hb_error *error);

/* Appends the next bit of the messages that a request streams (hb_transcript_read). *transcript, NULL at first, is
 * opened here and the caller's to close. Status as above; 404 makes sense only while nothing has been appended at all.
 */
int hb_api_read(hb_api *api, const hb_request *request, int64_t now_s, const atomic_bool *stop,
                hb_transcript **transcript, hb_buffer *out, bool *more, hb_error *error);

#endif
