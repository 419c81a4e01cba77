#include "server/host/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { INODES_MAX = 64, PID_TEXT_MAX = 16 };

struct inodes {
    uint64_t items[INODES_MAX];
    size_t count;
};

static bool conflicts(const union address *wanted, const char *held_address)
{
    char ours[33] = "";
    const uint8_t *octets = (const uint8_t *)&wanted->v4.sin_addr;
    size_t words = 1;

    if (wanted->any.sa_family == AF_INET6) {
        octets = wanted->v6.sin6_addr.s6_addr;
        words = 4;
    }
    /* /proc prints each 32-bit word of the address as a number in host order. */
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, octets + 4 * i, sizeof word);
        snprintf(ours + 8 * i, sizeof ours - 8 * i, "%08" PRIX32, word);
    }
    return address_is_wildcard(wanted) || strspn(held_address, "0") == strlen(held_address) ||
           strcmp(ours, held_address) == 0;
}

/* Collects the inodes of the sockets that are bound to the address, from a file like /proc/net/udp.
 */
static void read_sockets(const char *path, const union address *address, bool listening_only,
                         struct inodes *inodes)
{
    enum { STATE_LISTEN = 10 };
    char line[512], local[33];
    unsigned port, state;
    uint64_t inode;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return;
    while (inodes->count < INODES_MAX && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %" SCNu64,
                   local, &port, &state, &inode) == 4 &&
            port == address_port(address) && (!listening_only || state == STATE_LISTEN) &&
            conflicts(address, local))
            inodes->items[inodes->count++] = inode;
    fclose(file);
}

static bool is_one_of(const char *link, const struct inodes *inodes)
{
    uint64_t inode;

    if (sscanf(link, "socket:[%" SCNu64 "]", &inode) != 1)
        return false;
    for (size_t i = 0; i < inodes->count; i++)
        if (inodes->items[i] == inode)
            return true;
    return false;
}

static bool process_holds(const char *pid, const struct inodes *inodes)
{
    char path[300], link[64];
    bool found = false;

    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(directory)) != NULL;) {
        ssize_t n = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        found = is_one_of(link, inodes);
    }
    closedir(directory);
    return found;
}

/* 0 if it cannot be read. The name in parentheses may contain anything, parentheses too. */
static pid_t parent_of(const char *pid)
{
    char path[300], line[512];
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    const char *end = fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
    if (end == NULL || sscanf(end, ") %*c %d", &parent) != 1)
        parent = 0;
    fclose(file);
    return parent;
}

/* A child shares its parent's sockets, and may come first: whoever is to be stopped is the parent.
 * Not process 1, though, which holds the sockets of services that it starts. */
static void ascend(char pid[PID_TEXT_MAX], const struct inodes *inodes)
{
    char parent[PID_TEXT_MAX];

    for (;;) {
        pid_t above = parent_of(pid);
        snprintf(parent, sizeof parent, "%d", (int)above);
        if (above <= 1 || !process_holds(parent, inodes))
            return;
        memcpy(pid, parent, PID_TEXT_MAX);
    }
}

static void name_process(const char *pid, char text[HOLDER_TEXT_MAX])
{
    char path[300], name[32] = "";

    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(name, sizeof name, file) != NULL)
            name[strcspn(name, "\n")] = '\0';
        fclose(file);
    }
    snprintf(text, HOLDER_TEXT_MAX, "%s, process %s", *name != '\0' ? name : "a program", pid);
}

bool holder_find(const union address *address, int socket_type, char text[HOLDER_TEXT_MAX])
{
    struct inodes inodes = {.count = 0};
    bool v6 = address->any.sa_family == AF_INET6;
    char pid[PID_TEXT_MAX];
    bool found = false;

    if (socket_type == SOCK_STREAM)
        read_sockets(v6 ? "/proc/net/tcp6" : "/proc/net/tcp", address, true, &inodes);
    else
        read_sockets(v6 ? "/proc/net/udp6" : "/proc/net/udp", address, false, &inodes);
    /* Whoever listens on :: without IPV6_V6ONLY has the IPv4 port as well. */
    if (!v6)
        read_sockets(socket_type == SOCK_STREAM ? "/proc/net/tcp6" : "/proc/net/udp6", address,
                     socket_type == SOCK_STREAM, &inodes);
    DIR *proc = inodes.count > 0 ? opendir("/proc") : NULL;
    if (proc == NULL)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(proc)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && process_holds(entry->d_name, &inodes)) {
            snprintf(pid, sizeof pid, "%.15s", entry->d_name);
            ascend(pid, &inodes);
            name_process(pid, text);
            found = true;
        }
    closedir(proc);
    return found;
}
