/* A stream of octets cut into pieces, as a network might. */
#ifndef SORREL_TESTS_PIECES_H
#define SORREL_TESTS_PIECES_H

#include "fuzz.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pieces {
    struct fuzz_random random;
    uint32_t piece_max; /* 0: it is all one piece */
    const uint8_t *next;
    size_t left;             /* octets from there to the end of the stream */
    size_t piece;            /* ... to the end of this piece */
    size_t marked;           /* ... left when descriptors are to go along */
    size_t descriptor_count; /* 0: none, or they are on their way */
};

/* `seed` decides where the cuts are; with 0 there is none. */
void pieces_start(struct pieces *pieces, uint8_t seed, const uint8_t *stream, size_t length);

/* `count` descriptors are to go with the octet `at`, which begins a piece. Nothing is sent yet. */
void pieces_mark(struct pieces *pieces, size_t at, size_t count);

/* Sends the next piece, or its rest, as far as that is possible without waiting. Returns the number
 * of octets. */
size_t pieces_send(struct pieces *pieces, int socket);

#endif
