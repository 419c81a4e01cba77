/*
 * Are a signed zone's signatures there, and is today within their time? Nothing is verified.
 */
#ifndef SORREL_ZONE_SIGNATURE_H
#define SORREL_ZONE_SIGNATURE_H

#include "zone/zone.h"

#include <time.h>

/* Warns of RRsets without RRSIG, and of RRSIGs that have expired at `now` or are not valid yet.
 * Does nothing for a zone that is not signed: no DNSKEY or no RRSIG at the apex. `zone` is
 * classified. */
void signature_check(struct zone *zone, time_t now);

#endif
