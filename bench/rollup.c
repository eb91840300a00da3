/* rollup.c - how long it takes to make all days and months of a store: bench_rollup STORE. It changes the store. */
#include "store/rollup.h"

#include "base/clock.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    hb_error error = {0};
    hb_store *store = argc == 2 ? hb_store_open(argv[1], HB_STORE_WRITE, &error) : NULL;
    if (store == NULL) {
        fprintf(stderr, "bench_rollup STORE: %s\n", error.text);
        return 1;
    }
    hb_rollup *rollup = hb_rollup_open(store);
    const int64_t start_ms = hb_monotonic_ms();
    int64_t longest_ms = 0;
    int steps = 0;
    bool good = true;
    for (bool more = true; good && more; steps++) {
        const int64_t before_ms = hb_monotonic_ms();
        good = hb_rollup_step(rollup, 0, hb_now_ms() / 1000, &more, &error);
        const int64_t took_ms = hb_monotonic_ms() - before_ms;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    printf("%d steps in %.1f s, the longest %lld ms\n", steps, (double)(hb_monotonic_ms() - start_ms) / 1000,
           (long long)longest_ms);
    if (!good)
        fprintf(stderr, "%s\n", error.text);
    hb_rollup_close(rollup);
    hb_store_close(store);
    return good ? 0 : 1;
}
