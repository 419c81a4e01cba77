#include "zone/compile.h"

#include "message/codes.h"
#include "message/wire.h"
#include "table/hash.h"
#include "table/layout.h"
#include "zone/classify.h"
#include "zone/memory.h"
#include "zone/nsec_index.h"
#include "zone/occlusion.h"
#include "zone/rrset_compiler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct compiler {
    struct zone *zone;
    struct nsec3_chain *chain;
    struct image *image;
    size_t start;    /* of the section in the image */
    uint64_t octets; /* that are left for the tally; 0: it is told at the end only */
    unsigned deepest;
    struct rrset_compiler rrsets;
};

static struct table_section *section_of(const struct compiler *c)
{
    return (struct table_section *)(void *)(c->image->octets + c->start);
}

/* The ref of what comes next, which must begin a unit. */
static uint32_t next_ref(const struct compiler *c)
{
    assert(c->image->length % TABLE_UNIT == 0);
    return (uint32_t)((c->image->length - c->start) / TABLE_UNIT);
}

static void *at_ref(const struct compiler *c, uint32_t ref)
{
    return c->image->octets + c->start + (size_t)ref * TABLE_UNIT;
}

/* --- nodes --------------------------------------------------------------------------- */

static uint8_t node_flags(const struct compiler *c, const struct zone_name *name)
{
    unsigned flags = 0;

    if (name->state == NAME_CUT)
        flags |= NODE_CUT;
    if (name->has_dname)
        flags |= NODE_DNAME;
    if (name->has_cname)
        flags |= NODE_CNAME;
    if (name->wildcard_child)
        flags |= NODE_WILDCARD_CHILD;
    if (c->chain->count > 0)
        flags |= NODE_PROOFS;
    return (uint8_t)flags;
}

/* Writes all of a node but its RRsets. Returns where its table_node is. */
static size_t start_node(struct compiler *c, uint32_t name, uint8_t flags,
                         const struct table_proofs *proofs)
{
    const struct zone_name *owner = &c->zone->names[name];
    unsigned below = (unsigned)owner->length - c->zone->origin.length;
    bool wildcard = below > 0 && zone_is_wildcard(owner);
    const struct table_node node = {
        .owner_length = (uint8_t)below,
        .flags = (uint8_t)(flags | (wildcard ? NODE_WILDCARD : 0)),
    };

    image_align(c->image, TABLE_UNIT);
    size_t at = c->image->length;
    image_put(c->image, &node, sizeof node);
    if (proofs != NULL)
        image_put(c->image, proofs, sizeof *proofs);
    image_put(c->image, owner->wire, below);
    image_align(c->image, 2);
    rrset_compiler_set_owner(&c->rrsets, name);
    return at;
}

static void finish_node(struct compiler *c, size_t at, unsigned rrsets)
{
    struct table_node *node = (struct table_node *)(void *)(c->image->octets + at);

    assert(rrsets <= UINT16_MAX);
    node->rrset_count = (uint16_t)rrsets;
    image_align(c->image, TABLE_UNIT);
}

/* RFC 5155 §7.2: what proves the name, or that neither it nor what a wildcard below it could match
 * is there. */
static struct table_proofs proofs_of(const struct compiler *c, uint32_t name)
{
    static const uint8_t asterisk[2] = {1, '*'};
    const struct zone_name *owner = &c->zone->names[name];
    uint8_t hash[NSEC3_HASH_OCTETS], wildcard[2 + NAME_OCTETS_MAX];
    struct table_proofs proofs = {0};
    bool matches;

    nsec3_chain_hash(c->chain, owner->wire, owner->length, hash);
    const struct nsec3_entry *entry = nsec3_chain_find(c->chain, hash, &matches);
    if (!matches) {
        proofs.cover = entry->node;
        return proofs;
    }
    proofs.match = entry->node;
    if (owner->wildcard_child)
        return proofs;
    memcpy(wildcard, asterisk, sizeof asterisk);
    memcpy(wildcard + sizeof asterisk, owner->wire, owner->length);
    nsec3_chain_hash(c->chain, wildcard, sizeof asterisk + owner->length, hash);
    proofs.cover = nsec3_chain_find(c->chain, hash, &matches)->node;
    return proofs;
}

