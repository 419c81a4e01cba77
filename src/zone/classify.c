#include "zone/classify.h"

#include "message/codes.h"

/* What lies below a name in that state, if the name has no DNAME. */
static enum name_state state_below(const struct zone_name *parent)
{
    switch ((enum name_state)parent->state) {
    case NAME_CUT:
    case NAME_BELOW_CUT:
        return NAME_BELOW_CUT;
    case NAME_BELOW_DNAME:
        return NAME_BELOW_DNAME;
    default:
        return parent->has_dname ? NAME_BELOW_DNAME : NAME_AUTHORITATIVE;
    }
}

/* What the types at a name that is not occluded make of it. */
static void classify_by_types(const struct zone *zone, uint32_t number)
{
    struct zone_name *name = &zone->names[number];
    struct zone_rrset rrset = {0};

    name->state = number == ZONE_APEX ? NAME_AUTHORITATIVE : NAME_NONEXISTENT;
    while (zone_next_rrset(zone, number, &rrset)) {
        if (rrset.type == TYPE_RRSIG || rrset.type == TYPE_NSEC3)
            continue;
        if (rrset.type == TYPE_NS && number != ZONE_APEX)
            name->state = NAME_CUT;
        else if (name->state != NAME_CUT)
            name->state = NAME_AUTHORITATIVE;
        name->has_dname |= rrset.type == TYPE_DNAME;
        name->has_cname |= rrset.type == TYPE_CNAME;
    }
    if (name->state == NAME_CUT)
        name->has_dname = name->has_cname = false;
}

static void classify_downwards(const struct zone *zone)
{
    classify_by_types(zone, ZONE_APEX);
    for (uint32_t i = ZONE_APEX + 1; i < zone->name_count; i++) {
        enum name_state state = state_below(&zone->names[zone->names[i].parent]);
        if (state == NAME_AUTHORITATIVE)
            classify_by_types(zone, i);
        else
            zone->names[i].state = (uint8_t)state;
    }
}

/* A name exists if one below it does. */
static void classify_upwards(const struct zone *zone)
{
    for (size_t i = zone->name_count; i-- > ZONE_APEX + 1;) {
        const struct zone_name *name = &zone->names[i];
        if (!classify_exists(name))
            continue;
        struct zone_name *parent = &zone->names[name->parent];
        if (parent->state == NAME_NONEXISTENT)
            parent->state = NAME_AUTHORITATIVE;
        parent->wildcard_child |= zone_is_wildcard(name);
    }
}

void classify_names(struct zone *zone)
{
    classify_downwards(zone);
    classify_upwards(zone);
}

bool classify_serves(enum name_state state, uint16_t type)
{
    switch (state) {
    case NAME_AUTHORITATIVE:
        return type != TYPE_RRSIG && type != TYPE_NSEC3;
    case NAME_CUT:
        return type == TYPE_NS || type == TYPE_DS || type == TYPE_NSEC;
    default:
        return false;
    }
}

bool classify_occludes(const struct zone_name *name, uint16_t type)
{
    bool is_address = type == TYPE_A || type == TYPE_AAAA;

    if (type == TYPE_RRSIG || classify_serves((enum name_state)name->state, type))
        return false;
    if (type == TYPE_NSEC3)
        return !name->chained;
    return !(is_address && (name->embedded || name->needed));
}
