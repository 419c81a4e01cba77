#include "tools/spread/daemon.h"

#include "tools/spread/interrupt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    START_SECONDS = 15,
    STOP_SECONDS = 5,
    POLL_MS = 5,
    PATIENCE_SECONDS = 5, /* for a reply through the control socket */
    PORT_ATTEMPTS = 20,
};

static const char zone[] = "$TTL 3600\n"
                           "@ SOA ns hostmaster 1 3600 600 86400 60\n"
                           "@ NS ns\n"
                           "ns A 192.0.2.1\n"
                           "www A 192.0.2.80\n";

static bool fail(char error[DAEMON_ERROR_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(char error[DAEMON_ERROR_MAX], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, DAEMON_ERROR_MAX, format, arguments);
    va_end(arguments);
    return false;
}

static void pause_shortly(void)
{
    const struct timespec time = {.tv_nsec = POLL_MS * 1000000L};

    nanosleep(&time, NULL);
}

/* --- where things are ---------------------------------------------------------------- */

/* Looks for DIRECTORY/NAME; `directory` has `length` characters. */
static bool try_directory(char program[PATH_MAX], const char *directory, size_t length,
                          const char *name)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%.*s/%s", (int)length, directory, name) >= PATH_MAX ||
        access(path, X_OK) != 0)
        return false;
    return realpath(path, program) != NULL;
}

static bool find_program(char program[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    if (length > 0) {
        self[length] = '\0';
        size_t directory = (size_t)(strrchr(self, '/') - self);
        if (try_directory(program, self, directory, "sorreld") ||
            try_directory(program, self, directory, "../sbin/sorreld"))
            return true;
    }
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t directory = strcspn(path, ":");
        if (try_directory(program, path, directory, "sorreld"))
            return true;
        path += directory + (path[directory] == ':');
    }
    return false;
}

static void path_in(const struct daemon *daemon, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", daemon->directory, name);
}

static bool write_zone(const struct daemon *daemon)
{
    char path[PATH_MAX];

    path_in(daemon, "spread.test.zone", path);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return false;
    bool written = fputs(zone, file) >= 0;
    return fclose(file) == 0 && written;
}

/* In $TMPDIR, unless that is too long for a socket's path. */
static bool make_directory(struct daemon *daemon)
{
    static const char name[] = "sorrel-spread.XXXXXX";
    const char *parent = getenv("TMPDIR");
    const int room = sizeof daemon->directory;

    if (parent == NULL || snprintf(daemon->directory, (size_t)room, "%s/%s", parent, name) >= room)
        snprintf(daemon->directory, (size_t)room, "/tmp/%s", name);
    if (mkdtemp(daemon->directory) == NULL) {
        daemon->directory[0] = '\0';
        return false;
    }
    snprintf(daemon->control, sizeof daemon->control, "%s/control", daemon->directory);
    return true;
}

bool daemon_prepare(struct daemon *daemon, const char *program, char error[DAEMON_ERROR_MAX])
{
    memset(daemon, 0, sizeof *daemon);
    if (program == NULL && !find_program(daemon->program))
        return fail(error, "there is no sorreld beside this program or along PATH: "
                           "name it with --sorreld");
    if (program != NULL &&
        (access(program, X_OK) != 0 || realpath(program, daemon->program) == NULL))
        return fail(error, "%s: %s", program, strerror(errno));
    if (!make_directory(daemon))
        return fail(error, "cannot make a directory in $TMPDIR or /tmp: %s", strerror(errno));
    return write_zone(daemon) || fail(error, "%s: %s", daemon->directory, strerror(errno));
}

/* --- start ----------------------------------------------------------------------------- */

/* A port of 127.0.0.1 that is free for UDP and TCP now: sorreld refuses one that is taken until
 * then. 0 if there is none. */
static in_port_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found = bind(udp, (struct sockaddr *)&address, length) == 0 &&
                 getsockname(udp, (struct sockaddr *)&address, &length) == 0 &&
                 bind(tcp, (struct sockaddr *)&address, length) == 0;

    if (udp >= 0)
        close(udp);
    if (tcp >= 0)
        close(tcp);
    return found ? address.sin_port : 0;
}

static _Noreturn void become_daemon(const struct daemon *daemon, const char *policy,
                                    unsigned workers, pid_t parent)
{
    char path[PATH_MAX], listen[ADDRESS_TEXT_MAX], count[16];

    /* A group of its own: Ctrl-C is for us, and we stop it in order. */
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    path_in(daemon, "log", path);
    int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    address_to_text(&daemon->address, listen);
    snprintf(count, sizeof count, "%u", workers);
    path_in(daemon, "spread.test.zone", path);
    execl(daemon->program, "sorreld", "-i", "-l", listen, "-w", count, "-s", policy, "--control",
          daemon->control, path, (char *)NULL);
    dprintf(STDERR_FILENO, "sorreld: cannot be run: %s\n", strerror(errno));
    _exit(EXIT_FAILURE);
}

