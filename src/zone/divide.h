/*
 * A large master file, read by several threads: the text is divided where a line begins with an
 * owner name, and each part is read by itself, as if what is known there without reading what
 * stands before were true. Parts are added to the zone in order, each only if it was true.
 */
#ifndef SORREL_ZONE_DIVIDE_H
#define SORREL_ZONE_DIVIDE_H

#include "zone/reading.h"

/* Reads from the start of the level's file as far as that can be done; the reader and the level
 * are then as if they had read so far. That may be nothing, or all. */
void divide_read(struct reader *reader, struct level *level);

#endif
