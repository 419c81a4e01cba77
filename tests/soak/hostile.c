#include "hostile.h"

#include "../loss/child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_SECONDS = 20, REST_US = 2000 };

static void (*const parts[HOSTILE_PROCESSES])(const struct hostile_part *) = {
    datagrams_run, streams_run, honest_run};

void hostile_start(struct hostile *hostile, uint16_t port, uint32_t names, uint64_t seed)
{
    hostile->board = mmap(NULL, sizeof *hostile->board, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (hostile->board == MAP_FAILED)
        child_fail("no memory for the hostile clients");
    for (unsigned i = 0; i < HOSTILE_PROCESSES; i++) {
        const struct hostile_part part = {hostile->board, port, names, seed ^ i};
        pid_t pid = fork();
        if (pid < 0)
            child_fail("cannot fork: %s", strerror(errno));
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            signal(SIGPIPE, SIG_IGN);
            parts[i](&part); /* which does not return */
        }
        hostile->pids[i] = pid;
    }
}

static bool are_resting(void *board)
{
    return atomic_load(&((struct hostile_board *)board)->resting) == HOSTILE_PROCESSES;
}

bool hostile_pause(struct hostile *hostile)
{
    atomic_store(&hostile->board->paused, true);
    return child_wait(are_resting, hostile->board, PAUSE_SECONDS);
}

void hostile_resume(struct hostile *hostile)
{
    atomic_store(&hostile->board->paused, false);
}

void hostile_stop(struct hostile *hostile)
{
    for (unsigned i = 0; i < HOSTILE_PROCESSES; i++) {
        kill(hostile->pids[i], SIGKILL);
        waitpid(hostile->pids[i], NULL, 0);
    }
}

void hostile_wait(unsigned microseconds)
{
    const struct timespec moment = {.tv_nsec = (long)microseconds * 1000};

    nanosleep(&moment, NULL);
}

void hostile_rest(const struct hostile_part *part)
{
    atomic_fetch_add(&part->board->resting, 1);
    while (atomic_load(&part->board->paused))
        hostile_wait(REST_US);
    atomic_fetch_sub(&part->board->resting, 1);
}

int hostile_connect(const struct hostile_part *part, int type, unsigned network, unsigned host)
{
    const struct sockaddr_in from = {.sin_family = AF_INET,
                                     .sin_addr.s_addr =
                                         htonl(INADDR_LOOPBACK + (network << 8) + host - 1)};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(part->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        child_fail("cannot open a socket: %s", strerror(errno));
    /* The port is chosen with the daemon's in view, or the ports of one address would run out. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&from, sizeof from) != 0)
        child_fail("cannot bind to 127.0.%u.%u: %s", network, host, strerror(errno));
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}
