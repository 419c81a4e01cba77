#include "server/supervisor/leave.h"

#include "server/host/channel.h"
#include "server/host/log.h"
#include "server/supervisor/commands.h"
#include "server/supervisor/succession.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds for a worker to finish a batch, which takes less than a millisecond of a CPU: one that
 * has not by then hangs. */
static const ev_tstamp batch_limit = 5;
/* Seconds for connections; worker.c ends them after 15. */
static const ev_tstamp connection_limit = 20;

static void mark_left(struct supervisor *supervisor, struct slot *slot)
{
    slot->left = true;
    slot_close_sockets(slot);
    for (size_t i = 0; i < supervisor->slot_count; i++)
        if (!supervisor->slots[i].left)
            return;
    dnstap_finish(supervisor); /* a file has one writer */
    succession_complete(supervisor);
}

static void tell_to_leave(struct supervisor *supervisor, struct slot *slot)
{
    const struct channel_message leave = {.type = CHANNEL_LEAVE};

    if (slot->pid == 0 && slot_has_batch(slot))
        supervisor_spawn(supervisor, slot);
    ev_timer_stop(supervisor->loop, &slot->respawn);
    if (slot->pid == 0)
        mark_left(supervisor, slot);
    /* One that is dead already will be buried. */
    else if (channel_send(slot->channel, &leave, -1) != 0 && errno != EPIPE && errno != ECONNRESET)
        kill(slot->pid, SIGKILL);
}

void leave_slot_left(struct supervisor *supervisor, struct slot *slot)
{
    mark_left(supervisor, slot);
}

/* It may have said that it leaves, and have ended, before anyone has read that: one that ends by
 * itself, with nothing under way, has left. */
static bool has_left(const struct slot *slot, int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS && !slot_has_batch(slot);
}

void leave_bury(struct supervisor *supervisor, struct slot *slot, int status)
{
    if (!slot->left && has_left(slot, status))
        mark_left(supervisor, slot);
    if (!slot->left) {
        ev_tstamp delay = slot_bury(slot, status, &supervisor->obituaries);
        if (delay > 0)
            mark_left(supervisor, slot);
        else
            tell_to_leave(supervisor, slot);
    } else {
        if (WIFSIGNALED(status))
            log_warning(
                "worker %u (process %d), which another has relieved, died of SIG%s with its "
                "TCP connections",
                slot->number, (int)slot->pid, sigabbrev_np(WTERMSIG(status)));
        close(slot->channel);
        slot->pid = 0;
    }
    supervisor_end_if_alone(supervisor);
}

static void limit_reached(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;
    bool is_first = watcher->repeat == batch_limit;

    (void)events;
    for (size_t i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->pid != 0 && (!slot->left || !is_first))
            kill(slot->pid, SIGKILL);
    }
    watcher->repeat = connection_limit - batch_limit;
    ev_timer_again(loop, watcher);
}

void leave_begin(struct supervisor *supervisor, int status)
{
    supervisor->stopping = supervisor->leaving = true;
    supervisor->status = status;
    reloads_refuse(&supervisor->reloads,
                   "another sorreld has taken over from this one meanwhile: try again");
    resize_refuse(&supervisor->resize,
                  "another sorreld has taken over from this one meanwhile: try again");
    stall_stop(supervisor);
    metrics_stop(supervisor);
    loader_stop(&supervisor->loader);
    keeper_stop(&supervisor->keeper);
    commands_leave(supervisor);
    for (size_t i = 0; i < supervisor->slot_count; i++)
        tell_to_leave(supervisor, &supervisor->slots[i]);
    ev_init(&supervisor->leave_limit, limit_reached);
    supervisor->leave_limit.data = supervisor;
    supervisor->leave_limit.repeat = batch_limit;
    ev_timer_again(supervisor->loop, &supervisor->leave_limit);
    supervisor_end_if_alone(supervisor);
}
