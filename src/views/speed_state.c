/* speed_state.c - the speed layer of a partition as bytes: sealed as code.h describes, letters "HBL".
 *
 *     partition, next, reached, whether lines were taken, watermark, ends, late, ids forgotten
 *     number of hours; of each: hour, start, position, passed, late, time of the last lines, ends then, stage, flags
 *     number of slots; of each: channel, hour, encoded sheet, when it was written, flags,
 *     number of ids, their hashes (8 bytes each); the same of older ids
 *     of each slot, in the same order: number of emotes; of each: name, since when (states of before there were any end
 *     here)
 *
 * Lists of first words and users are not written: they are made from the sheet when it is thawed, as for any sheet that
 * was frozen. Counts of the fold begin at 0 again; what the layer has counted itself goes on. */
#include "views/speed_inside.h"

#include "base/clock.h"
#include "base/error.h"
#include "views/code.h"

#include <stdlib.h>

enum {
    HASH_BYTES = 8,
    HOUR_MIN = 9, /* bytes of an hour at least, */
    SLOT_MIN = 7, /* of a slot, */
    EMOTE_MIN = 3 /* and of an emote */
};

/* The level is low: sheets are packed already, and hashes do not get smaller. */
static const hb_code_format state_format = {{'H', 'B', 'L'}, 1, 1, "state of the speed layer", 1, (size_t)INT32_MAX};

/* ---- Writing ---- */

static uint64_t flags_of(const bool *flags, size_t count)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= (uint64_t)flags[i] << i;
    return bits;
}

static void put_hour(hb_buffer *out, const hb_speed_hour *hour)
{
    const bool flags[] = {hour->behind, hour->begun, hour->known, hour->moved};
    hb_code_put_signed(out, hour->hour_s);
    hb_code_put(out, hour->start);
    hb_code_put(out, hour->position);
    hb_code_put(out, hour->passed);
    hb_code_put(out, hour->late);
    hb_code_put_signed(out, hour->taken_ms);
    hb_code_put(out, hour->taken_ends);
    hb_code_put(out, hour->stage);
    hb_code_put(out, flags_of(flags, sizeof flags / sizeof *flags));
}

static void put_ids(hb_buffer *out, const hb_fold_ids *ids)
{
    hb_code_put(out, ids->count);
    for (size_t at = 0; ids->places != NULL && at <= ids->mask; at++)
        if (ids->places[at] != 0) {
            hb_code_put_fixed(hb_buffer_room(out, HASH_BYTES), ids->places[at], HASH_BYTES);
            out->size += HASH_BYTES;
        }
}

static void put_slot(hb_buffer *out, hb_fold_slot *slot)
{
    hb_speed_slot_note *const note = hb_speed_note(slot);
    const bool flags[] = {note->unwritten, note->last_written, note->begun};
    hb_fold_freeze(slot);
    hb_top_free(&note->top);
    hb_code_put_text(out, slot->channel);
    hb_code_put_signed(out, slot->hour_s);
    hb_code_put_text(out, (hb_bytes){slot->frozen, slot->frozen_size});
    hb_code_put_signed(out, note->written_ms);
    hb_code_put(out, flags_of(flags, sizeof flags / sizeof *flags));
    put_ids(out, &slot->ids);
    put_ids(out, &slot->older_ids);
}

static void put_emotes(hb_buffer *out, const hb_emote_set *emotes)
{
    size_t at = 0;
    hb_bytes name;
    uint32_t since_ms = 0;
    hb_code_put(out, emotes == NULL ? 0 : hb_emote_set_count(emotes));
    while (emotes != NULL && hb_emote_set_next(emotes, &at, &name, &since_ms)) {
        hb_code_put_text(out, name);
        hb_code_put(out, since_ms);
    }
}

void hb_speed_save(hb_speed *speed, hb_buffer *out)
{
    hb_buffer plain = {0};
    char *data = NULL;
    size_t size = 0;
    hb_code_put(&plain, (uint64_t)speed->options.partition);
    hb_code_put(&plain, speed->next);
    hb_code_put(&plain, speed->reached);
    hb_code_put(&plain, speed->taken);
    hb_code_put_signed(&plain, speed->watermark_ms);
    hb_code_put(&plain, speed->ends);
    hb_code_put(&plain, speed->late);
    hb_code_put(&plain, speed->ids_forgotten);
    hb_code_put(&plain, speed->hour_count);
    for (size_t i = 0; i < speed->hour_count; i++)
        put_hour(&plain, &speed->hours[i]);
    hb_code_put(&plain, hb_fold_slot_count(speed->fold));
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold); i++)
        put_slot(&plain, hb_fold_slot_at(speed->fold, i));
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold); i++)
        put_emotes(&plain, hb_fold_slot_at(speed->fold, i)->emotes);
    hb_code_seal(&state_format, hb_buffer_bytes(&plain), &data, &size);
    hb_buffer_free(&plain);
    hb_buffer_free(out);
    *out = (hb_buffer){data, size, size};
}

/* ---- Reading ---- */

static bool flag(uint64_t flags, unsigned bit)
{
    return (flags >> bit & 1) != 0;
}

