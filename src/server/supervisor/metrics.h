/*
 * The metrics process, from the supervisor's side: started if --http is given, replaced when it
 * dies, without the DNS service taking notice. The supervisor owns the listening socket, so that
 * clients wait rather than being refused meanwhile, and passes it on in a takeover.
 */
#ifndef SORREL_SERVER_METRICS_H
#define SORREL_SERVER_METRICS_H

#include "server/control/handover.h"
#include "server/host/address.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct supervisor;

struct metrics {
    int listener; /* -1: none */
    pid_t pid;    /* 0: none */
    time_t started;
    ev_tstamp delay; /* seconds that the next start waits */
    ev_timer again;  /* then something is to be tried again: to bind, to start */
};

/*
 * Opens the listening socket, if there is to be one: the one in `inherited`, if it has the same
 * address, or a new one. False, if it cannot, which is logged; in a takeover it is tried again
 * instead, for the old daemon may have the port.
 */
bool metrics_open(struct supervisor *supervisor);

/* Could it be opened at `http`, if the port is free? False, as it would be logged at the start. */
bool metrics_check(const union address *http);

/* Starts the process; the control is open. */
void metrics_start(struct supervisor *supervisor);

/* Kills it: all ends. */
void metrics_stop(struct supervisor *supervisor);

/* A child has died. True if it was the process, which is then replaced, unless all ends. */
bool metrics_child_died(struct supervisor *supervisor, pid_t pid, int status);

/* Passes the socket on. False: out of memory. */
bool metrics_hand_over(const struct supervisor *supervisor, struct handover *handover);

/* Closes the socket; the process has ended. */
void metrics_close(struct supervisor *supervisor);

#endif
