/*
 * What a daemon is to do: its options, with what was opened for them before it starts.
 */
#ifndef SORREL_SERVER_SETTINGS_H
#define SORREL_SERVER_SETTINGS_H

#include "server/control/control_socket.h"
#include "server/control/handover.h"
#include "server/dnstap/tap_settings.h"
#include "server/host/address.h"
#include "server/host/listener.h"
#include "server/host/program.h"
#include "server/host/sandbox.h"
#include "server/protection/protection.h"
#include "server/query/identity.h"
#include "server/steering/steering.h"
#include "zone/source.h"

#include <stdbool.h>
#include <stddef.h>

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
    struct tap_settings tap;
    struct program program; /* that `sorrelctl takeover` starts */
};

#endif
