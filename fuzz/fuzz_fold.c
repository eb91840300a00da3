/* fuzz_fold.c - any bytes as lines of a log: folded at once and line by line they give the same sheets (emotes are told
 * before what is said with them), and what a sheet holds can be written down and read back. */
#include "base/memory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hb_fold *open_fold(void)
{
    hb_error error;
    hb_fold *fold = hb_fold_open(&error);
    if (fold == NULL)
        abort();
    return fold;
}

static hb_sheet *find_sheet(hb_fold *fold, const hb_sheet *like)
{
    size_t cursor = 0;
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(fold, &cursor)) != NULL;)
        if (hb_sheet_hour(sheet) == hb_sheet_hour(like) &&
            hb_bytes_equal(hb_sheet_channel(sheet), hb_sheet_channel(like)))
            return sheet;
    abort();
}

static void check_sheet(const hb_sheet *one, const hb_sheet *other)
{
    hb_error error;
    char *data[2];
    size_t size[2];
    hb_sheet_encode(one, &data[0], &size[0]);
    hb_sheet_encode(other, &data[1], &size[1]);
    if (size[0] != size[1] || memcmp(data[0], data[1], size[0]) != 0)
        abort();
    hb_sheet *back = hb_sheet_decode((hb_bytes){data[0], size[0]}, &error);
    if (back == NULL)
        abort();
    hb_sheet_close(back);
    hb_free(data[0]);
    hb_free(data[1]);
}

static bool tells_emotes(hb_bytes line)
{
    hb_fact fact;
    return hb_fact_read(line, &fact) == HB_FACT_OK && fact.kind == HB_FACT_EMOTES;
}

/* Folds line by line those that tell of emotes, or all others. */
static void fold_some(hb_fold *fold, hb_bytes lines, bool emotes)
{
    hb_bytes line;
    while (hb_bytes_cut(&lines, '\n', &line)) {
        if (tells_emotes(line) != emotes)
            continue;
        char *copy = hb_copy_text(line);
        copy[line.size] = '\n'; /* in the place of the NUL: a read past the end is seen */
        hb_fold_lines(fold, (hb_bytes){copy, line.size + 1});
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const hb_bytes lines = {(const char *)data, size};
    hb_fold *whole = open_fold();
    hb_fold *single = open_fold();
    hb_fold_lines(whole, lines);
    fold_some(single, lines, true);
    fold_some(single, lines, false);
    size_t cursor = 0;
    for (hb_sheet *sheet; (sheet = hb_fold_next_sheet(whole, &cursor)) != NULL;)
        check_sheet(sheet, find_sheet(single, sheet));
    hb_fold_close(whole);
    hb_fold_close(single);
    return 0;
}
