/*
 * What an old daemon hands to the one that takes over: every socket, with the place it has
 * (protocol.h, PROTOCOL_SOCKETS). Both go on having them until one of them closes its own
 * descriptors. What a service manager has kept is put into the same form (fdstore.h).
 */
#ifndef SORREL_SERVER_HANDOVER_H
#define SORREL_SERVER_HANDOVER_H

#include "server/control/envelope.h"
#include "server/host/address.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum handover_kind {
    HANDOVER_UDP = 1,
    HANDOVER_TCP,
    HANDOVER_CONTROL, /* the listening control socket; no slot, no address */
    HANDOVER_TABLE,   /* the sealed table that is served; likewise */
    HANDOVER_SECRETS, /* of cookies (secrets.h); likewise */
    HANDOVER_HTTP,    /* the listening socket of the status page; no slot */
};

struct handover_record {
    uint32_t kind; /* enum handover_kind */
    uint32_t slot;
    union address address; /* what the socket is bound to */
};

static_assert(sizeof(struct handover_record) == 36, "two versions of sorreld agree on it");

enum { HANDOVER_SOCKETS_MAX = 1 << 16, HANDOVER_ERROR_MAX = 256 };

/* The sockets; records[i] describes descriptors[i]. */
struct handover {
    struct handover_record *records;
    int *descriptors;
    size_t count;
    size_t room;
};

/* Adds a socket; `address` may be NULL. False: out of memory. */
bool handover_add(struct handover *handover, enum handover_kind kind, unsigned slot,
                  const union address *address, int descriptor);

/* Takes the descriptor of that place out; it is the caller's then. -1: there is none. `address` may
 * be NULL. */
int handover_take(struct handover *handover, enum handover_kind kind, unsigned slot,
                  const union address *address);

static inline bool handover_is_socket(const struct handover_record *record)
{
    return record->kind == HANDOVER_UDP || record->kind == HANDOVER_TCP;
}

/* Slots that have a socket: one more than the highest number. */
unsigned handover_slots(const struct handover *handover);

/* Frees the lists, and leaves the descriptors open. */
void handover_free(struct handover *handover);

/* Frees the lists, and closes the descriptors that nobody took. */
void handover_discard(struct handover *handover);

/* --- by the old daemon ------------------------------------------------------------ */

struct handover_sender {
    const struct handover *handover;
    size_t next; /* socket of the message under way */
    size_t carried;
    struct envelope_writer writer;
};

void handover_send_start(struct handover_sender *sender, const struct handover *handover);

/* Sends on; ENVELOPE_WHOLE once all messages are out. The socket need not block. */
enum envelope_outcome handover_send(struct handover_sender *sender, int connection);

/* --- by the new one ---------------------------------------------------------------- */

/*
 * Receives all sockets from a connection that blocks, as long as its SO_RCVTIMEO allows. The
 * descriptors are then the caller's, close-on-exec. False with one sentence in `error`; then none
 * is left open.
 */
bool handover_receive(struct handover *handover, int connection, char error[HANDOVER_ERROR_MAX]);

#endif
