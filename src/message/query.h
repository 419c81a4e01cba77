/*
 * Reading a query: octets from the network become a verdict, never an error of ours
 * (RFC 1035 §4.1, RFC 6891 §6.1, RFC 9619).
 */
#ifndef SORREL_MESSAGE_QUERY_H
#define SORREL_MESSAGE_QUERY_H

#include "message/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum query_verdict {
    QUERY_ANSWER,          /* one readable question, opcode QUERY: to be answered */
    QUERY_SILENCE,         /* shorter than a header, or itself a response: no reply */
    QUERY_FORMERR_HEADER,  /* question unreadable: FORMERR, a bare header */
    QUERY_FORMERR,         /* question readable, the rest malformed: FORMERR with the question */
    QUERY_NOTIMP,          /* an opcode that is not implemented */
    QUERY_BADVERS,         /* EDNS version other than 0 */
    QUERY_COOKIE,          /* no question, but a COOKIE option (RFC 7873 §5.4): QDCOUNT 0 */
    QUERY_REFUSED,         /* understood and not done here: UPDATE, NOTIFY */
    QUERY_TRANSFER,        /* like QUERY_ANSWER, but the QTYPE is AXFR or IXFR */
    QUERY_UNVERIFIED,      /* its TSIG record is wrong: what comes of checking it, not of reading */
};

struct query {
    uint16_t length;          /* of the message */
    uint16_t question_length; /* octets of QNAME, QTYPE, QCLASS behind the header; 0: unreadable */
    uint16_t qtype;
    uint16_t qclass;
    uint16_t udp_payload;     /* requestor's; at least 512 */
    uint8_t opcode;
    bool edns;                /* had an OPT record that could be read */
    bool dnssec_ok;           /* DO */
    bool has_options;         /* TSIG, or some of EDNS, such as ... */
    bool wants_nsid;
    bool wants_keepalive;     /* sent edns-tcp-keepalive */
    uint8_t edns_version;
    uint8_t cookie_length;    /* of the COOKIE option: 8, or 16 to 40 (RFC 7873 §4);
                                 0: none, or a bad one */
    uint16_t cookie;          /* message offset of that option's data; 0: no such option */
    uint16_t tsig;            /* message offset of the TSIG record, the last one; 0: none */
    uint16_t serial;          /* of IXFR: message offset of the serial of the client's SOA record,
                                 in the authority section (RFC 1995 §3); 0: none */
};

/* Reads the message at `wire`, `length` octets (at most 65535). `query` and `qname` are filled as
 * far as the verdict allows; with QUERY_ANSWER and QUERY_TRANSFER, completely. */
enum query_verdict query_parse(struct query *query, struct name *qname, const uint8_t *wire,
                               size_t length);

#endif
