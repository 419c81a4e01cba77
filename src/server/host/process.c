#include "server/host/process.h"

#include "server/host/channel.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void warned(int number)
{
    (void)number;
    alarm(PROCESS_GRACE_SECONDS);
}

static void open_child(pid_t parent, enum process_orphaned orphaned)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ};

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    if (orphaned == PROCESS_WARNED)
        set_handler(SIGUSR1, warned);
    prctl(PR_SET_PDEATHSIG, orphaned == PROCESS_WARNED ? SIGUSR1 : SIGKILL);
    /* The parent may have died before it was asked to tell. */
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}

pid_t process_fork(int *channel, enum process_orphaned orphaned)
{
    sigset_t all, before;
    int ends[2];
    pid_t parent = getpid();

    if (channel_pair(ends) != 0)
        return -1;
    /* A signal that reached the child before its handlers are gone would be handled as the
     * supervisor's. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        open_child(parent, orphaned);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        close(ends[0]);
        *channel = ends[1];
        return 0;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = error;
        return -1;
    }
    *channel = ends[0];
    return pid;
}

static int compare_descriptors(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;

    return (left > right) - (left < right);
}

void process_keep_only(int *kept, size_t count)
{
    unsigned next = STDERR_FILENO + 1;

    qsort(kept, count, sizeof *kept, compare_descriptors);
    for (size_t i = 0; i < count; i++) {
        unsigned descriptor = (unsigned)kept[i];
        if (descriptor > next)
            close_range(next, descriptor - 1, 0);
        if (descriptor >= next)
            next = descriptor + 1;
    }
    close_range(next, UINT_MAX, 0);
}
