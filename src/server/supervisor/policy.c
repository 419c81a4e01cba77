#include "server/supervisor/policy.h"

#include "server/host/log.h"
#include "server/supervisor/supervision.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- programs -------------------------------------------------------------------- */

/* 0, or errno. */
static int attach(const struct supervisor *supervisor, enum steering_policy policy, size_t listener,
                  int socket, const bool *active, size_t slots)
{
    int family = supervisor->settings->listeners[listener].address.any.sa_family;
    struct steering_program program;

    steering_generate(&program, policy, family, active, (unsigned)slots);
    /* The group of a slot that has always been alone begins with the second. */
    if (steering_attach(socket, &program) == 0 || (supervisor->slot_count == 1 && errno == EINVAL))
        return 0;
    return errno;
}

/* A connection request carries no query to steer by. */
static enum steering_policy of_connections(enum steering_policy policy)
{
    return policy == STEERING_CPU ? STEERING_CPU : STEERING_HASH;
}

static bool steers(const struct supervisor *supervisor)
{
    return supervisor->slot_count > 0 && !supervisor->settings->join && !supervisor->leaving &&
           !takeover_is_pending(&supervisor->takeover);
}

/* 0, or errno; then the groups behind the one that failed have the program before. */
static int apply(struct supervisor *supervisor, size_t slots)
{
    bool active[STEERING_SLOTS_MAX];
    const struct slot *first = &supervisor->slots[0];
    enum steering_policy policy = supervisor->settings->steering;
    int error = 0;

    if (!steers(supervisor))
        return 0;
    if (supervisor->policy.shared)
        slots = 1;
    for (size_t i = 0; i < slots; i++)
        active[i] = i < supervisor->slot_count && slot_receives(&supervisor->slots[i]);
    for (size_t i = 0; i < first->listener_count && error == 0; i++) {
        error = attach(supervisor, policy, i, first->sockets[i].udp, active, slots);
        if (error == 0)
            error =
                attach(supervisor, of_connections(policy), i, first->sockets[i].tcp, active, slots);
    }
    return error;
}

void policy_steer(struct supervisor *supervisor, size_t slots)
{
    int error = apply(supervisor, slots);

    if (error != 0 && error != supervisor->policy.fault)
        log_warning("the kernel refuses a steering program (%s): the one before stays in force",
                    strerror(error));
    supervisor->policy.fault = error;
}

/* --- workers ----------------------------------------------------------------------- */

static void place(struct supervisor *supervisor, struct slot *slot)
{
    const struct affinity *affinity = &supervisor->policy.affinity;
    int wanted = SLOT_ANY_CPU;

    if (supervisor->settings->steering == STEERING_CPU)
        wanted = (int)affinity_cpu(affinity, slot->number, supervisor->settings->workers);
    if (slot->pid == 0 || slot->cpu == wanted)
        return;
    int failed = wanted != SLOT_ANY_CPU ? affinity_pin(slot->pid, (unsigned)wanted)
                                        : affinity_unpin(affinity, slot->pid);
    if (failed != 0)
        log_warning("worker %u does not get CPU %d: %s", slot->number, wanted, strerror(errno));
    else
        slot->cpu = wanted;
}

void policy_place_workers(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->slot_count; i++)
        place(supervisor, &supervisor->slots[i]);
}

static void warn_of_idle_workers(const struct supervisor *supervisor)
{
    unsigned workers = supervisor->settings->workers;
    unsigned idle = affinity_idle_slots(&supervisor->policy.affinity, workers);

    if (supervisor->settings->steering == STEERING_CPU && idle > 0)
        log_warning("%u of %u workers have no CPU of their own, and get no queries: with the "
                    "policy cpu, run as many workers as CPUs, %d",
                    idle, workers, CPU_COUNT(&supervisor->policy.affinity.usable));
}

/* --- start --------------------------------------------------------------------------- */

void policy_init(struct supervisor *supervisor, unsigned inherited)
{
    struct policy *policy = &supervisor->policy;

    policy->shared = supervisor->settings->steering == STEERING_SHARED && inherited <= 1;
    if (!affinity_read(&policy->affinity))
        CPU_SET(0, &policy->affinity.usable);
}

static bool try_out(struct supervisor *supervisor, enum steering_policy wanted)
{
    struct policy *policy = &supervisor->policy;
    unsigned slots = supervisor->settings->workers;
    char text[PROOF_TEXT_MAX];

    if (!proof_try(wanted, slots, &policy->affinity, text)) {
        log_error("%s", text);
        return false;
    }
    memcpy(policy->proof, text, sizeof text);
    policy->tried = slots;
    return true;
}

bool policy_begin(struct supervisor *supervisor)
{
    enum steering_policy policy = supervisor->settings->steering;

    if (!steers(supervisor))
        return true;
    if (!try_out(supervisor, policy))
        return false;
    int error = apply(supervisor, supervisor->slot_count);
    if (error != 0) {
        log_error("the kernel refuses the steering program of %s (%s): choose another policy with "
                  "-s",
                  steering_name(policy), strerror(error));
        return false;
    }
    return true;
}

void policy_tell(const struct supervisor *supervisor)
{
    if (!steers(supervisor))
        return;
    log_info("steering by %s; %s", steering_name(supervisor->settings->steering),
             supervisor->policy.proof);
    warn_of_idle_workers(supervisor);
}

