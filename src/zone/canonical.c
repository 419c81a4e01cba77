#include "zone/canonical.h"

#include "message/name.h"
#include "message/rdata_names.h"

#include <string.h>

static int compare_octets(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* Octets from the start up to the end of the last name. */
static size_t names_end(struct rdata_names names, const uint8_t *rdata, size_t length)
{
    size_t at = names.before;

    for (unsigned i = 0; i < names.count; i++)
        at += name_measure(rdata + at, length - at);
    return at;
}

int canonical_compare(uint16_t type, const uint8_t *a, size_t a_length, const uint8_t *b,
                      size_t b_length)
{
    struct rdata_names names = rdata_names_of(type);
    enum { LOWERED_MAX = 6 + 2 * NAME_OCTETS_MAX };
    uint8_t a_lower[LOWERED_MAX], b_lower[LOWERED_MAX];

    if (names.count == 0)
        return compare_octets(a, a_length, b, b_length);
    size_t a_end = names_end(names, a, a_length);
    size_t b_end = names_end(names, b, b_length);
    memcpy(a_lower, a, names.before);
    memcpy(b_lower, b, names.before);
    name_copy_lower(a_lower + names.before, a + names.before, a_end - names.before);
    name_copy_lower(b_lower + names.before, b + names.before, b_end - names.before);
    int order = compare_octets(a_lower, a_end, b_lower, b_end);
    return order != 0 ? order
                      : compare_octets(a + a_end, a_length - a_end, b + b_end, b_length - b_end);
}
