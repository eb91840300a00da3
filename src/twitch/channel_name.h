/* channel_name.h - channels as people write them: "xqc", "#xqc", "xQc". */
#ifndef HB_TWITCH_CHANNEL_NAME_H
#define HB_TWITCH_CHANNEL_NAME_H

#include "base/bytes.h"

/* Reads a channel's name into its login: lower case, without '#', NUL-terminated. False when it is none: a login is 1
 * to HB_LOGIN_MAX of [A-Za-z0-9_]. */
bool hb_channel_name_read(hb_bytes text, char login[HB_LOGIN_MAX + 1]);

#endif
