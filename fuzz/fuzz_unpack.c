/* fuzz_unpack.c - any bytes as what is imported: unpacking ends, in bounded steps; plain text comes out as it is. */
#include "log/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(right)                                                                                                   \
    do {                                                                                                               \
        if (!(right)) {                                                                                                \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #right);                                                \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    if (file < 0)
        file = memfd_create("fuzz", 0);
    check(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    lseek(file, 0, SEEK_SET);

    const bool packed =
        size >= 2 && (memcmp(data, "\x1f\x8b", 2) == 0 ||
                      (size >= 4 && (memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0 ||
                                     ((data[0] & 0xf0) == 0x50 && memcmp(data + 1, "\x2a\x4d\x18", 3) == 0))));
    hb_error error = {0};
    hb_unpack *unpack = hb_unpack_open(file, "fuzz");
    hb_buffer out = {0};
    size_t total = 0;
    bool more = true;
    bool read = true;
    while (read && more && total < 64 << 20) { /* a few bytes can unpack to gigabytes: that is the reader's to stop */
        out.size = 0;
        read = hb_unpack_read(unpack, &out, &more, &error);
        check(out.size <= 1 << 20);
        if (!packed && out.size > 0)
            check(total + out.size <= size && memcmp(out.data, data + total, out.size) == 0);
        total += out.size;
    }
    check(read || error.text[0] != '\0');
    check(packed || (read && total == size));
    check(hb_unpack_taken(unpack) <= size);
    hb_buffer_free(&out);
    hb_unpack_close(unpack);
    return 0;
}
