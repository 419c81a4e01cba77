/*
 * A server's processes and threads, all of them, and what they take.
 */
#ifndef SORREL_BENCH_FAMILY_H
#define SORREL_BENCH_FAMILY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAMILY_MAX = 128 };

struct family {
    size_t count;
    pid_t pid[FAMILY_MAX]; /* processes: the first and all that descend from it */
};

/* CPU time since the processes began. */
struct family_cpu {
    uint64_t all_ns;    /* by the scheduler's clock, exact; of the threads that there are still */
    uint64_t user_ns;   /* by the tick, a sample each: what is divided is all_ns, */
    uint64_t kernel_ns; /* ... and softirqs that ran meanwhile are in here */
};

struct family_memory {
    uint64_t total_kib;     /* proportional: what is shared counts once */
    uint64_t anonymous_kib; /* of which: private, */
    uint64_t shared_kib;    /* of memory files and the like, mapped or not, */
    uint64_t file_kib;      /* and of programs and libraries */
};

void family_find(struct family *family, pid_t first);

/* Binds all threads to `cpu`, and what they start from now on. */
void family_pin(const struct family *family, int cpu);

struct family_cpu family_cpu(const struct family *family);

struct family_memory family_memory(const struct family *family);

#endif
