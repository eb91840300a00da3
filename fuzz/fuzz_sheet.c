/* fuzz_sheet.c - any bytes as a sheet. As they are; and, so that the checksum and zstd keep nothing from the decoder,
 * as the payload of a sheet whose head is right. What is read must write down to what reads the same again. */
#include "base/memory.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(hb_bytes bytes)
{
    hb_error error;
    hb_sheet *sheet = hb_sheet_decode(bytes, &error);
    if (sheet == NULL)
        return;
    char *first = NULL;
    char *second = NULL;
    size_t first_size = 0;
    size_t second_size = 0;
    hb_sheet_encode(sheet, &first, &first_size);
    hb_sheet *back = hb_sheet_decode((hb_bytes){first, first_size}, &error);
    if (back == NULL)
        abort();
    hb_sheet_encode(back, &second, &second_size);
    if (first_size != second_size || memcmp(first, second, first_size) != 0)
        abort();
    /* Merged with itself it must stay something that can be written and read. */
    if (hb_sheet_merge(sheet, back, &error)) {
        hb_free(second);
        hb_sheet_encode(sheet, &second, &second_size);
        hb_sheet *merged = hb_sheet_decode((hb_bytes){second, second_size}, &error);
        if (merged == NULL)
            abort();
        hb_sheet_close(merged);
    }
    hb_free(first);
    hb_free(second);
    hb_sheet_close(back);
    hb_sheet_close(sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *sheet = malloc(16 + ZSTD_compressBound(size));
    if (sheet == NULL)
        return 0;
    check((hb_bytes){(const char *)data, size});
    const size_t packed = ZSTD_compress(sheet + 16, ZSTD_compressBound(size), data, size, 1);
    const uint32_t plain = (uint32_t)size;
    memcpy(sheet, "HBS\1", 4);
    memcpy(sheet + 12, &plain, 4);
    const uint64_t sum = XXH3_64bits(sheet + 12, 4 + packed);
    memcpy(sheet + 4, &sum, 8);
    check((hb_bytes){sheet, 16 + packed});
    free(sheet);
    return 0;
}
