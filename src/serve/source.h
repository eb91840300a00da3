/* source.h - a store handle that follows its address: opened once the store is there, opened anew when another file has
 * taken its place. So serve may be started before process, and outlive a store. One thread at a time. */
#ifndef HB_SERVE_SOURCE_H
#define HB_SERVE_SOURCE_H

#include "store/store.h"

#include <sys/types.h>

typedef struct hb_source { /* zero-initialise, then set address (which must outlive it) */
    const char *address;
    hb_store *store;
    dev_t device;
    ino_t inode;
    uint32_t openings; /* grows with each handle: a generation means nothing to another handle */
} hb_source;

/* The store, which stays the source's; NULL and *error as hb_store_open: HB_ERROR_MISSING as long as there is none. */
hb_store *hb_source_store(hb_source *source, hb_error *error);

/* Closes the store, so that the next call opens it anew: after an error of the store itself. */
void hb_source_reset(hb_source *source);

#endif
