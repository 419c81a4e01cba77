#include "server/supervisor/resize.h"

#include "server/host/channel.h"
#include "server/host/log.h"
#include "server/supervisor/fdstore.h"
#include "server/supervisor/supervision.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct resize_request {
    struct resize_request *next;
    struct control_request *request;
    unsigned workers; /* 0: `policy` is to change, while there is but one */
    enum steering_policy policy;
    bool is_turn; /* a step of such a change */
};

/* --- more ------------------------------------------------------------------------- */

static void grow(struct supervisor *supervisor, unsigned workers)
{
    struct settings *settings = supervisor->settings;
    struct resize *resize = &supervisor->resize;

    /* What could be bound once is there; that it is not any more is an error. */
    for (size_t i = 0; i < settings->listener_count; i++)
        settings->listeners[i].optional = false;
    policy_steer(supervisor, workers);
    while (supervisor->slot_count < workers && supervisor_open_slot(supervisor, resize->error))
        supervisor->slots[supervisor->slot_count - 1].left_out = true;
    policy_steer(supervisor, supervisor->slot_count);
    if (supervisor->slot_count == workers)
        *resize->error = '\0';
    settings->workers = (unsigned)supervisor->slot_count;
    supervisor_publish_workers(supervisor);
    for (size_t i = resize->from; i < supervisor->slot_count; i++)
        supervisor_spawn(supervisor, &supervisor->slots[i]);
}

/* --- fewer ------------------------------------------------------------------------ */

void resize_tell(const struct slot *slot)
{
    const struct channel_message retire = {.type = CHANNEL_RETIRE};

    if (channel_send(slot->channel, &retire, -1) != 0)
        kill(slot->pid, SIGKILL);
}

static void shrink(struct supervisor *supervisor, unsigned workers)
{
    supervisor->settings->workers = workers;
    for (size_t i = workers; i < supervisor->slot_count; i++)
        supervisor->slots[i].retiring = true;
    supervisor_publish_workers(supervisor);
    policy_steer(supervisor, supervisor->slot_count);
    for (size_t i = workers; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        slot_fence(slot, supervisor->settings->listeners);
        if (slot->pid != 0)
            resize_tell(slot);
        /* Otherwise it waits for its next worker, which will be told. */
    }
}

bool resize_has_ended(struct supervisor *supervisor, struct slot *slot, int status)
{
    if (!slot->retiring || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
        return false;
    close(slot->channel);
    slot->channel = -1;
    slot->pid = 0;
    slot->serving = false;
    slot->drained = slot->shares || !slot_has_input(slot);
    if (!slot->drained)
        supervisor_spawn(supervisor, slot);
    return true;
}

static void close_drained(struct supervisor *supervisor)
{
    size_t before = supervisor->slot_count;

    while (supervisor->slots[supervisor->slot_count - 1].drained) {
        struct slot *last = &supervisor->slots[--supervisor->slot_count];
        stats_retire(supervisor, last);
        fdstore_remove_slot(last, supervisor->settings->listeners);
        slot_leave_groups(last);
        slot_close(last);
    }
    if (supervisor->slot_count < before)
        policy_steer(supervisor, supervisor->slot_count);
}

/* --- requests ----------------------------------------------------------------------- */

static void begin(struct supervisor *supervisor, const struct resize_request *request)
{
    struct resize *resize = &supervisor->resize;
    unsigned workers = request->workers;

    resize->under_way = true;
    resize->from = supervisor->slot_count;
    *resize->error = '\0';
    if (workers == 0)
        policy_turn(supervisor, request->policy);
    else if (workers > resize->from)
        grow(supervisor, workers);
    else if (workers < resize->from)
        shrink(supervisor, workers);
}

static bool is_done(const struct supervisor *supervisor)
{
    if (supervisor->slot_count > supervisor->settings->workers)
        return false;
    for (size_t i = supervisor->resize.from; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].left_out)
            return false;
    return true;
}

/* A new slot whose workers do not live is tried again and again, but nobody need wait for that. */
static bool has_failed(const struct supervisor *supervisor)
{
    for (size_t i = supervisor->resize.from; i < supervisor->slot_count; i++)
        if (ev_is_active(&supervisor->slots[i].respawn))
            return true;
    return false;
}

static struct control_request *take_first(struct resize *resize)
{
    struct resize_request *first = resize->first;
    struct control_request *request = first->request;

    resize->first = first->next;
    resize->under_way = false;
    free(first);
    return request;
}

static void end(struct supervisor *supervisor, bool failed)
{
    struct resize *resize = &supervisor->resize;
    unsigned wanted = resize->first->workers, workers = supervisor->settings->workers;
    bool is_turn = resize->first->is_turn;
    struct control_request *request = take_first(resize);

    if (wanted == 0)
        return;
    policy_resized(supervisor);
    if (!is_turn && workers != resize->from)
        log_notice("%u worker%s now, instead of %zu", workers, workers == 1 ? "" : "s",
                   resize->from);
    if (*resize->error != '\0')
        log_error("%u workers instead of %u: %s", workers, wanted, resize->error);
    if (request == NULL)
        return;
    if (failed)
        control_refuse(request, "new workers do not stay alive: see the daemon's log");
    else if (*resize->error != '\0')
        control_refuse(request, "%u workers instead of %u: %s", workers, wanted, resize->error);
    else if (is_turn)
        control_reply(request, true, policy_json(supervisor));
    else
        control_reply(request, true, json_pack("{s:i}", "workers", (int)workers));
}

void resize_advance(struct supervisor *supervisor)
{
    struct resize *resize = &supervisor->resize;

    if (!supervisor->announced || supervisor->stopping)
        return;
    close_drained(supervisor);
    while (resize->first != NULL) {
        if (!resize->under_way && supervisor_changes_hands(supervisor))
            return;
        if (!resize->under_way)
            begin(supervisor, resize->first);
        bool failed = has_failed(supervisor);
        if (!failed && !is_done(supervisor))
            return;
        end(supervisor, failed);
    }
    policy_advance(supervisor);
}

/* False: out of memory, and the request has been answered so. */
static bool add(struct resize *resize, struct resize_request request)
{
    struct resize_request *added = malloc(sizeof *added);
    struct resize_request **last = &resize->first;

    if (added == NULL) {
        if (request.request != NULL)
            control_refuse(request.request, "out of memory");
        return false;
    }
    *added = request;
    while (*last != NULL)
        last = &(*last)->next;
    *last = added;
    return true;
}

void resize_want(struct supervisor *supervisor, struct control_request *request, unsigned workers)
{
    assert(workers > 0 && workers <= STEERING_SLOTS_MAX);
    if (add(&supervisor->resize, (struct resize_request){.request = request, .workers = workers}))
        resize_advance(supervisor);
}

void resize_turn(struct supervisor *supervisor, struct control_request *request,
                 enum steering_policy policy)
{
    struct resize *resize = &supervisor->resize;
    unsigned workers = supervisor->settings->workers;

    if (add(resize, (struct resize_request){.workers = 1, .is_turn = true}) &&
        add(resize, (struct resize_request){.policy = policy}) &&
        add(resize,
            (struct resize_request){.request = request, .workers = workers, .is_turn = true}))
        resize_advance(supervisor);
}

void resize_refuse(struct resize *resize, const char *sentence)
{
    while (resize->first != NULL) {
        struct control_request *request = take_first(resize);
        if (request != NULL)
            control_refuse(request, "%s", sentence);
    }
}
