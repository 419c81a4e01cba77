/*
 * One zone: its files -> its section of a table.
 */
#ifndef SORREL_ZONE_LOAD_H
#define SORREL_ZONE_LOAD_H

#include "zone/diagnostic.h"
#include "zone/image.h"
#include "zone/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Adds the zone's section to the image. False, with at least one error told to the sink, if that
 * cannot be done; then the image is as it was. `alone`: as for reader_read().
 */
bool load_zone(const struct source *source, uint64_t seed, bool alone, diagnostic_sink *sink,
               void *closure, struct image *image);

/* Is the zone file so large that it is better loaded alone, by all threads? */
bool load_is_large(const struct source *source);

#endif
