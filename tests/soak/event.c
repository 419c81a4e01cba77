#include "event.h"

#include "../loss/child.h"
#include "../loss/zonetext.h"
#include "server/control/protocol.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum {
    PATIENCE_SECONDS = 90, /* the metrics process, killed again and again, waits a minute */
    STALL_SECONDS = 2,     /* more than --stall (place.c) */
    REQUEST_MAX = sizeof(struct protocol_header) + 64,
    HTTP_MS = 2000,
};

void event_complain(struct event_stage *stage, const char *format, ...)
{
    va_list arguments;

    if (*stage->trouble != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(stage->trouble, sizeof stage->trouble, format, arguments);
    va_end(arguments);
}

static uint32_t below(struct event_stage *stage, uint32_t limit)
{
    return fuzz_below(&stage->random, limit);
}

/* Does `change` until it succeeds: what is under way may have to be done first. */
struct attempt {
    struct event_stage *stage;
    bool (*change)(struct event_stage *stage, const void *argument);
    const void *argument;
};

static bool try_once(void *context)
{
    const struct attempt *attempt = context;

    return attempt->change(attempt->stage, attempt->argument);
}

static bool try(struct event_stage *stage, bool (*change)(struct event_stage *, const void *),
                const void *argument)
{
    struct attempt attempt = {stage, change, argument};

    return child_wait(try_once, &attempt, PATIENCE_SECONDS);
}

/* --- zones and configuration --------------------------------------------------------------- */

static bool ask_to_reload(struct event_stage *stage, const void *argument)
{
    (void)argument;
    return stage->subject->kind->reload(stage->subject) == SUBJECT_RELOADED;
}

static void write_next_version(struct event_stage *stage)
{
    load_expect(stage->load, stage->certain, stage->subject->version + 1);
    subject_change_zone(stage->subject);
    stage->zone_is_broken = false;
}

static void reload(struct event_stage *stage)
{
    uint32_t version;

    write_next_version(stage);
    version = stage->subject->version;
    if (!try(stage, ask_to_reload, NULL)) {
        event_complain(stage, "version %u of the zone was refused", version);
        return;
    }
    stage->certain = version;
    load_expect(stage->load, version, version);
}

static bool is_version_seen(void *context)
{
    const struct event_stage *stage = context;

    return load_newest_seen(stage->load) >= stage->subject->version;
}

static void hang_up(struct event_stage *stage)
{
    write_next_version(stage);
    stage->subject->kind->hang_up(stage->subject);
    if (!child_wait(is_version_seen, stage, PATIENCE_SECONDS))
        event_complain(stage, "version %u of the zone was never served", stage->subject->version);
    stage->certain = stage->subject->version - 1;
}

/* Until the next reload the file stays as it is, and the daemon at what it has. */
static void break_zone(struct event_stage *stage)
{
    struct subject *subject = stage->subject;

    zonetext_write_broken(subject->zone, subject->names, subject->version + 1);
    stage->zone_is_broken = true;
    if (subject->kind->reload(subject) != SUBJECT_REFUSED)
        event_complain(stage, "a zone file with an error was not refused");
}

static void reconfigure(struct event_stage *stage)
{
    place_configure(stage->place, below(stage, 12));
    reload(stage);
}

static void misconfigure(struct event_stage *stage)
{
    place_break(stage->place);
    if (stage->subject->kind->reload(stage->subject) != SUBJECT_REFUSED)
        event_complain(stage, "a configuration with an error was not refused");
    place_configure(stage->place, below(stage, 12));
}

static void change_secrets(struct event_stage *stage)
{
    place_write_secrets(stage->place, below(stage, 1000));
    reload(stage);
}

/* --- processes ----------------------------------------------------------------------------- */

static bool is_worker(const char *name)
{
    return strncmp(name, "sorreld:", 8) == 0 && isdigit((unsigned char)name[8]);
}

static bool is_metrics(const char *name)
{
    return strcmp(name, "sorreld:metrics") == 0;
}

static size_t list_children(const struct event_stage *stage, bool (*is_wanted)(const char *name),
                            pid_t list[CHILD_LIST_MAX])
{
    pid_t children[CHILD_LIST_MAX];
    size_t all = child_list(stage->subject->pid, children), count = 0;
    char name[16];

    for (size_t i = 0; i < all; i++)
        if (child_name(children[i], name) && is_wanted(name))
            list[count++] = children[i];
    return count;
}

/* A worker; 0: there is none at this moment. */
static pid_t choose_worker(struct event_stage *stage)
{
    pid_t workers[CHILD_LIST_MAX];
    size_t count = list_children(stage, is_worker, workers);

    return count == 0 ? 0 : workers[below(stage, (uint32_t)count)];
}

/* What comes next finds the daemon busy with the successor. */
static void kill_worker(struct event_stage *stage)
{
    pid_t worker = choose_worker(stage);

    if (worker == 0)
        return;
    stage->kills++;
    kill(worker, SIGKILL);
}

static void kill_all_workers(struct event_stage *stage)
{
    pid_t workers[CHILD_LIST_MAX];
    size_t count = list_children(stage, is_worker, workers);

    stage->kills += (unsigned)count;
    for (size_t i = 0; i < count; i++)
        kill(workers[i], SIGKILL);
}

static bool is_gone(void *pid)
{
    return !child_is_alive(*(pid_t *)pid);
}

/* The supervisor has to find out; now and then something else happens meanwhile. With the policy
 * cpu a worker may have nothing to do, and nobody misses it before there is a table to change to.
 */
static void stop_worker(struct event_stage *stage)
{
    pid_t worker = choose_worker(stage);

    if (worker == 0)
        return;
    kill(worker, SIGSTOP);
    if (below(stage, 2) == 0 || child_wait(is_gone, &worker, STALL_SECONDS))
        return;
    reload(stage);
    if (!child_wait(is_gone, &worker, PATIENCE_SECONDS)) {
        event_complain(stage, "worker process %d was stopped, and not replaced", (int)worker);
        kill(worker, SIGCONT);
    }
}

static bool has_metrics(void *stage)
{
    pid_t list[CHILD_LIST_MAX];

    return list_children(stage, is_metrics, list) > 0;
}

static void kill_metrics(struct event_stage *stage)
{
    pid_t list[CHILD_LIST_MAX];

    if (!child_wait(has_metrics, stage, PATIENCE_SECONDS))
        event_complain(stage, "the metrics process was not replaced");
    for (size_t i = 0, count = list_children(stage, is_metrics, list); i < count; i++)
        kill(list[i], SIGKILL);
}

/* --- numbers, policies, programs ------------------------------------------------------------ */

static bool ask_to_resize(struct event_stage *stage, const void *workers)
{
    return stage->subject->kind->resize(stage->subject, *(const unsigned *)workers);
}

static void resize_to(struct event_stage *stage, unsigned workers)
{
    if (!try(stage, ask_to_resize, &workers))
        event_complain(stage, "it did not change to %u workers", workers);
}

static void resize(struct event_stage *stage)
{
    resize_to(stage, 1 + below(stage, EVENT_WORKERS_MAX));
}

static bool ask_to_steer(struct event_stage *stage, const void *policy)
{
    return stage->subject->kind->steer(stage->subject, policy);
}

static void steer_to(struct event_stage *stage, const char *policy)
{
    if (!try(stage, ask_to_steer, policy))
        event_complain(stage, "it did not change to the policy %s", policy);
}

static void steer(struct event_stage *stage)
{
    static const char *const policies[] = {"hash", "query", "cpu", "random", "shared"};

    steer_to(stage, policies[below(stage, COUNT(policies))]);
}

static bool ask_to_upgrade(struct event_stage *stage, const void *argument)
{
    (void)argument;
    return stage->subject->kind->upgrade(stage->subject);
}

static void upgrade(struct event_stage *stage)
{
    if (!try(stage, ask_to_upgrade, NULL))
        event_complain(stage, "sorrelctl takeover failed");
}

/* By another program, which has not been told of a policy or number of workers set meanwhile. */
static void take_over(struct event_stage *stage)
{
    stage->subject->workers = 1 + below(stage, EVENT_WORKERS_MAX);
    if (!stage->subject->kind->take_over(stage->subject))
        event_complain(stage, "takeover failed");
}

/* --- clients that leave ---------------------------------------------------------------------- */

static int connect_to_control(const struct subject *subject)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, subject->control,
           strnlen(subject->control, sizeof address.sun_path - 1));
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A request, whole, in part or damaged, and gone before its answer is read. */
static void leave_control(struct event_stage *stage)
{
    static const uint16_t words[] = {PROTOCOL_STATUS, PROTOCOL_ZONES,   PROTOCOL_STATS,
                                     PROTOCOL_RELOAD, PROTOCOL_WORKERS, PROTOCOL_HANDOVER};
    uint8_t request[REQUEST_MAX] = {0};
    struct protocol_header header = {.version = PROTOCOL_VERSION,
                                     .type = words[below(stage, COUNT(words))]};
    int fd = connect_to_control(stage->subject);

    memcpy(header.magic, PROTOCOL_MAGIC, sizeof header.magic);
    memcpy(request, &header, sizeof header);
    size_t length = sizeof header;
    if (below(stage, 3) == 0)
        length = below(stage, sizeof header);
    else if (below(stage, 3) == 0)
        request[below(stage, sizeof header)] ^= 0x2A; /* which makes no request another one */
    if (fd < 0)
        return; /* between two daemons */
    send(fd, request, length, MSG_NOSIGNAL);
    close(fd);
}

