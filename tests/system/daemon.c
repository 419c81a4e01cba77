#include "daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { START_SECONDS = 30, STOP_SECONDS = 5, PATIENCE_SECONDS = 10 };

static const struct daemon *running;

static void stop_running(void)
{
    if (running != NULL)
        kill(running->pid, SIGKILL);
}

unsigned daemon_count_logged(const struct daemon *daemon, const char *text)
{
    char line[8192];
    unsigned count = 0;
    FILE *file = fopen(daemon->log, "re");

    if (file == NULL)
        return 0; /* it is the daemon's process that makes it */
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

unsigned daemon_count_given_up(const struct daemon *daemon)
{
    static const char one[] = ", which is given up: ", many[] = ", which are given up: ";
    unsigned count = daemon_count_logged(daemon, one);
    char line[8192];
    FILE *file = fopen(daemon->log, "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *found = strstr(line, many);
        if (found != NULL)
            count += (unsigned)strtoul(found + strlen(many), NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return count;
}

uint64_t daemon_sum(const struct daemon *daemon, const char *counter)
{
    char socket[96], said[96], line[256], wanted[64];
    const char *const argv[] = {"./sorrelctl", "--control", socket, "--json", "status", NULL};
    uint64_t sum = 0;

    snprintf(socket, sizeof socket, "%s/control", daemon->directory);
    snprintf(said, sizeof said, "%s/said", daemon->directory);
    snprintf(wanted, sizeof wanted, "\"%s\": ", counter);
    if (child_run(argv, said) != 0)
        child_fail("sorrelctl status fails; see %s", said);
    FILE *file = fopen(said, "re");
    if (file == NULL)
        child_fail("%s: %s", said, strerror(errno));
    while (fgets(line, sizeof line, file) != NULL) {
        const char *found = strstr(line, wanted);
        if (found != NULL)
            sum += strtoull(found + strlen(wanted), NULL, 10);
    }
    fclose(file);
    unlink(said);
    return sum;
}

static bool serves_or_ended(void *context)
{
    struct daemon *daemon = context;

    return daemon_count_logged(daemon, "sorreld: serving ") > 0 || !child_is_alive(daemon->pid);
}

static void make_zone(struct daemon *daemon, const char *origin, void (*write_zone)(FILE *),
                      char argument[160])
{
    char path[96];

    snprintf(daemon->directory, sizeof daemon->directory, "/tmp/sorrel-test.XXXXXX");
    if (mkdtemp(daemon->directory) == NULL)
        child_fail("cannot make a directory: %s", strerror(errno));
    snprintf(daemon->log, sizeof daemon->log, "%s/log", daemon->directory);
    snprintf(path, sizeof path, "%s/zone", daemon->directory);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        child_fail("%s: %s", path, strerror(errno));
    write_zone(file);
    if (fclose(file) != 0)
        child_fail("%s: %s", path, strerror(errno));
    snprintf(argument, 160, "%s=%s", origin, path);
}

static bool try_start(struct daemon *daemon, const char *program, const char *steering,
                      const char *const options[], const char *zone)
{
    char listen[32], workers[16], policy[16], control[96];
    const char *argv[11 + DAEMON_OPTIONS_MAX] = {program, "-l",   listen,      "-w",   workers,
                                                 "-s",    policy, "--control", control};
    size_t count = 9;

    for (size_t i = 0; options[i] != NULL && i < DAEMON_OPTIONS_MAX; i++)
        argv[count++] = options[i];
    argv[count] = zone;
    daemon->port = child_free_port();
    snprintf(listen, sizeof listen, "127.0.0.1@%u", (unsigned)daemon->port);
    snprintf(workers, sizeof workers, "%u", daemon->workers);
    snprintf(policy, sizeof policy, "%s", steering);
    snprintf(control, sizeof control, "%s/control", daemon->directory);
    daemon->pid = child_start(argv, daemon->log);
    if (!child_wait(serves_or_ended, daemon, START_SECONDS) || child_is_alive(daemon->pid))
        return daemon_count_logged(daemon, "sorreld: serving ") > 0;
    child_has_ended(daemon->pid);
    if (daemon_count_logged(daemon, " is in use ") == 0)
        child_fail("sorreld does not start; see %s", daemon->log);
    return false;
}

void daemon_start(struct daemon *daemon, const char *program, unsigned workers,
                  const char *steering, const char *origin, void (*write_zone)(FILE *))
{
    static const char *const none[] = {NULL};

    daemon_start_with(daemon, program, workers, steering, none, origin, write_zone);
}

void daemon_start_with(struct daemon *daemon, const char *program, unsigned workers,
                       const char *steering, const char *const options[], const char *origin,
                       void (*write_zone)(FILE *))
{
    char zone[160];

    *daemon = (struct daemon){.workers = workers};
    make_zone(daemon, origin, write_zone, zone);
    running = daemon;
    child_at_fail(stop_running);
    for (int attempt = 0; attempt < 5; attempt++)
        if (try_start(daemon, program, steering, options, zone))
            return;
    child_fail("sorreld does not serve; see %s", daemon->log);
}

static bool has_workers(void *context)
{
    const struct daemon *daemon = context;
    pid_t pids[CHILD_LIST_MAX];

    return child_list(daemon->pid, pids) == daemon->workers;
}

void daemon_workers(const struct daemon *daemon, pid_t pids[DAEMON_WORKERS_MAX])
{
    pid_t list[CHILD_LIST_MAX];

    if (!child_wait(has_workers, (void *)daemon, PATIENCE_SECONDS))
        child_fail("sorreld does not have %u workers", daemon->workers);
    child_list(daemon->pid, list);
    memcpy(pids, list, daemon->workers * sizeof *pids);
}

static void show(const char *path)
{
    char line[8192];
    FILE *file = fopen(path, "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        printf("    log: %s", line);
    if (file != NULL)
        fclose(file);
}

static void remove_file(const struct daemon *daemon, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", daemon->directory, name);
    unlink(path);
}

bool daemon_stop(struct daemon *daemon, bool show_log)
{
    bool stopped = child_stop(daemon->pid, SIGTERM, STOP_SECONDS);

    running = NULL;
    if (show_log || !stopped)
        show(daemon->log);
    remove_file(daemon, "log");
    remove_file(daemon, "control"); /* left if it was killed */
    remove_file(daemon, "zone");
    rmdir(daemon->directory);
    return stopped;
}

int daemon_connect_from(const struct daemon *daemon, int type, in_addr_t client)
{
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(client)};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(daemon->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        child_fail("cannot connect to sorreld: %s", strerror(errno));
    return fd;
}

int daemon_connect(const struct daemon *daemon, int type)
{
    return daemon_connect_from(daemon, type, INADDR_ANY);
}
