/* opened.h - what the library opens, or the test fails with the reason. */
#ifndef HB_TESTS_OPENED_H
#define HB_TESTS_OPENED_H

#include "unit.h"

#include "hubbub.h"

static inline hb_words *open_words(void)
{
    hb_error error = {0};
    hb_words *words = hb_words_open(&error);
    if (words == NULL)
        fail_msg("%s", error.text);
    return words;
}

static inline hb_fold *open_fold(void)
{
    hb_error error = {0};
    hb_fold *fold = hb_fold_open(&error);
    if (fold == NULL)
        fail_msg("%s", error.text);
    return fold;
}

#endif
