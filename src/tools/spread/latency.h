/*
 * How long answers took: a histogram whose classes are 1.6 % wide, whatever the magnitude, so that
 * its size does not depend on how many there were.
 */
#ifndef SORREL_TOOLS_SPREAD_LATENCY_H
#define SORREL_TOOLS_SPREAD_LATENCY_H

#include <stdint.h>

enum {
    LATENCY_FRACTION_BITS = 6, /* classes to an octave: 2^6 */
    LATENCY_OCTAVES = 34,      /* over the first: up to an hour */
    LATENCY_CLASSES = (LATENCY_OCTAVES + 1) << LATENCY_FRACTION_BITS,
};

struct latency {
    uint64_t count;
    uint32_t classes[LATENCY_CLASSES];
};

void latency_add(struct latency *latency, uint64_t nanoseconds);

/* The time, in microseconds, within which the fraction `part` (0 to 1) of all answers came; 0 if
 * there were none. */
double latency_quantile(const struct latency *latency, double part);

#endif
