/*
 * What the service manager keeps for the daemon: its sockets and its table, so that neither a
 * restart nor the supervisor's death loses what waits in them (FileDescriptorStoreMax= in
 * systemd.service(5)). Their names tell what they are:
 *
 *     sorrel-SLOT-udp-ADDRESS   sorrel-SLOT-tcp-ADDRESS   sorrel-table-GENERATION
 *
 * The manager may also pass sockets that it has opened itself (systemd.socket(5)); they are slot
 * 0's.
 */
#ifndef SORREL_SERVER_FDSTORE_H
#define SORREL_SERVER_FDSTORE_H

#include "server/control/handover.h"
#include "server/host/listener.h"
#include "server/worker/slot.h"

#include <stdint.h>

/* Takes what was passed to this process; false, with a sentence in `error`, if one of the manager's
 * own sockets cannot be used. The addresses of these are added to `activated`, which the caller
 * frees. */
bool fdstore_receive(struct handover *handover, struct listener **activated, size_t *count,
                     char error[LISTENER_ERROR_MAX]);

/* Has the slot's sockets kept, or kept no more. */
void fdstore_put_slot(struct slot *slot, const struct listener *listeners);
void fdstore_remove_slot(const struct slot *slot, const struct listener *listeners);

/* Has what is left in `handover` kept no more, and closes it: what another start had, and this one
 * does not want. */
void fdstore_remove_rest(struct handover *handover);

/* A table of that generation is kept, by another daemon; or none is that is of use. */
void fdstore_note_table(uint64_t generation);
void fdstore_forget_table(void);

/* Has the table of that generation kept, and the one that was kept before it no more. */
void fdstore_put_table(int fd, uint64_t generation);

#endif
