/*
 * Copying and comparing a few octets. Names, questions and RRs are mostly of 4 to 32, and a call of
 * memcpy() or memcmp(), which first find out how many there are, costs more than they do. Lengths
 * between two powers of two are done in two pieces that overlap.
 */
#ifndef SORREL_MESSAGE_OCTETS_H
#define SORREL_MESSAGE_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t octets_read_8(const uint8_t *at)
{
    uint64_t octets;

    memcpy(&octets, at, sizeof octets);
    return octets;
}

static inline uint32_t octets_read_4(const uint8_t *at)
{
    uint32_t octets;

    memcpy(&octets, at, sizeof octets);
    return octets;
}

/* The two must not overlap. */
static inline void octets_copy(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length >= 16 && length <= 32) {
        memcpy(to, from, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else if (length >= 8 && length < 16) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else {
        memcpy(to, from, length);
    }
}

static inline bool octets_are_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    if (length >= 8 && length <= 16) {
        size_t last = length - 8;
        return ((octets_read_8(a) ^ octets_read_8(b)) |
                (octets_read_8(a + last) ^ octets_read_8(b + last))) == 0;
    }
    if (length >= 4 && length < 8) {
        size_t last = length - 4;
        return ((octets_read_4(a) ^ octets_read_4(b)) |
                (octets_read_4(a + last) ^ octets_read_4(b + last))) == 0;
    }
    return memcmp(a, b, length) == 0;
}

#endif
