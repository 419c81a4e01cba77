#include "table/validate_nodes.h"

#include "message/codes.h"
#include "message/octets.h"
#include "table/validate_rrset.h"

#include <stdlib.h>

bool validate_map_make(struct validate_map *map, const struct table_section *section)
{
    map->section = section;
    map->units = (uint32_t)(section->length / TABLE_UNIT) - section->nodes;
    map->words = (size_t)map->units / 64 + 1;
    map->wanted = 0;
    /* Of these pages only the sets that are used are ever touched. */
    map->found = calloc(map->words, 2 * VALIDATE_MARKS * sizeof *map->found);
    map->demanded = map->found != NULL ? map->found + VALIDATE_MARKS * map->words : NULL;
    return map->found != NULL;
}

void validate_map_free(struct validate_map *map)
{
    free(map->found);
}

bool validate_demands_are_met(const struct validate_map *const *maps, unsigned count)
{
    size_t words = maps[0]->words;

    for (unsigned mark = 0; mark < VALIDATE_MARKS; mark++) {
        unsigned wanted = 0;
        for (unsigned i = 0; i < count; i++)
            wanted |= maps[i]->wanted;
        if (!(wanted >> mark & 1))
            continue;
        for (size_t at = mark * words; at < (mark + 1) * words; at++) {
            uint64_t demanded = 0, found = 0;
            for (unsigned i = 0; i < count; i++) {
                demanded |= maps[i]->demanded[at];
                found |= maps[i]->found[at];
            }
            if ((demanded & ~found) != 0)
                return false;
        }
    }
    return true;
}

/* --- names ------------------------------------------------------------------------------- */

/* Is there a capital letter in any of eight octets? What is added carries into the top bit of each
 * that is not before 'A', or not behind 'Z'. */
static bool has_capital(uint64_t eight)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = eight & each * 0x7f;
    uint64_t not_before = low + each * (0x80 - 'A');
    uint64_t behind = low + each * (0x80 - 'Z' - 1);

    return (not_before & ~behind & ~eight & each * 0x80) != 0;
}

static bool is_lower(const uint8_t *octets, unsigned length)
{
    if (length < 8) {
        uint64_t eight = 0;
        for (unsigned at = 0; at < length; at++)
            eight = eight << 8 | octets[at];
        return !has_capital(eight);
    }
    for (unsigned at = 0; at + 8 <= length; at += 8)
        if (has_capital(octets_read_8(octets + at)))
            return false;
    /* the last eight, some of them for the second time */
    return !has_capital(octets_read_8(octets + length - 8));
}

/* Checks labels that go on above: no root octet at their end. */
static bool labels_are_sound(const uint8_t *labels, unsigned length)
{
    unsigned at = 0;

    while (at < length) {
        if (labels[at] == 0 || labels[at] > NAME_LABEL_OCTETS_MAX)
            return false;
        at += 1u + labels[at];
    }
    return at == length && is_lower(labels, length);
}

static bool is_wildcard(const uint8_t *labels, unsigned length)
{
    return length >= 2 && labels[0] == 1 && labels[1] == '*';
}

/* --- nodes ------------------------------------------------------------------------------- */

/* A node under examination. */
struct subject {
    const struct table_node *node;
    struct validate_owner owner;
    uint8_t kinds; /* HAS_* */
};

/* RRsets that flags and refs speak of. */
enum {
    HAS_NS = 1 << 0,
    HAS_CNAME = 1 << 1,
    HAS_DNAME = 1 << 2,
    HAS_NSEC = 1 << 3,
    HAS_NSEC3 = 1 << 4
};

static unsigned kind_of(const struct rrset *rrset)
{
    switch (rrset->type) {
    case TYPE_NS:
        return HAS_NS;
    case TYPE_CNAME:
        return HAS_CNAME;
    case TYPE_DNAME:
        return HAS_DNAME;
    case TYPE_NSEC:
        return rrset->oversize ? 0 : HAS_NSEC;
    case TYPE_NSEC3:
        return rrset->oversize ? 0 : HAS_NSEC3;
    default:
        return 0;
    }
}

/* Does one set have the bit `one` if and only if the other has the bit `other`? */
static bool agree(unsigned set, unsigned one, unsigned other_set, unsigned other)
{
    return ((set & one) != 0) == ((other_set & other) != 0);
}

static const char *check_flags(const struct subject *subject)
{
    const struct validate_owner *owner = &subject->owner;
    unsigned flags = subject->node->flags;
    unsigned kinds = subject->kinds;

    /* Nothing to agree about, as with most. */
    if ((flags | kinds) == 0 && !is_wildcard(owner->labels, owner->length))
        return NULL;
    if (owner->length > 0 && owner->wildcard != is_wildcard(owner->labels, owner->length))
        return "a node's wildcard flag and its name contradict each other";
    if (owner->occluded)
        return (flags | NODE_WILDCARD) == (NODE_OCCLUDED | NODE_WILDCARD)
                   ? NULL
                   : "an occluded node has the flags of others";
    if (flags & NODE_CUT &&
        (!(kinds & HAS_NS) || kinds & (HAS_CNAME | HAS_DNAME) || owner->length == 0))
        return "a zone cut has no NS, or more than a cut may have";
    if (!agree(flags, NODE_CNAME, kinds, HAS_CNAME) || !agree(flags, NODE_DNAME, kinds, HAS_DNAME))
        return "a node's flags and its CNAME or DNAME contradict each other";
    return NULL;
}

