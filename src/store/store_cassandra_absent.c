/* store_cassandra_absent.c - in place of the Cassandra store, in a hubbub that was built without. */
#include "base/address.h"
#include "base/error.h"
#include "store/store_kind.h"

static hb_store *open_store(const char *address, hb_store_mode mode, hb_error *error)
{
    const hb_bytes shown = hb_address_shown(address);
    (void)mode;
    hb_fail(error, HB_ERROR_MISSING,
            "cannot open the store %.*s: this hubbub was built without Cassandra; build it where cargo (Rust 1.88 or "
            "newer) can get crates: 'meson setup -Dcql=enabled' says what is missing",
            HB_PRINT(shown));
    return NULL;
}

const hb_store_kind hb_store_cassandra = {.open = open_store};
