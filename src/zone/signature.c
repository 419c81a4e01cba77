#include "zone/signature.h"

#include "message/codes.h"
#include "message/wire.h"
#include "zone/classify.h"
#include "zone/type.h"

/* Where RFC 4034 §3.1 puts them in the RDATA. */
enum { EXPIRATION = 8, INCEPTION = 12 };

enum { DATE_MAX = sizeof "2038-01-19 03:14:07 UTC" + 16 };

/* A time of 32 bits is the one within 68 years of now (RFC 4034 §3.1.5). */
static int32_t seconds_until(uint32_t time, time_t now)
{
    return (int32_t)(time - (uint32_t)now);
}

static const char *date_of(uint32_t time, time_t now, char text[DATE_MAX])
{
    time_t full = now + seconds_until(time, now);
    struct tm date;

    if (gmtime_r(&full, &date) == NULL ||
        strftime(text, DATE_MAX, "%Y-%m-%d %H:%M:%S UTC", &date) == 0)
        return "an unknown date";
    return text;
}

static void check_dates(struct zone *zone, uint32_t name, const struct zone_record *signature,
                        time_t now)
{
    uint16_t covered = wire_read_u16(signature->rdata);
    uint32_t expiration = wire_read_u32(signature->rdata + EXPIRATION);
    uint32_t inception = wire_read_u32(signature->rdata + INCEPTION);
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX], date[DATE_MAX];

    if (seconds_until(expiration, now) < 0)
        zone_record_warning(zone, signature, "the signature of %s %s expired on %s",
                            zone_name_text(zone, name, text), type_to_text(covered, type),
                            date_of(expiration, now, date));
    else if (seconds_until(inception, now) > 0)
        zone_record_warning(zone, signature, "the signature of %s %s is not valid before %s",
                            zone_name_text(zone, name, text), type_to_text(covered, type),
                            date_of(inception, now, date));
}

static void check_rrset(struct zone *zone, uint32_t name, const struct zone_rrset *rrset,
                        time_t now)
{
    char text[NAME_TEXT_MAX], type[TYPE_TEXT_MAX];
    struct zone_rrset signatures;

    if (!zone_find_signatures(zone, name, rrset->type, &signatures))
        zone_record_warning(zone, zone_record_at(zone, rrset->first), "%s %s has no signature",
                            zone_name_text(zone, name, text), type_to_text(rrset->type, type));
    for (uint32_t i = 0; i < signatures.count; i++)
        check_dates(zone, name, zone_record_at(zone, signatures.first + i), now);
}

/* RFC 4035 §2.2: all that is served with authority, but not the NS of a cut. */
static bool is_to_be_signed(const struct zone_name *name, uint16_t type)
{
    if (type == TYPE_NSEC3)
        return name->state == NAME_AUTHORITATIVE || name->state == NAME_NONEXISTENT;
    if (name->state == NAME_CUT && type == TYPE_NS)
        return false;
    return classify_serves((enum name_state)name->state, type);
}

static bool is_signed(const struct zone *zone)
{
    struct zone_rrset rrset;

    return zone_find_rrset(zone, ZONE_APEX, TYPE_DNSKEY, &rrset) &&
           zone_find_rrset(zone, ZONE_APEX, TYPE_RRSIG, &rrset);
}

void signature_check(struct zone *zone, time_t now)
{
    if (!is_signed(zone))
        return;
    for (uint32_t name = 0; name < zone->name_count; name++) {
        struct zone_rrset rrset = {0};
        while (zone_next_rrset(zone, name, &rrset))
            if (is_to_be_signed(&zone->names[name], rrset.type))
                check_rrset(zone, name, &rrset, now);
    }
}
