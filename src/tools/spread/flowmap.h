/*
 * Which worker a flow leads to: a set of flows, each a UDP socket that keeps its source port and
 * its message ID, so that it asks the very same query each time.
 */
#ifndef SORREL_TOOLS_SPREAD_FLOWMAP_H
#define SORREL_TOOLS_SPREAD_FLOWMAP_H

#include "server/host/address.h"
#include "tools/spread/packet.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FLOWMAP_FLOWS = 56, /* fit on a line */
    FLOWMAP_ERROR_MAX = 256,
};

struct flowmap {
    int sockets[FLOWMAP_FLOWS];
    uint16_t ids[FLOWMAP_FLOWS];
};

/* Opens the flows. False with a sentence in `error`. */
bool flowmap_open(struct flowmap *map, const union address *server, char error[FLOWMAP_ERROR_MAX]);

/* Asks once on each flow: which worker answers. A query that is lost is sent again, for some
 * seconds. False with a sentence in `error`, or if an interrupt came. */
bool flowmap_ask(const struct flowmap *map, const struct packet *question,
                 unsigned workers[FLOWMAP_FLOWS], char error[FLOWMAP_ERROR_MAX]);

/* How many flows lead to another worker than before. */
unsigned flowmap_moved(const unsigned before[FLOWMAP_FLOWS], const unsigned now[FLOWMAP_FLOWS]);

void flowmap_close(struct flowmap *map);

#endif
