#include "zone/compile.h"

#include "message/codes.h"
#include "message/wire.h"
#include "table/hash.h"
#include "table/layout.h"
#include "zone/additional.h"
#include "zone/classify.h"
#include "zone/fragment_writer.h"
#include "zone/memory.h"
#include "zone/nsec_index.h"
#include "zone/type.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A target whose node was not yet written when the RRset was. */
struct pending_target {
    size_t at; /* of table_target.node, in the image */
    uint32_t name;
};

/* A target of the RRset being written. */
struct target {
    uint32_t name;
    uint16_t owner; /* a pointer as in fragment.h, or 0 */
};

struct compiler {
    struct zone *zone;
    struct nsec3_chain *chain;
    struct image *image;
    size_t start; /* of the section in the image */

    struct target *targets;
    size_t target_count;
    size_t target_room;
    struct pending_target *pending;
    size_t pending_count;
    size_t pending_room;

    uint32_t node_count;
    uint32_t record_count;
    unsigned deepest;
    bool signed_rrsets;

    struct fragment_writer rrs;
    struct fragment_writer other; /* signatures or glue: what has no pointer list */
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

/* --- targets ---------------------------------------------------------------- */

static bool has_addresses(const struct zone *zone, uint32_t name)
{
    struct zone_rrset rrset;

    return zone_find_rrset(zone, name, TYPE_A, &rrset) ||
           zone_find_rrset(zone, name, TYPE_AAAA, &rrset);
}

/* A name in an RDATA that is in this zone and has addresses that may be given; else
 * ZONE_NO_NAME. */
static uint32_t find_target(const struct zone *zone, const uint8_t *wire, size_t available)
{
    struct name name;

    if (name_read(&name, wire, available) == 0)
        return ZONE_NO_NAME;
    uint32_t number = zone_find(zone, &name);
    if (number == ZONE_NO_NAME || zone->names[number].state == NAME_BELOW_DNAME ||
        !has_addresses(zone, number))
        return ZONE_NO_NAME;
    return number;
}

static void add_target(struct compiler *c, uint32_t name, uint16_t owner)
{
    for (size_t i = 0; i < c->target_count; i++)
        if (c->targets[i].name == name)
            return;
    memory_grow(&c->targets, c->target_count, &c->target_room, sizeof *c->targets);
    c->targets[c->target_count++] = (struct target){name, owner};
}

/* RFC 9471 §1: a name server at or below its own cut is not found without glue; nor is one of the
 * zone itself that the zone has no address of. */
static void warn_of_missing_address(struct compiler *c, uint32_t owner,
                                    const struct zone_record *record)
{
    char text[NAME_TEXT_MAX], server_text[NAME_TEXT_MAX];
    struct name server, cut;

    name_read(&server, record->rdata, record->length);
    name_read(&cut, c->zone->names[owner].wire, c->zone->names[owner].length);
    if (name_is_within(&server, &cut))
        zone_record_warning(c->zone, record, "the name server %s of %s has no address here",
                            name_to_text(&server, server_text),
                            zone_name_text(c->zone, owner, text));
}

static void note_target(struct compiler *c, uint32_t owner, const struct zone_record *record)
{
    size_t offset;
    bool is_owner;

    if (!additional_target(record->type, record->rdata, record->length, &offset, &is_owner))
        return;
    if (!is_owner) {
        uint32_t name = find_target(c->zone, record->rdata + offset, record->length - offset);
        if (name != ZONE_NO_NAME)
            add_target(c, name, fragment_writer_last_name(&c->rrs, offset));
        else if (record->type == TYPE_NS)
            warn_of_missing_address(c, owner, record);
    } else if (!c->rrs.wildcard && has_addresses(c->zone, owner)) {
        /* A wildcard's own addresses have no name until it is expanded. */
        add_target(c, owner, FRAGMENT_OWNER_POINTER);
    }
}

/* --- in-domain glue ------------------------------------------------------------ */

static bool is_at_or_below(const struct zone *zone, uint32_t name, uint32_t ancestor)
{
    while (name > ancestor)
        name = zone->names[name].parent;
    return name == ancestor;
}

static bool add_glue_rrset(struct compiler *c, const struct target *target, uint16_t type)
{
    struct zone_rrset rrset;

    if (!zone_find_rrset(c->zone, target->name, type, &rrset))
        return true;
    uint32_t ttl = zone_rrset_ttl(c->zone, &rrset);
    for (uint32_t i = 0; i < rrset.count; i++) {
        const struct zone_record *record = zone_record_at(c->zone, rrset.first + i);
        fragment_writer_add_unlisted(&c->other, target->owner, type, ttl, record->rdata,
                                     record->length);
    }
    return !c->other.oversize;
}

/* Moves targets at or below the cut from the list into the glue. Those that cannot be named, and
 * those for which there is no room in any message, stay targets. */
static void gather_glue(struct compiler *c, uint32_t cut)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->target_count; i++) {
        struct target target = c->targets[i];
        size_t length = c->other.length;
        uint16_t count = c->other.count;
        bool in_domain = target.owner != 0 && is_at_or_below(c->zone, target.name, cut);
        if (in_domain && add_glue_rrset(c, &target, TYPE_A) &&
            add_glue_rrset(c, &target, TYPE_AAAA)) {
            struct zone_name *name = &c->zone->names[target.name];
            c->record_count += name->embedded ? 0 : (uint32_t)c->other.count - count;
            name->embedded = true;
            continue;
        }
        c->other.oversize = false;
        c->other.length = length;
        c->other.count = count;
        c->targets[kept++] = target;
    }
    c->target_count = kept;
}

