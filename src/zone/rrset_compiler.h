/*
 * One RRset of a node, with all that layout.h puts beside it: signatures, in-domain glue, targets.
 */
#ifndef SORREL_ZONE_RRSET_COMPILER_H
#define SORREL_ZONE_RRSET_COMPILER_H

#include "zone/fragment_writer.h"
#include "zone/image.h"
#include "zone/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A name in the RDATA of the RRset being written whose addresses go with it. */
struct rrset_target {
    uint32_t name;
    uint16_t owner; /* a pointer as in fragment.h, or 0 */
};

/* A target whose node may not have been written yet. */
struct rrset_pending {
    size_t at; /* of table_target.node, in the image */
    uint32_t name;
};

struct rrset_compiler {
    struct zone *zone;
    struct image *image;

    struct rrset_target *targets;
    size_t target_count;
    size_t target_room;
    struct rrset_pending *pending; /* of all RRsets so far */
    size_t pending_count;
    size_t pending_room;

    uint32_t record_count;
    bool signed_rrsets; /* there was one */
    bool oversize;      /* there was something that does not fit into a message */
    bool occluded;      /* what is written now is in no answer: it has no additional data */

    struct fragment_writer rrs;
    struct fragment_writer other; /* signatures or glue: what has no pointer list */
};

void rrset_compiler_start(struct rrset_compiler *c, struct zone *zone, struct image *image);
void rrset_compiler_free(struct rrset_compiler *c);

/* The RRsets to come belong to that name. */
void rrset_compiler_set_owner(struct rrset_compiler *c, uint32_t name);

/* Adds the RRset to the image and its RRs to record_count; no TTL exceeds `ttl_limit`. Names that
 * targets lead to and that have no node in the slots are marked as needed, those whose addresses
 * are stored with a cut as embedded. */
void rrset_compiler_write(struct rrset_compiler *c, uint32_t name, const struct zone_rrset *rrset,
                          uint32_t ttl_limit);

#endif
