/*
 * A worker: answers what arrives on its slot's sockets from the table it was last given. It has no
 * other right, file or business.
 */
#ifndef SORREL_SERVER_WORKER_H
#define SORREL_SERVER_WORKER_H

#include "server/worker/inheritance.h"

/* How it ends if it finds no memory, or not as much as it may map. */
enum { WORKER_EXIT_NO_MEMORY = 3 };

/* Runs in the forked child. Ends with exit status 0 when told to finish or when the supervisor is
 * gone. */
_Noreturn void worker_run(const struct inheritance *inheritance);

#endif
