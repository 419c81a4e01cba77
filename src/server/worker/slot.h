/*
 * A worker slot: the sockets, memory and place in the steering that outlive the workers that serve
 * in it. Runs in the supervisor.
 */
#ifndef SORREL_SERVER_SLOT_H
#define SORREL_SERVER_SLOT_H

#include "server/configuration/settings.h"
#include "server/control/handover.h"
#include "server/host/listener.h"
#include "server/protection/protection.h"
#include "server/query/slot_memory.h"
#include "server/worker/obituaries.h"
#include "table/seal.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Why the supervisor has killed a worker (stall.h). */
enum slot_fault {
    SLOT_SOUND, /* it has not */
    SLOT_STUCK,
    SLOT_LOOPING,
};

/* The queue of one of its UDP sockets. */
struct slot_queue {
    uint32_t length; /* octets, at the last look */
    uint32_t room;
    uint32_t last_drops; /* as the kernel counts them, for as long as the socket has been open */
    uint64_t drops;      /* datagrams that found no room, since this daemon has it */
    struct {
        uint64_t queries, drops;
        uint32_t samples;
    } looked; /* what there was when the current interval (interval.h) began */
};

enum { SLOT_ANY_CPU = -1 };

struct slot {
    unsigned number;
    size_t listener_count;
    struct listener_sockets *sockets; /* one pair for each listener */
    struct slot_queue *queues;        /* likewise */
    struct slot_memory *memory;
    pid_t pid;      /* of its worker; 0: none */
    time_t started; /* when its worker was; by slot_clock() */
    int channel;    /* to the worker; -1: none */
    ev_io readable;
    ev_timer respawn;
    uint64_t generation; /* of the table its worker serves */
    uint64_t first_beat; /* heartbeat when the worker started */
    unsigned fruitless;  /* workers in a row that died before they had answered anything */
    unsigned deaths;
    bool serving;  /* its worker reads the sockets */
    bool left_out; /* by the steering, until a worker serves again */
    bool suspect;  /* its worker may not be getting on with its work (stall.h) */
    enum slot_fault fault;
    bool retiring; /* to be closed once it is empty (resize.h) */
    bool drained;  /* then: it is empty, and its worker has ended */
    bool kept;     /* by the service manager, too (fdstore.h) */
    bool shares;   /* its sockets are those of the first slot (policy.h) */
    int cpu;       /* that its worker runs on; SLOT_ANY_CPU */
    bool left;     /* to another daemon: its sockets are closed here (leave.h) */
};

/* May the steering send it anything? */
static inline bool slot_receives(const struct slot *slot)
{
    return !slot->left_out && !slot->suspect && !slot->retiring;
}

/* Seconds of a clock that nobody sets, for how long something has lasted. */
static inline time_t slot_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/*
 * Opens slot `number`: takes a pair of sockets for each listener out of `inherited`, binds those
 * that are not there (`exclusive`: the addresses must be free) and maps its memory. Listeners that
 * the kernel has no addresses for, and that are optional, are removed from the list, which only
 * slot 0 can do. False with a sentence in `error`.
 */
bool slot_open(struct slot *slot, unsigned number, struct listener *listeners, size_t *count,
               bool exclusive, struct handover *inherited, char error[LISTENER_ERROR_MAX]);

/* Opens slot `number` with the sockets of `first`, by descriptors of its own. False with a sentence
 * in `error`. */
bool slot_open_shared(struct slot *slot, unsigned number, const struct slot *first,
                      char error[LISTENER_ERROR_MAX]);

/* Keeps further datagrams from its UDP sockets, which are to be drained and closed (listener.h),
 * unless they are shared. */
void slot_fence(const struct slot *slot, const struct listener *listeners);

/* Then, when they are drained: whoever still has copies of them is in nobody's way (listener.h). */
void slot_leave_groups(const struct slot *slot);

/* Closes the sockets, and no more. */
void slot_close_sockets(struct slot *slot);

/* Closes the sockets and unmaps the memory; the slot has no worker. */
void slot_close(struct slot *slot);

/* Asks the kernel how full the queues of its UDP sockets are, and what they have dropped. */
void slot_look_at_queues(struct slot *slot);

/* Does anything wait in its sockets: a datagram to be read, a connection to be accepted? */
bool slot_has_input(const struct slot *slot);

/* Is there anything of a dead worker's that its successor has to finish? */
bool slot_has_batch(const struct slot *slot);

/* Forks a worker for the slot, which serves `table`. 0, or -1 with errno. */
int slot_spawn(struct slot *slot, const struct settings *settings,
               const struct sealed_table *table);

/*
 * The worker has died with `status` as of waitpid(2): closes its channel, gives up the query it
 * crashed on, logs what happened if `obituaries` admits it. Returns how many seconds to wait before
 * the next is started: 0 but for crash loops.
 */
ev_tstamp slot_bury(struct slot *slot, int status, struct obituaries *obituaries);

#endif
