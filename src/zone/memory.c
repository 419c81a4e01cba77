#include "zone/memory.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local jmp_buf *exhausted;

jmp_buf *memory_on_exhaustion(jmp_buf *place)
{
    jmp_buf *before = exhausted;
    exhausted = place;
    return before;
}

_Noreturn void memory_exhausted(void)
{
    if (exhausted == NULL)
        abort();
    longjmp(*exhausted, 1);
}

bool memory_guard(void (*function)(void *closure, size_t job), void *closure, size_t job)
{
    jmp_buf place;
    jmp_buf *before = memory_on_exhaustion(&place);
    bool done = setjmp(place) == 0;

    if (done)
        function(closure, job);
    memory_on_exhaustion(before);
    return done;
}

static void *insist(void *memory)
{
    if (memory == NULL)
        memory_exhausted();
    return memory;
}

void *memory_get(size_t size)
{
    return insist(malloc(size > 0 ? size : 1));
}

void *memory_resize(void *memory, size_t size)
{
    return insist(realloc(memory, size > 0 ? size : 1));
}

void memory_grow(void *items, size_t count, size_t *room, size_t size)
{
    void *array;

    if (count < *room)
        return;
    /* `items` points to a pointer of some type or other, which is not to be read as a void *. */
    memcpy(&array, items, sizeof array);
    *room = *room == 0 ? 16 : *room * 2;
    array = memory_resize(array, *room * size);
    memcpy(items, &array, sizeof array);
}
