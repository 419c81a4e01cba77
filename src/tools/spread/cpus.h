/*
 * From which CPU a flow is sent. Over the loopback interface that is also the CPU that receives it,
 * as the receive queue of a network card decides for packets from outside.
 */
#ifndef SORREL_TOOLS_SPREAD_CPUS_H
#define SORREL_TOOLS_SPREAD_CPUS_H

#include <sched.h>
#include <stdbool.h>

struct cpus {
    cpu_set_t usable;
    unsigned count;
    int current; /* -1: wherever the scheduler likes */
};

void cpus_start(struct cpus *cpus);

/* Puts this thread on the CPU of flow number `flow` of `flows`. The first flows are on the first
 * CPU and so on, so that a walk through all flows seldom changes it. */
void cpus_enter(struct cpus *cpus, unsigned flow, unsigned flows);

/* Lets the thread run where it could before. */
void cpus_finish(struct cpus *cpus);

#endif
