/*
 * The control protocol: what sorrelctl, and a sorreld that takes over, say to a running sorreld.
 *
 * A Unix stream socket carries messages: a struct protocol_header, then `length` octets of payload.
 * Both ends are on one machine, so integers are in host order.
 *
 *   client -> daemon   a request: the type is the word; the payload its arguments, UTF-8 strings,
 *                      each ended by a NUL
 *   daemon -> client   PROTOCOL_DONE or PROTOCOL_FAILED; the payload is one JSON document (UTF-8,
 *                      no NUL). Its "error", a sentence, tells why nothing was done
 *
 * A request is answered when its work is done, however long that takes; the client waits. Requests
 * on one connection are worked off one after the other, those on different connections side by
 * side. A client that is slow to send a request or to take a reply (CONTROL_PATIENCE_SECONDS,
 * control.h), or sends what is no message, is disconnected.
 *
 * Versions. The header, PROTOCOL_DONE and PROTOCOL_FAILED mean the same in every version. A daemon
 * answers a request of another version by PROTOCOL_FAILED, in its own; so either side knows both
 * versions and can tell its user.
 *
 * Takeover. PROTOCOL_HANDOVER turns the connection into one between two daemons, the old and the
 * new:
 *
 *   new -> old   PROTOCOL_HANDOVER
 *   old -> new   PROTOCOL_SOCKETS, as many as it takes: each has an array of struct handover_record
 *                and, in SCM_RIGHTS, as many descriptors in the same order (handover.h)
 *   old -> new   PROTOCOL_SOCKETS without a record: these were all
 *   new -> old   PROTOCOL_READY: the new one's workers read; finish
 *   old -> new   PROTOCOL_DONE: it steers, listens for sorrelctl and replaces workers no more; the
 *                new one is the daemon from now on
 *   old -> new   the end of the connection: none of its processes has the sockets any more
 *
 * Before PROTOCOL_READY either can end it by PROTOCOL_FAILED with its reason, and nothing has
 * happened: the old daemon goes on, and the new one exits. If the connection just ends, its peer
 * has died: then the old one goes on, or the new one is the daemon.
 */
#ifndef SORREL_SERVER_PROTOCOL_H
#define SORREL_SERVER_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

#define PROTOCOL_MAGIC "sorC"

enum { PROTOCOL_VERSION = 1 };

struct protocol_header {
    uint8_t magic[4];
    uint16_t version;
    uint16_t type;   /* enum protocol_type */
    uint32_t length; /* octets of payload */
};

static_assert(sizeof(struct protocol_header) == 12, "the header is the same in every version");

/* The numbers are never used again for something else. */
enum protocol_type {
    PROTOCOL_DONE = 0,
    PROTOCOL_FAILED = 1,

    PROTOCOL_STATUS = 16,   /* [N]: at most so many zones, those that failed first */
    PROTOCOL_ZONES = 17,    /* [N], likewise */
    PROTOCOL_RELOAD = 18,   /* [ZONE...] */
    PROTOCOL_WORKERS = 19,  /* [N] */
    PROTOCOL_TAKEOVER = 20, /* start the installed sorreld, which will ask for PROTOCOL_HANDOVER */
    PROTOCOL_STOP = 21,
    PROTOCOL_STATS = 22,
    PROTOCOL_STEERING = 23, /* [POLICY] */

    PROTOCOL_HANDOVER = 64,
    PROTOCOL_SOCKETS = 65,
    PROTOCOL_READY = 66,
};

enum {
    /* A few thousand zone names. */
    PROTOCOL_REQUEST_MAX = 1 << 20,
    /* `zones` of some million zones. The daemon is trusted, but not to be in its right mind. */
    PROTOCOL_REPLY_MAX = 1 << 29,
};

#endif
