#include "watch.h"

#include "../bench/family.h"
#include "../loss/child.h"
#include "../loss/footprint.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool is_worker(pid_t pid)
{
    char name[16];

    return child_name(pid, name) && strncmp(name, "sorreld:", 8) == 0 &&
           isdigit((unsigned char)name[8]);
}

/* Children of `parent` that it has not waited for. */
static unsigned count_zombies(pid_t parent)
{
    DIR *directory = opendir("/proc");
    struct dirent *entry;
    unsigned count = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char path[300], state = ' ', text[512];
        int its_parent = 0;
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        size_t length = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[length] = '\0';
        const char *end = strrchr(text, ')');
        if (end != NULL && sscanf(end + 1, " %c %d", &state, &its_parent) == 2)
            count += state == 'Z' && its_parent == parent;
    }
    if (directory != NULL)
        closedir(directory);
    return count;
}

void watch_take(pid_t daemon, const struct place *place, struct watch_sample *sample)
{
    struct footprint footprint = {.descriptors = 0};
    struct family family;

    family_find(&family, daemon);
    *sample = (struct watch_sample){.processes = (unsigned)family.count,
                                    .zombies = count_zombies(daemon),
                                    .state_files = place_count_state(place),
                                    .memory_kib = family_memory(&family).total_kib};
    for (size_t i = 0; i < family.count; i++) {
        sample->workers += is_worker(family.pid[i]);
        footprint_add(&footprint, family.pid[i]);
    }
    sample->descriptors = footprint.descriptors;
    sample->mappings = footprint.mappings;
}

/* --- the log --------------------------------------------------------------------------- */

/* What the log says if something is wrong with the daemon; nothing that a soak does may cause it.
 */
static const char *const alarms[] = {
    "given up",  "made a system call", "exited with status", "Sanitizer",   "runtime error",
    "Assertion", "out of memory",      "is of no use",       "cannot keep",
};

static bool is_alarm(const char *line)
{
    const char *death = strstr(line, "died of SIG");

    if (death != NULL && strncmp(death, "died of SIGKILL", 15) != 0)
        return true;
    for (size_t i = 0; i < COUNT(alarms); i++)
        if (strstr(line, alarms[i]) != NULL)
            return true;
    return false;
}

void watch_open_log(struct watch_log *log, const char *path)
{
    *log = (struct watch_log){.file = fopen(path, "re")};
    if (log->file == NULL)
        child_fail("cannot read %s: %s", path, strerror(errno));
}

static void count_line(struct watch_log *log, const char *line)
{
    log->lines++;
    if (++log->second_lines > log->busiest_second)
        log->busiest_second = log->second_lines;
    if (is_alarm(line) && log->alarms++ == 0)
        snprintf(log->alarm, sizeof log->alarm, "%.*s", (int)strcspn(line, "\n"), line);
}

/* It writes to the same file when it is to try again, which the soak does at once. */
static bool is_of_sorrelctl(const char *line)
{
    static const char name[] = "sorrelctl: ";

    return strncmp(line, name, sizeof name - 1) == 0;
}

void watch_read_log(struct watch_log *log)
{
    char line[8192];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec != log->second) {
        log->second = now.tv_sec;
        log->second_lines = 0;
    }
    clearerr(log->file);
    while (fgets(line, sizeof line, log->file) != NULL)
        if (strchr(line, '\n') != NULL && !is_of_sorrelctl(line))
            count_line(log, line);
}

void watch_close_log(struct watch_log *log)
{
    watch_read_log(log);
    fclose(log->file);
}
