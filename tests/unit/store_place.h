/* store_place.h - a folder of its own for a test's store, and changes applied to it: what tests of the store and of its
 * answers start from. */
#ifndef HB_TESTS_STORE_PLACE_H
#define HB_TESTS_STORE_PLACE_H

#include "scratch.h"
#include "unit.h"

#include "store/store.h"

static char directory[SCRATCH_NAME];
static char path[96];

static int make_directory(void **state)
{
    (void)state;
    if (!scratch_make(directory))
        return -1;
    snprintf(path, sizeof path, "%s/hubbub.db", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return scratch_remove(directory) ? 0 : -1;
}

static void apply(hb_store *store, const hb_changes *changes)
{
    hb_error error = {0};
    if (hb_store_apply(store, changes, &error))
        return;
    print_error("%s\n", error.text);
    fail();
}

#endif
