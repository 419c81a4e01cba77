/*
 * All that a worker has of the supervisor: built for it before the fork, its only argument. Every
 * other descriptor is closed and every other slot's memory unmapped before it begins.
 */
#ifndef SORREL_SERVER_INHERITANCE_H
#define SORREL_SERVER_INHERITANCE_H

#include "server/configuration/settings.h"
#include "server/host/listener.h"
#include "server/protection/protection.h"
#include "server/query/slot_memory.h"
#include "table/seal.h"

#include <stdbool.h>
#include <stddef.h>

struct inheritance {
    unsigned slot;
    int channel;                            /* to the supervisor */
    const struct listener_sockets *sockets; /* one pair for each listener */
    const struct settings *settings;        /* the daemon's */
    bool shares_sockets;                    /* others go on reading them when this one retires */
    size_t listener_count;
    struct slot_memory *memory;
    const struct protection *protection;
    struct sealed_table table; /* validated by the supervisor */
};

#endif
