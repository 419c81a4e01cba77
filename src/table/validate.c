/*
 * table_open(): all that layout.h and fragment.h promise, checked once, so that nobody has to look
 * again.
 */
#include "message/codes.h"
#include "table/crew.h"
#include "table/hash.h"
#include "table/table.h"
#include "table/validate_nodes.h"
#include "table/validate_rrset.h"

#include <string.h>

enum {
    /* Octets from which on several threads are worth their while. */
    LARGE = 1 << 20,
    /* Each has a map, of one bit to eight for each unit of the table. */
    SHARES_MAX = 4,
};

/* What one thread checks of a section. */
struct share {
    struct validate_map map;
    uint32_t first_node; /* refs */
    uint32_t end_node;
    uint32_t nodes; /* that its slots lead to */
    const char *reason;
};

struct validation {
    const struct table_header *header;
    const struct table_section *section;
    struct name apex;
    struct share shares[SHARES_MAX];
    unsigned share_count;
};

static bool holds(const struct table_section *section, uint32_t ref, uint64_t size)
{
    uint64_t at = (uint64_t)ref * TABLE_UNIT;

    return at >= sizeof *section && at + size <= (uint64_t)section->nodes * TABLE_UNIT;
}

static const char no_memory[] = "there is no memory left to check it";

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
    return validate_demand(&v->shares[0].map, section->apex, MARK_NODE)
               ? NULL
               : "a zone's apex is not a node";
}

static const char *check_index_place(const struct validation *v, uint32_t keys_ref,
                                     uint32_t nodes_ref, uint32_t count)
{
    if (keys_ref == 0)
        return count == 0 ? NULL : "an index has entries but no keys";
    if (count == 0 || !holds(v->section, keys_ref, count * sizeof(uint64_t)) ||
        !holds(v->section, nodes_ref, count * sizeof(uint32_t)))
        return "an index is empty or goes beyond its section";
    return NULL;
}

