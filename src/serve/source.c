/* source.c - a path is looked at before each use (one stat): SQLite itself would go on reading a file that was deleted
 * or replaced. An address that is no path has no inode and is never looked at again. */
#include "serve/source.h"

#include <sys/stat.h>

void hb_source_reset(hb_source *source)
{
    hb_store_close(source->store);
    source->store = NULL;
}

hb_store *hb_source_store(hb_source *source, hb_error *error)
{
    struct stat status = {0};
    if (stat(source->address, &status) != 0)
        status = (struct stat){0};
    if (source->store != NULL && (status.st_ino != source->inode || status.st_dev != source->device))
        hb_source_reset(source);
    if (source->store == NULL) {
        source->store = hb_store_open(source->address, HB_STORE_READ, error);
        source->inode = status.st_ino;
        source->device = status.st_dev;
        source->openings++;
    }
    return source->store;
}