static bool is_nsec3_or_none(struct validate_map *map, uint32_t ref)
{
    return ref == 0 || validate_demand(map, ref, MARK_NODE | MARK_NSEC3);
}

static const char *check_proofs(struct validate_map *map, const struct table_node *node)
{
    const struct table_proofs *proofs = node_proofs(node);

    if (proofs == NULL)
        return NULL;
    if ((proofs->match == 0 && proofs->cover == 0) || !is_nsec3_or_none(map, proofs->match) ||
        !is_nsec3_or_none(map, proofs->cover))
        return "a node's proofs are not NSEC3 nodes";
    return NULL;
}

static const char beyond_section[] = "a node goes beyond its section";

/* Checks the RRset at `at`, whatever it has; `*size` becomes the octets that it takes. */
static const char *check_rrset(struct validate_map *map, struct subject *subject, const uint8_t *at,
                               size_t available, size_t *size)
{
    struct rrset_walk walk = {.next = at, .left = 1, .owner_length = subject->owner.name_length};
    struct rrset rrset;

    *size = validate_rrset_size(at, available);
    if (*size == 0)
        return beyond_section;
    rrset_next(&walk, &rrset);
    const char *reason = validate_rrset(&rrset, &subject->owner);
    if (reason != NULL)
        return reason;
    for (unsigned i = 0; i < rrset.target_count; i++)
        if (!validate_demand(map, target_node(&rrset.targets[i]), MARK_NODE))
            return "a target is not a node";
    subject->kinds |= (uint8_t)kind_of(&rrset);
    return NULL;
}

/* Checks the node's RRsets; `*next` becomes the octet behind them. */
static const char *check_rrsets(struct validate_map *map, struct subject *subject,
                                const uint8_t *end, const uint8_t **next)
{
    const uint8_t *at = (const uint8_t *)node_first_rrset(subject->node);
    unsigned least_type = 0;

    for (unsigned left = subject->node->rrset_count; left > 0; left--) {
        const struct table_rrset *stored = (const void *)at;
        const char *reason = NULL;
        if (at + sizeof *stored > end)
            return beyond_section;
        if (stored->type < least_type)
            return "a node's RRsets are not in ascending order";
        least_type = stored->type + 1u;
        size_t size = validate_plain_rrset(at, (size_t)(end - at));
        if (size == 0)
            reason = check_rrset(map, subject, at, (size_t)(end - at), &size);
        if (reason != NULL)
            return reason;
        at += size;
    }
    *next = at;
    return NULL;
}

static void mark_node(const struct validate_map *map, const struct subject *subject)
{
    const struct table_node *node = subject->node;
    size_t at = (size_t)((const uint8_t *)node - (const uint8_t *)map->section);
    uint32_t unit = (uint32_t)(at / TABLE_UNIT) - map->section->nodes;

    validate_map_add(map, map->found, unit, MARK_NODE);
    if (subject->kinds & HAS_NSEC)
        validate_map_add(map, map->found, unit, MARK_NSEC);
    if (subject->kinds & HAS_NSEC3)
        validate_map_add(map, map->found, unit, MARK_NSEC3);
    if (node->flags & NODE_PROOFS)
        validate_map_add(map, map->found, unit, MARK_PROOFS);
}

/* Checks the node at `at`; `*next` becomes the octet behind it. */
static const char *check_node(struct validate_map *map, const uint8_t *at, const uint8_t *end,
                              const uint8_t **next)
{
    const struct table_node *node = (const void *)at;
    struct subject subject = {
        .node = node,
        .owner = {.labels = node_owner(node),
                  .length = node->owner_length,
                  .wildcard = (node->flags & NODE_WILDCARD) != 0,
                  .occluded = (node->flags & NODE_OCCLUDED) != 0},
    };
    unsigned name_length = node_name_length(map->section, node);

    if ((size_t)(subject.owner.labels - at) + node->owner_length > (size_t)(end - at))
        return beyond_section;
    if (name_length > NAME_OCTETS_MAX ||
        !labels_are_sound(subject.owner.labels, node->owner_length))
        return "a node's name is malformed";
    subject.owner.name_length = (uint8_t)name_length;
    const char *reason = check_rrsets(map, &subject, end, next);
    if (reason == NULL)
        reason = check_flags(&subject);
    if (reason == NULL)
        reason = check_proofs(map, node);
    if (reason != NULL)
        return reason;
    if (!subject.owner.occluded)
        mark_node(map, &subject);
    return NULL;
}

static bool is_filler(const uint8_t *unit)
{
    return octets_read_8(unit) == 0;
}

const char *validate_nodes(struct validate_map *map, uint32_t from, uint32_t to)
{
    const uint8_t *start = (const void *)map->section;
    const uint8_t *at = start + (uint64_t)from * TABLE_UNIT;
    const uint8_t *end = start + (uint64_t)to * TABLE_UNIT;

    while (at < end) {
        if (is_filler(at)) {
            at += TABLE_UNIT;
            continue;
        }
        const uint8_t *next;
        const char *reason = check_node(map, at, end, &next);
        if (reason != NULL)
            return reason;
        at = start + ((size_t)(next - start) + TABLE_UNIT - 1) / TABLE_UNIT * TABLE_UNIT;
    }
    return NULL;
}