/* The node of a name that exists. */
static void write_node(struct compiler *c, uint32_t name)
{
    struct zone_name *owner = &c->zone->names[name];
    struct table_proofs proofs;
    struct zone_rrset rrset = {0};
    unsigned rrsets = 0;

    if (c->chain->count > 0)
        proofs = proofs_of(c, name);
    owner->node = next_ref(c);
    size_t at = start_node(c, name, node_flags(c, owner), c->chain->count > 0 ? &proofs : NULL);
    while (zone_next_rrset(c->zone, name, &rrset)) {
        if (!classify_serves((enum name_state)owner->state, rrset.type))
            continue;
        rrset_compiler_write(&c->rrsets, name, &rrset, UINT32_MAX);
        rrsets++;
    }
    finish_node(c, at, rrsets);
    unsigned depth = (unsigned)owner->labels - c->zone->origin.labels;
    if (depth > c->deepest)
        c->deepest = depth;
}

/* The node of addresses at or below a cut, which only targets lead to. */
static void write_glue_node(struct compiler *c, uint32_t name)
{
    static const uint16_t types[] = {TYPE_A, TYPE_AAAA};
    struct zone_name *owner = &c->zone->names[name];
    uint32_t before = c->rrsets.record_count;
    struct zone_rrset rrset;
    unsigned rrsets = 0;

    owner->glue_node = next_ref(c);
    size_t at = start_node(c, name, owner->embedded ? NODE_EMBEDDED : 0, NULL);
    for (unsigned i = 0; i < 2; i++)
        if (zone_find_rrset(c->zone, name, types[i], &rrset)) {
            rrset_compiler_write(&c->rrsets, name, &rrset, UINT32_MAX);
            rrsets++;
        }
    finish_node(c, at, rrsets);
    if (owner->embedded)
        c->rrsets.record_count = before;
}

static void write_nsec3_node(struct compiler *c, struct nsec3_entry *entry)
{
    const struct zone_rrset rrset = {.type = TYPE_NSEC3, .first = entry->record, .count = 1};

    entry->node = next_ref(c);
    c->zone->names[entry->name].chained = true;
    size_t at = start_node(c, entry->name, 0, NULL);
    rrset_compiler_write(&c->rrsets, entry->name, &rrset, UINT32_MAX);
    finish_node(c, at, 1);
}

/* The node of what of the name's RRs is only transferred, if there is any. */
static void write_occluded_node(struct compiler *c, uint32_t name)
{
    const struct zone_name *owner = &c->zone->names[name];
    struct zone_rrset rrset = {0};
    unsigned rrsets = 0;
    size_t at = 0;

    while (zone_next_rrset(c->zone, name, &rrset)) {
        if (!classify_occludes(owner, rrset.type))
            continue;
        if (rrsets++ == 0)
            at = start_node(c, name, NODE_OCCLUDED, NULL);
        rrset_compiler_write(&c->rrsets, name, &rrset, UINT32_MAX);
    }
    if (rrsets > 0)
        finish_node(c, at, rrsets);
}

enum { COUNTED_NAMES = 1 << 15 };

static void count_names(const struct compiler *c)
{
    struct tally_share *share = &c->zone->share;

    tally_add(share, c->octets * COUNTED_NAMES / c->zone->name_count, 0);
    if (c->octets > 0)
        tally_tell(share->tally);
}

/* A guess that spares most names of most zones a look at their RRsets. */
static bool may_occlude(const struct zone *zone, const struct zone_name *name)
{
    return name->state != NAME_AUTHORITATIVE || zone->has_nsec3;
}

static void write_nodes(struct compiler *c)
{
    section_of(c)->nodes = next_ref(c);
    for (size_t i = 0; i < c->chain->count; i++)
        write_nsec3_node(c, &c->chain->entries[i]);
    for (uint32_t name = 0; name < c->zone->name_count; name++) {
        if (classify_exists(&c->zone->names[name]))
            write_node(c, name);
        if ((name + 1) % COUNTED_NAMES == 0)
            count_names(c);
    }
    for (uint32_t name = 0; name < c->zone->name_count; name++)
        if (c->zone->names[name].needed)
            write_glue_node(c, name);
    c->rrsets.occluded = true;
    for (uint32_t name = 0; name < c->zone->name_count; name++)
        if (may_occlude(c->zone, &c->zone->names[name]))
            write_occluded_node(c, name);
}

static void settle_targets(struct compiler *c)
{
    for (size_t i = 0; i < c->rrsets.pending_count; i++) {
        const struct zone_name *name = &c->zone->names[c->rrsets.pending[i].name];
        uint32_t ref = name->state == NAME_AUTHORITATIVE ? name->node : name->glue_node;
        const uint16_t halves[2] = {(uint16_t)ref, (uint16_t)(ref >> 16)};
        memcpy(c->image->octets + c->rrsets.pending[i].at, halves, sizeof halves);
    }
}

/* --- what stands before the nodes ------------------------------------------------------- */

