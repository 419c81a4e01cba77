/*
 * Reading a zone table: the only code that turns offsets and refs into pointers. What it returns
 * points into the table and lives as long as its mapping.
 *
 * table_open() checks everything once; from then on a contradiction in the table is a bug of ours,
 * and the accessors do not look again.
 */
#ifndef SORREL_TABLE_TABLE_H
#define SORREL_TABLE_TABLE_H

#include "message/fragment.h"
#include "message/name.h"
#include "message/octets.h"
#include "table/layout.h"
#include "table/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
    const uint8_t *base;
    const struct table_header *header;
    const struct table_zone *directory;
    unsigned deepest_zone; /* labels of the apex that has most */
};

/* An RRset as it is stored in a node. */
struct rrset {
    uint16_t type;
    bool oversize; /* cannot be sent at all; rrs is empty */
    struct fragment rrs;
    struct fragment signatures; /* count 0 if there are none; its pointer list is empty */
    struct fragment glue;       /* in-domain glue of a cut's NS; likewise */
    const struct table_target *targets;
    uint16_t target_count;
};

/*
 * Validates `length` octets at `base` (8-octet aligned) as a whole table: magic, version, byte
 * order, checksum, and bounds and sense of every offset, count, name, fragment and pointer. Returns
 * NULL and fills `table`, or a sentence without a full stop that says what is wrong with it.
 */
const char *table_open(struct table *table, const void *base, size_t length);

/* Fills `table` from a table that is known to be valid (sealed, and opened before). */
void table_attach(struct table *table, const void *base);

/* The section whose apex is the suffix of `name` with `labels` labels and that hash; or NULL. */
const struct table_section *table_find_zone(const struct table *table, const struct name *name,
                                            unsigned labels, uint64_t hash);

/* For asking for memory ahead of table_find_zone(): the first directory slot that it will read, and
 * the section that it will compare first; NULL if it will find none. */
static inline const struct table_zone *table_first_slot(const struct table *table, uint64_t hash)
{
    return &table->directory[hash_slot(hash, table->header->directory_slots)];
}

const struct table_section *table_guess_zone(const struct table *table, uint64_t hash);

/* Walks the zones in no particular order: start with *position = 0; NULL at the end. */
const struct table_section *table_next_zone(const struct table *table, uint32_t *position);

static inline bool table_has_depth(const struct table *table, unsigned labels)
{
    return table->header->depths[labels / 64] >> (labels % 64) & 1;
}

static inline const void *section_at(const struct table_section *section, uint32_t ref)
{
    return (const uint8_t *)section + (uint64_t)ref * TABLE_UNIT;
}

static inline const struct table_node *section_node(const struct table_section *section,
                                                    uint32_t ref)
{
    return section_at(section, ref);
}

static inline const uint8_t *section_apex_name(const struct table_section *section)
{
    return section_at(section, section->apex_name);
}

/* The node of the suffix of `name` with `labels` labels (at least the apex') and that hash, or
 * NULL. */
const struct table_node *section_find_node(const struct table_section *section,
                                           const struct name *name, unsigned labels, uint64_t hash);

/* For asking for memory ahead of section_find_node(): the first slot that it will read. */
static inline const struct table_slot *section_first_slot(const struct table_section *section,
                                                          uint64_t hash)
{
    const struct table_slot *slots = section_at(section, section->slots);

    return &slots[hash_slot(hash, section->slot_count)];
}

/* ... and the node (a ref) that it will compare first: nearly always the one looked for. 0 if it
 * will find none. */
uint32_t section_guess_node(const struct table_section *section, uint64_t hash);

/* The node `*` directly below `encloser`, whose name has the hash `hash`; or NULL. */
const struct table_node *section_find_wildcard(const struct table_section *section,
                                               const struct table_node *encloser, uint64_t hash);

/* The node's owner below the apex: owner_length octets of labels. */
static inline const uint8_t *node_owner(const struct table_node *node)
{
    const uint8_t *behind = (const uint8_t *)(node + 1);

    return node->flags & NODE_PROOFS ? behind + sizeof(struct table_proofs) : behind;
}

