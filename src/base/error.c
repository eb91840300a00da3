/* error.c - filling an hb_error. A text that is too long is cut: the beginning says what failed. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(hb_error *error, hb_code code, const char *format, va_list arguments)
{
    error->code = code;
    vsnprintf(error->text, sizeof error->text, format, arguments);
}

bool hb_fail(hb_error *error, hb_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, format, arguments);
    va_end(arguments);
    return false;
}

bool hb_fail_errno(hb_error *error, const char *format, ...)
{
    const int number = errno;
    va_list arguments;
    va_start(arguments, format);
    fill(error, HB_ERROR_SYSTEM, format, arguments);
    va_end(arguments);
    const size_t used = strlen(error->text);
    char reason[128];
    snprintf(error->text + used, sizeof error->text - used, ": %s", strerror_r(number, reason, sizeof reason));
    return false;
}
