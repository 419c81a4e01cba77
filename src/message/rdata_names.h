/*
 * Domain names in RDATA: which types have them in a fixed place, and what may be done with them.
 */
#ifndef SORREL_MESSAGE_RDATA_NAMES_H
#define SORREL_MESSAGE_RDATA_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* The names of a type: behind `before` octets, `count` of them in a row. Their canonical form is in
 * lower case (RFC 4034 §6.2). */
struct rdata_names {
    uint8_t before;
    uint8_t count;
    bool compressible; /* a type of RFC 1035: only their names may be (RFC 3597 §4) */
};

/* All zero if the type has no such names. */
struct rdata_names rdata_names_of(uint16_t type);

#endif