/* Octets of the node's owner name in full. */
static inline unsigned node_name_length(const struct table_section *section,
                                        const struct table_node *node)
{
    return (unsigned)node->owner_length + section->apex_length;
}

/* Is the node's owner the suffix of `name` with `labels` labels? Both lie in this zone. */
static inline bool node_has_name(const struct table_section *section, const struct table_node *node,
                                 const struct name *name, unsigned labels)
{
    unsigned first = (unsigned)name->labels - labels;

    return name_suffix_length(name, first) == node_name_length(section, node) &&
           octets_are_equal(node_owner(node), name_suffix(name, first), node->owner_length);
}

/* Is the section's apex the suffix of `name` with `labels` labels? */
static inline bool section_has_apex(const struct table_section *section, const struct name *name,
                                    unsigned labels)
{
    unsigned first = (unsigned)name->labels - labels;

    return section->apex_length == name_suffix_length(name, first) &&
           octets_are_equal(section_apex_name(section), name_suffix(name, first),
                            section->apex_length);
}

/* The node's owner name in full. */
void node_name(const struct table_section *section, const struct table_node *node,
               struct name *name);

/* NULL without NODE_PROOFS. */
static inline const struct table_proofs *node_proofs(const struct table_node *node)
{
    return node->flags & NODE_PROOFS ? (const void *)(node + 1) : NULL;
}

/* The next even address: where the parts of a node begin. */
static inline const uint8_t *table_even(const uint8_t *at)
{
    return at + ((uintptr_t)at & 1);
}

static inline const struct table_rrset *node_first_rrset(const struct table_node *node)
{
    return (const void *)table_even(node_owner(node) + node->owner_length);
}

/* What lies behind a stored RRset: the next one, if there is one. */
const struct table_rrset *rrset_behind(const struct table_rrset *stored);

/* Where the RRset of `type` is stored; NULL if the node has none. */
static inline const struct table_rrset *node_stored_rrset(const struct table_node *node,
                                                          uint16_t type)
{
    const struct table_rrset *stored = node_first_rrset(node);

    for (unsigned left = node->rrset_count; left > 0; left--) {
        if (stored->type == type)
            return stored;
        if (stored->type > type)
            return NULL;
        if (left > 1)
            stored = rrset_behind(stored);
    }
    return NULL;
}

/* Finds the RRset of `type`; false if the node has none. */
bool node_find_rrset(const struct table_section *section, const struct table_node *node,
                     uint16_t type, struct rrset *rrset);

/* The RRs of an RRset without additional data, and its signatures: what most answers are made of,
 * at less than half the cost of all of a struct rrset. False if the node has no RRset of `type`, or
 * there is more to it. */
static inline bool node_find_plain_rrset(const struct table_node *node, uint16_t type,
                                         struct fragment *rrs, struct fragment *signatures)
{
    const struct table_rrset *stored = node_stored_rrset(node, type);

    if (stored == NULL || stored->count == 0 || stored->pointers & RRSET_ADDITIONAL)
        return false;
    const uint8_t *at = (const uint8_t *)(stored + 1);
    signatures->count = signatures->length = 0;
    if (stored->pointers & RRSET_SIGNED) {
        const struct table_signatures *counted = (const void *)at;
        signatures->count = counted->count;
        signatures->length = counted->length;
        at += sizeof *counted;
    }
    rrs->octets = at + (stored->pointers & RRSET_POINTERS) * sizeof(uint16_t);
    rrs->length = stored->length;
    rrs->count = stored->count;
    signatures->octets = table_even(rrs->octets + rrs->length);
    return true;
}

/* Walks a node's RRsets, ascending by type. */
struct rrset_walk {
    const uint8_t *next;
    uint16_t left;
    uint8_t owner_length;
};

struct rrset_walk node_rrsets(const struct table_section *section, const struct table_node *node);

/* Fills `rrset` with the next one; false at the end. */
bool rrset_next(struct rrset_walk *walk, struct rrset *rrset);

/* The SOA RRset for negative answers. */
void section_negative_soa(const struct table_section *section, struct rrset *rrset);

static inline uint32_t target_node(const struct table_target *target)
{
    return target->node[0] | (uint32_t)target->node[1] << 16;
}

#endif
