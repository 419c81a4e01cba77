#include "footprint.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

static FILE *open_about(pid_t pid, const char *what)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    return fopen(path, "re");
}

static uint64_t count_descriptors(pid_t pid)
{
    char path[64];
    uint64_t count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    if (directory != NULL)
        closedir(directory);
    return count;
}

static uint64_t count_mappings(pid_t pid)
{
    FILE *file = open_about(pid, "maps");
    uint64_t count = 0;
    int octet;

    while (file != NULL && (octet = getc(file)) != EOF)
        count += octet == '\n';
    if (file != NULL)
        fclose(file);
    return count;
}

static uint64_t read_anonymous(pid_t pid)
{
    FILE *file = open_about(pid, "status");
    char line[256];
    uint64_t kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "RssAnon: %" SCNu64, &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

void footprint_add(struct footprint *footprint, pid_t pid)
{
    footprint->descriptors += count_descriptors(pid);
    footprint->mappings += count_mappings(pid);
    footprint->anonymous_kib += read_anonymous(pid);
}
