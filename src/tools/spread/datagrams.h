/*
 * Queries over UDP. Each flow is a socket with a source port of its own; message IDs are random, as
 * those of resolvers are (RFC 5452 §9.2).
 */
#ifndef SORREL_TOOLS_SPREAD_DATAGRAMS_H
#define SORREL_TOOLS_SPREAD_DATAGRAMS_H

#include "tools/spread/traffic.h"

/* Sends all of it, until the last is answered or lost, or an interrupt came. False with a sentence
 * in `error` if the sockets cannot be had. */
bool datagrams_run(const struct traffic *traffic, struct traffic_tally *tally,
                   char error[TRAFFIC_ERROR_MAX]);

/* A socket connected to `server`, from a port that the kernel chooses; it does not block. -1 with
 * errno. */
int datagrams_open(const union address *server);

#endif
