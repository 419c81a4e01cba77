/*
 * The metrics process itself: answers HTTP from what the supervisor tells it. It reads and shows,
 * and cannot change anything.
 *
 *   /             the status page (page.h)
 *   /metrics      for Prometheus (exposition.h)
 *   /status.json  {"status", "stats", "explanation"}: what the page is made of
 *
 * Only GET and HEAD. Connections, their memory and the time each request takes are limited, so that
 * clients can slow down each other at most.
 */
#ifndef SORREL_SERVER_HTTP_H
#define SORREL_SERVER_HTTP_H

#include "server/host/library.h"

#include <stdbool.h>

enum { HTTP_ERROR_MAX = LIBRARY_ERROR_MAX };

/* Loads what http_run() needs, libmicrohttpd; false with the reason if it is not there. */
bool http_prepare(char error[HTTP_ERROR_MAX]);

/* Serves the listening socket, asking the supervisor by `connection`, until that ends; in the
 * sandbox, once all is open. Only where http_prepare() has succeeded. */
_Noreturn void http_run(int listener, int connection);

#endif
