#include "tools/spread/reuseport.h"

#include "tools/spread/datagrams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- closing ------------------------------------------------------------------------- */

static bool open_group(int group[REUSEPORT_SOCKETS], union address *address)
{
    const int on = 1;
    socklen_t length = sizeof address->v4;

    for (unsigned i = 0; i < REUSEPORT_SOCKETS; i++) {
        group[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (group[i] < 0 || setsockopt(group[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
            bind(group[i], &address->any, length) != 0 ||
            getsockname(group[i], &address->any, &length) != 0)
            return false;
    }
    return true;
}

/* Sends a datagram on each flow: its number. Over the loopback interface it is in a queue when the
 * call returns. */
static void send_numbers(const struct flowmap *map)
{
    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++) {
        uint8_t number = (uint8_t)i;
        (void)!send(map->sockets[i], &number, 1, 0);
    }
}

/* Empties the queue of a socket, and notes whose datagrams were in it. Returns how many. */
static unsigned receive_numbers(int socket, unsigned index, unsigned where[FLOWMAP_FLOWS])
{
    unsigned count = 0;
    uint8_t number;

    while (recv(socket, &number, 1, MSG_DONTWAIT) == 1)
        if (number < FLOWMAP_FLOWS) {
            where[number] = index;
            count++;
        }
    return count;
}

static unsigned receive_all(const int group[REUSEPORT_SOCKETS], unsigned where[FLOWMAP_FLOWS])
{
    unsigned count = 0;

    for (unsigned i = 0; i < REUSEPORT_SOCKETS; i++)
        if (group[i] >= 0)
            count += receive_numbers(group[i], i, where);
    return count;
}

static unsigned count_at(const unsigned where[FLOWMAP_FLOWS], unsigned index)
{
    unsigned count = 0;

    for (unsigned i = 0; i < FLOWMAP_FLOWS; i++)
        count += where[i] == index;
    return count;
}

static void close_one(struct reuseport_closing *closing, int group[REUSEPORT_SOCKETS],
                      const struct flowmap *map)
{
    unsigned rest[FLOWMAP_FLOWS];

    send_numbers(map);
    receive_all(group, closing->before);
    send_numbers(map);
    close(group[REUSEPORT_CLOSED]);
    group[REUSEPORT_CLOSED] = -1;
    closing->waiting = count_at(closing->before, REUSEPORT_CLOSED);
    unsigned others = FLOWMAP_FLOWS - closing->waiting;
    closing->found = receive_all(group, rest) - others;
    send_numbers(map);
    receive_all(group, closing->after);
}

bool reuseport_close_one(struct reuseport_closing *closing, char error[FLOWMAP_ERROR_MAX])
{
    union address address = {
        .v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    int group[REUSEPORT_SOCKETS];
    struct flowmap map;

    memset(group, 0xFF, sizeof group);
    bool opened = open_group(group, &address);
    if (!opened)
        snprintf(error, FLOWMAP_ERROR_MAX, "no group of sockets: %s", strerror(errno));
    bool done = opened && flowmap_open(&map, &address, error);
    if (done) {
        close_one(closing, group, &map);
        flowmap_close(&map);
    }
    for (unsigned i = 0; i < REUSEPORT_SOCKETS; i++)
        if (group[i] >= 0)
            close(group[i]);
    return done;
}

/* --- joining ------------------------------------------------------------------------- */

enum { NOBODY = 65534 };

const struct reuseport_join reuseport_joins[] = {
    {"the same user, with SO_REUSEPORT", false, true, false},
    {"another user, with SO_REUSEPORT", true, true, false},
    {"the same user, without", false, false, false},
    {"the same user, with SO_REUSEADDR", false, false, true},
    {NULL, false, false, false},
};

static _Noreturn void try_and_exit(const struct reuseport_join *join, const union address *address)
{
    const int on = 1;

    if (join->other_user && (geteuid() != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0))
        _exit(REUSEPORT_UNTRIED);
    int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        (join->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        (join->reuse_address && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0))
        _exit(REUSEPORT_UNTRIED);
    if (bind(fd, &address->any, address_length(address)) == 0)
        _exit(REUSEPORT_JOINED);
    _exit(errno == EADDRINUSE ? REUSEPORT_REFUSED : REUSEPORT_UNTRIED);
}

enum reuseport_outcome reuseport_try(const struct reuseport_join *join,
                                     const union address *address)
{
    int status = 0;
    pid_t pid = fork();

    if (pid < 0)
        return REUSEPORT_UNTRIED;
    if (pid == 0)
        try_and_exit(join, address);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? (enum reuseport_outcome)WEXITSTATUS(status) : REUSEPORT_UNTRIED;
}
