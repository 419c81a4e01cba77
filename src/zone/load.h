/*
 * One zone: its files -> its section of a table.
 */
#ifndef SORREL_ZONE_LOAD_H
#define SORREL_ZONE_LOAD_H

#include "zone/diagnostic.h"
#include "zone/image.h"
#include "zone/source.h"
#include "zone/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Adds the zone's section to the image. False, with at least one error told to the sink, if that
 * cannot be done; then the image is as it was. `alone`: as for reader_read(); then the tally is
 * told as well.
 */
bool load_zone(const struct source *source, uint64_t seed, bool alone, struct tally_share share,
               diagnostic_sink *sink, void *closure, struct image *image);

/* Octets of the zone file; 0 if it is none. */
uint64_t load_size(const struct source *source);

/* Is a zone file of that size better loaded alone, by all threads? So the memory that zones take
 * while they are loaded, about ten times their text, is that of one large zone or of a small one
 * for each thread. */
static inline bool load_is_large(uint64_t size)
{
    return size >= 4 << 20;
}

#endif
