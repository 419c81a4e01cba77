/*
 * The OPT record of a response (RFC 6891 §6.1).
 */
#ifndef SORREL_MESSAGE_EDNS_H
#define SORREL_MESSAGE_EDNS_H

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

/* Octets that edns_write() will write. */
size_t edns_length(const struct edns *edns);

void edns_write(const struct edns *edns, uint8_t *at);

#endif
