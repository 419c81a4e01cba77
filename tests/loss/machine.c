#include "machine.h"

#include "child.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Time spent in interrupts is left out: it is spent for anyone, and no process is charged with it.
 */
static uint64_t read_all(void)
{
    uint64_t user, nice, kernel, idle, wait, hard, soft, stolen;
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL || fscanf(file,
                               "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                               " %" SCNu64 " %" SCNu64 " %" SCNu64,
                               &user, &nice, &kernel, &idle, &wait, &hard, &soft, &stolen) != 8)
        child_fail("/proc/stat cannot be read");
    fclose(file);
    return user + nice + kernel + stolen;
}

/* What process `pid` and the children it has waited for have used. */
static uint64_t read_process(pid_t pid)
{
    char path[64], text[512];
    uint64_t user, kernel, children_user, children_kernel;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    if (end == NULL || sscanf(end + 1,
                              " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                              " %" SCNu64 " %" SCNu64,
                              &user, &kernel, &children_user, &children_kernel) != 4)
        return 0;
    return user + kernel + children_user + children_kernel;
}

static uint64_t read_family(pid_t pid)
{
    pid_t children[CHILD_LIST_MAX];
    size_t count = child_list(pid, children);
    uint64_t ticks = read_process(pid);

    for (size_t i = 0; i < count; i++)
        ticks += read_family(children[i]);
    return ticks;
}

void machine_measure(struct machine_usage *usage)
{
    struct timespec now;
    uint64_t second = (uint64_t)sysconf(_SC_CLK_TCK);

    clock_gettime(CLOCK_MONOTONIC, &now);
    usage->wall =
        ((uint64_t)now.tv_sec * second + (uint64_t)now.tv_nsec / (UINT64_C(1000000000) / second)) *
        (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    usage->all = read_all();
    usage->ours = read_family(getpid());
}

unsigned machine_others(const struct machine_usage *before)
{
    struct machine_usage now;

    machine_measure(&now);
    uint64_t all = now.all - before->all, ours = now.ours - before->ours;
    uint64_t wall = now.wall - before->wall;
    return all <= ours || wall == 0 ? 0 : (unsigned)((all - ours) * 100 / wall);
}
