/* scratch.h - a folder below /tmp for a test's files, and its removal with all that is in it. */
#ifndef HB_TESTS_SCRATCH_H
#define HB_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SCRATCH_NAME = 40 };

/* Makes a new, empty folder and writes its path to folder. */
static inline bool scratch_make(char folder[SCRATCH_NAME])
{
    snprintf(folder, SCRATCH_NAME, "/tmp/hubbub-test-XXXXXX");
    return mkdtemp(folder) != NULL;
}

static inline int scratch_remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline bool scratch_remove(const char *folder)
{
    return nftw(folder, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0;
}

#endif
