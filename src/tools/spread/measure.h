/*
 * Fills the cells: starts a daemon for each policy, or asks the server that is named.
 */
#ifndef SORREL_TOOLS_SPREAD_MEASURE_H
#define SORREL_TOOLS_SPREAD_MEASURE_H

#include "tools/spread/arguments.h"

/* Called for each row as soon as it is known, and before the first one with `cell` NULL. */
typedef void measure_watcher(const struct cells *cells, const struct cell *cell, unsigned workers);

enum { MEASURE_ERROR_MAX = PATH_MAX + DAEMON_ERROR_MAX + 64 };

/* All policies, with daemons of our own. False with a sentence in `error`. */
bool measure_policies(struct cells *cells, const struct arguments *arguments, struct daemon *daemon,
                      measure_watcher *watcher, char error[MEASURE_ERROR_MAX]);

/* The server of arguments->server. */
bool measure_server(struct cells *cells, const struct arguments *arguments,
                    measure_watcher *watcher, char error[MEASURE_ERROR_MAX]);

#endif
