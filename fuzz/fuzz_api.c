/* fuzz_api.c - any bytes as a request's path and query, and as a Host header: what is taken is within its bounds. */
#include "serve/request.h"
#include "serve/rows.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const hb_request *request)
{
    const hb_question question = hb_request_question(request);
    if (request->route != HB_ROUTE_ANSWER && request->route != HB_ROUTE_MESSAGES)
        return;
    if (question.limit < 1 || question.limit > HB_LIMIT_MAX || question.from_s < 0 || question.from_s > question.to_s ||
        question.word_kind > HB_KINDS || question.channel.size > HB_LOGIN_MAX)
        abort();
    for (size_t i = 0; i < question.channel.size; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", question.channel.data[i]) == NULL)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const hb_bytes text = {(const char *)data, size};
    hb_bytes query = text;
    hb_bytes path = {NULL, 0};
    hb_request request;
    hb_error error;
    hb_bytes_cut(&query, '?', &path);
    if (hb_request_parse(path, query, 1764000000, &request, &error))
        check(&request);
    else if (error.text[0] == '\0')
        abort();
    hb_host_is_loopback(text);
    hb_bytes rows = hb_rows_of(text);
    hb_bytes row;
    while (hb_rows_next(&rows, &row))
        if (row.size < 2 || row.data < text.data || row.data + row.size > text.data + text.size)
            abort();
    return 0;
}
