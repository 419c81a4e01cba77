/*
 * The nodes of a section against what layout.h promises of them, and of the refs that lead to them.
 *
 * Nodes are passed over once, in the order in which they lie. Refs are met before and behind the
 * nodes they lead to, so they are only noted, in sets of one bit for each unit of the node area:
 * which nodes begin where, and which are demanded where. In the end nothing may be demanded that is
 * not there. Several threads do so at once, each for a share of the nodes and with sets of its own.
 */
#ifndef SORREL_TABLE_VALIDATE_NODES_H
#define SORREL_TABLE_VALIDATE_NODES_H

#include "table/table.h"

#include <stdbool.h>
#include <stdint.h>

enum validate_mark {
    MARK_NODE = 1 << 0,
    MARK_NSEC = 1 << 1,  /* it has an NSEC RRset */
    MARK_NSEC3 = 1 << 2, /* it has an NSEC3 RRset */
    MARK_PROOFS = 1 << 3,
};

enum { VALIDATE_MARKS = 4 };

struct validate_map {
    const struct table_section *section;
    uint32_t units;     /* of the node area */
    size_t words;       /* of each set */
    unsigned wanted;    /* marks that are demanded anywhere */
    uint64_t *found;    /* VALIDATE_MARKS sets, one behind the other: nodes with that mark */
    uint64_t *demanded; /* likewise: refs to such nodes */
};

/* The map of a section whose length and start of nodes are sound; false if there is no memory for
 * it. Free with validate_map_free(). */
bool validate_map_make(struct validate_map *map, const struct table_section *section);

void validate_map_free(struct validate_map *map);

/* Adds a unit to the sets of these marks. */
static inline void validate_map_add(const struct validate_map *map, uint64_t *sets, uint32_t unit,
                                    unsigned marks)
{
    const uint64_t bit = UINT64_C(1) << unit % 64;
    uint64_t *word = sets + unit / 64;

    if (marks & MARK_NODE)
        word[0] |= bit;
    if (marks & MARK_NSEC)
        word[map->words] |= bit;
    if (marks & MARK_NSEC3)
        word[2 * map->words] |= bit;
    if (marks & MARK_PROOFS)
        word[3 * map->words] |= bit;
}

/* Notes that `ref` must lead to a node with these marks; false if it leads out of the node area. */
static inline bool validate_demand(struct validate_map *map, uint32_t ref, unsigned marks)
{
    /* a ref before the first node wraps round and is too large as well */
    uint32_t unit = ref - map->section->nodes;

    if (unit >= map->units)
        return false;
    map->wanted |= marks;
    validate_map_add(map, map->demanded, unit, marks);
    return true;
}

/* Checks the nodes from the ref `from` to the ref `to`: one must begin at the first, if they are
 * not the same, and end at the other. NULL, or a sentence without a full stop. */
const char *validate_nodes(struct validate_map *map, uint32_t from, uint32_t to);

/* Is all that any of these maps of one section demands in one of them? */
bool validate_demands_are_met(const struct validate_map *const *maps, unsigned count);

#endif
