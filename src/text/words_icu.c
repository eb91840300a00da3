/* words_icu.c - words and emoji of what is not ASCII, by ICU.
 *
 * The pieces of a message lie one behind the other in one buffer, each ended by a line feed: at a line feed ICU always
 * breaks, so one run of the word iterator splits them all, and none can reach into the next. `@` and the colons become
 * line feeds as well (words.c says why). Each word segment that holds a letter or digit is folded and is a word. What
 * lies between two words (or a word and a line feed) is cut into grapheme clusters, but only where it holds something
 * that could make an emoji. Lines without any letter or digit, emoji mostly, need no word iterator.
 *
 * ICU loads the break engine of a script (its dictionary) when an iterator first meets the script, and asks the engines
 * that it has before it looks for another. So how it splits a text such as U+30FC U+30B8 depends on what the iterator
 * has seen before. To be the same always, an iterator is shown all scripts that have one when it is made.
 */
#include "text/words_paths.h"

#include "base/error.h"
#include "text/utf8.h"

#include <stdlib.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#define SEPARATOR u'\n'

enum { FOLD_ROOM = 64 }; /* code units more than a word that folding gets at first */

struct hb_words_icu {
    UBreakIterator *words;
    UBreakIterator *clusters;
    const UNormalizer2 *folding; /* ICU's, never closed */
    UChar *text;
    size_t size;
    size_t capacity;
    UChar *folded; /* one word */
    size_t folded_capacity;
};

/* What a stretch of text holds. */
enum {
    LETTER_OR_DIGIT = 1,
    PICTOGRAPH = 2, /* what makes a cluster an emoji */
    OTHER = 4       /* what may make a cluster longer than one code point */
};

/* Thai, Lao, Burmese, Khmer; Hiragana, Katakana and Han; Hangul. */
static const char dictionary_scripts[] =
    "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22\n\u0e9e\u0eb2\u0eaa\u0eb2\u0ea5\u0eb2\u0ea7\n"
    "\u1019\u103c\u1014\u103a\u1019\u102c\n\u1781\u17d2\u1798\u17c2\u179a\n"
    "\u3042\u3044\n\u30a2\u30a4\n\u4e2d\u56fd\n\ud55c\uad6d\uc5b4";
enum { THAI_WORDS_FROM = 7 }; /* code units: the first line is one run of Thai, two words */

static bool load_dictionaries(hb_words_icu *icu, hb_error *error)
{
    hb_words_icu_add(icu, HB_BYTES(dictionary_scripts));
    UErrorCode status = U_ZERO_ERROR;
    ubrk_setText(icu->words, icu->text, (int32_t)icu->size, &status);
    const bool splits = U_SUCCESS(status) && ubrk_next(icu->words) < THAI_WORDS_FROM;
    while (ubrk_next(icu->words) != UBRK_DONE)
        ;
    icu->size = 0;
    return splits ||
           hb_fail(error, HB_ERROR_SYSTEM,
                   "the dictionaries of ICU %s could not be loaded; its data package must be complete", U_ICU_VERSION);
}

hb_words_icu *hb_words_icu_open(hb_error *error)
{
    hb_words_icu *icu = hb_alloc(sizeof *icu);
    UErrorCode status = U_ZERO_ERROR;
    icu->words = ubrk_open(UBRK_WORD, "root", NULL, 0, &status);
    icu->clusters = ubrk_open(UBRK_CHARACTER, "root", NULL, 0, &status);
    icu->folding = unorm2_getNFKCCasefoldInstance(&status);
    if (U_FAILURE(status))
        hb_fail(error, HB_ERROR_SYSTEM, "the data of ICU %s could not be loaded: %s", U_ICU_VERSION,
                u_errorName(status));
    else if (load_dictionaries(icu, error))
        return icu;
    hb_words_icu_close(icu);
    return NULL;
}

void hb_words_icu_close(hb_words_icu *icu)
{
    if (icu->words != NULL)
        ubrk_close(icu->words);
    if (icu->clusters != NULL)
        ubrk_close(icu->clusters);
    free(icu->text);
    free(icu->folded);
    free(icu);
}

static bool separates(uint32_t code_point)
{
    return code_point == '@' || code_point == ':' || code_point == 0xfe55 || code_point == 0xff1a;
}

