/* store_cassandra.c - the store that many writers on many machines share. */
#include "store/store_kind.h"

#include "base/address.h"
#include "base/error.h"

static hb_store *open_store(const char *address, hb_store_mode mode, hb_error *error)
{
    const hb_bytes shown = hb_address_shown(address);
    (void)mode;
    hb_fail(error, HB_ERROR_MISSING,
            "cannot open the store %.*s: this hubbub was built without Cassandra; build it where "
            "there is cargo of Rust 1.84 or newer, with the option cql=enabled",
            HB_PRINT(shown));
    return NULL;
}

const hb_store_kind hb_store_cassandra = {.open = open_store};
