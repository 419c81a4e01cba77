/*
 * Canonical form and order of RDATA (RFC 4034 §6.2, §6.3), for telling records apart.
 */
#ifndef SORREL_ZONE_CANONICAL_H
#define SORREL_ZONE_CANONICAL_H

#include <stddef.h>
#include <stdint.h>

/* Orders two RDATA of the same type, both well-formed; the case of names that RFC 4034 §6.2
 * lower-cases does not count. <0, 0, >0. */
int canonical_compare(uint16_t type, const uint8_t *a, size_t a_length, const uint8_t *b,
                      size_t b_length);

/* Where names stand in the RDATA of a type: behind `skip` octets, `names` of them in a row. */
struct canonical_names {
    uint8_t skip;
    uint8_t names;
};

/* All zero if the type has no names that RFC 4034 §6.2 lower-cases in a fixed place. */
struct canonical_names canonical_names_of(uint16_t type);

#endif