static int connect_to_http(const struct event_stage *stage)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(stage->place->http),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool get(struct event_stage *stage, const void *page)
{
    struct pollfd answered = {.fd = connect_to_http(stage), .events = POLLIN};
    char text[128], status[16] = "";

    if (answered.fd < 0)
        return false;
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", (const char *)page);
    bool got = send(answered.fd, text, (size_t)length, MSG_NOSIGNAL) == length &&
               poll(&answered, 1, HTTP_MS) == 1 &&
               recv(answered.fd, status, sizeof status - 1, 0) > 12;
    close(answered.fd);
    return got && strncmp(status + strlen("HTTP/1.x "), "200", 3) == 0;
}

/* Half a request, and gone; then a whole one. */
static void leave_http(struct event_stage *stage)
{
    static const char *const pages[] = {"/", "/metrics"};
    static const char half[] = "GET /metrics HTTP/1.1\r\nHost: ";
    const char *page = pages[below(stage, COUNT(pages))];
    int fd = connect_to_http(stage);

    if (fd >= 0) {
        send(fd, half, below(stage, sizeof half), MSG_NOSIGNAL);
        close(fd);
    }
    if (!try(stage, get, page))
        event_complain(stage, "%s is not to be had over HTTP", page);
}

/* --- all ------------------------------------------------------------------------------------- */

const struct event event_all[] = {
    {"reload", "a changed zone is loaded", reload},
    {"hang-up", "likewise, on SIGHUP", hang_up},
    {"broken-zone", "a zone with an error is refused", break_zone},
    {"reconfigure", "limits and access rules are changed", reconfigure},
    {"misconfigure", "a configuration with an error is refused", misconfigure},
    {"secrets", "the secrets of cookies are changed", change_secrets},
    {"kill", "SIGKILL to a worker", kill_worker},
    {"massacre", "SIGKILL to all workers", kill_all_workers},
    {"stop", "SIGSTOP to a worker", stop_worker},
    {"metrics", "SIGKILL to the metrics process", kill_metrics},
    {"resize", "1 to 8 workers", resize},
    {"steer", "any policy", steer},
    {"upgrade", "it starts its own successor", upgrade},
    {"takeover", "another daemon takes over", take_over},
    {"control", "a client of the control socket leaves", leave_control},
    {"http", "a client of the status page leaves", leave_http},
    {NULL, NULL, NULL},
};

void event_restore(struct event_stage *stage, unsigned workers)
{
    if (stage->zone_is_broken)
        reload(stage);
    steer_to(stage, "hash");
    resize_to(stage, workers);
}
