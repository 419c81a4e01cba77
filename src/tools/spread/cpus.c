#include "tools/spread/cpus.h"

#include <stdint.h>

void cpus_start(struct cpus *cpus)
{
    *cpus = (struct cpus){.current = -1};
    if (sched_getaffinity(0, sizeof cpus->usable, &cpus->usable) == 0)
        cpus->count = (unsigned)CPU_COUNT(&cpus->usable);
}

/* The number of the nth usable CPU. */
static unsigned nth_cpu(const struct cpus *cpus, unsigned n)
{
    unsigned cpu = 0;

    while (!CPU_ISSET(cpu, &cpus->usable) || n-- > 0)
        cpu++;
    return cpu;
}

void cpus_enter(struct cpus *cpus, unsigned flow, unsigned flows)
{
    cpu_set_t one;

    if (cpus->count == 0)
        return;
    unsigned cpu = nth_cpu(cpus, (unsigned)((uint64_t)flow * cpus->count / flows));
    if ((int)cpu == cpus->current)
        return;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0)
        cpus->current = (int)cpu;
}

void cpus_finish(struct cpus *cpus)
{
    if (cpus->current >= 0)
        sched_setaffinity(0, sizeof cpus->usable, &cpus->usable);
    cpus->current = -1;
}
