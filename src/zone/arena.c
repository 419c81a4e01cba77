#include "zone/arena.h"

#include "zone/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CHUNK = 1 << 14, /* a daemon may load 100,000 small zones, one after the other */
    LAST_CHUNK = 1 << 24,
};

struct arena_chunk {
    struct arena_chunk *next;
    uint8_t octets[];
};

static void add_chunk(struct arena *arena, size_t at_least)
{
    size_t size = arena->next_size > 0 ? arena->next_size : FIRST_CHUNK;

    arena->next_size = size < LAST_CHUNK ? size * 2 : size;
    if (size < at_least)
        size = at_least;
    struct arena_chunk *chunk = memory_get(sizeof *chunk + size);
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->at = chunk->octets;
    arena->left = size;
}

uint8_t *arena_get(struct arena *arena, size_t size)
{
    if (size > arena->left)
        add_chunk(arena, size);
    uint8_t *octets = arena->at;
    arena->at += size;
    arena->left -= size;
    return octets;
}

uint8_t *arena_copy(struct arena *arena, const void *from, size_t size)
{
    uint8_t *octets = arena_get(arena, size);

    if (size > 0)
        memcpy(octets, from, size);
    return octets;
}

void arena_free(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    *arena = (struct arena){0};
}
