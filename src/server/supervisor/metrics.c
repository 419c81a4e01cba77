#include "server/supervisor/metrics.h"

#include "server/host/holder.h"
#include "server/host/listener.h"
#include "server/host/log.h"
#include "server/host/mappings.h"
#include "server/host/privilege.h"
#include "server/host/process.h"
#include "server/metrics/http.h"
#include "server/supervisor/commands.h"
#include "server/supervisor/supervision.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { METRICS_NICENESS = 10, BACKLOG = 64 };

/* Seconds until a process that died is replaced, doubled each time that it dies young. */
static const ev_tstamp first_delay = 1, last_delay = 60;
enum { OLD_SECONDS = 60 };

/* --- the socket -------------------------------------------------------------------- */

/* -1 with errno. */
static int open_socket(const union address *address)
{
    const int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &address->any, address_length(address)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static void explain_failure(int reason, const union address *address)
{
    char where[ADDRESS_TEXT_MAX], holder[HOLDER_TEXT_MAX];

    address_to_text(address, where);
    switch (reason) {
    case EADDRINUSE:
        if (!holder_find(address, SOCK_STREAM, holder))
            strcpy(holder, "another program");
        log_error("cannot serve HTTP: %s is in use by %s: stop it, or choose another port with "
                  "--http",
                  where, holder);
        break;
    case EACCES:
        log_error("cannot serve HTTP: no permission for port %u on %s: choose one from 1024 up "
                  "with --http",
                  (unsigned)address_port(address), where);
        break;
    case EADDRNOTAVAIL:
        log_error("cannot serve HTTP: this machine has no address %s: choose another with --http",
                  where);
        break;
    default:
        log_error("cannot serve HTTP on %s: %s", where, strerror(reason));
        break;
    }
}

static bool bind_listener(struct supervisor *supervisor)
{
    struct metrics *metrics = &supervisor->metrics;

    metrics->listener = open_socket(&supervisor->settings->http);
    return metrics->listener >= 0;
}

static void try_again(struct supervisor *supervisor, ev_tstamp seconds)
{
    supervisor->metrics.again.repeat = seconds;
    ev_timer_again(supervisor->loop, &supervisor->metrics.again);
}

/* --- the process --------------------------------------------------------------------- */

static _Noreturn void run_child(struct supervisor *supervisor, int connection)
{
    int listener = supervisor->metrics.listener;
    int kept[] = {listener, connection};

    prctl(PR_SET_NAME, "sorreld:metrics");
    process_keep_only(kept, 2);
    mappings_keep_only(NULL, 0);
    setpriority(PRIO_PROCESS, 0, METRICS_NICENESS);
    privilege_confine();
    http_run(listener, connection);
}

/* A pair of which the supervisor's end does not block. */
static bool open_connection(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return true;
}

static void start(struct supervisor *supervisor)
{
    struct metrics *metrics = &supervisor->metrics;
    int ends[2], channel;

    pid_t pid = open_connection(ends) ? process_fork(&channel, PROCESS_KILLED) : -2;
    if (pid == 0)
        run_child(supervisor, ends[1]);
    if (pid > 0)
        close(channel);
    if (pid != -2)
        close(ends[1]);
    if (pid < 0 || !commands_adopt(supervisor, ends[0])) {
        log_error("cannot start the metrics process: %s", strerror(errno));
        if (pid != -2)
            close(ends[0]);
        try_again(supervisor, last_delay);
    }
    metrics->pid = pid > 0 ? pid : 0;
    metrics->started = slot_clock();
}

static void announce(const struct supervisor *supervisor)
{
    char where[ADDRESS_TEXT_MAX];
    const union address *address = &supervisor->settings->http;
    bool is_v6 = address->any.sa_family == AF_INET6;

    address_to_text(address, where);
    *strrchr(where, '@') = '\0';
    log_info("http://%s%s%s:%u/ shows the status, /metrics is for Prometheus", is_v6 ? "[" : "",
             where, is_v6 ? "]" : "", (unsigned)address_port(address));
}

void metrics_start(struct supervisor *supervisor)
{
    if (supervisor->metrics.listener < 0 || supervisor->metrics.pid != 0 ||
        supervisor->control == NULL)
        return;
    start(supervisor);
    announce(supervisor);
}

static void again_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;

    (void)events;
    ev_timer_stop(loop, watcher);
    if (supervisor->metrics.listener >= 0) {
        start(supervisor);
        return;
    }
    if (bind_listener(supervisor))
        metrics_start(supervisor);
    else
        try_again(supervisor, first_delay);
}

static bool has_library(void)
{
    char error[HTTP_ERROR_MAX];

    if (http_prepare(error))
        return true;
    log_error("cannot serve HTTP: %s: install libmicrohttpd, or leave out --http", error);
    return false;
}

bool metrics_check(const union address *http)
{
    if (http->any.sa_family == AF_UNSPEC)
        return true;
    int reason = has_library() ? listener_try(http) : -1;
    if (reason > 0)
        explain_failure(reason, http);
    return reason == 0;
}

bool metrics_open(struct supervisor *supervisor)
{
    struct settings *settings = supervisor->settings;
    struct metrics *metrics = &supervisor->metrics;

    ev_init(&metrics->again, again_due);
    metrics->again.data = supervisor;
    metrics->delay = first_delay;
    metrics->listener = -1;
    if (settings->http.any.sa_family == AF_UNSPEC)
        return true;
    if (!has_library())
        return false;
    metrics->listener = handover_take(&settings->inherited, HANDOVER_HTTP, 0, &settings->http);
    if (metrics->listener >= 0 || bind_listener(supervisor))
        return true;
    explain_failure(errno, &settings->http);
    if (!takeover_is_pending(&supervisor->takeover))
        return false;
    try_again(supervisor, first_delay);
    return true;
}

bool metrics_child_died(struct supervisor *supervisor, pid_t pid, int status)
{
    struct metrics *metrics = &supervisor->metrics;

    if (metrics->pid == 0 || metrics->pid != pid)
        return false;
    metrics->pid = 0;
    if (supervisor->stopping) {
        supervisor_end_if_alone(supervisor);
        return true;
    }
    if (slot_clock() - metrics->started >= OLD_SECONDS)
        metrics->delay = first_delay;
    if (WIFSIGNALED(status))
        log_warning("the metrics process (%d) died of SIG%s: another is started in %.0f s",
                    (int)pid, sigabbrev_np(WTERMSIG(status)), metrics->delay);
    else
        log_warning(
            "the metrics process (%d) has ended with status %d: another is started in %.0f s",
            (int)pid, WEXITSTATUS(status), metrics->delay);
    try_again(supervisor, metrics->delay);
    metrics->delay = 2 * metrics->delay < last_delay ? 2 * metrics->delay : last_delay;
    return true;
}

void metrics_stop(struct supervisor *supervisor)
{
    struct metrics *metrics = &supervisor->metrics;

    ev_timer_stop(supervisor->loop, &metrics->again);
    if (metrics->pid != 0)
        kill(metrics->pid, SIGKILL);
}

bool metrics_hand_over(const struct supervisor *supervisor, struct handover *handover)
{
    return supervisor->metrics.listener < 0 ||
           handover_add(handover, HANDOVER_HTTP, 0, &supervisor->settings->http,
                        supervisor->metrics.listener);
}

void metrics_close(struct supervisor *supervisor)
{
    if (supervisor->metrics.listener >= 0)
        close(supervisor->metrics.listener);
    supervisor->metrics.listener = -1;
}
