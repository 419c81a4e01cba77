/*
 * The supervisor as a service: what the service manager keeps for it and is told by it.
 */
#ifndef SORREL_SERVER_SERVICE_H
#define SORREL_SERVER_SERVICE_H

#include "server/supervisor/supervision.h"

/* This is the daemon, and has a table: the manager is to keep that and its sockets, and nothing
 * else, and hears from now on that the daemon lives. */
void service_begin(struct supervisor *supervisor);

/* Another table is served. */
void service_keep_table(const struct supervisor *supervisor);

/* Tells the manager, once, that nothing is under way any more that it waits for. */
void service_settle(struct supervisor *supervisor);

#endif
