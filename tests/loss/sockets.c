#include "sockets.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

size_t sockets_list(uint16_t port, struct sockets_one list[SOCKETS_MAX])
{
    FILE *file = fopen("/proc/net/udp", "re");
    char line[512];
    size_t count = 0;

    while (file != NULL && count < SOCKETS_MAX && fgets(line, sizeof line, file) != NULL) {
        struct sockets_one *one = &list[count];
        unsigned its_port;
        /* sl local:port remote:port st tx:rx tr:when retransmits uid timeout inode ref pointer
         * drops */
        if (sscanf(line,
                   "%*u: %*x:%X %*x:%*x %*x %*x:%" SCNx64 " %*x:%*x %*x %*u %*u %" SCNu64
                   " %*d %*s %" SCNu64,
                   &its_port, &one->queued, &one->inode, &one->drops) == 4 &&
            its_port == port)
            count++;
    }
    if (file != NULL)
        fclose(file);
    return count;
}

static bool is_listed(uint64_t inode, const struct sockets_one *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].inode == inode)
            return true;
    return false;
}

size_t sockets_held(pid_t pid, const struct sockets_one *list, size_t count)
{
    char path[PATH_MAX], target[64];
    struct dirent *entry;
    size_t held = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        uint64_t inode;
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        if (length <= 0)
            continue;
        target[length] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1)
            held += is_listed(inode, list, count);
    }
    if (directory != NULL)
        closedir(directory);
    return held;
}
