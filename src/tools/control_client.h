/*
 * One request to a running daemon.
 */
#ifndef SORREL_TOOLS_CONTROL_CLIENT_H
#define SORREL_TOOLS_CONTROL_CLIENT_H

#include "server/control/protocol.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { CONTROL_CLIENT_ERROR_MAX = 1024 };

struct control_client_reply {
    bool done;        /* what was asked for was done in full */
    json_t *document; /* the caller's; legible (legible.h) */
};

/*
 * Sends the word `type` with `count` arguments to the daemon at `path` and waits for the reply, at
 * most `patience` seconds; 0: as long as it takes. `until_gone`: waits then until the daemon has
 * ended. False with one sentence in `error` if there is no reply.
 */
bool control_client_ask(const char *path, enum protocol_type type, char *const *arguments,
                        size_t count, unsigned patience, bool until_gone,
                        struct control_client_reply *reply, char error[CONTROL_CLIENT_ERROR_MAX]);

#endif
