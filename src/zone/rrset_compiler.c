#include "zone/rrset_compiler.h"

#include "message/codes.h"
#include "table/layout.h"
#include "zone/additional.h"
#include "zone/memory.h"
#include "zone/type.h"

#include <stdlib.h>
#include <string.h>

void rrset_compiler_start(struct rrset_compiler *c, struct zone *zone, struct image *image)
{
    memset(c, 0, offsetof(struct rrset_compiler, rrs));
    c->zone = zone;
    c->image = image;
}

void rrset_compiler_free(struct rrset_compiler *c)
{
    free(c->targets);
    free(c->pending);
}

void rrset_compiler_set_owner(struct rrset_compiler *c, uint32_t name)
{
    const struct zone_name *owner = &c->zone->names[name];
    unsigned apex_length = c->zone->origin.length;

    fragment_writer_start(&c->rrs, owner->wire, owner->length, apex_length);
    fragment_writer_start(&c->other, owner->wire, owner->length, apex_length);
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

static void add_target(struct rrset_compiler *c, uint32_t name, uint16_t owner)
{
    for (size_t i = 0; i < c->target_count; i++)
        if (c->targets[i].name == name)
            return;
    memory_grow(&c->targets, c->target_count, &c->target_room, sizeof *c->targets);
    c->targets[c->target_count++] = (struct rrset_target){name, owner};
}

/* RFC 9471 §1: a name server at or below its own cut is not found without glue; nor is one of the
 * zone itself that the zone has no address of. */
static void warn_of_missing_address(struct rrset_compiler *c, uint32_t owner,
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

static void note_target(struct rrset_compiler *c, uint32_t owner, const struct zone_record *record)
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

static bool add_glue_rrset(struct rrset_compiler *c, const struct rrset_target *target,
                           uint16_t type)
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
static void gather_glue(struct rrset_compiler *c, uint32_t cut)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->target_count; i++) {
        struct rrset_target target = c->targets[i];
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
static void fill_fragment(struct rrset_compiler *c, uint32_t name, const struct zone_rrset *rrset,
                          uint32_t ttl_limit)
{
    uint32_t ttl = zone_rrset_ttl(c->zone, rrset);

    fragment_writer_restart(&c->rrs);
    c->target_count = 0;
    for (uint32_t i = 0; i < rrset->count && !c->rrs.oversize; i++) {
        const struct zone_record *record = zone_record_at(c->zone, rrset->first + i);
        fragment_writer_add(&c->rrs, record->type, ttl < ttl_limit ? ttl : ttl_limit, record->rdata,
                            record->length);
        if (!c->rrs.oversize && ttl_limit == UINT32_MAX && !c->occluded)
            note_target(c, name, record);
    }
}

static void warn_oversize(struct rrset_compiler *c, uint32_t name, const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];

    c->oversize = true;
    zone_record_warning(c->zone, zone_record_at(c->zone, rrset->first),
                        "the %s records of %s do not fit into a message of 65535 octets and "
                        "cannot be sent",
                        type_to_text(rrset->type, type), zone_name_text(c->zone, name, text));
}

/* An RRset of which nothing can be sent. */
static void write_oversize_rrset(struct rrset_compiler *c, uint32_t name,
                                 const struct zone_rrset *rrset)
{
    const struct table_rrset head = {.type = rrset->type};

    warn_oversize(c, name, rrset);
    image_put(c->image, &head, sizeof head);
}

static void fill_signatures(struct rrset_compiler *c, uint32_t name, uint16_t type,
                            uint32_t ttl_limit)
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
static void write_run(struct rrset_compiler *c)
{
    image_put(c->image, c->other.octets, c->other.length);
    image_align(c->image, 2);
}

static void write_target(struct rrset_compiler *c, const struct rrset_target *target)
{
    struct zone_name *name = &c->zone->names[target->name];
    const struct table_target written = {.owner = target->owner};

    if (name->state != NAME_AUTHORITATIVE)
        name->needed = true;
    memory_grow(&c->pending, c->pending_count, &c->pending_room, sizeof *c->pending);
    c->pending[c->pending_count++] = (struct rrset_pending){
        c->image->length + offsetof(struct table_target, node), target->name};
    image_put(c->image, &written, sizeof written);
}

static void write_targets(struct rrset_compiler *c)
{
    for (size_t i = 0; i < c->target_count; i++)
        write_target(c, &c->targets[i]);
}

void rrset_compiler_write(struct rrset_compiler *c, uint32_t name, const struct zone_rrset *rrset,
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
