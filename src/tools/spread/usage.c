#include "tools/spread/usage.h"

#include <stdio.h>

/* Context switches of a process since it began, proc(5); negative if it is no more. */
static double switches_of(pid_t pid)
{
    char path[64], line[256];
    unsigned long long count;
    double sum = -1;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "voluntary_ctxt_switches: %llu", &count) == 1 ||
            sscanf(line, "nonvoluntary_ctxt_switches: %llu", &count) == 1)
            sum = (sum < 0 ? 0 : sum) + (double)count;
    fclose(file);
    return sum;
}

/* CPU time of a process so far, in microseconds; negative if the kernel does not tell. */
static double cpu_of(pid_t pid)
{
    char path[64];
    unsigned long long nanoseconds;

    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    bool read = fscanf(file, "%llu", &nanoseconds) == 1;
    fclose(file);
    return read ? (double)nanoseconds / 1000 : -1;
}

/* Adds `value` to a sum; what is not known makes the sum unknown, too. */
static void add(double *sum, double value)
{
    *sum = *sum < 0 || value < 0 ? -1 : *sum + value;
}

static void add_worker(struct usage *usage, const json_t *worker)
{
    const json_t *empty = json_object_get(worker, "wakeups_empty");
    pid_t pid = (pid_t)json_integer_value(json_object_get(worker, "pid"));

    add(&usage->cpu, pid > 0 ? cpu_of(pid) : -1);
    add(&usage->switches, pid > 0 ? switches_of(pid) : -1);
    add(&usage->empty, empty != NULL ? (double)json_integer_value(empty) : -1);
}

void usage_read(struct usage *usage, const struct daemon *daemon)
{
    char error[DAEMON_ERROR_MAX];
    json_t *document, *worker;
    size_t i;

    *usage = (struct usage){-1, -1, -1};
    if (!daemon_ask(daemon, PROTOCOL_STATS, NULL, 0, &document, error))
        return;
    *usage = (struct usage){0};
    json_array_foreach(json_object_get(document, "workers"), i, worker) add_worker(usage, worker);
    json_decref(document);
}

static double difference(double before, double now)
{
    return before < 0 || now < before ? -1 : now - before;
}

struct usage usage_since(const struct usage *before, const struct usage *now)
{
    return (struct usage){difference(before->cpu, now->cpu),
                          difference(before->switches, now->switches),
                          difference(before->empty, now->empty)};
}
