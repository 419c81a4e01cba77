/*
 * The steering policy in force: put into effect, tried out (proof.h), changed while queries come.
 * Part of the supervisor.
 *
 * Between `shared` and the others lies more than a program: how many sockets there are. That change
 * is made by way of one worker (resize.h): the others retire, the one that is left has the socket
 * that `shared` shares, or that the group begins with, and then the others come back. Nothing is
 * lost on the way.
 */
#ifndef SORREL_SERVER_POLICY_H
#define SORREL_SERVER_POLICY_H

#include "server/control/control.h"
#include "server/host/affinity.h"
#include "server/steering/proof.h"
#include "server/steering/steering.h"
#include "server/worker/slot.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct supervisor;

struct policy {
    struct affinity affinity;
    bool shared;                /* slots have the sockets of the first (slot.h) */
    int fault;                  /* errno of the last program that the kernel has refused; 0 */
    unsigned tried;             /* slots that the proof is for; 0: none yet */
    char proof[PROOF_TEXT_MAX]; /* how it is known what is in force */
    bool waits;                 /* the configuration wants another, `waiting`, which had to wait */
    enum steering_policy waiting;
};

/* Before the first slot is opened. `inherited` slots have sockets already. */
void policy_init(struct supervisor *supervisor, unsigned inherited);

/* Tries the policy out, and puts it into effect. False if the kernel will not, which is logged. */
bool policy_begin(struct supervisor *supervisor);

/* Logs what is in force, and how that is known. */
void policy_tell(const struct supervisor *supervisor);

/* Lets datagrams and connections go to the slots that receive (slot.h), in groups of `slots`
 * sockets: more than are open yet, if others are about to join that shall receive nothing. If the
 * kernel refuses, which is logged, the program before stays in force. */
void policy_steer(struct supervisor *supervisor, size_t slots);

/* A worker has begun, or there are more or fewer: each runs where the policy wants it. */
void policy_place_workers(struct supervisor *supervisor);

/* Another number of workers has been reached. */
void policy_resized(struct supervisor *supervisor);

/* Changes to `policy`, and answers the request. If the kernel refuses, the old one stays. While the
 * number of workers or the daemon is being changed a request is refused; without one (NULL) it is
 * done once that has ended. */
void policy_want(struct supervisor *supervisor, struct control_request *request,
                 enum steering_policy policy);

/* Does what has waited, if it can be done by now. */
void policy_advance(struct supervisor *supervisor);

/* This daemon is the only one, and can do what it was started for. True if that has begun, and goes
 * on to the number of workers that is wanted. */
bool policy_settle(struct supervisor *supervisor);

/* While there is but one slot: from now on `policy`, with the sockets that it takes. */
void policy_turn(struct supervisor *supervisor, enum steering_policy policy);

/* "policy", "effective", "proof" and "groups_of". */
json_t *policy_json(const struct supervisor *supervisor);

#endif
