#include "scratch.h"

#include "../loss/child.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESCRIPTORS = 16 };

static char directory[128];

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_remove(const char *path)
{
    nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

void scratch_close(void)
{
    if (directory[0] != '\0')
        scratch_remove(directory);
    directory[0] = '\0';
}

/* The servers die with us. */
static void interrupted(int signal)
{
    (void)signal;
    scratch_close();
    _exit(1);
}

const char *scratch_open(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(directory, sizeof directory, "%.96s/sorrel-bench.XXXXXX",
             base != NULL && *base != '\0' ? base : "/tmp");
    if (mkdtemp(directory) == NULL || chmod(directory, 0755) != 0)
        child_fail("cannot make %s: %s", directory, strerror(errno));
    child_at_fail(scratch_close);
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
    return directory;
}

void scratch_make(const char *path)
{
    if (mkdir(path, 0755) != 0)
        child_fail("cannot make %s: %s", path, strerror(errno));
}
