/*
 * UDP: from one listening socket's queue to answers on the wire, a batch at a time.
 */
#ifndef SORREL_SERVER_UDP_H
#define SORREL_SERVER_UDP_H

#include "answer/answer.h"
#include "server/protection/protection.h"
#include "server/query/batch.h"
#include "server/query/slot_memory.h"
#include "server/query/tap.h"

#include <ev.h>
#include <stdbool.h>

struct udp {
    ev_io readable;
    int socket;
    struct batch *batch;
    bool bundles; /* a message may have several answers: the kernel can cut it (bundle.h) */
    struct counters *counters;
    struct counters_traffic *traffic;
    struct flows *flows;
    struct answer_settings *settings; /* secrets and time are brought up to date */
    const struct protection *protection;
    struct tap *tap; /* NULL: nobody is told */
};

/* Finishes the batch that a dead predecessor has left, then watches the socket. */
void udp_start(struct udp *udp, struct ev_loop *loop, int socket, bool wildcard,
               struct slot_address *address, struct counters *counters,
               struct answer_settings *settings, const struct protection *protection,
               struct tap *tap);

/* Watches the socket no more. */
void udp_stop(struct udp *udp, struct ev_loop *loop);

/* Answers one batch; returns the number of queries in it. Does not wait for queries. */
unsigned udp_serve(struct udp *udp);

#endif
