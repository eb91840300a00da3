/* json_answer.c - jansson refuses a text with half a surrogate pair (\ud83d alone), and with it all that an answer
 * holds besides. So such halves are replaced by U+FFFD first. */
#include "twitch/json_answer.h"

#include "base/memory.h"

#include <stdlib.h>

/* Reads \uXXXX at a place; -1 where there is none. */
static int escape_at(const char *text, size_t size)
{
    int code = 0;
    if (size < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        const char c = text[i];
        const int digit = c >= '0' && c <= '9'                     ? c - '0'
                          : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                   : -1;
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static void mend_surrogates(char *text, size_t size)
{
    const hb_bytes unknown = HB_BYTES("\\ufffd");
    for (size_t at = 0; at < size;) {
        const int code = escape_at(text + at, size - at);
        if (code < 0) {
            at += text[at] == '\\' ? 2 : 1;
            continue;
        }
        const int next = code >= 0xd800 && code < 0xdc00 ? escape_at(text + at + 6, size - at - 6) : -1;
        if (next >= 0xdc00 && next < 0xe000) {
            at += 12;
            continue;
        }
        if (code >= 0xd800 && code < 0xe000)
            memcpy(text + at, unknown.data, unknown.size);
        at += 6;
    }
}

json_t *hb_json_answer_parse(hb_bytes body)
{
    char *const copy = hb_copy_text(body);
    mend_surrogates(copy, body.size);
    json_t *const root = json_loadb(copy, body.size, JSON_ALLOW_NUL, NULL);
    free(copy);
    return root;
}

hb_bytes hb_json_answer_text(const json_t *object, const char *key)
{
    const json_t *const value = json_object_get(object, key);
    return json_is_string(value) ? (hb_bytes){json_string_value(value), json_string_length(value)} : (hb_bytes){"", 0};
}
