/*
 * Records that are neither authoritative nor part of a referral nor used as glue: at or below a
 * zone cut, below a DNAME (RFC 1034 §4.2.1, RFC 6672 §2.4).
 */
#ifndef SORREL_ZONE_OCCLUSION_H
#define SORREL_ZONE_OCCLUSION_H

#include "zone/zone.h"

/* Warns of them. `zone` is compiled, so that it is known which addresses are needed. */
void occlusion_warn(struct zone *zone);

#endif
