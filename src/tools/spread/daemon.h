/*
 * A sorreld of our own: on a free port of 127.0.0.1, with a small zone, everything it needs in a
 * private directory. It dies with this process, however that ends.
 */
#ifndef SORREL_TOOLS_SPREAD_DAEMON_H
#define SORREL_TOOLS_SPREAD_DAEMON_H

#include "server/control/control_socket.h"
#include "server/host/address.h"
#include "tools/control_client.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* The zone that it serves has this name. */
#define DAEMON_NAME "www.spread.test"

enum { DAEMON_ERROR_MAX = 1024 };

struct daemon {
    char program[PATH_MAX];
    char directory[CONTROL_SOCKET_PATH_MAX - 16];
    char control[CONTROL_SOCKET_PATH_MAX]; /* its control socket */
    pid_t pid;                             /* 0: none runs */
    union address address;
};

/* Finds the program: `program` itself if it is not NULL; else sorreld beside this program, in sbin
 * beside its bin, or along PATH. Makes the directory, in $TMPDIR or /tmp. False with a sentence in
 * `error`. */
bool daemon_prepare(struct daemon *daemon, const char *program, char error[DAEMON_ERROR_MAX]);

/* Starts it, and waits until all its workers serve. False with a sentence in `error`, its own if it
 * would not start; or if an interrupt came. */
bool daemon_start(struct daemon *daemon, const char *policy, unsigned workers,
                  char error[DAEMON_ERROR_MAX]);

/* Asks it for its status. False with a sentence in `error`. */
bool daemon_ask(const struct daemon *daemon, enum protocol_type type, char *const *arguments,
                size_t count, json_t **document, char error[DAEMON_ERROR_MAX]);

/* Waits until it has `workers` workers, and all of them serve. False with a sentence in `error`. */
bool daemon_await_workers(const struct daemon *daemon, unsigned workers,
                          char error[DAEMON_ERROR_MAX]);

/* Stops it, if it runs. */
void daemon_stop(struct daemon *daemon);

/* Stops it, and removes the directory. */
void daemon_clean_up(struct daemon *daemon);

#endif
