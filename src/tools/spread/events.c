#include "tools/spread/events.h"

#include "tools/spread/interrupt.h"
#include "tools/spread/ticker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* The worker that is killed. */
enum { VICTIM = 1 };

struct run {
    struct events *events;
    const struct arguments *arguments;
    struct daemon *daemon;
    struct flowmap map;
    struct ticker ticker;
    unsigned steps; /* done so far */
    char *error;
};

static bool fail(struct run *run, const char *reason)
{
    snprintf(run->error, EVENTS_ERROR_MAX, "%s", reason);
    return false;
}

/* --- steps --------------------------------------------------------------------------- */

/* Looks where the flows lead to, after step number `number` of a policy. */
static bool look(struct run *run, struct events_policy *policy, unsigned number, unsigned workers,
                 const char *what)
{
    struct events_step *step = &policy->steps[number];
    char error[FLOWMAP_ERROR_MAX] = "interrupted";

    step->workers = workers;
    snprintf(step->what, sizeof step->what, "%s", what);
    ticker_show(&run->ticker,
                (double)run->steps++ / (double)(EVENTS_STEPS * run->arguments->policy_count), what);
    if (!flowmap_ask(&run->map, &run->arguments->question, step->map, error))
        return fail(run, error);
    if (number > 0)
        step->moved = flowmap_moved(policy->steps[number - 1].map, step->map);
    return true;
}

/* The process of a worker; 0 if it is not known. */
static pid_t worker_process(const struct daemon *daemon, unsigned number)
{
    char error[DAEMON_ERROR_MAX];
    json_t *status;

    if (!daemon_ask(daemon, PROTOCOL_STATUS, NULL, 0, &status, error))
        return 0;
    const json_t *worker = json_array_get(json_object_get(status, "workers"), number);
    pid_t pid = (pid_t)json_integer_value(json_object_get(worker, "pid"));
    json_decref(status);
    return pid;
}

/* Kills a worker, and waits until another serves in its place. */
static bool kill_worker(struct run *run, unsigned number, unsigned workers)
{
    char error[DAEMON_ERROR_MAX] = "";
    pid_t killed = worker_process(run->daemon, number);

    if (killed <= 0 || kill(killed, SIGKILL) != 0)
        return fail(run, "there is no worker to kill");
    do {
        if (!daemon_await_workers(run->daemon, workers, error))
            return fail(run, error);
    } while (worker_process(run->daemon, number) == killed && !interrupt_came());
    return true;
}

static bool change_workers(struct run *run, unsigned workers)
{
    char number[16], error[DAEMON_ERROR_MAX];
    char *const words[] = {number};
    json_t *reply;

    snprintf(number, sizeof number, "%u", workers);
    if (!daemon_ask(run->daemon, PROTOCOL_WORKERS, words, 1, &reply, error))
        return fail(run, error);
    json_decref(reply);
    return daemon_await_workers(run->daemon, workers, error) || fail(run, error);
}

static bool watch_policy(struct run *run, struct events_policy *policy)
{
    unsigned workers = run->arguments->workers;
    unsigned victim = workers > VICTIM ? VICTIM : 0;
    char first[32], killed[32], more[32], again[32];

    snprintf(first, sizeof first, "%u workers", workers);
    snprintf(killed, sizeof killed, "worker %u killed", victim);
    snprintf(more, sizeof more, "one more: %u", workers + 1);
    snprintf(again, sizeof again, "one retired: %u", workers);
    return look(run, policy, 0, workers, first) && kill_worker(run, victim, workers) &&
           look(run, policy, 1, workers, killed) && change_workers(run, workers + 1) &&
           look(run, policy, 2, workers + 1, more) && change_workers(run, workers) &&
           look(run, policy, 3, workers, again);
}

static void try_to_join(struct run *run)
{
    for (unsigned i = 0; reuseport_joins[i].who != NULL; i++)
        run->events->joins[i] = reuseport_try(&reuseport_joins[i], &run->daemon->address);
}

static bool run_policy(struct run *run, const struct policy *policy)
{
    struct events_policy *watched = &run->events->policies[run->events->policy_count++];
    char reason[DAEMON_ERROR_MAX], error[FLOWMAP_ERROR_MAX];

    watched->policy = policy;
    if (!daemon_start(run->daemon, policy->name, run->arguments->workers, reason))
        return fail(run, reason);
    if (!flowmap_open(&run->map, &run->daemon->address, error))
        return fail(run, error);
    bool done = watch_policy(run, watched);
    flowmap_close(&run->map);
    if (done && run->events->policy_count == 1)
        try_to_join(run);
    daemon_stop(run->daemon);
    return done;
}

bool events_run(struct events *events, const struct arguments *arguments, struct daemon *daemon,
                char error[EVENTS_ERROR_MAX])
{
    struct run run = {.events = events, .arguments = arguments, .daemon = daemon, .error = error};
    char reason[FLOWMAP_ERROR_MAX];

    *events = (struct events){.server = daemon->program};
    ticker_start(&run.ticker);
    for (size_t i = 0; i < arguments->policy_count; i++)
        if (!run_policy(&run, arguments->policies[i])) {
            ticker_hide(&run.ticker);
            return false;
        }
    ticker_hide(&run.ticker);
    return reuseport_close_one(&events->closing, reason) || fail(&run, reason);
}
