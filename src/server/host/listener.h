/*
 * Listening addresses and the sockets bound to them, one UDP and one TCP socket for each worker
 * slot (SO_REUSEPORT).
 *
 * Binding with SO_REUSEPORT silently joins whoever of the same user is there. So the first socket
 * of an address is bound without it, which the kernel refuses if the address is in use; it then
 * gets the option, and the others join it. No second daemon can slip in between.
 */
#ifndef SORREL_SERVER_LISTENER_H
#define SORREL_SERVER_LISTENER_H

#include "server/host/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listener {
    union address address;
    bool optional; /* not an error if the kernel lacks the address family */
    bool dual;     /* for IPv6 and for IPv4 as well, like the sockets of it that were passed to us:
                      the kernel keeps others apart from those */
};

struct listener_sockets {
    int udp;
    int tcp;
};

enum { LISTENER_ERROR_MAX = 512 };

enum listener_outcome {
    LISTENER_BOUND,
    LISTENER_ABSENT, /* the kernel has no such address family, and it is optional */
    LISTENER_FAILED,
};

/*
 * Binds those sockets of one slot that are -1; the others are bound already. `first`: this is the
 * address' first slot, and nobody else may have it; otherwise they join. On failure one sentence in
 * `error` that says what to do, and nothing is left open, not even what was bound already.
 */
enum listener_outcome listener_open(const struct listener *listener, bool first,
                                    struct listener_sockets *sockets,
                                    char error[LISTENER_ERROR_MAX]);

/* Has this machine the address? 0, or errno. Whether the port is free, and may be used, is not
 * looked at. */
int listener_try(const union address *address);

/* Could the address be listened on, if nobody else did? False with the sentence in `error` that
 * listener_open() would have. */
bool listener_check(const struct listener *listener, char error[LISTENER_ERROR_MAX]);

/* Makes a socket that another program has bound, and listens if it is for TCP, as if we had: others
 * can join it. */
void listener_prepare(int fd, const union address *address, int type);

/* Is that socket, bound to `address`, for IPv6 and for IPv4 as well? */
bool listener_is_dual(int fd, const union address *address);

/*
 * Answers that have to be fragmented on their way can be replaced in part by whoever guesses the
 * second fragment (RFC 9715). Not `allowed`: they leave with DF, and what is larger than the next
 * network takes is refused with EMSGSIZE. Nobody can lower that limit from outside, either way:
 * what path MTU discovery has learnt is ignored.
 */
void listener_allow_fragments(int udp, const union address *address, bool allowed);

void listener_close(struct listener_sockets *sockets);

/*
 * Keeps further datagrams from a UDP socket that is to be closed; what it holds can be read, and
 * answered from it. For close(2) takes a socket out of its group before it takes it out of the
 * table in which sockets are looked up. A datagram that comes in between is queued here and lost,
 * whatever the steering says: at 150,000 a second, with every fourteenth close.
 */
void listener_fence(const struct listener *listener, const struct listener_sockets *sockets);

/* Is that such a socket? There is no way back: without its peer it is out of its group, and the
 * kernel finds it first and gives it all that comes to the address. */
bool listener_is_fenced(int udp);

/*
 * Before such a socket is closed by us while others, a service manager say, have copies of it.
 * Otherwise whoever is bound to the address meanwhile may begin a group with it, apart from the
 * group that goes on, and gets all datagrams; for as long as it lives. No answer can be sent from
 * it any more.
 */
void listener_leave_group(int udp);

/* What the kernel says of a UDP socket's receive queue (SO_MEMINFO), in octets as it counts them.
 */
struct listener_queue {
    uint32_t length;
    uint32_t room;  /* more is dropped */
    uint32_t drops; /* datagrams, since the socket was opened, modulo 2^32 */
};

/* All 0 if the kernel does not tell. */
struct listener_queue listener_queue(const struct listener_sockets *sockets);

/* Octets that the socket's receive buffer holds, as the kernel counts them. */
int listener_receive_buffer(const struct listener_sockets *sockets);

#endif
