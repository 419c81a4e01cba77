#include "zone/rules.h"

#include "message/codes.h"
#include "message/wire.h"
#include "zone/classify.h"
#include "zone/type.h"

#include <stdio.h>

static const char *file_name(const struct zone *zone)
{
    return zone->files[0].path;
}

/* --- the apex ------------------------------------------------------------- */

static void check_apex_has_soa(struct zone *zone)
{
    struct zone_rrset rrset;
    char text[NAME_TEXT_MAX];

    if (!zone_find_rrset(zone, ZONE_APEX, TYPE_SOA, &rrset))
        report_error(zone->report, file_name(zone), 0, "there is no SOA record at %s",
                     zone_name_text(zone, ZONE_APEX, text));
}

static void check_apex_has_ns(struct zone *zone)
{
    struct zone_rrset rrset;
    char text[NAME_TEXT_MAX];

    if (!zone_find_rrset(zone, ZONE_APEX, TYPE_NS, &rrset))
        report_error(zone->report, file_name(zone), 0, "there is no NS record at %s",
                     zone_name_text(zone, ZONE_APEX, text));
}

/* --- RRsets ----------------------------------------------------------------- */

/* RFC 1035 §3.3.13, RFC 2181 §10.1, RFC 6672 §2.4: types of which a name has one at most. */
static bool is_singleton(uint16_t type)
{
    return type == TYPE_SOA || type == TYPE_CNAME || type == TYPE_DNAME;
}

static void check_singleton(struct zone *zone, uint32_t name, const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];

    if (is_singleton(rrset->type) && rrset->count > 1)
        zone_record_error(zone, zone_record_at(zone, rrset->first + 1),
                          "%s has more than one %s record", zone_name_text(zone, name, text),
                          type_to_text(rrset->type, type));
}

static void check_soa_at_apex(struct zone *zone, uint32_t name, const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];

    if (rrset->type == TYPE_SOA && name != ZONE_APEX)
        zone_record_error(zone, zone_record_at(zone, rrset->first),
                          "SOA record at %s, which is not the zone's apex %s",
                          zone_name_text(zone, name, text), zone_name_text(zone, ZONE_APEX, apex));
}

/* RFC 2181 §5.2. BIND serves the first one's TTL, Knot the last one's, NSD each one's own; that
 * section has clients take the lowest, so that is served. */
static void check_ttls_agree(struct zone *zone, uint32_t name, const struct zone_rrset *rrset)
{
    const struct zone_record *first = zone_record_at(zone, rrset->first);
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];

    if (rrset->type == TYPE_RRSIG)
        return;
    for (uint32_t i = 1; i < rrset->count; i++) {
        const struct zone_record *record = zone_record_at(zone, rrset->first + i);
        if (record->ttl == first->ttl)
            continue;
        zone_record_warning(zone, record,
                            "TTL %u differs from TTL %u of the same RRset, %s %s: %u is served",
                            record->ttl, first->ttl, zone_name_text(zone, name, text),
                            type_to_text(rrset->type, type), zone_rrset_ttl(zone, rrset));
        return;
    }
}

/* RFC 4592 §4.2 leaves open what it means, and servers differ. */
static void check_ns_is_not_at_wildcard(struct zone *zone, uint32_t name,
                                        const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX];

    if (rrset->type == TYPE_NS && zone_is_wildcard(&zone->names[name]))
        zone_record_warning(zone, zone_record_at(zone, rrset->first),
                            "NS record at the wildcard %s: its meaning is undefined (RFC 4592)",
                            zone_name_text(zone, name, text));
}

/* --- types that do not go together ------------------------------------------- */

/* RFC 1034 §3.6.2, RFC 2181 §10.1, RFC 4034 §2.5, §3, §4; RFC 3007 for KEY. */
static bool may_stand_beside_cname(uint16_t type)
{
    return type == TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_NSEC3 ||
           type == TYPE_KEY || type == TYPE_SIG || type == TYPE_NXT;
}

static void check_cname_is_alone(struct zone *zone, uint32_t name, const struct zone_rrset *rrset,
                                 bool has_cname)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];

    if (has_cname && !may_stand_beside_cname(rrset->type))
        zone_record_error(zone, zone_record_at(zone, rrset->first),
                          "%s has a CNAME record and %s beside it",
                          zone_name_text(zone, name, text), type_to_text(rrset->type, type));
}

/* --- signatures ----------------------------------------------------------------- */

static void check_signatures_cover_something(struct zone *zone, uint32_t name,
                                             const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];
    struct zone_rrset covered;

    if (rrset->type != TYPE_RRSIG)
        return;
    for (uint32_t i = 0; i < rrset->count; i++) {
        const struct zone_record *record = zone_record_at(zone, rrset->first + i);
        uint16_t covers = wire_read_u16(record->rdata);
        if (zone_find_rrset(zone, name, covers, &covered))
            continue;
        zone_record_warning(zone, record, "RRSIG of %s %s, which does not exist, is left out",
                            zone_name_text(zone, name, text), type_to_text(covers, type));
    }
}

/* --- the walk ---------------------------------------------------------------------- */

static void check_name(struct zone *zone, uint32_t name)
{
    struct zone_rrset cname, rrset = {0};
    bool has_cname = zone->names[name].count > 1 && zone_find_rrset(zone, name, TYPE_CNAME, &cname);

    while (zone_next_rrset(zone, name, &rrset)) {
        check_singleton(zone, name, &rrset);
        check_soa_at_apex(zone, name, &rrset);
        check_ttls_agree(zone, name, &rrset);
        check_ns_is_not_at_wildcard(zone, name, &rrset);
        check_cname_is_alone(zone, name, &rrset, has_cname);
        check_signatures_cover_something(zone, name, &rrset);
    }
}

void rules_check(struct zone *zone, bool whole)
{
    if (whole) {
        check_apex_has_soa(zone);
        check_apex_has_ns(zone);
    }
    for (uint32_t name = 0; name < zone->name_count; name++)
        if (zone->names[name].state != NAME_BELOW_CUT &&
            zone->names[name].state != NAME_BELOW_DNAME)
            check_name(zone, name);
}
