/*
 * The supervisor: owns every socket and every slot, starts and replaces workers, has tables built
 * and hands them out. It never answers, and never reads a zone file or a packet.
 */
#ifndef SORREL_SERVER_SUPERVISOR_H
#define SORREL_SERVER_SUPERVISOR_H

#include "server/address.h"
#include "server/control_socket.h"
#include "server/handover.h"
#include "server/identity.h"
#include "server/listener.h"
#include "server/program.h"
#include "server/protection.h"
#include "server/sandbox.h"
#include "server/steering.h"
#include "zone/source.h"

#include <stdbool.h>
#include <stddef.h>

struct options;

struct settings {
    struct listener *listeners; /* changed: what the kernel lacks is removed */
    size_t listener_count;
    unsigned workers; /* 1-STEERING_SLOTS_MAX */
    enum steering_policy steering;
    struct identity identity;
    double stall;              /* seconds without progress before a worker is replaced; 0: never */
    enum sandbox_wish sandbox; /* of the children */
    bool join;                 /* share the addresses with whoever has them */
    const struct source_argument *zones;
    size_t zone_count;
    const char *state;             /* directory to keep the table in (keeper.h); NULL: nowhere */
    struct control_socket control; /* fd -1: none */
    const char *control_fault;     /* then, why */
    struct handover inherited;     /* sockets and tables that another daemon, or a service manager,
                                      has kept; what is not used is closed */
    union address http;            /* of the status page; family AF_UNSPEC: none */
    int takeover;                  /* connection to the daemon whose place is taken; -1: none */
    struct protection protection;
    struct program program; /* that `sorrelctl takeover` starts */
};

/* Serves until SIGTERM or SIGINT. The program's exit status: 0, or 1 if it could not start, logged.
 */
int supervisor_run(struct options *options);

#endif
