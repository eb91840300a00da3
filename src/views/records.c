/* records.c - lines into records. Records lie one behind the other in blocks, which are written and read in order and
 * used again from one batch of lines to the next. */
#include "views/records.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"

#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK_MIN = 4 << 10, BLOCK_MAX = 64 << 10 }; /* bytes, unless one record takes more */

struct hb_records_block {
    hb_records_block *next;
    size_t room;
    size_t used;
    alignas(hb_record) char data[];
};

static size_t size_of(const hb_record *record)
{
    const size_t size = offsetof(hb_record, texts) + record->channel_size + record->room_size + record->user_size +
                        record->name_size + record->text_size + record->emotes_size;
    return (size + alignof(hb_record) - 1) / alignof(hb_record) * alignof(hb_record);
}

void hb_records_clear(hb_records *records)
{
    for (hb_records_block *block = records->first; block != NULL; block = block->next)
        block->used = 0;
    records->last = records->first;
    records->count = 0;
    records->size = 0;
}

void hb_records_free(hb_records *records)
{
    for (hb_records_block *block = records->first, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    *records = (hb_records){0};
}

const hb_record *hb_records_next(const hb_records *records, hb_records_cursor *cursor)
{
    if (cursor->block == NULL)
        cursor->block = records->first;
    while (cursor->block != NULL && cursor->at >= cursor->block->used) {
        if (cursor->block == records->last)
            return NULL;
        *cursor = (hb_records_cursor){cursor->block->next, 0};
    }
    if (cursor->block == NULL)
        return NULL;
    const hb_record *const record = (const hb_record *)(const void *)(cursor->block->data + cursor->at);
    cursor->at += size_of(record);
    return record;
}

/* Makes a block with room for `size` bytes the last one. */
static void next_block(hb_records *records, size_t size)
{
    hb_records_block *next = records->last == NULL ? NULL : records->last->next;
    if (next == NULL || next->room < size) {
        size_t room = records->held < BLOCK_MIN ? BLOCK_MIN : records->held; /* small lists take little */
        room = (room < BLOCK_MAX ? room : BLOCK_MAX) - sizeof *next;
        room = room < size ? size : room;
        hb_records_block *const behind = next;
        next = hb_resize(NULL, sizeof *next + room, 1);
        *next = (hb_records_block){.next = behind, .room = room};
        records->held += sizeof *next + room;
        if (records->last == NULL)
            records->first = next;
        else
            records->last->next = next;
    }
    records->last = next;
}

/* Where a record of this form goes; its texts are yet to be written. */
static hb_record *add(hb_records *records, const hb_record *form)
{
    const size_t size = size_of(form);
    if (records->last == NULL || records->last->room - records->last->used < size)
        next_block(records, size);
    hb_record *const made = (hb_record *)(void *)(records->last->data + records->last->used);
    memcpy(made, form, offsetof(hb_record, texts));
    records->last->used += size;
    records->count++;
    records->size += size;
    return made;
}

static char *put(char *out, hb_bytes text)
{
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    return out + text.size;
}

static void add_fact(hb_records *records, const hb_fact *fact, hb_bytes channel, uint64_t channel_hash)
{
    const bool sample = fact->kind == HB_FACT_STREAM;
    const bool message = fact->kind == HB_FACT_MESSAGE && !fact->shared;
    const bool counts_once = fact->kind == HB_FACT_MESSAGE || fact->kind == HB_FACT_NOTICE;
    hb_bytes user = {0};
    hb_bytes name = {0};
    hb_bytes text = {0};
    hb_bytes emotes = {0};
    if (message) {
        user = fact->user_id.size > 0 ? fact->user_id : fact->login;
        name = fact->display_name.size > 0 ? fact->display_name : fact->login.size > 0 ? fact->login : fact->user_id;
        text = fact->text;
        emotes = fact->emotes;
    } else if (sample) {
        text = fact->title;
        emotes = fact->game;
    } else if (fact->kind == HB_FACT_EMOTES) {
        text = fact->text;
    }
    /* A line is no longer than HB_FOLD_LINE_MAX, and so are its parts. */
    hb_record form = {.time_ms = fact->time_ms,
                      .channel_hash = channel_hash,
                      .room_size = (uint32_t)fact->room_id.size,
                      .user_size = (uint32_t)user.size,
                      .name_size = (uint32_t)name.size,
                      .text_size = (uint32_t)text.size,
                      .emotes_size = (uint32_t)emotes.size,
                      .channel_size = (uint8_t)channel.size,
                      .kind = (uint8_t)fact->kind,
                      .shared = fact->shared,
                      .first = fact->first,
                      .subscriber = fact->subscriber};
    if (fact->received_ms != 0 && fact->received_ms < fact->time_ms)
        form.ahead_ms = (uint32_t)(fact->time_ms - fact->received_ms);
    if (user.size > 0)
        form.user_hash = hb_hash(user, 0);
    if (sample) {
        form.viewers = fact->viewers;
    } else if (counts_once && fact->id.size > 0) {
        const uint64_t hash = hb_hash(fact->id, 0);
        form.id_hash = hash == 0 ? 1 : hash;
    }
    char *out = add(records, &form)->texts;
    out = put(out, channel);
    out = put(out, fact->room_id);
    out = put(out, user);
    out = put(out, name);
    out = put(out, text);
    put(out, emotes);
}

static bool is_wanted(const hb_records_reader *reader, const hb_fact *fact)
{
    if (reader->wanted == NULL && reader->only_hour_s == HB_FOLD_ANY_HOUR)
        return true;
    const int64_t hour_s = hb_time_floor(fact->time_ms / 1000, HB_HOUR_S);
    if (reader->wanted != NULL)
        return reader->wanted(reader->context, hour_s, reader->counts->lines - 1);
    return hour_s == reader->only_hour_s;
}

bool hb_records_place(const hb_records_reader *reader, uint64_t channel_hash, uint32_t *list)
{
    const uint32_t class = (uint32_t)(channel_hash >> 32) % (reader->list_count * reader->passes);
    *list = class / reader->passes;
    return class % reader->passes == reader->pass;
}

static void read_fact(const hb_records_reader *reader, const hb_fact *fact)
{
    char lower[HB_LOGIN_MAX];
    uint32_t list = 0;
    const hb_bytes channel = hb_bytes_lower(fact->channel, lower);
    const uint64_t hash = hb_hash(channel, 0);
    if (!hb_records_place(reader, hash, &list))
        return;
    reader->counts->facts++;
    reader->counts->bad_timestamps += fact->bad_timestamp;
    if (is_wanted(reader, fact))
        add_fact(&reader->lists[list], fact, channel, hash);
    else
        reader->counts->misplaced++;
}

void hb_records_read(const hb_records_reader *reader, hb_bytes lines)
{
    const uint64_t new = reader->pass == 0;
    hb_bytes line;
    hb_fact fact;
    while (hb_bytes_cut(&lines, '\n', &line)) {
        reader->counts->lines += new;
        switch (line.size > HB_FOLD_LINE_MAX ? HB_FACT_MALFORMED : hb_fact_read(line, &fact)) {
        case HB_FACT_OK:
            read_fact(reader, &fact);
            break;
        case HB_FACT_OTHER:
            reader->counts->others += new;
            break;
        case HB_FACT_UNTIMED:
        case HB_FACT_MALFORMED:
            reader->counts->malformed += new;
            break;
        }
    }
}
