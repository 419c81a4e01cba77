/*
 * A stand-in for systemd, where there is none: runs one service of Type=notify and keeps its
 * descriptors.
 *
 *     fdstore [-d MILLISECONDS] [-w SECONDS] COMMAND [ARGUMENT]...
 *
 *   -d  pause before the service is started again (RestartSec=, 100 by default)
 *   -w  WatchdogSec=: the service is told of it, and killed if it stays silent for longer
 *
 * What it does is what sd_notify(3), sd_pid_notify_with_fds(3), sd_listen_fds(3) and
 * systemd.service(5) say: datagrams to $NOTIFY_SOCKET from any process of the service
 * (NotifyAccess=all) set the main process, store descriptors (FDSTORE=1, FDNAME=) and remove them
 * (FDSTOREREMOVE=1); the next start passes those stored by LISTEN_FDS, LISTEN_PID and
 * LISTEN_FDNAMES. The service ends with its main process: the others of its processes get SIGTERM,
 * and SIGKILL in the end. It is then started again (Restart=always).
 *
 * Standard input takes commands, a line each: reload, restart, kill (the main process, with
 * SIGKILL) and stop; its end means stop. Standard output tells what happens, a line each:
 *
 *     started PID   exited PID   killed PID (by the watchdog)
 *     ready PID   reloading PID   stopping PID   mainpid PID   watchdog PID   status TEXT
 *     stored COUNT   removed COUNT (how many there are now)
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STORE_MAX = 2048,      /* FileDescriptorStoreMax= */
    NAME_MAX_OCTETS = 255, /* of a descriptor, as systemd has it */
    DATAGRAM_MAX = 4096,
    DATAGRAM_FDS_MAX = 253, /* SCM_MAX_FD */
    FIRST_FD = 3,           /* SD_LISTEN_FDS_START */
    STOP_MS = 10000,        /* TimeoutStopSec= */
    LOOK_MS = 10,           /* how often it looks whether all processes of the service are gone */
};

enum state { RUNNING, ENDING, PAUSING, DONE };

struct stored {
    int fd;
    char name[NAME_MAX_OCTETS + 1];
};

struct service {
    char **argv;
    enum state state;
    pid_t main;
    int notify;
    struct sockaddr_un address;
    long pause_ms;
    long watchdog_ms; /* 0: none */
    long deadline;    /* ENDING: when SIGKILL follows. PAUSING: when it is started */
    long last_ping;
    bool stopping;
    size_t stored_count;
    struct stored stored[STORE_MAX];
};

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

/* --- the store -------------------------------------------------------------------- */

static bool is_stored(const struct service *service, int fd)
{
    const pid_t self = getpid();

    for (size_t i = 0; i < service->stored_count; i++)
        if (syscall(SYS_kcmp, self, self, KCMP_FILE, fd, service->stored[i].fd) == 0)
            return true;
    return false;
}

static void store(struct service *service, const char *name, int fd)
{
    if (service->stored_count == STORE_MAX || is_stored(service, fd)) {
        close(fd);
        return;
    }
    struct stored *stored = &service->stored[service->stored_count++];
    stored->fd = fd;
    snprintf(stored->name, sizeof stored->name, "%.*s", (int)sizeof stored->name - 1,
             *name != '\0' ? name : "stored");
}

static size_t remove_stored(struct service *service, const char *name)
{
    size_t kept = 0, before = service->stored_count;

    for (size_t i = 0; i < before; i++) {
        if (strcmp(service->stored[i].name, name) == 0)
            close(service->stored[i].fd);
        else
            service->stored[kept++] = service->stored[i];
    }
    service->stored_count = kept;
    return before - kept;
}

/* --- starting ------------------------------------------------------------------------ */

/* Moves the stored descriptors to 3, 4, 5 ... where the service looks for them. First out of the
 * way of each other, for any of them may stand where another has to go. */
static void pass_descriptors(const struct service *service)
{
    int count = (int)service->stored_count, moved[STORE_MAX];

    for (int i = 0; i < count; i++)
        moved[i] = fcntl(service->stored[i].fd, F_DUPFD_CLOEXEC, FIRST_FD + count);
    for (int i = 0; i < count; i++)
        if (dup2(moved[i], FIRST_FD + i) < 0)
            _exit(126);
}

static void set_number(const char *name, long number)
{
    char text[24];

    snprintf(text, sizeof text, "%ld", number);
    setenv(name, text, 1);
}

