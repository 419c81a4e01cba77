#include "server/supervisor/dnstap.h"

#include "config.h"
#include "server/dnstap/rings.h"
#include "server/dnstap/scribe.h"
#include "server/host/log.h"
#include "server/host/mappings.h"
#include "server/host/privilege.h"
#include "server/host/process.h"
#include "server/supervisor/supervision.h"

#ifdef HAVE_DNSTAP
#include "server/dnstap/capture.h"
#endif

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Behind the workers, if there is too little CPU for all. */
enum { DNSTAP_NICENESS = 5 };

/* Seconds until a process that died is replaced, doubled each time that it dies young. */
static const ev_tstamp first_delay = 0.1, last_delay = 10;
enum { OLD_SECONDS = 60 };

/* Seconds that the process has to write what is left. */
static const ev_tstamp finish_limit = 1;

static const ev_tstamp look_interval = 0.5;

/* Seconds between two lines about messages that were dropped. */
enum { DROPS_SECONDS = 60 };

/* --- the process ----------------------------------------------------------------------------- */

static _Noreturn void run_child(struct supervisor *supervisor, int channel)
{
    const struct settings *settings = supervisor->settings;
    const void *const shared[] = {settings->tap.rings};
    int kept[] = {channel, supervisor->dnstap.file};
    const struct scribe_orders orders = {
        .rings = settings->tap.rings,
        .path = settings->tap.is_socket ? settings->tap.path : NULL,
        .file = supervisor->dnstap.file,
        .channel = channel,
        .encoder = {.identity = settings->identity.id, .version = settings->identity.version},
    };

    prctl(PR_SET_NAME, "sorreld:dnstap");
    process_keep_only(kept, orders.file >= 0 ? 2 : 1);
    mappings_keep_only(shared, 1);
    setpriority(PRIO_PROCESS, 0, DNSTAP_NICENESS);
    privilege_confine();
    scribe_run(&orders);
}

static void try_again(struct supervisor *supervisor, ev_tstamp seconds)
{
    supervisor->dnstap.again.repeat = seconds;
    ev_timer_again(supervisor->loop, &supervisor->dnstap.again);
}

static void start(struct supervisor *supervisor)
{
    struct dnstap *dnstap = &supervisor->dnstap;
    int channel;
    pid_t pid = process_fork(&channel, PROCESS_WARNED);

    if (pid == 0)
        run_child(supervisor, channel);
    if (pid < 0) {
        log_error("cannot start the dnstap process: %s", strerror(errno));
        try_again(supervisor, last_delay);
        return;
    }
    dnstap->pid = pid;
    dnstap->channel = channel;
    dnstap->started = slot_clock();
}

static void again_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    ev_timer_stop(loop, watcher);
    start(watcher->data);
}

static void limit_reached(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;

    (void)events;
    ev_timer_stop(loop, watcher);
    if (supervisor->dnstap.pid != 0)
        kill(supervisor->dnstap.pid, SIGKILL);
}

/* Tells it to end. */
static void end_process(struct supervisor *supervisor)
{
    struct dnstap *dnstap = &supervisor->dnstap;

    ev_timer_stop(supervisor->loop, &dnstap->again);
    if (dnstap->pid == 0 || dnstap->channel < 0)
        return;
    close(dnstap->channel);
    dnstap->channel = -1;
    dnstap->limit.repeat = finish_limit;
    ev_timer_again(supervisor->loop, &dnstap->limit);
}

/* --- how it goes --------------------------------------------------------------------------- */

static const char *explain(const struct tap_settings *tap, int reason)
{
    if (tap->is_socket && (reason == ECONNREFUSED || reason == ENOENT))
        return "no reader listens there";
    if (tap->is_socket && (reason == EPIPE || reason == ECONNRESET))
        return "the reader has gone";
    if (tap->is_socket && (reason == ETIMEDOUT || reason == EAGAIN))
        return "whoever listens there does not answer";
    if (tap->is_socket && reason == EPROTO)
        return "whoever listens there does not want dnstap (protobuf:dnstap.Dnstap)";
    if (!tap->is_socket && reason == EWOULDBLOCK)
        return "another process writes it";
    return strerror(reason);
}