/* --- RRsets ----------------------------------------------------------------------- */

/* `ttl_limit` is UINT32_MAX but for the negative SOA. */
static void fill_fragment(struct compiler *c, uint32_t name, const struct zone_rrset *rrset,
                          uint32_t ttl_limit)
{
    uint32_t ttl = zone_rrset_ttl(c->zone, rrset);

    fragment_writer_restart(&c->rrs);
    c->target_count = 0;
    for (uint32_t i = 0; i < rrset->count && !c->rrs.oversize; i++) {
        const struct zone_record *record = zone_record_at(c->zone, rrset->first + i);
        fragment_writer_add(&c->rrs, record->type, ttl < ttl_limit ? ttl : ttl_limit, record->rdata,
                            record->length);
        if (!c->rrs.oversize && ttl_limit == UINT32_MAX)
            note_target(c, name, record);
    }
}

static void warn_oversize(struct compiler *c, uint32_t name, const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];

    zone_record_warning(c->zone, zone_record_at(c->zone, rrset->first),
                        "the %s records of %s do not fit into a message of 65535 octets and "
                        "cannot be sent",
                        type_to_text(rrset->type, type), zone_name_text(c->zone, name, text));
}

/* An RRset of which nothing can be sent. */
static void write_oversize_rrset(struct compiler *c, uint32_t name, const struct zone_rrset *rrset)
{
    const struct table_rrset head = {.type = rrset->type};

    warn_oversize(c, name, rrset);
    image_put(c->image, &head, sizeof head);
}

static void fill_signatures(struct compiler *c, uint32_t name, uint16_t type, uint32_t ttl_limit)
{
    struct zone_rrset signatures;

    if (!zone_find_signatures(c->zone, name, type, &signatures))
        return;
    for (uint32_t i = 0; i < signatures.count; i++) {
        const struct zone_record *record = zone_record_at(c->zone, signatures.first + i);
        fragment_writer_add_unlisted(&c->other, FRAGMENT_OWNER_POINTER, TYPE_RRSIG,
                                     record->ttl < ttl_limit ? record->ttl : ttl_limit,
                                     record->rdata, record->length);
    }
    if (c->other.oversize) {
        warn_oversize(c, name, &signatures);
        fragment_writer_restart(&c->other);
    }
}

/* Writes what is in c->other and fills to an even offset. */
static void write_run(struct compiler *c)
{
    image_put(c->image, c->other.octets, c->other.length);
    image_align(c->image, 2);
}

static void write_target(struct compiler *c, const struct target *target)
{
    struct zone_name *name = &c->zone->names[target->name];
    const struct table_target written = {.owner = target->owner};

    if (name->state != NAME_AUTHORITATIVE)
        name->needed = true;
    memory_grow(&c->pending, c->pending_count, &c->pending_room, sizeof *c->pending);
    c->pending[c->pending_count++] = (struct pending_target){
        c->image->length + offsetof(struct table_target, node), target->name};
    image_put(c->image, &written, sizeof written);
}

static void write_targets(struct compiler *c)
{
    for (size_t i = 0; i < c->target_count; i++)
        write_target(c, &c->targets[i]);
}

/* Writes the RRset with its signatures, glue and targets, in layout.h's order; adds to
 * record_count. */
