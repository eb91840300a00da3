/* fuzz_emotes.c - answers of the emote services: whatever is read must be names that a fact can hold. */
#include "base/memory.h"
#include "text/emote_set.h"
#include "twitch/emote_answer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hb_error error;
    if (size == 0)
        return 0;
    const hb_bytes body = {(const char *)data + 1, size - 1};
    hb_buffer names = {0};
    const bool good = hb_emote_answer_read((hb_emote_service)(data[0] / 2 % HB_EMOTE_SERVICES), data[0] % 2 == 1, body,
                                           &names, &error);
    if (!good && names.size > 0)
        abort();
    hb_buffer line = {0};
    hb_fact fact;
    hb_buffer_append(&line, HB_BYTES("@tmi-sent-ts=1764000000000 :hubbub EMOTES #xqc :"));
    hb_buffer_append(&line, hb_buffer_bytes(&names));
    if (hb_fact_read(hb_buffer_bytes(&line), &fact) != HB_FACT_OK ||
        !hb_bytes_equal(fact.text, hb_buffer_bytes(&names)))
        abort();
    hb_emote_set *set = hb_emote_set_open();
    hb_emote_set_add(set, fact.text, 0);
    hb_emote_set_add(set, body, 1); /* names from anywhere */
    size_t at = 0;
    uint32_t since_ms = 0;
    for (hb_bytes name; hb_emote_set_next(set, &at, &name, &since_ms);)
        if (!hb_emote_set_has(set, name, since_ms) || !hb_emote_name_is_good(name))
            abort();
    hb_emote_set_close(set);
    hb_buffer_free(&names);
    hb_buffer_free(&line);
    return 0;
}
