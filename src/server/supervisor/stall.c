#include "server/supervisor/stall.h"

#include "server/supervisor/supervision.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds between two looks, and while some worker has work that it may not be getting on with. */
static const ev_tstamp calm = 0.1;
static const ev_tstamp alert = 0.02;

static ev_tstamp seconds(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (ev_tstamp)now.tv_sec + (ev_tstamp)now.tv_nsec / 1e9;
}

static ev_tstamp interval(const struct supervisor *supervisor, ev_tstamp wanted)
{
    ev_tstamp most = supervisor->settings->stall / 4;

    return wanted < most ? wanted : most;
}

/* --- what is seen ----------------------------------------------------------------- */

static ev_tstamp cpu_used(pid_t pid)
{
    clockid_t clock;

    return clock_getcpuclockid(pid, &clock) == 0 ? seconds(clock) : 0;
}

/* By its state in /proc/PID/stat (proc(5)). One of which nothing is known gets the benefit of the
 * doubt. */
static bool wants_cpu(pid_t pid)
{
    char path[32], text[128];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    /* PID (NAME) STATE, and the name may have any character in it. */
    const char *state = strrchr(text, ')');
    return state == NULL || state[1] == '\0' || strchr("SDTt", state[2]) == NULL;
}

static bool is_at_work(const struct slot *slot)
{
    if (slot->memory->tcp_query.length > 0)
        return true;
    for (size_t i = 0; i < slot->listener_count; i++)
        if (batch_is_under_way(&slot->memory->addresses[i].batch))
            return true;
    return false;
}

static bool has_work(const struct supervisor *supervisor, const struct slot *slot)
{
    return !slot->serving || slot->retiring ||
           slot->generation < supervisor->table.sealed.table.header->generation ||
           is_at_work(slot) || slot_has_input(slot);
}

/* A look costs no more than it has to: nothing is asked about a worker whose heartbeat has changed.
 */
static void see(const struct supervisor *supervisor, const struct slot *slot, ev_tstamp elapsed,
                struct progress_sight *sight)
{
    const struct progress *before = &supervisor->stall.progress[slot->number];

    *sight = (struct progress_sight){
        .pid = slot->pid, .heartbeat = slot->memory->counters.heartbeat, .elapsed = elapsed};
    if (sight->pid != before->pid || sight->heartbeat != before->heartbeat)
        return;
    sight->has_work = has_work(supervisor, slot);
    if (!sight->has_work)
        return;
    sight->cpu = cpu_used(slot->pid);
    sight->wants_cpu = !before->waiting || wants_cpu(slot->pid);
}

/* --- what follows ----------------------------------------------------------------- */

static void steer_around(struct supervisor *supervisor, struct slot *slot, bool suspect)
{
    bool received = slot_receives(slot);

    slot->suspect = suspect;
    if (slot_receives(slot) != received)
        policy_steer(supervisor, supervisor->slot_count);
}

static void end_worker(struct supervisor *supervisor, struct slot *slot, enum slot_fault fault)
{
    steer_around(supervisor, slot, true);
    slot->fault = fault;
    kill(slot->pid, SIGKILL);
}

static void follow(struct supervisor *supervisor, struct slot *slot, enum progress_verdict verdict)
{
    switch (verdict) {
    case PROGRESS_STUCK:
        end_worker(supervisor, slot, SLOT_STUCK);
        break;
    case PROGRESS_LOOPING:
        end_worker(supervisor, slot, SLOT_LOOPING);
        break;
    case PROGRESS_MADE:
    case PROGRESS_DOUBTFUL:
        steer_around(supervisor, slot, verdict == PROGRESS_DOUBTFUL);
        break;
    }
}

/* True if another look had better follow soon. */
static bool look_at(struct supervisor *supervisor, struct slot *slot, ev_tstamp elapsed)
{
    struct progress *progress = &supervisor->stall.progress[slot->number];
    struct progress_sight sight;

    /* Without a worker, or with one that has been killed and only has to die yet. */
    if (slot->pid == 0 || slot->fault != SLOT_SOUND)
        return false;
    see(supervisor, slot, elapsed, &sight);
    follow(supervisor, slot, progress_judge(progress, &sight, supervisor->settings->stall));
    return progress->waiting;
}

static void look(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;
    struct stall *stall = &supervisor->stall;
    ev_tstamp now = seconds(CLOCK_MONOTONIC), elapsed = now - stall->looked;
    bool soon = false;

    (void)events;
    /* Where we have not run, for instance because all of the machine was halted, nor have they. */
    if (elapsed > 2 * watcher->repeat)
        elapsed = 2 * watcher->repeat;
    stall->looked = now;
    for (size_t i = 0; i < supervisor->slot_count; i++)
        soon |= look_at(supervisor, &supervisor->slots[i], elapsed);
    watcher->repeat = interval(supervisor, soon ? alert : calm);
    ev_timer_again(loop, watcher);
}

void stall_start(struct supervisor *supervisor)
{
    struct stall *stall = &supervisor->stall;

    ev_init(&stall->look, look);
    stall->look.data = supervisor;
    stall->look.repeat = interval(supervisor, calm);
    stall->looked = seconds(CLOCK_MONOTONIC);
    if (supervisor->settings->stall > 0)
        ev_timer_again(supervisor->loop, &stall->look);
}

void stall_stop(struct supervisor *supervisor)
{
    ev_timer_stop(supervisor->loop, &supervisor->stall.look);
}
