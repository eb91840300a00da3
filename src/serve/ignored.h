/* ignored.h - who is left out of rankings of users: well-known chat bots, and whom --ignore-user names.
 *
 * Only rankings leave them out; log, counts, sheets and rows hold everybody. Immutable, so any number of threads may
 * ask it at a time. */
#ifndef HB_SERVE_IGNORED_H
#define HB_SERVE_IGNORED_H

#include "views/ranking.h"

typedef struct hb_ignored hb_ignored;

/* Makes the list of well-known bots, none of them where `bots` is false. The caller closes it. */
hb_ignored *hb_ignored_open(bool bots);
void hb_ignored_close(hb_ignored *ignored);

/* Adds those in names: logins in any case, or user ids, with commas between them (and blanks, which count as nothing).
 * Before the list is shared. False, with those before the wrong one added: HB_ERROR_USAGE. */
bool hb_ignored_add(hb_ignored *ignored, hb_bytes names, hb_error *error);

/* Whether this user is left out: by id, or by name in any case. Nobody is where ignored is NULL. Display names of
 * other scripts than Latin are not the login, so such a user has to be named by the id. */
bool hb_ignored_has(const hb_ignored *ignored, const hb_ranked *user);

#endif
