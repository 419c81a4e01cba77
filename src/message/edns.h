/*
 * The OPT record of a response (RFC 6891 §6.1).
 */
#ifndef SORREL_MESSAGE_EDNS_H
#define SORREL_MESSAGE_EDNS_H

#include "message/codes.h"
#include "message/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EDNS_COOKIE_SIZE = 24 };

struct edns {
    bool present;          /* the query had an OPT record; otherwise nothing is written */
    bool dnssec_ok;        /* DO, copied from the query (RFC 3225 §3) */
    uint16_t payload;      /* the size of UDP messages that we accept */
    uint16_t rcode;        /* in full; its upper 8 bits go into the record */
    int ede;               /* enum ede_code; EDE_NONE: no such option */
    const uint8_t *nsid;   /* RFC 5001; NULL: no such option */
    uint16_t nsid_length;
    const uint8_t *cookie; /* EDNS_COOKIE_SIZE octets (RFC 7873); NULL: no such option */
    bool keepalive;        /* send edns-tcp-keepalive (RFC 7828) ... */
    uint16_t timeout;      /* ... with this idle time-out, in 100 ms */
};

/* Octets of the options, all together. */
size_t edns_options_length(const struct edns *edns);

/* Writes RDLENGTH and the options. */
void edns_write_options(const struct edns *edns, uint8_t *at);

/* Most responses have none, and these two are in the path of every response. */
static inline bool edns_has_options(const struct edns *edns)
{
    return edns->nsid != NULL || edns->cookie != NULL || edns->ede != EDE_NONE ||
           edns->keepalive;
}

enum { EDNS_PLAIN_LENGTH = 1 + WIRE_RR_FIXED_SIZE };

/* Octets that edns_write() will write. */
static inline size_t edns_length(const struct edns *edns)
{
    if (!edns->present)
        return 0;
    return EDNS_PLAIN_LENGTH + (edns_has_options(edns) ? edns_options_length(edns) : 0);
}

/* Writes EDNS_PLAIN_LENGTH octets: an OPT record without options. */
static inline void edns_write_plain(uint8_t *at, uint16_t payload, uint16_t rcode, bool dnssec_ok)
{
    at[0] = 0; /* the root */
    wire_write_u16(at + 1, TYPE_OPT);
    wire_write_u16(at + 3, payload);
    at[5] = (uint8_t)(rcode >> 4);
    at[6] = 0; /* version */
    wire_write_u16(at + 7, dnssec_ok ? 0x8000 : 0);
    wire_write_u16(at + 9, 0);
}

static inline void edns_write(const struct edns *edns, uint8_t *at)
{
    if (!edns->present)
        return;
    edns_write_plain(at, edns->payload, edns->rcode, edns->dnssec_ok);
    if (edns_has_options(edns))
        edns_write_options(edns, at + 9);
}

#endif
