#include "family.h"

#include "../loss/child.h"

#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_with_children(struct family *family, pid_t pid)
{
    pid_t children[CHILD_LIST_MAX];

    if (family->count == FAMILY_MAX)
        return;
    family->pid[family->count++] = pid;
    size_t count = child_list(pid, children);
    for (size_t i = 0; i < count; i++)
        add_with_children(family, children[i]);
}

void family_find(struct family *family, pid_t first)
{
    family->count = 0;
    add_with_children(family, first);
}

/* Calls `visit` with each entry of /proc/PID/FOLDER, of each process. */
static void each_entry(const struct family *family, const char *folder,
                       void (*visit)(const char *path, const char *name, void *context),
                       void *context)
{
    char path[64], entry_path[320];
    struct dirent *entry;

    for (size_t i = 0; i < family->count; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)family->pid[i], folder);
        DIR *directory = opendir(path);
        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            snprintf(entry_path, sizeof entry_path, "%s/%s", path, entry->d_name);
            if (entry->d_name[0] != '.')
                visit(entry_path, entry->d_name, context);
        }
        if (directory != NULL)
            closedir(directory);
    }
}

/* --- where it runs ------------------------------------------------------------- */

static void pin_thread(const char *path, const char *name, void *context)
{
    (void)path;
    sched_setaffinity((pid_t)strtol(name, NULL, 10), sizeof(cpu_set_t), context);
}

void family_pin(const struct family *family, int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    each_entry(family, "task", pin_thread, &set);
}

/* --- CPU time ------------------------------------------------------------------- */

static void add_thread_time(const char *path, const char *name, void *context)
{
    char file_path[352];
    uint64_t ns;

    (void)name;
    snprintf(file_path, sizeof file_path, "%s/schedstat", path);
    FILE *file = fopen(file_path, "re");
    if (file == NULL)
        return; /* it has just ended */
    if (fscanf(file, "%" SCNu64, &ns) == 1)
        *(uint64_t *)context += ns;
    fclose(file);
}

static void add_ticks(struct family_cpu *cpu, pid_t pid)
{
    const uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
    char path[64], text[512];
    uint64_t user, kernel;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    if (end == NULL ||
        sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user,
               &kernel) != 2)
        return;
    cpu->user_ns += user * tick_ns;
    cpu->kernel_ns += kernel * tick_ns;
}

struct family_cpu family_cpu(const struct family *family)
{
    struct family_cpu cpu = {.all_ns = 0};

    each_entry(family, "task", add_thread_time, &cpu.all_ns);
    for (size_t i = 0; i < family->count; i++)
        add_ticks(&cpu, family->pid[i]);
    return cpu;
}

/* --- memory ---------------------------------------------------------------------- */

static void add_rollup(struct family_memory *memory, pid_t pid)
{
    char path[64], line[256];
    uint64_t kib;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Pss_Anon: %" SCNu64, &kib) == 1)
            memory->anonymous_kib += kib;
        else if (sscanf(line, "Pss_Shmem: %" SCNu64, &kib) == 1)
            memory->shared_kib += kib;
        else if (sscanf(line, "Pss_File: %" SCNu64, &kib) == 1)
            memory->file_kib += kib;
    }
    if (file != NULL)
        fclose(file);
}

/* Memory files that descriptors lead to: they take what they take, mapped or not. */
struct memory_files {
    size_t count;
    ino_t seen[FAMILY_MAX];
    uint64_t kib;
};

static void add_memory_file(const char *path, const char *name, void *context)
{
    struct memory_files *files = context;
    struct stat status;
    char target[64];
    ssize_t length = readlink(path, target, sizeof target);

    (void)name;
    if (length < 7 || memcmp(target, "/memfd:", 7) != 0 || stat(path, &status) != 0)
        return;
    for (size_t i = 0; i < files->count; i++)
        if (files->seen[i] == status.st_ino)
            return;
    if (files->count == FAMILY_MAX)
        return;
    files->seen[files->count++] = status.st_ino;
    files->kib += (uint64_t)status.st_blocks / 2; /* of 512 octets */
}

struct family_memory family_memory(const struct family *family)
{
    struct family_memory memory = {.total_kib = 0};
    struct memory_files files = {.count = 0};

    for (size_t i = 0; i < family->count; i++)
        add_rollup(&memory, family->pid[i]);
    each_entry(family, "fd", add_memory_file, &files);
    if (files.kib > memory.shared_kib)
        memory.shared_kib = files.kib;
    memory.total_kib = memory.anonymous_kib + memory.shared_kib + memory.file_kib;
    return memory;
}
