#include "server.h"

#include "../loss/child.h"
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ARGUMENTS_MAX = 512,
    START_ATTEMPTS = 3, /* a free port may be taken between our looking and the server's binding */
    START_SECONDS = 20, /* on a loaded machine; a healthy start takes one */
    LOAD_SECONDS = 6,   /* a zone that is not served by then was refused by the peer */
    STOP_SECONDS = 5,
};

static const struct timespec poll_interval = { .tv_nsec = 10000000 };

const char *server_find_program(const char *name)
{
    static const char *const system_directories = "/usr/sbin:/usr/local/sbin:/usr/bin:/sbin";
    static char found[4096];
    const char *path = getenv("PATH");
    char *directories, *cursor;

    if (asprintf(&directories, "%s:%s", path ? path : "", system_directories) < 0)
        abort();
    cursor = directories;
    for (char *entry; (entry = strsep(&cursor, ":")) != NULL;) {
        snprintf(found, sizeof found, "%s/%s", entry, name);
        if (*entry && access(found, X_OK) == 0) {
            free(directories);
            return found;
        }
    }
    free(directories);
    return NULL;
}

static FILE *open_in(const struct server *server, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", server->directory, name);
    file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

/*
 * Plain authoritative service: no rate limit (we would measure it), minimal responses (RFC 1034
 * asks for nothing more), no rotation of RRsets, the payload size all three and sorrel have by
 * default (1232).
 */
static void configure_nsd(const struct server *server, const struct zone_set *zones)
{
    FILE *file = open_in(server, "nsd.conf");

    fprintf(file,
            "server:\n"
            "  ip-address: 127.0.0.1@%u\n"
            "  server-count: 1\n"
            "  username: \"\"\n"
            "  chroot: \"\"\n"
            "  zonesdir: \"%s\"\n"
            "  database: \"\"\n"
            "  pidfile: \"%s/nsd.pid\"\n"
            "  zonelistfile: \"%s/zone.list\"\n"
            "  xfrdfile: \"%s/xfrd.state\"\n"
            "  xfrdir: \"%s\"\n"
            "  ipv4-edns-size: 1232\n"
            "  minimal-responses: yes\n"
            "  refuse-any: no\n"
            "  round-robin: no\n"
            "  rrl-ratelimit: 0\n"
            "  tcp-count: 100\n"
            "  tcp-query-count: 0\n"
            "  answer-cookie: no\n"
            "remote-control:\n"
            "  control-enable: no\n",
            server->port, server->directory, server->directory, server->directory,
            server->directory, server->directory);
    for (size_t i = 0; i < zones->count; i++)
        fprintf(file, "zone:\n  name: \"%s\"\n  zonefile: \"%s\"\n", zones->items[i].text,
                zones->items[i].path);
    fclose(file);
}

/* Semantic checks only log or refuse zones that are odd on purpose; ours are. */
static void configure_knotd(const struct server *server, const struct zone_set *zones)
{
    FILE *file = open_in(server, "knot.conf");

    fprintf(file,
            "server:\n"
            "  rundir: \"%s\"\n"
            "  listen: 127.0.0.1@%u\n"
            "  udp-workers: 1\n"
            "  tcp-workers: 1\n"
            "  background-workers: 1\n"
            "  tcp-idle-timeout: 30\n"
            "  answer-rotation: off\n"
            "  udp-max-payload: 1232\n"
            "log:\n"
            "  - target: stderr\n"
            "    any: info\n"
            "database:\n"
            "  storage: \"%s\"\n"
            "template:\n"
            "  - id: default\n"
            "    storage: \"%s\"\n"
            "    semantic-checks: off\n"
            "    zonefile-sync: -1\n"
            "    journal-content: none\n"
            "zone:\n",
            server->directory, server->port, server->directory, server->directory);
    for (size_t i = 0; i < zones->count; i++)
        fprintf(file, "  - domain: \"%s\"\n    file: \"%s\"\n", zones->items[i].text,
                zones->items[i].path);
    fclose(file);
}

/* Additional data stays on: minimal-responses would drop the addresses of MX and SRV targets, which
 * the other two send; only the NS RRset of positive answers goes (no-auth). The TTL of 0 that named
 * likes to put on the SOA that denies an SOA is not in RFC 2308. */
static void configure_named(const struct server *server, const struct zone_set *zones)
{
    FILE *file = open_in(server, "named.conf");

    fprintf(file,
            "options {\n"
            "  directory \"%s\";\n"
            "  listen-on port %u { 127.0.0.1; };\n"
            "  listen-on-v6 { none; };\n"
            "  pid-file none; session-keyfile none; lock-file none;\n"
            "  recursion no; dnssec-validation no; empty-zones-enable no;\n"
            "  allow-query { any; }; allow-transfer { none; }; notify no;\n"
            "  minimal-responses no-auth; minimal-any yes; answer-cookie no;\n"
            "  zero-no-soa-ttl no;\n"
            "  max-udp-size 1232; nocookie-udp-size 4096;\n"
            "  check-names primary ignore; check-integrity no; zone-statistics none;\n"
            "  max-records-per-type 0; max-types-per-name 0;\n"
            "  rrset-order { order none; };\n"
            "};\n"
            "controls { };\n",
            server->directory, server->port);
    for (size_t i = 0; i < zones->count; i++)
        fprintf(file, "zone \"%s\" { type primary; file \"%s\"; };\n", zones->items[i].text,
                zones->items[i].path);
    fclose(file);
}

struct command {
    char *arguments[ARGUMENTS_MAX];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void add(struct command *command, const char *format,
                                                      ...)
{
    va_list values;

    if (command->count + 2 > ARGUMENTS_MAX)
        abort();
    va_start(values, format);
    if (vasprintf(&command->arguments[command->count++], format, values) < 0)
        abort();
    va_end(values);
    command->arguments[command->count] = NULL;
}

static void command_nsd(struct command *command, const struct server *server)
{
    add(command, "-d");
    add(command, "-c");
    add(command, "%s/nsd.conf", server->directory);
}

static void command_knotd(struct command *command, const struct server *server)
{
    add(command, "-c");
    add(command, "%s/knot.conf", server->directory);
    add(command, "-s");
    add(command, "%s/knot.sock", server->directory);
}

static void command_named(struct command *command, const struct server *server)
{
    add(command, "-g");
    add(command, "-n");
    add(command, "1");
    add(command, "-c");
    add(command, "%s/named.conf", server->directory);
}

static void command_sorreld(struct command *command, const struct server *server,
                            const struct zone_set *zones)
{
    add(command, "-l");
    add(command, "127.0.0.1@%u", server->port);
    add(command, "-w");
    add(command, "1");
    add(command, "--control");
    add(command, "%s/control", server->directory);
    for (size_t i = 0; i < zones->count; i++)
        add(command, "%s=%s", zones->items[i].text, zones->items[i].path);
}

static void configure(const struct server *server, struct command *command,
                      const struct zone_set *zones)
{
    if (strcmp(server->name, "nsd") == 0) {
        configure_nsd(server, zones);
        command_nsd(command, server);
    } else if (strcmp(server->name, "knotd") == 0) {
        configure_knotd(server, zones);
        command_knotd(command, server);
    } else if (strcmp(server->name, "named") == 0) {
        configure_named(server, zones);
        command_named(command, server);
    } else {
        command_sorreld(command, server, zones);
    }
}

/* In the child: its own process group, dies with us, talks to its log. */
_Noreturn static void become(const struct server *server, const struct command *command)
{
    char log[4096];
    int fd;

    snprintf(log, sizeof log, "%s/log", server->directory);
    fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        _exit(127);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execv(command->arguments[0], command->arguments);
    perror(command->arguments[0]);
    _exit(127);
}

static void print_log(const struct server *server)
{
    char path[4096], line[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/log", server->directory);
    file = fopen(path, "r");
    if (!file)
        return;
    while (fgets(line, sizeof line, file))
        fprintf(stderr, "  %s", line);
    fclose(file);
}

bool server_is_alive(struct server *server)
{
    int status;

    if (server->pid <= 0)
        return false;
    if (waitpid(server->pid, &status, WNOHANG) != server->pid)
        return true;
    fprintf(stderr, "interop: %s ended (%s %d); it had written:\n", server->name,
            WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    print_log(server);
    server->pid = 0;
    return false;
}

static size_t count_served(const struct server *server, const struct zone_set *zones)
{
    size_t served = 0;

    for (size_t i = 0; i < zones->count; i++)
        served += ask_is_served(server, &zones->items[i]);
    return served;
}

/* Answering at all is not enough: named and knotd listen before their zones are loaded. */
static bool wait_until_ready(struct server *server, const struct zone_set *zones)
{
    time_t deadline = time(NULL) + START_SECONDS;
    size_t served = 0;

    while (!ask_interrupted && server_is_alive(server)) {
        size_t now_served = count_served(server, zones);

        if (now_served == zones->count)
            return true;
        if (now_served > served)
            deadline = time(NULL) + LOAD_SECONDS;
        served = now_served;
        if (time(NULL) > deadline)
            return served > 0;
        nanosleep(&poll_interval, NULL);
    }
    return false;
}

static bool launch(struct server *server, const struct zone_set *zones)
{
    struct command command = { .count = 0 };

    server->port = child_free_port();
    add(&command, "%s", server->program);
    configure(server, &command, zones);
    server->pid = fork();
    if (server->pid == 0)
        become(server, &command);
    for (size_t i = 0; i < command.count; i++)
        free(command.arguments[i]);
    return server->pid > 0;
}

bool server_start(struct server *server, const char *name, const char *program,
                  const char *directory, const struct zone_set *zones)
{
    *server = (struct server){ .name = name };
    if (!program)
        program = server_find_program(name);
    if (!program || asprintf(&server->directory, "%s/%s", directory, name) < 0)
        return false;
    server->program = strdup(program);
    if (mkdir(server->directory, 0755) != 0 && errno != EEXIST) {
        perror(server->directory);
        return false;
    }
    return launch(server, zones);
}

/* Leaves the process to be reaped: until then its number, and its group's, is not used again. */
static bool wait_for_end(const struct server *server, int seconds)
{
    time_t deadline = time(NULL) + seconds;

    while (time(NULL) <= deadline) {
        siginfo_t info = { .si_pid = 0 };

        if (waitid(P_PID, (id_t)server->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0
            && info.si_pid == server->pid)
            return true;
        nanosleep(&poll_interval, NULL);
    }
    return false;
}

static void server_end(struct server *server)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGTERM);
    wait_for_end(server, STOP_SECONDS);
    kill(-server->pid, SIGKILL); /* its helpers, some of which outlive it, and itself if need be */
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

bool server_await(struct server *server, const struct zone_set *zones)
{
    for (int i = 0; i < START_ATTEMPTS && !ask_interrupted; i++) {
        if (wait_until_ready(server, zones))
            return true;
        server_end(server);
        if (!launch(server, zones))
            return false;
    }
    return false;
}

void server_stop(struct server *server)
{
    server_end(server);
    free(server->program);
    free(server->directory);
}
