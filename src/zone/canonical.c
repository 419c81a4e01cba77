#include "zone/canonical.h"

#include "message/codes.h"
#include "message/name.h"

#include <string.h>

struct canonical_names canonical_names_of(uint16_t type)
{
    switch (type) {
    case TYPE_NS:
    case TYPE_MD:
    case TYPE_MF:
    case TYPE_CNAME:
    case TYPE_MB:
    case TYPE_MG:
    case TYPE_MR:
    case TYPE_PTR:
    case TYPE_DNAME:
        return (struct canonical_names){0, 1};
    case TYPE_SOA:
    case TYPE_MINFO:
    case TYPE_RP:
        return (struct canonical_names){0, 2};
    case TYPE_MX:
    case TYPE_AFSDB:
    case TYPE_RT:
    case TYPE_KX:
        return (struct canonical_names){2, 1};
    case TYPE_PX:
        return (struct canonical_names){2, 2};
    case TYPE_SRV:
        return (struct canonical_names){6, 1};
    default:
        return (struct canonical_names){0, 0};
    }
}

static int compare_octets(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* Octets from the start up to the end of the last name. */
static size_t names_end(struct canonical_names names, const uint8_t *rdata, size_t length)
{
    size_t at = names.skip;

    for (unsigned i = 0; i < names.names; i++)
        at += name_measure(rdata + at, length - at);
    return at;
}

int canonical_compare(uint16_t type, const uint8_t *a, size_t a_length, const uint8_t *b,
                      size_t b_length)
{
    struct canonical_names names = canonical_names_of(type);
    enum { LOWERED_MAX = 6 + 2 * NAME_OCTETS_MAX };
    uint8_t a_lower[LOWERED_MAX], b_lower[LOWERED_MAX];

    if (names.names == 0)
        return compare_octets(a, a_length, b, b_length);
    size_t a_end = names_end(names, a, a_length);
    size_t b_end = names_end(names, b, b_length);
    memcpy(a_lower, a, names.skip);
    memcpy(b_lower, b, names.skip);
    name_copy_lower(a_lower + names.skip, a + names.skip, a_end - names.skip);
    name_copy_lower(b_lower + names.skip, b + names.skip, b_end - names.skip);
    int order = compare_octets(a_lower, a_end, b_lower, b_end);
    return order != 0 ? order
                      : compare_octets(a + a_end, a_length - a_end, b + b_end, b_length - b_end);
}
