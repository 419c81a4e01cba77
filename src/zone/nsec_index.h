/*
 * The names with NSEC RRs in canonical order (RFC 4034 §6.1).
 */
#ifndef SORREL_ZONE_NSEC_INDEX_H
#define SORREL_ZONE_NSEC_INDEX_H

#include "zone/zone.h"

#include <stddef.h>
#include <stdint.h>

struct nsec_entry {
    uint64_t key; /* as layout.h defines it */
    uint32_t name;
};

struct nsec_index {
    struct nsec_entry *entries;
    size_t count;
};

/* `zone` is classified. */
void nsec_index_collect(struct nsec_index *index, const struct zone *zone);

void nsec_index_free(struct nsec_index *index);

#endif
