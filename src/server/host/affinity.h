/*
 * Which CPU a worker runs on under the policy `cpu`: that whose datagrams the steering sends it.
 */
#ifndef SORREL_SERVER_AFFINITY_H
#define SORREL_SERVER_AFFINITY_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* The CPUs that this process may use. */
struct affinity {
    cpu_set_t usable;
};

/* False: the kernel does not tell. */
bool affinity_read(struct affinity *affinity);

/*
 * The CPU for slot `slot` of `slots`. The steering sends it what CPUs receive whose number modulo
 * `slots` is the slot's: the first of these that is usable. If none is, the slot gets nothing from
 * usable CPUs, and shares one with another. The affinity has been read.
 */
unsigned affinity_cpu(const struct affinity *affinity, unsigned slot, unsigned slots);

/* How many of `slots` get nothing from a usable CPU. */
unsigned affinity_idle_slots(const struct affinity *affinity, unsigned slots);

/* Lets a process (0: this one) run on one CPU only, or on all usable ones again. 0, or -1 with
 * errno. */
int affinity_pin(pid_t process, unsigned cpu);
int affinity_unpin(const struct affinity *affinity, pid_t process);

#endif
