#include "server/host/affinity.h"

bool affinity_read(struct affinity *affinity)
{
    return sched_getaffinity(0, sizeof affinity->usable, &affinity->usable) == 0 &&
           CPU_COUNT(&affinity->usable) > 0;
}

/* The first usable CPU whose number modulo `slots` is `slot`; CPU_SETSIZE: there is none. */
static unsigned first_of(const struct affinity *affinity, unsigned slot, unsigned slots)
{
    unsigned cpu = slot;

    while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &affinity->usable))
        cpu += slots;
    return cpu < CPU_SETSIZE ? cpu : CPU_SETSIZE;
}

unsigned affinity_cpu(const struct affinity *affinity, unsigned slot, unsigned slots)
{
    unsigned cpu = first_of(affinity, slot, slots);
    unsigned skip = slot % (unsigned)CPU_COUNT(&affinity->usable);

    if (cpu < CPU_SETSIZE)
        return cpu;
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &affinity->usable) && skip-- == 0)
            break;
    return cpu;
}

unsigned affinity_idle_slots(const struct affinity *affinity, unsigned slots)
{
    unsigned idle = 0;

    for (unsigned slot = 0; slot < slots; slot++)
        idle += first_of(affinity, slot, slots) == CPU_SETSIZE;
    return idle;
}

int affinity_pin(pid_t process, unsigned cpu)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(process, sizeof one, &one);
}

int affinity_unpin(const struct affinity *affinity, pid_t process)
{
    return sched_setaffinity(process, sizeof affinity->usable, &affinity->usable);
}
