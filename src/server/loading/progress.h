/*
 * Does a worker get on with its work? Judged by what can be seen of it from outside, again and
 * again. Pure.
 *
 * A worker that is short of CPU is not to blame: it wants to run, and is not let. So time counts
 * against a worker only while it does not want the CPU though there is work for it (it is stopped,
 * or sleeps), and CPU counts against it that it has had without finishing anything.
 */
#ifndef SORREL_SERVER_PROGRESS_H
#define SORREL_SERVER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is seen at one look. Times are in seconds. */
struct progress_sight {
    pid_t pid;
    uint64_t heartbeat; /* changes with each piece of work that is done */
    bool has_work;
    bool wants_cpu; /* it runs, or would if it could */
    double cpu;     /* that it has used in its life */
    double elapsed; /* since the last look */
};

/* What is remembered from look to look; all 0 at first. */
struct progress {
    pid_t pid;
    uint64_t heartbeat;
    bool waiting; /* at the last look it had work, and the heartbeat of the one before */
    double cpu;   /* used when that began */
    double idle;  /* for so long it has not wanted the CPU */
};

enum progress_verdict {
    PROGRESS_MADE,     /* or none was to be expected */
    PROGRESS_DOUBTFUL, /* others had better do its work */
    PROGRESS_STUCK,    /* it has been idle beside its work for `limit` */
    PROGRESS_LOOPING,  /* it has used CPU for `limit` and done nothing */
};

enum progress_verdict progress_judge(struct progress *progress, const struct progress_sight *sight,
                                     double limit);

#endif
