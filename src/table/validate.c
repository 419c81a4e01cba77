/*
 * table_open(): all that layout.h and fragment.h promise, checked once, so that nobody has to look
 * again.
 */
#include "message/codes.h"
#include "table/hash.h"
#include "table/table.h"
#include "table/validate_nodes.h"
#include "table/validate_rrset.h"

#include <string.h>

struct validation {
    const struct table_header *header;
    const struct table_section *section;
    struct name apex;
    struct validate_map map;
};

static bool holds(const struct table_section *section, uint32_t ref, uint64_t size)
{
    uint64_t at = (uint64_t)ref * TABLE_UNIT;

    return at >= sizeof *section && at + size <= (uint64_t)section->nodes * TABLE_UNIT;
}

/* --- what lies before the nodes ---------------------------------------------------------- */

static const char *check_apex(struct validation *v)
{
    const struct table_section *section = v->section;
    uint64_t hashes[NAME_LABELS_MAX + 1];

    if (section->apex_length == 0 || !holds(section, section->apex_name, section->apex_length) ||
        name_read(&v->apex, section_apex_name(section), section->apex_length) !=
            section->apex_length ||
        memcmp(v->apex.octets, section_apex_name(section), section->apex_length) != 0 ||
        v->apex.labels != section->apex_labels)
        return "a zone's name is malformed";
    hash_name(&v->apex, v->header->seed, hashes);
    if (hashes[v->apex.labels] != section->apex_hash)
        return "a zone's name has another hash than its section says";
    if (section->apex_labels + section->deepest > NAME_LABELS_MAX)
        return "a zone is deeper than names can be";
    return validate_demand(&v->map, section->apex, MARK_NODE) ? NULL
                                                              : "a zone's apex is not a node";
}

static const char *check_slots(const struct validation *v)
{
    const struct table_section *section = v->section;
    unsigned marks = MARK_NODE | (section->nsec3_count > 0 ? MARK_PROOFS : 0);
    uint32_t nodes = 0;

    if (section->node_count >= section->slot_count ||
        !holds(section, section->slots, (uint64_t)section->slot_count * sizeof(struct table_slot)))
        return "a section's slots go beyond it, or none is left empty";
    const struct table_slot *slots = section_at(section, section->slots);
    for (uint32_t i = 0; i < section->slot_count; i++) {
        if (slots[i].node == 0)
            continue;
        if (!validate_demand(&v->map, slots[i].node, marks))
            return "a slot leads to no node";
        nodes++;
    }
    return nodes == section->node_count ? NULL : "a section has not as many nodes as it says";
}

static const char *check_index(const struct validation *v, uint32_t keys_ref, uint32_t nodes_ref,
                               uint32_t count, unsigned marks)
{
    if (keys_ref == 0)
        return count == 0 ? NULL : "an index has entries but no keys";
    if (count == 0 || !holds(v->section, keys_ref, count * sizeof(uint64_t)) ||
        !holds(v->section, nodes_ref, count * sizeof(uint32_t)))
        return "an index is empty or goes beyond its section";
    const uint64_t *keys = section_at(v->section, keys_ref);
    const uint32_t *nodes = section_at(v->section, nodes_ref);
    for (uint32_t i = 0; i < count; i++)
        if (!validate_demand(&v->map, nodes[i], marks) || (i > 0 && keys[i] < keys[i - 1]))
            return "an index is not in order, or leads to no node";
    return NULL;
}

static const char *check_indexes(const struct validation *v)
{
    const struct table_section *section = v->section;
    const char *reason = check_index(v, section->nsec_keys, section->nsec_nodes,
                                     section->nsec_count, MARK_NODE | MARK_NSEC);

    if (reason == NULL)
        reason = check_index(v, section->nsec3_keys, section->nsec3_nodes, section->nsec3_count,
                             MARK_NODE | MARK_NSEC3);
    if (reason == NULL && section->nsec3_salt_length > 0 &&
        !holds(section, section->nsec3_salt, section->nsec3_salt_length))
        reason = "the NSEC3 salt goes beyond its section";
    return reason;
}