/* The last thing that it has logged. */
static void read_log(const struct daemon *daemon, char error[DAEMON_ERROR_MAX])
{
    static const char prefix[] = "sorreld: ";
    char path[PATH_MAX], line[DAEMON_ERROR_MAX];

    snprintf(error, DAEMON_ERROR_MAX, "it has ended without a word");
    path_in(daemon, "log", path);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        size_t skip = strncmp(line, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
        line[strcspn(line, "\n")] = '\0';
        memcpy(error, line + skip, strlen(line + skip) + 1);
    }
    if (file != NULL)
        fclose(file);
}

static bool has_ended(struct daemon *daemon)
{
    if (daemon->pid > 0 && waitpid(daemon->pid, NULL, WNOHANG) != 0)
        daemon->pid = 0;
    return daemon->pid == 0;
}

static bool all_serve(const struct daemon *daemon, unsigned workers)
{
    char error[DAEMON_ERROR_MAX];
    json_t *status, *worker;
    size_t i, serving = 0;

    if (!daemon_ask(daemon, PROTOCOL_STATUS, NULL, 0, &status, error))
        return false;
    const json_t *list = json_object_get(status, "workers");
    json_array_foreach(list, i, worker)
    {
        const char *state = json_string_value(json_object_get(worker, "state"));
        serving += state != NULL && strcmp(state, "serving") == 0;
    }
    bool all = serving == workers && json_array_size(list) == workers;
    json_decref(status);
    return all;
}

bool daemon_await_workers(const struct daemon *daemon, unsigned workers,
                          char error[DAEMON_ERROR_MAX])
{
    for (unsigned tries = START_SECONDS * 1000 / POLL_MS; tries > 0; tries--) {
        if (all_serve(daemon, workers))
            return true;
        if (interrupt_came())
            break;
        pause_shortly();
    }
    return fail(error, "its %u workers do not serve after %d seconds", workers, START_SECONDS);
}

static bool await_start(struct daemon *daemon, unsigned workers, char error[DAEMON_ERROR_MAX])
{
    while (access(daemon->control, F_OK) != 0 && !interrupt_came()) {
        if (has_ended(daemon)) {
            read_log(daemon, error);
            return false;
        }
        pause_shortly();
    }
    if (!daemon_await_workers(daemon, workers, error)) {
        if (has_ended(daemon))
            read_log(daemon, error);
        daemon_stop(daemon);
        return false;
    }
    return true;
}

bool daemon_start(struct daemon *daemon, const char *policy, unsigned workers,
                  char error[DAEMON_ERROR_MAX])
{
    for (unsigned attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
        pid_t parent = getpid();
        in_port_t port = free_port();
        if (port == 0)
            continue;
        daemon->address.v4 = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        daemon->pid = fork();
        if (daemon->pid < 0) {
            daemon->pid = 0;
            return fail(error, "fork: %s", strerror(errno));
        }
        if (daemon->pid == 0)
            become_daemon(daemon, policy, workers, parent);
        if (await_start(daemon, workers, error))
            return true;
        if (strstr(error, " is in use ") == NULL)
            return false;
    }
    return fail(error, "no port of 127.0.0.1 is free");
}

/* --- while it runs, and its end ---------------------------------------------------------- */

bool daemon_ask(const struct daemon *daemon, enum protocol_type type, char *const *arguments,
                size_t count, json_t **document, char error[DAEMON_ERROR_MAX])
{
    struct control_client_reply reply;
    char reason[CONTROL_CLIENT_ERROR_MAX];

    if (!control_client_ask(daemon->control, type, arguments, count, PATIENCE_SECONDS, false,
                            &reply, reason))
        return fail(error, "%s", reason);
    *document = reply.document;
    if (reply.done)
        return true;
    const char *sentence = json_string_value(json_object_get(reply.document, "error"));
    fail(error, "%s", sentence != NULL ? sentence : "it refuses");
    json_decref(reply.document);
    return false;
}

void daemon_stop(struct daemon *daemon)
{
    if (daemon->pid == 0)
        return;
    kill(daemon->pid, SIGTERM);
    for (unsigned tries = STOP_SECONDS * 1000 / POLL_MS; tries > 0 && !has_ended(daemon); tries--)
        pause_shortly();
    if (daemon->pid > 0) {
        kill(daemon->pid, SIGKILL);
        waitpid(daemon->pid, NULL, 0);
        daemon->pid = 0;
    }
}

void daemon_clean_up(struct daemon *daemon)
{
    static const char *const files[] = {"control", "log", "spread.test.zone"};
    char path[PATH_MAX];

    daemon_stop(daemon);
    if (daemon->directory[0] == '\0')
        return;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        path_in(daemon, files[i], path);
        unlink(path);
    }
    rmdir(daemon->directory);
    daemon->directory[0] = '\0';
}
