/*
 * Many small things that live and die together; they never move.
 */
#ifndef SORREL_ZONE_ARENA_H
#define SORREL_ZONE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* All zero: empty. */
struct arena {
    struct arena_chunk *chunks;
    uint8_t *at;
    size_t left;
    size_t next_size;
};

/* Octets at any alignment. */
uint8_t *arena_get(struct arena *arena, size_t size);
uint8_t *arena_copy(struct arena *arena, const void *from, size_t size);
void arena_free(struct arena *arena);

#endif
