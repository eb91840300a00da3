/* emote_ranges.h - Twitch's tag `emotes`, range by range: "ID:FIRST-LAST,FIRST-LAST/ID:FIRST-LAST". Numbers are code
 * points of the message's text, both included (Twitch, "IRC Tags", PRIVMSG). Inline: counting reads the tag of every
 * message that has one.
 *
 *     hb_emote_ranges ranges = {.rest = tag};
 *     while (hb_emote_ranges_next(&ranges)) ... */
#ifndef HB_TEXT_EMOTE_RANGES_H
#define HB_TEXT_EMOTE_RANGES_H

#include "base/memory.h"

typedef struct hb_emote_ranges {
    hb_bytes rest;  /* of the tag */
    hb_bytes id;    /* of the range, as it stands in the tag: anything without a colon, or nothing */
    uint32_t first; /* ... <= last */
    uint32_t last;
    bool listed; /* the rest begins with a range of this id */
} hb_emote_ranges;

/* Takes the decimal number at the front off *text; false when there is none. Numbers over 32 bits are UINT32_MAX. */
static inline bool hb_emote_number(hb_bytes *text, uint32_t *number)
{
    size_t digits = 0;
    uint64_t value = 0;
    for (; digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9'; digits++) {
        value = value * 10 + (unsigned)(text->data[digits] - '0');
        if (value > UINT32_MAX)
            value = UINT32_MAX;
    }
    *text = hb_bytes_from(*text, digits);
    *number = (uint32_t)value;
    return digits > 0;
}

/* Takes "FIRST-LAST" off the rest, up to the `,` or `/` behind it; whatever else stands there is taken off too, and
 * false. */
static inline bool hb_emote_range(hb_emote_ranges *ranges)
{
    hb_bytes text = ranges->rest;
    bool good = hb_emote_number(&text, &ranges->first) && text.size > 0 && text.data[0] == '-';
    if (good) {
        text = hb_bytes_from(text, 1);
        good = hb_emote_number(&text, &ranges->last);
    }
    size_t junk = 0;
    while (junk < text.size && text.data[junk] != ',' && text.data[junk] != '/')
        junk++;
    ranges->rest = hb_bytes_from(text, junk);
    return good && junk == 0 && ranges->first <= ranges->last;
}

/* The next range that is one; false at the tag's end. What is no range is passed over. */
static inline bool hb_emote_ranges_next(hb_emote_ranges *ranges)
{
    while (ranges->rest.size > 0) {
        if (!ranges->listed) {
            size_t colon = 0;
            while (colon < ranges->rest.size && ranges->rest.data[colon] != ':')
                colon++;
            if (colon == ranges->rest.size)
                return false;
            ranges->id = (hb_bytes){ranges->rest.data, colon};
            ranges->rest = hb_bytes_from(ranges->rest, colon + 1);
        }
        const bool good = hb_emote_range(ranges);
        ranges->listed = ranges->rest.size > 0 && ranges->rest.data[0] == ',';
        if (ranges->rest.size > 0)
            ranges->rest = hb_bytes_from(ranges->rest, 1);
        if (good)
            return true;
    }
    return false;
}

#endif
