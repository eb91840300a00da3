/* fuzz_words.c - any bytes as a text and an emotes tag: tokens are whole, and ASCII is split as ICU splits it. The
 * input up to the first line feed is the tag. */
#include "text/utf8.h"
#include "text/words_paths.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hb_words *open_words(void)
{
    hb_error error;
    hb_words *words = hb_words_open(&error);
    if (words == NULL)
        abort();
    return words;
}

/* Hashes of tokens, added up: the order does not matter. */
static uint64_t sum_of(const hb_token *tokens, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].text.size == 0 || tokens[i].kind >= HB_KINDS || !hb_utf8_valid(tokens[i].text))
            abort();
        uint64_t hash = (uint64_t)tokens[i].kind + 1;
        for (size_t j = 0; j < tokens[i].text.size; j++)
            hash = (hash ^ (unsigned char)tokens[i].text.data[j]) * 0x100000001b3;
        sum += hash;
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hb_words *fast;
    static hb_words *slow;
    if (fast == NULL) {
        fast = open_words();
        slow = open_words();
    }
    hb_bytes text = {(const char *)data, size};
    hb_bytes emotes = {0};
    if (!hb_bytes_cut(&text, '\n', &emotes))
        return 0;
    const hb_token *tokens = NULL;
    bool bad = false;
    bool slow_bad = false;
    const size_t count = hb_words_split(fast, text, emotes, &tokens, &bad);
    const uint64_t sum = sum_of(tokens, count);
    const size_t slow_count = hb_words_split_slowly(slow, text, emotes, &tokens, &slow_bad);
    if (count > text.size || bad == hb_utf8_valid(text) || bad != slow_bad || count != slow_count ||
        sum != sum_of(tokens, slow_count))
        abort();
    return 0;
}
