/*
 * Child processes, all opened alike: forked without exec, told of the supervisor's death, freed of
 * its signal handlers.
 */
#ifndef SORREL_SERVER_PROCESS_H
#define SORREL_SERVER_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

enum process_orphaned {
    PROCESS_KILLED, /* it dies with the supervisor */
    PROCESS_WARNED, /* it sees the end of its channel, and is killed if it still is there
                       PROCESS_GRACE_SECONDS later: what it has received is answered first */
};

enum { PROCESS_GRACE_SECONDS = 1 };

/*
 * Forks. Returns the child's process id in the parent, 0 in the child, -1 with errno; `channel`
 * becomes the caller's end, which blocks in the child only. The child ignores SIGTERM, SIGINT and
 * SIGHUP, which a terminal or a service manager sends to all processes of the daemon: it hears from
 * the supervisor. A broken pipe, or a file that is to be larger than files may be, is an error like
 * any other to it.
 */
pid_t process_fork(int *channel, enum process_orphaned orphaned);

/* Closes every descriptor above standard error but the `count` in `kept`, which is sorted in place.
 */
void process_keep_only(int *kept, size_t count);

#endif
