/* kinds.c - the names of the kinds of words. */
#include "base/bytes.h"

static const char *const names[HB_KINDS] = {
    [HB_WORD] = "word",       [HB_EMOTE] = "emote", [HB_EMOJI] = "emoji",
    [HB_MENTION] = "mention", [HB_LINK] = "link",   [HB_COMMAND] = "command",
};

const char *hb_kind_name(hb_kind kind)
{
    return names[kind];
}

bool hb_kind_parse(hb_bytes name, hb_kind *kind)
{
    for (int i = 0; i < HB_KINDS; i++)
        if (hb_bytes_equal(name, hb_bytes_of(names[i]))) {
            *kind = (hb_kind)i;
            return true;
        }
    return false;
}
