/*
 * How a server's CPU time divides into user and kernel.
 *
 * The kernel's own division counts in ticks of 4 ms or so, a few hundred samples a second: too few
 * to tell 80 ns from 100 of 3 us. So a timer interrupts the server's CPU SAMPLER_RATE times a
 * second (perf_event_open, cpu-clock), and what it interrupts is noted.
 */
#ifndef SORREL_BENCH_SAMPLER_H
#define SORREL_BENCH_SAMPLER_H

#include "family.h"

#include <stdbool.h>
#include <stdint.h>

enum { SAMPLER_RATE = 4000 };

struct sampler_counts {
    uint64_t user;   /* samples that found the family in user space */
    uint64_t kernel; /* or in the kernel */
    uint64_t others; /* or another process on this CPU */
    uint64_t lost;
};

/* True if this kernel and user may sample; otherwise `reason` says why not. */
bool sampler_open(int cpu, const char **reason);

void sampler_start(void);

/* Since sampler_start(). */
struct sampler_counts sampler_stop(const struct family *family);

void sampler_close(void);

#endif
