#include "table/validate_nodes.h"

#include "message/codes.h"
#include "table/validate_rrset.h"

#include <stdlib.h>
#include <string.h>

bool validate_map_make(struct validate_map *map, const struct table_section *section)
{
    map->section = section;
    map->units = (uint32_t)(section->length / TABLE_UNIT) - section->nodes;
    map->marks = calloc(map->units, 1);
    return map->marks != NULL;
}

void validate_map_free(struct validate_map *map)
{
    free(map->marks);
}

static uint64_t read_eight(const uint8_t *marks)
{
    uint64_t eight;

    memcpy(&eight, marks, sizeof eight);
    return eight;
}

bool validate_demands_are_met(const struct validate_map *const *maps, unsigned count)
{
    const uint64_t low_halves = UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint32_t at = 0;

    for (; at + 8 <= maps[0]->units; at += 8) {
        uint64_t eight = read_eight(maps[0]->marks + at);
        for (unsigned i = 1; i < count; i++)
            eight |= read_eight(maps[i]->marks + at);
        if ((eight >> 4 & ~eight & low_halves) != 0)
            return false;
    }
    for (; at < maps[0]->units; at++) {
        unsigned one = 0;
        for (unsigned i = 0; i < count; i++)
            one |= maps[i]->marks[at];
        if ((one >> 4 & ~one) != 0)
            return false;
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
    unsigned at = 0;

    for (; at + 8 <= length; at += 8) {
        uint64_t eight;
        memcpy(&eight, octets + at, 8);
        if (has_capital(eight))
            return false;
    }
    for (; at < length; at++)
        if ((uint8_t)(octets[at] - 'A') < 26)
            return false;
    return true;
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

    if (flags & NODE_CUT &&
        (!(kinds & HAS_NS) || kinds & (HAS_CNAME | HAS_DNAME) || owner->length == 0))
        return "a zone cut has no NS, or more than a cut may have";
    if (!agree(flags, NODE_CNAME, kinds, HAS_CNAME) || !agree(flags, NODE_DNAME, kinds, HAS_DNAME))
        return "a node's flags and its CNAME or DNAME contradict each other";
    if (owner->length > 0 && owner->wildcard != is_wildcard(owner->labels, owner->length))
        return "a node's wildcard flag and its name contradict each other";
    return NULL;
}

static bool is_nsec3_or_none(const struct validate_map *map, uint32_t ref)
{
    return ref == 0 || validate_demand(map, ref, MARK_NODE | MARK_NSEC3);
}

static const char *check_proofs(const struct validate_map *map, const struct table_node *node)
{
    const struct table_proofs *proofs = node_proofs(node);

    if (proofs == NULL)
        return NULL;
    if ((proofs->match == 0 && proofs->cover == 0) || !is_nsec3_or_none(map, proofs->match) ||
        !is_nsec3_or_none(map, proofs->cover))
        return "a node's proofs are not NSEC3 nodes";
    return NULL;
}

static const char *check_rrset(const struct validate_map *map, struct subject *subject,
                               const struct rrset *rrset)
{
    const char *reason = validate_rrset(rrset, &subject->owner);

    if (reason != NULL)
        return reason;
    for (unsigned i = 0; i < rrset->target_count; i++)
        if (!validate_demand(map, target_node(&rrset->targets[i]), MARK_NODE))
            return "a target is not a node";
    subject->kinds |= (uint8_t)kind_of(rrset);
    return NULL;
}

/* Checks the node's RRsets; `*next` becomes the octet behind them. */
static const char *check_rrsets(const struct validate_map *map, struct subject *subject,
                                const uint8_t *end, const uint8_t **next)
{
    struct rrset_walk walk = node_rrsets(map->section, subject->node);
    unsigned least_type = 0;

    while (walk.left > 0) {
        struct rrset rrset;
        if (walk.next > end || validate_rrset_size(walk.next, (size_t)(end - walk.next)) == 0)
            return "a node goes beyond its section";
        rrset_next(&walk, &rrset);
        if (rrset.type < least_type)
            return "a node's RRsets are not in ascending order";
        least_type = rrset.type + 1u;
        const char *reason = check_rrset(map, subject, &rrset);
        if (reason != NULL)
            return reason;
    }
    *next = walk.next;
    return NULL;
}

static void mark_node(const struct validate_map *map, const struct subject *subject)
{
    const struct table_node *node = subject->node;
    size_t at = (size_t)((const uint8_t *)node - (const uint8_t *)map->section);
    unsigned marks = MARK_NODE;

    if (subject->kinds & HAS_NSEC)
        marks |= MARK_NSEC;
    if (subject->kinds & HAS_NSEC3)
        marks |= MARK_NSEC3;
    if (node->flags & NODE_PROOFS)
        marks |= MARK_PROOFS;
    map->marks[at / TABLE_UNIT - map->section->nodes] |= (uint8_t)marks;
}

/* Checks the node at `at`; `*next` becomes the octet behind it. */
static const char *check_node(const struct validate_map *map, const uint8_t *at, const uint8_t *end,
                              const uint8_t **next)
{
    const struct table_node *node = (const void *)at;
    struct subject subject = {
        .node = node,
        .owner = {.labels = node_owner(node),
                  .length = node->owner_length,
                  .wildcard = (node->flags & NODE_WILDCARD) != 0},
    };
    unsigned name_length = node_name_length(map->section, node);

    if ((size_t)(subject.owner.labels - at) + node->owner_length > (size_t)(end - at))
        return "a node goes beyond its section";
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
    mark_node(map, &subject);
    return NULL;
}

static bool is_filler(const uint8_t *unit)
{
    uint64_t octets;

    memcpy(&octets, unit, sizeof octets);
    return octets == 0;
}

const char *validate_nodes(const struct validate_map *map, uint32_t from, uint32_t to)
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
