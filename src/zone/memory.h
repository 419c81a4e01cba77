/*
 * Memory of the builder. Nobody here looks at the result of an allocation: when there is no memory,
 * control returns to the place set by memory_on_exhaustion(), where the build as a whole fails.
 * What was allocated until then is lost, which is right for a process that is about to exit.
 */
#ifndef SORREL_ZONE_MEMORY_H
#define SORREL_ZONE_MEMORY_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

/* Where to longjmp() to; NULL: abort(). Per thread. Returns the place set before. */
jmp_buf *memory_on_exhaustion(jmp_buf *place);

/* There is no memory: control goes where it then goes. */
_Noreturn void memory_exhausted(void);

/* Calls the function; false if memory was exhausted in it. For functions that are called by those
 * who know nothing of this. */
bool memory_guard(void (*function)(void *closure, size_t job), void *closure, size_t job);

void *memory_get(size_t size);
void *memory_resize(void *memory, size_t size);

/* Makes room for one more item at the end of the array `*items`, which has `count` and room for
 * `*room` of `size` octets each. */
void memory_grow(void *items, size_t count, size_t *room, size_t size);

#endif
