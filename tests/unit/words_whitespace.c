/* words_whitespace.c - a splitter by spaces. */
#include "base/memory.h"

#include <stdlib.h>

struct hb_words {
    hb_token *tokens;
    size_t capacity;
};

hb_words *hb_words_open(hb_error *error)
{
    (void)error;
    return hb_alloc(sizeof(hb_words));
}

void hb_words_close(hb_words *words)
{
    if (words != NULL)
        free(words->tokens);
    free(words);
}

size_t hb_words_split(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_token **tokens, bool *bad_utf8)
{
    size_t count = 0;
    hb_bytes part;
    (void)emotes;
    *bad_utf8 = false;
    while (hb_bytes_cut(&text, ' ', &part)) {
        if (part.size == 0)
            continue;
        HB_RESERVE(words->tokens, words->capacity, count + 1);
        words->tokens[count++] = (hb_token){part.data[0] == '@' ? HB_MENTION : HB_WORD, part};
    }
    *tokens = words->tokens;
    return count;
}
