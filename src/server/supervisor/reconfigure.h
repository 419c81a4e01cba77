/*
 * The configuration file, read again by a running daemon. Part of the supervisor.
 *
 * What has changed in it since it was read last is done, if it can be: zones come and go with the
 * load that follows, the number of workers, the steering, the patience with stalled workers and the
 * log change at once. The log names the rest, and what would apply it.
 */
#ifndef SORREL_SERVER_RECONFIGURE_H
#define SORREL_SERVER_RECONFIGURE_H

#include "server/configuration/configuration.h"

#include <stdbool.h>

struct supervisor;

enum { RECONFIGURE_ERROR_MAX = CONFIGURATION_SENTENCE_MAX };

/* Reads the file, if there is one. False, with everything as it was, if it has faults: they have
 * been logged, and the first is in `error`. */
bool reconfigure(struct supervisor *supervisor, char error[RECONFIGURE_ERROR_MAX]);

/* Looks for faults only; the same otherwise. */
bool reconfigure_check(const struct supervisor *supervisor, char error[RECONFIGURE_ERROR_MAX]);

/* Warns of rules for zones that are not served (strays.h), as the file has them that was read last.
 * The zones have been loaded. */
void reconfigure_tell_strays(const struct supervisor *supervisor);

/* Frees what was read. */
void reconfigure_close(struct supervisor *supervisor);

#endif