static void write_rrset(struct compiler *c, uint32_t name, const struct zone_rrset *rrset,
                        uint32_t ttl_limit)
{
    fill_fragment(c, name, rrset, ttl_limit);
    if (c->rrs.oversize) {
        write_oversize_rrset(c, name, rrset);
        return;
    }
    size_t head_at = c->image->length;
    struct table_rrset head = {
        .type = rrset->type,
        .count = c->rrs.count,
        .length = (uint16_t)c->rrs.length,
        .pointers = (uint16_t)c->rrs.pointer_count,
    };
    c->record_count += head.count;
    image_add(c->image, sizeof head);

    /* A cut's NS RRset is never signed (RFC 4035 §2.2), and only it has glue: one run at most. */
    bool cut = c->zone->names[name].state == NAME_CUT && rrset->type == TYPE_NS;
    fragment_writer_restart(&c->other);
    if (cut)
        gather_glue(c, name);
    else
        fill_signatures(c, name, rrset->type, ttl_limit);
    if (!cut && c->other.count > 0) {
        const struct table_signatures signatures = {c->other.count, (uint16_t)c->other.length};
        head.pointers |= RRSET_SIGNED;
        c->record_count += signatures.count;
        c->signed_rrsets = true;
        image_put(c->image, &signatures, sizeof signatures);
    }
    if ((cut && c->other.count > 0) || c->target_count > 0) {
        const struct table_additional additional = {
            .glue_count = cut ? c->other.count : 0,
            .glue_length = cut ? (uint16_t)c->other.length : 0,
            .targets = (uint16_t)c->target_count,
        };
        head.pointers |= RRSET_ADDITIONAL;
        image_put(c->image, &additional, sizeof additional);
    }
    memcpy(c->image->octets + head_at, &head, sizeof head);
    image_put(c->image, c->rrs.pointers, c->rrs.pointer_count * sizeof *c->rrs.pointers);
    image_put(c->image, c->rrs.octets, c->rrs.length);
    image_align(c->image, 2);
    write_run(c);
    write_targets(c);
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
    fragment_writer_start(&c->rrs, owner->wire, owner->length, c->zone->origin.length);
    fragment_writer_start(&c->other, owner->wire, owner->length, c->zone->origin.length);
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

static void add_slot(const struct compiler *c, uint64_t hash, uint32_t node)
{
    const struct table_section *section = section_of(c);
    struct table_slot *slots = at_ref(c, section->slots);
    uint32_t at = hash_slot(hash, section->slot_count);

    while (slots[at].node != 0)
        at = at + 1 == section->slot_count ? 0 : at + 1;
    slots[at] = (struct table_slot){hash_tag(hash), node};
}

/* The slots of names are all over the place: ask for them some names ahead. */
static void prefetch_slot(const struct compiler *c, uint32_t name)
{
    enum { AHEAD = 16 };
    const struct table_section *section = section_of(c);
    const struct table_slot *slots = at_ref(c, section->slots);

    if (name + AHEAD < c->zone->name_count)
        __builtin_prefetch(
            &slots[hash_slot(c->zone->names[name + AHEAD].hash, section->slot_count)], 1);
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
        write_rrset(c, name, &rrset, UINT32_MAX);
        rrsets++;
    }
    finish_node(c, at, rrsets);
    add_slot(c, owner->hash, owner->node);
    unsigned depth = (unsigned)owner->labels - c->zone->origin.labels;
    if (depth > c->deepest)
        c->deepest = depth;
}

/* The node of addresses at or below a cut, which only targets lead to. */
static void write_glue_node(struct compiler *c, uint32_t name)
{
    static const uint16_t types[] = {TYPE_A, TYPE_AAAA};
    struct zone_name *owner = &c->zone->names[name];
    uint32_t before = c->record_count;
    struct zone_rrset rrset;
    unsigned rrsets = 0;

    owner->glue_node = next_ref(c);
    size_t at = start_node(c, name, 0, NULL);
    for (unsigned i = 0; i < 2; i++)
        if (zone_find_rrset(c->zone, name, types[i], &rrset)) {
            write_rrset(c, name, &rrset, UINT32_MAX);
            rrsets++;
        }
    finish_node(c, at, rrsets);
    if (owner->embedded)
        c->record_count = before;
}

static void write_nsec3_node(struct compiler *c, struct nsec3_entry *entry)
{
    const struct zone_rrset rrset = {.type = TYPE_NSEC3, .first = entry->record, .count = 1};

    entry->node = next_ref(c);
    size_t at = start_node(c, entry->name, 0, NULL);
    write_rrset(c, entry->name, &rrset, UINT32_MAX);
    finish_node(c, at, 1);
}