/* Do slots, indexes and salt lie where the section says? */
static const char *check_places(const struct validation *v)
{
    const struct table_section *section = v->section;

    if (section->node_count >= section->slot_count ||
        !holds(section, section->slots, (uint64_t)section->slot_count * sizeof(struct table_slot)))
        return "a section's slots go beyond it, or none is left empty";
    const char *reason =
        check_index_place(v, section->nsec_keys, section->nsec_nodes, section->nsec_count);
    if (reason == NULL)
        reason =
            check_index_place(v, section->nsec3_keys, section->nsec3_nodes, section->nsec3_count);
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

/* --- what several threads share ------------------------------------------------------------- */

/* Where share number `share` of `count` things begins; it ends where the next does. */
static uint32_t share_start(const struct validation *v, unsigned share, uint32_t count)
{
    return (uint32_t)((uint64_t)count * share / v->share_count);
}

static const char *check_slots(const struct validation *v, struct share *share, unsigned number)
{
    const struct table_section *section = v->section;
    const struct table_slot *slots = section_at(section, section->slots);
    bool with_proofs = section->nsec3_count > 0;
    uint32_t end = share_start(v, number + 1, section->slot_count);

    for (uint32_t i = share_start(v, number, section->slot_count); i < end; i++) {
        if (slots[i].node == 0)
            continue;
        if (!validate_demand(&share->map, slots[i].node, MARK_NODE) ||
            (with_proofs && !validate_demand(&share->map, slots[i].node, MARK_PROOFS)))
            return "a slot leads to no node";
        share->nodes++;
    }
    return NULL;
}

struct index {
    uint32_t keys, nodes, count;
    unsigned marks; /* what its nodes must have */
};

static const char *check_index(const struct validation *v, struct share *share, unsigned number,
                               struct index index)
{
    const uint64_t *keys = section_at(v->section, index.keys);
    const uint32_t *nodes = section_at(v->section, index.nodes);
    uint32_t end = share_start(v, number + 1, index.count);

    for (uint32_t i = share_start(v, number, index.count); i < end; i++)
        if (!validate_demand(&share->map, nodes[i], index.marks) ||
            (i > 0 && keys[i] < keys[i - 1]))
            return "an index is not in order, or leads to no node";
    return NULL;
}

static const char *check_indexes(const struct validation *v, struct share *share, unsigned number)
{
    const struct table_section *section = v->section;
    const struct index nsec = {section->nsec_keys, section->nsec_nodes, section->nsec_count,
                               MARK_NODE | MARK_NSEC};
    const struct index nsec3 = {section->nsec3_keys, section->nsec3_nodes, section->nsec3_count,
                                MARK_NODE | MARK_NSEC3};
    const char *reason = check_index(v, share, number, nsec);

    return reason != NULL ? reason : check_index(v, share, number, nsec3);
}

static bool check_share(void *closure, size_t number)
{
    struct validation *v = closure;
    struct share *share = &v->shares[number];

    share->reason = check_slots(v, share, (unsigned)number);
    if (share->reason == NULL)
        share->reason = check_indexes(v, share, (unsigned)number);
    if (share->reason == NULL)
        share->reason = validate_nodes(&share->map, share->first_node, share->end_node);
    return true;
}

/* A ref at which a node begins, if the section is sound: the one nearest behind `wanted` among some
 * that slots lead to. The thread that checks the nodes before it finds out whether one does. */
static uint32_t find_node_near(const struct table_section *section, uint32_t wanted, uint32_t end)
{
    enum { SAMPLES = 1024 };
    const struct table_slot *slots = section_at(section, section->slots);
    uint32_t step = section->slot_count / SAMPLES + 1, nearest = end;

    for (uint32_t i = 0; i < section->slot_count; i += step)
        if (slots[i].node >= wanted && slots[i].node < nearest)
            nearest = slots[i].node;
    return nearest;
}

static void divide_nodes(struct validation *v)
{
    uint32_t start = v->section->nodes, end = start + v->shares[0].map.units;

    for (unsigned i = 0; i < v->share_count; i++) {
        uint32_t wanted = start + share_start(v, i, end - start);
        v->shares[i].first_node = i == 0 ? start : find_node_near(v->section, wanted, end);
        if (i > 0)
            v->shares[i - 1].end_node = v->shares[i].first_node;
    }
    v->shares[v->share_count - 1].end_node = end;
}

static const char *check_shares(struct validation *v)
{
    const struct validate_map *maps[SHARES_MAX];
    const struct crew_work work = {.jobs = v->share_count,
                                   .window = v->share_count,
                                   .perform = check_share,
                                   .closure = v};
    uint32_t nodes = 0;

    divide_nodes(v);
    if (v->share_count == 1)
        check_share(v, 0);
    else if (!crew_run(&work))
        return no_memory;
    for (unsigned i = 0; i < v->share_count; i++) {
        maps[i] = &v->shares[i].map;
        nodes += v->shares[i].nodes;
        if (v->shares[i].reason != NULL)
            return v->shares[i].reason;
    }
    if (nodes != v->section->node_count)
        return "a section has not as many nodes as it says";
    return validate_demands_are_met(maps, v->share_count)
               ? NULL
               : "a ref leads to no node, or to one of the wrong kind";
}

/* --- a section -------------------------------------------------------------------------------- */

static const char *check_content(struct validation *v)
{
    const char *reason = check_apex(v);

    if (reason == NULL)
        reason = check_places(v);
    if (reason == NULL)
        reason = check_negative_soa(v);
    if (reason == NULL)
        reason = check_sources(v);
    if (reason == NULL)
        reason = check_shares(v);
    if (reason == NULL)
        reason = check_nsec3_owners(v);
    if (reason == NULL)
        reason = check_apex_node(v);
    return reason;
}

static unsigned count_shares(const struct table_section *section)
{
    unsigned threads = section->length >= LARGE ? crew_size() : 1;

    return threads < SHARES_MAX ? threads : SHARES_MAX;
}

/* Checks the section at `at`, of which `available` octets are there. */
static const char *check_section(const struct table_header *header,
                                 const struct table_section *section, uint64_t available)
{
    struct validation v = {.header = header, .section = section};
    const char *reason = NULL;

    if (available < sizeof *section || section->length > available ||
        section->length % TABLE_UNIT != 0 || section->length / TABLE_UNIT > UINT32_MAX)
        return "a section goes beyond the table";
    uint64_t units = section->length / TABLE_UNIT;
    if (section->nodes < sizeof *section / TABLE_UNIT || section->nodes >= units)
        return "a section has no nodes";
    for (unsigned shares = count_shares(section); v.share_count < shares; v.share_count++)
        if (!validate_map_make(&v.shares[v.share_count].map, section))
            reason = no_memory;
    if (reason == NULL)
        reason = check_content(&v);
    for (unsigned i = 0; i < v.share_count; i++)
        validate_map_free(&v.shares[i].map);
    return reason;
}

/* --- the table --------------------------------------------------------------------------- */

static const char *check_header(const struct table_header *header, size_t length)
{
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

/* --- all of it ------------------------------------------------------------------------------- */

struct opening {
    const struct table *table;
    const char *checksum_reason;
    const char *reason;
};

static const char *check_checksum(const struct table_header *header)
{
    enum { CHECKED_FROM = offsetof(struct table_header, checksum) + sizeof header->checksum };
    uint64_t sum =
        XXH3_64bits((const uint8_t *)header + CHECKED_FROM, header->length - CHECKED_FROM);

    return sum == header->checksum ? NULL : "its checksum is wrong";
}

static const char *check_structure(const struct table *table)
{
    const char *reason = check_directory(table);

    return reason != NULL ? reason : check_sections(table);
}

static bool check_either(void *closure, size_t job)
{
    struct opening *opening = closure;

    if (job == 0)
        opening->checksum_reason = check_checksum(opening->table->header);
    else
        opening->reason = check_structure(opening->table);
    return true;
}

const char *table_open(struct table *table, const void *base, size_t length)
{
    struct opening opening = {.table = table};
    const struct crew_work work = {
        .jobs = 2, .window = 2, .perform = check_either, .closure = &opening};

    assert((uintptr_t)base % TABLE_UNIT == 0);
    const char *reason = check_header(base, length);
    if (reason != NULL)
        return reason;
    table_attach(table, base);
    if (length < LARGE) {
        reason = check_checksum(table->header);
        return reason != NULL ? reason : check_structure(table);
    }
    if (!crew_run(&work))
        return no_memory;
    return opening.checksum_reason != NULL ? opening.checksum_reason : opening.reason;
}
