/*
 * How many connections each client network has, so that none has all the places there are.
 */
#ifndef SORREL_SERVER_NETWORKS_H
#define SORREL_SERVER_NETWORKS_H

#include "answer/client.h"

#include <stddef.h>
#include <stdint.h>

/* IPv4 /24 and IPv6 /56: what one customer of a provider may have, and no more than a few share. */
enum { NETWORKS_IPV4_OCTETS = 3, NETWORKS_IPV6_OCTETS = 7 };

struct network {
    uint64_t key; /* of its addresses, what they share */
    unsigned connections;
    uint32_t next; /* with the same hash, or of the unused ones: place + 1; 0: the last */
};

struct networks {
    size_t most;
    size_t heads;    /* a power of two */
    uint32_t unused; /* place + 1 of the first; 0: none */
    uint32_t *head;  /* by hash: place + 1 of the first; 0: none */
    struct network *list;
    uint64_t seed;
};

/* Room for `most` networks at a time. `seed` is to be secret, so that nobody can choose networks
 * that slow others down. 0, or -1 for want of memory. */
int networks_open(struct networks *networks, size_t most, uint64_t seed);

void networks_close(struct networks *networks);

/* The client's network; NULL if it has no connections. */
const struct network *networks_find(const struct networks *networks, const struct client *client);

/* It has one more. There are fewer than `most` connections. Returns the network, which stays where
 * it is until its last connection is gone. */
struct network *networks_add(struct networks *networks, const struct client *client);

void networks_remove(struct networks *networks, struct network *network);

/* The one with most connections; NULL if there are none. */
struct network *networks_heaviest(struct networks *networks);

#endif
