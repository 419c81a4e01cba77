/*
 * The number of worker slots, changed while they serve. Part of the supervisor.
 *
 * More: the steering leaves new slots out before their sockets are bound, and lets each in once its
 * worker reads. (The sockets of a slot that has always been alone are no group yet, which could be
 * steered; so the second slot may be sent something between its bind(2) and the next system call.
 * That waits for its worker.)
 *
 * Fewer: the highest slots are left out, and their workers retire (CHANNEL_RETIRE). A slot whose
 * worker has ended and whose sockets are empty is closed, the highest first: the kernel moves the
 * last socket of a group into the place of one that is closed, which must not change where the
 * others stand (steering.h).
 */
#ifndef SORREL_SERVER_RESIZE_H
#define SORREL_SERVER_RESIZE_H

#include "server/control/control.h"
#include "server/host/listener.h"
#include "server/steering/steering.h"
#include "server/worker/slot.h"

#include <stdbool.h>
#include <stddef.h>

struct supervisor;
struct resize_request;

/* Requests are done one after the other, in the order they came. */
struct resize {
    struct resize_request *first;
    bool under_way;                 /* the first is */
    size_t from;                    /* slots there were when it began */
    char error[LISTENER_ERROR_MAX]; /* why it will not get as many as it wants; empty: it will */
};

/* Change to `workers` slots, 1 to STEERING_SLOTS_MAX. The request, which may be NULL, is answered
 * when the new ones serve or the old ones are closed. */
void resize_want(struct supervisor *supervisor, struct control_request *request, unsigned workers);

/* Change to `policy`, which takes other sockets, by way of one slot; then to as many as there are
 * now. The request, which may be NULL, is answered by policy_json(). */
void resize_turn(struct supervisor *supervisor, struct control_request *request,
                 enum steering_policy policy);

/* Goes on as far as possible: to be called whenever a worker has begun to serve, or ended. */
void resize_advance(struct supervisor *supervisor);

/* Tells the worker of a retiring slot to retire. */
void resize_tell(const struct slot *slot);

/* A slot's worker has ended with `status` as of waitpid(2). False if that is a death like any
 * other; otherwise it had retired, and the slot is drained or has another worker. */
bool resize_has_ended(struct supervisor *supervisor, struct slot *slot, int status);

/* Refuses all requests. */
void resize_refuse(struct resize *resize, const char *sentence);

#endif
