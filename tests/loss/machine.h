/*
 * Whether the machine was ours: what other programs take from a server under test is not lost by
 * it.
 */
#ifndef SORREL_LOSS_MACHINE_H
#define SORREL_LOSS_MACHINE_H

#include <stdint.h>

/* CPU time up to a moment, in clock ticks. */
struct machine_usage {
    uint64_t wall; /* times the number of CPUs */
    uint64_t all;
    uint64_t ours; /* of this program and all it has started */
};

void machine_measure(struct machine_usage *usage);

/* Percent of the machine that others had since `before`, the host of a virtual machine included. */
unsigned machine_others(const struct machine_usage *before);

#endif
