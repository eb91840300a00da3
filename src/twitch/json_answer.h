/* json_answer.h - JSON that a server has answered, read by jansson: whatever it holds, reading it is safe. */
#ifndef HB_TWITCH_JSON_ANSWER_H
#define HB_TWITCH_JSON_ANSWER_H

#include "base/bytes.h"

#include <jansson.h>

/* NULL when it is no JSON. The caller lets go of it (json_decref). */
json_t *hb_json_answer_parse(hb_bytes body);

/* A member's text, which is the object's; empty where there is none. object may be NULL, or no object. */
hb_bytes hb_json_answer_text(const json_t *object, const char *key);

#endif
