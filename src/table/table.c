#include "table/table.h"

#include "table/hash.h"

#include <string.h>

static const uint8_t wildcard_label[2] = {1, '*'};

void table_attach(struct table *table, const void *base)
{
    table->base = base;
    table->header = base;
    table->directory = (const void *)(table->base + table->header->directory);
    table->deepest_zone = NAME_LABELS_MAX;
    while (table->deepest_zone > 0 && !table_has_depth(table, table->deepest_zone))
        table->deepest_zone--;
}

const struct table_section *table_find_zone(const struct table *table, const struct name *name,
                                            unsigned labels, uint64_t hash)
{
    uint32_t slots = table->header->directory_slots;
    uint32_t at = hash_slot(hash, slots);

    while (table->directory[at].section != 0) {
        if (table->directory[at].hash == hash) {
            const struct table_section *section =
                (const void *)(table->base + table->directory[at].section);
            if (section_has_apex(section, name, labels))
                return section;
        }
        if (++at == slots)
            at = 0;
    }
    return NULL;
}

const struct table_section *table_guess_zone(const struct table *table, uint64_t hash)
{
    uint32_t slots = table->header->directory_slots;
    uint32_t at = hash_slot(hash, slots);

    while (table->directory[at].section != 0 && table->directory[at].hash != hash)
        at = at + 1 == slots ? 0 : at + 1;
    return table->directory[at].section != 0
               ? (const void *)(table->base + table->directory[at].section)
               : NULL;
}

const struct table_section *table_next_zone(const struct table *table, uint32_t *position)
{
    while (*position < table->header->directory_slots) {
        uint64_t section = table->directory[(*position)++].section;
        if (section != 0)
            return (const void *)(table->base + section);
    }
    return NULL;
}

/* 1 if a search for `tag` ends at the slot, else 0. */
static unsigned ends_at(const struct table_slot *slot, uint32_t tag)
{
    return (unsigned)(slot->tag == tag) | (unsigned)(slot->node == 0);
}

/* The first four slots are compared all at once. Which of them it is depends on chance, for three
 * in four slots are taken, and a branch that the processor foresees wrongly costs more than
 * comparing the other three. */
uint32_t section_guess_node(const struct table_section *section, uint64_t hash)
{
    const struct table_slot *slots = section_at(section, section->slots);
    uint32_t tag = hash_tag(hash);
    uint32_t at = hash_slot(hash, section->slot_count);

    if (section->slot_count - at > 4) {
        const struct table_slot *four = &slots[at];
        unsigned ends = ends_at(&four[0], tag) | ends_at(&four[1], tag) << 1 |
                        ends_at(&four[2], tag) << 2 | ends_at(&four[3], tag) << 3;
        if (ends != 0)
            return four[__builtin_ctz(ends)].node;
        at += 4;
    }
    while (!ends_at(&slots[at], tag))
        at = at + 1 == section->slot_count ? 0 : at + 1;
    return slots[at].node;
}

const struct table_node *section_find_node(const struct table_section *section,
                                           const struct name *name, unsigned labels, uint64_t hash)
{
    const struct table_slot *slots = section_at(section, section->slots);
    uint32_t tag = hash_tag(hash);
    uint32_t at = hash_slot(hash, section->slot_count);

    while (slots[at].node != 0) {
        if (slots[at].tag == tag) {
            const struct table_node *node = section_node(section, slots[at].node);
            if (node_has_name(section, node, name, labels))
                return node;
        }
        if (++at == section->slot_count)
            at = 0;
    }
    return NULL;
}

static bool is_wildcard_of(const struct table_node *node, const struct table_node *encloser)
{
    const uint8_t *owner = node_owner(node);

    return node->owner_length == encloser->owner_length + sizeof wildcard_label &&
           memcmp(owner, wildcard_label, sizeof wildcard_label) == 0 &&
           memcmp(owner + sizeof wildcard_label, node_owner(encloser), encloser->owner_length) == 0;
}