void hb_words_icu_add(hb_words_icu *icu, hb_bytes piece)
{
    HB_RESERVE(icu->text, icu->capacity, icu->size + piece.size + 1);
    size_t size = icu->size;
    bool bad = false;
    for (size_t at = 0; at < piece.size;) {
        const uint32_t code_point = hb_utf8_next(piece, &at, &bad);
        if (separates(code_point))
            icu->text[size++] = SEPARATOR;
        else
            U16_APPEND_UNSAFE(icu->text, size, code_point);
    }
    icu->text[size++] = SEPARATOR;
    icu->size = size;
}

/* Memory is the only thing that ICU can be short of here. */
static void start(UBreakIterator *iterator, const UChar *text, size_t size)
{
    UErrorCode status = U_ZERO_ERROR;
    ubrk_setText(iterator, text, (int32_t)size, &status);
    if (U_FAILURE(status))
        hb_out_of_memory(size);
}

static UChar32 take_code_point(const UChar *text, size_t *at)
{
    const UChar lead = text[(*at)++]; /* the text has no lone surrogates */
    return U16_IS_LEAD(lead) ? U16_GET_SUPPLEMENTARY(lead, text[(*at)++]) : lead;
}

static hb_bytes encode(const UChar *text, size_t size, hb_arena *room)
{
    char *out = hb_arena_alloc(room, size * 3);
    size_t out_size = 0;
    for (size_t at = 0; at < size;)
        out_size += hb_utf8_put((uint32_t)take_code_point(text, &at), out + out_size);
    return (hb_bytes){out, out_size};
}

/* NFKC_Casefold; empty where nothing of the word is left. */
static hb_bytes fold(hb_words_icu *icu, const UChar *word, size_t size, hb_arena *room)
{
    HB_RESERVE(icu->folded, icu->folded_capacity, size + FOLD_ROOM);
    for (;;) {
        UErrorCode status = U_ZERO_ERROR;
        const int32_t folded =
            unorm2_normalize(icu->folding, word, (int32_t)size, icu->folded, (int32_t)icu->folded_capacity, &status);
        if (U_SUCCESS(status))
            return encode(icu->folded, (size_t)folded, room);
        if (status != U_BUFFER_OVERFLOW_ERROR)
            hb_out_of_memory(size);
        HB_RESERVE(icu->folded, icu->folded_capacity, (size_t)folded + 1);
    }
}

static bool is_plain_letter(UChar32 code_point)
{
    return u_getIntPropertyValue(code_point, UCHAR_WORD_BREAK) == U_WB_ALETTER &&
           (U_GET_GC_MASK(code_point) & U_GC_L_MASK) != 0;
}

/* What hb_words_icu_pairs says of a code point. */
static uint16_t pair_of(const hb_words_icu *icu, UChar code_point)
{
    if (u_getIntPropertyValue(code_point, UCHAR_WORD_BREAK) == U_WB_OTHER && !u_isUWhiteSpace(code_point) &&
        (U_GET_GC_MASK(code_point) & (U_GC_L_MASK | U_GC_N_MASK)) == 0)
        return HB_WORDS_APART;
    UErrorCode status = U_ZERO_ERROR;
    UChar folded[4];
    char bytes[16];
    size_t size = 0;
    const int32_t length = unorm2_normalize(icu->folding, &code_point, 1, folded, 4, &status);
    if (U_FAILURE(status) || !is_plain_letter(code_point))
        return HB_WORDS_ICU;
    for (int32_t i = 0; i < length; i++) {
        if (!is_plain_letter(folded[i]))
            return HB_WORDS_ICU;
        size += hb_utf8_put(folded[i], bytes + size);
    }
    uint16_t pair = HB_WORDS_ICU;
    if (size == sizeof pair)
        memcpy(&pair, bytes, sizeof pair);
    return pair;
}

void hb_words_icu_pairs(const hb_words_icu *icu, uint16_t pairs[HB_WORDS_PAIRS])
{
    for (size_t code_point = 0x80; code_point < HB_WORDS_PAIRS; code_point++)
        pairs[code_point] = pair_of(icu, (UChar)code_point);
}