static void set_environment(const struct service *service)
{
    static char names[STORE_MAX * (NAME_MAX_OCTETS + 1)];
    size_t used = 0;

    for (size_t i = 0; i < service->stored_count; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ":" : "",
                                 service->stored[i].name);
    setenv("NOTIFY_SOCKET", service->address.sun_path, 1);
    if (service->stored_count > 0) {
        set_number("LISTEN_FDS", (long)service->stored_count);
        set_number("LISTEN_PID", getpid());
        setenv("LISTEN_FDNAMES", names, 1);
    }
    if (service->watchdog_ms > 0) {
        set_number("WATCHDOG_USEC", service->watchdog_ms * 1000);
        set_number("WATCHDOG_PID", getpid());
    }
}

static _Noreturn void become_service(const struct service *service)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    set_environment(service);
    pass_descriptors(service);
    execvp(service->argv[0], service->argv);
    fprintf(stderr, "fdstore: %s: %s\n", service->argv[0], strerror(errno));
    _exit(127);
}

static void start(struct service *service)
{
    pid_t pid = fork();

    if (pid < 0)
        child_fail("cannot fork: %s", strerror(errno));
    if (pid == 0)
        become_service(service);
    service->main = pid;
    service->state = RUNNING;
    service->last_ping = now_ms();
    tell("started %d", (int)pid);
}

/* --- ending ---------------------------------------------------------------------------- */

/* All processes of the service are our descendants: who loses its parent becomes our child. */
static size_t signal_descendants(pid_t parent, int number)
{
    pid_t list[CHILD_LIST_MAX];
    size_t count = child_list(parent, list), all = count;

    for (size_t i = 0; i < count; i++) {
        all += signal_descendants(list[i], number);
        kill(list[i], number);
    }
    return all;
}

static void end(struct service *service)
{
    if (service->state == ENDING)
        return;
    service->state = ENDING;
    service->deadline = now_ms() + STOP_MS;
    signal_descendants(getpid(), SIGTERM);
}

/* The main process need not be our child: MAINPID= may have named another's. */
static void reap(struct service *service)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    if (service->main == 0 || child_is_alive(service->main))
        return;
    tell("exited %d", (int)service->main);
    service->main = 0;
    end(service);
}

static void look(struct service *service)
{
    long now = now_ms();

    if (service->state == ENDING && service->main == 0 && signal_descendants(getpid(), 0) == 0) {
        service->state = service->stopping ? DONE : PAUSING;
        service->deadline = now + service->pause_ms;
    } else if (service->state == ENDING && now >= service->deadline) {
        signal_descendants(getpid(), SIGKILL);
    } else if (service->state == PAUSING && now >= service->deadline) {
        start(service);
    } else if (service->state == RUNNING && service->watchdog_ms > 0 &&
               now - service->last_ping > service->watchdog_ms) {
        tell("killed %d", (int)service->main);
        kill(service->main, SIGABRT);
        service->last_ping = now;
    }
}

/* --- notifications ---------------------------------------------------------------------- */

struct notification {
    pid_t sender;
    size_t fd_count;
    int fds[DATAGRAM_FDS_MAX];
    char text[DATAGRAM_MAX + 1];
};

static void take_control(struct notification *notification, struct msghdr *message)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        size_t length = control->cmsg_len - CMSG_LEN(0);
        if (control->cmsg_level != SOL_SOCKET)
            continue;
        if (control->cmsg_type == SCM_RIGHTS) {
            memcpy(notification->fds, CMSG_DATA(control), length);
            notification->fd_count = length / sizeof(int);
        } else if (control->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(control), sizeof sender);
            notification->sender = sender.pid;
        }
    }
}