static void write_nodes(struct compiler *c)
{
    section_of(c)->nodes = next_ref(c);
    for (size_t i = 0; i < c->chain->count; i++)
        write_nsec3_node(c, &c->chain->entries[i]);
    for (uint32_t name = 0; name < c->zone->name_count; name++) {
        prefetch_slot(c, name);
        if (classify_exists(&c->zone->names[name]))
            write_node(c, name);
    }
    for (uint32_t name = 0; name < c->zone->name_count; name++)
        if (c->zone->names[name].needed)
            write_glue_node(c, name);
}

static void settle_targets(struct compiler *c)
{
    for (size_t i = 0; i < c->pending_count; i++) {
        const struct zone_name *name = &c->zone->names[c->pending[i].name];
        uint32_t ref = name->state == NAME_AUTHORITATIVE ? name->node : name->glue_node;
        const uint16_t halves[2] = {(uint16_t)ref, (uint16_t)(ref >> 16)};
        memcpy(c->image->octets + c->pending[i].at, halves, sizeof halves);
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
            .mtime_seconds = file->identity.mtime_seconds,
            .content_hash = file->identity.content_hash,
            .mtime_nanoseconds = file->identity.mtime_nanoseconds,
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
    const struct zone_name *apex = &c->zone->names[ZONE_APEX];
    struct zone_rrset rrset;
    bool found = zone_find_rrset(c->zone, ZONE_APEX, TYPE_SOA, &rrset);
    uint32_t before = c->record_count;

    assert(found);
    (void)found;
    const struct zone_record *soa = zone_record_at(c->zone, rrset.first);
    uint32_t minimum = wire_read_u32(soa->rdata + soa->length - 4);
    uint32_t ttl = zone_rrset_ttl(c->zone, &rrset);
    section_of(c)->serial = wire_read_u32(soa->rdata + soa->length - 20);
    section_of(c)->negative_soa = next_ref(c);
    fragment_writer_start(&c->rrs, apex->wire, apex->length, apex->length);
    fragment_writer_start(&c->other, apex->wire, apex->length, apex->length);
    write_rrset(c, ZONE_APEX, &rrset, minimum < ttl ? minimum : ttl);
    image_align(c->image, TABLE_UNIT);
    c->record_count = before;
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
    section->record_count = c->record_count;
    section->deepest = (uint8_t)c->deepest;
    section->flags = has_keys && c->signed_rrsets ? SECTION_SIGNED : 0;
    fill_nsec_index(c, index);
    fill_nsec3_index(c);
}

/* --- what is left over -------------------------------------------------------------------- */

static void warn_of_occluded_rrset(struct zone *zone, uint32_t name, const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];
    const char *where = zone->names[name].state == NAME_BELOW_DNAME ? "below a DNAME record"
                        : zone->names[name].state == NAME_CUT       ? "at a zone cut"
                                                                    : "below a zone cut";

    zone_record_warning(zone, zone_record_at(zone, rrset->first), "%s %s is %s and left out",
                        zone_name_text(zone, name, text), type_to_text(rrset->type, type), where);
}

/* Records that are neither authoritative nor part of a referral nor used as glue. */
static void warn_of_occluded(struct zone *zone)
{
    for (uint32_t number = 0; number < zone->name_count; number++) {
        const struct zone_name *name = &zone->names[number];
        struct zone_rrset rrset = {0};
        if (name->state == NAME_AUTHORITATIVE || name->state == NAME_NONEXISTENT)
            continue;
        while (zone_next_rrset(zone, number, &rrset)) {
            bool address = rrset.type == TYPE_A || rrset.type == TYPE_AAAA;
            bool used = address && (name->embedded || name->needed);
            bool signature = rrset.type == TYPE_RRSIG && name->state == NAME_CUT;
            if (!used && !signature && !classify_serves((enum name_state)name->state, rrset.type))
                warn_of_occluded_rrset(zone, number, &rrset);
        }
    }
}

bool compile_zone(struct zone *zone, struct nsec3_chain *chain, struct image *image)
{
    struct compiler *c = memory_get(sizeof *c);
    struct nsec_index index;

    memset(c, 0, offsetof(struct compiler, rrs));
    c->zone = zone;
    c->chain = chain;
    c->image = image;
    c->start = image->length;
    nsec_index_collect(&index, zone);
    write_head(c, &index);
    write_nodes(c);
    settle_targets(c);
    finish_head(c, &index);
    warn_of_occluded(zone);
    nsec_index_free(&index);
    free(c->targets);
    free(c->pending);
    bool fits = (image->length - c->start) / TABLE_UNIT <= UINT32_MAX;
    free(c);
    if (!fits)
        report_error(zone->report, zone->files[0].path, 0,
                     "the zone is too large: its section takes more than 32 GiB");
    return fits;
}
