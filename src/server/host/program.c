#include "server/host/program.h"

#include "server/host/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define THIS_PROGRAM "/proc/self/exe"

/* --- where it is --------------------------------------------------------------- */

static bool is_this_program(const char *path)
{
    struct stat there, here;

    return stat(path, &there) == 0 && stat(THIS_PROGRAM, &here) == 0 &&
           there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

/* Makes `path` absolute in `to`; false if it does not fit. */
static bool make_absolute(const char *path, char to[PATH_MAX])
{
    char directory[PATH_MAX];

    if (path[0] == '/')
        return snprintf(to, PATH_MAX, "%s", path) < PATH_MAX;
    return getcwd(directory, sizeof directory) != NULL &&
           snprintf(to, PATH_MAX, "%s/%s", directory, path) < PATH_MAX;
}

static bool search(const char *name, char path[PATH_MAX])
{
    const char *directory = getenv("PATH");

    while (directory != NULL && *directory != '\0') {
        int length = (int)strcspn(directory, ":");
        if (length > 0 && snprintf(path, PATH_MAX, "%.*s/%s", length, directory, name) < PATH_MAX &&
            is_this_program(path))
            return true;
        directory += length + (directory[length] == ':');
    }
    return false;
}

/* A path with symbolic links is followed anew each time, so the one that was used is better than
 * the one that the kernel tells. */
static void find(const char *name, char path[PATH_MAX])
{
    if (strchr(name, '/') != NULL ? make_absolute(name, path) && is_this_program(path)
                                  : search(name, path))
        return;
    ssize_t length = readlink(THIS_PROGRAM, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
}

bool program_note(struct program *program, int argc, char **argv, bool has_takeover)
{
    static char option[] = "--takeover";
    size_t count = 0;

    program->arguments = calloc((size_t)argc + 2, sizeof *program->arguments);
    if (program->arguments == NULL)
        return false;
    find(argv[0], program->path);
    program->arguments[count++] = argv[0];
    if (!has_takeover)
        program->arguments[count++] = option;
    memcpy(program->arguments + count, argv + 1, (size_t)argc * sizeof *argv); /* and the NULL */
    return true;
}

void program_free(struct program *program)
{
    free(program->arguments);
    program->arguments = NULL;
}

/* --- starting it ----------------------------------------------------------------- */

/* The watchdog's warnings are for the process that is named; the one that takes over is to heed
 * them. */
static void rename_watched(void)
{
    char text[24];

    if (getenv("WATCHDOG_PID") == NULL)
        return;
    snprintf(text, sizeof text, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", text, 1);
}

static _Noreturn void run(const struct program *program, int report)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    rename_watched();
    privilege_keep_rights();
    execv(program->path, program->arguments);
    int reason = errno;
    ssize_t ignored = write(report, &reason, sizeof reason);
    (void)ignored;
    _exit(127);
}

/* 0 once the program runs, or why it does not. */
static int read_report(int report)
{
    int reason = 0;
    ssize_t length;

    do
        length = read(report, &reason, sizeof reason);
    while (length < 0 && errno == EINTR);
    return length == (ssize_t)sizeof reason ? reason : 0;
}

pid_t program_start(const struct program *program, char error[PROGRAM_ERROR_MAX])
{
    sigset_t all, before;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(error, PROGRAM_ERROR_MAX, "cannot start a program: %s", strerror(errno));
        return -1;
    }
    /* No signal may reach the child while it still has our handlers. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run(program, ends[1]);
    int reason = pid < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid > 0)
        reason = read_report(ends[0]);
    close(ends[0]);
    if (reason == 0)
        return pid;
    if (pid > 0)
        waitpid(pid, NULL, 0);
    snprintf(error, PROGRAM_ERROR_MAX, "cannot start %s: %s",
             *program->path != '\0' ? program->path : "the program, whose path is unknown",
             strerror(reason));
    return -1;
}
