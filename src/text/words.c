/* words.c - a message's text into tokens.
 *
 * A text is first brought into two forms of equal length: `clean` (valid UTF-8, spelled as sent) and `work` (the same
 * with ASCII letters in lower case and all white space outside ASCII replaced by spaces, a byte for a byte). Emotes are
 * cut out of `clean` and overwritten with spaces in `work`. Then one pass over `work` takes chunk after chunk: links,
 * mentions, and words. Chunks of ASCII, and of letters that are two bytes in UTF-8 before and after folding (most of
 * Latin, Greek, Cyrillic, Arabic), are split right here by a table; any other chunk is handed to ICU (words_icu.c), all
 * of a message's at once. Most tokens are slices of `work`, so an ASCII message costs no allocation and two passes.
 *
 * What the rules leave open, and docs/words.md says to users:
 *
 * - Invisible characters: U+E0000 is white space wherever it stands. Other default-ignorable code points are white
 *   space where a whole chunk consists of them; inside a chunk they stay (and vanish from words by NFKC_Casefold).
 * - Emotes: a range that is reversed, not two numbers, or goes beyond the text is ignored as a whole. Of overlapping
 *   ranges the one that starts first counts, of those the longest.
 * - Emotes that the channel has from elsewhere (emote_set.h) are whole chunks of what is left then.
 * - Command: the first chunk as sent, emotes included: no command follows an emote, and a chunk that an emote range
 *   touches is none. Only invisible chunks may stand before it. The letter may be of any script.
 * - Links: see words_link.c. Mention: `@` is taken with the longest run of login characters behind it; the rest of the
 *   chunk is text, never a second mention or a link.
 * - `@` and the colons (U+003A, U+FE55, U+FF1A) separate words: ICU versions differ in them (72 joins at `@`, 72 and 73
 *   separate at colons, others the other way round), and counts must not depend on the version.
 * - Words follow UAX #29 otherwise. In ASCII: letters, digits and `_` make words; `.` and `'` join two letters or two
 *   digits, `,` and `;` two digits. A word that is only default-ignorable (Hangul fillers) is none.
 * - A text is read up to its first MiB (Twitch allows 500 characters), so memory has a bound.
 */
#include "text/words_paths.h"

#include "text/emote_ranges.h"
#include "text/emote_set.h"
#include "text/utf8.h"

#include <stdlib.h>

enum {
    TEXT_MAX = 1 << 20,
    SLACK = 8, /* bytes that may be written behind a text, eight being read at a time */
};

/* What a byte of `work` is to the splitting of ASCII (UAX #29). A byte that joins two letters (or digits) carries the
 * letters' (or digits') bit shifted left by JOINS. */
enum {
    LETTER = 1,
    DIGIT = 2,
    LOW_LINE = 4, /* ExtendNumLet */
    JOINS = 3,
    MID_LETTER = LETTER << JOINS,
    MID_NUMBER = DIGIT << JOINS,
    SPACE = 32,
    FOREIGN = 64, /* for ICU to tell */
    PAIR = 128,   /* starts a sequence of two bytes: hb_words_icu_pairs tells */
    IN_WORD = LETTER | DIGIT | LOW_LINE
};

static const unsigned char kinds[256] = {
    ['A' ... 'Z'] = LETTER,
    ['a' ... 'z'] = LETTER,
    ['0' ... '9'] = DIGIT,
    ['_'] = LOW_LINE,
    ['.'] = MID_LETTER | MID_NUMBER,
    ['\''] = MID_LETTER | MID_NUMBER,
    [','] = MID_NUMBER,
    [';'] = MID_NUMBER,
    ['\t' ... '\r'] = SPACE,
    [' '] = SPACE,
    [0x80 ... 0xc1] = FOREIGN,
    [0xe0 ... 0xff] = FOREIGN,
    [0xc2 ... 0xdf] = PAIR,
};

struct hb_words {
    hb_words_icu *icu;
    bool slowly;      /* everything through ICU */
    hb_buffer clean;  /* not used where the text is ASCII */
    hb_buffer work;   /* ends with a space that is not counted in size */
    hb_arena room;    /* texts of tokens that are no slices of the others */
    hb_token *tokens; /* room for one a code point */
    size_t count;
    size_t capacity;
    uint32_t *ends; /* by first code point of an emote: the code point behind its last; 0 where none starts */
    size_t ends_capacity;
    const hb_emote_set *set; /* of the text in hand; may be NULL */
    uint32_t at_ms;
    uint16_t pairs[HB_WORDS_PAIRS];
};

