/*
 * Hashed names (RFC 5155 §5) and the index that finds their NSEC3 RRs.
 */
#ifndef SORREL_ANSWER_NSEC3_H
#define SORREL_ANSWER_NSEC3_H

#include "table/table.h"

#include <stddef.h>
#include <stdint.h>

/* The only hash algorithm there is (§11): SHA-1. */
enum { NSEC3_HASH_SIZE = 20 };

/* Hashes the name in wire form, lower case, with the zone's salt and iterations. */
void nsec3_hash(const struct table_section *zone, const uint8_t *name, size_t length,
                uint8_t hash[NSEC3_HASH_SIZE]);

/* The NSEC3 node (a ref) that matches `hash` or covers it: the last not behind it; before the
 * first, the last of all, for the chain is a ring. The zone has a chain (nsec3_count > 0). */
uint32_t nsec3_find(const struct table_section *zone, const uint8_t hash[NSEC3_HASH_SIZE]);

#endif
