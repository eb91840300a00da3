/* error.h - filling an hb_error (see hubbub.h). Each returns false, so that a function can end with
 * `return hb_fail(error, HB_ERROR_CORRUPT, "...")`. */
#ifndef HB_BASE_ERROR_H
#define HB_BASE_ERROR_H

#include <hubbub.h>

/* One sentence, no line end. */
bool hb_fail(hb_error *error, hb_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As hb_fail with HB_ERROR_SYSTEM, and ": " and the text of errno behind. */
bool hb_fail_errno(hb_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