hb_words *hb_words_open(hb_error *error)
{
    hb_words_icu *icu = hb_words_icu_open(error);
    if (icu == NULL)
        return NULL;
    hb_words *words = hb_alloc(sizeof *words);
    words->icu = icu;
    hb_words_icu_pairs(icu, words->pairs);
    return words;
}

void hb_words_close(hb_words *words)
{
    if (words == NULL)
        return;
    hb_words_icu_close(words->icu);
    hb_buffer_free(&words->clean);
    hb_buffer_free(&words->work);
    hb_arena_free(&words->room);
    free(words->tokens);
    free(words->ends);
    free(words);
}

static void push(hb_words *words, hb_kind kind, const char *data, size_t size)
{
    words->tokens[words->count++] = (hb_token){kind, {data, size}};
}

static unsigned kind_of(char c)
{
    return kinds[(unsigned char)c];
}

/* The chunk at `at`, up to the next white space; `work` ends with a space. */
static hb_bytes chunk_at(const char *at)
{
    size_t size = 0;
    while ((kind_of(at[size]) & SPACE) == 0)
        size++;
    return (hb_bytes){at, size};
}

/* ---- clean and work ---- */

/* Copies ASCII text to out in lower case, eight bytes at a time (out has SLACK bytes more); false at the first eight
 * bytes that are not all ASCII. */
static bool copy_lower(hb_bytes text, char *out)
{
    const uint64_t each = 0x0101010101010101;
    for (size_t at = 0; at < text.size; at += sizeof each) {
        uint64_t eight = 0;
        memcpy(&eight, text.data + at, text.size - at < sizeof eight ? text.size - at : sizeof eight);
        if ((eight & each * 0x80) != 0)
            return false;
        /* The top bit of a byte tells after the first addition c >= 'A', after the second c > 'Z'. */
        const uint64_t upper = ((eight + each * (0x80 - 'A')) ^ (eight + each * (0x7f - 'Z'))) & each * 0x80;
        eight |= upper >> 2; /* 0x80 becomes 0x20, by which letters differ in case */
        memcpy(out + at, &eight, sizeof eight);
    }
    return true;
}

/* Unicode's White_Space outside ASCII, and U+E0000, which chatters append to repeat a message. */
static bool is_wide_space(uint32_t code_point)
{
    switch (code_point) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2000 ... 0x200a:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
    case 0xe0000:
        return true;
    default:
        return false;
    }
}

