#include "zone/occlusion.h"

#include "message/codes.h"
#include "zone/classify.h"
#include "zone/type.h"

static void warn_of_rrset(struct zone *zone, uint32_t name, const struct zone_rrset *rrset)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];
    const char *where = zone->names[name].state == NAME_BELOW_DNAME ? "below a DNAME record"
                        : zone->names[name].state == NAME_CUT       ? "at a zone cut"
                                                                    : "below a zone cut";

    zone_record_warning(zone, zone_record_at(zone, rrset->first),
                        "%s %s is %s and left out of answers", zone_name_text(zone, name, text),
                        type_to_text(rrset->type, type), where);
}

void occlusion_warn(struct zone *zone)
{
    for (uint32_t number = 0; number < zone->name_count; number++) {
        const struct zone_name *name = &zone->names[number];
        struct zone_rrset rrset = {0};
        if (name->state == NAME_AUTHORITATIVE || name->state == NAME_NONEXISTENT)
            continue;
        while (zone_next_rrset(zone, number, &rrset))
            if (classify_occludes(name, rrset.type))
                warn_of_rrset(zone, number, &rrset);
    }
}
