/*
 * What a zone must and must not hold. Each rule reports what breaks it.
 */
#ifndef SORREL_ZONE_RULES_H
#define SORREL_ZONE_RULES_H

#include "zone/zone.h"

/* `zone` is grouped and classified. `whole`: all its files were read without an error, so that what
 * is missing is really missing. */
void rules_check(struct zone *zone, bool whole);

#endif
