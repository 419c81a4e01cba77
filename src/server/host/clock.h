/*
 * The time as workers need it: cheap, and exact to a tick of the kernel (4 ms or so).
 */
#ifndef SORREL_SERVER_CLOCK_H
#define SORREL_SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of a clock that nobody sets, the same in all processes. */
static inline uint64_t clock_nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Seconds since 1970, modulo 2^32. */
static inline uint32_t clock_date(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint32_t)now.tv_sec;
}

#endif
