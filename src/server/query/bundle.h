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

#include <stdbool.h>
#include <stdint.h>

enum {
    BUNDLE_END = UINT8_MAX,

    /* Octets that one message may have: less than IP allows with its headers. */
    BUNDLE_MAX = 65000,
};

struct bundles {
    uint8_t next[BATCH_WIDTH]; /* the answer behind this one in its bundle, or BUNDLE_END */
    bool follows[BATCH_WIDTH]; /* another answer of its bundle: it is no bundle's first */
};

/* Sorts the answers that are ready. */
void bundle_answers(const struct batch *batch, struct bundles *bundles);

#endif
