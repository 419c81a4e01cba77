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

#endif
