/*
 * The fields of RDATA, each from one token or more.
 */
#ifndef SORREL_ZONE_RDATA_FIELD_H
#define SORREL_ZONE_RDATA_FIELD_H

#include "zone/lexer.h"
#include "zone/presentation.h"
#include "zone/rdata.h"

#include <ldns/ldns.h>

/* The tokens still to be read, and where what they say goes. */
struct rdata_fields {
    const struct token *next;
    const struct token *end;
    const struct domain *origin;
    struct rdata *rdata;
};

/* Each of these takes at least one token off the front and returns NULL; or "" if tokens are
 * missing, or what is wrong with `fields->next`. */

/* There is at least one token. */
const char *rdata_field_read(struct rdata_fields *fields, ldns_rdf_type kind);

/* Hexadecimal digits to the end; none is zero octets. */
const char *rdata_field_read_hex(struct rdata_fields *fields);

/* All of an AMTRELAY RDATA, which ldns does not know (RFC 8777 §4.3). */
const char *rdata_field_read_amtrelay(struct rdata_fields *fields);

#endif
