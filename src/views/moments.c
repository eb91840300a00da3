/* moments.c - medians of 30 numbers are found by sorting them. Most minutes are told to be none before that: where the
 * score is reached, at least half of the past is below a bound that follows from the minute's own count.
 *
 * A tally keeps each (kind, word) once and, of (chatter, word), a hash that tells whether it was there already. */
#include "views/moments.h"

#include "base/map.h"
#include "views/sheet.h"

#include <math.h>
#include <stdlib.h>

enum {
    TALLY_WORDS = 1 << 16, /* different ones; further ones are left out */
    TALLY_USES = 1 << 20   /* (chatter, word) */
};

#define MAD_TO_DEVIATION 1.4826

/* ---- The score ---- */

static void sort_numbers(double *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const double number = numbers[i];
        size_t at = i;
        for (; at > 0 && numbers[at - 1] > number; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

static double median_of(double *numbers, size_t count)
{
    sort_numbers(numbers, count);
    return (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

static double z_of(double value, double *past, size_t count, double *usual)
{
    *usual = median_of(past, count);
    for (size_t i = 0; i < count; i++)
        past[i] = fabs(past[i] - *usual);
    const double spread = MAD_TO_DEVIATION * median_of(past, count);
    return (value - *usual) / fmax(spread, fmax(sqrt(*usual), 1));
}

/* Whether the minute is more than the last few, too. */
static bool is_more_than_lately(const hb_pace *minute)
{
    double lately[HB_MOMENT_LATELY];
    for (size_t i = 0; i < HB_MOMENT_LATELY; i++)
        lately[i] = minute[-(ptrdiff_t)i - 1].messages;
    const double median = median_of(lately, HB_MOMENT_LATELY);
    return minute->messages - median >= HB_MOMENT_SCORE * fmax(sqrt(median), 1);
}

/* Whether the score cannot be reached: z is at most (value - median) / sqrt(median), which is HB_MOMENT_SCORE where the
 * median is this bound; and half of the past is at most its median. */
static bool is_hopeless(const hb_pace *past, size_t count, const hb_pace *minute)
{
    const double root = (sqrt(HB_MOMENT_SCORE * HB_MOMENT_SCORE + 4.0 * minute->messages) - HB_MOMENT_SCORE) / 2;
    const double bound = root * root + 1e-6;
    size_t below = HB_MOMENT_PAST - count;
    for (size_t i = 0; i < count; i++)
        below += past[i].messages <= bound;
    return below < HB_MOMENT_PAST_LEAST / 2;
}

static double score_of(const hb_pace *minutes, size_t at, double *usual)
{
    double messages[HB_MOMENT_PAST];
    double chatters[HB_MOMENT_PAST];
    double usual_chatters = 0;
    size_t from = at < HB_MOMENT_PAST ? 0 : at - HB_MOMENT_PAST;
    if (is_hopeless(minutes + from, at - from, &minutes[at]))
        return 0;
    while (from < at && minutes[from].messages == 0)
        from++;
    const size_t count = at - from;
    if (count < HB_MOMENT_PAST_LEAST || !is_more_than_lately(&minutes[at]))
        return 0;
    for (size_t i = 0; i < count; i++) {
        messages[i] = minutes[from + i].messages;
        chatters[i] = minutes[from + i].chatters;
    }
    const double z = z_of(minutes[at].messages, messages, count, usual);
    if (*usual < 1 || z < HB_MOMENT_SCORE)
        return 0;
    const double score = fmin(z, z_of(minutes[at].chatters, chatters, count, &usual_chatters));
    return score < HB_MOMENT_SCORE ? 0 : score;
}

/* 0: it is none. */
static double may_be(const hb_pace *minutes, size_t count, size_t at, double *usual)
{
    if (at >= count || minutes[at].messages < HB_MOMENT_MESSAGES || minutes[at].chatters < HB_MOMENT_CHATTERS)
        return 0;
    return score_of(minutes, at, usual);
}

static bool is_highest(const hb_pace *minutes, size_t count, size_t at, double score)
{
    double usual = 0;
    for (size_t apart = 1; apart <= HB_MOMENT_NEAR; apart++)
        if ((at >= apart && may_be(minutes, count, at - apart, &usual) >= score) ||
            may_be(minutes, count, at + apart, &usual) > score)
            return false;
    return true;
}

size_t hb_moments_find(const hb_pace *minutes, size_t count, size_t first, size_t end, hb_moment *found)
{
    size_t moments = 0;
    for (size_t at = first; at < end && at < count; at++) {
        double usual = 0;
        const double score = may_be(minutes, count, at, &usual);
        if (score > 0 && is_highest(minutes, count, at, score))
            found[moments++] = (hb_moment){at, round(score * 100) / 100, usual};
    }
    return moments;
}

/* ---- What was said ---- */

typedef struct tally_word {
    hb_bytes text;
    uint64_t hash;
    uint64_t usual; /* how often it was said, in the sheets */
    uint32_t chatters;
    hb_kind kind;
} tally_word;

struct hb_moment_tally {
    tally_word *words;
    size_t count;
    size_t capacity;
    hb_map index;
    hb_map uses;
    uint64_t *use_hashes;
    size_t use_count;
    size_t use_capacity;
    uint64_t all;   /* uses counted */
    uint64_t usual; /* words of any kind in the sheets */
    hb_arena texts;
};

hb_moment_tally *hb_moment_tally_open(void)
{
    return hb_alloc(sizeof(hb_moment_tally));
}

void hb_moment_tally_close(hb_moment_tally *tally)
{
    if (tally == NULL)
        return;
    hb_map_free(&tally->index);
    hb_map_free(&tally->uses);
    hb_arena_free(&tally->texts);
    free(tally->use_hashes);
    free(tally->words);
    free(tally);
}

static uint64_t hash_of(hb_kind kind, hb_bytes text)
{
    return hb_hash(text, (uint64_t)kind + 1);
}

/* NULL: it is not there. */
static tally_word *find_word(const hb_moment_tally *tally, hb_kind kind, hb_bytes text, uint64_t hash)
{
    for (uint32_t at = hb_map_first(&tally->index, hash); at != HB_MAP_END; at = hb_map_next(&tally->index, hash, at)) {
        tally_word *const word = &tally->words[hb_map_entry(&tally->index, at)];
        if (word->hash == hash && word->kind == kind && hb_bytes_equal(word->text, text))
            return word;
    }
    return NULL;
}

static tally_word *make_word(hb_moment_tally *tally, hb_kind kind, hb_bytes text, uint64_t hash)
{
    if (tally->count == TALLY_WORDS)
        return NULL;
    HB_RESERVE(tally->words, tally->capacity, tally->count + 1);
    hb_map_insert(&tally->index, hash, (uint32_t)tally->count);
    tally->words[tally->count] = (tally_word){.text = hb_arena_copy(&tally->texts, text), .hash = hash, .kind = kind};
    return &tally->words[tally->count++];
}

/* Whether the chatter uses the word for the first time; takes note of it. */
static bool is_new_use(hb_moment_tally *tally, uint64_t hash)
{
    for (uint32_t at = hb_map_first(&tally->uses, hash); at != HB_MAP_END; at = hb_map_next(&tally->uses, hash, at))
        if (tally->use_hashes[hb_map_entry(&tally->uses, at)] == hash)
            return false;
    if (tally->use_count == TALLY_USES)
        return false;
    HB_RESERVE(tally->use_hashes, tally->use_capacity, tally->use_count + 1);
    hb_map_insert(&tally->uses, hash, (uint32_t)tally->use_count);
    tally->use_hashes[tally->use_count++] = hash;
    return true;
}

void hb_moment_tally_add(hb_moment_tally *tally, hb_bytes user_id, const hb_token *tokens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t hash = hash_of(tokens[i].kind, tokens[i].text);
        if (!is_new_use(tally, hb_hash(user_id, hash)))
            continue;
        tally_word *word = find_word(tally, tokens[i].kind, tokens[i].text, hash);
        if (word == NULL)
            word = make_word(tally, tokens[i].kind, tokens[i].text, hash);
        if (word != NULL)
            word->chatters++;
        tally->all++;
    }
}

static bool take_emote(void *context, hb_kind kind, hb_bytes text, uint32_t count)
{
    (void)count;
    if (kind == HB_EMOTE)
        hb_emote_set_add(context, text, 0);
    return true;
}

bool hb_moment_learn_emotes(hb_emote_set *emotes, hb_bytes sheet, hb_error *error)
{
    const hb_sheet_scanner scanner = {.context = emotes, .word = take_emote};
    return hb_sheet_scan(sheet, &scanner, error);
}

static bool take_usual(void *context, hb_kind kind, hb_bytes text, uint32_t count)
{
    hb_moment_tally *const tally = context;
    tally_word *const word = find_word(tally, kind, text, hash_of(kind, text));
    if (word != NULL)
        word->usual += count;
    tally->usual += count;
    return true;
}

bool hb_moment_tally_usual(hb_moment_tally *tally, hb_bytes sheet, hb_error *error)
{
    const hb_sheet_scanner scanner = {.context = tally, .word = take_usual};
    return hb_sheet_scan(sheet, &scanner, error);
}

static double part_of(double seen, double all, double share)
{
    return seen > 0 ? seen * log(seen / (all * share)) : 0;
}

/* Twice the log of the likelihood ratio: the word's share here and elsewhere being two, against one. 0 where the word's
 * share is not greater here. */
static double stands_out(const hb_moment_tally *tally, const tally_word *word)
{
    const double here = word->chatters;
    const double all_here = (double)tally->all;
    const double there = word->usual > word->chatters ? (double)(word->usual - word->chatters) : 0;
    const double all_there = tally->usual > tally->all ? (double)(tally->usual - tally->all) : 0;
    const double share = (here + there) / (all_here + all_there);
    if (here <= share * all_here)
        return 0;
    return 2 * (part_of(here, all_here, share) + part_of(there, all_there, share) +
                part_of(all_here - here, all_here, 1 - share) + part_of(all_there - there, all_there, 1 - share));
}

typedef struct ranked_word {
    const tally_word *word;
    double score;
} ranked_word;

static bool is_before(const ranked_word *a, const ranked_word *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    if (a->word->chatters != b->word->chatters)
        return a->word->chatters > b->word->chatters;
    if (a->word->kind != b->word->kind)
        return a->word->kind < b->word->kind;
    return hb_bytes_compare(a->word->text, b->word->text) < 0;
}

/* Where nothing is known but the moment's own chat, nothing stands out, and what most said comes first. */
size_t hb_moment_tally_words(const hb_moment_tally *tally, hb_word words[HB_MOMENT_WORDS])
{
    ranked_word ranked[HB_MOMENT_WORDS + 1];
    size_t count = 0;
    const bool alone = tally->usual <= tally->all;
    for (size_t i = 0; i < tally->count; i++) {
        const ranked_word next = {&tally->words[i], alone ? HB_MOMENT_WORD_SCORE : stands_out(tally, &tally->words[i])};
        if (next.word->chatters < HB_MOMENT_WORD_CHATTERS || !(next.score >= HB_MOMENT_WORD_SCORE))
            continue;
        size_t at = count;
        for (; at > 0 && is_before(&next, &ranked[at - 1]); at--)
            ranked[at] = ranked[at - 1];
        ranked[at] = next;
        count += count < HB_MOMENT_WORDS;
    }
    for (size_t i = 0; i < count; i++)
        words[i] = (hb_word){ranked[i].word->kind, ranked[i].word->text, ranked[i].word->chatters};
    return count;
}
