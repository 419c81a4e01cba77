/*
 * Bundles: answers of a batch that can leave as one message, which the kernel or the network card
 * takes apart again (UDP_SEGMENT, udp(7)). They are of one length, and go from one address to one
 * port of one client. Forwarders and load balancers ask from few ports, and what the kernel does
 * for a message it then does once for many answers; where each query comes from a port of its own
 * there are no bundles.
 */
#ifndef SORREL_SERVER_BUNDLE_H
#define SORREL_SERVER_BUNDLE_H

#include "server/query/batch.h"

enum {
    /* Octets that one message may have: less than IP allows with its headers. */
    BUNDLE_MAX = 65000,
};

/* Sorts the answers that are ready. */
void bundle_answers(const struct batch *batch, struct batch_bundles *bundles);

#endif
