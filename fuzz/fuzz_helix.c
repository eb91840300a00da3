/* fuzz_helix.c - any bytes as an answer of Twitch's API: no read outside, and what comes out of it is one line that is
 * a viewer sample, whatever the texts hold. */
#include "base/bytes.h"
#include "twitch/helix_answer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sample(void *context, const hb_stream_sample *sample)
{
    hb_buffer line = {0};
    hb_fact fact;
    (void)context;
    hb_stream_line_write(sample, 1764000000000, &line);
    if (hb_fact_read(hb_buffer_bytes(&line), &fact) != HB_FACT_OK || fact.kind != HB_FACT_STREAM ||
        fact.viewers != sample->viewers || !hb_bytes_equal(fact.channel, sample->login) ||
        !hb_bytes_equal(fact.room_id, sample->room_id) || line.size > 8192)
        abort();
    hb_buffer_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const hb_bytes body = {(const char *)data, size};
    char message[HB_HELIX_MESSAGE];
    hb_helix_counts counts;
    hb_helix_token token;
    hb_error error;
    hb_helix_read_streams(body, check_sample, NULL, &counts, &error);
    hb_helix_read_message(body, message);
    for (const char *c = message; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            abort();
    if (hb_helix_read_token(body, &token, &error)) {
        if (strpbrk(token.text, "\r\n ") != NULL || token.expires_in_s < 0)
            abort();
        free(token.text);
    }
    return 0;
}
