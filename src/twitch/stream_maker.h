/* stream_maker.h - who streams what to how many in the simulated Twitch: channels go live, rise, fall, raid each other
 * and go offline; games and titles change. All of it follows from the seed, the channel's number and the time. */
#ifndef HB_TWITCH_STREAM_MAKER_H
#define HB_TWITCH_STREAM_MAKER_H

#include "base/bytes.h"

typedef struct hb_stream {
    bool live; /* the rest is defined only if it is */
    uint64_t viewers;
    uint64_t id;     /* another one each time that the channel goes live */
    int64_t since_s; /* when it went live; may be before the chat's start */
    uint64_t game;   /* see hb_speech_game */
    uint64_t title;  /* see hb_speech_title */
} hb_stream;

/* What the channel of this number does time_s seconds (0 and up) after the chat's start, when all channels are live. */
hb_stream hb_stream_at(uint64_t seed, uint64_t channel, int64_t time_s);

#endif