static const char *check_negative_soa(const struct validation *v)
{
    const struct table_section *section = v->section;
    struct validate_owner owner = {.name_length = section->apex_length};
    struct rrset rrset;

    if (!holds(section, section->negative_soa, sizeof(struct table_rrset)) ||
        validate_rrset_size(section_at(section, section->negative_soa),
                            (size_t)(section->nodes - section->negative_soa) * TABLE_UNIT) == 0)
        return "the negative SOA goes beyond its section";
    section_negative_soa(section, &rrset);
    if (rrset.type != TYPE_SOA || rrset.rrs.count != 1 || rrset.target_count != 0)
        return "the negative SOA is not a SOA record";
    return validate_rrset(&rrset, &owner);
}

static const char *check_sources(const struct validation *v)
{
    const struct table_section *section = v->section;
    uint32_t ref = section->sources;

    for (uint32_t left = section->source_count; left > 0; left--) {
        const struct table_source *source = section_at(section, ref);
        if (!holds(section, ref, sizeof *source) ||
            !holds(section, ref, (uint64_t)sizeof *source + source->path_length))
            return "a source goes beyond its section";
        ref += (uint32_t)((sizeof *source + source->path_length + TABLE_UNIT - 1) / TABLE_UNIT);
    }
    return NULL;
}

/* --- what can be looked at only when all nodes are known to be sound ------------------------ */

/* RFC 4648 §7, lower case; above 31 if it is no digit. */
static unsigned base32hex_digit(uint8_t octet)
{
    if ((uint8_t)(octet - '0') < 10)
        return octet - (unsigned)'0';
    return (uint8_t)(octet - 'a') < 22 ? octet - (unsigned)'a' + 10 : 32;
}

/* Does the node's owner begin with one label of base32hex, and that with `key`? */
static bool has_nsec3_key(const struct table_node *node, uint64_t key)
{
    enum { DIGITS = 32, WHOLE = 12 }; /* of a SHA-1 hash; wholly within the first 64 bits */
    const uint8_t *owner = node_owner(node);
    uint64_t read = 0;

    if (node->owner_length != 1 + DIGITS || owner[0] != DIGITS)
        return false;
    for (unsigned i = 1; i <= DIGITS; i++)
        if (base32hex_digit(owner[i]) > 31)
            return false;
    for (unsigned i = 1; i <= WHOLE; i++)
        read = read << 5 | base32hex_digit(owner[i]);
    return (read << 4 | base32hex_digit(owner[WHOLE + 1]) >> 1) == key;
}

static const char *check_nsec3_owners(const struct validation *v)
{
    const struct table_section *section = v->section;
    const uint64_t *keys = section_at(section, section->nsec3_keys);
    const uint32_t *nodes = section_at(section, section->nsec3_nodes);

    for (uint32_t i = 0; i < section->nsec3_count; i++)
        if (!has_nsec3_key(section_node(section, nodes[i]), keys[i]))
            return "an NSEC3 record's owner and its place in the index contradict each other";
    return NULL;
}

static const char *check_apex_node(const struct validation *v)
{
    const struct table_section *section = v->section;
    const struct table_node *apex = section_node(section, section->apex);
    struct rrset soa;

    if (apex->owner_length != 0 ||
        section_find_node(section, &v->apex, v->apex.labels, section->apex_hash) != apex)
        return "a zone's apex is not found under its name";
    if (!node_find_rrset(section, apex, TYPE_SOA, &soa) || soa.rrs.count != 1)
        return "a zone's apex has no SOA record";
    return NULL;
}

static const char *check_content(struct validation *v)
{
    const char *reason = check_apex(v);

    if (reason == NULL)
        reason = check_slots(v);
    if (reason == NULL)
        reason = check_indexes(v);
    if (reason == NULL)
        reason = check_negative_soa(v);
    if (reason == NULL)
        reason = check_sources(v);
    if (reason == NULL)
        reason = validate_nodes(&v->map);
    if (reason == NULL)
        reason = check_nsec3_owners(v);
    if (reason == NULL)
        reason = check_apex_node(v);
    return reason;
}

