/*
 * What answering has cost the workers, from the kernel's accounts and their own counters.
 */
#ifndef SORREL_TOOLS_SPREAD_USAGE_H
#define SORREL_TOOLS_SPREAD_USAGE_H

#include "tools/spread/daemon.h"

/* Sums over all workers, growing; negative if the daemon does not tell. */
struct usage {
    double cpu;      /* microseconds of CPU time */
    double switches; /* context switches, voluntary or not */
    double empty;    /* wake-ups that found nothing to read */
};

void usage_read(struct usage *usage, const struct daemon *daemon);

/* What has been added since `before`; negative if one of the two does not tell. */
struct usage usage_since(const struct usage *before, const struct usage *now);

#endif