static bool receive(const struct service *service, struct notification *notification)
{
    _Alignas(struct cmsghdr) char
        control[CMSG_SPACE(sizeof notification->fds) + CMSG_SPACE(sizeof(struct ucred))];
    struct iovec vector = {notification->text, DATAGRAM_MAX};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(service->notify, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (length < 0)
        return false;
    notification->text[length] = '\0';
    notification->fd_count = 0;
    notification->sender = 0;
    take_control(notification, &message);
    return true;
}

/* The value of the line `name=` in the text, or NULL. */
static const char *value_of(const struct notification *notification, const char *name,
                            char value[DATAGRAM_MAX])
{
    size_t length = strlen(name);
    const char *line = notification->text;

    while (line != NULL && *line != '\0') {
        if (strncmp(line, name, length) == 0 && line[length] == '=') {
            const char *from = line + length + 1;
            snprintf(value, DATAGRAM_MAX, "%.*s", (int)strcspn(from, "\n"), from);
            return value;
        }
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return NULL;
}

static bool says(const struct notification *notification, const char *name)
{
    char value[DATAGRAM_MAX];

    return value_of(notification, name, value) != NULL && strcmp(value, "1") == 0;
}

static void handle_descriptors(struct service *service, struct notification *notification)
{
    char name[DATAGRAM_MAX] = "";

    value_of(notification, "FDNAME", name);
    if (says(notification, "FDSTORE")) {
        for (size_t i = 0; i < notification->fd_count; i++)
            store(service, name, notification->fds[i]);
        tell("stored %zu", service->stored_count);
        return;
    }
    /* BARRIER=1 comes with one: its sender waits for the end of it. */
    for (size_t i = 0; i < notification->fd_count; i++)
        close(notification->fds[i]);
    if (says(notification, "FDSTOREREMOVE")) {
        remove_stored(service, name);
        tell("removed %zu", service->stored_count);
    }
}

static void handle_state(struct service *service, const struct notification *notification)
{
    char value[DATAGRAM_MAX];
    const int sender = (int)notification->sender;

    if (value_of(notification, "MAINPID", value) != NULL) {
        service->main = (pid_t)strtol(value, NULL, 10);
        tell("mainpid %d", (int)service->main);
    }
    if (says(notification, "RELOADING"))
        tell("reloading %d", sender);
    if (says(notification, "STOPPING"))
        tell("stopping %d", sender);
    if (says(notification, "READY"))
        tell("ready %d", sender);
    if (value_of(notification, "STATUS", value) != NULL)
        tell("status %s", value);
    if (says(notification, "WATCHDOG")) {
        service->last_ping = now_ms();
        tell("watchdog %d", sender);
    }
}

static void take_notifications(struct service *service)
{
    static struct notification notification;

    while (receive(service, &notification)) {
        handle_descriptors(service, &notification);
        handle_state(service, &notification);
    }
}

/* --- commands ------------------------------------------------------------------------------ */

static void obey(struct service *service, const char *command)
{
    if (strcmp(command, "stop") == 0) {
        service->stopping = true;
        end(service);
    } else if (strcmp(command, "restart") == 0) {
        end(service);
    } else if (service->main == 0) {
        return; /* between its end and its start there is nothing to reload or kill */
    } else if (strcmp(command, "kill") == 0) {
        kill(service->main, SIGKILL);
    } else if (strcmp(command, "reload") == 0) {
        kill(service->main, SIGHUP);
    } else {
        child_fail("there is no command \"%s\": reload, restart, kill, stop", command);
    }
}

static void take_commands(struct service *service)
{
    static char text[256];
    static size_t used;
    ssize_t got = read(STDIN_FILENO, text + used, sizeof text - 1 - used);
    char *line;

    if (got <= 0) {
        obey(service, "stop");
        return;
    }
    used += (size_t)got;
    text[used] = '\0';
    while ((line = strchr(text, '\n')) != NULL) {
        *line = '\0';
        obey(service, text);
        used -= (size_t)(line + 1 - text);
        memmove(text, line + 1, used + 1);
    }
}

/* --- main ------------------------------------------------------------------------------------ */

static void open_notify(struct service *service)
{
    const int on = 1;
    const char *base = getenv("TMPDIR");
    struct sockaddr_un *address = &service->address;

    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s/sorrel-notify.%d",
             base != NULL && *base != '\0' ? base : "/tmp", (int)getpid());
    service->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (service->notify < 0 ||
        bind(service->notify, (struct sockaddr *)address, sizeof *address) != 0 ||
        setsockopt(service->notify, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        child_fail("cannot open %s: %s", address->sun_path, strerror(errno));
}

static int watch_children(void)
{
    sigset_t watched;

    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1UL) != 0)
        child_fail("cannot adopt orphans: %s", strerror(errno));
    return signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void serve(struct service *service)
{
    struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = service->notify, .events = POLLIN},
                               {.fd = watch_children(), .events = POLLIN}};
    struct signalfd_siginfo ignored;

    start(service);
    while (service->state != DONE) {
        /* After the last command its end would be told again and again. */
        watched[0].fd = service->stopping ? -1 : STDIN_FILENO;
        poll(watched, sizeof watched / sizeof watched[0], LOOK_MS);
        /* What a process said before it died counts. */
        take_notifications(service);
        while (read(watched[2].fd, &ignored, sizeof ignored) > 0)
            continue;
        reap(service);
        if (watched[0].fd >= 0 && (watched[0].revents & (POLLIN | POLLHUP)) != 0)
            take_commands(service);
        look(service);
    }
}

int main(int argc, char **argv)
{
    static struct service service = {.pause_ms = 100};
    int option;

    while ((option = getopt(argc, argv, "+d:w:")) != -1)
        switch (option) {
        case 'd':
            service.pause_ms = strtol(optarg, NULL, 10);
            break;
        case 'w':
            service.watchdog_ms = strtol(optarg, NULL, 10) * 1000;
            break;
        default:
            return CHILD_EXIT_BROKEN;
        }
    if (optind == argc)
        child_fail("which command is it to run?");
    service.argv = argv + optind;
    open_notify(&service);
    serve(&service);
    unlink(service.address.sun_path);
    return EXIT_SUCCESS;
}
