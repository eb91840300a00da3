/* chat_people.c - people out of numbers.
 *
 * A login is two words, a style and a suffix; which ones is a permutation of the number's lower bits, and its upper
 * bits are the suffix, so that logins never repeat and frequent chatters (low numbers) have the short ones. */
#include "twitch/chat_people.h"
#include "twitch/chat_vocabulary.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_WORDS = 64, SECOND_WORDS = 128, SUFFIX_PRIME = 9973, FIRST_USER_ID = 30000000 };

struct hb_people {
    uint64_t seed;
    hb_bytes *first;
    hb_bytes *second;
    hb_bytes *endings;
    hb_bytes *names;
    hb_bytes *colors;
    size_t name_count;
    size_t color_count;
};

hb_people *hb_people_open(uint64_t seed)
{
    hb_people *people = hb_alloc(sizeof *people);
    size_t count = 0;
    people->seed = hb_dice_mix(seed + 1);
    people->first = hb_vocabulary_split(hb_vocabulary_first, &count);
    people->second = hb_vocabulary_split(hb_vocabulary_second, &count);
    people->endings = hb_vocabulary_split(hb_vocabulary_endings, &count);
    people->names = hb_vocabulary_split(hb_vocabulary_names, &people->name_count);
    people->colors = hb_vocabulary_split(hb_vocabulary_colors, &people->color_count);
    return people;
}

void hb_people_close(hb_people *people)
{
    if (people == NULL)
        return;
    free(people->first);
    free(people->second);
    free(people->endings);
    free(people->names);
    free(people->colors);
    free(people);
}

static size_t put(char *out, size_t at, hb_bytes text, bool capital)
{
    memcpy(out + at, text.data, text.size);
    if (capital && out[at] >= 'a' && out[at] <= 'z')
        out[at] = (char)(out[at] - 'a' + 'A');
    return at + text.size;
}

static size_t put_number(char *out, size_t at, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        out[at++] = digits[--count];
    return at;
}

/* "owl" and "nightowl" come in four styles. Each style's texts differ from the others': "_", "its", "x" at the front
 * begin none of the words. */
static size_t put_login(const hb_people *people, uint64_t number, bool capitals, char *out)
{
    const uint32_t mixed = (uint32_t)((number * 0x9e3779b1u + people->seed) & 0x7fff);
    const uint32_t style = mixed >> 13;
    const uint64_t upper = number >> 15;
    size_t size = 0;
    if (style == 1)
        size = put(out, size, HB_BYTES("its"), capitals);
    if (style == 2)
        size = put(out, size, HB_BYTES("x"), false);
    size = put(out, size, people->first[mixed % FIRST_WORDS], capitals);
    if (style >= 2)
        size = put(out, size, HB_BYTES("_"), false);
    size = put(out, size, people->second[mixed / FIRST_WORDS % SECOND_WORDS], capitals);
    if (upper == 0)
        return size;
    /* A permutation of the suffixes, so that not all people of one generation share theirs. */
    return put_number(out, size, upper >= SUFFIX_PRIME ? upper : (upper * 7919 + mixed) % SUFFIX_PRIME);
}

void hb_people_get(const hb_people *people, uint64_t number, hb_person *person)
{
    person->number = number;
    person->traits = hb_dice_mix(number + people->seed);
    person->user_id = FIRST_USER_ID + ((number * 0x2545f491u + people->seed) & 0x3fffffff);
    person->login_size = put_login(people, number, false, person->login);
    const uint32_t looks = person->traits & 63;
    person->name_size = 0;
    if (looks < 2) {
        const size_t which = (size_t)(person->traits >> 8) % people->name_count;
        person->name_size = put(person->name, 0, people->names[which], false);
        person->name_size =
            put(person->name, person->name_size, people->names[which / 4 * 4 + (person->traits >> 20) % 2], false);
    } else if (looks < 36) {
        person->name_size = put_login(people, number, true, person->name);
    } else {
        memcpy(person->name, person->login, person->login_size);
        person->name_size = person->login_size;
    }
}

size_t hb_people_channel(const hb_people *people, uint64_t number, char *out)
{
    const uint32_t mixed = (uint32_t)((number * 0x9e3779b1u + (people->seed >> 20)) & 0xffff);
    const uint32_t words = mixed % (FIRST_WORDS * SECOND_WORDS);
    const hb_bytes ending = people->endings[mixed / (FIRST_WORDS * SECOND_WORDS)];
    size_t size = put(out, 0, people->first[words % FIRST_WORDS], false);
    size = put(out, size, people->second[words / FIRST_WORDS], false);
    return put(out, size, ending, false);
}

hb_bytes hb_people_color(const hb_people *people, const hb_person *person, char out[8])
{
    const uint32_t kind = (person->traits >> 40) & 15;
    if (kind < 2)
        return HB_BYTES("");
    if (kind < 11)
        return people->colors[(size_t)(person->traits >> 44) % people->color_count];
    snprintf(out, 8, "#%06X", (unsigned)(person->traits >> 30) & 0xffffff);
    return (hb_bytes){out, 7};
}
