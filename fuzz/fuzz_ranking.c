/* fuzz_ranking.c - any bytes as a ranking and as a sheet that is scanned: as they are; and, so that the checksum and
 * zstd keep nothing from the reader, as the payload behind a head that is right. What is read must write down to what
 * reads the same again. */
#include "views/ranking.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(hb_ranking_kind kind, hb_bytes bytes, bool sheet)
{
    hb_error error;
    char *first = NULL;
    char *second = NULL;
    size_t first_size = 0;
    size_t second_size = 0;
    hb_ranking *ranking = hb_ranking_open(kind, HB_KINDS);
    hb_ranking *back = hb_ranking_open(kind, HB_KINDS);
    if (sheet ? hb_ranking_add_sheet(ranking, 7200, bytes, &error) : hb_ranking_add_encoded(ranking, bytes, &error)) {
        hb_ranking_encode(ranking, &first, &first_size);
        if (!hb_ranking_add_encoded(back, (hb_bytes){first, first_size}, &error))
            abort();
        hb_ranking_encode(back, &second, &second_size);
        if (first_size != second_size || memcmp(first, second, first_size) != 0)
            abort();
    }
    free(first);
    free(second);
    hb_ranking_close(ranking);
    hb_ranking_close(back);
}

static void check_all(hb_bytes bytes, bool sheet)
{
    check(HB_RANKING_WORDS, bytes, sheet);
    check(HB_RANKING_USERS, bytes, sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const bool sheet = data[0] % 2 == 1;
    const hb_bytes input = {(const char *)data + 1, size - 1};
    char *sealed = malloc(16 + ZSTD_compressBound(input.size));
    if (sealed == NULL)
        return 0;
    check_all(input, sheet);
    const size_t packed = ZSTD_compress(sealed + 16, ZSTD_compressBound(input.size), input.data, input.size, 1);
    const uint32_t plain = (uint32_t)input.size;
    memcpy(sealed, sheet ? "HBS\1" : "HBR\1", 4);
    memcpy(sealed + 12, &plain, 4);
    const uint64_t sum = XXH3_64bits(sealed + 12, 4 + packed);
    memcpy(sealed + 4, &sum, 8);
    check_all((hb_bytes){sealed, 16 + packed}, sheet);
    free(sealed);
    return 0;
}
