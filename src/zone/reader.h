/*
 * Master files -> zone: directives, owners, TTLs (RFC 1035 §5, RFC 2308 §4), $INCLUDE, $GENERATE.
 */
#ifndef SORREL_ZONE_READER_H
#define SORREL_ZONE_READER_H

#include "zone/zone.h"

/* Reads the zone file at `path` and what it includes into `zone`, which is at its start. Everything
 * wrong has been reported; records outside the zone are warned of and left out. `alone`: no other
 * zone is being read, so that all CPUs may be used for this one. */
void reader_read(struct zone *zone, const char *path, bool alone);

#endif
