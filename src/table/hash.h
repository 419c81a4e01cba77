/*
 * The hash of a name, label by label from the root: one pass over a QNAME yields the hash of every
 * ancestor too, and with them the places to look for zones, encloser and wildcard.
 *
 *     hash(root) = seed;   hash(label . parent) = XXH3-64(label in lower case, seeded hash(parent))
 */
#ifndef SORREL_TABLE_HASH_H
#define SORREL_TABLE_HASH_H

#include "message/name.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* `label` points to the length octet; its octets are lower-cased already. */
static inline uint64_t hash_label(uint64_t parent, const uint8_t *label)
{
    return XXH3_64bits_withSeed(label + 1, label[0], parent);
}

/* hashes[i] becomes the hash of the suffix of `name` with i labels; hashes[0] = seed, the root. */
static inline void hash_name(const struct name *name, uint64_t seed,
                             uint64_t hashes[NAME_LABELS_MAX + 1])
{
    hashes[0] = seed;
    for (unsigned i = 0; i < name->labels; i++)
        hashes[i + 1] =
            hash_label(hashes[i], name->octets + name->offset[name->labels - 1 - i]);
}

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