/* Checks the section at `at`, of which `available` octets are there. */
static const char *check_section(const struct table_header *header,
                                 const struct table_section *section, uint64_t available)
{
    struct validation v = {.header = header, .section = section};

    if (available < sizeof *section || section->length > available ||
        section->length % TABLE_UNIT != 0 || section->length / TABLE_UNIT > UINT32_MAX)
        return "a section goes beyond the table";
    uint64_t units = section->length / TABLE_UNIT;
    if (section->nodes < sizeof *section / TABLE_UNIT || section->nodes >= units)
        return "a section has no nodes";
    if (!validate_map_make(&v.map, section))
        return "there is no memory left to check it";
    const char *reason = check_content(&v);
    validate_map_free(&v.map);
    return reason;
}

/* --- the table --------------------------------------------------------------------------- */

static const char *check_header(const struct table_header *header, size_t length)
{
    enum { CHECKED_FROM = offsetof(struct table_header, checksum) + sizeof header->checksum };

    if (length < sizeof *header)
        return "it is shorter than a zone table's header";
    if (memcmp(header->magic, TABLE_MAGIC, sizeof header->magic) != 0)
        return "it is not a zone table";
    if (header->byte_order != TABLE_BYTE_ORDER)
        return "it was written by a machine of another byte order";
    if (header->version != TABLE_VERSION)
        return "it was written by another version of the program";
    if (header->length != length)
        return "it has another length than it says";
    if (header->checksum !=
        XXH3_64bits((const uint8_t *)header + CHECKED_FROM, length - CHECKED_FROM))
        return "its checksum is wrong";
    uint64_t directory_size = (uint64_t)header->directory_slots * sizeof(struct table_zone);
    if (header->directory < sizeof *header || header->directory % TABLE_UNIT != 0 ||
        header->directory > length || directory_size > length - header->directory)
        return "its directory goes beyond the table";
    return NULL;
}

/* Is there a slot for the section at `offset`, where a search for `hash` comes upon it? */
static bool directory_has(const struct table *table, uint64_t hash, uint64_t offset)
{
    uint32_t slots = table->header->directory_slots;
    uint32_t at = hash_slot(hash, slots);

    while (table->directory[at].section != 0) {
        if (table->directory[at].section == offset)
            return table->directory[at].hash == hash;
        if (++at == slots)
            at = 0;
    }
    return false;
}

static const char *check_directory(const struct table *table)
{
    const struct table_header *header = table->header;
    uint32_t zones = 0;

    for (uint32_t i = 0; i < header->directory_slots; i++)
        zones += table->directory[i].section != 0;
    if (zones != header->zone_count || zones >= header->directory_slots)
        return "its directory has not as many zones as it says, or no empty slot";
    return NULL;
}

/* Sections fill the rest of the table, and the directory has as many zones as there are sections;
 * so if it has each of them, it has nothing else. */
static const char *check_sections(const struct table *table)
{
    const struct table_header *header = table->header;
    uint64_t at = header->directory + header->directory_slots * sizeof(struct table_zone);
    uint64_t depths[2] = {0, 0};

    for (uint32_t left = header->zone_count; left > 0; left--) {
        const struct table_section *section = (const void *)(table->base + at);
        const char *reason = check_section(header, section, header->length - at);
        if (reason != NULL)
            return reason;
        if (!directory_has(table, section->apex_hash, at))
            return "a zone is not found under its name";
        depths[section->apex_labels / 64] |= UINT64_C(1) << section->apex_labels % 64;
        at += section->length;
    }
    if (at != header->length)
        return "there is something behind its last section";
    if (memcmp(depths, header->depths, sizeof depths) != 0)
        return "its zones have other depths than it says";
    return NULL;
}

const char *table_open(struct table *table, const void *base, size_t length)
{
    assert((uintptr_t)base % TABLE_UNIT == 0);
    const char *reason = check_header(base, length);

    if (reason != NULL)
        return reason;
    table_attach(table, base);
    reason = check_directory(table);
    if (reason == NULL)
        reason = check_sections(table);
    return reason;
}
