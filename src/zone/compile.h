/*
 * Zone -> section of the table (table/layout.h).
 */
#ifndef SORREL_ZONE_COMPILE_H
#define SORREL_ZONE_COMPILE_H

#include "zone/image.h"
#include "zone/nsec3_chain.h"
#include "zone/zone.h"

/* Adds the section of a grouped, classified zone without errors to the end of `image`, which is at
 * a multiple of 8. Warns of what cannot be served. False, reported, if the section would be too
 * large for refs. */
bool compile_zone(struct zone *zone, struct nsec3_chain *chain, struct image *image);

#endif
