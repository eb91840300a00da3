/* memory.c - allocation that cannot fail, buffers, arenas.
 *
 * An arena takes chunks from the system, each twice as large as the one before up to 1 MiB, and hands out their bytes
 * in order. Resetting keeps the largest chunk, so a loop that resets once a round soon allocates nothing. */
#include "base/memory.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_CHUNK_MIN = 4096, ARENA_CHUNK_MAX = 1 << 20 };
enum { KEPT_PIECE = 32 << 20, KEPT_FREE = 256 << 20 };

struct hb_arena_chunk {
    hb_arena_chunk *next;
    size_t size; /* of room */
    size_t used;
    alignas(max_align_t) char room[];
};

_Noreturn void hb_out_of_memory(size_t size)
{
    fprintf(stderr, "hubbub: out of memory: %zu bytes could not be had\n", size);
    exit(1);
}

void hb_keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, KEPT_PIECE);
    mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
}

void *hb_alloc(size_t size)
{
    void *memory = calloc(1, size == 0 ? 1 : size);
    if (memory == NULL)
        hb_out_of_memory(size);
    return memory;
}

void *hb_resize(void *memory, size_t count, size_t each)
{
    size_t size = 0;
    if (__builtin_mul_overflow(count, each, &size))
        hb_out_of_memory(SIZE_MAX);
    void *moved = realloc(memory, size == 0 ? 1 : size);
    if (moved == NULL)
        hb_out_of_memory(size);
    return moved;
}

void hb_free(void *memory)
{
    free(memory);
}

char *hb_copy_text(hb_bytes text)
{
    char *copy = hb_alloc(text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return copy;
}

char *hb_copy_text_or_null(const char *text)
{
    return text == NULL ? NULL : hb_copy_text(hb_bytes_of(text));
}

void hb_reserve(void **items, size_t *capacity, size_t count, size_t each)
{
    if (count <= *capacity)
        return;
    size_t larger = *capacity < 8 ? 8 : *capacity * 2;
    if (larger < count)
        larger = count;
    *items = hb_resize(*items, larger, each);
    *capacity = larger;
}

void hb_buffer_free(hb_buffer *buffer)
{
    free(buffer->data);
    *buffer = (hb_buffer){0};
}

char *hb_buffer_room(hb_buffer *buffer, size_t more)
{
    hb_reserve((void **)&buffer->data, &buffer->capacity, buffer->size + more, 1);
    return buffer->data + buffer->size;
}

void hb_buffer_append(hb_buffer *buffer, hb_bytes bytes)
{
    if (bytes.size == 0)
        return;
    memcpy(hb_buffer_room(buffer, bytes.size), bytes.data, bytes.size);
    buffer->size += bytes.size;
}

void hb_buffer_append_char(hb_buffer *buffer, char c)
{
    *hb_buffer_room(buffer, 1) = c;
    buffer->size++;
}

void hb_buffer_print(hb_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const size_t free_room = buffer->capacity - buffer->size;
    const int size = vsnprintf(buffer->data == NULL ? NULL : buffer->data + buffer->size, free_room, format, arguments);
    va_end(arguments);
    if (size > 0) {
        if ((size_t)size >= free_room)
            vsnprintf(hb_buffer_room(buffer, (size_t)size + 1), (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

void hb_buffer_drop_front(hb_buffer *buffer, size_t count)
{
    buffer->size -= count;
    if (buffer->size > 0)
        memmove(buffer->data, buffer->data + count, buffer->size);
}

void *hb_arena_alloc(hb_arena *arena, size_t size)
{
    const size_t step = alignof(max_align_t);
    const size_t rounded = (size + step - 1) / step * step;
    hb_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < rounded) {
        size_t room = chunk == NULL ? ARENA_CHUNK_MIN : chunk->size * 2;
        if (room > ARENA_CHUNK_MAX)
            room = ARENA_CHUNK_MAX;
        if (room < rounded)
            room = rounded;
        hb_arena_chunk *fresh = hb_resize(NULL, sizeof *fresh + room, 1);
        *fresh = (hb_arena_chunk){.next = chunk, .size = room};
        arena->chunks = chunk = fresh;
        arena->held += sizeof *fresh + room;
    }
    void *memory = chunk->room + chunk->used;
    chunk->used += rounded;
    return memory;
}

hb_bytes hb_arena_copy(hb_arena *arena, hb_bytes bytes)
{
    if (bytes.size == 0)
        return (hb_bytes){"", 0};
    char *copy = hb_arena_alloc(arena, bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    return (hb_bytes){copy, bytes.size};
}

void hb_arena_reset(hb_arena *arena)
{
    hb_arena_chunk *kept = NULL;
    for (hb_arena_chunk *chunk = arena->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        hb_arena_chunk *lesser = chunk;
        if (kept == NULL || chunk->size > kept->size) {
            lesser = kept;
            kept = chunk;
        }
        free(lesser);
    }
    arena->chunks = kept;
    arena->held = 0;
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
        arena->held = sizeof *kept + kept->size;
    }
}

void hb_arena_free(hb_arena *arena)
{
    hb_arena_reset(arena);
    free(arena->chunks);
    *arena = (hb_arena){0};
}
