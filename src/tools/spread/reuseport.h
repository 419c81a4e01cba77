/*
 * Trials with sockets of our own: what the kernel does with a group of SO_REUSEPORT sockets when
 * one of them is closed, and whom it lets join a port.
 */
#ifndef SORREL_TOOLS_SPREAD_REUSEPORT_H
#define SORREL_TOOLS_SPREAD_REUSEPORT_H

#include "tools/spread/flowmap.h"

enum { REUSEPORT_SOCKETS = 4, REUSEPORT_CLOSED = 1 /* the second of them */ };

struct reuseport_closing {
    unsigned before[FLOWMAP_FLOWS]; /* which socket a flow leads to */
    unsigned after[FLOWMAP_FLOWS];  /* numbered as before */
    unsigned waiting;               /* datagrams in the queue of the socket that was closed */
    unsigned found;                 /* of these, those that another socket has got */
};

/* Binds four sockets to a port, sends from the flows, leaves a datagram of each in the queues,
 * closes the second socket, and looks again. False with a sentence in `error`. */
bool reuseport_close_one(struct reuseport_closing *closing, char error[FLOWMAP_ERROR_MAX]);

/* Who tries to bind a port that a daemon of this user has, and how. */
struct reuseport_join {
    const char *who;
    bool other_user; /* needs root */
    bool reuse_port;
    bool reuse_address;
};

/* Ends with `who` NULL. */
extern const struct reuseport_join reuseport_joins[];

enum reuseport_outcome {
    REUSEPORT_JOINED,
    REUSEPORT_REFUSED, /* "Address already in use" */
    REUSEPORT_UNTRIED, /* not root, or something else went wrong */
};

/* Tries it, in a process of its own, with a UDP socket that is closed again at once. */
enum reuseport_outcome reuseport_try(const struct reuseport_join *join,
                                     const union address *address);

#endif
