/* message_row.h - a message as the API and live events show it, and as a line of text for people. */
#ifndef HB_SERVE_MESSAGE_ROW_H
#define HB_SERVE_MESSAGE_ROW_H

#include "base/memory.h"

enum {
    HB_MESSAGE_EMOTES_MAX = 200,   /* of one message; more would not fit into Twitch's 500 characters */
    HB_MESSAGE_EMOTE_ID_MAX = 100, /* bytes; Twitch's longest have 41 */
};

/* Appends {"time","id","user_id","login","user_name","text","emotes","action","shared","deleted"} of a message's fact.
 * The time has milliseconds; user_name is the display name, or the login where there is none. emotes, missing where
 * there is none: [{"id","begin","end"}] of Twitch's emotes in the order of the text, no two of which overlap; code
 * points of the text from begin to before end. Ids are letters, digits and `_`. */
void hb_message_row_print(hb_buffer *out, const hb_fact *fact, bool deleted);

/* Appends "2026-11-24T13:05:00Z #xqc name: text" and a line end; " [shared]" and " [deleted]" stand before the text, a
 * "/me" is "* name text". Characters that move the cursor or turn the direction of writing are shown, not sent. */
void hb_message_line_print(hb_buffer *out, const hb_fact *fact, bool deleted);

/* What a user may see of a message: without its text where it was deleted, unless with_deleted. */
hb_fact hb_message_as_seen(const hb_fact *fact, bool deleted, bool with_deleted);

#endif