const struct table_node *section_find_wildcard(const struct table_section *section,
                                               const struct table_node *encloser, uint64_t hash)
{
    const struct table_slot *slots = section_at(section, section->slots);
    uint64_t wildcard_hash = hash_label(hash, wildcard_label);
    uint32_t at = hash_slot(wildcard_hash, section->slot_count);

    for (; slots[at].node != 0; at = at + 1 == section->slot_count ? 0 : at + 1) {
        const struct table_node *node = section_node(section, slots[at].node);
        if (slots[at].tag == hash_tag(wildcard_hash) && is_wildcard_of(node, encloser))
            return node;
    }
    return NULL;
}

void node_name(const struct table_section *section, const struct table_node *node,
               struct name *name)
{
    uint8_t wire[NAME_OCTETS_MAX + 1];
    unsigned length = node_name_length(section, node);

    memcpy(wire, node_owner(node), node->owner_length);
    memcpy(wire + node->owner_length, section_apex_name(section), section->apex_length);
    size_t read = name_read(name, wire, length);
    assert(read == length);
    (void)read;
}

/* Fills `rrset` from the one stored at `at`; returns what lies behind it. */
static const uint8_t *read_rrset(const uint8_t *at, uint8_t owner_length, struct rrset *rrset)
{
    const struct table_rrset *head = (const void *)at;
    uint16_t pointers = head->pointers & RRSET_POINTERS;
    static const struct table_signatures unsigned_rrset;
    static const struct table_additional nothing;
    const struct table_signatures *signatures = &unsigned_rrset;
    const struct table_additional *additional = &nothing;

    at += sizeof *head;
    if (head->pointers & RRSET_SIGNED) {
        signatures = (const void *)at;
        at += sizeof *signatures;
    }
    if (head->pointers & RRSET_ADDITIONAL) {
        additional = (const void *)at;
        at += sizeof *additional;
    }
    rrset->type = head->type;
    rrset->oversize = head->count == 0;
    rrset->rrs.pointers = (const void *)at;
    rrset->rrs.pointer_count = pointers;
    at += pointers * sizeof(uint16_t);
    rrset->rrs.octets = at;
    rrset->rrs.length = head->length;
    rrset->rrs.count = head->count;
    rrset->rrs.owner_length = owner_length;
    at = table_even(at + head->length);
    rrset->signatures = (struct fragment){.octets = at,
                                          .length = signatures->length,
                                          .count = signatures->count,
                                          .owner_length = owner_length};
    at = table_even(at + signatures->length);
    rrset->glue = (struct fragment){.octets = at,
                                    .length = additional->glue_length,
                                    .count = additional->glue_count,
                                    .owner_length = owner_length};
    at = table_even(at + additional->glue_length);
    rrset->targets = (const void *)at;
    rrset->target_count = additional->targets;
    return at + additional->targets * sizeof(struct table_target);
}

const struct table_rrset *rrset_behind(const struct table_rrset *stored)
{
    const uint8_t *at = (const uint8_t *)(stored + 1);
    struct rrset passed;

    if (stored->pointers & (RRSET_SIGNED | RRSET_ADDITIONAL))
        at = read_rrset((const uint8_t *)stored, 0, &passed);
    else
        at = table_even(at + stored->pointers * sizeof(uint16_t) + stored->length);
    return (const void *)at;
}

bool node_find_rrset(const struct table_section *section, const struct table_node *node,
                     uint16_t type, struct rrset *rrset)
{
    const struct table_rrset *stored = node_stored_rrset(node, type);

    if (stored != NULL)
        read_rrset((const uint8_t *)stored, (uint8_t)node_name_length(section, node), rrset);
    return stored != NULL;
}

struct rrset_walk node_rrsets(const struct table_section *section, const struct table_node *node)
{
    return (struct rrset_walk){.next = (const uint8_t *)node_first_rrset(node),
                               .left = node->rrset_count,
                               .owner_length = (uint8_t)node_name_length(section, node)};
}

bool rrset_next(struct rrset_walk *walk, struct rrset *rrset)
{
    if (walk->left == 0)
        return false;
    walk->left--;
    walk->next = read_rrset(walk->next, walk->owner_length, rrset);
    return true;
}

void section_negative_soa(const struct table_section *section, struct rrset *rrset)
{
    read_rrset(section_at(section, section->negative_soa), section->apex_length, rrset);
}