static void write_sources(struct compiler *c)
{
    section_of(c)->sources = next_ref(c);
    section_of(c)->source_count = (uint32_t)c->zone->file_count;
    for (size_t i = 0; i < c->zone->file_count; i++) {
        const struct zone_file *file = &c->zone->files[i];
        const struct table_source source = {
            .device = file->identity.device,
            .inode = file->identity.inode,
            .size = file->identity.size,
            .changed_seconds = file->identity.changed_seconds,
            .content_hash = file->identity.content_hash,
            .changed_nanoseconds = file->identity.changed_nanoseconds,
            .path_length = (uint32_t)strlen(file->path),
        };
        image_put(c->image, &source, sizeof source);
        image_put(c->image, file->path, source.path_length);
        image_align(c->image, TABLE_UNIT);
    }
}

static uint32_t count_nodes(const struct zone *zone)
{
    uint32_t count = 0;

    for (size_t i = 0; i < zone->name_count; i++)
        count += classify_exists(&zone->names[i]);
    return count;
}

/* Reserves room for `count` items and returns its ref. */
static uint32_t reserve(struct compiler *c, size_t count, size_t size)
{
    uint32_t ref = next_ref(c);

    image_add(c->image, count * size);
    image_align(c->image, TABLE_UNIT);
    return ref;
}

static void reserve_slots(struct compiler *c)
{
    uint32_t nodes = count_nodes(c->zone);
    uint32_t slots = nodes + nodes / 3 + 1; /* three in four are taken */
    uint32_t ref = reserve(c, slots, sizeof(struct table_slot));

    section_of(c)->slots = ref;
    section_of(c)->slot_count = slots;
    section_of(c)->node_count = nodes;
}

static void reserve_nsec_index(struct compiler *c, const struct nsec_index *index)
{
    if (index->count == 0)
        return;
    uint32_t keys = reserve(c, index->count, sizeof(uint64_t));
    uint32_t nodes = reserve(c, index->count, sizeof(uint32_t));
    section_of(c)->nsec_keys = keys;
    section_of(c)->nsec_nodes = nodes;
    section_of(c)->nsec_count = (uint32_t)index->count;
}

static void add_slot(struct table_slot *slots, uint32_t count, uint64_t hash, uint32_t node)
{
    uint32_t at = hash_slot(hash, count);

    while (slots[at].node != 0)
        at = at + 1 == count ? 0 : at + 1;
    slots[at] = (struct table_slot){hash_tag(hash), node};
}

/* What is to be put into a slot. */
struct slot_entry {
    uint64_t hash;
    uint32_t node;
};

enum {
    SLOT_RUNS = 256, /* by the upper bits of the hash, and so by place in the slots */
    SLOT_RUN_SHIFT = 56,
};

/* Counting sort of the nodes by run. starts[i] becomes where run i ends. */
static struct slot_entry *sort_by_run(const struct zone *zone, uint32_t nodes,
                                      uint32_t starts[SLOT_RUNS])
{
    struct slot_entry *entries = memory_get(nodes * sizeof *entries);
    uint32_t start = 0;

    memset(starts, 0, SLOT_RUNS * sizeof *starts);
    for (size_t i = 0; i < zone->name_count; i++)
        if (classify_exists(&zone->names[i]))
            starts[zone->names[i].hash >> SLOT_RUN_SHIFT]++;
    for (unsigned run = 0; run < SLOT_RUNS; run++) {
        uint32_t count = starts[run];
        starts[run] = start;
        start += count;
    }
    for (size_t i = 0; i < zone->name_count; i++) {
        const struct zone_name *name = &zone->names[i];
        if (classify_exists(name))
            entries[starts[name->hash >> SLOT_RUN_SHIFT]++] =
                (struct slot_entry){name->hash, name->node};
    }
    return entries;
}

/* Slots are filled from one end to the other: a million writes all over them would be as many cache
 * misses. */
static void fill_slots(struct compiler *c)
{
    const struct table_section *section = section_of(c);
    struct table_slot *slots = at_ref(c, section->slots);
    uint32_t starts[SLOT_RUNS];
    struct slot_entry *entries = sort_by_run(c->zone, section->node_count, starts);

    for (uint32_t i = 0; i < section->node_count; i++)
        add_slot(slots, section->slot_count, entries[i].hash, entries[i].node);
    free(entries);
}

static void fill_nsec_index(struct compiler *c, const struct nsec_index *index)
{
    uint64_t *keys = at_ref(c, section_of(c)->nsec_keys);
    uint32_t *nodes = at_ref(c, section_of(c)->nsec_nodes);

    for (size_t i = 0; i < index->count; i++) {
        keys[i] = index->entries[i].key;
        nodes[i] = c->zone->names[index->entries[i].name].node;
    }
}

