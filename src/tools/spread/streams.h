/*
 * Queries over TCP. A flow is a connection; each carries the same number of queries, one after the
 * other, and is then closed. At most TRAFFIC_WINDOW connections are open at once.
 */
#ifndef SORREL_TOOLS_SPREAD_STREAMS_H
#define SORREL_TOOLS_SPREAD_STREAMS_H

#include "tools/spread/traffic.h"

/* As datagrams_run(). */
bool streams_run(const struct traffic *traffic, struct traffic_tally *tally,
                 char error[TRAFFIC_ERROR_MAX]);

#endif
