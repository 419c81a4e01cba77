/*
 * Several threads at one list of jobs, one thread for each CPU that this process may use. What
 * comes of the jobs is taken in their order, so that it does not depend on who was faster.
 */
#ifndef SORREL_TABLE_CREW_H
#define SORREL_TABLE_CREW_H

#include <stdbool.h>
#include <stddef.h>

struct crew_work {
    size_t jobs; /* numbered from 0 */
    size_t window; /* jobs that may be begun, or done, beyond the first that is not taken */
    /* Does a job: on any thread, in any order, several at once. */
    bool (*perform)(void *closure, size_t job);
    /* Takes what has come of it: on the caller's thread, in order. NULL: nothing is to be taken. */
    bool (*take)(void *closure, size_t job);
    void *closure;
};

/*
 * Does all the jobs, and returns when the last is taken. With a single CPU each is taken as soon as
 * it is done, and no thread is made. False as soon as one of the functions has returned false;
 * then no job is being done any more.
 */
bool crew_run(const struct crew_work *work);

/* How many CPUs this process may use; 0: the kernel does not tell. */
unsigned crew_cpus(void);

/* How many jobs are done at once. */
unsigned crew_size(void);

#endif
