/* memory.h - allocation that cannot fail, growable buffers, and arenas for what dies together.
 *
 * Running out of memory ends the process with one clear line (exit code 1): the log holds every accepted fact, so the
 * next start goes on from there. Sizes that come from outside are checked against a stated bound before they get here.
 */
#ifndef HB_BASE_MEMORY_H
#define HB_BASE_MEMORY_H

#include "base/bytes.h"

#include <stdarg.h>

/* Tells the allocator to keep freed memory for the next allocation. For programs that work on one thing after another
 * and then end: giving memory back and taking it anew costs a page fault for each 4 KiB. */
void hb_keep_freed_memory(void);

_Noreturn void hb_out_of_memory(size_t size);             /* for libraries' own failures; size is only told */
void *hb_alloc(size_t size);                              /* zeroed; free with free() */
void *hb_resize(void *memory, size_t count, size_t each); /* realloc of count * each bytes; new bytes undefined */
char *hb_copy_text(hb_bytes text);                        /* a NUL-terminated copy; free with free() */
char *hb_copy_text_or_null(const char *text);             /* the same of a text that may be NULL */

/* Makes room for count items of `each` bytes in *items, doubling *capacity as needed. */
void hb_reserve(void **items, size_t *capacity, size_t count, size_t each);
#define HB_RESERVE(items, capacity, count) hb_reserve((void **)&(items), &(capacity), (count), sizeof *(items))

/* A growable run of bytes. Zero-initialise; free with hb_buffer_free. */
typedef struct hb_buffer {
    char *data;
    size_t size;
    size_t capacity;
} hb_buffer;

void hb_buffer_free(hb_buffer *buffer);
char *hb_buffer_room(hb_buffer *buffer, size_t more); /* where to write `more` bytes; then add to size yourself */
void hb_buffer_append(hb_buffer *buffer, hb_bytes bytes);
void hb_buffer_append_char(hb_buffer *buffer, char c);
void hb_buffer_print(hb_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hb_buffer_drop_front(hb_buffer *buffer, size_t count); /* moves the rest to the front */
static inline hb_bytes hb_buffer_bytes(const hb_buffer *buffer)
{
    return (hb_bytes){buffer->data, buffer->size};
}

/* An arena: allocations that are freed all at once. Zero-initialise. */
typedef struct hb_arena_chunk hb_arena_chunk;
typedef struct hb_arena {
    hb_arena_chunk *chunks;
    size_t held; /* bytes taken from the system */
} hb_arena;

void *hb_arena_alloc(hb_arena *arena, size_t size);      /* aligned for any type, not zeroed */
hb_bytes hb_arena_copy(hb_arena *arena, hb_bytes bytes); /* not NUL-terminated */
void hb_arena_reset(hb_arena *arena);                    /* forgets everything, keeps the first chunk for reuse */
void hb_arena_free(hb_arena *arena);

#endif
