/* sheet_scan.c - the words or the users of an encoded sheet, one by one, as sheet_code.c wrote them.
 *
 * No sheet is made, and what is not asked for is passed over: it takes a fraction of the time. Columns are read side by
 * side, each by a reader of its own. */
#include "views/code.h"
#include "views/sheet.h"

#include <stdio.h>
#include <stdlib.h>

static void skip_numbers(hb_code_reader *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hb_code_take(in);
}

static uint64_t sum_of_numbers(hb_code_reader *in, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += hb_code_take_up_to(in, HB_SHEET_NAME_MAX);
    return sum;
}

static uint64_t take_map(hb_code_reader *in)
{
    uint64_t minutes = 0;
    const uint64_t listed = hb_code_take(in);
    if (listed > HB_SHEET_MINUTES_LISTED) {
        const hb_bytes bytes = hb_code_take_bytes(in, 8);
        return bytes.size == 8 ? hb_code_take_fixed(bytes.data, 8) : 0;
    }
    for (uint64_t i = 0; i < listed; i++)
        minutes |= UINT64_C(1) << hb_code_take_up_to(in, HB_SHEET_MINUTES - 1);
    return minutes;
}

static void skip_text(hb_code_reader *in)
{
    hb_code_take_bytes(in, hb_code_take(in));
}

static void skip_minutes(hb_code_reader *in, unsigned version)
{
    size_t sampled = 0;
    skip_text(in); /* the channel */
    skip_numbers(in, 1);
    skip_text(in); /* the room id */
    skip_numbers(in, 3 + (version > 1 ? 5 : 3) * HB_SHEET_MINUTES);
    for (unsigned m = 0; m < HB_SHEET_MINUTES; m++)
        sampled += hb_code_take(in) > 0;
    for (size_t i = 0; i < sampled; i++) {
        skip_numbers(in, 2);
        skip_text(in);
        skip_text(in);
    }
}

static void skip_words(hb_code_reader *in)
{
    for (unsigned kind = 0; kind < HB_KINDS; kind++) {
        const size_t count = hb_code_take_count(in, 4, HB_SHEET_ENTRIES_MAX);
        skip_numbers(in, count);
        hb_code_take_bytes(in, sum_of_numbers(in, count));
        skip_numbers(in, count);
    }
}

/* Columns of texts, read side by side: the place in each. */
typedef struct text_columns {
    hb_code_reader shared;
    hb_code_reader further;
    hb_code_reader rests;
    hb_buffer text;
} text_columns;

static void enter_texts(hb_code_reader *in, size_t count, text_columns *columns)
{
    columns->text.size = 0;
    columns->shared = *in;
    skip_numbers(in, count);
    columns->further = *in;
    const uint64_t bytes = sum_of_numbers(in, count);
    columns->rests = *in;
    hb_code_take_bytes(in, bytes);
}

/* The next text, which holds until the one after it. */
static hb_bytes next_text(hb_code_reader *in, text_columns *columns)
{
    const size_t shared = hb_code_take_up_to(&columns->shared, HB_SHEET_NAME_MAX);
    const size_t further = hb_code_take_up_to(&columns->further, HB_SHEET_NAME_MAX);
    const hb_bytes rest = hb_code_take_bytes(&columns->rests, further);
    if (columns->shared.bad || columns->further.bad || columns->rests.bad || shared > columns->text.size ||
        shared + rest.size > HB_SHEET_NAME_MAX)
        hb_code_take_bad(in);
    else
        columns->text.size = shared;
    hb_buffer_append(&columns->text, rest);
    return hb_buffer_bytes(&columns->text);
}

static void scan_words(hb_code_reader *in, const hb_sheet_scanner *scanner)
{
    text_columns columns = {0};
    bool more = true;
    for (unsigned kind = 0; more && kind < HB_KINDS && !in->bad; kind++) {
        const size_t count = hb_code_take_count(in, 4, HB_SHEET_ENTRIES_MAX);
        enter_texts(in, count, &columns);
        for (size_t i = 0; more && i < count && !in->bad; i++) {
            const hb_bytes text = next_text(in, &columns);
            const uint32_t words = (uint32_t)hb_code_take_up_to(in, UINT32_MAX);
            more = in->bad || scanner->word(scanner->context, (hb_kind)kind, text, words);
        }
    }
    hb_buffer_free(&columns.text);
}

/* Columns behind the ids: the place in each. */
typedef struct user_columns {
    hb_code_reader messages;
    hb_code_reader words;
    hb_code_reader minutes;
    hb_code_reader name_sizes;
    hb_code_reader names;
} user_columns;

static void enter_users(hb_code_reader *in, size_t count, user_columns *columns)
{
    columns->messages = *in;
    skip_numbers(in, count);
    columns->words = *in;
    skip_numbers(in, count);
    columns->minutes = *in;
    for (size_t i = 0; i < count && !in->bad; i++)
        take_map(in);
    skip_numbers(in, count);
    columns->name_sizes = *in;
    columns->names = *in;
    skip_numbers(&columns->names, count);
    in->bad = in->bad || columns->names.bad;
}

static bool scan_user(hb_code_reader *in, user_columns *columns, hb_bytes id, const hb_sheet_scanner *scanner)
{
    const uint32_t messages = (uint32_t)hb_code_take_up_to(&columns->messages, UINT32_MAX);
    const uint32_t words = (uint32_t)hb_code_take_up_to(&columns->words, UINT32_MAX);
    const uint64_t minutes = take_map(&columns->minutes);
    const size_t size = hb_code_take_up_to(&columns->name_sizes, HB_SHEET_NAME_MAX);
    const hb_bytes name = hb_code_take_bytes(&columns->names, size);
    in->bad = in->bad || columns->messages.bad || columns->words.bad || columns->name_sizes.bad || columns->names.bad;
    return in->bad || scanner->user(scanner->context, id, name, messages, words, minutes);
}

static void scan_users(hb_code_reader *in, const hb_sheet_scanner *scanner)
{
    char id[24];
    uint64_t number = 0;
    bool more = true;
    text_columns texts = {0};
    user_columns columns = {0};
    const size_t numeric = hb_code_take_count(in, 6, HB_SHEET_ENTRIES_MAX); /* the id and five columns */
    hb_code_reader steps = *in;
    skip_numbers(in, numeric);
    const size_t others = hb_code_take_count(in, 8, HB_SHEET_ENTRIES_MAX);
    enter_texts(in, others, &texts);
    enter_users(in, numeric + others, &columns);
    for (size_t i = 0; more && i < numeric && !in->bad; i++) {
        number += hb_code_take(&steps);
        const hb_bytes text = {id, (size_t)snprintf(id, sizeof id, "%llu", (unsigned long long)number)};
        more = scan_user(in, &columns, text, scanner);
    }
    for (size_t i = 0; more && i < others && !in->bad; i++)
        more = scan_user(in, &columns, next_text(in, &texts), scanner);
    hb_buffer_free(&texts.text);
}

bool hb_sheet_scan(hb_bytes data, const hb_sheet_scanner *scanner, hb_error *error)
{
    char *raw = NULL;
    size_t size = 0;
    if (!hb_code_unseal(&hb_sheet_format, data, &raw, &size, error))
        return false;
    hb_code_reader in = {raw, size, 0, false};
    skip_minutes(&in, hb_code_version(data));
    if (scanner->user == NULL) {
        scan_words(&in, scanner);
    } else {
        skip_words(&in);
        scan_users(&in, scanner);
    }
    free(raw);
    return !in.bad || hb_code_refuse(&hb_sheet_format, error, HB_CODE_SENSELESS);
}
