#include "client.h"

#include "../loss/child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void be_client(const struct drive_settings *settings, int cpu,
                                struct drive_result *result)
{
    cpu_set_t set;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
    _exit(drive(settings, result) ? 0 : 1);
}

bool client_run(const struct drive_settings *settings, int cpu, struct drive_result *result)
{
    struct drive_result *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 1;

    if (shared == MAP_FAILED)
        child_fail("no memory for a load");
    pid_t pid = fork();
    if (pid < 0)
        child_fail("cannot fork: %s", strerror(errno));
    if (pid == 0)
        be_client(settings, cpu, shared);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *result = *shared;
    munmap(shared, sizeof *shared);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
