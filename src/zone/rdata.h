/*
 * RDATA from its presentation format (RFC 1035 §5.1, RFC 3597 §5 and the RFC of each type),
 * uncompressed.
 *
 * ldns knows which fields a type has, and reads some of the rare ones. The common ones are read
 * here, without allocation and more strictly.
 */
#ifndef SORREL_ZONE_RDATA_H
#define SORREL_ZONE_RDATA_H

#include "zone/lexer.h"
#include "zone/presentation.h"

#include <stddef.h>
#include <stdint.h>

enum {
    RDATA_MAX = 65535,
    RDATA_ERROR_MAX = 400,
};

struct rdata {
    size_t length;
    uint8_t octets[RDATA_MAX];
    char error[RDATA_ERROR_MAX]; /* a sentence, if it could not be read */
    unsigned error_line;         /* 0: no token is to blame */
    char *scratch;
    size_t scratch_room;
};

void rdata_free(struct rdata *rdata);

/* Reads the `count` tokens behind the type. Names may be relative to `origin`. */
bool rdata_read(struct rdata *rdata, uint16_t type, const struct token *tokens, size_t count,
                const struct domain *origin);

/* Is this a well-formed RDATA of the type? NULL, or a phrase that says why not. Anything goes for a
 * type that has no known form. */
const char *rdata_check(uint16_t type, const uint8_t *octets, size_t length);

#endif
