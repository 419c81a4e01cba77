/*
 * Who holds a port: told from /proc, for the sentence about an address in use.
 */
#ifndef SORREL_SERVER_HOLDER_H
#define SORREL_SERVER_HOLDER_H

#include "server/host/address.h"

#include <stdbool.h>
#include <stddef.h>

enum { HOLDER_TEXT_MAX = 64 };

/* Writes `NAME, process PID`, of processes that inherited the socket the eldest. False if it cannot
 * be found out (no /proc, or another user's process). */
bool holder_find(const union address *address, int socket_type, char text[HOLDER_TEXT_MAX]);

#endif
