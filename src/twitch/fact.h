/* fact.h - reading facts where lines arrive; everybody else sees hubbub.h. */
#ifndef HB_TWITCH_FACT_H
#define HB_TWITCH_FACT_H

#include "hubbub.h"

/* Reads a line as hb_fact_read will once the log has put the time of receipt in front of its tags: so nobody has to
 * write that line only to read it. A time of receipt in the line itself does not count. */
hb_fact_status hb_fact_read_received(hb_bytes line, int64_t received_ms, hb_fact *fact);

#endif
