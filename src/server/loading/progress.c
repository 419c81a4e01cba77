#include "server/loading/progress.h"

/* A batch takes far less than a millisecond of CPU, and a worker that work wakes wants the CPU at
 * once; to be wrong costs nothing but a detour of some queries. */
static const double doubtful_idle = 0.015;
static const double doubtful_cpu = 0.1;

enum progress_verdict progress_judge(struct progress *progress, const struct progress_sight *sight,
                                     double limit)
{
    bool is_same = sight->pid == progress->pid && sight->heartbeat == progress->heartbeat;

    if (!is_same || !sight->has_work || !progress->waiting) {
        *progress = (struct progress){.pid = sight->pid,
                                      .heartbeat = sight->heartbeat,
                                      .waiting = is_same && sight->has_work,
                                      .cpu = sight->cpu};
        return PROGRESS_MADE;
    }
    if (!sight->wants_cpu)
        progress->idle += sight->elapsed;
    double used = sight->cpu - progress->cpu;
    if (progress->idle >= limit)
        return PROGRESS_STUCK;
    if (used >= limit)
        return PROGRESS_LOOPING;
    return progress->idle >= doubtful_idle || used >= doubtful_cpu ? PROGRESS_DOUBTFUL
                                                                   : PROGRESS_MADE;
}
