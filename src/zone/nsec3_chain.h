/*
 * The NSEC3 chain that proves what does not exist (RFC 5155): which of the zone's it is, and where
 * a name falls in it.
 */
#ifndef SORREL_ZONE_NSEC3_CHAIN_H
#define SORREL_ZONE_NSEC3_CHAIN_H

#include "zone/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NSEC3_SHA1 = 1, /* the only hash there is */
    NSEC3_HASH_OCTETS = 20,
    NSEC3_LABEL_OCTETS = 32, /* the hash in base32hex */
    /* Served up to here: what RFC 5155 §10.3 allows the largest keys. */
    NSEC3_ITERATIONS_MAX = 2500,
    /* Above, validators treat the zone as unsigned (RFC 9276 §3.2 leaves the value to them). */
    NSEC3_ITERATIONS_SENSIBLE = 100,
};

struct nsec3_entry {
    uint8_t hash[NSEC3_HASH_OCTETS];
    uint32_t name;   /* owner */
    uint32_t record; /* position in zone->order */
    uint32_t node;   /* ref, once written */
};

struct nsec3_chain {
    uint16_t iterations;
    uint8_t salt_length;
    const uint8_t *salt;         /* in the zone's records */
    size_t count;                /* 0: the zone has no usable chain */
    struct nsec3_entry *entries; /* by hash */
};

/* Chooses the chain, warns of what is wrong with it and of NSEC3 RRs that belong to no chain. */
void nsec3_chain_choose(struct zone *zone, struct nsec3_chain *chain);

void nsec3_chain_free(struct nsec3_chain *chain);

/* The hash of a name in wire form, lower case. */
void nsec3_chain_hash(const struct nsec3_chain *chain, const uint8_t *name, size_t length,
                      uint8_t hash[NSEC3_HASH_OCTETS]);

/* The entry that matches or else covers the hash. */
const struct nsec3_entry *nsec3_chain_find(const struct nsec3_chain *chain,
                                           const uint8_t hash[NSEC3_HASH_OCTETS], bool *matches);

/* First 8 octets of a hash as a number: what the index is sorted by. */
uint64_t nsec3_chain_key(const uint8_t hash[NSEC3_HASH_OCTETS]);

#endif
