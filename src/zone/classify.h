/*
 * What each name is to the zone: authoritative, cut, occluded, empty non-terminal (RFC 1034 §4.2.1,
 * RFC 4592 §2.2.2, RFC 6672 §2.4). Fills state, has_dname, has_cname and wildcard_child of every
 * name.
 */
#ifndef SORREL_ZONE_CLASSIFY_H
#define SORREL_ZONE_CLASSIFY_H

#include "zone/zone.h"

void classify_names(struct zone *zone);

/* Has the name a node in the slots? */
static inline bool classify_exists(const struct zone_name *name)
{
    return name->state == NAME_AUTHORITATIVE || name->state == NAME_CUT;
}

/* Is an RRset of that type served with authority, or as part of a referral, from a name in that
 * state? */
bool classify_serves(enum name_state state, uint16_t type);

/* Is an RRset of the name neither that, nor used as glue, nor part of the chain that is served?
 * Then it is only transferred. The zone is compiled as far as it is served. RRSIGs go with what
 * they cover. */
bool classify_occludes(const struct zone_name *name, uint16_t type);

#endif
