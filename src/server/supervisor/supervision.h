/*
 * The supervisor's state, for the files that it is made of: supervisor.c, which owns it, and
 * those that do a part of its work: commands.c what sorrelctl asks for, resize.c the number of
 * workers, stall.c whether they work.
 */
#ifndef SORREL_SERVER_SUPERVISION_H
#define SORREL_SERVER_SUPERVISION_H

#include "server/configuration/options.h"
#include "server/configuration/settings.h"
#include "server/control/control.h"
#include "server/loading/keeper.h"
#include "server/loading/ledger.h"
#include "server/loading/loader.h"
#include "server/supervisor/dnstap.h"
#include "server/supervisor/guard.h"
#include "server/supervisor/interval.h"
#include "server/supervisor/metrics.h"
#include "server/supervisor/policy.h"
#include "server/supervisor/reloads.h"
#include "server/supervisor/resize.h"
#include "server/supervisor/stall.h"
#include "server/supervisor/stats.h"
#include "server/supervisor/succession.h"
#include "server/supervisor/supervisor.h"
#include "server/supervisor/takeover.h"
#include "server/worker/slot.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct supervisor {
    struct ev_loop *loop;
    struct settings *settings;
    struct options *options; /* that the settings are part of */
    struct options *reread;  /* as they were when they were last read again; NULL: never */
    struct slot *slots; /* STEERING_SLOTS_MAX: they hold watchers, and so must not move */
    size_t slot_count;  /* open ones */
    struct loader loader;
    struct loader_table table;     /* the one served; fd -1: none yet */
    struct loader_table inherited; /* another daemon's, until there is one; fd -1: none */
    struct keeper keeper;
    bool was_kept; /* the inherited table is from a file: it may be long out of date */
    struct ledger ledger;
    struct reloads reloads;
    struct guard guard;
    struct obituaries obituaries;
    struct resize resize;
    struct policy policy;
    struct stall stall;
    struct stats stats;
    struct interval interval;
    struct control *control; /* NULL: none */
    struct metrics metrics;
    struct dnstap dnstap;
    time_t started;          /* by slot_clock() */
    uint64_t seed;
    uint64_t generation; /* of the table built last */
    ev_signal terminate, interrupt, hangup;
    ev_child children;
    ev_timer stop_limit;
    struct takeover takeover;     /* of another daemon's place by this one */
    struct succession succession; /* the other way round */
    ev_timer leave_limit;
    ev_timer watchdog;
    bool announced; /* that it serves */
    bool unready;   /* the service manager waits to hear that it is done */
    bool adopting;  /* workers are changing to the table */
    bool stopping;
    bool leaving; /* stopping, and another daemon has the sockets (leave.h) */
    int status;
};

/* Ends the program, with `status`, once the workers have answered what is queued. */
void supervisor_stop(struct supervisor *supervisor, int status);

/* Starts the reload that is wanted (reloads.h), now or once what is under way is done. */
void supervisor_reload(struct supervisor *supervisor);

/* Opens one slot more. False with a sentence in `error`. */
bool supervisor_open_slot(struct supervisor *supervisor, char error[LISTENER_ERROR_MAX]);

/* Lets the workers know how many they are. */
void supervisor_publish_workers(struct supervisor *supervisor);

/* Starts a worker for the slot, now or, if that fails, a second later. */
void supervisor_spawn(struct supervisor *supervisor, struct slot *slot);

/* Are there two daemons that have the sockets, or soon will? Then none is added or closed. */
bool supervisor_changes_hands(const struct supervisor *supervisor);

/* This is the daemon from now on: another has left its place. */
void supervisor_take_charge(struct supervisor *supervisor);

/* And it is the only one that has the sockets. */
void supervisor_settle(struct supervisor *supervisor);

/* Ends the program, if it is stopping and has no children any more. */
void supervisor_end_if_alone(struct supervisor *supervisor);

#endif
