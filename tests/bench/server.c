#include "server.h"

#include "../loss/child.h"
#include "flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STOP_SECONDS = 60, ANSWER_MS = 20, WATCH_NS = 50000000 };

void server_argument(struct server *server, const char *format, ...)
{
    va_list values;

    if (server->arguments == SERVER_ARGUMENTS_MAX)
        child_fail("%s has too many arguments", server->kind->name);
    va_start(values, format);
    vsnprintf(server->argument[server->arguments++], SERVER_ARGUMENT_MAX, format, values);
    va_end(values);
}

FILE *server_file(const struct server *server, const char *name)
{
    char path[SERVER_PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", server->directory, name);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        child_fail("cannot write %s: %s", path, strerror(errno));
    return file;
}

/* --- the first answer ------------------------------------------------------------- */

static bool ask(int socket, const struct server_probe *probe, bool any)
{
    struct pollfd poll_for = {.fd = socket, .events = POLLIN};
    uint8_t reply[FLOW_REPLY_MAX];

    if (send(socket, probe->query, probe->length, 0) < 0 || poll(&poll_for, 1, ANSWER_MS) <= 0)
        return false;
    ssize_t length = recv(socket, reply, sizeof reply, MSG_DONTWAIT);
    return length >= 4 && reply[0] == probe->query[0] && reply[1] == probe->query[1] &&
           (any || (reply[3] & 0x0F) == probe->rcode);
}

/* Takes some milliseconds of the kernel's time, so not too often. */
static void watch_memory(struct server *server, uint64_t *next)
{
    struct family family;

    if (!server->is_watched || flow_clock() < *next)
        return;
    family_find(&family, server->pid);
    uint64_t kib = family_memory(&family).total_kib;
    if (kib > server->peak_kib)
        server->peak_kib = kib;
    *next = flow_clock() + WATCH_NS;
}

/* Asks until there is an answer. Before the port is open each try costs an error at once. */
static bool await_answer(struct server *server, const struct server_probe *probe, unsigned patience)
{
    static const struct timespec moment = {.tv_nsec = 500000};
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(server->port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint64_t begun = flow_clock(), until = begun + patience * UINT64_C(1000000000), next = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool answered = false;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        child_fail("cannot open a socket: %s", strerror(errno));
    while (!answered && flow_clock() < until && server_is_running(server)) {
        answered = ask(fd, probe, server->kind->no_zones);
        watch_memory(server, &next);
        if (!answered)
            nanosleep(&moment, NULL);
    }
    server->start_seconds = (double)(flow_clock() - begun) / 1e9;
    close(fd);
    return answered;
}

static void read_last_line(const struct server *server, char *text, size_t room)
{
    FILE *file = fopen(server->log, "re");
    char line[400];

    snprintf(text, room, "nothing");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(text, room, "%s", line);
    }
    if (file != NULL)
        fclose(file);
}

/* --- start and stop ------------------------------------------------------------------ */

static void launch(struct server *server)
{
    const char *argv[SERVER_ARGUMENTS_MAX + 1];

    for (unsigned i = 0; i < server->arguments; i++)
        argv[i] = server->argument[i];
    argv[server->arguments] = NULL;
    server->pid = child_start(argv, server->log);
}

bool server_start(struct server *server, const struct server_kind *kind, const char *directory,
                  const struct server_probe *probe, unsigned patience, char reason[512])
{
    char last[400];

    server->kind = kind;
    server->arguments = 0;
    server->port = child_free_port();
    snprintf(server->directory, sizeof server->directory, "%s/%s", directory, kind->name);
    snprintf(server->log, sizeof server->log, "%s/log", server->directory);
    if (mkdir(server->directory, 0755) != 0 && errno != EEXIST)
        child_fail("cannot make %s: %s", server->directory, strerror(errno));
    kind->configure(server);
    launch(server);
    if (await_answer(server, probe, patience))
        return true;
    read_last_line(server, last, sizeof last);
    snprintf(reason, 512, "%s; it had written last: %.390s",
             server_is_running(server) ? "no answer in time" : "it ended", last);
    server_stop(server);
    return false;
}

bool server_is_running(const struct server *server)
{
    return server->pid != 0 && child_is_alive(server->pid);
}

static bool all_have_ended(void *context)
{
    const struct family *family = context;

    for (size_t i = 1; i < family->count; i++)
        if (child_is_alive(family->pid[i]))
            return false;
    return true;
}

void server_stop(struct server *server)
{
    struct family family;

    if (server->pid == 0)
        return;
    family_find(&family, server->pid);
    child_stop(server->pid, SIGTERM, STOP_SECONDS);
    server->pid = 0;
    if (!child_wait(all_have_ended, &family, STOP_SECONDS))
        for (size_t i = 1; i < family.count; i++)
            kill(family.pid[i], SIGKILL);
}
