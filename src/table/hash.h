/*
 * The hash of a name, label by label from the root: one pass over a QNAME yields the hash of every
 * ancestor too, and with them the places to look for zones, encloser and wildcard.
 *
 *     hash(root) = seed;   hash(label . parent) = XXH3-64(label in lower case, seeded hash(parent))
 */
#ifndef SORREL_TABLE_HASH_H
#define SORREL_TABLE_HASH_H

#include "message/name.h"
#include "table/slot.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* `label` points to the length octet; its octets are lower-cased already. */
static inline uint64_t hash_label(uint64_t parent, const uint8_t *label)
{
    return XXH3_64bits_withSeed(label + 1, label[0], parent);
}

/* hashes[i] becomes the hash of the suffix of `name` with i labels, for each i above `labels`;
 * `hash` is that of the suffix with `labels` labels. */
static inline void hash_below(const struct name *name, unsigned labels, uint64_t hash,
                              uint64_t hashes[NAME_LABELS_MAX + 1])
{
    hashes[labels] = hash;
    for (unsigned i = labels; i < name->labels; i++)
        hashes[i + 1] = hash = hash_label(hash, name_suffix(name, name->labels - 1u - i));
}

/* The same for all of them; hashes[0] = seed, the root. */
static inline void hash_name(const struct name *name, uint64_t seed,
                             uint64_t hashes[NAME_LABELS_MAX + 1])
{
    hash_below(name, 0, seed, hashes);
}

#endif
