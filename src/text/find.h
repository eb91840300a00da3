/* find.h - whether a text holds another one, as a person who searches a chat expects it: "STRASSE" finds "straße", and
 * "hello" finds "ｈｅｌｌｏ". Both sides go through NFKC_Casefold (Unicode section 3.13, D147): case, width and
 * compatibility forms make no difference, and characters that cannot be seen are not there. Accents count. */
#ifndef HB_TEXT_FIND_H
#define HB_TEXT_FIND_H

#include "base/memory.h"

typedef struct hb_finder hb_finder;

/* Makes a finder; what need not stay. NULL and *error: HB_ERROR_USAGE (nothing of it can be seen), HB_ERROR_SYSTEM
 * (ICU's data is not there). One thread at a time. */
hb_finder *hb_finder_open(hb_bytes what, hb_error *error);
void hb_finder_close(hb_finder *finder);

/* Whether text (any bytes; what is not UTF-8 counts as U+FFFD) holds it. */
bool hb_finder_has(hb_finder *finder, hb_bytes text);

#endif
