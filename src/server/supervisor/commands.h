/*
 * What sorrelctl can ask of the supervisor: a function for each word of the control protocol.
 */
#ifndef SORREL_SERVER_COMMANDS_H
#define SORREL_SERVER_COMMANDS_H

#include "server/supervisor/supervision.h"

/* Serves the control socket of the settings, if there is one. False, logged, if memory is short. */
bool commands_open(struct supervisor *supervisor);

/* Ends it, but another daemon goes on with the socket. */
void commands_leave(struct supervisor *supervisor);

/* Ends it: clients that wait for the daemon's end see it now. */
void commands_close(struct supervisor *supervisor);

/* Serves one more connection (control.h), that of the metrics process, which may ask and not order.
 * False: it cannot, and the connection is the caller's. */
bool commands_adopt(struct supervisor *supervisor, int connection);

#endif
