/* words_tool.c - hb_words_split for the driver test_words.py: reads lines "TEXT EMOTES" (both hexadecimal, either may
 * be empty) and prints for each "BAD KIND:SPELLING KIND:SPELLING ..." (BAD is 0 or 1, spellings hexadecimal). */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static hb_bytes unhex(const char *text, size_t size, hb_buffer *out)
{
    out->size = 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        const char digits[] = {text[i], text[i + 1], '\0'};
        hb_buffer_append_char(out, (char)strtol(digits, NULL, 16));
    }
    return hb_buffer_bytes(out);
}

int main(void)
{
    hb_error error;
    hb_words *words = hb_words_open(&error);
    if (words == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    char *line = NULL;
    size_t capacity = 0;
    hb_buffer text = {0};
    hb_buffer emotes = {0};
    while (getline(&line, &capacity, stdin) > 0) {
        const size_t middle = strcspn(line, " \n");
        const char *rest = line[middle] == ' ' ? line + middle + 1 : line + middle;
        const hb_token *tokens = NULL;
        bool bad = false;
        const size_t count =
            hb_words_split(words, unhex(line, middle, &text), unhex(rest, strcspn(rest, "\n"), &emotes), &tokens, &bad);
        printf("%d", bad);
        for (size_t i = 0; i < count; i++) {
            printf(" %s:", hb_kind_name(tokens[i].kind));
            for (size_t j = 0; j < tokens[i].text.size; j++)
                printf("%02x", (unsigned char)tokens[i].text.data[j]);
        }
        putchar('\n');
    }
    free(line);
    hb_buffer_free(&text);
    hb_buffer_free(&emotes);
    hb_words_close(words);
    return 0;
}