static void tell_state(struct supervisor *supervisor)
{
    const struct tap_settings *tap = &supervisor->settings->tap;
    struct dnstap *dnstap = &supervisor->dnstap;
    bool writing = tap->rings->state == RINGS_WRITING;
    int reason = writing ? 0 : tap->rings->reason;

    if (writing == dnstap->told_writing && reason == dnstap->told_reason)
        return;
    dnstap->told_writing = writing;
    dnstap->told_reason = reason;
    if (writing)
        log_notice("dnstap: messages are written to %s", tap->target);
    else if (reason != 0)
        log_warning("dnstap: nothing is written to %s: %s; it is tried again and again, and "
                    "messages are dropped once there is no room for more",
                    tap->target, explain(tap, reason));
}

static void tell_drops(struct supervisor *supervisor)
{
    struct dnstap *dnstap = &supervisor->dnstap;
    struct rings_sums sums = rings_sum(supervisor->settings->tap.rings);
    uint64_t dropped = sums.dropped_slow + sums.dropped_away;

    if (dropped == dnstap->told_dropped ||
        (dnstap->told_at != 0 && slot_clock() - dnstap->told_at < DROPS_SECONDS))
        return;
    log_warning("dnstap: %llu messages were dropped, %s",
                (unsigned long long)(dropped - dnstap->told_dropped),
                dnstap->told_writing ? "for they are taken too slowly"
                                     : "for there is nobody to take them");
    dnstap->told_dropped = dropped;
    dnstap->told_at = slot_clock();
}

/* Only a worker that somebody has taken over, or whose memory is damaged, leaves such a ring. */
static void tell_damage(struct supervisor *supervisor)
{
    struct rings_sums sums = rings_sum(supervisor->settings->tap.rings);

    if (sums.damaged == supervisor->dnstap.told_damaged)
        return;
    supervisor->dnstap.told_damaged = sums.damaged;
    log_error("dnstap: what a worker had left to be written is damaged, and lost");
}

static void look(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    tell_state(watcher->data);
    tell_drops(watcher->data);
    tell_damage(watcher->data);
}

json_t *dnstap_json(const struct supervisor *supervisor)
{
    const struct tap_settings *tap = &supervisor->settings->tap;

    if (tap->rings == NULL)
        return NULL;
    struct rings_sums sums = rings_sum(tap->rings);
    return json_pack("{s:s, s:b, s:I, s:{s:I, s:I}}", "target", tap->target, "writing",
                     tap->rings->state == RINGS_WRITING, "written", (json_int_t)sums.written,
                     "dropped", "slow", (json_int_t)sums.dropped_slow, "away",
                     (json_int_t)sums.dropped_away);
}

/* --- start and end --------------------------------------------------------------------------- */

#ifdef HAVE_DNSTAP

static int open_file(const struct tap_settings *tap, char error[CAPTURE_ERROR_MAX])
{
    return capture_open(tap->path, error);
}

static bool check_file(const struct tap_settings *tap, char error[CAPTURE_ERROR_MAX])
{
    return capture_check(tap->path, error);
}

static bool was_moved(const struct supervisor *supervisor)
{
    return capture_was_moved(supervisor->dnstap.file, supervisor->settings->tap.path);
}

#else

/* The option has been refused. */
enum { CAPTURE_ERROR_MAX = 1 };

static int open_file(const struct tap_settings *tap, char error[CAPTURE_ERROR_MAX])
{
    (void)tap;
    *error = '\0';
    return -1;
}

static bool check_file(const struct tap_settings *tap, char error[CAPTURE_ERROR_MAX])
{
    return open_file(tap, error) >= 0;
}

static bool was_moved(const struct supervisor *supervisor)
{
    (void)supervisor;
    return false;
}

#endif

static void init_watchers(struct supervisor *supervisor)
{
    struct dnstap *dnstap = &supervisor->dnstap;

    ev_init(&dnstap->again, again_due);
    ev_init(&dnstap->limit, limit_reached);
    ev_timer_init(&dnstap->tick, look, look_interval, look_interval);
    dnstap->again.data = dnstap->limit.data = dnstap->tick.data = supervisor;
}

static void tell_unwritable(const char *error)
{
    log_error("cannot write dnstap: %s", error);
}

