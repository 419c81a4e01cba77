/*
 * What a process takes of the machine: what grows without end if each reload leaves something
 * behind.
 */
#ifndef SORREL_LOSS_FOOTPRINT_H
#define SORREL_LOSS_FOOTPRINT_H

#include <stdint.h>
#include <sys/types.h>

struct footprint {
    uint64_t descriptors;
    uint64_t mappings;
    uint64_t anonymous_kib; /* memory that it does not share with a file */
};

/* Adds what process `pid` takes; nothing if it is no more. */
void footprint_add(struct footprint *footprint, pid_t pid);

#endif