void policy_resized(struct supervisor *supervisor)
{
    policy_place_workers(supervisor);
    interval_forget(supervisor);
    if (!steers(supervisor) || supervisor->policy.tried == supervisor->settings->workers)
        return;
    try_out(supervisor, supervisor->settings->steering);
    warn_of_idle_workers(supervisor);
}

/* --- changes -------------------------------------------------------------------------- */

/* Why it never will be. */
static const char *obstacle(const struct supervisor *supervisor)
{
    if (supervisor->stopping)
        return "the daemon is stopping";
    if (supervisor->settings->join)
        return "a daemon that shares its addresses (--join) has no say in where queries go";
    return NULL;
}

/* Why it cannot be done now. */
static const char *delay(const struct supervisor *supervisor)
{
    if (!supervisor->announced || supervisor_changes_hands(supervisor))
        return "the daemon is starting, or changing places with another";
    if (supervisor->resize.first != NULL)
        return "the number of workers is being changed";
    return NULL;
}

static void wait_with(struct supervisor *supervisor, enum steering_policy wanted,
                      const char *reason)
{
    supervisor->policy.waits = true;
    supervisor->policy.waiting = wanted;
    log_info("steering by %s has to wait: %s", steering_name(wanted), reason);
}

static void change(struct supervisor *supervisor, struct control_request *request,
                   enum steering_policy wanted)
{
    struct settings *settings = supervisor->settings;
    enum steering_policy before = settings->steering;

    if (!try_out(supervisor, wanted)) {
        control_refuse(request, "%s: it stays %s", log_last_error(), steering_name(before));
        return;
    }
    settings->steering = wanted;
    int error = apply(supervisor, supervisor->slot_count);
    if (error != 0) {
        settings->steering = before;
        policy_steer(supervisor, supervisor->slot_count);
        try_out(supervisor, before);
        control_refuse(request, "the kernel refuses the program of %s (%s): it stays %s",
                       steering_name(wanted), strerror(error), steering_name(before));
        return;
    }
    policy_place_workers(supervisor);
    interval_forget(supervisor);
    if (before == wanted)
        log_info("steering by %s, as before; %s", steering_name(wanted), supervisor->policy.proof);
    else
        log_notice("steering by %s now, instead of %s; %s", steering_name(wanted),
                   steering_name(before), supervisor->policy.proof);
    warn_of_idle_workers(supervisor);
    control_reply(request, true, policy_json(supervisor));
}

void policy_want(struct supervisor *supervisor, struct control_request *request,
                 enum steering_policy wanted)
{
    const char *never = obstacle(supervisor), *later = delay(supervisor);

    if (never != NULL) {
        control_refuse(request, "%s", never);
        return;
    }
    if (later != NULL && request != NULL) {
        control_refuse(request, "%s: try again", later);
        return;
    }
    if (later != NULL) {
        wait_with(supervisor, wanted, later);
        return;
    }
    supervisor->policy.waits = false;
    if ((wanted == STEERING_SHARED) == supervisor->policy.shared)
        change(supervisor, request, wanted);
    else
        resize_turn(supervisor, request, wanted);
}

void policy_advance(struct supervisor *supervisor)
{
    if (supervisor->policy.waits && delay(supervisor) == NULL)
        policy_want(supervisor, NULL, supervisor->policy.waiting);
}

void policy_turn(struct supervisor *supervisor, enum steering_policy wanted)
{
    enum steering_policy before = supervisor->settings->steering;

    supervisor->settings->steering = wanted;
    supervisor->policy.shared = wanted == STEERING_SHARED;
    policy_steer(supervisor, supervisor->slot_count);
    policy_place_workers(supervisor);
    if (before != wanted)
        log_notice("steering by %s now, instead of %s", steering_name(wanted),
                   steering_name(before));
}

bool policy_settle(struct supervisor *supervisor)
{
    /* Another daemon has left groups of sockets. */
    bool turns = supervisor->settings->steering == STEERING_SHARED && !supervisor->policy.shared &&
                 supervisor->slot_count > 0;

    if (turns)
        resize_turn(supervisor, NULL, STEERING_SHARED);
    return turns;
}

/* --- the document ------------------------------------------------------------------------ */

json_t *policy_json(const struct supervisor *supervisor)
{
    const struct policy *policy = &supervisor->policy;
    const char *wanted = steering_name(supervisor->settings->steering);
    const char *effective = wanted, *proof = policy->proof;
    char refused[PROOF_TEXT_MAX];

    if (supervisor->settings->join) {
        proof = "the addresses are shared with another daemon (--join)";
    } else if (supervisor->settings->steering == STEERING_SHARED && !policy->shared) {
        effective = "hash";
        proof = "the sockets are another daemon's, and are about to become one";
    } else if (policy->fault != 0) {
        snprintf(refused, sizeof refused,
                 "the kernel refused the last program (%s): the one before stays",
                 strerror(policy->fault));
        proof = refused;
    }
    return json_pack("{s:s, s:s, s:s, s:i}", "policy", wanted, "effective", effective, "proof",
                     proof, "groups_of", policy->shared ? 1 : (int)supervisor->slot_count);
}
