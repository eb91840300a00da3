/* unit.h - what every unit test includes: cmocka with its prerequisites, and checks for slices. */
#ifndef HB_TESTS_UNIT_H
#define HB_TESTS_UNIT_H

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Checks that a slice holds exactly a NUL-terminated text. */
#define assert_bytes(bytes, text) assert_bytes_at((bytes), (text), __FILE__, __LINE__)

static inline void assert_bytes_at(hb_bytes bytes, const char *text, const char *file, int line)
{
    if (hb_bytes_equal(bytes, hb_bytes_of(text)))
        return;
    print_error("'%.*s' is not '%s'\n", HB_PRINT(bytes), text);
    _fail(file, line);
}

#endif
