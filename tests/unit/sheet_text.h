/* sheet_text.h - a sheet as sorted lines of text, through its public door: two sheets are equal when their texts are.
 */
#ifndef HB_TESTS_SHEET_TEXT_H
#define HB_TESTS_SHEET_TEXT_H

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct text_lines {
    char **lines;
    size_t count;
    size_t capacity;
} text_lines;

static inline void __attribute__((format(printf, 2, 3))) text_add(text_lines *text, const char *format, ...)
{
    char *line = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&line, format, arguments) < 0)
        abort();
    va_end(arguments);
    HB_RESERVE(text->lines, text->capacity, text->count + 1);
    text->lines[text->count++] = line;
}

static inline int text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the lines, joins them and frees them; the text is the caller's, to be freed with free(). */
static inline char *text_join(text_lines *text)
{
    hb_buffer out = {0};
    qsort(text->lines, text->count, sizeof *text->lines, text_compare);
    for (size_t i = 0; i < text->count; i++) {
        hb_buffer_print(&out, "%s\n", text->lines[i]);
        free(text->lines[i]);
    }
    free(text->lines);
    hb_buffer_append_char(&out, '\0');
    return out.data;
}

static inline char *sheet_text(const hb_sheet *sheet)
{
    text_lines text = {0};
    size_t cursor = 0;
    hb_word word;
    hb_user user;
    text_add(&text, "sheet %.*s %lld room %.*s from %lld to %lld", HB_PRINT(hb_sheet_channel(sheet)),
             (long long)hb_sheet_hour(sheet), HB_PRINT(hb_sheet_room_id(sheet)), (long long)hb_sheet_first_ms(sheet),
             (long long)hb_sheet_last_ms(sheet));
    for (unsigned m = 0; m < 60; m++) {
        const hb_minute minute = hb_sheet_minute(sheet, m);
        if (minute.messages + minute.shared + minute.samples > 0)
            text_add(&text, "minute %u: %llu %llu %llu %llu %llu %llu, %llu %llu %.*s|%.*s", m,
                     (unsigned long long)minute.messages, (unsigned long long)minute.words,
                     (unsigned long long)minute.chatters, (unsigned long long)minute.shared,
                     (unsigned long long)minute.new_chatters, (unsigned long long)minute.subscriber_messages,
                     (unsigned long long)minute.viewers_sum, (unsigned long long)minute.samples, HB_PRINT(minute.game),
                     HB_PRINT(minute.title));
    }
    while (hb_sheet_next_word(sheet, &cursor, &word))
        text_add(&text, "word %d %.*s %llu", (int)word.kind, HB_PRINT(word.text), (unsigned long long)word.count);
    cursor = 0;
    while (hb_sheet_next_user(sheet, &cursor, &user))
        text_add(&text, "user %.*s %.*s %llu %llu %016llx", HB_PRINT(user.id), HB_PRINT(user.name),
                 (unsigned long long)user.messages, (unsigned long long)user.words, (unsigned long long)user.minutes);
    return text_join(&text);
}

#endif
