/*
 * Authenticated denial of existence: what a signed zone's response must hold besides data, named as
 * RFC 4035 §3.1.3 and RFC 5155 §7.2 name it. Each function adds RRsets to the authority section,
 * one of them once only though it proves two things, and returns false if there was no room.
 *
 * In a zone without NSEC or NSEC3 RRs there is nothing to prove, and they add nothing.
 */
#ifndef SORREL_ANSWER_DENIAL_H
#define SORREL_ANSWER_DENIAL_H

#include "answer/lookup.h"
#include "message/response.h"

#include <stdbool.h>
#include <stdint.h>

/* The proofs of one message. */
struct denial {
    struct response *response;
    const struct table_section *zone;
    const struct name *name;            /* the name that the proofs are about, in that zone, ... */
    uint32_t owner;                     /* ... and its message offset */
    unsigned written;                   /* of the list below: NSEC and NSEC3 nodes in the message */
    const struct table_node *nodes[32];
};

void denial_begin(struct denial *denial, struct response *response);

/* Proofs that follow are of `zone`, about `name`, which stands at message offset `owner`. */
void denial_enter(struct denial *denial, const struct table_section *zone, const struct name *name,
                  uint32_t owner);

/* The name exists, the type does not (RFC 4035 §3.1.3.1; RFC 5155 §7.2.3, §7.2.4). */
bool denial_prove_nodata(struct denial *denial, const struct asked *asked,
                         const struct match *match);

/* Neither the name nor a wildcard that matches it exists (RFC 4035 §3.1.3.2; RFC 5155 §7.2.2). */
bool denial_prove_nxdomain(struct denial *denial, const struct asked *asked,
                           const struct match *match);

/* A wildcard was expanded: the name asked for, nearer than it, does not exist (RFC 4035 §3.1.3.3;
 * RFC 5155 §7.2.6). `encloser_labels` are those of the closest encloser. */
bool denial_prove_wildcard(struct denial *denial, const struct asked *asked,
                           unsigned encloser_labels);

/* The wildcard that matches exists, without the type (RFC 4035 §3.1.3.4; RFC 5155 §7.2.5). */
bool denial_prove_wildcard_nodata(struct denial *denial, const struct asked *asked,
                                  const struct match *match);

/* A delegation has no DS (RFC 4035 §3.1.4; RFC 5155 §7.2.7). */
bool denial_prove_no_ds(struct denial *denial, const struct asked *asked,
                        const struct match *match);

#endif
