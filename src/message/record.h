/*
 * Writing the RRs of stored RRsets (fragment.h) one by one into a message whose QNAME is the zone's
 * apex. So an RRset may be divided among messages, as in a zone transfer.
 *
 * Names are written by a pointer to their owner or to QNAME where they end with one, else in full.
 */
#ifndef SORREL_MESSAGE_RECORD_H
#define SORREL_MESSAGE_RECORD_H

#include "message/fragment.h"
#include "message/response.h"

#include <stdbool.h>
#include <stdint.h>

/* The name that an RRset is stored for. */
struct record_owner {
    const uint8_t *labels; /* below the apex */
    uint8_t labels_length;
    uint32_t at; /* message offset where it stands; 0: nowhere that a pointer reaches */
};

/* How far a run of RRs is written. All 0: nothing of it. */
struct record_position {
    uint32_t octet;   /* of the run */
    uint32_t pointer; /* of the list of pointers, if the run has one */
};

/*
 * Writes the RR at `position` of `run` into the answer section, and goes to the next. `rrs` is the
 * RRset that the pointers in `run` refer to: `run` itself, or that which its signatures or glue are
 * stored with. False if there is no room: then nothing is written.
 */
bool record_put(struct response *response, struct record_owner *owner, const struct fragment *rrs,
                const struct fragment *run, struct record_position *position);

#endif
