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

/* Serves the listening socket, asking the supervisor by `connection`, until that ends; in
 * the sandbox, once all is open. Needs libmicrohttpd; without it, it fails. */
_Noreturn void http_run(int listener, int connection);

#endif
