/*
 * The servers under comparison: sorreld and its peers, each a child process of ours on its own
 * loopback port with its own run directory. All stop when this program does, however it ends.
 */
#ifndef SORREL_INTEROP_SERVER_H
#define SORREL_INTEROP_SERVER_H

#include "zones.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SERVERS_MAX = 4 };

struct server {
    const char *name; /* the program's: sorreld, nsd, knotd, named */
    char *program;
    pid_t pid;
    uint16_t port;
    char *directory;  /* its own, for configuration, state and the file `log` */
};

/* Where the program called `name` is (PATH, then the system's sbin directories), or NULL. */
const char *server_find_program(const char *name);

/* Starts one. `program` overrides where it is looked for (NULL: do not). Prints why and returns
 * false if that is impossible. */
bool server_start(struct server *server, const char *name, const char *program,
                  const char *directory, const struct zone_set *zones);

/* Waits until it answers for all zones, or for those that it will load. Prints why and returns
 * false if it does not run. */
bool server_await(struct server *server, const struct zone_set *zones);

/* Is the process still there? If not, says so with the end of its log. */
bool server_is_alive(struct server *server);

void server_stop(struct server *server);

#endif
