/* find.c - ASCII folds to ASCII by lower case alone, so most texts never reach ICU. Others are folded as UTF-16, which
 * is what ICU works on. */
#include "text/find.h"

#include "base/error.h"
#include "text/utf8.h"

#include <stdlib.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

typedef struct wide { /* UTF-16 */
    UChar *units;
    size_t size;
    size_t capacity;
} wide;

struct hb_finder {
    const UNormalizer2 *folding;
    wide wanted;
    hb_buffer ascii; /* the same, if it is ASCII; else empty */
    wide read;
    wide folded;
    hb_buffer lower;
};

/* Folds text into finder->folded. False when it is too long for ICU to count. */
static bool fold_wide(hb_finder *finder, hb_bytes text)
{
    enum { GROWTH = 18 }; /* U+FDFA, the longest */
    UErrorCode status = U_ZERO_ERROR;
    int32_t size = 0;
    if (text.size > INT32_MAX / (GROWTH + 1))
        return false;
    HB_RESERVE(finder->read.units, finder->read.capacity, text.size + 1);
    u_strFromUTF8WithSub(finder->read.units, (int32_t)finder->read.capacity, &size, text.data, (int32_t)text.size,
                         HB_UTF8_REPLACEMENT, NULL, &status);
    HB_RESERVE(finder->folded.units, finder->folded.capacity, (size_t)size * GROWTH + 1);
    finder->folded.size = (size_t)unorm2_normalize(finder->folding, finder->read.units, size, finder->folded.units,
                                                   (int32_t)finder->folded.capacity, &status);
    return U_SUCCESS(status);
}

hb_finder *hb_finder_open(hb_bytes what, hb_error *error)
{
    UErrorCode status = U_ZERO_ERROR;
    hb_finder *finder = hb_alloc(sizeof *finder);
    finder->folding = unorm2_getNFKCCasefoldInstance(&status);
    if (U_FAILURE(status))
        hb_fail(error, HB_ERROR_SYSTEM, "ICU cannot fold case: %s", u_errorName(status));
    else if (!fold_wide(finder, what) || finder->folded.size == 0)
        hb_fail(error, HB_ERROR_USAGE, "there is nothing to look for in the text '%.*s'", HB_PRINT(what));
    else {
        finder->wanted = finder->folded;
        finder->folded = (wide){0};
        bool ascii = true;
        for (size_t i = 0; i < finder->wanted.size; i++)
            ascii &= finder->wanted.units[i] < 0x80;
        for (size_t i = 0; ascii && i < finder->wanted.size; i++)
            hb_buffer_append_char(&finder->ascii, (char)finder->wanted.units[i]);
        return finder;
    }
    hb_finder_close(finder);
    return NULL;
}

void hb_finder_close(hb_finder *finder)
{
    if (finder == NULL)
        return;
    free(finder->wanted.units);
    free(finder->read.units);
    free(finder->folded.units);
    hb_buffer_free(&finder->ascii);
    hb_buffer_free(&finder->lower);
    free(finder);
}

bool hb_finder_has(hb_finder *finder, hb_bytes text)
{
    if (text.size == 0)
        return false;
    if (hb_utf8_ascii(text) == text.size) {
        if (finder->ascii.size == 0 || finder->ascii.size > text.size)
            return false;
        finder->lower.size = 0;
        const hb_bytes lower = hb_bytes_lower(text, hb_buffer_room(&finder->lower, text.size));
        return memmem(lower.data, lower.size, finder->ascii.data, finder->ascii.size) != NULL;
    }
    return fold_wide(finder, text) && u_strFindFirst(finder->folded.units, (int32_t)finder->folded.size,
                                                     finder->wanted.units, (int32_t)finder->wanted.size) != NULL;
}