bool dnstap_check(const struct tap_settings *tap)
{
    char error[CAPTURE_ERROR_MAX];

    if (tap->target == NULL || tap->is_socket || check_file(tap, error))
        return true;
    tell_unwritable(error);
    return false;
}

bool dnstap_open(struct supervisor *supervisor)
{
    struct tap_settings *tap = &supervisor->settings->tap;
    struct dnstap *dnstap = &supervisor->dnstap;
    char error[CAPTURE_ERROR_MAX];

    *dnstap = (struct dnstap){.file = -1, .next = -1, .channel = -1, .delay = first_delay};
    init_watchers(supervisor);
    if (tap->target == NULL)
        return true;
    if (!tap->is_socket) {
        dnstap->file = open_file(tap, error);
        if (dnstap->file < 0) {
            tell_unwritable(error);
            return false;
        }
    }
    tap->rings = rings_open();
    if (tap->rings == NULL)
        log_error("cannot share memory for dnstap: %s", seal_error(errno));
    return tap->rings != NULL;
}

void dnstap_start(struct supervisor *supervisor)
{
    if (supervisor->settings->tap.rings == NULL || supervisor->dnstap.pid != 0)
        return;
    start(supervisor);
    ev_timer_start(supervisor->loop, &supervisor->dnstap.tick);
}

void dnstap_use(struct supervisor *supervisor, unsigned slot)
{
    if (supervisor->settings->tap.rings != NULL)
        rings_use(supervisor->settings->tap.rings, slot);
}

void dnstap_reopen(struct supervisor *supervisor)
{
    const struct tap_settings *tap = &supervisor->settings->tap;
    struct dnstap *dnstap = &supervisor->dnstap;
    char error[CAPTURE_ERROR_MAX];

    if (dnstap->file < 0 || dnstap->next >= 0 || dnstap->pid == 0 || !was_moved(supervisor))
        return;
    dnstap->next = open_file(tap, error);
    if (dnstap->next < 0)
        log_warning("dnstap goes on in the file that was moved away: %s", error);
    else
        end_process(supervisor);
}

bool dnstap_finish(struct supervisor *supervisor)
{
    ev_timer_stop(supervisor->loop, &supervisor->dnstap.tick);
    end_process(supervisor);
    return supervisor->dnstap.pid != 0;
}

/* Ended as it was told to. */
static void go_on(struct supervisor *supervisor)
{
    struct dnstap *dnstap = &supervisor->dnstap;

    if (dnstap->next >= 0) {
        close(dnstap->file);
        dnstap->file = dnstap->next;
        dnstap->next = -1;
        start(supervisor);
    }
}

static void bury(struct supervisor *supervisor, int status)
{
    struct dnstap *dnstap = &supervisor->dnstap;

    close(dnstap->channel);
    dnstap->channel = -1;
    if (slot_clock() - dnstap->started >= OLD_SECONDS)
        dnstap->delay = first_delay;
    if (WIFSIGNALED(status))
        log_warning("the dnstap process died of SIG%s: another is started in %.1f s",
                    sigabbrev_np(WTERMSIG(status)), dnstap->delay);
    else
        log_warning("the dnstap process has ended with status %d: another is started in %.1f s",
                    WEXITSTATUS(status), dnstap->delay);
    try_again(supervisor, dnstap->delay);
    dnstap->delay = 2 * dnstap->delay < last_delay ? 2 * dnstap->delay : last_delay;
}

bool dnstap_child_died(struct supervisor *supervisor, pid_t pid, int status)
{
    struct dnstap *dnstap = &supervisor->dnstap;

    if (dnstap->pid == 0 || dnstap->pid != pid)
        return false;
    dnstap->pid = 0;
    ev_timer_stop(supervisor->loop, &dnstap->limit);
    if (supervisor->stopping)
        supervisor_end_if_alone(supervisor);
    else if (dnstap->channel < 0)
        go_on(supervisor);
    else
        bury(supervisor, status);
    return true;
}

void dnstap_close(struct supervisor *supervisor)
{
    struct dnstap *dnstap = &supervisor->dnstap;

    ev_timer_stop(supervisor->loop, &dnstap->tick);
    if (dnstap->file >= 0)
        close(dnstap->file);
    if (dnstap->next >= 0)
        close(dnstap->next);
    rings_close(supervisor->settings->tap.rings);
    supervisor->settings->tap.rings = NULL;
}
