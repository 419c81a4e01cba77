/*
 * Sets of RR types as NSEC, NSEC3 and CSYNC carry them (RFC 4034 §4.1.2).
 */
#ifndef SORREL_ZONE_BITMAP_H
#define SORREL_ZONE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: no types. */
struct bitmap {
    uint8_t used[256];      /* octets of each window up to the last that has a bit */
    uint8_t bits[256 * 32]; /* type 0 is the highest bit of the first octet */
};

void bitmap_add(struct bitmap *bitmap, uint16_t type);

enum { BITMAP_WIRE_MAX = 256 * 34 };

/* Writes the windows that have members; returns the octets, or SIZE_MAX if `room` is too small. */
size_t bitmap_write(const struct bitmap *bitmap, uint8_t *to, size_t room);

/* Windows ascending, none empty, none ending in a zero octet. */
bool bitmap_is_valid(const uint8_t *wire, size_t length);

#endif
