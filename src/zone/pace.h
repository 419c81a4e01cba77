/*
 * What a person who waits for a load is told of it, and when.
 */
#ifndef SORREL_ZONE_PACE_H
#define SORREL_ZONE_PACE_H

#include "zone/tally.h"

#include <stdbool.h>

enum { PACE_TEXT_MAX = 128 };

struct pace {
    double interval; /* seconds from line to line */
    double started;
    double told;
};

/* Seconds of a clock that nobody sets. */
double pace_clock(void);

/* Starts at `now`, by that clock. */
void pace_start(struct pace *pace, double interval, double now);

/* Is there something to say? Only of loads that take more than two seconds, or will. */
bool pace_line(struct pace *pace, const struct tally_count *count, double now,
               char text[PACE_TEXT_MAX]);

#endif
