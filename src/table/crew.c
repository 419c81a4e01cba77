#include "table/crew.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

enum {
    /* What takes the results in order keeps up with so many; more would only wait for it. */
    CREW_MAX = 16,
};

struct crew {
    const struct crew_work *work;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* something was done, or taken, or has failed */
    size_t next;            /* job to be begun */
    size_t taken;
    bool *done;  /* of each job in the window, by its number modulo the window */
    bool failed;
};

unsigned crew_cpus(void)
{
    cpu_set_t cpus;

    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 0;
}

unsigned crew_size(void)
{
    unsigned count = crew_cpus();

    if (count == 0)
        return 1;
    return count < CREW_MAX ? count : CREW_MAX;
}

/* May a job be begun? Called, like all that follows, with the mutex held. */
static bool has_job(const struct crew *crew)
{
    return crew->next < crew->work->jobs && crew->next < crew->taken + crew->work->window;
}

static bool is_over(const struct crew *crew)
{
    return crew->failed || crew->taken == crew->work->jobs;
}

static void perform_next(struct crew *crew)
{
    size_t job = crew->next++;

    pthread_mutex_unlock(&crew->mutex);
    bool performed = crew->work->perform(crew->work->closure, job);
    pthread_mutex_lock(&crew->mutex);
    crew->done[job % crew->work->window] = true;
    crew->failed |= !performed;
    if (job == crew->taken || crew->failed)
        pthread_cond_broadcast(&crew->changed);
}

static void take_next(struct crew *crew)
{
    size_t job = crew->taken;

    pthread_mutex_unlock(&crew->mutex);
    bool taken = crew->work->take == NULL || crew->work->take(crew->work->closure, job);
    pthread_mutex_lock(&crew->mutex);
    crew->done[job % crew->work->window] = false;
    crew->taken++;
    crew->failed |= !taken;
    pthread_cond_broadcast(&crew->changed);
}

static void *run_member(void *closure)
{
    struct crew *crew = closure;

    pthread_mutex_lock(&crew->mutex);
    while (!is_over(crew) && crew->next < crew->work->jobs)
        if (has_job(crew))
            perform_next(crew);
        else
            pthread_cond_wait(&crew->changed, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* The caller takes what can be taken before it does a job itself. */
static void run_caller(struct crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    while (!is_over(crew))
        if (crew->done[crew->taken % crew->work->window])
            take_next(crew);
        else if (has_job(crew))
            perform_next(crew);
        else
            pthread_cond_wait(&crew->changed, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
}

/* Starts as many as are of use and as the system allows. Signals are the caller's business. */
static size_t start_members(struct crew *crew, pthread_t members[CREW_MAX])
{
    size_t wanted = crew_size() - 1, count = 0;
    sigset_t all, before;

    if (wanted >= crew->work->jobs)
        wanted = crew->work->jobs > 0 ? crew->work->jobs - 1 : 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (count < wanted && pthread_create(&members[count], NULL, run_member, crew) == 0)
        count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return count;
}

bool crew_run(const struct crew_work *work)
{
    struct crew crew = {.work = work, .done = calloc(work->window, sizeof *crew.done)};
    pthread_t members[CREW_MAX];

    if (crew.done == NULL)
        return false;
    pthread_mutex_init(&crew.mutex, NULL);
    pthread_cond_init(&crew.changed, NULL);
    size_t count = start_members(&crew, members);
    run_caller(&crew);
    for (size_t i = 0; i < count; i++)
        pthread_join(members[i], NULL);
    pthread_cond_destroy(&crew.changed);
    pthread_mutex_destroy(&crew.mutex);
    free(crew.done);
    return !crew.failed;
}
