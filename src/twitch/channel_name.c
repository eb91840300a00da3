/* channel_name.c - the one place that decides whether a text from outside may stand in a JOIN. */
#include "twitch/channel_name.h"

bool hb_channel_name_read(hb_bytes text, char login[HB_LOGIN_MAX + 1])
{
    if (text.size > 0 && text.data[0] == '#')
        text = hb_bytes_from(text, 1);
    if (text.size == 0 || text.size > HB_LOGIN_MAX)
        return false;
    hb_bytes_lower(text, login);
    login[text.size] = '\0';
    for (size_t i = 0; i < text.size; i++) {
        const char c = login[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}
