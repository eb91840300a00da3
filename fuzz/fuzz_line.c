/* fuzz_line.c - any bytes as an IRC line and as a fact: no read outside, every slice inside the line. */
#include "base/bytes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(hb_bytes part, hb_bytes whole)
{
    if (part.size > 0 && (part.data < whole.data || part.data + part.size > whole.data + whole.size))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const hb_bytes text = {(const char *)data, size};
    hb_line line;
    hb_fact fact;
    if (hb_line_parse(text, &line)) {
        hb_bytes rest = line.tags;
        hb_bytes key;
        hb_bytes value;
        char *plain = malloc(size + 1);
        while (hb_tags_next(&rest, &key, &value))
            if (hb_tag_unescape(value, plain) > value.size)
                abort();
        free(plain);
        for (size_t i = 0; i < line.param_count; i++)
            check_inside(line.params[i], text);
    }
    if (hb_fact_read(text, &fact) == HB_FACT_OK) {
        check_inside(fact.channel, text);
        check_inside(fact.text, text);
        check_inside(fact.login, text);
        if (fact.channel.size == 0 || fact.channel.size > HB_LOGIN_MAX || fact.time_ms <= 0)
            abort();
    }
    return 0;
}
