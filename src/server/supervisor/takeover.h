/*
 * The new daemon's side of a takeover (protocol.h): asks the running daemon for its sockets and,
 * once workers of its own read them, takes its place.
 */
#ifndef SORREL_SERVER_TAKEOVER_H
#define SORREL_SERVER_TAKEOVER_H

#include "server/control/control_socket.h"
#include "server/control/envelope.h"
#include "server/control/handover.h"

#include <ev.h>
#include <stdbool.h>

struct supervisor;

enum { TAKEOVER_ERROR_MAX = CONTROL_SOCKET_ERROR_MAX };

enum takeover_state {
    TAKEOVER_NONE,      /* no other daemon has anything to do with us */
    TAKEOVER_PREPARING, /* until all workers serve */
    TAKEOVER_READY,     /* until the old daemon knows */
    TAKEOVER_IN_CHARGE, /* until its processes have left the sockets */
};

struct takeover {
    enum takeover_state state;
    int connection;
    struct envelope_reader reader;
    ev_io readable;
};

/*
 * Asks the daemon that listens at `path`, which has to run as user `owner`, for all it has. Returns
 * the connection to it, and its control socket in `control`; or -1 with a sentence in `error`. This
 * waits.
 */
int takeover_request(const char *path, uid_t owner, struct handover *handover,
                     struct control_socket *control, char error[TAKEOVER_ERROR_MAX]);

/* Goes on with the connection of the settings, if there is one. */
void takeover_begin(struct supervisor *supervisor);

/* Is another the daemon still? */
static inline bool takeover_is_pending(const struct takeover *takeover)
{
    return takeover->state == TAKEOVER_PREPARING || takeover->state == TAKEOVER_READY;
}

/* All workers serve. */
void takeover_ready(struct supervisor *supervisor);

/* While it is pending: the old daemon is told that it has to go on, for the reason logged last. */
void takeover_abandon(struct supervisor *supervisor);

/* The same, for a program that ends before it has come to takeover_begin(). */
void takeover_abandon_request(int connection);

/* Are there processes of the old daemon that may have the sockets? */
bool takeover_has_predecessor(const struct supervisor *supervisor);

#endif
