#include "tools/spread/latency.h"

#include <math.h>

/* Below 2^FRACTION_BITS a class for each number; above, the leading bits and the octave. */
static unsigned class_of(uint64_t n)
{
    enum { CLASSES = 1 << LATENCY_FRACTION_BITS };

    if (n < CLASSES)
        return (unsigned)n;
    unsigned octave = 63 - LATENCY_FRACTION_BITS - (unsigned)__builtin_clzll(n);
    if (octave >= LATENCY_OCTAVES)
        return LATENCY_CLASSES - 1;
    return (octave + 1) << LATENCY_FRACTION_BITS | ((unsigned)(n >> octave) & (CLASSES - 1));
}

/* The middle of a class. */
static double middle_of(unsigned class)
{
    enum { CLASSES = 1 << LATENCY_FRACTION_BITS };

    if (class < CLASSES)
        return class;
    unsigned octave = (class >> LATENCY_FRACTION_BITS) - 1;
    return ldexp((class & (CLASSES - 1)) + CLASSES + 0.5, (int)octave);
}

void latency_add(struct latency *latency, uint64_t nanoseconds)
{
    latency->classes[class_of(nanoseconds)]++;
    latency->count++;
}

double latency_quantile(const struct latency *latency, double part)
{
    double wanted = part * (double)latency->count;
    uint64_t seen = 0;

    for (unsigned i = 0; i < LATENCY_CLASSES; i++) {
        seen += latency->classes[i];
        if (seen > 0 && (double)seen >= wanted)
            return middle_of(i) / 1000;
    }
    return 0;
}