static unsigned kind_of(UChar32 code_point)
{
    if ((U_GET_GC_MASK(code_point) & (U_GC_L_MASK | U_GC_N_MASK)) != 0)
        return LETTER_OR_DIGIT;
    if (code_point < 0x80)
        return 0;
    if (code_point >= 0x1f1e6 && code_point <= 0x1f1ff) /* regional indicators */
        return PICTOGRAPH | OTHER;
    if (code_point != 0xa9 && code_point != 0xae && u_hasBinaryProperty(code_point, UCHAR_EXTENDED_PICTOGRAPHIC))
        return PICTOGRAPH;
    return OTHER;
}

static unsigned kinds_in(const UChar *text, size_t size)
{
    unsigned kinds = 0;
    for (size_t at = 0; at < size;)
        kinds |= kind_of(take_code_point(text, &at));
    return kinds;
}

/* Takes the emoji of a stretch without words, which holds some; kinds is what it holds. */
static size_t take_emoji(hb_words_icu *icu, const UChar *text, size_t size, unsigned kinds, hb_arena *room,
                         hb_token *tokens)
{
    size_t count = 0;
    /* Pictographs and ASCII alone, as in most messages: each code point is a cluster. */
    const bool single = (kinds & OTHER) == 0;
    if (!single)
        start(icu->clusters, text, size);
    for (size_t at = 0, end = 0; at < size; at = end) {
        if (single)
            U16_FWD_1_UNSAFE(text, end);
        else
            end = (size_t)ubrk_next(icu->clusters);
        if ((kinds_in(text + at, end - at) & PICTOGRAPH) != 0)
            tokens[count++] = (hb_token){HB_EMOJI, encode(text + at, end - at, room)};
    }
    return count;
}

/* Takes the emoji of lines without letters and digits; no word can be there. The other lines move to the front of the
 * text, and stay. */
static size_t take_wordless_lines(hb_words_icu *icu, hb_arena *room, hb_token *tokens)
{
    UChar *text = icu->text;
    size_t count = 0;
    size_t kept = 0;
    for (size_t at = 0, end = 0; at < icu->size; at = end + 1) {
        unsigned kinds = 0;
        for (end = at; text[end] != SEPARATOR && (kinds & LETTER_OR_DIGIT) == 0;)
            kinds |= kind_of(take_code_point(text, &end));
        if ((kinds & LETTER_OR_DIGIT) != 0) {
            while (text[end] != SEPARATOR)
                end++;
            memmove(text + kept, text + at, (end + 1 - at) * sizeof *text);
            kept += end + 1 - at;
        } else if ((kinds & PICTOGRAPH) != 0) {
            count += take_emoji(icu, text + at, end - at, kinds, room, tokens + count);
        }
    }
    icu->size = kept;
    return count;
}

/* Takes the words of the text, and the emoji between them. */
static size_t take_words(hb_words_icu *icu, hb_arena *room, hb_token *tokens)
{
    const UChar *text = icu->text;
    size_t count = 0;
    size_t gap = 0;         /* where what is no word starts */
    unsigned gap_kinds = 0; /* what it holds */
    start(icu->words, text, icu->size);
    int32_t next = 0;
    for (size_t at = 0; (next = ubrk_next(icu->words)) != UBRK_DONE; at = (size_t)next) {
        const size_t size = (size_t)next - at;
        const bool separator = text[at] == SEPARATOR;
        const unsigned kinds = separator ? 0 : kinds_in(text + at, size);
        if (!separator && (kinds & LETTER_OR_DIGIT) == 0) {
            gap_kinds |= kinds;
            continue;
        }
        if ((gap_kinds & PICTOGRAPH) != 0)
            count += take_emoji(icu, text + gap, at - gap, gap_kinds, room, tokens + count);
        gap = (size_t)next;
        gap_kinds = 0;
        const hb_bytes word = separator ? (hb_bytes){0} : fold(icu, text + at, size, room);
        if (word.size > 0)
            tokens[count++] = (hb_token){HB_WORD, word};
    }
    return count;
}

size_t hb_words_icu_take(hb_words_icu *icu, hb_arena *room, hb_token *tokens)
{
    size_t count = take_wordless_lines(icu, room, tokens);
    if (icu->size > 0)
        count += take_words(icu, room, tokens + count);
    icu->size = 0;
    return count;
}