static void take_hour(hb_code_reader *in, hb_speed_hour *hour)
{
    hour->hour_s = hb_code_take_signed(in);
    hour->start = hb_code_take(in);
    hour->position = hb_code_take(in);
    hour->passed = hb_code_take(in);
    hour->late = hb_code_take(in);
    hour->taken_ms = hb_code_take_signed(in);
    hour->taken_ends = hb_code_take(in);
    hour->stage = (hb_speed_stage)hb_code_take_up_to(in, STAGE_DONE);
    const uint64_t flags = hb_code_take(in);
    hour->behind = flag(flags, 0);
    hour->begun = flag(flags, 1);
    hour->known = flag(flags, 2);
    hour->moved = flag(flags, 3);
}

static void take_hours(hb_code_reader *in, hb_speed *speed)
{
    const size_t count = hb_code_take_count(in, HOUR_MIN, SIZE_MAX);
    HB_RESERVE(speed->hours, speed->hour_capacity, count);
    for (; speed->hour_count < count && !in->bad; speed->hour_count++) {
        take_hour(in, &speed->hours[speed->hour_count]);
        if (speed->hour_count > 0 &&
            speed->hours[speed->hour_count].hour_s <= speed->hours[speed->hour_count - 1].hour_s)
            in->bad = true;
    }
}

static void take_ids(hb_code_reader *in, hb_fold_slot *slot)
{
    const size_t count = hb_code_take_count(in, HASH_BYTES, SIZE_MAX);
    const hb_bytes hashes = hb_code_take_bytes(in, count * HASH_BYTES);
    for (size_t at = 0; at < hashes.size; at += HASH_BYTES) {
        const uint64_t hash = hb_code_take_fixed(hashes.data + at, HASH_BYTES);
        if (hash != 0)
            hb_fold_add_id(slot, hash);
    }
}

static void take_slot(hb_code_reader *in, hb_speed *speed)
{
    const hb_bytes channel = hb_code_take_bytes(in, hb_code_take_count(in, 1, HB_LOGIN_MAX));
    const int64_t hour_s = hb_code_take_signed(in);
    const hb_bytes sheet = hb_code_take_bytes(in, hb_code_take_count(in, 1, SIZE_MAX));
    const int64_t written_ms = hb_code_take_signed(in);
    const uint64_t flags = hb_code_take(in);
    if (in->bad)
        return;
    hb_fold_slot *const slot = hb_fold_add_frozen(speed->fold, channel, hour_s, sheet);
    hb_speed_slot_note *const note = hb_speed_note(slot);
    note->written_ms = written_ms;
    note->unwritten = flag(flags, 0);
    note->last_written = flag(flags, 1);
    note->begun = flag(flags, 2);
    /* Which ids are older matters only to a layer that is short of memory. */
    take_ids(in, slot);
    take_ids(in, slot);
}

static void take_emotes(hb_code_reader *in, hb_fold_slot *slot)
{
    for (size_t left = hb_code_take_count(in, EMOTE_MIN, HB_EMOTES_MAX); left > 0 && !in->bad; left--) {
        const hb_bytes name = hb_code_take_bytes(in, hb_code_take_count(in, 1, HB_EMOTE_NAME_MAX));
        const uint32_t since_ms = (uint32_t)hb_code_take_up_to(in, HB_HOUR_S * 1000);
        if (!in->bad)
            hb_fold_add_emotes(slot, name, since_ms);
    }
}

static void take_all(hb_code_reader *in, hb_speed *speed)
{
    speed->next = hb_code_take(in);
    speed->reached = hb_code_take(in);
    speed->taken = hb_code_take_up_to(in, 1) != 0;
    speed->watermark_ms = hb_code_take_signed(in);
    speed->ends = hb_code_take(in);
    speed->late = hb_code_take(in);
    speed->ids_forgotten = hb_code_take(in);
    take_hours(in, speed);
    for (size_t left = hb_code_take_count(in, SLOT_MIN, SIZE_MAX); left > 0 && !in->bad; left--)
        take_slot(in, speed);
    if (in->at == in->size)
        return;
    for (size_t i = 0; i < hb_fold_slot_count(speed->fold) && !in->bad; i++)
        take_emotes(in, hb_fold_slot_at(speed->fold, i));
}

hb_speed *hb_speed_load(const hb_speed_options *options, hb_bytes state, hb_error *error)
{
    char *payload = NULL;
    size_t size = 0;
    if (!hb_code_unseal(&state_format, state, &payload, &size, error))
        return NULL;
    hb_code_reader in = {payload, size, 0, false};
    hb_speed *speed = NULL;
    const uint64_t partition = hb_code_take(&in);
    if (partition != (uint64_t)options->partition)
        hb_fail(error, HB_ERROR_USAGE, "this is the speed layer's state of partition %llu, not of %d",
                (unsigned long long)partition, options->partition);
    else
        speed = hb_speed_open(options, error);
    if (speed != NULL) {
        take_all(&in, speed);
        if (in.bad || in.at != in.size) {
            hb_code_refuse(&state_format, error, HB_CODE_SENSELESS);
            hb_speed_close(speed);
            speed = NULL;
        }
    }
    free(payload);
    return speed;
}
