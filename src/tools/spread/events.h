/*
 * What moves and what stays when a worker is killed, added or retired; what would without a daemon
 * that keeps the sockets; and who can join the port.
 */
#ifndef SORREL_TOOLS_SPREAD_EVENTS_H
#define SORREL_TOOLS_SPREAD_EVENTS_H

#include "tools/spread/arguments.h"
#include "tools/spread/daemon.h"
#include "tools/spread/flowmap.h"
#include "tools/spread/reuseport.h"

#include <stdio.h>

enum { EVENTS_STEPS = 4, EVENTS_JOINS = 4, EVENTS_ERROR_MAX = PATH_MAX + DAEMON_ERROR_MAX };

struct events_step {
    char what[32];
    unsigned workers; /* that there are now */
    unsigned map[FLOWMAP_FLOWS];
    unsigned moved; /* flows that led elsewhere one step before */
};

struct events_policy {
    const struct policy *policy;
    struct events_step steps[EVENTS_STEPS];
};

struct events {
    const char *server;
    struct events_policy policies[CELL_POLICIES_MAX];
    size_t policy_count;
    struct reuseport_closing closing;
    enum reuseport_outcome joins[EVENTS_JOINS];
};

/* Does it all. False with a sentence in `error`. */
bool events_run(struct events *events, const struct arguments *arguments, struct daemon *daemon,
                char error[EVENTS_ERROR_MAX]);

void events_print(const struct events *events, FILE *out);

void events_json(const struct events *events, FILE *out);

#endif
