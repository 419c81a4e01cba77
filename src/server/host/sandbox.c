#include "server/host/sandbox.h"

#include "server/host/landlock.h"
#include "server/host/syscalls.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a trial tells by its exit status. */
enum { GRANTED_FILTER = 1, GRANTED_LANDLOCK = 2 };

static struct sandbox in_force;
static bool was_wanted;

static _Noreturn void try_and_tell(void)
{
    int granted = 0;

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (landlock_confine(NULL, 0, NULL))
        granted |= GRANTED_LANDLOCK;
    if (syscalls_confine_worker())
        granted |= GRANTED_FILTER;
    _exit(granted);
}

void sandbox_prepare(enum sandbox_wish wish)
{
    int status;

    in_force = (struct sandbox){0};
    was_wanted = wish == SANDBOX_ON;
    if (!was_wanted)
        return;
    pid_t pid = fork();
    if (pid == 0)
        try_and_tell();
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return;
    in_force.filter = (WEXITSTATUS(status) & GRANTED_FILTER) != 0;
    if ((WEXITSTATUS(status) & GRANTED_LANDLOCK) != 0)
        in_force.landlock = landlock_version();
}

const struct sandbox *sandbox_in_force(void)
{
    return &in_force;
}

bool sandbox_describe(char text[SANDBOX_TEXT_MAX])
{
    if (!was_wanted)
        snprintf(text, SANDBOX_TEXT_MAX, "no process runs in a sandbox, as asked for");
    else if (!in_force.filter && in_force.landlock == 0)
        snprintf(text, SANDBOX_TEXT_MAX,
                 "no process runs in a sandbox: neither system-call filters nor Landlock are to "
                 "be had here");
    else if (!in_force.filter)
        snprintf(text, SANDBOX_TEXT_MAX,
                 "the sandbox has no system-call filter, which is not to be had here; Landlock "
                 "(version %d) confines all child processes",
                 in_force.landlock);
    else if (in_force.landlock == 0)
        snprintf(text, SANDBOX_TEXT_MAX,
                 "the sandbox has no Landlock, which is not to be had here; system-call filters "
                 "confine all child processes");
    else
        snprintf(text, SANDBOX_TEXT_MAX,
                 "system-call filters and Landlock (version %d) confine all child processes",
                 in_force.landlock);
    return in_force.filter && in_force.landlock > 0;
}

static void enter(const char *const *folders, size_t count, const char *written,
                  bool (*confine)(void))
{
    if (in_force.landlock > 0 && !landlock_confine(folders, count, written))
        abort();
    if (in_force.filter && !confine())
        abort();
}

void sandbox_enter_worker(void)
{
    enter(NULL, 0, NULL, syscalls_confine_worker);
}

void sandbox_enter_builder(const char *const *folders, size_t count)
{
    enter(folders, count, NULL, syscalls_confine_builder);
}

void sandbox_enter_keeper(const char *const *folders, size_t count, const char *directory)
{
    enter(folders, count, directory, syscalls_confine_keeper);
}

void sandbox_enter_metrics(void)
{
    enter(NULL, 0, NULL, syscalls_confine_metrics);
}

void sandbox_enter_dnstap(bool is_socket)
{
    enter(NULL, 0, NULL, is_socket ? syscalls_confine_dnstap_socket : syscalls_confine_dnstap_file);
}

void sandbox_enter_apart(void)
{
    enter(NULL, 0, NULL, syscalls_confine_apart);
}
