/*
 * How a supervisor leaves its sockets to another daemon, which reads them already: each worker
 * answers what it has taken off them, closes them, and serves the TCP connections it has to their
 * end. What a worker dies on before that is finished by a successor. Then the program ends.
 */
#ifndef SORREL_SERVER_LEAVE_H
#define SORREL_SERVER_LEAVE_H

#include "server/supervisor/supervision.h"

/* Begins; the program will end with `status`. From now on it does not steer, load or listen. */
void leave_begin(struct supervisor *supervisor, int status);

/* The slot's worker has sent CHANNEL_LEFT. */
void leave_slot_left(struct supervisor *supervisor, struct slot *slot);

/* The slot's worker has died with `status` as of waitpid(2). */
void leave_bury(struct supervisor *supervisor, struct slot *slot, int status);

#endif
