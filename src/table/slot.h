/*
 * Where the search for a hash begins, in a directory or in a section's slots.
 */
#ifndef SORREL_TABLE_SLOT_H
#define SORREL_TABLE_SLOT_H

#include <stdint.h>

/* Maps the upper half of a hash evenly onto 0..slots-1 without division. */
static inline uint32_t hash_slot(uint64_t hash, uint32_t slots)
{
    return (uint32_t)((hash >> 32) * slots >> 32);
}

/* The half that hash_slot() does not use: tells apart the entries met while probing. */
static inline uint32_t hash_tag(uint64_t hash)
{
    return (uint32_t)hash;
}

#endif
