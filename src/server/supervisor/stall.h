/*
 * Looks after the workers: one that makes no progress (progress.h) is steered around, and killed
 * and replaced if that lasts. Part of the supervisor.
 *
 * Work is: what waits in a slot's sockets, a batch that is begun, a TCP query that is being
 * answered, a table to change to, retiring. What waits on TCP connections only the worker itself
 * can see.
 */
#ifndef SORREL_SERVER_STALL_H
#define SORREL_SERVER_STALL_H

#include "server/loading/progress.h"
#include "server/steering/steering.h"

#include <ev.h>

struct supervisor;

struct stall {
    ev_timer look;
    ev_tstamp looked; /* when last; by a clock that nobody sets */
    struct progress progress[STEERING_SLOTS_MAX];
};

/* Looks from now on; not at all if settings->stall is 0. */
void stall_start(struct supervisor *supervisor);

void stall_stop(struct supervisor *supervisor);

#endif
