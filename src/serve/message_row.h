/* message_row.h - a message as the API and live events show it. */
#ifndef HB_SERVE_MESSAGE_ROW_H
#define HB_SERVE_MESSAGE_ROW_H

#include "base/memory.h"

/* Appends {"time","id","user_id","login","user_name","text","action","shared","deleted"} of a message's fact. The time
 * has milliseconds; user_name is the display name, or the login where there is none. */
void hb_message_row_print(hb_buffer *out, const hb_fact *fact, bool deleted);

#endif