static void reserve_nsec3_index(struct compiler *c)
{
    const struct nsec3_chain *chain = c->chain;

    if (chain->count == 0)
        return;
    uint32_t salt = next_ref(c);
    image_put(c->image, chain->salt, chain->salt_length);
    image_align(c->image, TABLE_UNIT);
    uint32_t keys = reserve(c, chain->count, sizeof(uint64_t));
    uint32_t nodes = reserve(c, chain->count, sizeof(uint32_t));
    struct table_section *section = section_of(c);
    section->nsec3_salt = salt;
    section->nsec3_salt_length = chain->salt_length;
    section->nsec3_iterations = chain->iterations;
    section->nsec3_keys = keys;
    section->nsec3_nodes = nodes;
    section->nsec3_count = (uint32_t)chain->count;
}

static void fill_nsec3_index(struct compiler *c)
{
    uint64_t *keys = at_ref(c, section_of(c)->nsec3_keys);
    uint32_t *nodes = at_ref(c, section_of(c)->nsec3_nodes);

    for (size_t i = 0; i < c->chain->count; i++) {
        keys[i] = nsec3_chain_key(c->chain->entries[i].hash);
        nodes[i] = c->chain->entries[i].node;
    }
}

/* RFC 2308 §3 and §5: both the record and its signature live no longer than MINIMUM says. */
static void write_negative_soa(struct compiler *c)
{
    struct zone_rrset rrset;
    bool found = zone_find_rrset(c->zone, ZONE_APEX, TYPE_SOA, &rrset);
    uint32_t before = c->rrsets.record_count;

    assert(found);
    (void)found;
    const struct zone_record *soa = zone_record_at(c->zone, rrset.first);
    uint32_t minimum = wire_read_u32(soa->rdata + soa->length - 4);
    uint32_t ttl = zone_rrset_ttl(c->zone, &rrset);
    section_of(c)->serial = wire_read_u32(soa->rdata + soa->length - 20);
    section_of(c)->negative_soa = next_ref(c);
    rrset_compiler_set_owner(&c->rrsets, ZONE_APEX);
    rrset_compiler_write(&c->rrsets, ZONE_APEX, &rrset, minimum < ttl ? minimum : ttl);
    image_align(c->image, TABLE_UNIT);
    c->rrsets.record_count = before;
}

static void write_head(struct compiler *c, const struct nsec_index *index)
{
    const struct zone *zone = c->zone;

    image_add(c->image, sizeof(struct table_section));
    section_of(c)->apex_hash = zone->origin_hash;
    section_of(c)->apex_labels = zone->origin.labels;
    section_of(c)->apex_length = zone->origin.length;
    section_of(c)->apex_name = next_ref(c);
    image_put(c->image, zone->origin.octets, zone->origin.length);
    image_align(c->image, TABLE_UNIT);
    write_sources(c);
    reserve_slots(c);
    reserve_nsec_index(c, index);
    reserve_nsec3_index(c);
    write_negative_soa(c);
}

static void finish_head(struct compiler *c, const struct nsec_index *index)
{
    struct table_section *section = section_of(c);
    struct zone_rrset rrset;
    bool has_keys = zone_find_rrset(c->zone, ZONE_APEX, TYPE_DNSKEY, &rrset);

    section->length = c->image->length - c->start;
    section->apex = c->zone->names[ZONE_APEX].node;
    section->record_count = c->rrsets.record_count;
    section->deepest = (uint8_t)c->deepest;
    section->flags = (uint16_t)((has_keys && c->rrsets.signed_rrsets ? SECTION_SIGNED : 0) |
                                (c->rrsets.oversize ? SECTION_INCOMPLETE : 0));
    fill_slots(c);
    fill_nsec_index(c, index);
    fill_nsec3_index(c);
}

bool compile_zone(struct zone *zone, struct nsec3_chain *chain, struct image *image)
{
    struct compiler *c = memory_get(sizeof *c);
    struct nsec_index index;

    c->zone = zone;
    c->chain = chain;
    c->image = image;
    c->start = image->length;
    c->deepest = 0;
    c->octets = zone->share.told ? zone->share.left : 0;
    rrset_compiler_start(&c->rrsets, zone, image);
    nsec_index_collect(&index, zone);
    write_head(c, &index);
    write_nodes(c);
    settle_targets(c);
    finish_head(c, &index);
    occlusion_warn(zone);
    nsec_index_free(&index);
    rrset_compiler_free(&c->rrsets);
    bool fits = (image->length - c->start) / TABLE_UNIT <= UINT32_MAX;
    free(c);
    if (!fits)
        report_error(zone->report, zone->files[0].path, 0,
                     "the zone is too large: its section takes more than 32 GiB");
    return fits;
}