/* Fills clean and work from a text that is not all ASCII; returns how many code points it has. */
static size_t clean_up(hb_words *words, hb_bytes text, bool *bad_utf8)
{
    words->clean.size = words->work.size = 0;
    char *clean = hb_buffer_room(&words->clean, text.size * 3); /* a bad byte becomes the three of U+FFFD */
    char *work = hb_buffer_room(&words->work, text.size * 3 + SLACK);
    size_t size = 0;
    size_t code_points = 0;
    for (size_t at = 0; at < text.size; code_points++) {
        const unsigned char byte = (unsigned char)text.data[at];
        if (byte < 0x80) {
            clean[size] = (char)byte;
            work[size++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
            at++;
            continue;
        }
        uint32_t code_point = hb_utf8_next(text, &at, bad_utf8);
        if (code_point == 0xe0002) /* chat clients send it for the joiner */
            code_point = 0x200d;
        const size_t length = hb_utf8_put(code_point, clean + size);
        if (is_wide_space(code_point))
            memset(work + size, ' ', length);
        else
            memcpy(work + size, clean + size, length);
        size += length;
    }
    words->clean.size = words->work.size = size;
    return code_points;
}

/* ---- Commands and emotes ---- */

/* The message's first chunk, if it is a command; else nothing. */
static hb_bytes find_command(const hb_words *words)
{
    const char *at = words->work.data;
    const char *stop = at + words->work.size;
    hb_bytes chunk = {0};
    for (;; at += chunk.size) {
        while (at < stop && (kind_of(*at) & SPACE) != 0)
            at++;
        if (at >= stop)
            return (hb_bytes){0};
        chunk = chunk_at(at);
        if (*at == '!')
            return hb_words_starts_with_letter(hb_bytes_from(chunk, 1)) ? chunk : (hb_bytes){0};
        if (!hb_words_invisible(chunk))
            return (hb_bytes){0};
    }
}

/* Notes in words->ends where emotes start and end, and returns the code point behind the last start. */
static size_t read_emotes(hb_words *words, hb_bytes tag, size_t code_points)
{
    size_t starts = 0;
    HB_RESERVE(words->ends, words->ends_capacity, code_points);
    memset(words->ends, 0, code_points * sizeof *words->ends);
    hb_emote_ranges ranges = {.rest = tag};
    while (hb_emote_ranges_next(&ranges)) {
        if (ranges.last >= code_points)
            continue;
        if (words->ends[ranges.first] <= ranges.last)
            words->ends[ranges.first] = ranges.last + 1;
        if (starts <= ranges.first)
            starts = ranges.first + 1;
    }
    return starts;
}

static size_t skip_code_points(hb_bytes text, size_t at, size_t count)
{
    for (; count > 0; count--)
        do
            at++;
        while (at < text.size && ((unsigned char)text.data[at] & 0xc0) == 0x80);
    return at;
}

/* Takes the emotes that the tag tells of out of work. *command is none any more where an emote touches it. */
static void take_emotes(hb_words *words, hb_bytes clean, hb_bytes tag, size_t code_points, hb_bytes *command)
{
    const size_t starts = read_emotes(words, tag, code_points);
    const bool ascii = clean.size == code_points;
    size_t at = 0;
    for (size_t i = 0; i < starts;) {
        size_t next = i;
        while (words->ends[next] == 0) /* there is one before starts */
            next++;
        const size_t start = ascii ? next : skip_code_points(clean, at, next - i);
        i = words->ends[next];
        at = ascii ? i : skip_code_points(clean, start, i - next);
        push(words, HB_EMOTE, clean.data + start, at - start);
        memset(words->work.data + start, ' ', at - start);
        if (command->size > 0 && command->data < words->work.data + at &&
            command->data + command->size > words->work.data + start)
            command->size = 0;
    }
}

/* ---- Chunks ---- */

/* What stands at `at`. A letter of two bytes gets its folded spelling. */
static inline unsigned look(const hb_words *words, char *at)
{
    const unsigned kind = kind_of(*at);
    if ((kind & PAIR) == 0)
        return kind;
    const uint16_t pair = words->pairs[((unsigned char)at[0] & 0x1fu) << 6 | ((unsigned char)at[1] & 0x3fu)];
    if (pair <= HB_WORDS_APART)
        return pair == HB_WORDS_ICU ? FOREIGN : PAIR;
    memcpy(at, &pair, sizeof pair);
    return LETTER | PAIR;
}

/* Steps over letters, digits and `_`, from the one at *at, which is of the kind *kind: moves *at behind them, sets
 * *kind to what stands there and *last to the last one's, and returns all kinds passed. */
static inline unsigned pass_letters(const hb_words *words, char **at, unsigned *kind, unsigned *last)
{
    char *next = *at;
    unsigned seen = 0;
    while ((*kind & IN_WORD) != 0) {
        next += (*kind & PAIR) != 0 ? 1 : 0; /* to its last byte */
        do {
            *last = *kind;
            seen |= *kind;
            *kind = kind_of(*++next);
        } while ((*kind & IN_WORD) != 0); /* the most of any text passes here */
        if ((*kind & PAIR) != 0)
            *kind = look(words, next);
    }
    *at = next;
    return seen;
}

/* Splits the text at `at` into words, up to the chunk's end, and returns that end; NULL, with words pushed in vain,
 * when the chunk holds anything for ICU. The rules of UAX #29 that are left when `@` and `:` separate: WB5 to WB13b. */
static char *take_words(hb_words *words, char *at)
{
    for (;;) {
        unsigned kind = look(words, at);
        if ((kind & IN_WORD) == 0) {
            if ((kind & (SPACE | FOREIGN)) != 0)
                return (kind & SPACE) != 0 ? at : NULL;
            at += (kind & PAIR) != 0 ? 2 : 1;
            continue;
        }
        const char *start = at;
        unsigned last = 0;
        unsigned seen = pass_letters(words, &at, &kind, &last);
        /* A byte that joins is inside a word where it stands between two letters, or two digits. at[1] is there: a
         * space follows the text. */
        while ((kind >> JOINS & last & (LETTER | DIGIT)) != 0) {
            const unsigned next = look(words, at + 1);
            if ((kind >> JOINS & last & next & (LETTER | DIGIT)) == 0)
                break;
            at++;
            kind = next;
            seen |= pass_letters(words, &at, &kind, &last);
        }
        if ((seen & (LETTER | DIGIT)) != 0)
            push(words, HB_WORD, start, (size_t)(at - start));
    }
}

/* Takes the tokens of the chunk at `at` and returns its end. */
static char *take_chunk(hb_words *words, char *at)
{
    if (*at == 'h' || *at == 'w') {
        const hb_bytes chunk = chunk_at(at);
        const hb_bytes host = hb_words_link_host(chunk);
        if (host.size > 0) {
            const hb_bytes lower = hb_words_lower(host, &words->room);
            push(words, HB_LINK, lower.data, lower.size);
            return at + chunk.size;
        }
    } else if (*at == '@') {
        const char *start = at++;
        while ((kind_of(*at) & IN_WORD) != 0)
            at++;
        if (at - start > 1)
            push(words, HB_MENTION, start, (size_t)(at - start));
    }
    const size_t before = words->count;
    char *end = words->slowly ? NULL : take_words(words, at);
    if (end != NULL)
        return end;
    words->count = before;
    const hb_bytes piece = chunk_at(at);
    hb_words_icu_add(words->icu, piece);
    return at + piece.size;
}

/* Takes the chunk at `at` if it is an emote of the set, and moves `at` behind it. `sent`: the same place in clean. */
static bool take_set_emote(hb_words *words, const char *sent, char **at)
{
    const hb_bytes chunk = {sent, chunk_at(*at).size};
    if (!hb_emote_set_has(words->set, chunk, words->at_ms))
        return false;
    push(words, HB_EMOTE, chunk.data, chunk.size);
    *at += chunk.size;
    return true;
}

static void take_chunks(hb_words *words, hb_bytes clean, char *at)
{
    const char *stop = words->work.data + words->work.size;
    while (at < stop) {
        if ((kind_of(*at) & SPACE) != 0)
            at++;
        else if (words->set == NULL || !hb_emote_set_may_start(words->set, at) ||
                 !take_set_emote(words, clean.data + (at - words->work.data), &at))
            at = take_chunk(words, at);
    }
    words->count += hb_words_icu_take(words->icu, &words->room, words->tokens + words->count);
}

/* The text's first MiB, cut between sequences. */
static hb_bytes bounded(hb_bytes text)
{
    if (text.size <= TEXT_MAX)
        return text;
    text.size = TEXT_MAX;
    for (size_t back = 0; back < 3 && ((unsigned char)text.data[text.size] & 0xc0) == 0x80; back++)
        text.size--;
    return text;
}

size_t hb_words_split_with(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_emote_set *set, uint32_t at_ms,
                           const hb_token **tokens, bool *bad_utf8)
{
    text = bounded(text);
    *bad_utf8 = false;
    words->count = 0;
    words->set = set;
    words->at_ms = at_ms;
    hb_arena_reset(&words->room);
    HB_RESERVE(words->tokens, words->capacity, text.size + 1); /* a token takes at least one code point */
    words->work.size = 0;
    hb_bytes clean = text;
    size_t code_points = text.size;
    if (copy_lower(text, hb_buffer_room(&words->work, text.size + SLACK))) {
        words->work.size = text.size;
    } else {
        code_points = clean_up(words, text, bad_utf8);
        clean = hb_buffer_bytes(&words->clean);
    }
    words->work.data[words->work.size] = ' ';

    hb_bytes command = find_command(words);
    if (emotes.size > 0 && code_points > 0)
        take_emotes(words, clean, emotes, code_points, &command);
    char *rest = words->work.data;
    if (command.size > 0) {
        rest += command.data - words->work.data + (ptrdiff_t)command.size;
        const hb_bytes lower = hb_words_lower(command, &words->room);
        push(words, HB_COMMAND, lower.data, lower.size);
    }
    take_chunks(words, clean, rest);
    *tokens = words->tokens;
    return words->count;
}

size_t hb_words_split(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_token **tokens, bool *bad_utf8)
{
    return hb_words_split_with(words, text, emotes, NULL, 0, tokens, bad_utf8);
}

size_t hb_words_split_slowly(hb_words *words, hb_bytes text, hb_bytes emotes, const hb_token **tokens, bool *bad_utf8)
{
    words->slowly = true;
    const size_t count = hb_words_split(words, text, emotes, tokens, bad_utf8);
    words->slowly = false;
    return count;
}
